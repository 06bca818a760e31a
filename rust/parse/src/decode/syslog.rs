//! Syslog: RFC 5424, RFC 3164, and what programs and daemons make of the latter.
//!
//! Fields: `facility`, `severity` (both out of the priority), `timestamp`, `hostname`, `app_name`,
//! `pid`, `msg_id`, `message`, and the structured data as `id.parameter`. What is not there adds
//! no field. Read beside the two standards:
//!
//! * no priority, as in files; a time in ISO 8601 instead of `Mmm dd`;
//! * a year before or after the clock, a fraction of the second;
//! * no host name, no tag, no time; a sequence number before the time, a colon behind it (Cisco);
//! * nothing before the host name, where a tag with a process id follows it.
//!
//! A message of its own format (CEF, JSON, `key=value` …) is the business of
//! [`crate::recognise`]; here it only must not be taken for a host name or a tag.
//!
//! Structured data that break their grammar are left in the message, where rules still see them.

use bigsec_event::{Fields, Kind, codes};

use super::{DecodeError, Decoded, Decoder, MAX_FIELDS, application};

/// Reads one syslog message a record. Holds buffers only.
#[derive(Debug, Default)]
pub struct Syslog {
    name: String,
    value: String,
}

/// Numbers 0 to 23 as text, so that none has to be written.
const NUMBERS: [&str; 24] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16",
    "17", "18", "19", "20", "21", "22", "23",
];

/// How messages begin that look like a tag and are none.
const FORMATS: [&str; 4] = ["CEF:", "LEEF:", "{", "%%"];

/// Bytes of a tag's name; RFC 3164 allows 32 letters, systemd units have more.
const MAX_TAG: usize = 128;

impl Decoder for Syslog {
    fn claims(&self, text: &str) -> bool {
        if priority(text).is_some() || month_stamp(text).is_some() {
            return true;
        }
        // Many programs begin their lines with an ISO time: only the tag shows that it is syslog,
        // or a message that has to be read for itself.
        match iso_stamp(text) {
            Some(stamp) => text[stamp..].strip_prefix(' ').is_some_and(|rest| {
                let shows = |rest: &str| tag(rest).is_some() || has_own_format(rest);
                // In place of the host a level: it is a program's own line.
                let is_host = |host: &str| !host.is_empty() && !application::is_level(host);
                let behind_host = rest.split_once(' ').filter(|(host, _)| is_host(host));
                let is_standard = text.as_bytes()[10] == b'T';
                has_own_format(rest)
                    || is_standard && behind_host.is_some_and(|(_, rest)| shows(rest))
            }),
            None => is_headless(text),
        }
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let mut rest = text;
        let priority = priority(text);
        if let Some((number, length)) = priority {
            out.push("facility", NUMBERS[usize::from(number / 8)], Kind::Number);
            out.push("severity", NUMBERS[usize::from(number % 8)], Kind::Number);
            rest = &text[length..];
            if let Some(header) = rest.strip_prefix("1 ")
                && header.starts_with(|c: char| c == '-' || c.is_ascii_digit())
            {
                let truncated = DecodeError { code: codes::PARSE_TRUNCATED, offset: text.len() };
                return self.rfc5424(header, out).ok_or(truncated);
            }
        }
        rfc3164(rest, priority.is_some(), out)
            .then_some(Decoded::Event)
            .ok_or(DecodeError { code: codes::PARSE_MALFORMED, offset: text.len() - rest.len() })
    }
}

impl Syslog {
    /// What follows the version; nothing where it ends before the message ID does.
    fn rfc5424(&mut self, header: &str, out: &mut Fields) -> Option<Decoded> {
        let mut rest = header;
        for name in ["timestamp", "hostname", "app_name", "pid", "msg_id"] {
            let (value, behind) = rest.split_once(' ').unwrap_or((rest, ""));
            // Many senders leave the structured data out; the message ID is the least they send.
            if value.is_empty() {
                return None;
            }
            if value != "-" {
                out.push_str(name, value);
            }
            rest = behind;
        }
        rest = match rest.strip_prefix('-') {
            Some(behind) if behind.is_empty() || behind.starts_with(' ') => behind,
            _ => self.structured_data(rest, out),
        };
        rest = rest.strip_prefix(' ').unwrap_or(rest);
        rest = rest.strip_prefix('\u{feff}').unwrap_or(rest);
        push_some("message", rest, out);
        Some(Decoded::Event)
    }

    /// Adds the elements at the start of `text` and gives what follows them.
    fn structured_data<'t>(&mut self, text: &'t str, out: &mut Fields) -> &'t str {
        let mut rest = text;
        while rest.starts_with('[') {
            let before = out.len();
            let Some(behind) = self.element(&rest[1..], out) else {
                out.truncate(before);
                break;
            };
            rest = behind;
        }
        rest
    }

    /// One element without its opening bracket; nothing where it breaks the grammar.
    fn element<'t>(&mut self, text: &'t str, out: &mut Fields) -> Option<&'t str> {
        let id_end = text.find([' ', ']', '=', '"'])?;
        let (id, mut rest) = text.split_at(id_end);
        if id.is_empty() {
            return None;
        }
        if let Some(behind) = rest.strip_prefix(']') {
            out.push(id, "", Kind::EmptyObject);
            return Some(behind);
        }
        loop {
            if let Some(behind) = rest.strip_prefix(']') {
                return Some(behind);
            }
            rest = rest.strip_prefix(' ')?.trim_start_matches(' ');
            if rest.starts_with(']') {
                continue;
            }
            let (name, behind) = rest.split_once("=\"")?;
            if name.is_empty() || name.contains([' ', ']', '"']) || out.len() >= MAX_FIELDS {
                return None;
            }
            self.name.clear();
            self.name.extend([id, ".", name]);
            rest = self.value(behind, out)?;
        }
    }

    /// A value without its opening quote; in it `\"`, `\\` and `\]` are escapes.
    fn value<'t>(&mut self, text: &'t str, out: &mut Fields) -> Option<&'t str> {
        let mut end = text.find(['"', '\\'])?;
        if text.as_bytes()[end] == b'"' {
            out.push_str(&self.name, &text[..end]);
            return Some(&text[end + 1..]);
        }
        self.value.clear();
        let mut from = 0;
        loop {
            if text.as_bytes()[end] == b'"' {
                self.value.push_str(&text[from..end]);
                out.push_str(&self.name, &self.value);
                return Some(&text[end + 1..]);
            }
            // The escaped character is taken as it is; before any other one, so is the backslash.
            let escaped = text[end + 1..].chars().next()?;
            let keeps_slash = !matches!(escaped, '"' | '\\' | ']');
            self.value.push_str(&text[from..end + usize::from(keeps_slash)]);
            self.value.push(escaped);
            from = end + 1 + escaped.len_utf8();
            end = from + text[from..].find(['"', '\\'])?;
        }
    }
}

/// A message without version; false where there is neither priority nor time.
fn rfc3164(text: &str, has_priority: bool, out: &mut Fields) -> bool {
    let mut rest = skip_sequence(text);
    let marks = rest.strip_prefix(['*', '.']).unwrap_or(rest);
    let Some(length) = month_stamp(marks).or_else(|| iso_stamp(marks)) else {
        if has_priority {
            tag_and_message(text, out);
        } else if is_headless(text) {
            host_and_message(text, out);
        } else {
            return false;
        }
        return true;
    };
    out.push_str("timestamp", &marks[..length]);
    rest = &marks[length..];
    if let Some(behind) = rest.strip_prefix(": ") {
        tag_and_message(behind, out);
        return true;
    }
    host_and_message(rest.trim_start_matches(' '), out);
    true
}

/// True for `host name[123]: message`, strictly so: any sentence might look a little like it.
fn is_headless(text: &str) -> bool {
    let Some((host, rest)) = text.split_once(' ') else { return false };
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !host.is_empty()
        && host.bytes().all(in_name)
        && tag(rest).is_some_and(|(name, pid, message)| {
            let is_pid = !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit());
            is_pid && name.bytes().all(|byte| in_name(byte) || byte == b'/') && !message.is_empty()
        })
}

/// The host, unless the tag comes first, and what follows it.
fn host_and_message(text: &str, out: &mut Fields) {
    let (first, behind) = text.split_once(' ').unwrap_or((text, ""));
    if has_own_format(text) {
        out.push_str("message", text);
    } else if first.ends_with(':') || first.contains('[') {
        tag_and_message(text, out);
    } else {
        push_some("hostname", first, out);
        tag_and_message(behind.trim_start_matches(' '), out);
    }
}

fn tag_and_message(text: &str, out: &mut Fields) {
    let Some((name, pid, message)) = tag(text) else {
        push_some("message", text, out);
        return;
    };
    out.push_str("app_name", name);
    push_some("pid", pid, out);
    push_some("message", message, out);
}

/// True where the text begins a format of its own: JSON, CEF, LEEF or `key=value`.
fn has_own_format(text: &str) -> bool {
    let word = &text[..text.find([' ', '\t', '[', '"']).unwrap_or(text.len())];
    let is_pair = word.split_once('=').is_some_and(|(key, _)| !key.is_empty());
    begins_format(text) || is_pair
}

fn begins_format(text: &str) -> bool {
    FORMATS.iter().any(|start| text.starts_with(start))
}

/// `name[pid]: message` or `name: message`.
fn tag(text: &str) -> Option<(&str, &str, &str)> {
    if begins_format(text) {
        return None;
    }
    let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b'[' | b':');
    let name_end = text.bytes().take(MAX_TAG).position(|byte| ends(&byte))?;
    let name_end = words_before_pid(text, name_end).unwrap_or(name_end);
    let (name, mut rest) = text.split_at(name_end);
    let mut pid = "";
    if let Some(behind) = rest.strip_prefix('[') {
        let pid_end = behind.bytes().take(MAX_TAG).position(|byte| byte == b']')?;
        pid = &behind[..pid_end];
        rest = without_remark(&behind[pid_end + 1..]);
    }
    let message = rest.strip_prefix(':')?;
    let message = match message.strip_prefix([' ', '\t']) {
        Some(message) => message,
        None if message.is_empty() => message,
        None => return None,
    };
    (!name.is_empty()).then_some((name, pid, message))
}

/// The end of a program's name of several words, as macOS has them: `Web Content[77]: `.
fn words_before_pid(text: &str, first_end: usize) -> Option<usize> {
    let behind = text[first_end..].strip_prefix(' ')?;
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b" .-_".contains(&byte);
    let length = behind.bytes().take(MAX_TAG).take_while(|byte| in_name(*byte)).count();
    let (pid, _) = behind[length..].strip_prefix('[')?.split_once("]:")?;
    let is_pid = (1..=10).contains(&pid.len()) && digits(pid.as_bytes()) == pid.len();
    (is_pid && length > 0 && length < 32).then_some(first_end + 1 + length)
}

/// What follows a remark in parentheses behind the pid: `sandboxd[129] ([77]): `.
fn without_remark(text: &str) -> &str {
    let inside = text.strip_prefix(" (");
    let end = inside.and_then(|inside| inside.bytes().take(MAX_TAG).position(|byte| byte == b')'));
    end.map_or(text, |end| &text[" (".len() + end + 1..])
}

/// `<34>`: the number and the length of it all.
fn priority(text: &str) -> Option<(u8, usize)> {
    let digits = text.strip_prefix('<')?;
    let end = digits.bytes().take(4).position(|byte| byte == b'>')?;
    let digits = digits[..end].bytes().all(|byte| byte.is_ascii_digit()).then(|| &digits[..end])?;
    let number = digits.parse().ok().filter(|number| *number < 192)?;
    Some((number, end + 2))
}

/// Cuts a sequence number (`123: `) off, which Cisco devices send before the time.
fn skip_sequence(text: &str) -> &str {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let behind = text[digits..].strip_prefix(": ");
    behind.filter(|_| digits > 0).map_or(text, |rest| rest.trim_start_matches(' '))
}

/// The length of `Mmm dd hh:mm:ss` with a fraction, and a year before or after the clock.
fn month_stamp(text: &str) -> Option<usize> {
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let bytes = text.as_bytes();
    let month = bytes.first_chunk::<3>()?;
    MONTHS.as_chunks().0.contains(month).then_some(())?;
    let mut at = 3 + run(&bytes[3..], b' ');
    let digits = digits(&bytes[at..]);
    if at == 3 || !(1..=2).contains(&digits) {
        return None;
    }
    at += digits;
    let blanks = run(&bytes[at..], b' ');
    if blanks == 0 {
        return None;
    }
    at += blanks;
    let has_year = year(&bytes[at..]);
    if has_year {
        at += 5;
    }
    at += clock(&bytes[at..])?;
    if !has_year && bytes.get(at) == Some(&b' ') && year(&bytes[at + 1..]) {
        at += 5;
    }
    Some(at)
}

/// The length of `yyyy-mm-ddThh:mm:ss` with fraction and zone; a space may stand for the `T`.
fn iso_stamp(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let shape = |at: usize, byte: u8| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T' || byte == b' ',
        _ => byte.is_ascii_digit(),
    };
    let date = bytes.get(..11)?;
    date.iter().enumerate().all(|(at, byte)| shape(at, *byte)).then_some(())?;
    let at = 11 + clock(&bytes[11..])?;
    let zone = match bytes.get(at) {
        Some(b'Z') => 1,
        Some(b'+' | b'-') => {
            let run = bytes[at + 1..].iter().take(5);
            1 + run.take_while(|byte| byte.is_ascii_digit() || **byte == b':').count()
        }
        _ => 0,
    };
    Some(at + zone)
}

/// The length of `hh:mm:ss` with a fraction.
fn clock(bytes: &[u8]) -> Option<usize> {
    let shape = |at: usize, byte: u8| match at {
        2 | 5 => byte == b':',
        _ => byte.is_ascii_digit(),
    };
    let clock = bytes.get(..8)?;
    clock.iter().enumerate().all(|(at, byte)| shape(at, *byte)).then_some(())?;
    let fraction = match bytes.get(8) {
        Some(b'.' | b',') => digits(&bytes[9..]),
        _ => 0,
    };
    Some(if fraction > 0 { 9 + fraction } else { 8 })
}

/// True where a year and a blank begin the bytes.
fn year(bytes: &[u8]) -> bool {
    digits(bytes) == 4
        && matches!(bytes[..2], [b'1', b'9'] | [b'2', b'0'])
        && bytes.get(4) == Some(&b' ')
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn run(bytes: &[u8], wanted: u8) -> usize {
    bytes.iter().take_while(|byte| **byte == wanted).count()
}

fn push_some(name: &str, value: &str, out: &mut Fields) {
    if !value.is_empty() {
        out.push_str(name, value);
    }
}

//! Access logs of Apache and nginx: common and combined format, with a virtual host in front and
//! further fields behind.
//!
//! ```text
//! [vhost[:port] ]client ident user [time] "request" status bytes[ "referer" "user agent"][ more…]
//! ```
//!
//! Fields have the names of the W3C's extended log format, which Sigma's webserver rules use:
//! `cs-host`, `s-port`, `c-ip`, `ident`, `cs-username`, `time`, `request`, `sc-status`,
//! `sc-bytes`, `cs-referer`, `cs-user-agent`; what stands behind is `extra`, repeated. A `-` adds
//! no field. Within quotes `\"`, `\\`, `\t` and the like, and `\xhh` are resolved, so that a rule
//! sees what the client sent; bytes that are no UTF-8 become characters of Latin-1.

use bigsec_event::{Fields, Kind, codes};
use memchr::{memchr_iter, memchr2};

use super::escape::push_latin1;
use super::{DecodeError, Decoded, Decoder, MAX_FIELDS};

/// Reads one line of an access log. Holds buffers only.
#[derive(Debug, Default)]
pub struct AccessLog {
    bytes: Vec<u8>,
    text: String,
}

/// Bytes in which the bracket of the time must stand: longer names than this are an attack on us.
const MAX_HEAD: usize = 4096;

impl Decoder for AccessLog {
    fn claims(&self, text: &str) -> bool {
        time_bracket(text).is_some()
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let malformed = |offset| DecodeError { code: codes::PARSE_MALFORMED, offset };
        let bracket = time_bracket(text).ok_or(malformed(0))?;
        head(&text[..bracket], out).ok_or(malformed(0))?;
        let mut line = Line { text, at: bracket + 1, decoder: self, out };
        let time = line.until(']')?;
        line.out.push_str("time", time);
        line.blank();
        line.quoted("request", ends_request)?;
        line.blank();
        line.number("sc-status")?;
        line.blank();
        if !line.is_done() {
            line.number("sc-bytes")?;
        }
        for name in ["cs-referer", "cs-user-agent"] {
            line.blank();
            if line.text[line.at..].starts_with('"') {
                line.quoted(name, |_| true)?;
            }
        }
        line.extra()?;
        Ok(Decoded::Event)
    }
}

/// True where a status follows: some servers write a quote within the request as it came.
fn ends_request(behind: &[u8]) -> bool {
    let status = |status: &[u8]| status == b"-" || status.iter().all(u8::is_ascii_digit);
    match behind {
        [] | [b' '] => true,
        [b' ', behind @ ..] => {
            let word = behind.iter().take(4).position(|byte| *byte == b' ').unwrap_or(behind.len());
            word > 0 && word <= 3 && status(&behind[..word])
        }
        _ => false,
    }
}

/// Where ` [dd/Mmm/yyyy:` or ` [yyyy-mm-ddThh` begins behind two words: no other format has that.
fn time_bracket(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let dated = |bracket: &usize| {
        let date = bytes.get(bracket + 1..bracket + 13);
        let is_date = date.is_some_and(|date| {
            has_shape(date, b"00/aaa/0000:") || has_shape(date, b"0000-00-00T0")
        });
        is_date && *bracket > 0 && bytes[bracket - 1] == b' '
    };
    let bracket = memchr_iter(b'[', &bytes[..bytes.len().min(MAX_HEAD)]).find(dated)?;
    let is_behind_words = memchr_iter(b' ', &bytes[..bracket]).nth(1).is_some();
    is_behind_words.then_some(bracket)
}

/// True where the bytes are like the shape, whose `0` is any digit and whose `a` any letter.
fn has_shape(bytes: &[u8], shape: &[u8]) -> bool {
    bytes.iter().zip(shape).all(|(byte, shape)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'a' => byte.is_ascii_alphabetic(),
        other => byte == other,
    })
}

/// The words before the time. A user name may hold blanks; a virtual host is known by its being
/// one word too many, with an address behind it.
fn head(head: &str, out: &mut Fields) -> Option<()> {
    let mut rest = head.trim_end();
    let (first, behind) = rest.split_once(' ')?;
    let second = behind.split(' ').next()?;
    let four_words = behind.split(' ').filter(|word| !word.is_empty()).nth(2).is_some();
    if four_words && !is_address(first) && is_address(second) {
        let (host, port) = match first.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
            _ => (first, ""),
        };
        push_some("cs-host", host, Kind::String, out);
        push_some("s-port", port, Kind::Number, out);
        rest = behind;
    }
    let (client, behind) = rest.split_once(' ')?;
    push_some("c-ip", client, Kind::String, out);
    let (ident, user) = behind.split_once(' ').unwrap_or((behind, "-"));
    push_some("ident", ident, Kind::String, out);
    push_some("cs-username", user, Kind::String, out);
    Some(())
}

fn is_address(word: &str) -> bool {
    word.parse::<std::net::IpAddr>().is_ok()
}

fn push_some(name: &str, value: &str, kind: Kind, out: &mut Fields) {
    if !value.is_empty() && value != "-" {
        out.push(name, value, kind);
    }
}

struct Line<'t, 'o> {
    text: &'t str,
    at: usize,
    decoder: &'o mut AccessLog,
    out: &'o mut Fields,
}

impl<'t> Line<'t, '_> {
    fn is_done(&self) -> bool {
        self.at >= self.text.len()
    }

    fn blank(&mut self) {
        let rest = &self.text[self.at..];
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        self.at += rest.as_bytes().iter().take_while(|byte| is_blank(byte)).count();
    }

    fn until(&mut self, end: char) -> Result<&'t str, DecodeError> {
        let start = self.at;
        let length = self.text[start..].find(end).ok_or_else(|| self.truncated())?;
        self.at = start + length + end.len_utf8();
        Ok(&self.text[start..start + length])
    }

    fn word(&mut self) -> &'t str {
        let rest = &self.text[self.at..];
        let ends = |byte: u8| matches!(byte, b' ' | b'\t');
        let word = &rest[..rest.bytes().position(ends).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn number(&mut self, name: &str) -> Result<(), DecodeError> {
        let start = self.at;
        let word = self.word();
        if word.is_empty() {
            return Err(self.truncated());
        }
        if word != "-" && !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DecodeError { code: codes::PARSE_MALFORMED, offset: start });
        }
        push_some(name, word, Kind::Number, self.out);
        Ok(())
    }

    /// A quoted value: what is between the quotes, escapes resolved. A quote counts as the last
    /// one only where `ends` agrees to what follows it.
    fn quoted(&mut self, name: &str, ends: fn(&[u8]) -> bool) -> Result<(), DecodeError> {
        if self.is_done() {
            return Err(self.truncated());
        }
        let bytes = self.text.as_bytes();
        if bytes[self.at] != b'"' {
            return Err(DecodeError { code: codes::PARSE_MALFORMED, offset: self.at });
        }
        let start = self.at + 1;
        let mut end = start;
        let mut escaped = false;
        loop {
            let found = memchr2(b'"', b'\\', bytes.get(end..).unwrap_or_default());
            end += found.ok_or_else(|| self.truncated())?;
            if bytes[end] == b'\\' {
                escaped = true;
                end += 2;
            } else if ends(&bytes[end + 1..]) {
                break;
            } else {
                end += 1;
            }
        }
        self.at = end + 1;
        let value = &self.text[start..end];
        if escaped {
            self.decoder.unescape(value);
            self.out.push_str(name, &self.decoder.text);
        } else {
            push_some(name, value, Kind::String, self.out);
        }
        Ok(())
    }

    /// Whatever stands behind the known fields, quoted or not.
    fn extra(&mut self) -> Result<(), DecodeError> {
        loop {
            self.blank();
            if self.is_done() {
                return Ok(());
            }
            if self.out.len() >= MAX_FIELDS {
                return Err(DecodeError { code: codes::PARSE_TOO_MANY_FIELDS, offset: self.at });
            }
            if self.text[self.at..].starts_with('"') {
                self.quoted("extra", |_| true)?;
            } else {
                let word = self.word();
                // nginx's ingress writes names in brackets.
                let inside = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
                let word = inside.unwrap_or(word);
                push_some("extra", word, Kind::String, self.out);
            }
        }
    }

    fn truncated(&self) -> DecodeError {
        DecodeError { code: codes::PARSE_TRUNCATED, offset: self.text.len() }
    }
}

impl AccessLog {
    /// Resolves Apache's and nginx's escapes into `self.text`.
    fn unescape(&mut self, value: &str) {
        self.bytes.clear();
        let mut rest = value.as_bytes();
        while let Some((byte, behind)) = rest.split_first() {
            rest = behind;
            if *byte != b'\\' {
                self.bytes.push(*byte);
                continue;
            }
            let (plain, used) = match rest {
                [b'n', ..] => (b'\n', 1),
                [b'r', ..] => (b'\r', 1),
                [b't', ..] => (b'\t', 1),
                [b'b', ..] => (8, 1),
                [b'v', ..] => (11, 1),
                [b'x' | b'X', high, low, ..] if hex(*high, *low).is_some() => {
                    (hex(*high, *low).unwrap_or_default(), 3)
                }
                [quote @ (b'"' | b'\\'), ..] => (*quote, 1),
                _ => (b'\\', 0),
            };
            self.bytes.push(plain);
            rest = &rest[used..];
        }
        self.text.clear();
        push_latin1(&self.bytes, &mut self.text);
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(high)? * 16 + digit(low)?) as u8)
}

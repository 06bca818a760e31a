//! The W3C's extended log file format: header lines that name the columns, then a line a record, as
//! IIS and other servers, proxies and firewalls write it.
//!
//! Source: W3C Working Draft WD-logfile-960323. Fields have the names of the `#Fields` line;
//! `cs(User-Agent)` becomes `cs-user-agent`, the name that access logs and Sigma have for it. A `-`
//! adds no field. Ahead of them come `_software`, from the header, and `timestamp`: date and time of
//! the columns, which the draft has in UTC, those of `date-local` and `time-local` without a zone.
//! Where a record has a time only, the date is that of the `#Date` line. A line with more or fewer
//! values than columns is none of the log's.
//!
//! Blanks within a value are written as `+` or between quotes, in which a quote is doubled.

use bigsec_event::{Code, Fields, Kind, codes};
use memchr::memchr;

use super::{DecodeError, Decoded, Decoder, MAX_FIELDS};

/// Reads the lines of one source and remembers its header.
#[derive(Debug, Default)]
pub struct W3c {
    header: Header,
    text: String,
}

/// What the header lines said.
#[derive(Debug, Default)]
struct Header {
    software: String,
    date: String,
    columns: Vec<String>,
    clock: Option<Clock>,
}

/// Which columns hold the date and the time.
#[derive(Debug, Clone, Copy)]
struct Clock {
    date: Option<usize>,
    time: usize,
    zone: &'static str,
}

const DIRECTIVES: [&str; 8] =
    ["Version", "Fields", "Software", "Start-Date", "End-Date", "Date", "Remark", "Time Format"];
const BLANKS: [char; 2] = [' ', '\t'];
/// Length of a date as the draft has it, `2026-01-09`.
const DATE_BYTES: usize = 10;

impl Decoder for W3c {
    /// Once there was a header every line is claimed, so that one which does not fit says why.
    fn claims(&self, text: &str) -> bool {
        !self.header.columns.is_empty() || directive(text).is_some()
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let text = text.trim_end_matches(['\r', ' ', '\t']);
        if text.starts_with('#') {
            let Some((name, value)) = directive(text) else { return Ok(Decoded::Directive) };
            return match self.header.line(name, value) {
                Ok(()) => Ok(Decoded::Directive),
                Err(code) => Err(DecodeError { code, offset: 0 }),
            };
        }
        self.record(text, out).map(|()| Decoded::Event)
    }
}

/// The name of a directive and what stands behind it.
fn directive(text: &str) -> Option<(&'static str, &str)> {
    let line = text.strip_prefix('#')?;
    let end = memchr(b':', line.as_bytes())?;
    let name = DIRECTIVES.into_iter().find(|name| name.eq_ignore_ascii_case(&line[..end]))?;
    Some((name, line[end + 1..].trim()))
}

impl Header {
    fn line(&mut self, name: &str, value: &str) -> Result<(), &'static Code> {
        match name {
            "Software" => value.clone_into(&mut self.software),
            "Date" => match value.get(..DATE_BYTES) {
                Some(date) if is_date(date) => date.clone_into(&mut self.date),
                _ => self.date.clear(),
            },
            "Fields" => return self.name_columns(value),
            _ => {}
        }
        Ok(())
    }

    fn name_columns(&mut self, names: &str) -> Result<(), &'static Code> {
        self.columns.clear();
        for name in names.split(BLANKS).filter(|name| !name.is_empty()) {
            if self.columns.len() >= MAX_FIELDS {
                self.columns.clear();
                return Err(codes::PARSE_TOO_MANY_FIELDS);
            }
            self.columns.push(column_name(name));
        }
        let place = |wanted: &str| self.columns.iter().position(|name| name == wanted);
        let clock =
            |date, time, zone| place(time).map(|time| Clock { date: place(date), time, zone });
        self.clock = clock("date", "time", "Z").or_else(|| clock("date-local", "time-local", ""));
        Ok(())
    }
}

/// `cs(User-Agent)` is `cs-user-agent`; other names stay as they are.
fn column_name(name: &str) -> String {
    match name.strip_suffix(')').and_then(|name| name.split_once('(')) {
        Some((prefix, header)) => format!("{prefix}-{}", header.to_ascii_lowercase()),
        None => name.to_owned(),
    }
}

fn is_date(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    })
}

impl W3c {
    /// Adds the fields of a record's line.
    fn record(&mut self, text: &str, out: &mut Fields) -> Result<(), DecodeError> {
        let header = &self.header;
        if header.columns.is_empty() || text.is_empty() {
            return Err(DecodeError { code: codes::PARSE_MALFORMED, offset: 0 });
        }
        if !header.software.is_empty() {
            out.push_str("_software", &header.software);
        }
        timestamp(header, text, &mut self.text, out);
        let mut values = Values { text, at: 0 };
        for name in &header.columns {
            let missing = DecodeError { code: codes::PARSE_TRUNCATED, offset: text.len() };
            let value = values.next().ok_or(missing)?;
            push(name, value, &mut self.text, out);
        }
        // Not taken as it comes: a line that only looks like a header would own all lines after it.
        match values.next() {
            Some(value) => {
                let offset = values.at - value.bare().len();
                Err(DecodeError { code: codes::PARSE_MALFORMED, offset })
            }
            None => Ok(()),
        }
    }
}

/// Adds the record's date and time as one field, where it has both.
fn timestamp(header: &Header, text: &str, buffer: &mut String, out: &mut Fields) {
    let Some(clock) = header.clock else { return };
    let value = |at: usize| Values { text, at: 0 }.nth(at).map(Value::bare);
    let date = clock.date.map_or(Some(header.date.as_str()), value).unwrap_or_default();
    let Some(time) = value(clock.time).filter(|_| !date.is_empty()) else { return };
    buffer.clear();
    for part in [date, "T", time, clock.zone] {
        buffer.push_str(part);
    }
    out.push_str("timestamp", buffer);
}

fn push(name: &str, value: Value<'_>, buffer: &mut String, out: &mut Fields) {
    match value {
        Value::Plain("-") => {}
        Value::Plain(number) if is_number(number) => out.push(name, number, Kind::Number),
        Value::Quoted(value) if value.contains('"') => {
            buffer.clear();
            for (at, part) in value.split("\"\"").enumerate() {
                buffer.push_str(if at == 0 { "" } else { "\"" });
                buffer.push_str(part);
            }
            out.push_str(name, buffer);
        }
        Value::Plain(value) | Value::Quoted(value) => out.push_str(name, value),
    }
}

/// True for whole numbers as JSON has them.
fn is_number(text: &str) -> bool {
    (text == "0" || !text.starts_with('0')) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A value of a line.
#[derive(Debug, Clone, Copy)]
enum Value<'t> {
    Plain(&'t str),
    /// What stood between quotes, doubled quotes as they are.
    Quoted(&'t str),
}

impl<'t> Value<'t> {
    fn bare(self) -> &'t str {
        match self {
            Self::Plain(text) | Self::Quoted(text) => text,
        }
    }
}

/// The values of a line, between blanks.
struct Values<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Iterator for Values<'t> {
    type Item = Value<'t>;

    fn next(&mut self) -> Option<Value<'t>> {
        let rest = self.text[self.at..].trim_start_matches(BLANKS);
        self.at = self.text.len() - rest.len();
        if rest.is_empty() {
            return None;
        }
        if let Some(value) = rest.strip_prefix('"').and_then(quoted) {
            self.at += value.len() + 2;
            return Some(Value::Quoted(value));
        }
        let value = rest.split(BLANKS).next().unwrap_or(rest);
        self.at += value.len();
        Some(Value::Plain(value))
    }
}

/// What stands before the closing quote; nothing where none closes the value: then the quote is a
/// character like others.
fn quoted(text: &str) -> Option<&str> {
    let mut from = 0;
    loop {
        let end = from + memchr(b'"', &text.as_bytes()[from..])?;
        match text.as_bytes().get(end + 1) {
            None | Some(b' ' | b'\t') => return Some(&text[..end]),
            Some(b'"') => from = end + 2,
            Some(_) => return None,
        }
    }
}

//! Zeek's own log format: header lines that name and type the columns, then a line a record.
//!
//! A record gets the very fields that Zeek's JSON writer gives it: booleans as `true` and `false`,
//! times as ISO 8601, sets and vectors as a repeated field, `_path` from the header. An unset
//! column adds no field, an empty container leaves its mark, an empty string is one.
//!
//! Zeek escapes bytes as `\xhh`. As in its JSON, line ends and tabs and whatever is printable
//! UTF-8 are resolved; other control characters and stray bytes stay as `\xhh`.
//!
//! Two things TSV does not say: a set that holds one empty string looks like an empty set, and
//! numbers with a fraction have but six digits of it.

use std::fmt::Write as _;

use bigsec_event::{Code, Fields, Kind, codes};

use super::escape::push_escaped;
use super::{DecodeError, Decoded, Decoder, MAX_FIELDS};

/// Reads the lines of one source and remembers its header.
#[derive(Debug, Default)]
pub struct ZeekTsv {
    header: Header,
    buffers: Buffers,
}

/// What the header lines said.
#[derive(Debug)]
struct Header {
    separator: String,
    set_separator: String,
    empty: String,
    unset: String,
    path: String,
    columns: Vec<Column>,
}

#[derive(Debug, Default)]
struct Buffers {
    bytes: Vec<u8>,
    text: String,
}

#[derive(Debug)]
struct Column {
    name: String,
    is_container: bool,
    scalar: Scalar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scalar {
    Text,
    Boolean,
    Number,
    Time,
}

const DIRECTIVES: [&str; 9] = [
    "separator",
    "set_separator",
    "empty_field",
    "unset_field",
    "path",
    "open",
    "close",
    "fields",
    "types",
];

impl Default for Header {
    fn default() -> Self {
        Self {
            separator: "\t".to_owned(),
            set_separator: ",".to_owned(),
            empty: "(empty)".to_owned(),
            unset: "-".to_owned(),
            path: String::new(),
            columns: Vec::new(),
        }
    }
}

impl Decoder for ZeekTsv {
    /// Once there was a header every line is claimed, so that one which does not fit says why; other
    /// decoders are asked all the same.
    fn claims(&self, text: &str) -> bool {
        let directive = |line| directive(line, &self.header.separator).is_some();
        !self.header.columns.is_empty() || text.strip_prefix('#').is_some_and(directive)
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let text = text.strip_suffix('\r').unwrap_or(text);
        if let Some(line) = text.strip_prefix('#') {
            return match self.header.line(line) {
                Ok(()) => Ok(Decoded::Directive),
                Err(code) => Err(DecodeError { code, offset: 0 }),
            };
        }
        self.header.record(text, &mut self.buffers, out).map(|()| Decoded::Event)
    }
}

/// The name of a directive and what stands behind it.
fn directive<'t>(line: &'t str, separator: &str) -> Option<(&'static str, &'t str)> {
    let name = DIRECTIVES.into_iter().filter(|name| line.starts_with(name));
    let name = name.max_by_key(|name| name.len())?;
    let rest = &line[name.len()..];
    let value = rest.strip_prefix(separator).or_else(|| rest.strip_prefix(' '));
    value.map(|value| (name, value)).or_else(|| rest.is_empty().then_some((name, "")))
}

impl Header {
    /// Takes a header line without its `#`; a comment is passed over.
    fn line(&mut self, line: &str) -> Result<(), &'static Code> {
        let Some((name, value)) = directive(line, &self.separator) else { return Ok(()) };
        match name {
            // The first line of a header: what an earlier one said is over.
            "separator" => {
                let separator = separator_of(value).ok_or(codes::PARSE_MALFORMED)?;
                *self = Self { separator, ..Self::default() };
            }
            "set_separator" if value.is_empty() => return Err(codes::PARSE_MALFORMED),
            "set_separator" => value.clone_into(&mut self.set_separator),
            "empty_field" => value.clone_into(&mut self.empty),
            "unset_field" => value.clone_into(&mut self.unset),
            "path" if value == self.unset => self.path.clear(),
            "path" => value.clone_into(&mut self.path),
            "fields" => return self.name_columns(value),
            "types" => {
                let types = value.split(&*self.separator);
                for (column, type_name) in self.columns.iter_mut().zip(types) {
                    column.set_type(type_name);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn name_columns(&mut self, names: &str) -> Result<(), &'static Code> {
        self.columns.clear();
        for name in names.split(&*self.separator) {
            if self.columns.len() >= MAX_FIELDS {
                self.columns.clear();
                return Err(codes::PARSE_TOO_MANY_FIELDS);
            }
            let name = name.to_owned();
            self.columns.push(Column { name, is_container: false, scalar: Scalar::Text });
        }
        Ok(())
    }

    /// Adds the fields of a record's line.
    fn record(
        &self,
        text: &str,
        buffers: &mut Buffers,
        out: &mut Fields,
    ) -> Result<(), DecodeError> {
        if self.columns.is_empty() {
            return Err(DecodeError { code: codes::PARSE_MALFORMED, offset: 0 });
        }
        if !self.path.is_empty() {
            out.push_str("_path", &self.path);
        }
        let mut at = 0;
        let mut values = text.split(&*self.separator);
        for column in &self.columns {
            let missing = DecodeError { code: codes::PARSE_TRUNCATED, offset: text.len() };
            let value = values.next().ok_or(missing)?;
            self.column(column, value, buffers, out)
                .map_err(|code| DecodeError { code, offset: at })?;
            at += value.len() + self.separator.len();
        }
        match values.next() {
            Some(_) => Err(DecodeError { code: codes::PARSE_MALFORMED, offset: at }),
            None => Ok(()),
        }
    }

    fn column(
        &self,
        column: &Column,
        value: &str,
        buffers: &mut Buffers,
        out: &mut Fields,
    ) -> Result<(), &'static Code> {
        if value == self.unset {
            return Ok(());
        }
        let or_empty = |value| if value == self.empty { "" } else { value };
        if !column.is_container {
            column.push(or_empty(value), buffers, out);
        } else if value == self.empty {
            out.push(&column.name, "", Kind::EmptyList);
        } else {
            for element in value.split(&*self.set_separator) {
                if out.len() >= MAX_FIELDS {
                    return Err(codes::PARSE_TOO_MANY_FIELDS);
                }
                if element == self.unset {
                    out.push(&column.name, "", Kind::Null);
                } else {
                    column.push(or_empty(element), buffers, out);
                }
            }
        }
        Ok(())
    }
}

impl Column {
    fn set_type(&mut self, type_name: &str) {
        let inner = type_name.split_once('[').map(|(_, inner)| inner.trim_end_matches(']'));
        self.is_container = inner.is_some();
        self.scalar = match inner.unwrap_or(type_name) {
            "bool" => Scalar::Boolean,
            "count" | "int" | "port" | "double" | "interval" => Scalar::Number,
            "time" => Scalar::Time,
            _ => Scalar::Text,
        };
    }

    /// Adds one value of the column.
    fn push(&self, value: &str, buffers: &mut Buffers, out: &mut Fields) {
        let name = &self.name;
        match (self.scalar, value) {
            (Scalar::Boolean, "T") => out.push(name, "true", Kind::Boolean),
            (Scalar::Boolean, "F") => out.push(name, "false", Kind::Boolean),
            (Scalar::Number, _) if is_number(value) => out.push(name, value, Kind::Number),
            (Scalar::Time, _) if buffers.write_time(value) => out.push_str(name, &buffers.text),
            _ if value.contains('\\') => {
                buffers.unescape(value);
                out.push_str(name, &buffers.text);
            }
            _ => out.push_str(name, value),
        }
    }
}

impl Buffers {
    /// Writes seconds since 1970 as Zeek's JSON does.
    fn write_time(&mut self, value: &str) -> bool {
        let moment = micros(value).and_then(|us| jiff::Timestamp::from_microsecond(us).ok());
        let Some(moment) = moment else { return false };
        let civil = jiff::tz::Offset::UTC.to_datetime(moment);
        self.text.clear();
        write!(
            self.text,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second(),
            civil.subsec_nanosecond() / 1000
        )
        .expect("a String takes all");
        true
    }

    /// Resolves Zeek's escapes.
    fn unescape(&mut self, value: &str) {
        self.bytes.clear();
        let mut rest = value.as_bytes();
        while let Some((byte, behind)) = rest.split_first() {
            rest = behind;
            if *byte != b'\\' {
                self.bytes.push(*byte);
                continue;
            }
            match rest {
                [b'\\', behind @ ..] => {
                    self.bytes.push(b'\\');
                    rest = behind;
                }
                [b'x', high, low, behind @ ..] if let Some(byte) = escaped(*high, *low) => {
                    self.bytes.push(byte);
                    rest = behind;
                }
                _ => self.bytes.push(b'\\'),
            }
        }
        self.text.clear();
        push_escaped(&self.bytes, &mut self.text);
    }
}

/// A separator, written as it is or as `\xhh`.
fn separator_of(value: &str) -> Option<String> {
    let Some(digits) = value.strip_prefix("\\x") else {
        return (!value.is_empty()).then(|| value.to_owned());
    };
    let digits = digits.get(..2).filter(|_| digits.len() == 2)?;
    let byte = u8::from_str_radix(digits, 16).ok()?;
    byte.is_ascii().then(|| char::from(byte).to_string())
}

/// The byte of an escape, unless Zeek's JSON would keep it escaped.
fn escaped(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = (digit(high)? * 16 + digit(low)?) as u8;
    let stays = byte.is_ascii_control() && !matches!(byte, 0x08..=0x0d);
    (!stays).then_some(byte)
}

/// True for what JSON would take as a number: Zeek also writes `inf` and `nan`.
fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
}

/// Seconds with a fraction as µs.
fn micros(value: &str) -> Option<i64> {
    let (negative, digits) = match value.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, value),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        // Times far from 1970 are written as `2.385616957e+09`.
        let seconds: f64 = value.parse().ok().filter(|_| value.contains('e'))?;
        return (seconds.abs() < 1e12).then_some((seconds * 1e6).round() as i64);
    }
    let whole: i64 = whole.parse().ok()?;
    let mut us = whole.checked_mul(1_000_000)?;
    let mut place = 100_000;
    for digit in fraction.bytes().take(6) {
        us = us.checked_add(i64::from(digit - b'0') * place)?;
        place /= 10;
    }
    Some(if negative { -us } else { us })
}

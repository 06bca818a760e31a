//! JSON objects (RFC 8259): one pass over the text, nothing allocated per field.
//!
//! Members of nested objects get dotted names (`alert.signature`), elements of lists repeat the
//! name of the list. Duplicate keys stay, numbers keep their own spelling, empty lists and objects
//! leave a mark. A string that is a JSON object, a list of them or an XML document has its fields
//! below its own name. Two things are read more kindly than the standard says, because losing the event
//! would serve an attacker better: raw control characters within strings are taken as they are,
//! and a surrogate escape without its partner becomes U+FFFD.
//!
//! This is the only file that knows JSON's grammar. It is ours because the libraries that keep
//! duplicate keys and number texts are slower at this very task: over 6,892 Windows events of
//! 1.1 kB (release build, one core), events a second with the fields pushed into a record:
//!
//! | reader | flat | nested (26 to 30 fields) |
//! |---|---|---|
//! | this one | 1.22 M | 0.64 M |
//! | sonic-rs 0.5, serde visitor (which loses the spelling of numbers) | 0.68 M | 0.47 M |
//! | sonic-rs 0.5, lazy iteration | 0.53 M | 0.20 M |
//!
//! and because input is hostile, and this has no unsafe code.

use bigsec_event::{Fields, Kind, codes};
use memchr::memchr2;

use super::xml::Xml;
use super::{DecodeError, Decoded, Decoder, MAX_DEPTH, MAX_FIELDS};

/// Reads one JSON object a record. Holds buffers only.
#[derive(Debug, Default)]
pub struct Json {
    path: String,
    unescaped: String,
}

impl Decoder for Json {
    fn claims(&self, text: &str) -> bool {
        text.trim_start_matches(WHITE).starts_with('{')
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        self.path.clear();
        let mut walk = Walk {
            text,
            at: 0,
            path: &mut self.path,
            unescaped: &mut self.unescaped,
            out,
            limit: MAX_FIELDS,
        };
        walk.white();
        walk.object(0)?;
        walk.white();
        if walk.at < text.len() {
            return Err(walk.malformed());
        }
        Ok(Decoded::Event)
    }
}

const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Strings shorter than this are searched eight bytes at a time in place; the call to the
/// vectorised search pays only beyond.
const SHORT: usize = 32;

/// A string of the text, or one that had to be unescaped into the buffer.
enum Text<'t> {
    Slice(&'t str),
    Unescaped,
}

/// What the value at hand is called.
#[derive(Clone, Copy)]
enum Name<'t> {
    /// A key of the root object, literally in the text.
    Key(&'t str),
    /// Anything else: the path buffer.
    Path,
}

struct Walk<'t, 'o> {
    text: &'t str,
    at: usize,
    path: &'o mut String,
    unescaped: &'o mut String,
    out: &'o mut Fields,
    limit: usize,
}

impl<'t> Walk<'t, '_> {
    /// An object; the path holds its name (empty for the root).
    fn object(&mut self, depth: usize) -> Result<(), DecodeError> {
        self.expect(b'{')?;
        let base = self.path.len();
        self.white();
        if self.eat(b'}') {
            if depth > 0 {
                self.push(Name::Path, "", Kind::EmptyObject)?;
            }
            return Ok(());
        }
        loop {
            let name = self.key(base)?;
            self.white();
            self.expect(b':')?;
            self.white();
            self.value(name, depth + 1)?;
            self.path.truncate(base);
            self.white();
            if self.eat(b'}') {
                return Ok(());
            }
            self.expect(b',')?;
            self.white();
        }
    }

    /// A key, joined to the path that is `base` long unless it stands at the root unescaped.
    fn key(&mut self, base: usize) -> Result<Name<'t>, DecodeError> {
        let key = self.string()?;
        if base == 0
            && let Text::Slice(key) = key
        {
            return Ok(Name::Key(key));
        }
        if base > 0 {
            self.path.push('.');
        }
        match key {
            Text::Slice(key) => self.path.push_str(key),
            Text::Unescaped => self.path.push_str(self.unescaped),
        }
        Ok(Name::Path)
    }

    fn value(&mut self, name: Name<'t>, depth: usize) -> Result<(), DecodeError> {
        match self.peek()? {
            b'"' => match self.string()? {
                Text::Slice(text) => {
                    self.push(name, text, Kind::String)?;
                    self.document(name, text, depth);
                    Ok(())
                }
                Text::Unescaped => {
                    let text = std::mem::take(self.unescaped);
                    let pushed = self.push(name, &text, Kind::String);
                    self.document(name, &text, depth);
                    *self.unescaped = text;
                    pushed
                }
            },
            b'{' => {
                self.descend(name, depth)?;
                self.object(depth)
            }
            b'[' => {
                self.descend(name, depth)?;
                self.list(depth)
            }
            b't' => self.word("true", name, Kind::Boolean),
            b'f' => self.word("false", name, Kind::Boolean),
            b'n' => self.word("null", name, Kind::Null),
            _ => {
                let number = self.number()?;
                self.push(name, number, Kind::Number)
            }
        }
    }

    /// A string that is a JSON object, a list of them or an XML document itself has the fields of that, too, below
    /// its own name. One that only looks like it, or has too much in it, stays a string.
    fn document(&mut self, name: Name<'t>, text: &str, depth: usize) {
        // A brace alone begins many a GUID.
        let is_object = text.ends_with('}')
            && text.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'));
        let is_list = text.ends_with("}]")
            && text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with("{\""));
        if depth >= MAX_DEPTH || !(is_object || is_list || Xml::is_document(text)) {
            return;
        }
        let before = self.out.len();
        let mut path = match name {
            Name::Key(key) => key.to_owned(),
            Name::Path => self.path.clone(),
        };
        let read = if is_object || is_list {
            let (out, unescaped) = (&mut *self.out, &mut String::new());
            let limit = self.limit;
            let mut walk = Walk { text, at: 0, path: &mut path, unescaped, out, limit };
            let read = if is_list { walk.list(depth) } else { walk.object(depth) };
            read.is_ok() && walk.at == text.len()
        } else {
            Xml::default().decode_below(&path, text, self.out).is_ok()
        };
        if !read {
            self.out.truncate(before);
        }
    }

    /// The elements of a list, all under the name that the path holds.
    fn list(&mut self, depth: usize) -> Result<(), DecodeError> {
        self.expect(b'[')?;
        self.white();
        if self.eat(b']') {
            return self.push(Name::Path, "", Kind::EmptyList);
        }
        loop {
            self.value(Name::Path, depth + 1)?;
            self.white();
            if self.eat(b']') {
                return Ok(());
            }
            self.expect(b',')?;
            self.white();
        }
    }

    fn descend(&mut self, name: Name<'t>, depth: usize) -> Result<(), DecodeError> {
        if depth >= MAX_DEPTH {
            return Err(DecodeError { code: codes::PARSE_TOO_DEEP, offset: self.at });
        }
        if let Name::Key(key) = name {
            self.path.push_str(key);
        }
        Ok(())
    }

    fn push(&mut self, name: Name<'t>, value: &str, kind: Kind) -> Result<(), DecodeError> {
        if self.out.len() >= self.limit {
            return Err(DecodeError { code: codes::PARSE_TOO_MANY_FIELDS, offset: self.at });
        }
        let name = match name {
            Name::Key(key) => key,
            Name::Path => self.path.as_str(),
        };
        self.out.push(name, value, kind);
        Ok(())
    }

    fn string(&mut self) -> Result<Text<'t>, DecodeError> {
        self.expect(b'"')?;
        let start = self.at;
        let end = self.special(start)?;
        if self.text.as_bytes()[end] == b'"' {
            self.at = end + 1;
            return Ok(Text::Slice(&self.text[start..end]));
        }
        self.unescape(start, end)?;
        Ok(Text::Unescaped)
    }

    /// The next quote or backslash at or after `from`.
    fn special(&self, from: usize) -> Result<usize, DecodeError> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while at < from + SHORT
            && let Some(chunk) = bytes.get(at..at + 8)
        {
            let word = u64::from_le_bytes(chunk.try_into().expect("the slice is 8 bytes long"));
            let found = zero_bytes(word ^ splat(b'"')) | zero_bytes(word ^ splat(b'\\'));
            if found != 0 {
                return Ok(at + (found.trailing_zeros() / 8) as usize);
            }
            at += 8;
        }
        memchr2(b'"', b'\\', &bytes[at..]).map(|found| at + found).ok_or_else(|| self.truncated())
    }

    /// Unescapes the string from `start`, whose first backslash stands at `slash`.
    fn unescape(&mut self, start: usize, slash: usize) -> Result<(), DecodeError> {
        self.unescaped.clear();
        let (mut from, mut slash) = (start, slash);
        loop {
            self.unescaped.push_str(&self.text[from..slash]);
            let escaped = self.text.as_bytes().get(slash + 1);
            let next = if let Some(b'\\' | b'"' | b'/') = escaped {
                // It stands for itself, so it goes with what follows.
                from = slash + 1;
                slash + 2
            } else {
                self.at = slash + 1;
                self.escape()?;
                from = self.at;
                from
            };
            slash = self.special(next)?;
            if self.text.as_bytes()[slash] == b'"' {
                self.unescaped.push_str(&self.text[from..slash]);
                self.at = slash + 1;
                return Ok(());
            }
        }
    }

    /// What stands behind a backslash and is another character.
    fn escape(&mut self) -> Result<(), DecodeError> {
        let plain = match self.peek()? {
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => return self.unicode(),
            _ => return Err(self.malformed()),
        };
        self.at += 1;
        self.unescaped.push(plain);
        Ok(())
    }

    /// `uXXXX`, or two of them where they are a surrogate pair.
    fn unicode(&mut self) -> Result<(), DecodeError> {
        let unit = self.hex4()?;
        let high = (0xD800..0xDC00).contains(&unit);
        if !high || !self.text[self.at..].starts_with("\\u") {
            self.unescaped.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
            return Ok(());
        }
        let before = self.at;
        self.at += 1;
        let low = self.hex4()?;
        if (0xDC00..0xE000).contains(&low) {
            let point = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            self.unescaped.push(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
        } else {
            self.unescaped.push(char::REPLACEMENT_CHARACTER);
            self.at = before;
        }
        Ok(())
    }

    /// The four digits behind the `u` at hand.
    fn hex4(&mut self) -> Result<u32, DecodeError> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()?).to_digit(16).ok_or_else(|| self.malformed())?;
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    /// A number in its own spelling.
    fn number(&mut self) -> Result<&'t str, DecodeError> {
        let start = self.at;
        self.eat(b'-');
        match self.peek()? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            _ => return Err(self.malformed()),
        }
        if self.eat(b'.') {
            self.some_digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.some_digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn some_digits(&mut self) -> Result<(), DecodeError> {
        if !self.peek()?.is_ascii_digit() {
            return Err(self.malformed());
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while self.text.as_bytes().get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &'static str, name: Name<'t>, kind: Kind) -> Result<(), DecodeError> {
        for byte in word.bytes() {
            self.expect(byte)?;
        }
        self.push(name, if kind == Kind::Null { "" } else { word }, kind)
    }

    fn white(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.as_bytes().get(self.at) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Result<u8, DecodeError> {
        self.text.as_bytes().get(self.at).copied().ok_or_else(|| self.truncated())
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), DecodeError> {
        if self.peek()? != byte {
            return Err(self.malformed());
        }
        self.at += 1;
        Ok(())
    }

    fn truncated(&self) -> DecodeError {
        DecodeError { code: codes::PARSE_TRUNCATED, offset: self.text.len() }
    }

    fn malformed(&self) -> DecodeError {
        DecodeError { code: codes::PARSE_MALFORMED, offset: self.at }
    }
}

const fn splat(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Bit 7 of the lowest zero byte; bits above that one are not exact.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(splat(1)) & !word & splat(0x80)
}

//! Lists of `name:"value"` in brackets, as Check Point's log exporter writes them.
//!
//! ```text
//! [action:"Drop"; origin:"192.0.2.1"; rule_name:"Clean-up"; ike::"Quick Mode"; ]
//! ```
//!
//! A word may stand before the bracket. In a value `\"`, `\]` and `\\` are escapes. The list of a
//! line that was cut off ends where the line does.

use bigsec_event::{Fields, codes};

use super::escape::unescaped;
use super::{DecodeError, Decoded, Decoder, MAX_FIELDS};

/// Reads one list a record. Holds a buffer only.
#[derive(Debug, Default)]
pub struct ColonPairs {
    value: String,
}

/// Bytes that may stand before the bracket, and that a name may have.
const MAX_HEAD: usize = 64;
const MAX_NAME: usize = 64;

impl Decoder for ColonPairs {
    fn claims(&self, text: &str) -> bool {
        list(text).is_some_and(|(_, rest)| pair(rest).is_some())
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let malformed = DecodeError { code: codes::PARSE_MALFORMED, offset: 0 };
        let (head, mut rest) = list(text).ok_or(malformed)?;
        if !head.is_empty() {
            out.push_str("extra", head);
        }
        while let Some((name, value, behind)) = pair(rest) {
            if out.len() >= MAX_FIELDS {
                let offset = text.len() - rest.len();
                return Err(DecodeError { code: codes::PARSE_TOO_MANY_FIELDS, offset });
            }
            out.push_str(name, unescaped(value, "\"]\\", &mut self.value));
            rest = behind;
        }
        let rest = rest.trim_matches([' ', ']', ';']);
        if !rest.is_empty() {
            out.push_str("extra", rest);
        }
        Ok(Decoded::Event)
    }
}

/// The word before the bracket, and what stands in it.
fn list(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().take(MAX_HEAD).position(|byte| byte == b'[')?;
    let head = text[..at].trim();
    (!head.contains(' ')).then(|| (head, &text[at + 1..]))
}

/// The first pair, and what follows it.
fn pair(text: &str) -> Option<(&str, &str, &str)> {
    let text = text.trim_start_matches([' ', ';']);
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-. ".contains(&byte);
    let length = text.bytes().take(MAX_NAME).take_while(|byte| in_name(*byte)).count();
    let (name, rest) = text.split_at(length);
    let inside = rest.strip_prefix("::").or_else(|| rest.strip_prefix(':'))?.strip_prefix('"')?;
    if name.is_empty() {
        return None;
    }
    let bytes = inside.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found;
        if bytes[at] == b'"' {
            return Some((name, &inside[..at], &inside[at + 1..]));
        }
        at += 2;
    }
    // The line was cut off within the value.
    Some((name, inside, ""))
}

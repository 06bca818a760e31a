//! The Common Event Format (CEF).
//!
//! ```text
//! CEF:0|vendor|product|version|class id|name|severity|key=value key=a longer value
//! ```
//!
//! The header gives `cefVersion`, `deviceVendor`, `deviceProduct`, `deviceVersion`,
//! `deviceEventClassId`, `name` and `severity`, the extension its own keys. A value with a label
//! (`cs1Label=Rule cs1=7`) stands under the label too (`Rule`). Read beside the standard:
//!
//! * a word before it (`ASM:CEF:0|…`), a blank behind the colon, no `CEF:` where a relay took it
//!   for the tag of a syslog message;
//! * nothing behind the severity; white space other than a blank between the pairs;
//! * backslashes that were never escaped, as in Windows paths: such a value is taken as it stands.

use bigsec_event::{Fields, codes};

use super::escape::unescaped;
use super::pairs::{Pair, Pairs, Separator};
use super::{DecodeError, Decoded, Decoder, MAX_FIELDS};

/// Reads one CEF message a record. Holds buffers only.
#[derive(Debug, Default)]
pub struct Cef {
    value: String,
    name: String,
}

/// Names of the parts of the header behind the version.
const HEADER: [&str; 6] =
    ["deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity"];
/// Bytes that a word before `CEF:` may have.
const MAX_WORD: usize = 32;
/// Bytes that the version may have.
const MAX_VERSION: usize = 4;
/// Pairs of most messages.
const USUAL_PAIRS: usize = 32;
/// Labels of one message that are followed; the standard has 30 of them.
const MAX_LABELS: usize = 64;

impl Decoder for Cef {
    fn claims(&self, text: &str) -> bool {
        header(text).is_some()
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let (version, mut rest) =
            header(text).ok_or(DecodeError { code: codes::PARSE_MALFORMED, offset: 0 })?;
        out.push_str("cefVersion", version);
        for name in HEADER {
            let end = pipe(rest);
            // Without an extension some devices leave the last bar out.
            if end.is_none() && name != "severity" {
                return Err(DecodeError { code: codes::PARSE_TRUNCATED, offset: text.len() });
            }
            let (part, behind) = end.map_or((rest, ""), |end| (&rest[..end], &rest[end + 1..]));
            out.push_str(name, unescaped(part.trim(), "|\\", &mut self.value));
            rest = behind;
        }
        self.extension(text.len() - rest.len(), rest, out)?;
        Ok(Decoded::Event)
    }
}

impl Cef {
    /// The pairs; the extension begins at `offset` of the record.
    fn extension(
        &mut self,
        offset: usize,
        text: &str,
        out: &mut Fields,
    ) -> Result<(), DecodeError> {
        let mut pairs = Pairs::unquoted(text, Separator::Blank);
        let prose = pairs.take_prose();
        if !prose.is_empty() {
            out.push_str("extension", prose);
        }
        let mut all = Vec::with_capacity(USUAL_PAIRS);
        let mut labels = Vec::new();
        while let Some(Pair { key, value, .. }) = pairs.next() {
            if out.len() + labels.len() >= MAX_FIELDS {
                let offset = offset + pairs.at();
                return Err(DecodeError { code: codes::PARSE_TOO_MANY_FIELDS, offset });
            }
            out.push_str(key, unescaped_value(value, &mut self.value));
            all.push((key, value));
            let labelled = key.strip_suffix("Label").filter(|_| !value.is_empty());
            if let Some(labelled) = labelled.filter(|_| labels.len() < MAX_LABELS) {
                labels.push((labelled, value));
            }
        }
        if labels.is_empty() {
            return Ok(());
        }
        for (key, value) in all {
            let label = labels.iter().find(|(labelled, _)| *labelled == key);
            if let Some((_, label)) = label.filter(|_| !value.is_empty()) {
                let name = unescaped_value(label, &mut self.name);
                out.push_str(name, unescaped_value(value, &mut self.value));
            }
        }
        Ok(())
    }
}

/// The version, and what follows the bar behind it.
fn header(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let behind = text.strip_prefix("CEF:").or_else(|| {
        let colon = memchr::memchr(b':', &text.as_bytes()[..text.len().min(MAX_WORD)])?;
        let is_word = text[..colon].bytes().all(|byte| byte.is_ascii_alphanumeric());
        text[colon + 1..].strip_prefix("CEF:").filter(|_| is_word)
    });
    let text = behind.unwrap_or(text).trim_start_matches(' ');
    let in_version = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let length = text.bytes().take(MAX_VERSION + 1).position(|byte| !in_version(byte))?;
    let (version, rest) = (&text[..length], text[length..].strip_prefix('|')?);
    // Without its name it has to show all bars.
    let all_bars = || rest.bytes().take(2_048).filter(|byte| *byte == b'|').count() >= 6;
    (length > 0 && (behind.is_some() || all_bars())).then_some((version, rest))
}

/// The first bar that is not escaped.
fn pipe(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'|', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'|' {
            return Some(at);
        }
        at += 2;
    }
}

/// Resolves the escapes of an extension's value, unless its backslashes are plain ones.
fn unescaped_value<'a>(value: &'a str, buffer: &'a mut String) -> &'a str {
    if memchr::memchr(b'\\', value.as_bytes()).is_none() {
        return value;
    }
    let escapes = if has_plain_backslashes(value) { "=|" } else { "=|\\nr" };
    unescaped(value, escapes, buffer)
}

/// True where the writer did not escape: a backslash before what is no escape, or behind a drive.
fn has_plain_backslashes(value: &str) -> bool {
    let bytes = value.as_bytes();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        at += found;
        match bytes.get(at + 1) {
            Some(b'n' | b'r') if at >= 2 && bytes[at - 1] == b':' => return true,
            Some(b'\\' | b'=' | b'|' | b'n' | b'r') => at += 2,
            _ => return true,
        }
    }
    false
}

//! The Log Event Extended Format (LEEF), versions 1.0 and 2.0.
//!
//! ```text
//! LEEF:1.0|vendor|product|version|event id|key=value<tab>key=value
//! LEEF:2.0|vendor|product|version|event id|^|key=value^key=value
//! ```
//!
//! The header gives `leefVersion`, `Vendor`, `Product`, `Version` and `EventID`. The delimiter of
//! version 2.0 is a character, or its number as `x5E` or `0x5E`; it may be left out. Where a relay
//! wrote tabs as `#011`, or made blanks of them, that is the delimiter.

use bigsec_event::{Fields, codes};

use super::pairs::{Pairs, Separator};
use super::{DecodeError, Decoded, Decoder, MAX_FIELDS};

/// Reads one LEEF message a record.
#[derive(Debug, Default)]
pub struct Leef;

const HEADER: [&str; 4] = ["Vendor", "Product", "Version", "EventID"];
/// How relays write a tab that they must not send.
const ESCAPED_TAB: &str = "#011";

impl Decoder for Leef {
    fn claims(&self, text: &str) -> bool {
        text.trim_start().starts_with("LEEF:")
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let truncated = DecodeError { code: codes::PARSE_TRUNCATED, offset: text.len() };
        let malformed = DecodeError { code: codes::PARSE_MALFORMED, offset: 0 };
        let rest = text.trim_start().strip_prefix("LEEF:").ok_or(malformed)?;
        let (version, mut rest) = rest.trim_start_matches(' ').split_once('|').ok_or(truncated)?;
        out.push_str("leefVersion", version);
        for name in HEADER {
            let (part, behind) = match rest.split_once('|') {
                Some(parts) => parts,
                None if name == "EventID" => (rest, ""),
                None => return Err(truncated),
            };
            out.push_str(name, part.trim());
            rest = behind;
        }
        let mut character = [0; 4];
        let mut separator = "\t";
        if let Some((given, behind)) = rest.split_once('|')
            && version.starts_with('2')
            && let Some(delimiter) = delimiter(given)
        {
            separator = delimiter.encode_utf8(&mut character);
            rest = behind;
        }
        extension(text.len() - rest.len(), rest, separator_of(rest, separator), out)?;
        Ok(Decoded::Event)
    }
}

/// What the header names as delimiter: nothing (the tab), a character, or its number.
fn delimiter(given: &str) -> Option<char> {
    let number = given.strip_prefix("0x").or_else(|| given.strip_prefix('x'));
    let number = number.filter(|number| (1..=4).contains(&number.len()));
    if let Some(number) = number.and_then(|number| u32::from_str_radix(number, 16).ok()) {
        return char::from_u32(number).filter(|delimiter| *delimiter != '=');
    }
    let mut characters = given.chars();
    match (characters.next(), characters.next()) {
        (None, _) => Some('\t'),
        (Some('='), _) => None,
        (Some(one), None) => Some(one),
        (Some('\\'), Some('t')) if given.len() == 2 => Some('\t'),
        _ => None,
    }
}

/// What really separates the pairs, where a relay may have changed it.
fn separator_of<'s>(extension: &str, told: &'s str) -> Separator<'s> {
    if told != "\t" || extension.contains('\t') {
        Separator::Text(told)
    } else if extension.contains(ESCAPED_TAB) {
        Separator::Text(ESCAPED_TAB)
    } else {
        Separator::Blank
    }
}

fn extension(
    offset: usize,
    text: &str,
    separator: Separator<'_>,
    out: &mut Fields,
) -> Result<(), DecodeError> {
    let mut pairs = Pairs::unquoted(text, separator);
    let prose = pairs.take_prose();
    if !prose.is_empty() {
        out.push_str("extension", prose);
    }
    while let Some(pair) = pairs.next() {
        if out.len() >= MAX_FIELDS {
            let offset = offset + pairs.at();
            return Err(DecodeError { code: codes::PARSE_TOO_MANY_FIELDS, offset });
        }
        out.push_str(pair.key, pair.value);
    }
    Ok(())
}

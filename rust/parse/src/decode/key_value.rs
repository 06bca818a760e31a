//! Lines of `key=value`, as firewalls and many programs write them.
//!
//! ```text
//! id=tos time="2026-01-09 11:04:05" fw=gate pri=6 user= src=192.0.2.7 msg="a \"b\" c"
//! Type=URL; Source=192.0.2.7:4711; Show Name=web; Time=11:04:05;
//! ```
//!
//! Values may be quoted (`"` or `'`, with `\"` and `\\` within), empty, or hold blanks unquoted.
//! Between the pairs stand blanks, tabs, or `;`, `,` and `|`: what follows the first pair tells.
//! Words of the form `name:value` between two pairs are pairs too; any other text there is `extra`.
//!
//! A line is one of these where it begins with a pair and two more follow, or where three pairs
//! follow on some words before: `[proxy] a=1 b=2 c=3`. Those words are `extra`, and each by itself
//! `extra.1`, `extra.2` and so on, without brackets and colons around it. In the message of a syslog
//! record such a line stays prose.

use bigsec_event::{Fields, codes};

use super::escape::unescaped;
use super::pairs::{Pair, Pairs, Separator};
use super::{DecodeError, Decoded, Decoder, MAX_FIELDS};

/// Reads one line of pairs a record. Holds a buffer only.
#[derive(Debug, Default)]
pub struct KeyValue {
    value: String,
}

/// Pairs that a line must begin with.
const FEWEST: usize = 3;
/// Bytes that the words before the first pair may have.
const MAX_HEAD: usize = 256;
/// More words before the first pair are not told one by one.
const MAX_WORDS: usize = 8;
/// What they are called.
const WORDS: [&str; MAX_WORDS] =
    ["extra.1", "extra.2", "extra.3", "extra.4", "extra.5", "extra.6", "extra.7", "extra.8"];
/// Separators that are tried beside blanks.
const SEPARATORS: [&str; 3] = [";", ",", "|"];

impl Decoder for KeyValue {
    fn claims(&self, text: &str) -> bool {
        self.claims_message(text) || separator(text).is_none() && with_head(text).is_some()
    }

    fn claims_message(&self, text: &str) -> bool {
        separator(text)
            .is_some_and(|separator| Pairs::quoted(text, separator).take(FEWEST).count() == FEWEST)
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let mut begin = 0;
        let separator = if let Some(separator) = separator(text) {
            separator
        } else {
            let (head, first) =
                with_head(text).ok_or(DecodeError { code: codes::PARSE_MALFORMED, offset: 0 })?;
            put_head(head, out);
            begin = first;
            separator(&text[begin..]).unwrap_or(Separator::Blank)
        };
        let mut pairs = Pairs::quoted(&text[begin..], separator);
        while let Some(pair) = pairs.next() {
            if out.len() >= MAX_FIELDS {
                let offset = begin + pairs.at();
                return Err(DecodeError { code: codes::PARSE_TOO_MANY_FIELDS, offset });
            }
            self.pair(&pair, separator, out);
        }
        Ok(Decoded::Event)
    }
}

impl KeyValue {
    fn pair(&mut self, pair: &Pair<'_>, separator: Separator<'_>, out: &mut Fields) {
        if pair.quote.is_some() {
            out.push_str(pair.key, unescaped(pair.value, "\"'\\", &mut self.value));
            loose(pair.behind, out);
        } else if separator == Separator::Blank && pair.spaced && is_words_with_colon(pair.value) {
            out.push_str(pair.key, "");
            loose(pair.value, out);
        } else {
            out.push_str(pair.key, pair.value);
        }
    }
}

/// What separates the pairs: that which ends the first value earliest. Nothing where the text does
/// not begin with a pair.
fn separator(text: &str) -> Option<Separator<'static>> {
    let end = |separator, text| {
        let mut pairs = Pairs::quoted(text, separator);
        let pair = pairs.next()?;
        Some((pair.value.len() + pair.behind.len(), pairs.at()))
    };
    let by_blank = end(Separator::Blank, text);
    // Only before the second key can another separator end the first value earlier.
    let (mut shortest, second) = by_blank.unwrap_or((usize::MAX, text.len()));
    let second_end = text[second..].find('=').map_or(text.len(), |equals| second + equals + 1);
    let head = &text[..second_end];
    let mut best = by_blank.map(|_| Separator::Blank);
    for separator in SEPARATORS.map(Separator::Text) {
        // Of equals a visible separator is meant: `a="x"; b="y"`.
        if let Some((length, next)) = end(separator, head)
            && next < head.len()
            && length <= shortest
        {
            (shortest, best) = (length, Some(separator));
        }
    }
    best
}

/// The words before the first pair, and where that begins; nothing where there are too few pairs.
fn with_head(text: &str) -> Option<(&str, usize)> {
    // Attributes of XML are pairs of their own kind.
    if text.strip_prefix('<').is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit())) {
        return None;
    }
    let mut pairs = Pairs::quoted(text, Separator::Blank);
    let head = pairs.take_prose();
    let is_one = head.len() <= MAX_HEAD && pairs.clone().take(FEWEST).count() == FEWEST;
    is_one.then_some((head, pairs.at()))
}

/// Tells the words before the first pair.
fn put_head(head: &str, out: &mut Fields) {
    out.push_str("extra", head);
    let words = || head.split_whitespace().map(|word| word.trim_matches(AROUND));
    if words().count() > MAX_WORDS {
        return;
    }
    for (name, word) in WORDS.iter().zip(words()).filter(|(_, word)| !word.is_empty()) {
        out.push_str(name, word);
    }
}

/// What may stand around a word before the first pair.
const AROUND: [char; 9] = ['[', ']', '(', ')', '<', '>', ':', ',', '"'];

/// True where all is words such as `pid:6689`.
fn is_words_with_colon(text: &str) -> bool {
    !text.is_empty() && text.split_whitespace().all(|word| with_colon(word).is_some())
}

/// `name:value`; the name begins with a letter, and the value is not the rest of an address.
fn with_colon(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once(':')?;
    let is_name = name.starts_with(|first: char| first.is_alphabetic())
        && name.len() > 1
        && name.chars().all(|letter| letter.is_alphanumeric() || "_-.".contains(letter));
    (is_name && !value.is_empty() && !value.starts_with(['/', '\\'])).then_some((name, value))
}

/// What stands between two pairs.
fn loose(text: &str, out: &mut Fields) {
    if !is_words_with_colon(text) {
        if !text.is_empty() {
            out.push_str("extra", text);
        }
        return;
    }
    let room = MAX_FIELDS.saturating_sub(out.len());
    for (name, value) in text.split_whitespace().filter_map(with_colon).take(room) {
        out.push_str(name, value);
    }
}

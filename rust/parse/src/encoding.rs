//! From raw bytes to text: UTF-8, else GB18030 where that gives plausible Chinese, else UTF-8 with
//! U+FFFD for what fits neither.

use encoding_rs::{DecoderResult, GB18030};

/// The text of a record, and what its bytes were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    /// The text, without a byte order mark. NULs stay.
    pub text: &'a str,
    /// The encoding where it was not UTF-8: `GB18030`, or `unknown` where bytes were replaced.
    pub encoding: Option<&'static str>,
}

impl Text<'_> {
    /// True where bytes fitted no encoding and stand in the text as U+FFFD.
    pub fn is_lossy(&self) -> bool {
        self.encoding == Some(UNKNOWN)
    }
}

const UNKNOWN: &str = "unknown";
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Turns bytes into text, with one buffer for what has to be converted.
#[derive(Debug, Default)]
pub struct TextReader {
    buffer: String,
}

impl TextReader {
    /// Reads the bytes of one record.
    pub fn read<'a>(&'a mut self, raw: &'a [u8]) -> Text<'a> {
        let raw = raw.strip_prefix(BOM).unwrap_or(raw);
        if let Ok(text) = std::str::from_utf8(raw) {
            return Text { text, encoding: None };
        }
        self.buffer.clear();
        let encoding = if is_plausible_chinese(raw) && self.decode_gb18030(raw) {
            "GB18030"
        } else {
            self.decode_lossy(raw);
            UNKNOWN
        };
        Text { text: &self.buffer, encoding: Some(encoding) }
    }

    fn decode_gb18030(&mut self, raw: &[u8]) -> bool {
        let mut decoder = GB18030.new_decoder_without_bom_handling();
        let Some(length) = decoder.max_utf8_buffer_length_without_replacement(raw.len()) else {
            return false;
        };
        self.buffer.reserve(length);
        let (result, _) = decoder.decode_to_string_without_replacement(raw, &mut self.buffer, true);
        result == DecoderResult::InputEmpty
    }

    fn decode_lossy(&mut self, raw: &[u8]) {
        self.buffer.clear();
        for chunk in raw.utf8_chunks() {
            self.buffer.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                self.buffer.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }
}

/// True where at least half of the double-byte characters are of GB 2312, the characters of
/// everyday text: symbols in rows 1 to 9, Chinese characters in rows 16 to 87.
///
/// Nearly any bytes decode as GB18030 (Western accented letters too, as rare characters), so that
/// it decodes is no proof.
fn is_plausible_chinese(raw: &[u8]) -> bool {
    let (mut common, mut all) = (0_usize, 0_usize);
    let mut at = 0;
    while let Some(lead) = raw.get(at) {
        if lead.is_ascii() {
            at += 1;
            continue;
        }
        let trail = raw.get(at + 1).copied().unwrap_or_default();
        all += 1;
        let row = matches!(lead, 0xA1..=0xA9 | 0xB0..=0xF7);
        common += usize::from(row && (0xA1..=0xFE).contains(&trail));
        // A digit as second byte begins a four-byte sequence.
        at += if trail.is_ascii_digit() { 4 } else { 2 };
    }
    common * 2 >= all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &[u8]) -> (String, Option<&'static str>) {
        let mut reader = TextReader::default();
        let text = reader.read(raw);
        (text.text.to_owned(), text.encoding)
    }

    #[test]
    fn utf_8_stays_and_loses_its_mark() {
        assert_eq!(read("日志 ok\0".as_bytes()), ("日志 ok\0".into(), None));
        assert_eq!(read(b"\xEF\xBB\xBFabc"), ("abc".into(), None));
    }

    #[test]
    fn gb18030_is_read_where_it_is_chinese() {
        let (bytes, _, _) = GB18030.encode("用户 admin 登录失败，来源 192.0.2.7");
        assert_eq!(read(&bytes), ("用户 admin 登录失败，来源 192.0.2.7".into(), Some("GB18030")));
    }

    #[test]
    fn western_letters_and_noise_are_not_taken_for_chinese() {
        assert_eq!(
            read(b"Soci\xE9t\xE9 G\xE9n\xE9rale"),
            ("Soci\u{FFFD}t\u{FFFD} G\u{FFFD}n\u{FFFD}rale".into(), Some("unknown"))
        );
        assert_eq!(read(b"a\xFF\xFEb"), ("a\u{FFFD}\u{FFFD}b".into(), Some("unknown")));
        assert_eq!(read(b"cut \xD3"), ("cut \u{FFFD}".into(), Some("unknown")));
    }
}

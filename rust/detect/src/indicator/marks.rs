//! Tells short texts without a dot, which are most, without a call.

/// Texts below this length hold no hash and no fingerprint.
pub(super) const SHORT: usize = 32;

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHS: u64 = ONES << 7;

/// Bytes of which one is in every indicator that fits into a short text: a dot, and others where
/// the set has such indicators.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    bytes: [u8; 3],
}

impl Default for Marks {
    fn default() -> Self {
        Self { bytes: [b'.'; 3] }
    }
}

impl Marks {
    /// Adds a mark: a colon for IPv6, a slash for paths.
    pub fn add(&mut self, byte: u8) {
        self.bytes[if byte == b':' { 1 } else { 2 }] = byte;
    }

    /// Whether a mark is in the text.
    pub fn is_in(&self, text: &[u8]) -> bool {
        let mut words = text.chunks_exact(8);
        let found = words.any(|word| self.is_in_word(word.try_into().unwrap_or_default()));
        found || words.remainder().iter().any(|byte| self.bytes.contains(byte))
    }

    fn is_in_word(&self, word: [u8; 8]) -> bool {
        let word = u64::from_le_bytes(word);
        let zeros = |with: u64| with.wrapping_sub(ONES) & !with & HIGHS;
        self.bytes.iter().fold(0, |found, byte| found | zeros(word ^ (u64::from(*byte) * ONES)))
            != 0
    }
}

/// Whether a text is a date and a time (RFC 3339, ISO 8601), which nearly every event has, each
/// another one.
pub(super) fn is_time(text: &[u8]) -> bool {
    let is_shaped = text.len() >= 19
        && text[4] == b'-'
        && text[7] == b'-'
        && text[13] == b':'
        && text[16] == b':';
    is_shaped && text.iter().all(|byte| byte.is_ascii_digit() || b"-:. TZ+".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_wherever_it_stands() {
        let mut marks = Marks::default();
        marks.add(b'/');
        for length in 1..40 {
            let mut text = vec![b'-'; length];
            assert!(!marks.is_in(&text), "{length}");
            for at in 0..length {
                for (mark, found) in [(b'.', true), (b'/', true), (b':', false), (0xae, false)] {
                    text[at] = mark;
                    assert_eq!(marks.is_in(&text), found, "{mark} at {at} of {length}");
                    text[at] = b'-';
                }
            }
        }
    }

    #[test]
    fn times_are_told_from_what_looks_like_them() {
        for (text, is) in [
            ("2026-10-09T21:33:35.607Z", true),
            ("2026-10-09 21:33:35", true),
            ("2026-10-09T21:33:35.607+08:00", true),
            ("2026-10-09T21:33:35.evil.com", false),
            ("2026:10:09", false),
            ("aaaa-bb-ccTdd:ee:ff", false),
        ] {
            assert_eq!(is_time(text.as_bytes()), is, "{text}");
        }
    }
}

//! The encodings that Sigma's modifiers apply to a rule's text.

/// UTF-16 in the form that a modifier names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Utf16 {
    /// `wide`, `utf16le`: little-endian without a byte order mark.
    Little,
    /// `utf16be`: big-endian without a byte order mark.
    Big,
    /// `utf16`: little-endian after a byte order mark.
    Marked,
}

impl Utf16 {
    /// The bytes of `text`.
    pub fn bytes(self, text: &str) -> Vec<u8> {
        let units = text.encode_utf16();
        match self {
            Self::Little => units.flat_map(u16::to_le_bytes).collect(),
            Self::Big => units.flat_map(u16::to_be_bytes).collect(),
            Self::Marked => {
                [0xff, 0xfe].into_iter().chain(units.flat_map(u16::to_le_bytes)).collect()
            }
        }
    }

    /// The text that shows when the bytes are taken for UTF-8, as loggers do: `a\0b\0`.
    ///
    /// Nothing where the bytes are no UTF-8.
    pub fn shown(self, text: &str) -> Option<String> {
        let bytes = match self {
            Self::Marked => Self::Little.bytes(text),
            _ => self.bytes(text),
        };
        String::from_utf8(bytes).ok()
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding (RFC 4648, section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0, |group, byte| group << 8 | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let symbol = ALPHABET[(group >> (18 - 6 * index) & 63) as usize] as char;
            out.push(if index <= chunk.len() { symbol } else { '=' });
        }
    }
    out
}

/// What the bytes look like inside a longer Base64 text, at each of the three alignments.
///
/// Symbols that also depend on the neighbouring bytes are left out.
pub(crate) fn base64_offsets(bytes: &[u8]) -> [String; 3] {
    [0, 1, 2].map(|shift| {
        let padded: Vec<u8> =
            std::iter::repeat_n(b' ', shift).chain(bytes.iter().copied()).collect();
        let encoded = base64(&padded);
        let start = [0, 2, 3][shift];
        let cut = [0, 3, 2][padded.len() % 3];
        encoded.get(start..encoded.len().saturating_sub(cut)).unwrap_or_default().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base64_has_the_vectors_of_rfc_4648() {
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    proptest! {
        #[test]
        fn an_offset_form_stands_in_every_longer_text(
            before in proptest::collection::vec(any::<u8>(), 0..7),
            bytes in proptest::collection::vec(any::<u8>(), 3..12),
            after in proptest::collection::vec(any::<u8>(), 0..7),
        ) {
            let whole = [before.clone(), bytes.clone(), after].concat();
            let form = &base64_offsets(&bytes)[before.len() % 3];
            prop_assert!(base64(&whole).contains(form));
        }
    }

    #[test]
    fn wide_text_shows_its_zeros() {
        assert_eq!(Utf16::Little.shown("ab").as_deref(), Some("a\0b\0"));
        assert_eq!(Utf16::Big.shown("ab").as_deref(), Some("\0a\0b"));
        assert_eq!(Utf16::Little.shown("\u{ff}"), None);
        assert_eq!(Utf16::Marked.bytes("a"), [0xff, 0xfe, b'a', 0]);
    }
}

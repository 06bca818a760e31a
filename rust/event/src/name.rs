//! Field names and how they compare: ASCII case and spaces do not count.
//!
//! Sigma compares field names without case, and Windows has names with spaces (`Threat Name`)
//! which rules write without them (`ThreatName`).

use std::fmt;

/// A field name with its hash, made once where a rule or a map is loaded.
#[derive(Clone)]
pub struct FieldName {
    text: Box<str>,
    hash: u64,
}

impl FieldName {
    /// A name as a rule or a map writes it.
    pub fn new(text: &str) -> Self {
        Self { text: text.into(), hash: name_hash(text) }
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The hash of the name, equal for names that compare equal. Never stored.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// True where `other` is the same field.
    pub fn is(&self, other: &str) -> bool {
        same_name(&self.text, other)
    }
}

impl fmt::Debug for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl PartialEq for FieldName {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && same_name(&self.text, &other.text)
    }
}

impl Eq for FieldName {}

impl std::hash::Hash for FieldName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// A hash of the bytes that count, eight at a time; it only preselects and is never stored.
#[inline]
pub(crate) fn name_hash(name: &str) -> u64 {
    if let Some(hash) = hash_without_spaces(name.as_bytes()) {
        return hash;
    }
    let counts: Vec<u8> = name.bytes().filter(|byte| *byte != b' ').collect();
    hash_without_spaces(&counts).unwrap_or_default()
}

/// The hash of a name; `None` where it has a space.
#[inline]
fn hash_without_spaces(name: &[u8]) -> Option<u64> {
    // Bit 5 set makes ASCII letters lower case; what else it makes alike is told apart later.
    const LOWER: u64 = u64::from_ne_bytes([b' '; 8]);
    let mut hash = name.len() as u64;
    let mut chunks = name.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u64::from_le_bytes(chunk.try_into().expect("a chunk has eight bytes"));
        if has_space(word) {
            return None;
        }
        hash = mix(hash, word | LOWER);
    }
    let word = last_word(name);
    (!has_space(word)).then(|| mix(hash, word | LOWER))
}

/// The last eight bytes, some of which were in a word before; of a shorter name all bytes, some of
/// them twice: a copy of a length that is not known beforehand costs more than the rest.
fn last_word(name: &[u8]) -> u64 {
    if let Some(word) = name.last_chunk() {
        return u64::from_le_bytes(*word);
    }
    if let Some((first, last)) = name.first_chunk().zip(name.last_chunk()) {
        return u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
    }
    match name {
        [first, .., last] => u64::from_le_bytes([*first, name[1], *last, 0, 0, 0, 0, 0]),
        [only] => u64::from(*only),
        [] => 0,
    }
}

fn mix(hash: u64, word: u64) -> u64 {
    let product = (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 32)
}

/// True where one of the eight bytes is a space.
fn has_space(word: u64) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const SPACES: u64 = u64::from_ne_bytes([b' '; 8]);
    let spaces = word ^ SPACES;
    spaces.wrapping_sub(ONES) & !spaces & (ONES << 7) != 0
}

/// Compares two names the way [`FieldName`] does.
pub(crate) fn same_name(left: &str, right: &str) -> bool {
    // Most names are written alike, and to compare them so is quickest.
    if left == right || left.eq_ignore_ascii_case(right) {
        return true;
    }
    let counts = |text: &'_ str| text.bytes().filter(|byte| *byte != b' ').collect::<Vec<_>>();
    (left.contains(' ') || right.contains(' ')) && counts(left).eq_ignore_ascii_case(&counts(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_spaces_do_not_count() {
        let name = FieldName::new("ThreatName");
        assert!(name.is("Threat Name"));
        assert!(name.is("threatname"));
        assert!(!name.is("ThreatNames"));
        assert_eq!(name.hash(), name_hash("threat  NAME"));
        assert_ne!(name.hash(), name_hash("threatnames"));
        assert_eq!(name_hash("a long name beyond a word"), name_hash("ALongNameBeyondAWord"));
    }
}

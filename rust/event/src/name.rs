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

/// FNV-1a over the bytes that count; names are short, and the hash only preselects.
pub(crate) fn name_hash(name: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in name.bytes() {
        if byte != b' ' {
            hash = (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// Compares two names the way [`FieldName`] does.
pub(crate) fn same_name(left: &str, right: &str) -> bool {
    if left.len() == right.len() && left.eq_ignore_ascii_case(right) {
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
    }
}

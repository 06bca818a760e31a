//! Translating a vendor's words and codes into the closed numbers of the event schema.

use std::cmp::Ordering;

use bigsec_event::FieldName;

use crate::parsed::DerivedText;

/// One column filled by looking a field's value up.
#[derive(Debug)]
pub(super) struct ValueMap {
    pub leaf: u16,
    pub field: FieldName,
    /// Sorted by key, ASCII case aside.
    exact: Vec<(Box<str>, DerivedText)>,
    /// Keys that ended in `*`, in their order.
    prefixes: Vec<(Box<str>, DerivedText)>,
}

impl ValueMap {
    pub fn new(leaf: u16, field: &str, pairs: impl Iterator<Item = (String, String)>) -> Self {
        let (mut exact, mut prefixes) = (Vec::new(), Vec::new());
        for (key, text) in pairs {
            match key.strip_suffix('*') {
                Some(prefix) => prefixes.push((prefix.into(), text.into())),
                None => exact.push((key.into(), DerivedText::from(text))),
            }
        }
        exact.sort_by(|(left, _): &(Box<str>, _), (right, _)| compare(left, right));
        Self { leaf, field: FieldName::new(field), exact, prefixes }
    }

    /// What the value stands for, if the map has it.
    pub fn get(&self, value: &str) -> Option<&DerivedText> {
        if let Ok(at) = self.exact.binary_search_by(|(key, _)| compare(key, value)) {
            return Some(&self.exact[at].1);
        }
        let begins = |prefix: &str| {
            value
                .as_bytes()
                .get(..prefix.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        self.prefixes.iter().find(|(prefix, _)| begins(prefix)).map(|(_, text)| text)
    }
}

/// Orders texts, ASCII case aside.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    left.bytes().map(lower).cmp(right.bytes().map(lower))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_keys_come_before_prefixes_and_case_does_not_count() {
        let pairs = [("Warning", "3"), ("err*", "4"), ("error", "5"), ("2*", "1")];
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let map = ValueMap::new(0, "level", pairs.into_iter());
        let get = |value| map.get(value).map(|text| &**text);
        assert_eq!(get("WARNING"), Some("3"));
        assert_eq!(get("Error"), Some("5"));
        assert_eq!(get("errors"), Some("4"));
        assert_eq!(get("204"), Some("1"));
        assert_eq!(get("debug"), None);
    }
}

//! Where a rule's field is found in the events of another source, and how its value is made.

/// A field made from others. Each step is optional; they are done in this order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Derivation {
    /// The fields it is made from; all must be there and have a text.
    pub from: Vec<String>,
    /// What stands between them.
    pub with: String,
    /// Beginnings to replace, without case; the first that fits counts.
    pub prefixes: Vec<(String, String)>,
    /// Whole values to replace, without case.
    pub values: Vec<(String, String)>,
    /// A text before the value.
    pub before: String,
}

impl Derivation {
    /// True where the value is just that of another field.
    pub fn is_rename(&self) -> bool {
        *self == Self { from: self.from.clone(), ..Self::default() } && self.from.len() == 1
    }

    /// Makes the value from the joined text of the fields.
    pub fn make(&self, joined: &str, out: &mut String) {
        if let Some((_, value)) =
            self.values.iter().find(|(from, _)| from.eq_ignore_ascii_case(joined))
        {
            out.push_str(value);
            return;
        }
        out.push_str(&self.before);
        let replaced = self.prefixes.iter().find_map(|(prefix, by)| {
            let start = joined.get(..prefix.len())?;
            start.eq_ignore_ascii_case(prefix).then_some((by, &joined[prefix.len()..]))
        });
        match replaced {
            Some((by, rest)) => {
                out.push_str(by);
                out.push_str(rest);
            }
            None => out.push_str(joined),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_values_are_replaced_without_case() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let derivation = Derivation {
            from: vec!["x".into()],
            prefixes: vec![pair(r"\REGISTRY\MACHINE\", r"HKLM\")],
            values: vec![pair("%%1904", "CreateKey")],
            ..Derivation::default()
        };
        for (text, expected) in [
            (r"\registry\machine\Software", r"HKLM\Software"),
            (r"\REGISTRY\USER", r"\REGISTRY\USER"),
            ("%%1904", "CreateKey"),
            ("é", "é"),
        ] {
            let mut out = String::new();
            derivation.make(text, &mut out);
            assert_eq!(out, expected);
        }
        assert!(!derivation.is_rename());
        assert!(Derivation { from: vec!["x".into()], ..Derivation::default() }.is_rename());
    }
}

//! Numbers as rules and events write them.

use std::cmp::Ordering;

/// A number, exact where it is an integer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Integer(i128),
    Real(f64),
}

impl Number {
    /// Reads a decimal number from an event's or a rule's text.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        // Most texts are no numbers; this spares them the parsers. It also keeps out `inf`.
        let first = *text.as_bytes().first()?;
        if !(first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.')) {
            return None;
        }
        if let Ok(integer) = text.parse() {
            return Some(Self::Integer(integer));
        }
        let real: f64 = text.parse().ok()?;
        real.is_finite().then_some(Self::Real(real))
    }

    /// Reads a number as YAML writes it, also in hexadecimal and octal.
    pub fn read_yaml(text: &str) -> Option<Self> {
        let based = |digits, base| i128::from_str_radix(digits, base).ok().map(Self::Integer);
        if let Some(digits) = text.strip_prefix("0x") {
            return based(digits, 16);
        }
        if let Some(digits) = text.strip_prefix("0o") {
            return based(digits, 8);
        }
        Self::read(text)
    }

    /// How this number compares with another.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(&b)),
            _ => self.real().partial_cmp(&other.real()),
        }
    }

    /// True for the same number, however spelt.
    pub fn equals(self, other: Self) -> bool {
        Comparison::Equal.holds(self, other)
    }

    #[allow(clippy::cast_precision_loss, reason = "an integer meets a real number")]
    /// The nearest real number.
    pub fn real(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Real(real) => real,
        }
    }
}

/// How a value must compare with the rule's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// True where `value` stands so to `bound`.
    pub fn holds(self, value: Number, bound: Number) -> bool {
        let Some(order) = value.compare(bound) else { return false };
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value_and_integers_exactly() {
        let number = |text| Number::read(text).unwrap();
        assert_eq!(number("04624").compare(number("4624.0")), Some(Ordering::Equal));
        let (a, b) = (number("9007199254740993"), number("9007199254740992"));
        assert!(Comparison::Greater.holds(a, b));
        for text in ["", "abc", "inf", "nan", "1e999", "0x10", "1 2", "-"] {
            assert_eq!(Number::read(text), None, "{text}");
        }
        assert_eq!(Number::read_yaml("0x1410"), Some(Number::Integer(0x1410)));
    }
}

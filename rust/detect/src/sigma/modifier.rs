//! The modifiers that Sigma has, by name.

use super::encode::Utf16;
use super::number::Comparison;
use super::time_part::TimePart;

/// What stands after `|` in the key of a detection item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Modifier {
    All,
    Neq,
    Contains,
    StartsWith,
    EndsWith,
    Re,
    IgnoreCase,
    MultiLine,
    DotAll,
    Base64,
    Base64Offset,
    Utf16(Utf16),
    WinDash,
    Cidr,
    Exists,
    Cased,
    Expand,
    FieldRef,
    Compare(Comparison),
    Time(TimePart),
}

/// Every name, also the long ones of the flags.
pub(crate) const MODIFIERS: &[(&str, Modifier)] = &[
    ("all", Modifier::All),
    ("base64", Modifier::Base64),
    ("base64offset", Modifier::Base64Offset),
    ("cased", Modifier::Cased),
    ("cidr", Modifier::Cidr),
    ("contains", Modifier::Contains),
    ("day", Modifier::Time(TimePart::Day)),
    ("dotall", Modifier::DotAll),
    ("endswith", Modifier::EndsWith),
    ("exists", Modifier::Exists),
    ("expand", Modifier::Expand),
    ("fieldref", Modifier::FieldRef),
    ("gt", Modifier::Compare(Comparison::Greater)),
    ("gte", Modifier::Compare(Comparison::GreaterOrEqual)),
    ("hour", Modifier::Time(TimePart::Hour)),
    ("i", Modifier::IgnoreCase),
    ("ignorecase", Modifier::IgnoreCase),
    ("lt", Modifier::Compare(Comparison::Less)),
    ("lte", Modifier::Compare(Comparison::LessOrEqual)),
    ("m", Modifier::MultiLine),
    ("minute", Modifier::Time(TimePart::Minute)),
    ("month", Modifier::Time(TimePart::Month)),
    ("multiline", Modifier::MultiLine),
    ("neq", Modifier::Neq),
    ("re", Modifier::Re),
    ("s", Modifier::DotAll),
    ("startswith", Modifier::StartsWith),
    ("utf16", Modifier::Utf16(Utf16::Marked)),
    ("utf16be", Modifier::Utf16(Utf16::Big)),
    ("utf16le", Modifier::Utf16(Utf16::Little)),
    ("week", Modifier::Time(TimePart::Week)),
    ("wide", Modifier::Utf16(Utf16::Little)),
    ("windash", Modifier::WinDash),
    ("year", Modifier::Time(TimePart::Year)),
];

impl Modifier {
    /// The modifier of that name.
    pub fn named(name: &str) -> Option<Self> {
        MODIFIERS.iter().find(|(known, _)| *known == name).map(|(_, modifier)| *modifier)
    }

    /// The (first) name of the modifier, for messages.
    pub fn name(self) -> &'static str {
        MODIFIERS.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_unique() {
        assert!(MODIFIERS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(Modifier::named("utf16le"), Modifier::named("wide"));
        assert_eq!(Modifier::named("Contains"), None);
    }
}

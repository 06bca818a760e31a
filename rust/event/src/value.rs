//! A field's value: its text as the source wrote it, and what kind of thing the source said it is.

/// What the source said a value is. The numbers are stored in `unmapped.kind` and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i8)]
pub enum Kind {
    /// The source said "no value" (JSON `null`).
    Null = 0,
    /// Text.
    String = 1,
    /// A number; the text is the source's own spelling, so no digit is lost.
    Number = 2,
    /// `true` or `false`.
    Boolean = 3,
    /// A list without elements. Kept so that nothing is lost; it has no value to match.
    EmptyList = 4,
    /// An object without members. Kept so that nothing is lost; it has no value to match.
    EmptyObject = 5,
}

impl Kind {
    /// The kind stored under a number, if there is one.
    pub fn from_i8(number: i8) -> Option<Self> {
        Some(match number {
            0 => Self::Null,
            1 => Self::String,
            2 => Self::Number,
            3 => Self::Boolean,
            4 => Self::EmptyList,
            5 => Self::EmptyObject,
            _ => return None,
        })
    }

    /// True where there is a text to compare: a string, a number or a boolean.
    pub fn has_text(self) -> bool {
        matches!(self, Self::String | Self::Number | Self::Boolean)
    }
}

/// One value of one field, borrowed from its record or batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    /// The text: as written for strings (unescaped) and numbers, `true`/`false`, else empty.
    pub text: &'a str,
    /// What the source said it is.
    pub kind: Kind,
}

impl<'a> Value<'a> {
    /// A text value.
    pub fn string(text: &'a str) -> Self {
        Self { text, kind: Kind::String }
    }

    /// The value as an integer, if its text is one.
    pub fn as_i64(self) -> Option<i64> {
        self.text.trim().parse().ok()
    }

    /// The value as a number, if its text is a finite one.
    pub fn as_f64(self) -> Option<f64> {
        self.text.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }
}

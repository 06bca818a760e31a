//! A small language for prose: which parts of a sentence are values.
//!
//! ```text
//! Failed password for [invalid user ]{user:to_last} from {src_ip:ip} port {src_port:int}[ {protocol:word}]
//! ```
//!
//! | written | means |
//! |---|---|
//! | text | itself, byte for byte |
//! | `{name}` | a value: ends before the first place where what follows can begin; at the end of the pattern, takes all that is left |
//! | `{name:to_last}` | the same, but ends before the *last* such place where the rest fits: for what a stranger chooses, such as a user name, so that he cannot forge the rest of the sentence |
//! | `{name:word}` | a run of anything but white space, not empty |
//! | `{name:name}` | letters, digits and `_ - . /`, not empty |
//! | `{name:int}` | digits, perhaps with a sign; becomes a number |
//! | `{name:ip}` | an IPv4 or IPv6 address |
//! | `{name:host}` | a host name or an address: letters, digits and `. _ - : %` |
//! | `[…]` | may be left out; begins with text; may hold others, at most four levels |
//! | `\` | takes the next of `{ } [ ] \` as text |
//!
//! # Meaning
//!
//! A pattern fits the whole text, white space at both ends aside. It is read once from left to
//! right: a value takes its part as the table says and never gives any back; an optional part is
//! tried once where it stands and left out where it does not fit. Only `to_last` tries again, from
//! the last eight places backwards, and a pattern may have but two of them. So the time is linear
//! in the text. "What follows" a value are the text behind it and the first texts of the optional parts
//! in between; that is why two values may not touch unless the first of them has a type that
//! knows its own end.
//!
//! A value that turns out empty adds no field. Of a list of patterns the first that fits wins;
//! [`PatternSet`] tries only those whose first byte is right.

mod matcher;
mod syntax;

use std::ops::Range;

use bigsec_event::Kind;

pub use matcher::Pattern;
pub use syntax::PatternError;

/// A value found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// Which of the names of the pattern.
    pub name: usize,
    /// Where in the text.
    pub range: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// Patterns of which the first that fits wins.
#[derive(Debug)]
pub struct PatternSet {
    patterns: Vec<Pattern>,
    /// For each first byte the patterns that can begin with it, in their order.
    by_first: Vec<Vec<u16>>,
}

impl PatternSet {
    /// A set of patterns in their order of preference.
    pub fn new(patterns: Vec<Pattern>) -> Self {
        let candidates = |byte: u8| {
            let can = |pattern: &Pattern| pattern.first_byte().is_none_or(|first| first == byte);
            (0..patterns.len()).filter(|at| can(&patterns[*at])).map(|at| at as u16).collect()
        };
        let by_first = (0..=u8::MAX).map(candidates).collect();
        Self { patterns, by_first }
    }

    /// Finds the first pattern that fits; its values are left in `captures`.
    pub fn find(&self, text: &str, captures: &mut Vec<Capture>) -> Option<usize> {
        let first = text.trim_start().bytes().next()?;
        let mut candidates = self.by_first[usize::from(first)].iter().map(|at| usize::from(*at));
        candidates.find(|at| self.patterns[*at].fits(text, captures))
    }

    /// The pattern at `index`.
    pub fn get(&self, index: usize) -> &Pattern {
        &self.patterns[index]
    }
}

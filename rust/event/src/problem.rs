//! What is wrong with an input, where, and the mend: one shape for rules, packs, files and lines.

use std::fmt;

use crate::Code;

/// Where a problem stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Place {
    /// The file, as the user named it; empty where the input has no name.
    pub file: String,
    /// Line, from 1; 0 where unknown.
    pub line: u32,
    /// Column in characters, from 1; 0 where unknown.
    pub column: u32,
    /// How many characters the fault spans on that line; 0 where unknown.
    pub length: u32,
}

/// One fault of an input. Input is never refused in silence: each fault becomes one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which kind of fault.
    pub code: &'static Code,
    /// What happened to which thing, with the value that failed.
    pub message: String,
    /// Where.
    pub place: Place,
    /// The one thing to do about it; empty where there is none to name.
    pub mend: String,
    /// The line of the input that is at fault, at most 200 characters; empty where unknown.
    pub excerpt: String,
}

impl Problem {
    /// A fault without a place yet.
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            place: Place::default(),
            mend: String::new(),
            excerpt: String::new(),
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, line: u32, column: u32, length: u32) -> Self {
        self.place.line = line;
        self.place.column = column;
        self.place.length = length;
        self
    }

    /// Says in which file.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.place.file = file.into();
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = mend.into();
        self
    }

    /// Takes the line at fault from the whole text of the input.
    #[must_use]
    pub fn excerpt_from(mut self, text: &str) -> Self {
        if let Some(line) = (self.place.line as usize).checked_sub(1) {
            let line = text.lines().nth(line).unwrap_or_default();
            self.excerpt = line.chars().take(200).collect();
        }
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, column, .. } = &self.place;
        if !file.is_empty() {
            write!(f, "{file}:")?;
        }
        if *line > 0 {
            write!(f, "{line}:{column}: ")?;
        } else if !file.is_empty() {
            write!(f, " ")?;
        }
        write!(f, "{}: {}", self.code.number, self.message)?;
        if !self.mend.is_empty() {
            write!(f, " ({})", self.mend)?;
        }
        Ok(())
    }
}

//! What was found damaged, in words and numbers.

use std::path::PathBuf;

use bigsec_event::{Problem, codes};

/// What opening a log found and did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// The log is new.
    pub created: bool,
    /// Bytes above the watermark that a crash had torn; they were never acknowledged.
    pub cut_bytes: u64,
    /// Intact records above the watermark. They were kept.
    pub adopted: u64,
    /// What was damaged.
    pub damage: Vec<Damage>,
    /// Files that were moved to `damaged/`, by their new paths.
    pub moved: Vec<PathBuf>,
}

/// One damaged place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Number of the segment, if it is in one.
    pub segment: Option<u64>,
    /// Offset in the segment's file.
    pub offset: Option<u64>,
    /// First lost or doubtful record.
    pub first: u64,
    /// One after the last; equal to `first` where no record is lost.
    pub end: u64,
    /// What is damaged.
    pub what: DamageKind,
    /// What was seen.
    pub detail: String,
}

/// What is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageKind {
    /// Bytes of a segment cannot be read as frames.
    Unreadable,
    /// Records that were flushed are gone.
    Missing,
    /// The records do not make the root that was kept for them.
    Root,
    /// The header of a segment, or one of its copies.
    Header,
    /// The watermark.
    Watermark,
    /// The file of signed notes.
    Checkpoints,
    /// The file that says what log it is.
    LogFile,
    /// A segment of another log.
    Foreign,
}

impl DamageKind {
    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Missing => "missing",
            Self::Root => "root",
            Self::Header => "header",
            Self::Watermark => "watermark",
            Self::Checkpoints => "checkpoints",
            Self::LogFile => "log_file",
            Self::Foreign => "foreign",
        }
    }
}

impl Damage {
    /// Damage outside segments.
    pub(crate) fn of(what: DamageKind, at: u64, detail: impl Into<String>) -> Self {
        Self { segment: None, offset: None, first: at, end: at, what, detail: detail.into() }
    }

    /// For people.
    pub fn problem(&self) -> Problem {
        let mut text = self.detail.clone();
        if let Some(segment) = self.segment {
            text = format!("segment {segment}: {text}");
        }
        if let Some(offset) = self.offset {
            text = format!("{text} (at byte {offset})");
        }
        if self.first < self.end {
            text = format!("{text}; records {} to {} are lost", self.first, self.end - 1);
        }
        Problem::new(codes::LOG_DAMAGED, text)
    }
}

//! What a verification found, and where.

use std::fmt;

use serde::Serialize;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing that was acknowledged is in doubt.
    Notice,
    /// Something that was acknowledged cannot be read, as after a broken disk.
    Damage,
    /// Whole and well-formed, but not what was signed or chained: somebody changed it.
    Tamper,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Bytes above the last commit that a crash left behind; they were never acknowledged.
    TornTail,
    /// Records of a failed flush, which stand again in the next segment.
    VoidFrames,
    /// A segment that another follows was not ended, as after a failed flush.
    NotEnded,
    /// A segment stands there both as written and sealed, with the same records.
    HalfSealed,
    /// Something in the folder that is no part of a log.
    StrangeFile,
    /// Files were moved to `damaged/` by an earlier recovery.
    SetAside,
    /// `log.json` is missing or unreadable; it is a cache.
    LogFile,
    /// A slot of the watermark, or all of it, is missing or unreadable.
    Watermark,
    /// The last checkpoint was not written to its end.
    TornNote,
    /// No key was given, so no signature was checked.
    KeysNotPinned,
    /// A record cannot be read.
    Record,
    /// A frame that holds no record cannot be read.
    Frame,
    /// Bytes that are no frame stand where frames should.
    Gap,
    /// A segment's header, or one copy of it, cannot be read.
    Header,
    /// A block of a sealed segment cannot be read; parity may have made it whole again.
    Block,
    /// Acknowledged records are missing at the end of the log or of a segment.
    Truncated,
    /// Records that the log itself tells were lost to damage.
    Lost,
    /// The file could not be read at all.
    Unreadable,
    /// A checkpoint in `checkpoints` cannot be read.
    Note,
    /// Records are missing between two whole frames.
    Missing,
    /// A sequence comes twice, or too early.
    Repeated,
    /// A segment is missing and no record tells of its deletion.
    SegmentMissing,
    /// Records were deleted before 183 days, and two people did not approve.
    EarlyDeletion,
    /// A segment begins before the one in front of it ends.
    SegmentOverlap,
    /// A segment, note or watermark of another log.
    OtherLog,
    /// The records are not those whose root the commit names.
    Root,
    /// A segment does not go on from the tree of the one before.
    Chain,
    /// The copies of a segment as written and as sealed differ.
    CopiesDiffer,
    /// A checkpoint was signed by a key that is not of this log, or not any more.
    WrongKey,
    /// A checkpoint's text is not what its key signed.
    Signature,
    /// The records are not those that a checkpoint of this log names.
    Checkpoint,
    /// Checkpoints are missing that must be there.
    CheckpointMissing,
    /// The records are not those of a checkpoint that was kept elsewhere.
    Rewritten,
    /// The log is older than a checkpoint that was kept elsewhere.
    RolledBack,
}

impl Kind {
    /// The name under which it stands in reports.
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// One thing that does not hold, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// How grave.
    pub severity: Severity,
    /// Number of the segment.
    pub segment: Option<u64>,
    /// Name of the file in the log's folder; empty where it concerns the whole.
    pub file: String,
    /// Offset in the file.
    pub offset: Option<u64>,
    /// First record that is missing or in doubt.
    pub first: u64,
    /// End of that range, exclusive; equal to `first` where no record is in doubt.
    pub end: u64,
    /// What happened, in a sentence.
    pub what: String,
    /// The one thing to do about it.
    pub mend: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Notice => "notice",
            Severity::Damage => "damage",
            Severity::Tamper => "tamper",
        };
        write!(f, "{severity} {}", self.kind)?;
        if !self.file.is_empty() {
            write!(f, " {}", self.file)?;
        }
        if let Some(offset) = self.offset {
            write!(f, " at byte {offset}")?;
        }
        if self.first < self.end {
            write!(f, " records {}..{}", self.first, self.end)?;
        }
        write!(f, ": {}", self.what)?;
        if self.mend.is_empty() { Ok(()) } else { write!(f, " ({})", self.mend) }
    }
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing graver than a notice was found.
    pub ok: bool,
    /// Name of the log.
    pub name: String,
    /// Its id, in hexadecimal digits.
    pub id: String,
    /// The first record still kept.
    pub first: u64,
    /// One after the last record.
    pub size: u64,
    /// Records that were read and hashed.
    pub records: u64,
    /// Bytes of these records.
    pub bytes: u64,
    /// Segments.
    pub segments: u64,
    /// Root of the tree over all records, in hexadecimal digits; empty where damage hides it.
    pub root: String,
    /// Size at the newest checkpoint in the log that holds.
    pub checkpoint: Option<u64>,
    /// The key that signs now; `None` where no key was given or none holds.
    pub key: Option<String>,
    /// Up to this sequence a rewrite by whoever holds machine and key would be caught, because
    /// a checkpoint given from outside covers it. `None` where none was given that holds.
    pub caught_from: Option<u64>,
    /// What does not hold, in order of place.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Findings of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// The report as one JSON object.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("a report has only keys that are text")
    }
}

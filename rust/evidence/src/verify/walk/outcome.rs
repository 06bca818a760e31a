//! What a segment's walk is asked, and what it tells.

use std::collections::BTreeMap;

use crate::hash::Hash;
use crate::tree::Frontier;
use crate::verify::report::Finding;

/// What is asked of a segment's walk.
pub(in crate::verify) struct Task<'a> {
    /// Number of the segment.
    pub number: u64,
    /// Name of the file that is read.
    pub file: &'a str,
    /// First sequence.
    pub first: u64,
    /// The tree before the first, where the header could be read.
    pub tree: Option<Frontier>,
    /// First sequence of the next segment: what is not below is void.
    pub limit: Option<u64>,
    /// Sizes at which the root is wanted, sorted.
    pub sizes: &'a [u64],
}

/// Unreadable bytes at the end of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tail {
    pub offset: u64,
    pub fault: &'static str,
    /// It looks like what a crash or a failed write leaves behind.
    pub torn: bool,
}

/// What a segment held.
#[derive(Debug, Default)]
pub(in crate::verify) struct Outcome {
    /// The tree after the last record; `None` where damage hides it.
    pub tree: Option<Frontier>,
    /// One after the last record, read or lost, in or out of a commit.
    pub next: u64,
    /// One after the last record under a commit.
    pub committed: u64,
    /// Where that commit ends, by offset in the segment as written.
    pub committed_offset: u64,
    /// The same of the commit before, which was flushed before the last was written.
    pub proven: u64,
    pub proven_offset: u64,
    /// Whether the frame was met that ends a segment.
    pub ended: bool,
    /// Whether frames of a failed flush were met.
    pub void: bool,
    /// Whether the frame that ends the segment counts more records than stand before the next.
    pub overlap: bool,
    /// Unreadable bytes at the end.
    pub tail: Option<Tail>,
    /// Records that were read.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Roots at the wanted sizes, as far as they are known.
    pub roots: BTreeMap<u64, Hash>,
    /// Ranges that *lost* frames name.
    pub lost: Vec<(u64, u64)>,
    /// Bodies of the records of the log itself, which tell of deletions.
    pub own: Vec<Vec<u8>>,
    /// What does not hold.
    pub findings: Vec<Finding>,
    /// How many more there were.
    pub unlisted: u64,
}

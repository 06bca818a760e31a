//! What a stretch of the log comes to.

use arrow_array::RecordBatch;

use super::account::SourceLedger;
use crate::brake::Braked;

/// Records that cannot be read any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostRange {
    /// The first of them.
    pub first: u64,
    /// The one after the last.
    pub end: u64,
    /// Why.
    pub what: String,
}

/// What the records of `[first, next)` come to. Chunks follow one another without a gap.
#[derive(Debug)]
pub struct Chunk {
    /// The signals, in the order of their events.
    pub signals: RecordBatch,
    /// The events that the signals speak of, each once, with their text.
    pub events: RecordBatch,
    /// Signals that were not given since their rule floods.
    pub braked: Vec<Braked>,
    /// All events, where they were asked for.
    pub every: Option<RecordBatch>,
    /// What became of the records, by source.
    pub ledgers: Vec<SourceLedger>,
    /// Records of the range that are lost; they stand in no ledger.
    pub lost: Vec<LostRange>,
    /// The first sequence.
    pub first: u64,
    /// The first sequence after it.
    pub next: u64,
}

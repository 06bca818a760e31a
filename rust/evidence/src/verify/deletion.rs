//! The log's own records that tell of deleted segments.

use crate::record::Record;

/// What such a record tells.
pub(super) struct Deletion {
    /// One after the last record of the segment.
    pub end: u64,
    /// The root over all records before that, in hexadecimal digits; empty where it was not known.
    pub root: String,
}

/// Reads a record of the log's own source; `None` where it tells of something else.
pub(super) fn parse_deletion(record: &[u8]) -> Option<Deletion> {
    let record = Record::decode(record)?;
    let told: serde_json::Value = serde_json::from_slice(record.payload).ok()?;
    if told["event"] != "segment deleted" {
        return None;
    }
    let root = told["root"].as_str().unwrap_or_default().to_owned();
    Some(Deletion { end: told["end"].as_u64()?, root })
}

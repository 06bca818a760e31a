//! The log's own records that tell of deleted segments.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Hash;
use crate::record::Record;

/// What such a record tells.
pub(super) struct Deletion {
    /// One after the last record of the segment.
    pub end: u64,
    /// The root over all records before that; `None` where it was not known.
    pub root: Option<Hash>,
}

/// Reads a record of the log's own source; `None` where it tells of something else.
pub(super) fn parse_deletion(record: &[u8]) -> Option<Deletion> {
    let record = Record::decode(record)?;
    let told: serde_json::Value = serde_json::from_slice(record.payload).ok()?;
    if told["event"] != "segment deleted" {
        return None;
    }
    let root = told["root"].as_str().and_then(|text| STANDARD.decode(text).ok());
    let root = root.and_then(|bytes| Hash::try_from(bytes).ok());
    Some(Deletion { end: told["end"].as_u64()?, root })
}

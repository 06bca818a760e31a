//! The log's own records that tell of deleted segments.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::approval::Approval;
use crate::hash::Hash;
use crate::record::Record;

/// What such a record tells.
pub(super) struct Deletion {
    /// One after the last record of the segment.
    pub end: u64,
    /// The root over all records before that; `None` where it was not known.
    pub root: Option<Hash>,
    /// How long its records had been kept, in seconds.
    pub kept_s: u64,
    /// The approvals of an early deletion.
    pub approvals: Vec<Approval>,
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
    let approvals = told["approvals"].as_array().into_iter().flatten();
    let approvals = approvals.filter_map(|text| Approval::parse(text.as_str()?.as_bytes()).ok());
    Some(Deletion {
        end: told["end"].as_u64()?,
        root,
        kept_s: told["kept_s"].as_u64().unwrap_or(0),
        approvals: approvals.collect(),
    })
}

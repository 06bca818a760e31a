//! The log's own records that tell of deleted segments.

use crate::record::Record;

/// One after the last record of the segment whose deletion this record of the log tells of.
pub(super) fn deletion_end(record: &[u8]) -> Option<u64> {
    let record = Record::decode(record)?;
    let told: serde_json::Value = serde_json::from_slice(record.payload).ok()?;
    told["end"].as_u64()
}

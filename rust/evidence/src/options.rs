//! How a log is written.

use std::time::Duration;

use crate::keys::Signer;

/// How a log is written.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Name of the log.
    pub name: String,
    /// A segment that has grown to this many bytes is ended.
    pub segment_bytes: u64,
    /// So is one that is this old, in µs, by a clock that does not jump.
    pub segment_age_us: i64,
    /// Id for a new log, for tests; otherwise random.
    pub new_id: Option<[u8; 16]>,
    /// Signs the checkpoints.
    pub signer: Option<Signer>,
    /// Space kept back for audit records and checkpoints.
    pub reserve_bytes: u64,
    /// Space that is to stay free on the disk.
    pub min_free_bytes: u64,
    /// A longer payload is cut, and marked so.
    pub record_bytes_max: usize,
    /// How long the watermark may be behind what is flushed. At zero each commit brings it.
    pub mark_interval: Duration,
}

impl LogOptions {
    /// The usual options for a log of this name.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            segment_bytes: 256 << 20,
            segment_age_us: 3_600_000_000,
            new_id: None,
            signer: None,
            reserve_bytes: 0,
            min_free_bytes: 0,
            record_bytes_max: 64 << 20,
            mark_interval: Duration::ZERO,
        }
    }

    /// Id of the signing key as segment headers have it.
    pub(crate) fn key_id(&self) -> u64 {
        self.signer.as_ref().map_or(0, |signer| u64::from_le_bytes(signer.verifier().id()))
    }
}

//! What a source counts while it runs.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use serde::Serialize;

/// Counters of one source. All but `connections` only ever grow.
#[derive(Debug, Default)]
pub struct Meters {
    /// Connections, or files followed, at present.
    pub connections: AtomicU64,
    /// Connections taken.
    pub accepted: AtomicU64,
    /// Connections turned away, by reason.
    pub refused: Refused,
    /// Connections closed while idle, to make room for new ones.
    pub evicted: AtomicU64,
    /// Connections closed because they said nothing for too long.
    pub timed_out: AtomicU64,
    /// Records handed to the log.
    pub records: AtomicU64,
    /// Bytes of those records.
    pub bytes: AtomicU64,
    /// Records that are not whole.
    pub cut: AtomicU64,
    /// Records that go on with the one before them.
    pub continued: AtomicU64,
    /// Records that their sender may have sent before.
    pub doubles: AtomicU64,
    /// Datagrams that the system dropped before they could be taken.
    pub kernel_drops: AtomicU64,
    /// Buffer that the system grants a source of datagrams.
    pub receive_buffer_bytes: AtomicU64,
    /// Faults of what senders sent, of files and of the network.
    pub errors: AtomicU64,
    /// When the last record came, µs since 1970 UTC; 0 before the first.
    pub last_received_us: AtomicI64,
}

/// Connections turned away.
#[derive(Debug, Default)]
pub struct Refused {
    /// The source had as many as it may have.
    pub full: AtomicU64,
    /// The address had as many as it may have.
    pub address_full: AtomicU64,
    /// The process had no descriptor left for it.
    pub descriptors: AtomicU64,
    /// The TLS handshake failed or took too long.
    pub handshake: AtomicU64,
    /// The token was missing or wrong.
    pub token: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "each field is described at `Meters`")]
pub struct Reading {
    pub connections: u64,
    pub accepted: u64,
    pub refused_full: u64,
    pub refused_address_full: u64,
    pub refused_descriptors: u64,
    pub refused_handshake: u64,
    pub refused_token: u64,
    pub evicted: u64,
    pub timed_out: u64,
    pub records: u64,
    pub bytes: u64,
    pub cut: u64,
    pub continued: u64,
    pub doubles: u64,
    pub kernel_drops: u64,
    pub receive_buffer_bytes: u64,
    pub errors: u64,
    pub last_received_us: i64,
}

impl Meters {
    /// Reads all counters.
    pub fn read(&self) -> Reading {
        Reading {
            connections: self.connections.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            refused_full: self.refused.full.load(Relaxed),
            refused_address_full: self.refused.address_full.load(Relaxed),
            refused_descriptors: self.refused.descriptors.load(Relaxed),
            refused_handshake: self.refused.handshake.load(Relaxed),
            refused_token: self.refused.token.load(Relaxed),
            evicted: self.evicted.load(Relaxed),
            timed_out: self.timed_out.load(Relaxed),
            records: self.records.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            cut: self.cut.load(Relaxed),
            continued: self.continued.load(Relaxed),
            doubles: self.doubles.load(Relaxed),
            kernel_drops: self.kernel_drops.load(Relaxed),
            receive_buffer_bytes: self.receive_buffer_bytes.load(Relaxed),
            errors: self.errors.load(Relaxed),
            last_received_us: self.last_received_us.load(Relaxed),
        }
    }

    /// Counts one more of something.
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }
}

//! The accounts of all sources since the daemon started.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::account::SourceLedger;
use super::locked;

/// What became of a source's records since the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Total {
    pub received: u64,
    pub parsed: u64,
    pub unparsed: u64,
    pub quarantined: u64,
    pub events: u64,
    pub doubles: u64,
    pub bytes: u64,
    pub last_received_us: i64,
    pub clock_skew_us: Option<i64>,
}

/// The accounts of all sources since the start.
#[derive(Debug, Default)]
pub(super) struct Totals(Mutex<BTreeMap<Arc<str>, Total>>);

impl Totals {
    /// Adds the accounts of a chunk.
    pub fn add(&self, ledgers: &[SourceLedger]) {
        let mut totals = locked(&self.0);
        for ledger in ledgers {
            let total = totals.entry(Arc::clone(&ledger.source)).or_default();
            total.received += ledger.received;
            total.parsed += ledger.parsed;
            total.unparsed += ledger.unparsed;
            total.quarantined += ledger.quarantined;
            total.events += ledger.events;
            total.doubles += ledger.doubles;
            total.bytes += ledger.bytes;
            total.last_received_us = ledger.last_received_us;
            total.clock_skew_us = ledger.clock_skew_us().or(total.clock_skew_us);
        }
    }

    /// A copy by source.
    pub fn get(&self) -> BTreeMap<Arc<str>, Total> {
        locked(&self.0).clone()
    }
}

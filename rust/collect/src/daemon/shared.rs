//! What the daemon's threads have in common.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bigsec_evidence::clock::Clock;
use bigsec_evidence::storage::Storage;

use super::consumer::Control;
use super::durable::DurableSize;
use super::health::Health;
use super::keeper::Keeper;
use super::locked;
use super::positions::Positions;
use super::totals::Totals;
use crate::source::{DescriptorStore, Meters};

/// The doors to files, time and the service manager.
#[derive(Clone)]
pub struct Doors {
    /// Who holds connections beyond the end of this process, if somebody does.
    pub store: Option<Arc<DescriptorStore>>,
    /// Files.
    pub storage: Arc<dyn Storage>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// What is known of the log beside its durable size.
#[derive(Debug, Clone, Default)]
pub(super) struct LogView {
    /// The first record still kept.
    pub first: u64,
    /// Segments.
    pub segments: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Records under the last checkpoint, and when it was made.
    pub checkpoint: Option<(u64, i64)>,
    /// Segments sealed and deleted since the start.
    pub sealed: u64,
    pub deleted: u64,
    /// What was found when it was opened.
    pub torn_bytes: u64,
    pub adopted: u64,
    pub damage: Vec<String>,
}

/// What the writer counts.
#[derive(Debug, Default)]
pub(super) struct WriterMeters {
    /// Groups flushed.
    pub groups: AtomicU64,
    /// Bytes of the records flushed.
    pub bytes: AtomicU64,
    /// Flushes that failed.
    pub failures: AtomicU64,
    /// Time spent in flushes, and in the last one, µs.
    pub flush_us: AtomicU64,
    pub last_flush_us: AtomicU64,
    /// Batches that wait in the queue.
    pub queued: AtomicUsize,
}

impl WriterMeters {
    pub fn count(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }
}

/// What the daemon's threads have in common.
pub(super) struct Shared {
    pub name: String,
    pub log_id: [u8; 16],
    /// Folder of all that the daemon keeps, and that of the log in it.
    pub data: PathBuf,
    pub folder: PathBuf,
    pub started_us: i64,
    pub doors: Doors,
    pub health: Health,
    pub durable: DurableSize,
    pub log: Mutex<LogView>,
    pub writer: WriterMeters,
    pub keeper: Option<Arc<Keeper>>,
    pub positions: Mutex<Positions>,
    pub totals: Totals,
    pub consumer: Arc<Control>,
    pub sources: Mutex<BTreeMap<String, Arc<Meters>>>,
    pub gauges: Mutex<BTreeMap<String, f64>>,
}

impl Shared {
    /// Records that are durable and in no chunk yet.
    pub fn lag(&self) -> u64 {
        self.durable.get().saturating_sub(self.consumer.next.load(Ordering::Acquire))
    }

    /// The counters of the sources that run.
    pub fn source_meters(&self) -> BTreeMap<String, Arc<Meters>> {
        locked(&self.sources).clone()
    }

    /// A change of what is known of the log.
    pub fn view(&self, change: impl FnOnce(&mut LogView)) {
        change(&mut locked(&self.log));
    }
}

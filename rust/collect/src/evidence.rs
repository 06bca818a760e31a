//! The evidence of a scan: its records, in a log beside its results.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use bigsec_event::Problem;
use bigsec_evidence::{LogError, LogOptions, LogReader, LogWriter, Next, Record};

use crate::clock::SystemClock;
use crate::storage::Disk;

/// Name of the log of a scan. Several scans into one folder go on with the same log.
const NAME: &str = "scan";

/// An evidence log that the records of a scan go to, unsigned, each under the id of its event.
pub struct Evidence {
    log: LogWriter,
    all: bool,
    /// The record seen last, where not all are kept.
    last: Vec<u8>,
    before: Before,
}

/// What earlier scans kept: of each record a hash of its id and bytes, in order, 8 bytes each.
///
/// The bytes count too, since a line that was unfinished has the id of the whole one, and so has a
/// line that was changed in place. The hash has a secret key, so that no sender can make records
/// that pass for others.
struct Before {
    key: RandomState,
    kept: Vec<u64>,
}

impl Before {
    fn read(folder: &Path) -> Result<Self, LogError> {
        let mut before = Self { key: RandomState::new(), kept: Vec::new() };
        let mut log = LogReader::open(Arc::new(Disk), folder)?;
        let end = log.durable_size()?;
        let mut cursor = log.at(log.first()?)?;
        while let Some(next) = cursor.next(end)? {
            if let Next::Record { record, .. } = next {
                before.kept.push(before.hash(&record));
            }
        }
        before.kept.sort_unstable();
        Ok(before)
    }

    fn hash(&self, record: &Record<'_>) -> u64 {
        self.key.hash_one((record.id, record.flags.0 & 3, record.payload))
    }

    fn has(&self, record: &Record<'_>) -> bool {
        !self.kept.is_empty() && self.kept.binary_search(&self.hash(record)).is_ok()
    }
}

impl Evidence {
    /// Opens the log in a folder, or makes one. `all` keeps all records, else those of signals.
    /// What the log has already is not kept again.
    pub fn open(folder: &Path, all: bool) -> Result<Self, Problem> {
        let options = LogOptions::new(NAME);
        LogWriter::open(Arc::new(Disk), Arc::new(SystemClock), folder, options)
            .and_then(|(log, _)| {
                Ok(Self { log, all, last: Vec::new(), before: Before::read(folder)? })
            })
            .map_err(|error| error.problem())
    }

    /// A record that was read.
    pub(crate) fn see(&mut self, record: &Record<'_>) {
        self.last.clear();
        if self.before.has(record) {
            return;
        }
        if self.all {
            self.log.append(record);
        } else {
            record.encode(&mut self.last);
        }
    }

    /// A signal speaks of the record seen last.
    pub(crate) fn keep_last(&mut self) {
        if let Some(record) = Record::decode(&self.last).filter(|_| !self.all) {
            self.log.append(&record);
            self.last.clear(); // another signal of it keeps nothing more
        }
    }

    /// Makes durable what was seen.
    pub(crate) fn commit(&mut self) -> Result<(), Problem> {
        if self.log.pending().0 == 0 {
            return Ok(());
        }
        self.log.commit().map(drop).map_err(|error| error.problem())
    }
}

//! The evidence of a scan: its records, in a log beside its results.

use std::path::Path;
use std::sync::Arc;

use bigsec_event::Problem;
use bigsec_evidence::{LogOptions, LogWriter, Record};

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
}

impl Evidence {
    /// Opens the log in a folder, or makes one. `all` keeps all records, else those of signals.
    pub fn open(folder: &Path, all: bool) -> Result<Self, Problem> {
        let options = LogOptions::new(NAME);
        LogWriter::open(Arc::new(Disk), Arc::new(SystemClock), folder, options)
            .map(|(log, _)| Self { log, all, last: Vec::new() })
            .map_err(|error| error.problem())
    }

    /// A record that was read.
    pub(crate) fn see(&mut self, record: &Record<'_>) {
        if self.all {
            self.log.append(record);
        } else {
            self.last.clear();
            record.encode(&mut self.last);
        }
    }

    /// A signal speaks of the record seen last.
    pub(crate) fn keep_last(&mut self) {
        if let Some(record) = Record::decode(&self.last).filter(|_| !self.all) {
            self.log.append(&record);
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

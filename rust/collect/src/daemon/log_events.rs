//! The events of a stretch of a log: for replay, for sinks, for whoever wants them all. Works beside
//! the daemon that writes the log.

use std::path::Path;
use std::sync::Arc;

use bigsec_event::{Problem, TimeBound};
use bigsec_evidence::storage::Storage;
use bigsec_parse::{PackSet, ParseOptions};

use super::chunk::Chunk;
use super::record_parser::{Parsing, SourceParsing};
use super::settings::Settings;
use super::walk::{Knowledge, Pace, Walk};
use crate::detector::Detection;

/// Which part of a log, and with what it is read.
pub struct LogQuery {
    /// The first sequence; `None` is the log's first.
    pub from: Option<u64>,
    /// One after the last sequence; `None` is all that is durable when it is asked.
    pub to: Option<u64>,
    /// Packs.
    pub packs: Arc<PackSet>,
    /// What to look for, where signals are wanted.
    pub detection: Option<Detection>,
    /// The settings whose sources say how to read their records; `None` finds it by record.
    pub settings: Option<Settings>,
    /// All events, not only those of signals.
    pub every: bool,
}

/// Reads a stretch of a log chunk by chunk.
pub struct LogEvents {
    walk: Walk,
    to: Option<u64>,
    durable: u64,
}

impl LogEvents {
    /// Opens the log of a folder.
    pub fn open(
        storage: Arc<dyn Storage>,
        folder: &Path,
        query: LogQuery,
    ) -> Result<Self, Problem> {
        let parsing = match &query.settings {
            Some(settings) => settings.parsing(query.packs)?,
            None => Parsing {
                packs: query.packs,
                sources: std::collections::BTreeMap::new(),
                others: SourceParsing {
                    options: ParseOptions::new(None, "UTC")?,
                    bound: TimeBound::LIVE,
                },
            },
        };
        let knowledge = Knowledge { parsing, detection: query.detection, brake: None };
        let walk = Walk::open(storage, folder, query.from, &knowledge, query.every)?;
        Ok(Self { walk, to: query.to, durable: 0 })
    }

    /// Where it is: the next sequence to be read.
    pub fn next_sequence(&self) -> u64 {
        self.walk.next()
    }

    /// Whether all that was asked for was given.
    pub fn is_at_end(&self) -> bool {
        self.to.is_some_and(|to| self.walk.next() >= to)
    }

    /// Durable records that were not read yet, when it was last looked.
    pub fn lag(&self) -> u64 {
        self.durable.saturating_sub(self.walk.next())
    }

    /// The next chunk; `None` where all that is durable was given. Of a log that is being written
    /// more may come later.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, Problem> {
        self.durable = self.walk.durable_size().map_err(|error| error.problem())?;
        let end = self.to.unwrap_or(self.durable).min(self.durable);
        match self.walk.advance(end) {
            Ok(Pace::Full | Pace::AtEnd) => {}
            // What was read before the fault is given first; the next call meets it again.
            Err(_) if !self.walk.is_empty() => {}
            Err(error) => return Err(error.problem()),
        }
        Ok((!self.walk.is_empty()).then(|| self.walk.take()))
    }
}

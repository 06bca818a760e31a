//! Reading a log, beside a running writer too.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{At as _, LogError};
use crate::frame::Salt;
use crate::identity::{log_in, log_key};
use crate::record::Record;
use crate::records::{Fault, Item, Records};
use crate::sealed::SealedFile;
use crate::segment::{SegmentInfo, WATERMARK_FILE, drop_void, list_segments};
use crate::segment_source::SegmentSource;
use crate::storage::{Storage, read_full_at};
use crate::tail::Tail;
use crate::watermark::{SLOT_BYTES, Watermark};

/// How often a segment that vanished between listing and opening is looked for anew.
const LOOKS_MAX: u32 = 8;

/// An open log.
pub struct LogReader {
    log: Log,
    name: String,
    id: [u8; 16],
    durable: u64,
}

impl LogReader {
    /// Opens the log in `dir` for reading. Changes nothing and takes no lock.
    pub fn open(storage: Arc<dyn Storage>, dir: &Path) -> Result<Self, LogError> {
        let missing = || LogError::NotALog {
            path: dir.to_owned(),
            what: "no evidence log stands here".to_owned(),
        };
        let segments = match list_segments(storage.as_ref(), dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
            listed => listed.at(dir)?,
        };
        let (name, id) = log_in(storage.as_ref(), dir, &segments)?.ok_or_else(missing)?;
        let log = Log { storage, dir: dir.to_owned(), salt: Salt::new(&id) };
        Ok(Self { log, name: name.unwrap_or_default(), id, durable: 0 })
    }

    /// Name of the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Its key in event ids, 47 bits.
    pub fn key(&self) -> u64 {
        log_key(&self.id, &self.name)
    }

    /// First record that is still kept; 0 where none is.
    pub fn first(&self) -> Result<u64, LogError> {
        Ok(self.log.segments()?.first().map_or(0, |segment| segment.first))
    }

    /// Number of records that are flushed, by the watermark, or by the segments where there is
    /// none. Never grows less.
    pub fn durable_size(&mut self) -> Result<u64, LogError> {
        let size = match self.log.read_mark(&self.id)? {
            Some(mark) => mark.tree.size(),
            None => self.log.committed()?,
        };
        self.durable = self.durable.max(size);
        Ok(self.durable)
    }

    /// Begins to read at a sequence.
    pub fn at(&self, sequence: u64) -> Result<Cursor, LogError> {
        let segments = self.log.segments()?;
        Ok(Cursor { log: self.log.clone(), segments, next: sequence, open: None })
    }
}

#[derive(Clone)]
struct Log {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    salt: Salt,
}

impl Log {
    fn segments(&self) -> Result<Vec<SegmentInfo>, LogError> {
        let mut segments = list_segments(self.storage.as_ref(), &self.dir).at(&self.dir)?;
        drop_void(&mut segments);
        Ok(segments)
    }

    /// The watermark. While one slot is being written the other is whole.
    fn read_mark(&self, id: &[u8; 16]) -> Result<Option<Watermark>, LogError> {
        let path = self.dir.join(WATERMARK_FILE);
        let file = match self.storage.open_read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.at(&path)?,
        };
        let mut bytes = [0; 2 * SLOT_BYTES];
        let len = read_full_at(file.as_ref(), &mut bytes, 0).at(&path)?;
        Ok(Watermark::decode(&bytes[..len], Some(id)))
    }

    /// Number of records up to the last commit that stands in the segments.
    fn committed(&self) -> Result<u64, LogError> {
        for segment in self.segments()?.iter().rev() {
            let tail = Tail::survey(self.storage.as_ref(), segment, self.salt)?;
            if let Some(group) = tail.groups[1] {
                return Ok(group.size);
            }
        }
        Ok(0)
    }

    fn open(&self, segment: &SegmentInfo, sequence: u64) -> Result<Open, LogError> {
        let storage = self.storage.as_ref();
        let (source, expected) = if segment.sealed {
            let file = SealedFile::open(storage, &segment.path)?;
            let block = file.block_of(sequence);
            // The frame that a block begins with may be a commit; its sequence counts as well.
            let first = file.first_sequence(block).filter(|_| block > 0);
            let expected = first.unwrap_or(segment.first).clamp(segment.first, sequence);
            (SegmentSource::sealed(file, self.salt, sequence), expected)
        } else {
            let file = storage.open_read(&segment.path).at(&segment.path)?;
            (SegmentSource::raw(file, self.salt, u64::MAX), segment.first)
        };
        Ok(Open { segment: segment.clone(), records: Records::new(source, expected) })
    }
}

/// The segment that a cursor stands in.
struct Open {
    segment: SegmentInfo,
    records: Records<SegmentSource>,
}

/// What a cursor came upon.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// A record.
    Record {
        /// Its sequence.
        sequence: u64,
        /// Its bytes as the log has them, which its leaf is the hash of.
        bytes: &'a [u8],
        /// What they say.
        record: Record<'a>,
    },
    /// Records that cannot be read.
    Lost {
        /// The first.
        first: u64,
        /// One after the last.
        end: u64,
        /// Why.
        why: &'static str,
    },
}

/// Reads records in order, from segment to segment.
pub struct Cursor {
    log: Log,
    segments: Vec<SegmentInfo>,
    next: u64,
    open: Option<Open>,
}

impl Cursor {
    /// Sequence of the next record.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// The next record before `end`, which is not to lie beyond the durable size; or the records
    /// there that are lost. `None` at `end`.
    pub fn next(&mut self, end: u64) -> Result<Option<Next<'_>>, LogError> {
        // A segment that gave nothing is tried once more after the folder was listed anew: the
        // writer may have gone on, in it or in another.
        let mut listed = false;
        while self.next < end {
            if self.open.is_none() && !self.enter(&mut listed)? {
                let until = self.segments.iter().map(|segment| segment.first);
                let until = until.filter(|&first| first > self.next).min().unwrap_or(end);
                return Ok(Some(self.lost(until.min(end), "no segment holds them")));
            }
            let limit = self.limit();
            let Some(open) = &mut self.open else { continue };
            let item = open.records.advance().at(&open.segment.path)?;
            match item {
                Item::Record { sequence, .. } if sequence >= limit => self.open = None,
                Item::Record { sequence, .. } if sequence == self.next => {
                    return Ok(Some(self.give(sequence)));
                }
                Item::Fault(fault) if fault.end.min(limit) > self.next => {
                    let Fault { end: fault_end, what, .. } = fault;
                    return Ok(Some(self.lost(fault_end.min(limit).min(end), what)));
                }
                Item::Finished if limit <= self.next => self.open = None,
                Item::Finished if !listed => {
                    listed = true;
                    self.segments = self.log.segments()?;
                    open.records.resume();
                }
                Item::Finished => {
                    open.records.resume();
                    let until = limit.min(end);
                    return Ok(Some(self.lost(until, "the segment ends before them")));
                }
                Item::Record { .. } | Item::Commit { .. } | Item::Lost { .. } | Item::Fault(_) => {}
            }
            if self.open.is_some() && self.next >= limit {
                self.open = None;
            }
        }
        Ok(None)
    }

    fn give(&mut self, sequence: u64) -> Next<'_> {
        self.next += 1;
        let bytes = self.open.as_ref().map_or(&[][..], |open| open.records.bytes());
        match Record::decode(bytes) {
            Some(record) => Next::Record { sequence, bytes, record },
            None => Next::Lost {
                first: sequence,
                end: sequence + 1,
                why: "it is no record of format 1",
            },
        }
    }

    fn lost(&mut self, end: u64, why: &'static str) -> Next<'static> {
        let first = std::mem::replace(&mut self.next, end);
        Next::Lost { first, end, why }
    }

    /// First sequence of the segment after the one that is open.
    fn limit(&self) -> u64 {
        let Some(open) = &self.open else { return 0 };
        let later = self.segments.iter().filter(|other| other.number > open.segment.number);
        later.map(|segment| segment.first).min().unwrap_or(u64::MAX)
    }

    /// Opens the segment that should hold the next record; false where there is none.
    fn enter(&mut self, listed: &mut bool) -> Result<bool, LogError> {
        for _ in 0..LOOKS_MAX {
            let found = self.segments.iter().rfind(|segment| segment.first <= self.next);
            let Some(segment) = found else {
                if *listed {
                    return Ok(false);
                }
                *listed = true;
                self.segments = self.log.segments()?;
                continue;
            };
            match self.log.open(segment, self.next) {
                Ok(open) => {
                    self.open = Some(open);
                    return Ok(true);
                }
                // Sealed or deleted since the folder was listed.
                Err(LogError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    self.segments = self.log.segments()?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

//! The end of the newest segment: what in it is whole, what a crash tore, and what is damage.

use std::io;
use std::path::{Path, PathBuf};

use crate::damage::{Damage, DamageKind};
use crate::error::{At as _, LogError};
use crate::frame::Salt;
use crate::header::{HEADER_BYTES, Header, HeaderFault};
use crate::records::{Fault, Item, Records};
use crate::sealed::SealedFile;
use crate::segment::SegmentInfo;
use crate::segment_source::SegmentSource;
use crate::storage::{Storage, read_full_at};

/// More faults of one segment are not kept one by one.
const FAULTS_MAX: usize = 1000;

/// A place where a group ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupEnd {
    /// Number of records before it.
    pub size: u64,
    /// Where the next frame begins.
    pub offset: u64,
}

/// What stands in the newest segment.
#[derive(Debug)]
pub(crate) struct Tail {
    pub path: PathBuf,
    pub number: u64,
    pub sealed: bool,
    pub first: u64,
    /// Length of the file.
    pub bytes: u64,
    pub header: Result<(Header, bool), HeaderFault>,
    pub faults: Vec<Fault>,
    /// The last end of a group but one, and the last.
    pub groups: [Option<GroupEnd>; 2],
    /// Number of records up to the last one that can be read.
    pub end: u64,
    /// The segment was ended.
    pub ended: bool,
}

/// Reads a segment's header.
pub(crate) fn read_header(
    storage: &dyn Storage,
    path: &Path,
) -> io::Result<Result<(Header, bool), HeaderFault>> {
    let file = storage.open_read(path)?;
    let mut bytes = [0; HEADER_BYTES];
    let len = read_full_at(file.as_ref(), &mut bytes, 0)?;
    Ok(Header::decode(&bytes[..len]))
}

impl Tail {
    /// Reads a segment from beginning to end, without hashing it.
    pub(crate) fn survey(
        storage: &dyn Storage,
        segment: &SegmentInfo,
        salt: Salt,
    ) -> Result<Self, LogError> {
        let mut tail = Self {
            path: segment.path.clone(),
            number: segment.number,
            sealed: segment.sealed,
            first: segment.first,
            bytes: segment.bytes,
            header: read_header(storage, &segment.path).at(&segment.path)?,
            faults: Vec::new(),
            groups: [None; 2],
            end: segment.first,
            ended: false,
        };
        let mut records = tail.records(storage, salt, segment.bytes)?;
        loop {
            match records.advance().at(&segment.path)? {
                Item::Record { .. } | Item::Lost { .. } => {}
                Item::Commit { size, end, ends, .. } => {
                    tail.groups = [tail.groups[1], Some(GroupEnd { size, offset: end })];
                    tail.ended = ends;
                }
                Item::Fault(fault) if tail.faults.len() < FAULTS_MAX => tail.faults.push(fault),
                Item::Fault(fault) => {
                    // The last one kept takes in all that follow.
                    if let Some(last) = tail.faults.last_mut() {
                        last.end = last.end.max(fault.end);
                        last.last |= fault.last;
                    }
                }
                Item::Finished => break,
            }
            tail.end = records.expected();
        }
        Ok(tail)
    }

    /// The records of the segment up to an offset of the file, which counts in a raw one only.
    pub(crate) fn records(
        &self,
        storage: &dyn Storage,
        salt: Salt,
        until: u64,
    ) -> Result<Records<SegmentSource>, LogError> {
        let source = if self.sealed {
            SegmentSource::sealed(SealedFile::open(storage, &self.path)?, salt, 0)
        } else {
            let file = storage.open_read(&self.path).at(&self.path)?;
            SegmentSource::raw(file, salt, until)
        };
        Ok(Records::new(source, self.first))
    }

    /// Whether nothing that was flushed can stand in it, by what it holds alone.
    pub(crate) fn holds_nothing(&self) -> bool {
        self.groups[1].is_none() && self.end == self.first
    }

    /// The last group that was flushed, as far as the segment itself proves it: a group is written
    /// only after the flush of the one before it. A sealed segment was flushed before it was sealed.
    fn proven(&self) -> Option<GroupEnd> {
        if self.sealed { self.groups[1] } else { self.groups[0] }
    }

    /// What was flushed for certain: the greater of what the watermark or a note says (`known`) and
    /// what the segment proves.
    pub(crate) fn floor(&self, known: u64) -> u64 {
        let proven = self.proven().map_or(self.first, |group| group.size);
        known.max(proven).max(self.first)
    }

    /// How much of the file was flushed for certain, by the segment itself and the watermark. All of
    /// a sealed one, in which the watermark's offsets mean nothing.
    pub(crate) fn flushed(&self, marked: Option<u64>) -> u64 {
        if self.sealed {
            return self.bytes;
        }
        let proven = self.proven().map_or(HEADER_BYTES as u64, |group| group.offset);
        marked.unwrap_or(0).max(proven)
    }

    /// Parts the torn from the damaged. `marked` is how much of the file the watermark says is
    /// flushed, if it speaks of this segment.
    pub(crate) fn judge(&self, floor: u64, marked: Option<u64>) -> Verdict {
        let flushed = if self.sealed { u64::MAX } else { self.flushed(marked) };
        let is_torn = |fault: &&Fault| fault.offset >= flushed && fault.first >= floor;
        let torn = self.faults.iter().find(is_torn);
        let whole_until = torn.map_or(self.bytes, |fault| fault.offset);
        let end = torn.map_or(self.end, |fault| fault.first);
        let mut damage: Vec<Damage> = Vec::new();
        for fault in self.faults.iter().filter(|fault| fault.offset < whole_until) {
            // Where no frame follows, all is gone up to what was flushed.
            let end = if fault.last { fault.end.max(floor) } else { fault.end };
            damage.push(self.damage(
                DamageKind::Unreadable,
                fault.offset,
                fault.first,
                end,
                fault.what,
            ));
        }
        let told = damage.iter().map(|damage| damage.end).max().unwrap_or(0);
        if end < floor && told < floor {
            let what = "the segment ends before what was flushed";
            damage.push(self.damage(DamageKind::Missing, self.bytes, end, floor, what));
        } else if damage.is_empty()
            && !self.sealed
            && marked.is_some_and(|marked| self.bytes < marked)
        {
            let what = "the segment is shorter than what was flushed";
            damage.push(self.damage(DamageKind::Missing, self.bytes, end, end, what));
        }
        if !self.header.as_ref().is_ok_and(|(_, whole)| *whole) {
            let what = "the header or one of its copies cannot be read";
            damage.push(self.damage(DamageKind::Header, 0, self.first, self.first, what));
        }
        Verdict { damage, whole_until }
    }

    fn damage(&self, what: DamageKind, offset: u64, first: u64, end: u64, detail: &str) -> Damage {
        let (segment, offset) = (Some(self.number), Some(offset));
        Damage { segment, offset, first, end, what, detail: detail.to_owned() }
    }
}

/// What is to be made of a tail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What is damaged.
    pub damage: Vec<Damage>,
    /// Up to here the file counts; what follows was torn.
    pub whole_until: u64,
}

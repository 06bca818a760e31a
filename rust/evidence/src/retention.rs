//! How long records are kept, and how a segment is deleted.
//!
//! A segment goes when all of its records are older than the retention by three measures: the time
//! that each was received, the clock at the first checkpoint that covers them, and the seconds that
//! the log has aged since that checkpoint by a clock that cannot jump. A jump of the clock can
//! therefore only keep records longer. A log without checkpoints keeps everything.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::approval::{APPROVALS_NEEDED, Approval, approved_by};
use crate::clock::Clock;
use crate::error::{At as _, LogError};
use crate::frame::Salt;
use crate::header::{HEADER_BYTES, Header};
use crate::keys::VerifierKey;
use crate::record::{Flags, Record};
use crate::records::{Item, Records};
use crate::reserve::Reserve;
use crate::sealed::SealedFile;
use crate::segment::{SegmentInfo, parse_segment_name};
use crate::segment_source::SegmentSource;
use crate::storage::{Storage, read_full_at};
use crate::writer::LogWriter;

/// Records are kept at least this long unless two people approve otherwise: 183 days, in seconds.
pub const FLOOR_S: u64 = 183 * 86_400;
/// Source of the log's own records.
pub const OWN_SOURCE: &str = "bigsec.log";

/// How long to keep records.
#[derive(Debug, Clone, Default)]
pub struct Retention {
    /// In seconds. Less than [`FLOOR_S`] counts only for records that two people approve of.
    pub keep_s: u64,
    /// Whose approvals count.
    pub approvers: Vec<VerifierKey>,
    /// What was approved.
    pub approvals: Vec<Approval>,
}

/// A segment that may go as far as checkpoints tell; its records are still to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// The oldest segment.
    pub segment: SegmentInfo,
    /// One after its last record.
    pub end: u64,
    /// How long its records must have been kept, in seconds.
    pub keep_s: u64,
    /// Who approved that the floor is undercut; empty where it is not.
    pub approved_by: Vec<String>,
    /// Their approvals as they were signed.
    pub approvals: Vec<String>,
    log_id: [u8; 16],
}

/// A segment that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The segment.
    pub segment: SegmentInfo,
    /// One after its last record.
    pub end: u64,
    /// Sequence of the log's own record about it.
    pub record: u64,
}

impl Retention {
    /// The oldest segment, if checkpoints show that it is old enough by the clock and by the
    /// time that the log has aged.
    pub fn expired(&self, log: &LogWriter, clock: &dyn Clock) -> Result<Option<Expired>, LogError> {
        let [segment, next, ..] = log.segments() else { return Ok(None) };
        if log.live_segment() == Some(segment.number) {
            return Ok(None);
        }
        let end = next.first;
        let (keep_s, approved_by) = self.keep(log, end);
        let approvals = if approved_by.is_empty() { Vec::new() } else { self.texts(log, end) };
        let aged_s = log.checkpoints().elapsed_s(clock.elapsed());
        // Cheap, and false for most of a log's life.
        if aged_s < keep_s {
            return Ok(None);
        }
        let note = log.checkpoints().covering(end).at(log.dir())?;
        let Some(note) = note.filter(|note| note.origin == log.name()) else { return Ok(None) };
        let old = aged_s.saturating_sub(note.elapsed_s) >= keep_s
            && is_older(note.time_us, clock.now_us(), keep_s);
        let segment = segment.clone();
        Ok(old.then(|| Expired { segment, end, keep_s, approved_by, approvals, log_id: log.id() }))
    }

    /// The approvals of records before `end`.
    fn texts(&self, log: &LogWriter, end: u64) -> Vec<String> {
        let (name, id) = (log.name(), log.id());
        let given = self.approvals.iter().filter(|one| one.covers(name, &id, end));
        given.map(Approval::encode).collect()
    }

    /// How long records before `end` are kept, and who approved that this is less than the floor.
    fn keep(&self, log: &LogWriter, end: u64) -> (u64, Vec<String>) {
        if self.keep_s >= FLOOR_S {
            return (self.keep_s, Vec::new());
        }
        let keys = approved_by(&self.approvals, &self.approvers, log.name(), &log.id(), end);
        if keys.len() < APPROVALS_NEEDED {
            return (FLOOR_S, Vec::new());
        }
        (self.keep_s, keys.iter().map(ToString::to_string).collect())
    }
}

fn is_older(time_us: i64, now_us: i64, keep_s: u64) -> bool {
    let age_us = now_us.saturating_sub(time_us);
    u64::try_from(age_us).is_ok_and(|age_us| age_us / 1_000_000 >= keep_s)
}

impl Expired {
    /// When the newest of its records was received, µs since 1970 UTC. Reads the whole segment and
    /// changes nothing, so another thread may do it while the writer goes on.
    pub fn newest_us(&self, storage: &dyn Storage) -> Result<i64, LogError> {
        let path = &self.segment.path;
        let salt = Salt::new(&self.log_id);
        let source = if self.segment.sealed {
            SegmentSource::sealed(SealedFile::open(storage, path)?, salt, self.segment.first)
        } else {
            SegmentSource::raw(storage.open_read(path).at(path)?, salt, u64::MAX)
        };
        let mut records = Records::new(source, self.segment.first);
        let mut newest_us = i64::MIN;
        loop {
            match records.advance().at(path)? {
                Item::Record { sequence, .. } if sequence < self.end => {
                    let record = Record::decode(records.bytes());
                    newest_us = record.map_or(newest_us, |r| newest_us.max(r.received_us));
                }
                Item::Finished => return Ok(newest_us),
                _ => {}
            }
        }
    }

    /// Whether the newest of its records, received at `newest_us`, is old enough.
    pub fn is_due(&self, newest_us: i64, clock: &dyn Clock) -> bool {
        is_older(newest_us, clock.now_us(), self.keep_s)
    }

    /// Deletes the segment: the log's own record about it is flushed and under a checkpoint before
    /// the file goes. Stopped in between, the segment is still there, and is deleted the next time.
    pub fn delete(
        &self,
        storage: &dyn Storage,
        log: &mut LogWriter,
        reserve: &mut Reserve,
        clock: &dyn Clock,
    ) -> Result<Deleted, LogError> {
        // What is pending goes first: where it cannot, this would only add to it.
        reserve.commit(log)?;
        let told = self.told(storage, log)?;
        let record = log.append(&Record {
            flags: Flags::default(),
            received_us: clock.now_us(),
            source: OWN_SOURCE,
            peer: None,
            id: None,
            position: None,
            payload: told.to_string().as_bytes(),
        });
        reserve.commit(log)?;
        reserve.checkpoint_from(log, Some(self.end))?;
        self.remove(storage, log.dir())?;
        log.relist()?;
        Ok(Deleted { segment: self.segment.clone(), end: self.end, record })
    }

    /// Removes the segment's files. Void segments that begin with the same record go before it:
    /// alone, they would pass for it.
    fn remove(&self, storage: &dyn Storage, dir: &Path) -> Result<(), LogError> {
        let number_of = |path: &PathBuf| {
            let (number, first, _) = parse_segment_name(path.file_name()?.to_str()?)?;
            (first == self.segment.first && number <= self.segment.number).then_some(number)
        };
        let mut own = Vec::new();
        for path in storage.list(dir).at(dir)? {
            match number_of(&path) {
                Some(number) if number == self.segment.number => own.push(path),
                Some(_) => storage.remove(&path).at(&path)?,
                None => {}
            }
        }
        storage.sync_folder(dir).at(dir)?;
        for path in own {
            storage.remove(&path).at(&path)?;
        }
        storage.sync_folder(dir).at(dir)
    }

    fn told(&self, storage: &dyn Storage, log: &LogWriter) -> Result<serde_json::Value, LogError> {
        let next = log.segments().iter().find(|segment| segment.first == self.end);
        let header = next.map(|next| read_header(storage, &next.path)).transpose()?.flatten();
        let root = header.map(|header| STANDARD.encode(header.tree.root()));
        Ok(json!({
            "event": "segment deleted",
            "log": log.name(),
            "segment": self.segment.number,
            "first": self.segment.first,
            "end": self.end,
            "root": root,
            "bytes": self.segment.bytes,
            "kept_s": self.keep_s,
            "approved_by": self.approved_by,
            "approvals": self.approvals,
        }))
    }
}

fn read_header(storage: &dyn Storage, path: &Path) -> Result<Option<Header>, LogError> {
    let file = storage.open_read(path).at(path)?;
    let mut bytes = vec![0; HEADER_BYTES];
    let read = read_full_at(file.as_ref(), &mut bytes, 0).at(path)?;
    Ok(Header::decode(&bytes[..read]).ok().map(|(header, _)| header))
}

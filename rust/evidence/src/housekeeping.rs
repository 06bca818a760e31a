//! What a log needs done from time to time: ended segments are sealed, expired ones deleted.
//!
//! One task at a time: [`Housekeeper::plan`] names it, [`Task::run`] does what takes long and may
//! do so on another thread, [`Housekeeper::adopt`] gives the writer what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::Clock;
use crate::error::{At as _, LogError};
use crate::reserve::Reserve;
use crate::retention::{Deleted, Expired, Retention};
use crate::sealed::{Prepared, SEAL_SUFFIX, Sealed, adopt, prepare};
use crate::segment::SegmentInfo;
use crate::storage::Storage;
use crate::writer::LogWriter;

/// The usual level of compression.
pub const SEAL_LEVEL: i32 = 1;

/// Something to be done that only reads segments and writes new files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Seal an ended segment.
    Seal {
        /// Folder of the log.
        dir: PathBuf,
        /// The raw segment.
        segment: SegmentInfo,
        /// One after its last record.
        end: u64,
        /// Level of compression.
        level: i32,
    },
    /// Look at the records of a segment that seems to have expired.
    Inspect(Expired),
}

/// What came of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A sealed segment stands ready.
    Prepared(Prepared),
    /// When the newest record of a segment was received.
    Inspected(Expired, i64),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// A segment was sealed.
    Sealed(Sealed),
    /// A segment was deleted.
    Deleted(Deleted),
    /// A segment holds a record that is too young, so it stays.
    Kept(SegmentInfo),
}

impl Task {
    /// Does it.
    pub fn run(&self, storage: &dyn Storage) -> Result<Outcome, LogError> {
        match self {
            Self::Seal { dir, segment, end, level } => {
                prepare(storage, dir, segment, *end, *level).map(Outcome::Prepared)
            }
            Self::Inspect(expired) => {
                Ok(Outcome::Inspected(expired.clone(), expired.newest_us(storage)?))
            }
        }
    }

    /// Number of the segment it is about.
    pub fn segment(&self) -> u64 {
        match self {
            Self::Seal { segment, .. } => segment.number,
            Self::Inspect(expired) => expired.segment.number,
        }
    }
}

/// Keeps a log in order.
pub struct Housekeeper {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    retention: Retention,
    /// `None` where segments stay as they are written.
    level: Option<i32>,
    /// Segments that could not be done, because they are damaged. Left alone until the next start.
    passed_over: BTreeSet<u64>,
    /// When the newest record of segments that were looked at was received.
    newest_us: BTreeMap<u64, i64>,
    /// A task failed half way: the writer does not know the folder as it is.
    unlisted: bool,
}

impl Housekeeper {
    /// For the log in `dir`; removes what an earlier process left half written.
    pub fn open(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        dir: &Path,
        retention: Retention,
        level: Option<i32>,
    ) -> Result<Self, LogError> {
        for path in storage.list(dir).at(dir)? {
            let name = path.file_name().and_then(|name| name.to_str());
            if name.is_some_and(|name| name.ends_with(SEAL_SUFFIX)) {
                storage.remove(&path).at(&path)?;
            }
        }
        Ok(Self {
            storage,
            clock,
            retention,
            level,
            passed_over: BTreeSet::new(),
            newest_us: BTreeMap::new(),
            unlisted: false,
        })
    }

    /// Changes how long records are kept.
    pub fn set_retention(&mut self, retention: Retention) {
        self.retention = retention;
    }

    /// The next thing to be done, if any. While a task is under way no other is to be planned.
    ///
    /// There is none while records are pending: a commit that failed may have left a segment and a
    /// watermark that speak of them.
    pub fn plan(&mut self, log: &mut LogWriter) -> Result<Option<Task>, LogError> {
        if log.pending().0 > 0 {
            return Ok(None);
        }
        if self.unlisted {
            log.relist()?;
            self.unlisted = false;
        }
        if let Some(expired) = self.retention.expired(log, self.clock.as_ref())? {
            let number = expired.segment.number;
            let due = self
                .newest_us
                .get(&number)
                .is_none_or(|newest_us| expired.is_due(*newest_us, self.clock.as_ref()));
            if due && !self.passed_over.contains(&number) {
                return Ok(Some(Task::Inspect(expired)));
            }
        }
        Ok(self.unsealed(log))
    }

    fn unsealed(&self, log: &LogWriter) -> Option<Task> {
        let level = self.level?;
        let segments = log.segments();
        let at = segments.iter().position(|segment| {
            !segment.sealed
                && Some(segment.number) != log.live_segment()
                && !self.passed_over.contains(&segment.number)
        })?;
        // Where no segment follows, the next will begin with what is not durable yet.
        let end = segments.get(at + 1).map_or(log.durable().size, |next| next.first);
        let (dir, segment) = (log.dir().to_owned(), segments[at].clone());
        Some(Task::Seal { dir, segment, end, level })
    }

    /// Gives the writer what came of a task.
    pub fn adopt(
        &mut self,
        log: &mut LogWriter,
        reserve: &mut Reserve,
        outcome: Outcome,
    ) -> Result<Done, LogError> {
        // Where it fails half way, the folder is no longer what the writer knows of it.
        self.unlisted = true;
        let storage = self.storage.as_ref();
        let done = match outcome {
            Outcome::Prepared(prepared) => {
                let sealed = adopt(storage, log.dir(), &prepared)?;
                log.relist()?;
                Done::Sealed(sealed)
            }
            Outcome::Inspected(expired, newest_us) => {
                self.newest_us.insert(expired.segment.number, newest_us);
                if expired.is_due(newest_us, self.clock.as_ref()) {
                    let deleted = expired.delete(storage, log, reserve, self.clock.as_ref())?;
                    self.newest_us.remove(&deleted.segment.number);
                    Done::Deleted(deleted)
                } else {
                    Done::Kept(expired.segment)
                }
            }
        };
        self.unlisted = false;
        Ok(done)
    }

    /// Tells that a task failed. A damaged segment is left alone from then on; anything else is
    /// tried again.
    pub fn failed(&mut self, task: &Task, error: &LogError) {
        if matches!(error, LogError::Damaged { .. } | LogError::Newer { .. }) {
            self.passed_over.insert(task.segment());
        }
    }

    /// Does at most one thing, all of it in this call.
    pub fn step(
        &mut self,
        log: &mut LogWriter,
        reserve: &mut Reserve,
    ) -> Result<Option<Done>, LogError> {
        let Some(task) = self.plan(log)? else { return Ok(None) };
        let ran = task.run(self.storage.as_ref());
        match ran {
            Ok(outcome) => self.adopt(log, reserve, outcome).map(Some),
            Err(error) => {
                self.failed(&task, &error);
                Err(error)
            }
        }
    }
}

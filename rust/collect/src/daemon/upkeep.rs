//! Keeps the log in order beside the writing: seals segments that have ended, deletes those that
//! have expired, watches over the space that is kept back.
//!
//! What takes long runs on a thread of low priority; the writer only takes in what came of it.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use bigsec_event::Problem;
use bigsec_evidence::approval::Approval;
use bigsec_evidence::housekeeping::{Done, Housekeeper, Outcome, SEAL_LEVEL, Task};
use bigsec_evidence::keys::VerifierKey;
use bigsec_evidence::reserve::Reserve;
use bigsec_evidence::retention::Retention;
use bigsec_evidence::storage::Storage;
use bigsec_evidence::{LogError, LogWriter};

use super::health::Part;
use super::settings::{LogSettings, invalid};
use super::shared::{Doors, Shared};

/// Folder of approvals within that of the log.
pub const APPROVALS: &str = "approvals";

/// How often it is looked for something to do, and for new approvals.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Longest approval that is read.
const APPROVAL_BYTES_MAX: u64 = 64 * 1024;

/// Seconds of a day.
const DAY_S: u64 = 86_400;

/// Nice value of the threads that shall not take time from the sources.
pub(super) const NICENESS: i32 = 10;

type Finished = (Task, Result<Outcome, LogError>);

/// Keeps a log in order.
pub(super) struct Upkeep {
    housekeeper: Housekeeper,
    /// The space kept back.
    pub reserve: Reserve,
    retention: Retention,
    under_way: Option<Receiver<Finished>>,
    looked_at: Duration,
}

impl Upkeep {
    /// For a log that was just opened.
    pub fn open(log: &LogWriter, settings: &LogSettings, doors: &Doors) -> Result<Self, Problem> {
        let trouble = |error: LogError| error.problem();
        let approvers: Result<Vec<VerifierKey>, _> =
            settings.approvers.iter().map(|key| key.parse()).collect();
        let approvers = approvers.map_err(|error| invalid("log.approvers", &format!("{error}")))?;
        let keep_s = u64::from(settings.retention_days) * DAY_S;
        let retention = Retention { keep_s, approvers, approvals: Vec::new() };
        let housekeeper = Housekeeper::open(
            Arc::clone(&doors.storage),
            Arc::clone(&doors.clock),
            log.dir(),
            retention.clone(),
            settings.compress.then_some(SEAL_LEVEL),
        )
        .map_err(trouble)?;
        let reserve = Reserve::of(Arc::clone(&doors.storage), log).map_err(trouble)?;
        let looked_at = Duration::ZERO;
        Ok(Self { housekeeper, reserve, retention, under_way: None, looked_at })
    }

    /// Does what is due. To be called while no record is pending.
    pub fn turn(&mut self, log: &mut LogWriter, shared: &Shared) {
        if let Err(error) = self.work(log, shared) {
            let now_us = shared.doors.clock.now_us();
            shared.health.fails(Part::Housekeeping, &error.problem(), now_us);
        }
    }

    fn work(&mut self, log: &mut LogWriter, shared: &Shared) -> Result<(), LogError> {
        if let Some(finished) = &self.under_way {
            match finished.try_recv() {
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => self.under_way = None,
                Ok((task, ran)) => {
                    self.under_way = None;
                    return self.settle(log, shared, &task, ran);
                }
            }
        }
        let now = shared.doors.clock.elapsed();
        if now.saturating_sub(self.looked_at) < LOOK_EVERY {
            return Ok(());
        }
        self.looked_at = now;
        self.retention.approvals = approvals(shared.doors.storage.as_ref(), log.dir());
        self.housekeeper.set_retention(self.retention.clone());
        match self.housekeeper.plan(log)? {
            Some(task) => self.begin(task, &shared.doors),
            None => {
                shared.health.works(Part::Housekeeping);
            }
        }
        Ok(())
    }

    /// Takes in what came of a task.
    fn settle(
        &mut self,
        log: &mut LogWriter,
        shared: &Shared,
        task: &Task,
        ran: Result<Outcome, LogError>,
    ) -> Result<(), LogError> {
        let outcome = ran.inspect_err(|error| self.housekeeper.failed(task, error))?;
        let done = self
            .housekeeper
            .adopt(log, &mut self.reserve, outcome)
            .inspect_err(|error| self.housekeeper.failed(task, error))?;
        match done {
            Done::Sealed(_) => shared.view(|view| view.sealed += 1),
            // A record of the log's own tells of it.
            Done::Deleted(_) => {
                shared.view(|view| view.deleted += 1);
                shared.durable.publish(log.durable().size);
            }
            Done::Kept(_) => {}
        }
        shared.health.works(Part::Housekeeping);
        // There may be more to do at once.
        self.looked_at = Duration::ZERO;
        Ok(())
    }

    fn begin(&mut self, task: Task, doors: &Doors) {
        let (sender, finished) = channel();
        let storage = Arc::clone(&doors.storage);
        let work = move || {
            // Where the system refuses, the work is done all the same.
            let _ = rustix::process::nice(NICENESS);
            let ran = task.run(storage.as_ref());
            // Nobody waits for it any more when the daemon has stopped.
            let _ = sender.send((task, ran));
        };
        let spawned = std::thread::Builder::new().name("housekeeping".to_owned()).spawn(work);
        // Without a thread it is tried again at the next look.
        self.under_way = spawned.is_ok().then_some(finished);
    }
}

/// The approvals that lie in the log's folder; what is none is passed over.
fn approvals(storage: &dyn Storage, folder: &Path) -> Vec<Approval> {
    let read = |path: &Path| -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        storage.open(path)?.take(APPROVAL_BYTES_MAX).read_to_end(&mut text)?;
        Ok(text)
    };
    let paths = storage.list(&folder.join(APPROVALS)).unwrap_or_default();
    paths.iter().filter_map(|path| Approval::parse(&read(path).ok()?).ok()).collect()
}

//! The one thread that writes the log: gathers what waits, flushes it together, answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bigsec_evidence::{LogError, LogWriter, Position};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::health::Part;
use super::locked;
use super::settings::OWN_SOURCES;
use super::shared::{Shared, WriterMeters};
use super::stop::Stop;
use super::upkeep::Upkeep;
use crate::intake::Submitted;

/// First and longest pause before a failed flush is tried again.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// How often it looks after the log where no records come.
const TICK: Duration = Duration::from_secs(1);
/// The same while the disk has no room: soon after there is some, it goes on.
const NO_ROOM_TICK: Duration = Duration::from_millis(500);
/// How often the positions of files are saved.
const POSITIONS_EVERY: Duration = Duration::from_secs(10);

/// How records are grouped, and how often the log is signed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pacing {
    pub group_bytes: usize,
    pub group_wait: Duration,
    /// `None` where the log is not signed.
    pub checkpoint: Option<Duration>,
}

/// The thread's own things.
pub(super) struct WriterThread {
    pub log: LogWriter,
    pub queue: mpsc::Receiver<Submitted>,
    /// The platform's own records, which go in even where the disk has no room for others.
    pub own: mpsc::Receiver<Submitted>,
    pub upkeep: Upkeep,
    pub runtime: Handle,
    pub shared: Arc<Shared>,
    pub stop: Arc<Stop>,
    pub pacing: Pacing,
    pub state: State,
}

/// What the thread keeps from one round to the next.
#[derive(Default)]
pub(super) struct State {
    /// A batch that came when the disk had no room.
    held: Option<Submitted>,
    group: Vec<(Submitted, u64)>,
    reached: Vec<(Arc<str>, Position)>,
    bytes: u64,
    checkpoint_at: Duration,
    checkpoint_size: Option<u64>,
    segments: usize,
    positions_at: Duration,
    shown_at: Duration,
}

impl WriterThread {
    /// Writes until a stop was asked for and the queue is empty, or the stop's time is over.
    pub fn run(mut self) {
        loop {
            let more = self.gather();
            if !self.flush() {
                break;
            }
            self.tend(!more);
            if !more {
                break;
            }
        }
        // Those who still wait for an answer get none: their records are not durable.
    }

    fn now(&self) -> Duration {
        self.shared.doors.clock.elapsed()
    }

    /// Takes what waits until a group is full; false when nothing more will come.
    fn gather(&mut self) -> bool {
        // One that was held back is asked about again; others when they have come.
        let mut room = self.state.held.is_none() || self.has_room();
        let tick = if room { TICK } else { NO_ROOM_TICK };
        let tick = self.log.mark_due_in().map_or(tick, |due| due.min(tick));
        let Some(first) = self.wait_for(tick, room) else {
            return !self.stop.is_asked();
        };
        if room && !is_own(&first) && !self.has_room() {
            room = false;
            self.state.held = Some(first);
        } else {
            self.take(first);
        }
        let until = self.now() + self.pacing.group_wait;
        while self.log.pending().1 < self.pacing.group_bytes {
            let wait = until.saturating_sub(self.now());
            let next = match self.poll(room) {
                None if wait.is_zero() || self.stop.is_asked() => break,
                None => self.wait_for(wait, room),
                next => next,
            };
            match next {
                Some(next) => self.take(next),
                None => break,
            }
        }
        self.shared.writer.queued.store(self.queue.len(), Ordering::Relaxed);
        true
    }

    /// Whether the disk has room for a group of the sources' records.
    fn has_room(&mut self) -> bool {
        let path = &self.shared.folder;
        let room = match self.upkeep.reserve.has_room(self.pacing.group_bytes as u64) {
            Ok(true) => {
                self.shared.health.works(Part::Disk);
                return true;
            }
            Ok(false) => LogError::Full { path: path.clone() },
            Err(error) => error,
        };
        self.trouble(Part::Disk, &room);
        false
    }

    /// A batch that waits already; those of the sources only where there is room for them.
    fn poll(&mut self, room: bool) -> Option<Submitted> {
        if let Ok(own) = self.own.try_recv() {
            return Some(own);
        }
        if !room {
            return None;
        }
        self.state.held.take().or_else(|| self.queue.try_recv().ok())
    }

    /// Waits for a batch; `None` where none came in time or none will come any more.
    fn wait_for(&mut self, time: Duration, room: bool) -> Option<Submitted> {
        if let Some(next) = self.poll(room) {
            return Some(next);
        }
        let (queue, own, stop) = (&mut self.queue, &mut self.own, &self.stop);
        let next = self.runtime.block_on(async {
            tokio::select! {
                () = stop.asked_for() => None,
                Some(next) = own.recv() => Some(next),
                Some(next) = queue.recv(), if room => Some(next),
                () = tokio::time::sleep(time) => None,
            }
        });
        if next.is_none() && self.stop.is_asked() {
            // Nothing more comes in; what is in is still written.
            self.queue.close();
            self.own.close();
            return self.poll(room);
        }
        next
    }

    /// Gives a batch to the log, in memory as yet.
    fn take(&mut self, mut submitted: Submitted) {
        let batch = submitted.batch();
        let mut reached: Option<Position> = None;
        for record in batch.records() {
            self.log.append(&record);
            if let Some(position) = record.position {
                if let Some(before) = reached.filter(|before| before.file != position.file) {
                    self.state.reached.push((Arc::clone(batch.source()), before));
                }
                reached = Some(position);
            }
        }
        if let Some(position) = reached {
            self.state.reached.push((Arc::clone(batch.source()), position));
        }
        self.state.bytes += batch.bytes() as u64;
        submitted.taken_over();
        let end = self.log.size();
        self.state.group.push((submitted, end));
    }

    /// Makes the group durable and answers; false where the stop's time was over before.
    fn flush(&mut self) -> bool {
        if self.log.pending().0 == 0 {
            // Batches without a record are answered, too.
            self.answer();
            return true;
        }
        let mut pause = PAUSE_MIN;
        loop {
            let begun = self.now();
            match self.upkeep.reserve.commit(&mut self.log) {
                Ok(durable) => {
                    let took = self.now().saturating_sub(begun).as_micros() as u64;
                    self.count_flush(took);
                    self.shared.health.works(Part::Log);
                    self.shared.durable.publish(durable.size);
                    self.answer();
                    return true;
                }
                Err(error) => self.trouble(Part::Log, &error),
            }
            WriterMeters::count(&self.shared.writer.failures, 1);
            if self.stop.is_over(self.now()) {
                return false;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn count_flush(&mut self, took_us: u64) {
        let meters = &self.shared.writer;
        WriterMeters::count(&meters.groups, 1);
        WriterMeters::count(&meters.bytes, std::mem::take(&mut self.state.bytes));
        WriterMeters::count(&meters.flush_us, took_us);
        meters.last_flush_us.store(took_us, Ordering::Relaxed);
    }

    fn answer(&mut self) {
        let mut positions = locked(&self.shared.positions);
        for (source, position) in self.state.reached.drain(..) {
            positions.reach(&source, position);
        }
        positions.cover(self.log.durable().size);
        drop(positions);
        for (submitted, end) in self.state.group.drain(..) {
            submitted.durable(end);
        }
    }

    /// What is to be done from time to time. `last` does all of it now.
    fn tend(&mut self, last: bool) {
        let now = self.now();
        self.keep_mark(last);
        self.upkeep.turn(&mut self.log, &self.shared);
        let segments = self.log.segments().len();
        let rolled = std::mem::replace(&mut self.state.segments, segments) != segments;
        if let Some(every) = self.pacing.checkpoint {
            let size = self.log.durable().size;
            let due = last || rolled || now.saturating_sub(self.state.checkpoint_at) >= every;
            if due && self.state.checkpoint_size != Some(size) {
                self.checkpoint(now);
            }
        }
        if last || now.saturating_sub(self.state.positions_at) >= POSITIONS_EVERY {
            self.state.positions_at = now;
            let (storage, folder) = (&self.shared.doors.storage, &self.shared.data);
            // A cache: where it cannot be saved, more of the log is read at the next start.
            let mut positions = locked(&self.shared.positions);
            if let Some(held) = &self.shared.doors.store {
                for (source, connection) in held.take_gone() {
                    positions.forget(&source, connection);
                }
            }
            let _ = positions.save(storage.as_ref(), folder, self.log.key());
            drop(positions);
        }
        if last || rolled || now.saturating_sub(self.state.shown_at) >= TICK {
            self.state.shown_at = now;
            self.show();
        }
    }

    /// Brings the watermark up where it is due. The next commit does so too, and takes nothing in
    /// where it cannot.
    fn keep_mark(&mut self, last: bool) {
        if (last || self.log.mark_due_in() == Some(Duration::ZERO))
            && let Err(error) = self.log.settle_mark()
        {
            self.trouble(Part::Log, &error);
        }
    }

    fn checkpoint(&mut self, now: Duration) {
        // Also after a failure: it is tried again at the next turn, not without a pause.
        self.state.checkpoint_at = now;
        match self.upkeep.reserve.checkpoint(&mut self.log) {
            Ok(note) => {
                self.shared.health.works(Part::Checkpoint);
                self.state.checkpoint_size = Some(note.size);
                self.shared.view(|view| view.checkpoint = Some((note.size, note.time_us)));
                if let Some(keeper) = &self.shared.keeper {
                    keeper.push(note.size, note.encode());
                }
            }
            Err(error) => self.trouble(Part::Checkpoint, &error),
        }
    }

    /// Brings what the status shows of the log up to date.
    fn show(&self) {
        let segments = self.log.segments();
        let bytes = segments.iter().map(|segment| segment.bytes).sum();
        let first = segments.first().map_or(0, |segment| segment.first);
        let count = segments.len();
        self.shared.view(|view| {
            (view.segments, view.bytes, view.first) = (count, bytes, first);
        });
    }

    fn trouble(&self, part: Part, error: &LogError) {
        self.shared.health.fails(part, &error.problem(), self.shared.doors.clock.now_us());
    }
}

/// Whether a batch is the platform's own.
fn is_own(submitted: &Submitted) -> bool {
    submitted.batch().source().starts_with(OWN_SOURCES)
}

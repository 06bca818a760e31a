//! The one thread that writes the log: gathers what waits, flushes it together, answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bigsec_evidence::{LogError, LogWriter, Position};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};

use super::health::Part;
use super::locked;
use super::shared::{Shared, WriterMeters};
use crate::intake::Submitted;

/// First and longest pause before a failed flush is tried again.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// How often it looks after the log where no records come.
const TICK: Duration = Duration::from_secs(1);

/// How often the positions of files are saved.
const POSITIONS_EVERY: Duration = Duration::from_secs(10);

/// A stop that was asked for; shared with the thread.
#[derive(Debug, Default)]
pub(super) struct Stop {
    asked: Notify,
    /// When flushing is given up, by `Clock::elapsed` in ms; 0 while nobody asked.
    deadline_ms: AtomicU64,
}

impl Stop {
    /// Asks for the stop: what is in the queue is written still, at most until `deadline`.
    pub fn ask(&self, deadline: Duration) {
        let ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX).max(1);
        self.deadline_ms.store(ms, Ordering::Release);
        self.asked.notify_one();
    }

    fn is_asked(&self) -> bool {
        self.deadline_ms.load(Ordering::Acquire) > 0
    }

    fn is_over(&self, now: Duration) -> bool {
        let deadline = self.deadline_ms.load(Ordering::Acquire);
        deadline > 0 && now >= Duration::from_millis(deadline)
    }
}

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
    pub runtime: Handle,
    pub shared: Arc<Shared>,
    pub stop: Arc<Stop>,
    pub pacing: Pacing,
    pub state: State,
}

/// What the thread keeps from one round to the next.
#[derive(Default)]
pub(super) struct State {
    group: Vec<(Submitted, u64)>,
    reached: Vec<(Arc<str>, Position)>,
    bytes: u64,
    checkpoint_at: Duration,
    checkpoint_size: Option<u64>,
    segments: usize,
    positions_at: Duration,
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
        let Some(first) = self.wait_for(TICK) else { return !self.queue.is_closed() };
        self.take(first);
        let until = self.now() + self.pacing.group_wait;
        while self.log.pending().1 < self.pacing.group_bytes {
            match self.queue.try_recv() {
                Ok(next) => self.take(next),
                Err(mpsc::error::TryRecvError::Disconnected) => return false,
                Err(mpsc::error::TryRecvError::Empty) => {
                    let wait = until.saturating_sub(self.now());
                    if wait.is_zero() || self.stop.is_asked() {
                        break;
                    }
                    match self.wait_for(wait) {
                        Some(next) => self.take(next),
                        None => break,
                    }
                }
            }
        }
        self.shared.writer.queued.store(self.queue.len(), Ordering::Relaxed);
        true
    }

    /// Waits for a batch; `None` where none came in time or none will come any more.
    fn wait_for(&mut self, time: Duration) -> Option<Submitted> {
        if let Ok(next) = self.queue.try_recv() {
            return Some(next);
        }
        if self.stop.is_asked() {
            self.queue.close();
        }
        let (queue, stop) = (&mut self.queue, &self.stop);
        self.runtime.block_on(async {
            tokio::select! {
                next = queue.recv() => next,
                () = stop.asked.notified() => None,
                () = tokio::time::sleep(time) => None,
            }
        })
    }

    /// Gives a batch to the log, in memory as yet.
    fn take(&mut self, submitted: Submitted) {
        let batch = &submitted.batch;
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
            match self.log.commit() {
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
            let _ = positions.save(storage.as_ref(), folder, self.log.key());
            drop(positions);
            self.show();
        } else if rolled {
            self.show();
        }
    }

    fn checkpoint(&mut self, now: Duration) {
        // Also after a failure: it is tried again at the next turn, not without a pause.
        self.state.checkpoint_at = now;
        match self.log.checkpoint() {
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

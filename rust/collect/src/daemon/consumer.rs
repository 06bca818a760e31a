//! The thread that reads the log behind the writer and gives chunks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bigsec_event::Problem;

use super::chunk::Chunk;
use super::health::Part;
use super::locked;
use super::shared::Shared;
use super::upkeep::NICENESS;
use super::walk::{Knowledge, Pace, Walk};

/// How long records wait for others before a chunk of them is given.
const CHUNK_AGE: Duration = Duration::from_millis(250);

/// How long it leaves the writer alone between two looks, so that it does not wake for each group.
const STEP: Duration = Duration::from_millis(10);

/// How long it sleeps at most where nothing comes.
const IDLE: Duration = Duration::from_secs(1);

/// Pause after reading failed.
const PAUSE: Duration = Duration::from_secs(1);

/// How others speak to the consumer's thread.
#[derive(Default)]
pub(super) struct Control {
    /// Where it is: all before this was made into chunks.
    pub next: AtomicU64,
    /// Nothing more will be written: it ends once it is there.
    ending: AtomicBool,
    lesson: Mutex<Option<Knowledge>>,
}

impl Control {
    /// Other packs and rules, from the next chunk on.
    pub fn teach(&self, knowledge: Knowledge) {
        *locked(&self.lesson) = Some(knowledge);
    }

    /// Nothing more will be written.
    pub fn end(&self) {
        self.ending.store(true, Ordering::Release);
    }
}

/// Starts the thread. One chunk waits in the channel and one in the thread's hand, no more.
pub(super) fn start(
    walk: Walk,
    shared: Arc<Shared>,
    control: Arc<Control>,
) -> std::io::Result<Receiver<Chunk>> {
    let (out, chunks) = sync_channel(1);
    control.next.store(walk.next(), Ordering::Release);
    let consumer = Consumer { walk, shared, control, out };
    let work = move || {
        // Senders wait for the writer; what is in the log can wait for us.
        let _ = rustix::process::nice(NICENESS);
        consumer.run();
    };
    std::thread::Builder::new().name("consumer".to_owned()).spawn(work)?;
    Ok(chunks)
}

struct Consumer {
    walk: Walk,
    shared: Arc<Shared>,
    control: Arc<Control>,
    out: SyncSender<Chunk>,
}

impl Consumer {
    fn run(mut self) {
        loop {
            self.learn();
            if !self.gather() {
                return;
            }
            if self.walk.is_empty() {
                continue;
            }
            let chunk = self.walk.take();
            let next = chunk.next;
            self.shared.totals.add(&chunk.ledgers);
            self.control.next.store(next, Ordering::Release);
            // Nobody takes chunks any more: the daemon is gone.
            if self.out.send(chunk).is_err() {
                return;
            }
        }
    }

    fn learn(&mut self) {
        let Some(knowledge) = locked(&self.control.lesson).take() else { return };
        if let Err(problem) = self.walk.learn(&knowledge) {
            // Tried before it was taught; noted all the same.
            self.trouble(&problem);
        }
    }

    /// Reads until there is a chunk; false when all was read and nothing more will come.
    fn gather(&mut self) -> bool {
        let mut since = None;
        loop {
            let ending = self.control.ending.load(Ordering::Acquire);
            let durable = self.shared.durable.get();
            match self.walk.advance(durable) {
                Ok(Pace::Full) => return true,
                Ok(Pace::AtEnd) => {
                    self.shared.health.works(Part::Reading);
                    if ending {
                        return !self.walk.is_empty();
                    }
                }
                Err(error) => {
                    self.trouble(&error.problem());
                    if ending {
                        return !self.walk.is_empty();
                    }
                    std::thread::sleep(PAUSE);
                    // Fails again where the cause stands, and is tried again.
                    let _ = self.walk.reopen();
                    continue;
                }
            }
            let now = self.shared.doors.clock.elapsed();
            if self.walk.is_empty() {
                if locked(&self.control.lesson).is_some() {
                    return true;
                }
                self.shared.durable.wait_past(self.walk.next().max(durable), IDLE);
            } else if now.saturating_sub(*since.get_or_insert(now)) >= CHUNK_AGE {
                return true;
            }
            std::thread::sleep(STEP);
        }
    }

    fn trouble(&self, problem: &Problem) {
        self.shared.health.fails(Part::Reading, problem, self.shared.doors.clock.now_us());
    }
}

//! The daemon as a whole: opens the log, starts the threads, changes and stops them in order.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bigsec_detect::{Entities, RuleSet};
use bigsec_event::{Problem, codes};
use bigsec_evidence::keys::Signer;
use bigsec_evidence::{Flags, LogOptions, LogWriter, Recovery};
use bigsec_parse::PackSet;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use super::chunk::Chunk;
use super::consumer::{self, Control};
use super::durable::DurableSize;
use super::health::{Health, Part};
use super::keeper::{Destination, Keeper};
use super::recall::Recall;
use super::roster::Roster;
use super::settings::{LogSettings, OWN_SOURCES, Settings, invalid};
use super::shared::{Doors, LogView, Shared, WriterMeters};
use super::totals::Totals;
use super::upkeep::Upkeep;
use super::walk::{Knowledge, Walk};
use super::writer_thread::{Pacing, State, Stop, WriterThread};
use super::{admin, locked, status};
use crate::intake::{Batch, Intake, Submitted, intake};
use crate::source::{Descriptors, Doubles};

/// Time that the last flush and checkpoint may take after a stop's deadline.
const GRACE: Duration = Duration::from_secs(5);

/// The rules that are looked for, and the table of entities.
pub type Rules = (Arc<RuleSet>, Arc<Entities>);

/// The daemon.
pub struct Daemon {
    shared: Arc<Shared>,
    stop: Arc<Stop>,
    settings: Mutex<Settings>,
    knowledge: Mutex<Knowledge>,
    /// What waits for the start.
    prepared: Mutex<Option<Prepared>>,
    intake: Mutex<Option<Intake>>,
    /// For the platform's own records.
    own: Mutex<Option<Intake>>,
    roster: Mutex<Option<Roster>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    chunks: Mutex<Option<Receiver<Chunk>>>,
    // The last field: tasks end after all that they use was told to stop.
    runtime: Runtime,
}

/// What was opened and goes to the threads.
struct Prepared {
    log: LogWriter,
    queue: mpsc::Receiver<Submitted>,
    own: mpsc::Receiver<Submitted>,
    upkeep: Upkeep,
    destination: Option<Destination>,
    doubles: BTreeMap<String, Arc<Doubles>>,
}

impl Daemon {
    /// Opens the log and reads what it tells; nothing is taken in yet.
    pub fn open(
        settings: Settings,
        packs: Arc<PackSet>,
        rules: Option<Rules>,
        doors: Doors,
    ) -> Result<Self, Problem> {
        let knowledge = Knowledge { parsing: settings.parsing(packs)?, rules };
        let destination = Destination::of(&settings.log, doors.storage.as_ref())?;
        let folder = settings.log_dir();
        let options = log_options(&settings, &doors)?;
        let (log, recovery) =
            LogWriter::open(Arc::clone(&doors.storage), Arc::clone(&doors.clock), &folder, options)
                .map_err(|error| error.problem())?;
        let upkeep = Upkeep::open(&log, &settings.log, &doors)?;
        let durable = log.durable().size;
        let recall = Recall::of(&doors.storage, &folder, &settings.data_dir, durable)
            .map_err(|error| error.problem())?;
        let keeper = settings.log.keeper.as_deref().map(|keeper| Arc::new(Keeper::new(keeper)));
        let shared = Arc::new(Shared {
            name: settings.name.clone(),
            log_id: log.id(),
            data: settings.data_dir.clone(),
            folder,
            started_us: doors.clock.now_us(),
            doors,
            health: Health::default(),
            durable: DurableSize::default(),
            log: Mutex::new(view(&recovery)),
            writer: WriterMeters::default(),
            keeper,
            positions: Mutex::new(recall.positions),
            totals: Totals::default(),
            consumer: Arc::new(Control::default()),
            sources: Mutex::default(),
            gauges: Mutex::default(),
        });
        shared.durable.publish(durable);
        report(&shared, &recovery);
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("sources")
            .enable_all()
            .build()
            .map_err(|error| no_thread(&error))?;
        let (own, own_queue) = intake();
        let (intake, queue) = intake();
        let doubles = recall.doubles;
        let prepared = Prepared { log, queue, own: own_queue, upkeep, destination, doubles };
        Ok(Self {
            shared,
            stop: Arc::default(),
            settings: Mutex::new(settings),
            knowledge: Mutex::new(knowledge),
            prepared: Mutex::new(Some(prepared)),
            intake: Mutex::new(Some(intake)),
            own: Mutex::new(Some(own)),
            roster: Mutex::default(),
            writer: Mutex::default(),
            chunks: Mutex::default(),
            runtime,
        })
    }

    /// Starts the threads and the sources. Chunks begin at `position`; `None` is the log's first
    /// record.
    pub fn start(&self, position: Option<u64>) -> Result<(), Problem> {
        let Some(prepared) = locked(&self.prepared).take() else {
            return Err(Problem::new(codes::DAEMON_STATE, "the daemon was already started"));
        };
        let settings = locked(&self.settings).clone();
        let knowledge = locked(&self.knowledge).clone();
        let storage = Arc::clone(&self.shared.doors.storage);
        let walk = Walk::open(storage, &self.shared.folder, position, &knowledge, false)?;
        let control = Arc::clone(&self.shared.consumer);
        let chunks = consumer::start(walk, Arc::clone(&self.shared), control)
            .map_err(|error| no_thread(&error))?;
        *locked(&self.chunks) = Some(chunks);
        self.start_keeper(prepared.destination)?;
        let writer = WriterThread {
            log: prepared.log,
            queue: prepared.queue,
            own: prepared.own,
            upkeep: prepared.upkeep,
            runtime: self.runtime.handle().clone(),
            shared: Arc::clone(&self.shared),
            stop: Arc::clone(&self.stop),
            pacing: pacing(&settings.log),
            state: State::default(),
        };
        *locked(&self.writer) =
            Some(spawn("writer", move || writer.run()).map_err(|error| no_thread(&error))?);
        if let Some(address) = &settings.admin.listen {
            admin::start(address, Arc::clone(&self.shared), self.runtime.handle()).map_err(
                |error| invalid("admin.listen", &format!("cannot listen on {address}: {error}")),
            )?;
        }
        let Some(intake) = locked(&self.intake).clone() else { return Ok(()) };
        let mut roster = Roster::new(
            Arc::clone(&self.shared),
            intake,
            Arc::new(Descriptors::new(settings.limits.descriptors_reserved)),
            self.runtime.handle().clone(),
            prepared.doubles,
        );
        roster.change(&settings.sources)?;
        *locked(&self.roster) = Some(roster);
        Ok(())
    }

    fn start_keeper(&self, destination: Option<Destination>) -> Result<(), Problem> {
        let (Some(destination), Some(keeper)) = (destination, self.shared.keeper.clone()) else {
            return Ok(());
        };
        let shared = Arc::clone(&self.shared);
        // Left to itself at the end: what it still sends is under the log's own notes, too.
        spawn("keeper", move || {
            keeper.run(&destination, &shared.name, &shared.doors, &shared.health);
        })
        .map_err(|error| no_thread(&error))?;
        Ok(())
    }

    /// The next chunk; `None` where none came in time, or none will come: see
    /// [`is_drained`](Self::is_drained).
    pub fn next_chunk(&self, timeout: Duration) -> Option<Chunk> {
        let mut chunks = locked(&self.chunks);
        match chunks.as_ref()?.recv_timeout(timeout) {
            Ok(chunk) => Some(chunk),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                *chunks = None;
                None
            }
        }
    }

    /// Whether the daemon was stopped and all chunks were given.
    pub fn is_drained(&self) -> bool {
        locked(&self.chunks).is_none() && locked(&self.prepared).is_none()
    }

    /// Id of the log.
    pub fn log_id(&self) -> [u8; 16] {
        self.shared.log_id
    }

    /// Records that are durable and in no chunk yet.
    pub fn lag(&self) -> u64 {
        self.shared.lag()
    }

    /// Keeps records of the platform itself; gives the sequence after the last once all are
    /// durable.
    pub fn append(
        &self,
        source: &str,
        records: &[Vec<u8>],
        timeout: Duration,
    ) -> Result<u64, Problem> {
        if !source.starts_with(OWN_SOURCES) || source.len() > 255 {
            let what = format!("{source:?} is not a source of the platform: {OWN_SOURCES}NAME");
            return Err(Problem::new(codes::DAEMON_STATE, what));
        }
        let closed = || Problem::new(codes::DAEMON_STATE, "the daemon takes no more records");
        let own = locked(&self.own).clone().ok_or_else(closed)?;
        let mut batch = Batch::new(Arc::from(source), None, self.shared.doors.clock.now_us());
        for record in records {
            batch.push(record, Flags::default(), None);
        }
        self.runtime.block_on(async {
            let durable = async {
                let ticket = own.submit(batch).await.map_err(|_| closed())?;
                ticket.durable().await.map_err(|_| closed())
            };
            tokio::time::timeout(timeout, durable).await.unwrap_or_else(|_| {
                Err(Problem::new(codes::LOG_FULL, "the log did not take the records in time"))
            })
        })
    }

    /// The status as JSON.
    pub fn status(&self) -> Value {
        status::status(&self.shared)
    }

    /// Where a source listens.
    pub fn address(&self, source: &str) -> Option<SocketAddr> {
        locked(&self.roster).as_ref()?.address(source)
    }

    /// Shows a value of another part of the platform among the metrics.
    pub fn set_gauge(&self, name: &str, value: f64) {
        locked(&self.shared.gauges).insert(name.to_owned(), value);
    }

    /// Takes other settings, packs and rules: sources are started, stopped and changed; packs and
    /// rules hold from the next chunk on. Says what changed. Where something is wrong, all stays.
    pub fn reload(
        &self,
        settings: Settings,
        packs: Arc<PackSet>,
        rules: Option<Rules>,
    ) -> Result<Value, Problem> {
        let knowledge = Knowledge { parsing: settings.parsing(packs)?, rules };
        let mut present = locked(&self.settings);
        if (&settings.name, &settings.data_dir) != (&present.name, &present.data_dir) {
            let what = "name and data_dir hold as long as the log does; start another daemon";
            return Err(invalid("name", what));
        }
        let mut roster = locked(&self.roster);
        let Some(roster) = roster.as_mut() else {
            return Err(Problem::new(codes::DAEMON_STATE, "the daemon does not run"));
        };
        let changes = roster.change(&settings.sources)?;
        let mut restart = Vec::new();
        if settings.log != present.log {
            restart.push("log");
        }
        if settings.admin != present.admin {
            restart.push("admin");
        }
        let version = |knowledge: &Knowledge| {
            knowledge.rules.as_ref().map(|(rules, _)| rules.version().to_owned())
        };
        let rules = version(&locked(&self.knowledge)) != version(&knowledge);
        self.shared.consumer.teach(knowledge.clone());
        self.shared.durable.wake();
        *locked(&self.knowledge) = knowledge;
        // What needs a restart stays as it is, so that a later reload names it again.
        *present = Settings { log: present.log.clone(), admin: present.admin.clone(), ..settings };
        Ok(json!({"sources": changes, "rules": rules, "needs_restart": restart}))
    }

    /// Stops in order: sources, queue, last flush and checkpoint. Chunks of what is in the log can
    /// still be fetched. Gives the names of sources that did not end in time.
    pub fn stop(&self, deadline: Duration) -> Vec<String> {
        let clock = &self.shared.doors.clock;
        let until = clock.elapsed() + deadline;
        let roster = locked(&self.roster).take();
        let late = roster.map(|roster| roster.stop(deadline / 2)).unwrap_or_default();
        drop((locked(&self.intake).take(), locked(&self.own).take()));
        self.stop.ask(until);
        if let Some(writer) = locked(&self.writer).take() {
            // A disk that does not answer keeps the thread, but not the stop.
            while !writer.is_finished() && clock.elapsed() < until + GRACE {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        drop(locked(&self.prepared).take());
        if let Some(keeper) = &self.shared.keeper {
            keeper.close();
        }
        self.shared.consumer.end();
        self.shared.durable.wake();
        late
    }
}

impl Drop for Daemon {
    /// Stops without waiting for anything but the flush at hand.
    fn drop(&mut self) {
        drop(locked(&self.chunks).take());
        self.stop(Duration::ZERO);
    }
}

fn pacing(log: &LogSettings) -> Pacing {
    Pacing {
        group_bytes: log.group_bytes,
        group_wait: Duration::from_millis(log.group_ms),
        checkpoint: log.key_file.as_ref().map(|_| Duration::from_secs(log.checkpoint_s)),
    }
}

fn log_options(settings: &Settings, doors: &Doors) -> Result<LogOptions, Problem> {
    let log = &settings.log;
    let load = |path: &Path| {
        Signer::load(doors.storage.as_ref(), path)
            .map_err(|error| invalid("log.key_file", &error.to_string()))
    };
    Ok(LogOptions {
        name: settings.name.clone(),
        segment_bytes: log.segment_bytes,
        segment_age_us: (log.segment_age_s * 1_000_000).cast_signed(),
        new_id: None,
        signer: log.key_file.as_deref().map(load).transpose()?,
        reserve_bytes: log.reserve_bytes,
        min_free_bytes: log.min_free_bytes,
        record_bytes_max: settings.limits.record_bytes_max,
    })
}

fn view(recovery: &Recovery) -> LogView {
    LogView {
        torn_bytes: recovery.cut_bytes,
        adopted: recovery.adopted,
        damage: recovery.damage.iter().map(|damage| damage.detail.clone()).collect(),
        ..LogView::default()
    }
}

/// Damage found at the start turns the health red, until somebody has looked and restarts.
fn report(shared: &Shared, recovery: &Recovery) {
    let Some(first) = recovery.damage.first() else { return };
    let count = recovery.damage.len();
    let what = format!("the log was found damaged in {count} places; first: {}", first.detail);
    let problem = Problem::new(codes::LOG_DAMAGED, what).mend("run `bigsec verify` for all places");
    shared.health.fails(Part::Damage, &problem, shared.started_us);
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

fn no_thread(error: &std::io::Error) -> Problem {
    Problem::new(codes::DAEMON_STATE, format!("a thread cannot be started: {error}"))
        .mend("raise the limit of tasks")
}

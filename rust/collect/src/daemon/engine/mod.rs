//! The daemon as a whole: opens the log, starts the threads, changes and stops them in order.

mod change;
mod opening;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bigsec_event::{Problem, codes};
use bigsec_evidence::{Flags, LogWriter};
use bigsec_parse::PackSet;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use crate::daemon::chunk::Chunk;
use crate::daemon::consumer::{self, Control};
use crate::daemon::durable::DurableSize;
use crate::daemon::health::{Health, Part};
use crate::daemon::keeper::{Destination, Keeper};
use crate::daemon::recall::Recall;
use crate::daemon::roster::Roster;
use crate::daemon::settings::{OWN_SOURCES, Settings, invalid};
use crate::daemon::shared::{Doors, Shared, WriterMeters};
use crate::daemon::stop::Stop;
use crate::daemon::totals::Totals;
use crate::daemon::upkeep::Upkeep;
use crate::daemon::walk::{Knowledge, Walk};
use crate::daemon::writer_thread::{State, WriterThread};
use crate::daemon::{admin, locked, status};
use crate::detector::Detection;
use crate::intake::{Batch, Intake, Submitted, intake, intake_of};
use crate::source::{Descriptors, Doubles, SourceSettings};

use opening::{log_options, pacing, report, view};

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
    keeper: Mutex<Option<JoinHandle<()>>>,
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
        detection: Option<Detection>,
        doors: Doors,
    ) -> Result<Self, Problem> {
        let brake = Some(settings.limits.brake());
        let knowledge = Knowledge { parsing: settings.parsing(packs)?, detection, brake };
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
        let (intake, queue) = intake_of(settings.limits.queue_bytes_max);
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
            keeper: Mutex::default(),
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
        let shared = Arc::clone(&self.shared);
        let work = move || {
            // Sources are told by the queue's end; this tells everybody else.
            if catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
                let what = "the writer of the log ended by a defect; start the daemon again";
                let problem = Problem::new(codes::DAEMON_STATE, what);
                shared.health.fails(Part::Log, &problem, shared.doors.clock.now_us());
            }
        };
        *locked(&self.writer) = Some(spawn("writer", work).map_err(|error| no_thread(&error))?);
        let Some(intake) = locked(&self.intake).clone() else { return Ok(()) };
        let mut roster = Roster::new(
            Arc::clone(&self.shared),
            intake,
            Arc::new(Descriptors::new(settings.limits.descriptors_reserved)),
            self.runtime.handle().clone(),
            prepared.doubles,
        );
        self.forget_connections(&settings);
        roster.change(&settings.sources)?;
        *locked(&self.roster) = Some(roster);
        if let Some(store) = &self.shared.doors.store {
            self.runtime.block_on(store.release_unclaimed());
        }
        // Last: whoever is told `ready` finds every source listening.
        if let Some(address) = &settings.admin.listen {
            admin::start(address, Arc::clone(&self.shared), self.runtime.handle()).map_err(
                |error| invalid("admin.listen", &format!("cannot listen on {address}: {error}")),
            )?;
        }
        Ok(())
    }

    /// Connections of an earlier run that nobody held are over.
    fn forget_connections(&self, settings: &Settings) {
        let store = self.shared.doors.store.as_ref();
        let inherited = store.map(|store| store.inherited()).unwrap_or_default();
        let mut positions = locked(&self.shared.positions);
        for (name, entry) in &settings.sources {
            if matches!(entry.input, SourceSettings::SyslogTcp(_)) {
                positions.keep_only(name, &inherited);
            }
        }
    }

    fn start_keeper(&self, destination: Option<Destination>) -> Result<(), Problem> {
        let (Some(destination), Some(keeper)) = (destination, self.shared.keeper.clone()) else {
            return Ok(());
        };
        let shared = Arc::clone(&self.shared);
        let work = move || keeper.run(&destination, &shared.name, &shared.doors, &shared.health);
        *locked(&self.keeper) = Some(spawn("keeper", work).map_err(|error| no_thread(&error))?);
        Ok(())
    }

    /// The next chunk; `None` where none came in time, or none will come: see
    /// [`is_drained`](Self::is_drained). Fails where the reader ended without being told to.
    pub fn next_chunk(&self, timeout: Duration) -> Result<Option<Chunk>, Problem> {
        let mut chunks = locked(&self.chunks);
        let Some(receiver) = chunks.as_ref() else { return Ok(None) };
        match receiver.recv_timeout(timeout) {
            Ok(chunk) => Ok(Some(chunk)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) if self.stop.is_asked() => {
                *chunks = None;
                Ok(None)
            }
            Err(RecvTimeoutError::Disconnected) => {
                let what = "the reader of the log ended by a defect; start the daemon again";
                Err(Problem::new(codes::DAEMON_STATE, what))
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
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

fn no_thread(error: &std::io::Error) -> Problem {
    Problem::new(codes::DAEMON_STATE, format!("a thread cannot be started: {error}"))
        .mend("raise the limit of tasks")
}

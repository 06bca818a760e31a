//! The daemon, its chunks, and the events of a log.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bigsec_collect::Detection;
use bigsec_collect::clock::{Clock, SystemClock};
use bigsec_collect::daemon::{self, Chunk, Doors, LogQuery, Settings};
use bigsec_collect::storage::Disk;
use bigsec_event::Problem;
use pyo3::prelude::*;

use crate::arrow::Batch;
use crate::descriptors::DescriptorStore;
use crate::error::raise_problem;
use crate::evidence::hex;
use crate::packs::Packs;
use crate::reader::lock;
use crate::rules::Rules;

/// How long it waits at a time without looking whether the user wants to stop.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long the platform's own records may wait for the log.
const APPEND_TIMEOUT: Duration = Duration::from_secs(30);

/// What became of the records of one source in a stretch of a log.
#[pyclass(frozen, skip_from_py_object, module = "bigsec._core")]
#[derive(Clone)]
pub struct SourceLedger(Arc<daemon::SourceLedger>);

#[pymethods]
impl SourceLedger {
    #[getter]
    fn source(&self) -> &str {
        &self.0.source
    }

    #[getter]
    fn received(&self) -> u64 {
        self.0.received
    }

    #[getter]
    fn parsed(&self) -> u64 {
        self.0.parsed
    }

    #[getter]
    fn unparsed(&self) -> u64 {
        self.0.unparsed
    }

    #[getter]
    fn quarantined(&self) -> u64 {
        self.0.quarantined
    }

    #[getter]
    fn events(&self) -> u64 {
        self.0.events
    }

    #[getter]
    fn doubles(&self) -> u64 {
        self.0.doubles
    }

    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    #[getter]
    fn first_received_us(&self) -> i64 {
        self.0.first_received_us
    }

    #[getter]
    fn last_received_us(&self) -> i64 {
        self.0.last_received_us
    }

    #[getter]
    fn clock_skew_us(&self) -> Option<i64> {
        self.0.clock_skew_us()
    }

    #[getter]
    fn parsers(&self) -> BTreeMap<String, u64> {
        self.0.parsers.iter().map(|(parser, count)| (parser.to_string(), *count)).collect()
    }

    #[getter]
    fn reasons(&self) -> BTreeMap<&'static str, u64> {
        self.0.reasons.clone()
    }

    fn __repr__(&self) -> String {
        let ledger = &self.0;
        format!(
            "<SourceLedger {:?}: {} received = {} parsed + {} unparsed + {} quarantined>",
            ledger.source, ledger.received, ledger.parsed, ledger.unparsed, ledger.quarantined
        )
    }
}

/// What the records `[first, next)` of a log come to.
#[pyclass(frozen, module = "bigsec._core")]
pub struct DaemonChunk {
    #[pyo3(get)]
    signals: Py<Batch>,
    #[pyo3(get)]
    events: Py<Batch>,
    #[pyo3(get)]
    every: Option<Py<Batch>>,
    #[pyo3(get)]
    ledgers: Vec<SourceLedger>,
    #[pyo3(get)]
    lost: Vec<(u64, u64, String)>,
    #[pyo3(get)]
    braked: Vec<(String, String, u64)>,
    #[pyo3(get)]
    first: u64,
    #[pyo3(get)]
    next: u64,
    #[pyo3(get)]
    lag: u64,
}

impl DaemonChunk {
    fn new(py: Python<'_>, chunk: Chunk, lag: u64) -> PyResult<Self> {
        Ok(Self {
            signals: Py::new(py, Batch(chunk.signals))?,
            events: Py::new(py, Batch(chunk.events))?,
            every: chunk.every.map(|every| Py::new(py, Batch(every))).transpose()?,
            ledgers: chunk.ledgers.into_iter().map(|one| SourceLedger(Arc::new(one))).collect(),
            lost: chunk.lost.into_iter().map(|one| (one.first, one.end, one.what)).collect(),
            braked: chunk
                .braked
                .into_iter()
                .map(|one| (one.rule_id, one.rule_title, one.signals))
                .collect(),
            first: chunk.first,
            next: chunk.next,
            lag,
        })
    }
}

/// Sources, the evidence log and its reader.
#[pyclass(frozen, module = "bigsec._core")]
pub struct Daemon(daemon::Daemon);

#[pymethods]
impl Daemon {
    #[new]
    #[pyo3(signature = (settings, packs, rules, store = None))]
    fn new(
        py: Python<'_>,
        settings: &str,
        packs: &Packs,
        rules: Option<PyRef<'_, Rules>>,
        store: Option<PyRef<'_, DescriptorStore>>,
    ) -> PyResult<Self> {
        let (packs, detection) = (Arc::clone(&packs.0), detection_of(rules));
        let store = store.map(|store| Arc::clone(&store.0));
        let doors = Doors { store, storage: Arc::new(Disk), clock: Arc::new(SystemClock) };
        py.detach(|| daemon::Daemon::open(Settings::from_json(settings)?, packs, detection, doors))
            .map(Self)
            .map_err(|problem| raise_problem(py, &problem))
    }

    #[getter]
    fn log_id(&self) -> String {
        hex(&self.0.log_id())
    }

    #[getter]
    fn drained(&self) -> bool {
        self.0.is_drained()
    }

    fn start(&self, py: Python<'_>, position: i64) -> PyResult<()> {
        let position = u64::try_from(position).ok();
        py.detach(|| self.0.start(position)).map_err(|problem| raise_problem(py, &problem))
    }

    fn next_chunk(&self, py: Python<'_>, timeout_s: f64) -> PyResult<Option<DaemonChunk>> {
        let step = |wait| self.0.next_chunk(wait);
        let chunk = patiently(py, timeout_s, step, || self.0.is_drained())?;
        chunk.map(|chunk| DaemonChunk::new(py, chunk, self.0.lag())).transpose()
    }

    fn append(&self, py: Python<'_>, source: &str, records: Vec<Vec<u8>>) -> PyResult<u64> {
        py.detach(|| self.0.append(source, &records, APPEND_TIMEOUT))
            .map_err(|problem| raise_problem(py, &problem))
    }

    fn status(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.status().to_string())
    }

    fn address(&self, source: &str) -> Option<String> {
        self.0.address(source).map(|address| address.to_string())
    }

    fn set_gauge(&self, name: &str, value: f64) {
        self.0.set_gauge(name, value);
    }

    fn reload(
        &self,
        py: Python<'_>,
        settings: &str,
        packs: &Packs,
        rules: Option<PyRef<'_, Rules>>,
    ) -> PyResult<String> {
        let (packs, detection) = (Arc::clone(&packs.0), detection_of(rules));
        py.detach(|| self.0.reload(Settings::from_json(settings)?, packs, detection))
            .map(|changes| changes.to_string())
            .map_err(|problem| raise_problem(py, &problem))
    }

    fn stop(&self, py: Python<'_>, deadline_s: f64) -> Vec<String> {
        let deadline = Duration::try_from_secs_f64(deadline_s).unwrap_or_default();
        py.detach(|| self.0.stop(deadline))
    }
}

/// Reads an evidence log from a position on, also beside its writer.
#[pyclass(frozen, module = "bigsec._core")]
pub struct LogEvents {
    inner: Mutex<daemon::LogEvents>,
}

#[pymethods]
impl LogEvents {
    #[new]
    #[pyo3(signature = (path, packs, *, settings=None, rules=None, position=-1, until=None))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        packs: &Packs,
        settings: Option<&str>,
        rules: Option<PyRef<'_, Rules>>,
        position: i64,
        until: Option<u64>,
    ) -> PyResult<Self> {
        let (packs, detection) = (Arc::clone(&packs.0), detection_of(rules));
        let open = || {
            let query = LogQuery {
                from: u64::try_from(position).ok(),
                to: until,
                packs,
                every: detection.is_none(),
                detection,
                settings: settings.map(Settings::from_json).transpose()?,
            };
            daemon::LogEvents::open(Arc::new(Disk), &path, query)
        };
        py.detach(open)
            .map(|inner| Self { inner: Mutex::new(inner) })
            .map_err(|problem| raise_problem(py, &problem))
    }

    fn next_chunk(&self, py: Python<'_>, timeout_s: f64) -> PyResult<Option<DaemonChunk>> {
        let step = |wait: Duration| {
            let mut events = lock(&self.inner);
            let chunk = events.next_chunk()?;
            if chunk.is_none() && !events.is_at_end() {
                drop(events);
                std::thread::sleep(wait);
            }
            Ok(chunk)
        };
        let chunk = patiently(py, timeout_s, step, || lock(&self.inner).is_at_end())?;
        let lag = lock(&self.inner).lag();
        chunk.map(|chunk| DaemonChunk::new(py, chunk, lag)).transpose()
    }
}

fn detection_of(rules: Option<PyRef<'_, Rules>>) -> Option<Detection> {
    rules.map(|rules| rules.detection())
}

/// Waits for a chunk in short steps, so that an interrupt is heard in between.
fn patiently(
    py: Python<'_>,
    timeout_s: f64,
    mut step: impl FnMut(Duration) -> Result<Option<Chunk>, Problem> + Send,
    is_over: impl Fn() -> bool,
) -> PyResult<Option<Chunk>> {
    let clock = SystemClock;
    let timeout = Duration::try_from_secs_f64(timeout_s).unwrap_or_default();
    let until = clock.elapsed() + timeout;
    loop {
        let wait = until.saturating_sub(clock.elapsed()).min(PATIENCE);
        let chunk = py.detach(|| step(wait)).map_err(|problem| raise_problem(py, &problem))?;
        if chunk.is_some() || is_over() || clock.elapsed() >= until {
            return Ok(chunk);
        }
        py.check_signals()?;
    }
}

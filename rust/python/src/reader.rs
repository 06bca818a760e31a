//! Inputs in, event batches out.

use std::sync::{Arc, Mutex, MutexGuard};

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use bigsec_collect::{Feed, FileBook, Progress};
use bigsec_event::{EventBatchBuilder, codes};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::arrow::{Batch, schema_capsule, stream_capsule};
use crate::error::{raise, raise_problem};
use crate::input::{Raised, check_raised, inputs_of, options_of};
use crate::ledger::Ledger;
use crate::packs::Packs;

/// A feed and the builder of its batches.
struct State {
    feed: Feed,
    builder: EventBatchBuilder,
}

impl State {
    fn next_batch(&mut self) -> Option<RecordBatch> {
        while !self.builder.is_full() {
            let Some(event) = self.feed.next_event() else { break };
            let parsed = event.parsed;
            self.builder.append(&parsed.record, &parsed.map, &event.meta, parsed.derived());
        }
        (!self.builder.is_empty()).then(|| self.builder.finish())
    }
}

/// The rest of a reader's batches as an Arrow stream.
struct Rest {
    state: Arc<Mutex<State>>,
    schema: SchemaRef,
}

impl Iterator for Rest {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        lock(&self.state).next_batch().map(Ok)
    }
}

impl RecordBatchReader for Rest {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// How far the one reading has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Iterating,
    /// Read to its end, or handed out as a stream.
    Gone,
}

/// Reads inputs into event batches, once.
#[pyclass(frozen, module = "bigsec._core")]
pub struct EventReader {
    state: Arc<Mutex<State>>,
    schema: SchemaRef,
    progress: Arc<Progress>,
    raised: Raised,
    stage: Mutex<Stage>,
}

#[pymethods]
impl EventReader {
    #[new]
    #[pyo3(signature = (inputs, packs, *, format=None, timezone="UTC", received_us=None, keep_raw=false))]
    fn new(
        inputs: &Bound<'_, PyAny>,
        packs: &Packs,
        format: Option<String>,
        timezone: &str,
        received_us: Option<i64>,
        keep_raw: bool,
    ) -> PyResult<Self> {
        let py = inputs.py();
        let raised = Raised::default();
        let options = options_of(py, format, timezone, received_us, keep_raw, FileBook::default())?;
        let feed = Feed::new(inputs_of(inputs, &raised)?, Arc::clone(&packs.0), options)
            .map_err(|problem| raise_problem(py, &problem))?;
        let builder = EventBatchBuilder::new(packs.0.maps());
        let schema = Arc::clone(builder.schema());
        let progress = Arc::clone(feed.progress());
        let state = Arc::new(Mutex::new(State { feed, builder }));
        Ok(Self { state, schema, progress, raised, stage: Mutex::new(Stage::Fresh) })
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyResult<PyRef<'_, Self>> {
        if *lock(&slf.stage) == Stage::Gone {
            return Err(consumed(slf.py()));
        }
        Ok(slf)
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        *lock(&self.stage) = Stage::Iterating;
        let batch = py.detach(|| lock(&self.state).next_batch());
        check_raised(&self.raised)?;
        if batch.is_none() {
            *lock(&self.stage) = Stage::Gone;
        }
        Ok(batch.map(Batch))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        if std::mem::replace(&mut *lock(&self.stage), Stage::Gone) != Stage::Fresh {
            return Err(consumed(py));
        }
        let rest = Rest { state: Arc::clone(&self.state), schema: Arc::clone(&self.schema) };
        stream_capsule(py, Box::new(rest))
    }

    #[getter]
    fn ledgers(&self, py: Python<'_>) -> Vec<Ledger> {
        py.detach(|| lock(&self.state).feed.ledgers().iter().cloned().map(Ledger).collect())
    }

    fn progress(&self) -> (u64, u64, String) {
        (self.progress.read(), self.progress.total(), self.progress.current())
    }
}

fn consumed(py: Python<'_>) -> PyErr {
    raise(py, codes::STREAM_CONSUMED, "the events were already read; open the inputs again", &[])
}

/// A panic in another thread leaves the state as it was between two records.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

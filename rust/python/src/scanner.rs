//! Parses and matches inputs in one pass.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bigsec_collect::{Evidence, Feed, FileBook, KnownFile, Progress, ScanOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrow::Batch;
use crate::error::raise_problem;
use crate::input::{Raised, check_raised, inputs_of, options_of};
use crate::ledger::Ledger;
use crate::packs::Packs;
use crate::reader::lock;
use crate::rules::Rules;

/// A file as Python keeps it: fingerprint and its bytes, ordinal, size, content hash.
type FileRow = (String, u32, u64, String);

/// A part of a scan's result.
#[pyclass(frozen, module = "bigsec._core")]
pub struct ScanChunk {
    #[pyo3(get)]
    signals: Py<Batch>,
    #[pyo3(get)]
    events: Py<Batch>,
}

/// Parses and matches inputs in one pass.
#[pyclass(frozen, module = "bigsec._core")]
pub struct Scanner {
    inner: Mutex<bigsec_collect::Scanner>,
    progress: Arc<Progress>,
    raised: Raised,
}

#[pymethods]
impl Scanner {
    #[new]
    #[pyo3(signature = (inputs, rules, packs, *, format=None, timezone="UTC", received_us=None, since_us=None, until_us=None, known_files=Vec::new(), evidence=None, keep_raw=true))]
    #[expect(clippy::too_many_arguments, reason = "keywords of a Python constructor")]
    fn new(
        inputs: &Bound<'_, PyAny>,
        rules: &Rules,
        packs: &Packs,
        format: Option<String>,
        timezone: &str,
        received_us: Option<i64>,
        since_us: Option<i64>,
        until_us: Option<i64>,
        known_files: Vec<FileRow>,
        evidence: Option<PathBuf>,
        keep_raw: bool,
    ) -> PyResult<Self> {
        let py = inputs.py();
        let raised = Raised::default();
        let known: PyResult<Vec<_>> = known_files.iter().map(file_of).collect();
        let options = options_of(py, format, timezone, received_us, false, FileBook::new(known?))?;
        let evidence = evidence
            .map(|folder| py.detach(|| Evidence::open(&folder, keep_raw)))
            .transpose()
            .map_err(|problem| raise_problem(py, &problem))?;
        let feed = Feed::new(inputs_of(inputs, &raised)?, Arc::clone(&packs.0), options)
            .map_err(|problem| raise_problem(py, &problem))?
            .tracking()
            .keeping(evidence);
        let progress = Arc::clone(feed.progress());
        let scanner = bigsec_collect::Scanner::new(
            feed,
            &rules.detection(),
            packs.0.maps(),
            ScanOptions { since_us, until_us },
        );
        Ok(Self { inner: Mutex::new(scanner), progress, raised })
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<ScanChunk>> {
        let chunk = py.detach(|| lock(&self.inner).next_chunk());
        check_raised(&self.raised)?;
        chunk
            .map_err(|problem| raise_problem(py, &problem))?
            .map(|chunk| {
                Ok(ScanChunk {
                    signals: Py::new(py, Batch(chunk.signals))?,
                    events: Py::new(py, Batch(chunk.events))?,
                })
            })
            .transpose()
    }

    fn progress(&self) -> (u64, u64, String) {
        (self.progress.read(), self.progress.total(), self.progress.current())
    }

    #[getter]
    fn ledgers(&self, py: Python<'_>) -> Vec<Ledger> {
        py.detach(|| lock(&self.inner).feed().ledgers().iter().cloned().map(Ledger).collect())
    }

    #[getter]
    fn files(&self, py: Python<'_>) -> Vec<FileRow> {
        py.detach(|| lock(&self.inner).feed().files().iter().map(row_of).collect())
    }

    #[getter]
    fn matched(&self, py: Python<'_>) -> BTreeMap<String, u64> {
        py.detach(|| {
            let scanner = lock(&self.inner);
            scanner.matched()
        })
    }
}

fn row_of(file: &KnownFile) -> FileRow {
    let fingerprint = format!("{}/{}", hex(&file.fingerprint), file.prefix_bytes);
    (fingerprint, file.ordinal, file.size, hex(&file.content))
}

fn file_of(row: &FileRow) -> PyResult<KnownFile> {
    let (fingerprint, ordinal, size, content) = row;
    let parse = || {
        let (hash, prefix_bytes) = fingerprint.split_once('/')?;
        Some(KnownFile {
            fingerprint: unhex(hash)?,
            prefix_bytes: prefix_bytes.parse().ok()?,
            ordinal: *ordinal,
            size: *size,
            content: unhex(content)?,
            label: None,
        })
    };
    parse().ok_or_else(|| {
        PyValueError::new_err(format!("{fingerprint:?} with {content:?} is not a known file"))
    })
}

fn hex(bytes: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*bytes).to_hex().to_string()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    blake3::Hash::from_hex(text).ok().map(|hash| *hash.as_bytes())
}

//! Evidence logs offline: verify, look at, prove, export; and the keys that sign them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bigsec_collect::clock::{Clock, SystemClock};
use bigsec_collect::daemon::{APPROVALS, ProvedRecord, find_event, prove_record};
use bigsec_collect::storage::{Disk, Storage, write_all_at};
use bigsec_event::{EventId, Problem, codes};
use bigsec_evidence::approval::Approval;
use bigsec_evidence::export::export;
use bigsec_evidence::keys::{KeyError, Signer, VerifierKey};
use bigsec_evidence::note::{Note, rotate};
use bigsec_evidence::verify::{VerifyOptions, verify};
use bigsec_evidence::{Flags, Hash, LogError, LogOptions, LogReader, LogWriter, leaf_hash};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::error::raise_problem;

/// An evidence log, read only; also beside its writer.
#[pyclass(frozen, module = "bigsec._core")]
pub struct EvidenceLog {
    folder: PathBuf,
    #[pyo3(get)]
    name: String,
    #[pyo3(get)]
    id: String,
    #[pyo3(get)]
    key: u64,
}

#[pymethods]
impl EvidenceLog {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let log = LogReader::open(Arc::new(Disk), &path).map_err(|error| fault(py, &error))?;
        let (name, id, key) = (log.name().to_owned(), hex(&log.id()), log.key());
        Ok(Self { folder: path, name, id, key })
    }

    #[getter]
    fn first(&self, py: Python<'_>) -> PyResult<u64> {
        self.reader(py)?.first().map_err(|error| fault(py, &error))
    }

    #[getter]
    fn size(&self, py: Python<'_>) -> PyResult<u64> {
        self.reader(py)?.durable_size().map_err(|error| fault(py, &error))
    }

    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    #[pyo3(signature = (*, keys=Vec::new(), approvers=Vec::new(), name=None, checkpoints=Vec::new(), threads=0, progress=None))]
    fn verify(
        &self,
        py: Python<'_>,
        keys: Vec<String>,
        approvers: Vec<String>,
        name: Option<String>,
        checkpoints: Vec<String>,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let keys = keys_of(py, &keys)?;
        let approvers = keys_of(py, &approvers)?;
        let notes: PyResult<Vec<Note>> =
            checkpoints.iter().map(|note| note_of(py, note.as_bytes())).collect();
        let notes = notes?;
        let tell = |done: usize, of: usize| {
            Python::attach(|py| {
                if let Some(progress) = &progress {
                    // What the caller's function raises must not end the verification.
                    let _ = progress.call1(py, (done, of));
                }
            });
        };
        let report = py.detach(|| {
            let options = VerifyOptions {
                keys,
                approvers,
                name,
                checkpoints: notes,
                threads,
                progress: Some(&tell),
            };
            verify(&Disk, &self.folder, &options)
        });
        report.map(|report| report.json()).map_err(|error| fault(py, &error))
    }

    fn show<'py>(&self, py: Python<'py>, reference: &str) -> PyResult<Bound<'py, PyDict>> {
        let sequence = self.sequence_of(py, reference)?;
        let proved = py.detach(|| prove_record(&disk(), &self.folder, sequence));
        shown(py, &proved.map_err(|error| fault(py, &error))?)
    }

    fn export(&self, py: Python<'_>, references: Vec<String>) -> PyResult<String> {
        let sequences: PyResult<Vec<_>> =
            references.iter().map(|reference| self.sequence_of(py, reference)).collect();
        let sequences = sequences?;
        py.detach(|| export(&Disk, &self.folder, &sequences))
            .map(|bundle| bundle.json())
            .map_err(|error| fault(py, &error))
    }

    fn __repr__(&self) -> String {
        format!("<EvidenceLog {:?} in {}>", self.name, self.folder.display())
    }
}

impl EvidenceLog {
    fn reader(&self, py: Python<'_>) -> PyResult<LogReader> {
        LogReader::open(Arc::new(Disk), &self.folder).map_err(|error| fault(py, &error))
    }

    /// The sequence that a number or an event id names.
    fn sequence_of(&self, py: Python<'_>, reference: &str) -> PyResult<u64> {
        if let Some(sequence) = reference.parse().ok().filter(|_| reference.len() < 32) {
            return Ok(sequence);
        }
        let absent = |what: String| raise_problem(py, &Problem::new(codes::NOT_FOUND, what));
        let id: EventId = reference.parse().map_err(|_| {
            absent(format!("{reference:?} is neither a sequence nor an event id of 32 digits"))
        })?;
        py.detach(|| find_event(Arc::new(Disk), &self.folder, id))
            .map_err(|error| fault(py, &error))?
            .ok_or_else(|| absent(format!("the log {:?} has no record of {id}", self.name)))
    }
}

/// Makes a key for a log of that name, in a new file that only its owner may read; gives the
/// verifier key.
#[pyfunction]
pub fn generate_key(py: Python<'_>, path: PathBuf, name: &str) -> PyResult<String> {
    let make = |path: &Path| {
        let signer = Signer::generate(name)?;
        signer.save(&Disk, path)?;
        Ok(signer.vkey())
    };
    make(&path).map_err(|error| key_fault(py, &error))
}

/// The verifier key of a key file.
#[pyfunction]
pub fn verifier_key(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    Signer::load(&Disk, &path).map(|signer| signer.vkey()).map_err(|error| key_fault(py, &error))
}

/// Lets a new key follow an old one: a note that both sign, in the log's checkpoints; gives the new
/// verifier key.
#[pyfunction]
pub fn rotate_key(
    py: Python<'_>,
    log: PathBuf,
    key: PathBuf,
    new_key: PathBuf,
) -> PyResult<String> {
    let load = |path: &Path| Signer::load(&Disk, path).map_err(|error| key_fault(py, &error));
    let (old, new) = (load(&key)?, load(&new_key)?);
    let change = || {
        let name = LogReader::open(Arc::new(Disk), &log)?.name().to_owned();
        let options = LogOptions::new(&name);
        let (mut writer, _) =
            LogWriter::open(Arc::new(Disk), Arc::new(SystemClock), &log, options)?;
        writer.keep_note(&rotate(writer.unsigned_note(), &old, &new))
    };
    py.detach(change).map_err(|error| fault(py, &error))?;
    Ok(new.vkey())
}

/// Approves that the records of a log before `end` are deleted, whatever their age; the signed text
/// goes to the log's folder, and is given back.
#[pyfunction]
pub fn approve_deletion(
    py: Python<'_>,
    log: PathBuf,
    key: PathBuf,
    end: u64,
    reason: String,
) -> PyResult<String> {
    let signer = Signer::load(&Disk, &key).map_err(|error| key_fault(py, &error))?;
    let reader = LogReader::open(Arc::new(Disk), &log).map_err(|error| fault(py, &error))?;
    let mut approval = Approval {
        log: reader.name().to_owned(),
        id: reader.id(),
        end,
        time_us: SystemClock.now_us(),
        reason,
        signatures: Vec::new(),
    };
    approval.sign(&signer);
    let text = approval.encode();
    if Approval::parse(text.as_bytes()).is_err() {
        let what = "a reason is one line of 1 to 1,024 bytes";
        return Err(raise_problem(py, &Problem::new(codes::USAGE, what)));
    }
    keep_approval(&log, &signer, end, &text).map_err(|error| fault(py, &error))?;
    Ok(text)
}

/// Puts an approval where the daemon looks for it.
fn keep_approval(log: &Path, signer: &Signer, end: u64, text: &str) -> Result<(), LogError> {
    let folder = log.join(APPROVALS);
    let path = folder.join(format!("{}-{end}.note", signer.name().replace('/', "_")));
    let keep = || {
        Disk.create_folder(&folder)?;
        let file = Disk.create(&path)?;
        write_all_at(file.as_ref(), text.as_bytes(), 0)?;
        file.sync()?;
        Disk.sync_folder(&folder)
    };
    keep().map_err(|error| LogError::io(&path, error))
}

fn shown<'py>(py: Python<'py>, proved: &ProvedRecord) -> PyResult<Bound<'py, PyDict>> {
    let record = &proved.record;
    let flags: Vec<_> =
        [(Flags::CONTINUED, "continued"), (Flags::CUT, "cut"), (Flags::DOUBLE, "double")]
            .into_iter()
            .filter(|(flag, _)| record.flags.has(*flag))
            .map(|(_, name)| name)
            .collect();
    let shown = PyDict::new(py);
    shown.set_item("sequence", record.sequence)?;
    shown.set_item("event_id", record.id.to_string())?;
    shown.set_item("source", &record.source)?;
    shown.set_item("received_us", record.received_us)?;
    shown.set_item("peer", record.peer.map(|peer| peer.to_string()))?;
    shown.set_item("flags", flags)?;
    shown.set_item("raw", PyBytes::new(py, &record.payload))?;
    shown.set_item("record", PyBytes::new(py, &proved.proof.record))?;
    shown.set_item("leaf", hex(&leaf_hash(&[&proved.proof.record])))?;
    shown.set_item("path", hashes(py, &proved.proof.path)?)?;
    shown.set_item("size", proved.proof.size)?;
    shown.set_item("root", proved.proof.root().map(|root| hex(&root)))?;
    shown.set_item("checkpoint", proved.checkpoint.as_ref().map(Note::encode))?;
    Ok(shown)
}

fn hashes<'py>(py: Python<'py>, list: &[Hash]) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, list.iter().map(|hash| hex(hash)))
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn disk() -> Arc<dyn Storage> {
    Arc::new(Disk)
}

fn note_of(py: Python<'_>, bytes: &[u8]) -> PyResult<Note> {
    Note::parse(bytes).map_err(|error| {
        let what = format!("a checkpoint from outside cannot be read: {error}");
        raise_problem(py, &Problem::new(codes::LOG_CHECKPOINT, what))
    })
}

fn fault(py: Python<'_>, error: &LogError) -> PyErr {
    raise_problem(py, &error.problem())
}

fn keys_of(py: Python<'_>, texts: &[String]) -> PyResult<Vec<VerifierKey>> {
    let keys: Result<Vec<VerifierKey>, _> = texts.iter().map(|key| key.parse()).collect();
    keys.map_err(|error| key_fault(py, &error))
}

fn key_fault(py: Python<'_>, error: &KeyError) -> PyErr {
    raise_problem(py, &Problem::new(codes::LOG_KEY, error.to_string()))
}

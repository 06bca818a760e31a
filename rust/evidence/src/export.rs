//! A bundle of records for a third party: one JSON document that proves itself, given a key.
//!
//! `docs/evidence_verify.py` checks a bundle without this program.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::checkpoint::{Entry, NoteReader};
use crate::error::{At as _, LogError};
use crate::note::{Note, time_text};
use crate::proof::{Proof, prove};
use crate::record::Record;
use crate::segment::CHECKPOINTS_FILE;
use crate::storage::Storage;

/// Version of the bundle.
const VERSION: u32 = 1;

/// Records with everything that proves them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bundle {
    /// Version of the bundle, 1.
    pub bundle: u32,
    /// Name of the log.
    pub log: String,
    /// The signed note under which all records stand.
    pub checkpoint: String,
    /// The notes by which keys of the log changed, up to the checkpoint.
    pub key_changes: Vec<String>,
    /// Verifier keys that the notes name. A third party pins one that it has from elsewhere.
    pub keys: Vec<String>,
    /// The records.
    pub records: Vec<BundledRecord>,
}

/// A record with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundledRecord {
    /// Its sequence.
    pub sequence: u64,
    /// When it was received, RFC 3339 in UTC. For the reader; what is proved is `record`.
    pub received: String,
    /// Its source, as `received`.
    pub source: String,
    /// Bytes of the record as they are hashed, base64.
    pub record: String,
    /// The hashes beside the way from the leaf to the root, the lowest first, base64.
    pub path: Vec<String>,
}

impl Bundle {
    /// The bundle as one JSON object, for reading by people too.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a bundle has only keys that are text")
    }
}

/// Makes a bundle of the records with `sequences`, under the first checkpoint that covers them all.
pub fn export(storage: &dyn Storage, dir: &Path, sequences: &[u64]) -> Result<Bundle, LogError> {
    let wanted = sequences.iter().max().map_or(0, |last| last.saturating_add(1));
    let (note, key_changes) = notes_for(storage, dir, wanted)?;
    let proofs = prove(storage, dir, sequences, note.size)?;
    let mut records = Vec::with_capacity(proofs.len());
    for proof in proofs {
        if proof.root() != Some(note.root) {
            let what = format!(
                "record {} does not stand under the checkpoint over {} records",
                proof.sequence, note.size
            );
            return Err(LogError::Damaged { path: dir.to_owned(), what });
        }
        records.push(bundled(&proof));
    }
    let keys = key_changes.iter().filter_map(|note| note.next_key.as_ref());
    Ok(Bundle {
        bundle: VERSION,
        log: note.origin.clone(),
        keys: keys.map(ToString::to_string).collect(),
        checkpoint: note.encode(),
        key_changes: key_changes.iter().map(Note::encode).collect(),
        records,
    })
}

/// The first note over at least `size` records, and the changes of key up to it.
fn notes_for(storage: &dyn Storage, dir: &Path, size: u64) -> Result<(Note, Vec<Note>), LogError> {
    let path = dir.join(CHECKPOINTS_FILE);
    let mut changes = Vec::new();
    if let Some(mut reader) = NoteReader::open(storage, dir).at(&path)? {
        while let Some(entry) = reader.next_entry().at(&path)? {
            let Entry::Note { note, .. } = entry else { continue };
            let covers = note.size >= size;
            if note.next_key.is_some() {
                changes.push((*note).clone());
            }
            if covers {
                return Ok((*note, changes));
            }
        }
    }
    let what = format!("no checkpoint covers {size} records yet");
    Err(LogError::Damaged { path, what })
}

fn bundled(proof: &Proof) -> BundledRecord {
    let record = Record::decode(&proof.record);
    BundledRecord {
        sequence: proof.sequence,
        received: record.map_or_else(String::new, |record| time_text(record.received_us)),
        source: record.map_or_else(String::new, |record| record.source.to_owned()),
        record: STANDARD.encode(&proof.record),
        path: proof.path.iter().map(|hash| STANDARD.encode(hash)).collect(),
    }
}

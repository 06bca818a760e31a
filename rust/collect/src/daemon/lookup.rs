//! Finds single records of a log: by sequence, and by the id of their event.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bigsec_event::{EventId, Origin};
use bigsec_evidence::checkpoint::{Entry, NoteReader};
use bigsec_evidence::note::Note;
use bigsec_evidence::proof::{Proof, prove};
use bigsec_evidence::segment::CHECKPOINTS_FILE;
use bigsec_evidence::storage::Storage;
use bigsec_evidence::{Flags, LogError, LogReader, Next, Position};

/// A record as it stands in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRecord {
    /// Its place.
    pub sequence: u64,
    /// The id of its event.
    pub id: EventId,
    /// Flags.
    pub flags: Flags,
    /// When it was received (µs UTC).
    pub received_us: i64,
    /// Name of its source.
    pub source: String,
    /// Who sent it.
    pub peer: Option<SocketAddr>,
    /// Where in a file it ends.
    pub position: Option<Position>,
    /// The bytes as received.
    pub payload: Vec<u8>,
}

/// The record with a sequence.
pub fn record_at(
    storage: Arc<dyn Storage>,
    folder: &Path,
    sequence: u64,
) -> Result<KeptRecord, LogError> {
    let mut log = LogReader::open(storage, folder)?;
    let size = log.durable_size()?;
    let first = log.first()?;
    let absent = LogError::NoRecord { sequence, first, end: size };
    if !(first..size).contains(&sequence) {
        return Err(absent);
    }
    let key = log.key();
    match log.at(sequence)?.next(sequence + 1)? {
        Some(Next::Record { sequence, record, .. }) => Ok(KeptRecord {
            sequence,
            id: record.id.unwrap_or_else(|| EventId::new(Origin::Log, key, sequence, 0)),
            flags: record.flags,
            received_us: record.received_us,
            source: record.source.to_owned(),
            peer: record.peer,
            position: record.position,
            payload: record.payload.to_vec(),
        }),
        _ => Err(absent),
    }
}

/// A record and what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedRecord {
    /// The record.
    pub record: KeptRecord,
    /// Its proof: under the checkpoint, or under all that is durable where none covers it.
    pub proof: Proof,
    /// The first signed note that covers it.
    pub checkpoint: Option<Note>,
}

/// The record with a sequence, and what proves it.
pub fn prove_record(
    storage: &Arc<dyn Storage>,
    folder: &Path,
    sequence: u64,
) -> Result<ProvedRecord, LogError> {
    let record = record_at(Arc::clone(storage), folder, sequence)?;
    let checkpoint = covering(storage.as_ref(), folder, sequence)
        .map_err(|error| LogError::io(&folder.join(CHECKPOINTS_FILE), error))?;
    let size = match &checkpoint {
        Some(note) => note.size,
        None => LogReader::open(Arc::clone(storage), folder)?.durable_size()?,
    };
    let proof = prove(storage.as_ref(), folder, &[sequence], size)?.pop();
    let proof = proof.ok_or(LogError::NoRecord { sequence, first: 0, end: size })?;
    Ok(ProvedRecord { record, proof, checkpoint })
}

/// The first note under which a record stands.
fn covering(storage: &dyn Storage, folder: &Path, sequence: u64) -> io::Result<Option<Note>> {
    let Some(mut notes) = NoteReader::open(storage, folder)? else { return Ok(None) };
    while let Some(entry) = notes.next_entry()? {
        if let Entry::Note { note, .. } = entry
            && note.size > sequence
        {
            return Ok(Some(*note));
        }
    }
    Ok(None)
}

/// The sequence of the record that an event was made of; `None` where the log has none with the id.
///
/// An id that was given by this log says its place; any other is looked for from the beginning.
pub fn find_event(
    storage: Arc<dyn Storage>,
    folder: &Path,
    id: EventId,
) -> Result<Option<u64>, LogError> {
    let mut log = LogReader::open(storage, folder)?;
    let size = log.durable_size()?;
    // The part within a record is not kept in the log.
    let whole = EventId::new(id.origin(), id.key(), id.position(), 0);
    if id.origin() == Origin::Log && id.key() == log.key() {
        let held = (log.first()?..size).contains(&id.position());
        return Ok(held.then(|| id.position()));
    }
    let mut cursor = log.at(log.first()?)?;
    while let Some(next) = cursor.next(size)? {
        if let Next::Record { sequence, record, .. } = next
            && record.id == Some(whole)
        {
            return Ok(Some(sequence));
        }
    }
    Ok(None)
}

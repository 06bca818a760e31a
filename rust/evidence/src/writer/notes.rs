//! The notes that the writer signs.

use crate::checkpoint::Checkpoints;
use crate::error::{At as _, LogError};
use crate::note::Note;
use crate::segment::CHECKPOINTS_FILE;
use crate::writer::LogWriter;

impl LogWriter {
    /// Signs what is durable, and keeps the note.
    pub fn checkpoint(&mut self) -> Result<Note, LogError> {
        let Some(signer) = &self.options.signer else {
            return Err(LogError::Unsigned { name: self.options.name.clone() });
        };
        let mut note = self.unsigned_note();
        note.sign(&[signer]);
        self.keep_note(&note)?;
        Ok(note)
    }

    /// The note about what is durable now, without signatures.
    pub fn unsigned_note(&self) -> Note {
        let durable = self.durable();
        Note {
            origin: self.options.name.clone(),
            size: durable.size,
            root: durable.root,
            time_us: self.clock.now_us(),
            elapsed_s: self.checkpoints.elapsed_s(self.clock.elapsed()),
            first: Some(self.first()).filter(|&first| first > 0),
            next_key: None,
            further: Vec::new(),
            signatures: Vec::new(),
        }
    }

    /// Appends a signed note to the log's own, and flushes it.
    pub fn keep_note(&mut self, note: &Note) -> Result<(), LogError> {
        self.checkpoints.append(note).at(&self.dir.join(CHECKPOINTS_FILE))
    }

    /// The log's notes.
    pub fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }
}

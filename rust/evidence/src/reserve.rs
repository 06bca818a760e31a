//! Space kept back on the disk, so that a full one does not keep checkpoints and the platform's own
//! records out.
//!
//! The file `reserve` holds the space. On a full disk it is removed for the sake of what must go
//! in; until there is room to take it again, [`Reserve::has_room`] says no, and nothing else is to
//! be appended.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{At as _, LogError};
use crate::note::Note;
use crate::segment::RESERVE_FILE;
use crate::storage::Storage;
use crate::writer::{Durable, LogWriter};

/// The space that a log keeps back.
pub struct Reserve {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    bytes: u64,
    min_free_bytes: u64,
    held: bool,
}

impl Reserve {
    /// Takes `bytes` of space for the log in `dir`, if there is room; `min_free_bytes` are to stay
    /// free beside it.
    pub fn open(
        storage: Arc<dyn Storage>,
        dir: &Path,
        bytes: u64,
        min_free_bytes: u64,
    ) -> Result<Self, LogError> {
        let mut this = Self { storage, dir: dir.to_owned(), bytes, min_free_bytes, held: false };
        // What an earlier process left may have another size, or none.
        this.give_back()?;
        this.take()?;
        Ok(this)
    }

    /// The reserve that the options of a log name.
    pub fn of(storage: Arc<dyn Storage>, log: &LogWriter) -> Result<Self, LogError> {
        let options = log.options();
        Self::open(storage, log.dir(), options.reserve_bytes, options.min_free_bytes)
    }

    /// Whether the space is held, or none is wanted.
    pub fn is_held(&self) -> bool {
        self.held || self.bytes == 0
    }

    /// Whether `bytes` of records may be appended. Takes the reserve again where it can.
    pub fn has_room(&mut self, bytes: u64) -> Result<bool, LogError> {
        if !self.is_held() {
            self.take()?;
        }
        let free = self.storage.space(&self.dir).at(&self.dir)?.free;
        Ok(self.is_held() && free >= self.min_free_bytes.saturating_add(bytes))
    }

    /// Commits what is pending; on a full disk, at the reserve's expense.
    pub fn commit(&mut self, log: &mut LogWriter) -> Result<Durable, LogError> {
        self.with_reserve(|| log.commit())
    }

    /// Signs and keeps a checkpoint; on a full disk, at the reserve's expense.
    pub fn checkpoint(&mut self, log: &mut LogWriter) -> Result<Note, LogError> {
        self.checkpoint_from(log, None)
    }

    /// A checkpoint that names the first record which is kept from now on.
    pub(crate) fn checkpoint_from(
        &mut self,
        log: &mut LogWriter,
        first: Option<u64>,
    ) -> Result<Note, LogError> {
        self.with_reserve(|| {
            let Some(signer) = &log.options().signer else {
                return Err(LogError::Unsigned { name: log.name().to_owned() });
            };
            let mut note = log.unsigned_note();
            note.first = first.or(note.first);
            note.sign(&[signer]);
            log.keep_note(&note)?;
            Ok(note)
        })
    }

    fn with_reserve<T>(
        &mut self,
        mut act: impl FnMut() -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        match act() {
            Err(LogError::Full { .. }) if self.held => {
                self.give_back()?;
                act()
            }
            done => done,
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.join(RESERVE_FILE)
    }

    fn give_back(&mut self) -> Result<(), LogError> {
        let path = self.path();
        match self.storage.remove(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed.at(&path)?,
        }
        self.held = false;
        Ok(())
    }

    fn take(&mut self) -> Result<(), LogError> {
        let free = self.storage.space(&self.dir).at(&self.dir)?.free;
        let wanted = self.bytes.saturating_add(self.min_free_bytes);
        if self.bytes == 0 || free < wanted {
            return Ok(());
        }
        let path = self.path();
        let taken = self.storage.create(&path).and_then(|file| file.reserve(self.bytes));
        match taken.at(&path) {
            Ok(()) => self.held = true,
            // A stranger was quicker; the next call tries again.
            Err(LogError::Full { .. }) => self.give_back()?,
            // Where the system cannot keep space back, only `min_free_bytes` protects.
            Err(LogError::Io { source, .. }) if source.kind() == io::ErrorKind::Unsupported => {
                self.give_back()?;
                self.bytes = 0;
            }
            Err(error) => {
                self.give_back()?;
                return Err(error);
            }
        }
        Ok(())
    }
}

//! The watermark as the writer keeps it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{At as _, LogError};
use crate::segment::WATERMARK_FILE;
use crate::storage::{Storage, StoredFile, write_all_at};
use crate::watermark::{SLOT_BYTES, Watermark};

/// Writes the watermark's slots in turn.
pub(crate) struct MarkFile {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    path: PathBuf,
    /// Closed after a failure: nothing is known then of what the file holds, and the next write
    /// makes a new one.
    file: Option<Box<dyn StoredFile>>,
    generation: u64,
}

impl MarkFile {
    /// Goes on after `last`; without it, the first write makes a new file.
    pub(crate) fn open(storage: Arc<dyn Storage>, dir: &Path, last: Option<&Watermark>) -> Self {
        let path = dir.join(WATERMARK_FILE);
        let file = last.and_then(|_| storage.open_write(&path).ok());
        let generation = last.map_or(0, |mark| mark.generation);
        Self { storage, dir: dir.to_owned(), path, file, generation }
    }

    /// Writes and flushes `mark` with the next generation.
    pub(crate) fn write(&mut self, mut mark: Watermark) -> Result<(), LogError> {
        self.generation += 1;
        mark.generation = self.generation;
        // After a failure the file stays closed.
        let file = self.file.take();
        let written = match file {
            Some(file) => write_slot(file.as_ref(), &mark).map(|()| file),
            None => self.make(&mark),
        };
        self.file = Some(written.at(&self.path)?);
        Ok(())
    }

    fn make(&self, mark: &Watermark) -> io::Result<Box<dyn StoredFile>> {
        let made = self.dir.join(format!("{WATERMARK_FILE}.new"));
        match self.storage.remove(&made) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = self.storage.create(&made)?;
        // Both slots are written, so that later writes need no space.
        write_all_at(file.as_ref(), &[0; 2 * SLOT_BYTES], 0)?;
        write_slot(file.as_ref(), mark)?;
        self.storage.rename(&made, &self.path)?;
        self.storage.sync_folder(&self.dir)?;
        Ok(file)
    }
}

fn write_slot(file: &dyn StoredFile, mark: &Watermark) -> io::Result<()> {
    write_all_at(file, &mark.encode(), mark.offset())?;
    file.sync()
}

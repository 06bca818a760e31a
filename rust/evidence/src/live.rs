//! The segment that is written to.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{At as _, LogError};
use crate::storage::{Storage, StoredFile, write_all_at};

/// The file of the segment that is written to.
pub(crate) struct Live {
    pub file: Box<dyn StoredFile>,
    pub path: PathBuf,
    pub number: u64,
    /// Up to here the file is good; 0 while its header is still to be written.
    pub bytes: u64,
    /// What the clock that does not jump showed when it was opened.
    pub opened: Duration,
    /// Its name is not flushed yet.
    pub unnamed: bool,
}

/// Why an append to the segment failed.
pub(crate) enum AppendError {
    /// The file is as it was before; it may be tried again.
    CutBack(LogError),
    /// Nothing is known of the file after its last good byte. It must not be written to again.
    Lost(LogError),
}

impl Live {
    /// Makes a new file.
    pub(crate) fn create(
        storage: &dyn Storage,
        path: PathBuf,
        number: u64,
        opened: Duration,
    ) -> Result<Self, LogError> {
        let file = storage.create(&path).at(&path)?;
        Ok(Self { file, path, number, bytes: 0, opened, unnamed: true })
    }

    /// Appends bytes and flushes them; gives the new length.
    ///
    /// After a failed write the file is cut back and that flushed, so that the next append stands
    /// where this one would have, and no crash can show both.
    pub(crate) fn append(
        &mut self,
        storage: &dyn Storage,
        dir: &Path,
        bytes: &[u8],
    ) -> Result<u64, AppendError> {
        if let Err(error) = write_all_at(self.file.as_ref(), bytes, self.bytes) {
            return Err(self.cut_back(error));
        }
        self.file.sync().at(&self.path).map_err(AppendError::Lost)?;
        if self.unnamed {
            storage.sync_folder(dir).at(dir).map_err(AppendError::Lost)?;
            self.unnamed = false;
        }
        self.bytes += bytes.len() as u64;
        Ok(self.bytes)
    }

    fn cut_back(&self, error: io::Error) -> AppendError {
        let error = LogError::io(&self.path, error);
        match self.file.set_len(self.bytes).and_then(|()| self.file.sync()) {
            Ok(()) => AppendError::CutBack(error),
            Err(_) => AppendError::Lost(error),
        }
    }
}

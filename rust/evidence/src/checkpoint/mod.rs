//! The file `checkpoints`: every signed note of the log, appended.
//!
//! A reader takes what it finds: notes, and stretches that are none, each with its place. Only the
//! writer cuts, and only what stands after the last whole note.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::note::Note;
use crate::segment::{CHECKPOINTS_FILE, DAMAGED_FOLDER};
use crate::storage::{Storage, StoredFile, read_full_at, write_all_at};

mod reader;

#[cfg(test)]
mod tests;

use reader::WINDOW;
pub use reader::{Entry, NoteReader, last_note};

/// The notes as the one writer holds them.
pub struct Checkpoints {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    /// Closed after a failure, because nothing is known then of what it holds after `len`.
    file: Option<Box<dyn StoredFile>>,
    /// Up to here all is flushed.
    len: u64,
    last: Option<Note>,
    aged_before_s: u64,
    began: Duration,
    moved: Option<PathBuf>,
}

/// The most that a log is taken to have aged while nobody ran it, in seconds.
const AGED_WHILE_STOPPED_MAX_S: u64 = 86_400;

impl Checkpoints {
    /// Opens the notes of the log in `dir` and cuts what stands after the last whole one: a torn
    /// note goes, and bytes that are no note are kept in `damaged/`.
    pub fn open(
        storage: Arc<dyn Storage>,
        dir: &Path,
        now_us: i64,
        elapsed: Duration,
    ) -> io::Result<Self> {
        let mut this = Self {
            storage,
            dir: dir.to_owned(),
            file: None,
            len: 0,
            last: None,
            aged_before_s: 0,
            began: elapsed,
            moved: None,
        };
        if let Some(mut reader) = NoteReader::open(this.storage.as_ref(), dir)? {
            this.adopt(&mut reader)?;
        }
        if let Some(last) = &this.last {
            let stopped_us = now_us.saturating_sub(last.time_us).max(0).unsigned_abs();
            let counted_s = (stopped_us / 1_000_000).min(AGED_WHILE_STOPPED_MAX_S);
            this.aged_before_s = last.elapsed_s.saturating_add(counted_s);
        }
        Ok(this)
    }

    fn adopt(&mut self, reader: &mut NoteReader) -> io::Result<()> {
        let mut garbled = false;
        let mut again = None;
        self.len = 0;
        if let Some((offset, note)) = reader.last()? {
            let text = note.encode() + "\n";
            self.len = offset + text.len() as u64;
            self.last = Some(note);
            again = Some((offset, text));
        }
        reader.offset = self.len;
        while let Some(entry) = reader.next_entry()? {
            garbled |= matches!(entry, Entry::Garbled { .. });
        }
        if garbled {
            self.moved = Some(self.keep_aside(reader)?);
        }
        let file = self.storage.open_write(&self.dir.join(CHECKPOINTS_FILE))?;
        if reader.size > self.len {
            file.set_len(self.len)?;
        }
        // A note whose flush failed may stand in the cache alone, where no later flush finds it.
        if let Some((offset, text)) = again {
            write_all_at(file.as_ref(), text.as_bytes(), offset)?;
        }
        file.sync()
    }

    /// Copies what will be cut to a file of its own.
    fn keep_aside(&self, reader: &NoteReader) -> io::Result<PathBuf> {
        let folder = self.dir.join(DAMAGED_FOLDER);
        self.storage.create_folder(&folder)?;
        self.storage.sync_folder(&self.dir)?;
        let taken = self.storage.list(&folder)?;
        // Of one more names than there are files, one is free.
        let path = (0..=taken.len())
            .map(|number| folder.join(format!("{CHECKPOINTS_FILE}-{number}")))
            .find(|path| !taken.contains(path))
            .ok_or(io::ErrorKind::AlreadyExists)?;
        let file = self.storage.create(&path)?;
        let mut bytes = vec![0; WINDOW];
        let mut at = self.len;
        while at < reader.size {
            let read = read_full_at(reader.file.as_ref(), &mut bytes, at)?;
            if read == 0 {
                break;
            }
            write_all_at(file.as_ref(), &bytes[..read], at - self.len)?;
            at += read as u64;
        }
        file.sync()?;
        self.storage.sync_folder(&folder)?;
        Ok(path)
    }

    /// Appends a note and flushes it. After a failure the file is as it was: what may stand after
    /// its last whole note is written anew by the next append.
    pub fn append(&mut self, note: &Note) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.reopen()?,
        };
        let text = note.encode() + "\n";
        write_all_at(file.as_ref(), text.as_bytes(), self.len)?;
        file.sync()?;
        self.len += text.len() as u64;
        self.last = Some(note.clone());
        self.file = Some(file);
        Ok(())
    }

    fn reopen(&self) -> io::Result<Box<dyn StoredFile>> {
        let path = self.dir.join(CHECKPOINTS_FILE);
        let file = match self.storage.open_write(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.storage.create(&path)?,
            opened => opened?,
        };
        // A file shorter than what was flushed has been tampered with. It is not filled up with
        // zeros: the new note goes to the place where it would have gone, and verify tells.
        if file.size()? > self.len {
            file.set_len(self.len)?;
        }
        self.storage.sync_folder(&self.dir)?;
        Ok(file)
    }

    /// The last note.
    pub fn last(&self) -> Option<&Note> {
        self.last.as_ref()
    }

    /// Where bytes were moved that stood after the last note and were none.
    pub fn moved(&self) -> Option<&Path> {
        self.moved.as_deref()
    }

    /// Seconds during which the log is known to have aged, by a clock that cannot jump, and by at
    /// most a day for each time that nobody ran it. `elapsed` is what that clock shows now.
    pub fn elapsed_s(&self, elapsed: Duration) -> u64 {
        self.aged_before_s.saturating_add(elapsed.saturating_sub(self.began).as_secs())
    }

    /// The first note over at least `size` records.
    pub fn covering(&self, size: u64) -> io::Result<Option<Note>> {
        match NoteReader::open(self.storage.as_ref(), &self.dir)? {
            Some(mut reader) => reader.covering(size),
            None => Ok(None),
        }
    }
}

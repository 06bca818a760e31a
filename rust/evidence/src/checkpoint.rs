//! The file `checkpoints`: every signed note of the log, appended.
//!
//! A reader takes what it finds: notes, and stretches that are none, each with its place. Only the
//! writer cuts, and only what stands after the last whole note.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::envelope::{SIGNATURE_MARK, SIGNED_BYTES_MAX};
use crate::note::Note;
use crate::segment::{CHECKPOINTS_FILE, DAMAGED_FOLDER};
use crate::storage::{Storage, StoredFile, read_full_at, write_all_at};

/// How much of the end of the file is searched for the last note before all of it is.
const TAIL: u64 = 64 * 1024;
/// Two parts of a note, each of the greatest length, and the empty lines.
const WINDOW: usize = 2 * SIGNED_BYTES_MAX + 4;
const GAP: &[u8] = b"\n\n";

/// What stands at a place of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A note in its form. Its signatures are yet to be verified.
    Note {
        /// Where it begins.
        offset: u64,
        /// The note.
        note: Box<Note>,
    },
    /// Bytes that are no note.
    Garbled {
        /// Where they begin.
        offset: u64,
        /// How many.
        len: u64,
    },
    /// The file ends within a note, as when a crash tore its last write.
    Torn {
        /// Where the note begins.
        offset: u64,
        /// How much of it there is.
        len: u64,
    },
}

/// Reads the notes of a file in order, in bounded memory.
pub struct NoteReader {
    file: Box<dyn StoredFile>,
    size: u64,
    offset: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl NoteReader {
    /// Opens the notes of the log in `dir`; `None` where it has none.
    pub fn open(storage: &dyn Storage, dir: &Path) -> io::Result<Option<Self>> {
        let file = match storage.open_read(&dir.join(CHECKPOINTS_FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let size = file.size()?;
        Ok(Some(Self { file, size, offset: 0, window: Vec::new(), window_at: 0 }))
    }

    /// The size of the file when it was opened.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What stands next.
    pub fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        let offset = self.offset;
        let left = self.size.saturating_sub(offset);
        if left == 0 {
            return Ok(None);
        }
        let window = self.window()?;
        let (len, whole) = match paragraphs(window) {
            Found::Note(end) => (end, true),
            Found::Other(end) => (end, false),
            // More than a note may have, and no end of it.
            Found::Open if window.len() as u64 != left => (SIGNED_BYTES_MAX, false),
            Found::Open => {
                self.offset = self.size;
                return Ok(Some(Entry::Torn { offset, len: left }));
            }
        };
        // Without the empty line that parts it from the next.
        let note = whole.then(|| Note::parse(&window[..len - 1]).ok()).flatten();
        self.offset += len as u64;
        Ok(Some(match note {
            Some(note) => Entry::Note { offset, note: Box::new(note) },
            None => Entry::Garbled { offset, len: len as u64 },
        }))
    }

    /// The next note, whatever lies before it.
    fn next_note(&mut self) -> io::Result<Option<(u64, Note)>> {
        while let Some(entry) = self.next_entry()? {
            if let Entry::Note { offset, note } = entry {
                return Ok(Some((offset, *note)));
            }
        }
        Ok(None)
    }

    /// Goes to the first beginning of a part of a note at or after `offset`.
    fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.offset = offset.min(self.size);
        while self.offset > 0 && self.offset < self.size {
            let window = self.window()?;
            if let Some(gap) = find_gap(window) {
                self.offset += (gap + GAP.len()) as u64;
                break;
            }
            // The last byte may be the first of the gap.
            let step = window.len().saturating_sub(1).max(1);
            self.offset += step as u64;
        }
        Ok(())
    }

    /// What follows the present offset, as much as two parts of a note may have.
    fn window(&mut self) -> io::Result<&[u8]> {
        let ahead = |this: &Self| {
            let begin = usize::try_from(this.offset.wrapping_sub(this.window_at)).ok()?;
            this.window.len().checked_sub(begin).map(|held| (begin, held))
        };
        let wanted = self.size.saturating_sub(self.offset).min(WINDOW as u64) as usize;
        let held = ahead(self).filter(|(_, held)| *held >= wanted);
        let begin = if let Some((begin, _)) = held {
            begin
        } else {
            self.window.resize(4 * WINDOW, 0);
            let read = read_full_at(self.file.as_ref(), &mut self.window, self.offset)?;
            self.window.truncate(read);
            self.window_at = self.offset;
            0
        };
        let window = &self.window[begin..];
        Ok(&window[..window.len().min(WINDOW)])
    }

    /// The last note of the file.
    fn last(&mut self) -> io::Result<Option<(u64, Note)>> {
        for from in [self.size.saturating_sub(TAIL), 0] {
            self.seek(from)?;
            let mut last = None;
            while let Some(note) = self.next_note()? {
                last = Some(note);
            }
            if last.is_some() {
                return Ok(last);
            }
        }
        Ok(None)
    }

    /// The first note over at least `size` records. The sizes of notes grow with their offsets.
    fn covering(&mut self, size: u64) -> io::Result<Option<Note>> {
        let (mut low, mut high, mut found) = (0, self.size, None);
        while high - low > TAIL {
            let middle = low + (high - low) / 2;
            self.seek(middle)?;
            match self.next_note()? {
                Some((offset, note)) if note.size < size && offset < high => low = offset,
                Some((offset, note)) if note.size >= size && offset < high => {
                    (high, found) = (middle, Some(note));
                }
                _ => high = middle,
            }
        }
        self.seek(low)?;
        while let Some((offset, note)) = self.next_note()? {
            if note.size >= size {
                return Ok(Some(note));
            }
            if offset >= high && found.is_some() {
                break;
            }
        }
        Ok(found)
    }
}

enum Found {
    /// A text and the signatures under it, up to this offset.
    Note(usize),
    /// A part that has not the other beside it, up to this offset.
    Other(usize),
    /// The window ends before the note does.
    Open,
}

fn paragraphs(window: &[u8]) -> Found {
    let Some(first) = find_gap(window) else { return Found::Open };
    let end = first + GAP.len();
    let rest = &window[end..];
    let mark = SIGNATURE_MARK.as_bytes();
    if window.starts_with(mark) {
        return Found::Other(end);
    }
    if rest.len() < mark.len() && mark.starts_with(rest) {
        return Found::Open;
    }
    if !rest.starts_with(mark) {
        return Found::Other(end);
    }
    find_gap(rest).map_or(Found::Open, |second| Found::Note(end + second + GAP.len()))
}

fn find_gap(bytes: &[u8]) -> Option<usize> {
    bytes.windows(GAP.len()).position(|pair| pair == GAP)
}

/// The last note of the log in `dir`, its signatures not verified.
pub fn last_note(storage: &dyn Storage, dir: &Path) -> io::Result<Option<Note>> {
    let Some(mut reader) = NoteReader::open(storage, dir)? else { return Ok(None) };
    Ok(reader.last()?.map(|(_, note)| note))
}

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
            let stopped_s = (stopped_us / 1_000_000).min(AGED_WHILE_STOPPED_MAX_S);
            this.aged_before_s = last.elapsed_s.saturating_add(stopped_s);
        }
        Ok(this)
    }

    fn adopt(&mut self, reader: &mut NoteReader) -> io::Result<()> {
        let mut garbled = false;
        self.len = 0;
        if let Some((offset, note)) = reader.last()? {
            self.len = offset + note.encode().len() as u64 + 1;
            self.last = Some(note);
        }
        reader.offset = self.len;
        while let Some(entry) = reader.next_entry()? {
            garbled |= matches!(entry, Entry::Garbled { .. });
        }
        if garbled {
            self.moved = Some(self.keep_aside(reader)?);
        }
        if reader.size > self.len {
            let file = self.storage.open_write(&self.dir.join(CHECKPOINTS_FILE))?;
            file.set_len(self.len)?;
            file.sync()?;
        }
        Ok(())
    }

    /// Copies what will be cut to a file of its own.
    fn keep_aside(&self, reader: &NoteReader) -> io::Result<PathBuf> {
        let folder = self.dir.join(DAMAGED_FOLDER);
        self.storage.create_folder(&folder)?;
        self.storage.sync_folder(&self.dir)?;
        let (path, file) = (0_u32..)
            .map(|number| folder.join(format!("{CHECKPOINTS_FILE}-{number}")))
            .find_map(|path| match self.storage.create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
                created => Some(created.map(|file| (path, file))),
            })
            .ok_or(io::ErrorKind::AlreadyExists)??;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;
    use crate::keys::Signer;

    const DAY_US: i64 = 86_400_000_000;

    fn note(size: u64, time_us: i64, elapsed_s: u64) -> Note {
        let mut note = Note {
            origin: "relay-1.example.gov".to_owned(),
            size,
            root: [size as u8; 32],
            time_us,
            elapsed_s,
            first: None,
            next_key: None,
            further: Vec::new(),
            signatures: Vec::new(),
        };
        note.sign(&[&Signer::from_seed("relay-1.example.gov", &[1; 32]).unwrap()]);
        note
    }

    fn open(dir: &Path) -> Checkpoints {
        Checkpoints::open(Arc::new(Disk), dir, 0, Duration::ZERO).unwrap()
    }

    fn entries(dir: &Path) -> Vec<Entry> {
        let mut reader = NoteReader::open(&Disk, dir).unwrap().unwrap();
        std::iter::from_fn(|| reader.next_entry().unwrap()).collect()
    }

    fn sizes(dir: &Path) -> Vec<u64> {
        let size = |entry| match entry {
            Entry::Note { note, .. } => Some(note.size),
            _ => None,
        };
        entries(dir).into_iter().filter_map(size).collect()
    }

    fn filled(count: u64) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut notes = open(folder.path());
        for number in 0..count {
            notes.append(&note(number * 10, number as i64, number)).unwrap();
        }
        folder
    }

    #[test]
    fn notes_come_back_in_order_and_go_on_after_a_restart() {
        let folder = filled(3);
        let mut notes = open(folder.path());
        assert_eq!(notes.last().map(|note| note.size), Some(20));
        notes.append(&note(30, 3, 3)).unwrap();
        assert_eq!(sizes(folder.path()), [0, 10, 20, 30]);
        assert_eq!(last_note(&Disk, folder.path()).unwrap().unwrap().size, 30);
    }

    #[test]
    fn t2_a_note_torn_at_any_byte_is_cut_only_by_the_writer() {
        let folder = filled(2);
        let path = folder.path().join(CHECKPOINTS_FILE);
        let bytes = std::fs::read(&path).unwrap();
        let second = bytes.len() / 2;
        for cut in second + 1..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let seen = entries(folder.path());
            let torn = Entry::Torn { offset: second as u64, len: (cut - second) as u64 };
            assert_eq!(seen[1..], [torn], "cut at {cut}");
            let mut notes = open(folder.path());
            assert!(notes.moved().is_none());
            notes.append(&note(99, 9, 9)).unwrap();
            assert_eq!(sizes(folder.path()), [0, 99]);
        }
    }

    #[test]
    fn p4_a_flipped_byte_is_found_and_costs_at_most_the_notes_it_touches() {
        let folder = filled(5);
        let path = folder.path().join(CHECKPOINTS_FILE);
        let good = std::fs::read(&path).unwrap();
        let key = Signer::from_seed("relay-1.example.gov", &[1; 32]).unwrap().verifier().clone();
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            let seen = entries(folder.path());
            let whole = |entry: &&Entry| matches!(entry, Entry::Note { note, .. } if note.verify(std::slice::from_ref(&key)).is_ok());
            let left = seen.iter().filter(whole).count();
            assert!((3..5).contains(&left), "{left} left after a flip at {at}");
        }
    }

    #[test]
    fn p4_what_is_no_note_at_the_end_is_kept_aside() {
        let folder = filled(2);
        let path = folder.path().join(CHECKPOINTS_FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        let good = bytes.len();
        bytes.extend_from_slice(b"neither\n\nnor\n\n\0\0");
        std::fs::write(&path, &bytes).unwrap();
        let notes = open(folder.path());
        assert_eq!(std::fs::read(notes.moved().unwrap()).unwrap(), bytes[good..]);
        assert_eq!(std::fs::read(&path).unwrap(), bytes[..good]);
        assert_eq!(sizes(folder.path()), [0, 10]);
    }

    #[test]
    fn a_file_of_rubbish_is_read_in_bounded_memory() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CHECKPOINTS_FILE), vec![b'x'; 1 << 20]).unwrap();
        let seen = entries(folder.path());
        assert!(seen.iter().all(|entry| !matches!(entry, Entry::Note { .. })));
        assert!(open(folder.path()).last().is_none());
    }

    #[test]
    fn the_first_note_over_a_size_is_found_in_a_long_file() {
        let folder = filled(2_000);
        let notes = open(folder.path());
        for size in [0, 1, 10, 4_995, 9_999, 10_000, 19_990] {
            let found = notes.covering(size).unwrap().unwrap();
            assert_eq!(found.size, size.div_ceil(10) * 10);
        }
        assert!(notes.covering(19_991).unwrap().is_none());
    }

    #[test]
    fn p10_a_jump_of_the_clock_ages_the_log_by_a_day_at_most() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path()).append(&note(1, 100 * DAY_US, 1_000)).unwrap();
        let aged = |now_us| {
            let elapsed = Duration::from_secs(50);
            let notes = Checkpoints::open(Arc::new(Disk), folder.path(), now_us, elapsed).unwrap();
            notes.elapsed_s(elapsed + Duration::from_secs(7))
        };
        assert_eq!(aged(100 * DAY_US), 1_007);
        assert_eq!(aged(100 * DAY_US + 60_000_000), 1_067);
        assert_eq!(aged(465 * DAY_US), 1_007 + 86_400);
        assert_eq!(aged(100 * DAY_US - 8 * 3_600_000_000), 1_007);
        assert_eq!(aged(i64::MIN), 1_007);
    }
}

//! Reads the file `checkpoints`: notes, and stretches that are none, each with its place.

use std::io;
use std::path::Path;

use crate::envelope::{SIGNATURE_MARK, SIGNED_BYTES_MAX};
use crate::note::Note;
use crate::segment::CHECKPOINTS_FILE;
use crate::storage::{Storage, StoredFile, read_full_at};

/// How much of the end of the file is searched for the last note before all of it is.
const TAIL: u64 = 64 * 1024;
/// Two parts of a note, each of the greatest length, and the empty lines.
pub(super) const WINDOW: usize = 2 * SIGNED_BYTES_MAX + 4;
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
    /// The file ends within a note, or with one that has zeros in it, as when a crash tore its last
    /// write.
    Torn {
        /// Where the note begins.
        offset: u64,
        /// How much of it there is.
        len: u64,
    },
}

/// Reads the notes of a file in order, in bounded memory.
pub struct NoteReader {
    pub(super) file: Box<dyn StoredFile>,
    pub(super) size: u64,
    pub(super) offset: u64,
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
        if note.is_none() && window.len() as u64 == left && is_half_flushed(window) {
            self.offset = self.size;
            return Ok(Some(Entry::Torn { offset, len: left }));
        }
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
    pub(super) fn last(&mut self) -> io::Result<Option<(u64, Note)>> {
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
    pub(super) fn covering(&mut self, size: u64) -> io::Result<Option<Note>> {
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

/// Whether the end of the file is a note of which a power cut left only some sectors: zeros stand
/// where the others should, and no whole note follows.
fn is_half_flushed(mut end: &[u8]) -> bool {
    let zeros = end.starts_with(&[0]) || end.ends_with(&[0]) || end.windows(2).any(|w| w == [0; 2]);
    if !zeros {
        return false;
    }
    loop {
        match paragraphs(end) {
            Found::Open => return true,
            Found::Note(len) if Note::parse(&end[..len - 1]).is_ok() => return false,
            Found::Note(len) | Found::Other(len) => end = &end[len..],
        }
    }
}

fn find_gap(bytes: &[u8]) -> Option<usize> {
    bytes.windows(GAP.len()).position(|pair| pair == GAP)
}

/// The last note of the log in `dir`, its signatures not verified.
pub fn last_note(storage: &dyn Storage, dir: &Path) -> io::Result<Option<Note>> {
    let Some(mut reader) = NoteReader::open(storage, dir)? else { return Ok(None) };
    Ok(reader.last()?.map(|(_, note)| note))
}

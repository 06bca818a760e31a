//! Windows' binary event logs (`.evtx`): each record as JSON text in the layout of `Event.System`
//! and `Event.EventData`, which the pack `windows_event` reads.
//!
//! A file is a header and chunks of 64 KiB, each of which can be read alone: one chunk is held at
//! a time. A record's place is that of its bytes in the file. Chunks and records that are damaged
//! are told, and what follows them is read.
//!
//! The reader of the records is the crate `evtx`. It is not given what would make it work without
//! end: see [`prepare`] and [`repeats`].

use std::collections::VecDeque;
use std::fmt::Display;
use std::io::{self, Cursor, Read};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ::evtx::{EvtxChunkData, EvtxRecord, ParserSettings};

use super::Frame;

/// How every such file begins.
pub(super) const MAGIC: &[u8] = b"ElfFile\0";
const CHUNK_MAGIC: &[u8] = b"ElfChnk\0";
const RECORD_MAGIC: &[u8] = b"\x2a\x2a\0\0";
const HEADER_BYTES: usize = 4096;
const CHUNK_BYTES: usize = 64 * 1024;
/// Where the first record of a chunk stands, and the bytes before a record's content.
const FIRST_RECORD: usize = 512;
const RECORD_HEAD: usize = 24;
/// Bytes behind it.
const RECORD_TAIL: usize = 4;
/// Where a chunk's header points to its lists of names.
const NAME_LISTS: Range<usize> = 128..384;
/// Tokens of the binary XML: the head of a fragment, a template with its values, and none.
const FRAGMENT: u8 = 0x0f;
const INSTANCE: u8 = 0x0c;
const NO_TOKEN: u8 = 0xff;
/// Types of values: binary XML again, and the bit of a list.
const NESTED: u8 = 0x21;
const LIST: u8 = 0x80;
/// Levels of binary XML within values that are looked into.
const MAX_NESTED: usize = 8;
/// Bytes of text that the records of one chunk may become: real ones stay below a hundredth.
const TEXT_LIMIT: usize = 64 * 1024 * 1024;
/// How often arrays within one record may repeat the elements they stand in.
const REPEATS_LIMIT: usize = 4_096;
/// Damaged places of one chunk that are passed over.
const MENDS: usize = 16;

type Reader<R> = io::Chain<Cursor<Vec<u8>>, R>;

/// Frames a binary event log.
pub(crate) struct Evtx<R> {
    reader: Reader<R>,
    settings: Arc<ParserSettings>,
    /// What the chunk at hand holds and has not been given out.
    items: VecDeque<Item>,
    /// The text of the record given out last.
    text: Vec<u8>,
    /// Bytes read from below.
    offset: u64,
    /// Records given out.
    number: u64,
    finished: bool,
    failure: Option<io::Error>,
}

/// A record's place and text, or what is wrong there.
type Item = (u64, Result<Vec<u8>, String>);

impl<R: Read> Evtx<R> {
    pub fn new(reader: Reader<R>) -> Self {
        Self {
            reader,
            settings: settings(),
            items: VecDeque::new(),
            text: Vec::new(),
            offset: 0,
            number: 0,
            finished: false,
            failure: None,
        }
    }

    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub fn inner(&self) -> &R {
        self.reader.get_ref().1
    }

    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        while self.items.is_empty() {
            if self.finished {
                return None;
            }
            self.next_chunk();
        }
        let (offset, item) = self.items.pop_front()?;
        Some(match item {
            Ok(text) => {
                self.number += 1;
                self.text = text;
                let number = self.number;
                let bytes = &self.text;
                Frame::Record { offset, number, bytes, continued: false, unfinished: false }
            }
            Err(what) => Frame::Damaged { offset, what },
        })
    }

    fn next_chunk(&mut self) {
        if self.offset == 0 {
            self.read_block(HEADER_BYTES);
        }
        let at = self.offset;
        let chunk = self.read_block(CHUNK_BYTES);
        self.items.extend(read_chunk(chunk, at, &self.settings));
    }

    /// The next bytes of the stream; fewer at its end.
    fn read_block(&mut self, length: usize) -> Vec<u8> {
        let mut block = Vec::new();
        if let Err(error) = self.reader.by_ref().take(length as u64).read_to_end(&mut block) {
            self.failure = Some(error);
        }
        self.offset += block.len() as u64;
        self.finished = block.len() < length;
        block
    }
}

fn settings() -> Arc<ParserSettings> {
    Arc::new(ParserSettings::new().indent(false))
}

/// The record that begins at `position` of the file, if one does.
pub(super) fn record_at<R: Read>(mut reader: R, position: u64) -> io::Result<Option<Vec<u8>>> {
    let Some(behind) = position.checked_sub(HEADER_BYTES as u64) else { return Ok(None) };
    let at = HEADER_BYTES as u64 + behind / CHUNK_BYTES as u64 * CHUNK_BYTES as u64;
    io::copy(&mut reader.by_ref().take(at), &mut io::sink())?;
    let mut chunk = Vec::new();
    reader.take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
    let mut items = read_chunk(chunk, at, &settings()).into_iter();
    Ok(items.find(|(offset, _)| *offset == position).and_then(|(_, item)| item.ok()))
}

/// All of a chunk that stands at `at` of the file.
fn read_chunk(mut chunk: Vec<u8>, at: u64, settings: &Arc<ParserSettings>) -> Vec<Item> {
    if chunk.iter().all(|byte| *byte == 0) {
        // Room that no record has taken yet.
        return Vec::new();
    }
    if !chunk.starts_with(CHUNK_MAGIC) || chunk.len() < FIRST_RECORD {
        return vec![(at, Err("a chunk does not begin as one, its records are lost".into()))];
    }
    let cut_off = chunk.len() < CHUNK_BYTES;
    prepare(&mut chunk);
    let mut items: Vec<Item> = Vec::new();
    for _ in 0..MENDS {
        let read = || read_records(&chunk, items.len(), settings);
        let (found, end) = catch_unwind(AssertUnwindSafe(read))
            .unwrap_or_else(|_| (vec![lost(0, "the rest of a chunk cannot be read")], None));
        items.extend(found);
        if end.and_then(|end| mend(&mut chunk, end)).is_none() {
            break;
        }
    }
    if cut_off {
        items.push(lost(chunk.len(), "the file ends within a chunk"));
    }
    items.into_iter().map(|(offset, item)| (at + offset, item)).collect()
}

/// Takes from a chunk what the reader would follow without end: the lists of names, which may
/// lead in a circle (it finds names where the records point to them), and records whose lists
/// multiply.
fn prepare(chunk: &mut [u8]) {
    chunk[NAME_LISTS].fill(0);
    let mut at = FIRST_RECORD;
    while let Some(length) = record_length(chunk, at) {
        let content = at + RECORD_HEAD..at + length - RECORD_TAIL;
        if repeats(chunk, content, 0).is_some_and(|times| times > REPEATS_LIMIT) {
            chunk[at + RECORD_HEAD] = NO_TOKEN;
        }
        at += length;
    }
}

/// The bytes of the record that begins here, if one does.
fn record_length(chunk: &[u8], at: usize) -> Option<usize> {
    let length = number(chunk, at + RECORD_MAGIC.len())? as usize;
    let fits = length >= RECORD_HEAD + RECORD_TAIL && length <= chunk.len() - at;
    (chunk[at..].starts_with(RECORD_MAGIC) && fits).then_some(length)
}

fn number(chunk: &[u8], at: usize) -> Option<u32> {
    let bytes = chunk.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// How often the lists among a record's values repeat the elements that they stand in: each of
/// them multiplies the others.
fn repeats(chunk: &[u8], content: Range<usize>, depth: usize) -> Option<usize> {
    let head = match chunk.get(content.clone())? {
        [FRAGMENT, _, _, _, INSTANCE, ..] => 5,
        [INSTANCE, ..] => 1,
        _ => return None,
    };
    let mut at = content.start + head + 9;
    if number(chunk, at - 4)? as usize == at {
        // The template itself: its head, and as many bytes as the head says.
        at += 24 + number(chunk, at + 20)? as usize;
    }
    let kinds = at.checked_add(4)?..at.checked_add(4 + 4 * number(chunk, at)? as usize)?;
    let mut value = kinds.end;
    let mut times = 1_usize;
    for kind in chunk.get(kinds)?.chunks_exact(4) {
        let size = usize::from(u16::from_le_bytes([kind[0], kind[1]]));
        let bytes = chunk.get(value..value + size)?;
        let factor = match kind[2] {
            NESTED if depth < MAX_NESTED => repeats(chunk, value..value + size, depth + 1),
            kind if kind & LIST != 0 => Some(list_length(kind & !LIST, bytes)),
            _ => None,
        };
        times = times.saturating_mul(factor.unwrap_or(1).max(1));
        value += size;
    }
    Some(times)
}

/// How many values of a type a list holds.
fn list_length(kind: u8, bytes: &[u8]) -> usize {
    match kind {
        0x01 => bytes.chunks_exact(2).filter(|unit| *unit == [0, 0]).count(),
        0x05 | 0x06 => bytes.len() / 2,
        0x07 | 0x08 | 0x0b | 0x0d | 0x14 => bytes.len() / 4,
        0x09 | 0x0a | 0x0c | 0x11 | 0x15 => bytes.len() / 8,
        0x0f | 0x12 => bytes.len() / 16,
        _ => bytes.len(),
    }
}

/// Puts a record that is none over the damage at `at`, up to where the next record begins.
fn mend(chunk: &mut [u8], at: usize) -> Option<()> {
    let from = at + RECORD_HEAD + RECORD_TAIL;
    let next = from + memchr::memmem::find(chunk.get(from..)?, RECORD_MAGIC)?;
    chunk[at..at + RECORD_HEAD].fill(0);
    chunk[at..at + 4].copy_from_slice(RECORD_MAGIC);
    chunk[at + 4..at + 8].copy_from_slice(&((next - at) as u32).to_le_bytes());
    chunk[at + RECORD_HEAD] = NO_TOKEN;
    Some(())
}

fn lost(offset: usize, what: &str) -> Item {
    (offset as u64, Err(what.to_owned()))
}

/// The records of a chunk behind the first `known`, and where the reader gave up.
fn read_records(
    chunk: &[u8],
    known: usize,
    settings: &Arc<ParserSettings>,
) -> (Vec<Item>, Option<usize>) {
    let nothing = |error: &dyn Display| (vec![lost(0, &error.to_string())], None);
    let mut data = match EvtxChunkData::new(chunk.to_vec(), false) {
        Ok(data) => data,
        Err(error) => return nothing(&error),
    };
    let used = data.header.free_space_offset as usize;
    let mut parsed = match data.parse(Arc::clone(settings)) {
        Ok(parsed) => parsed,
        Err(error) => return nothing(&error),
    };
    let mut items: Vec<Item> = Vec::new();
    let (mut at, mut last, mut room) = (FIRST_RECORD, FIRST_RECORD, TEXT_LIMIT);
    for (index, record) in parsed.iter().enumerate() {
        if index >= known {
            let text = record.and_then(EvtxRecord::into_json_bytes);
            let Some(left) = room.checked_sub(text.as_ref().map_or(0, |text| text.data.len()))
            else {
                items.push(lost(at, "the records of a chunk become more than 64 MiB of text"));
                return (items, None);
            };
            room = left;
            let damage = |error| format!("a record is damaged: {error}");
            items.push((at as u64, text.map(|text| text.data).map_err(damage)));
        }
        last = at;
        let Some(length) = record_length(chunk, at) else { return (items, Some(at)) };
        at += length;
    }
    // The reader goes on behind a record that it cannot read, but not behind a broken head.
    let gave_up = items.last().is_some_and(|(_, item)| item.is_err()) && at < used;
    (items, gave_up.then_some(last))
}

//! Seals a segment.
//!
//! The sealed file is written beside the raw one, flushed and read back; then it takes its name,
//! and only when that is flushed the raw file goes. Stopped anywhere, the raw file is either whole
//! or no longer needed: whoever finds both seals anew, over what the first attempt left.

use std::path::{Path, PathBuf};

use zstd::bulk::Compressor;

use super::block::{
    BLOCKS_MAX, BlockKind, Entry, GROUP, PLAIN_MAX, PLAIN_TARGET, put_block, put_entry, trailer,
    xor_into,
};
use super::read::{BlockState, SealedFile};
use crate::error::{At, LogError};
use crate::frame::{Frame, FrameFault, FrameKind, Salt, parse_frame};
use crate::header::{HEADER_BYTES, Header};
use crate::segment::{SegmentInfo, segment_name};
use crate::storage::{Storage, StoredFile, read_full_at, write_all_at};

/// What the name of a sealed segment ends with while it is written.
pub const SEAL_SUFFIX: &str = ".segz.tmp";
/// How much of the raw segment is read at once.
const READ_BYTES: usize = 1 << 20;

/// A sealed segment that is written and flushed, but has not taken the place of the raw one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The raw segment.
    pub segment: SegmentInfo,
    /// The sealed file under its temporary name.
    pub temporary: PathBuf,
    /// Its length.
    pub bytes: u64,
}

/// What came of sealing a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The sealed segment.
    pub segment: SegmentInfo,
    /// Length of the raw file, which is gone.
    pub raw_bytes: u64,
}

/// Seals the raw segment `segment` of the log in `dir`, whose records end before `end`.
pub fn seal_segment(
    storage: &dyn Storage,
    dir: &Path,
    segment: &SegmentInfo,
    end: u64,
    level: i32,
) -> Result<Sealed, LogError> {
    adopt(storage, dir, &prepare(storage, dir, segment, end, level)?)
}

/// Writes the sealed file under a temporary name, flushes it and reads it back. Changes nothing
/// else, so another thread may do it while the writer goes on. `end` is the first sequence of the
/// next segment: frames from there on are void. A damaged segment is refused; it stays as it is.
pub fn prepare(
    storage: &dyn Storage,
    dir: &Path,
    segment: &SegmentInfo,
    end: u64,
    level: i32,
) -> Result<Prepared, LogError> {
    let name = segment_name(segment.number, segment.first, true);
    let temporary = dir.join(format!("{name}.tmp"));
    remove_if_there(storage, &temporary)?;
    let written = write_and_check(storage, segment, &temporary, end, level);
    if written.is_err() {
        // Left where even that fails; the next attempt removes it.
        let _ = storage.remove(&temporary);
    }
    Ok(Prepared { segment: segment.clone(), temporary, bytes: written? })
}

fn write_and_check(
    storage: &dyn Storage,
    segment: &SegmentInfo,
    temporary: &Path,
    end: u64,
    level: i32,
) -> Result<u64, LogError> {
    let mut source = RawFrames::open(storage, segment, end)?;
    let header = Header { sealed: true, ..source.header.clone() };
    let file = storage.create(temporary).at(temporary)?;
    let mut writer = BlockWriter::new(file, temporary, level)?;
    writer.put(&header.encode()[..])?;
    let mut checksum = 0;
    while let Some((sequence, frame)) = source.next_frame()? {
        checksum = crc32c::crc32c_append(checksum, frame);
        writer.frame(sequence, frame)?;
    }
    let bytes = writer.finish()?;
    let read = read_back(storage, temporary)?;
    if read == checksum {
        Ok(bytes)
    } else {
        let what = "the sealed copy did not read back as it was written".to_owned();
        Err(LogError::Damaged { path: temporary.to_owned(), what })
    }
}

fn read_back(storage: &dyn Storage, path: &Path) -> Result<u32, LogError> {
    let file = SealedFile::open(storage, path)?;
    let mut plain = Vec::new();
    let mut checksum = 0;
    for index in 0..file.blocks() {
        if file.block(index, &mut plain)? != BlockState::Whole {
            break;
        }
        checksum = crc32c::crc32c_append(checksum, &plain);
    }
    Ok(checksum)
}

/// Puts the sealed file in the place of the raw one.
pub fn adopt(storage: &dyn Storage, dir: &Path, prepared: &Prepared) -> Result<Sealed, LogError> {
    let raw = &prepared.segment;
    let path = dir.join(segment_name(raw.number, raw.first, true));
    storage.rename(&prepared.temporary, &path).at(&path)?;
    storage.sync_folder(dir).at(dir)?;
    remove_if_there(storage, &raw.path)?;
    storage.sync_folder(dir).at(dir)?;
    let segment = SegmentInfo { sealed: true, bytes: prepared.bytes, path, ..raw.clone() };
    Ok(Sealed { segment, raw_bytes: raw.bytes })
}

fn remove_if_there(storage: &dyn Storage, path: &Path) -> Result<(), LogError> {
    match storage.remove(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.at(path),
    }
}

/// The frames of a raw segment that count, in order.
struct RawFrames<'a> {
    file: Box<dyn StoredFile>,
    path: &'a Path,
    header: Header,
    salt: Salt,
    end: u64,
    buffer: Vec<u8>,
    at: usize,
    read_to: u64,
    /// All that counts has been given: what follows is void, whole or torn.
    complete: bool,
}

impl<'a> RawFrames<'a> {
    fn open(storage: &dyn Storage, segment: &'a SegmentInfo, end: u64) -> Result<Self, LogError> {
        let path = &segment.path;
        let file = storage.open_read(path).at(path)?;
        let mut bytes = vec![0; HEADER_BYTES];
        let read = read_full_at(file.as_ref(), &mut bytes, 0).at(path)?;
        let damaged = |what: &str| LogError::Damaged { path: path.clone(), what: what.to_owned() };
        let (header, _) =
            Header::decode(&bytes[..read]).map_err(|_| damaged("its header cannot be read"))?;
        if header.sealed || header.number != segment.number || header.first() != segment.first {
            return Err(damaged("its header is that of another segment"));
        }
        let salt = Salt::new(&header.id);
        let read_to = HEADER_BYTES as u64;
        let complete = segment.first == end;
        Ok(Self { file, path, header, salt, end, buffer: Vec::new(), at: 0, read_to, complete })
    }

    fn next_frame(&mut self) -> Result<Option<(u64, &[u8])>, LogError> {
        loop {
            match parse_frame(&self.buffer[self.at..], self.salt) {
                Ok(frame) => {
                    let (begin, sequence) = (self.at, frame.sequence);
                    let void = is_void(&frame, self.end);
                    let ends = matches!(frame.kind, FrameKind::Commit | FrameKind::End);
                    self.complete |= ends && sequence == self.end;
                    self.at += frame.frame_bytes();
                    if !void {
                        return Ok(Some((sequence, &self.buffer[begin..self.at])));
                    }
                }
                Err(FrameFault::Short(_)) => {
                    let held = self.buffer.len() - self.at;
                    if !self.fill()? {
                        let whole = held == 0 || self.complete;
                        return if whole { Ok(None) } else { Err(self.damaged(held)) };
                    }
                }
                // What a crash tore of a group that was written again in the next segment.
                Err(_) if self.complete => return Ok(None),
                Err(_) => return Err(self.damaged(self.buffer.len() - self.at)),
            }
        }
    }

    /// Reads on; false at the end of the file.
    fn fill(&mut self) -> Result<bool, LogError> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + READ_BYTES, 0);
        let read = read_full_at(self.file.as_ref(), &mut self.buffer[held..], self.read_to)
            .at(self.path)?;
        self.buffer.truncate(held + read);
        self.read_to += read as u64;
        Ok(read > 0)
    }

    fn damaged(&self, held: usize) -> LogError {
        let offset = self.read_to - held as u64;
        let what = format!("no whole frame at offset {offset}: it is kept as it is, not sealed");
        LogError::Damaged { path: self.path.to_owned(), what }
    }
}

/// Whether a frame belongs to a group whose flush failed, in a segment whose records end before
/// `end`.
pub(crate) fn is_void(frame: &Frame<'_>, end: u64) -> bool {
    match frame.kind {
        // Their sequence is the number of records before them.
        FrameKind::Commit | FrameKind::End => frame.sequence > end,
        _ => frame.sequence >= end,
    }
}

/// Writes blocks, parity, index and trailer.
struct BlockWriter<'a> {
    file: Box<dyn StoredFile>,
    path: &'a Path,
    offset: u64,
    compressor: Compressor<'static>,
    plain: Vec<u8>,
    plain_first: u64,
    plain_before: u64,
    content: Vec<u8>,
    block: Vec<u8>,
    parity: Vec<u8>,
    covered: usize,
    entries: Vec<Entry>,
}

impl<'a> BlockWriter<'a> {
    fn new(file: Box<dyn StoredFile>, path: &'a Path, level: i32) -> Result<Self, LogError> {
        Ok(Self {
            file,
            path,
            offset: 0,
            compressor: Compressor::new(level).at(path)?,
            plain: Vec::with_capacity(PLAIN_MAX),
            plain_first: 0,
            plain_before: 0,
            content: Vec::with_capacity(zstd::zstd_safe::compress_bound(PLAIN_MAX)),
            block: Vec::new(),
            parity: Vec::new(),
            covered: 0,
            entries: Vec::new(),
        })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        write_all_at(self.file.as_ref(), bytes, self.offset).at(self.path)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn put_block(&mut self, kind: BlockKind, plain: usize, content: &[u8]) -> Result<(), LogError> {
        let mut block = std::mem::take(&mut self.block);
        block.clear();
        put_block(&mut block, kind, plain, content);
        let written = self.put(&block);
        self.block = block;
        written
    }

    fn frame(&mut self, sequence: u64, frame: &[u8]) -> Result<(), LogError> {
        if self.plain.is_empty() {
            self.plain_first = sequence;
        }
        self.plain.extend_from_slice(frame);
        if self.plain.len() >= PLAIN_TARGET { self.data_block() } else { Ok(()) }
    }

    fn data_block(&mut self) -> Result<(), LogError> {
        if self.entries.len() == BLOCKS_MAX {
            let what = "it is too long to be sealed".to_owned();
            return Err(LogError::Damaged { path: self.path.to_owned(), what });
        }
        self.entries.push(Entry {
            first: self.plain_first,
            offset: self.offset,
            plain: self.plain_before,
        });
        let mut content = std::mem::take(&mut self.content);
        content.clear();
        self.compressor.compress_to_buffer(&self.plain, &mut content).at(self.path)?;
        self.put_block(BlockKind::Data, self.plain.len(), &content)?;
        self.content = content;
        xor_into(&mut self.parity, &self.block);
        self.covered += 1;
        self.plain_before += self.plain.len() as u64;
        self.plain.clear();
        if self.covered == GROUP { self.parity_block() } else { Ok(()) }
    }

    fn parity_block(&mut self) -> Result<(), LogError> {
        let parity = std::mem::take(&mut self.parity);
        self.put_block(BlockKind::Parity, self.covered, &parity)?;
        self.covered = 0;
        Ok(())
    }

    /// Writes what is left, flushes, and gives the length of the file.
    fn finish(mut self) -> Result<u64, LogError> {
        if !self.plain.is_empty() {
            self.data_block()?;
        }
        if self.covered > 0 {
            self.parity_block()?;
        }
        let index = self.offset;
        let mut content = Vec::with_capacity(self.entries.len() * 24);
        for entry in &self.entries {
            put_entry(&mut content, *entry);
        }
        self.put_block(BlockKind::Index, content.len(), &content)?;
        self.put(&trailer(index, self.entries.len() as u64))?;
        self.file.sync().at(self.path)?;
        Ok(self.offset)
    }
}

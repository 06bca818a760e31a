//! Reads sealed segments.

use std::path::{Path, PathBuf};

use zstd::bulk::Decompressor;

use super::block::{
    BlockHead, BlockKind, CONTENT_MAX, ENTRY_BYTES, Entry, GROUP, HEAD_BYTES, TRAILER_BYTES,
    read_entries, read_trailer, whole_block,
};
use super::repair;
use crate::error::{At, LogError};
use crate::header::{HEADER_BYTES, Header, HeaderFault};
use crate::segment::parse_segment_name;
use crate::storage::{Storage, StoredFile, read_full_at};

/// What is damaged in a sealed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedDamage {
    /// One of the two copies of its header, or both. Nothing is lost: the name of the file tells
    /// what reading needs of it.
    Header,
    /// The trailer. Nothing is lost: the index was found by walking the blocks.
    Trailer,
    /// The index. It was rebuilt by walking the blocks.
    Index,
    /// A data block that its parity made whole again. Nothing is lost.
    Repaired,
    /// A data block that could not be made whole.
    Lost,
    /// A parity block. Nothing is lost, but a second fault nearby would be.
    Parity,
}

/// A damaged place of a sealed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedFinding {
    /// What is damaged.
    pub what: SealedDamage,
    /// Where in the file.
    pub offset: u64,
    /// First sequence of the frames in the damaged place, or that it helps to protect.
    pub first: u64,
    /// Last such sequence; `u64::MAX` where the segment itself does not tell.
    pub last: u64,
}

/// What came of reading a data block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockState {
    /// It was whole.
    Whole,
    /// It was damaged, and its parity made it whole again.
    Repaired,
    /// It is damaged, and nothing of it could be read.
    Lost,
}

/// An open sealed segment. Reading takes no turn with writing: any number of threads may read.
pub struct SealedFile {
    pub(super) file: Box<dyn StoredFile>,
    pub(super) path: PathBuf,
    first: u64,
    pub(super) entries: Vec<Entry>,
    /// Where the last parity block ends.
    pub(super) end: u64,
    findings: Vec<SealedFinding>,
}

impl SealedFile {
    /// Opens a sealed segment: by its index, or by walking its blocks where that is damaged.
    pub fn open(storage: &dyn Storage, path: &Path) -> Result<Self, LogError> {
        let file = storage.open_read(path).at(path)?;
        let size = file.size().at(path)?;
        let header = read_header(file.as_ref(), path)?;
        let mut this = Self {
            file,
            path: path.to_owned(),
            first: header.as_ref().map_or_else(|| first_of(path), |(header, _)| header.first()),
            entries: Vec::new(),
            end: size,
            findings: Vec::new(),
        };
        if !header.is_some_and(|(_, whole)| whole) {
            this.found(SealedDamage::Header, 0);
        }
        this.read_index(size)?;
        Ok(this)
    }

    fn found(&mut self, what: SealedDamage, offset: u64) {
        let first = self.first;
        self.findings.push(SealedFinding { what, offset, first, last: u64::MAX });
    }

    fn read_index(&mut self, size: u64) -> Result<(), LogError> {
        let at = size.saturating_sub(TRAILER_BYTES as u64);
        let mut bytes = [0; TRAILER_BYTES];
        let read = read_full_at(self.file.as_ref(), &mut bytes, at).at(&self.path)?;
        let trailer = read_trailer(&bytes).filter(|_| read == TRAILER_BYTES);
        if let Some((index, count)) = trailer {
            if let Some(entries) = self.index_at(index, at)?
                && entries.len() as u64 == count
            {
                (self.entries, self.end) = (entries, index);
                return Ok(());
            }
            self.found(SealedDamage::Index, index);
            return self.walk(index.min(at), false);
        }
        self.found(SealedDamage::Trailer, at);
        self.walk(at, true)
    }

    /// The index at `offset`, if it stands there whole and ends at `end`.
    fn index_at(&self, offset: u64, end: u64) -> Result<Option<Vec<Entry>>, LogError> {
        let begin = HEADER_BYTES as u64;
        let Some(len) = end.checked_sub(offset).filter(|_| offset >= begin) else {
            return Ok(None);
        };
        let head = BlockHead::read(&self.bytes_at(offset, HEAD_BYTES)?);
        let Some(head) = head.filter(|head| head.block_bytes() as u64 == len) else {
            return Ok(None);
        };
        let block = self.bytes_at(offset, head.block_bytes())?;
        Ok(whole_block(&block, BlockKind::Index)
            .and_then(|(_, block)| read_entries(&block[HEAD_BYTES..], begin, offset)))
    }

    /// Finds the blocks without the index; uses an index that it comes by where `trust_index`.
    fn walk(&mut self, end: u64, trust_index: bool) -> Result<(), LogError> {
        let walked = repair::walk(self, end)?;
        if trust_index
            && let Some(index) = walked.index
            && let Some(entries) = self.index_at(index, end)?
        {
            (self.entries, self.end) = (entries, index);
            return Ok(());
        }
        self.end = walked.index.unwrap_or(walked.end);
        self.entries = walked.entries;
        for (offset, first, last) in walked.lost {
            self.findings.push(SealedFinding { what: SealedDamage::Lost, offset, first, last });
        }
        Ok(())
    }

    /// The bytes at `offset`, fewer at the end of the file.
    pub(super) fn bytes_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, LogError> {
        let mut bytes = vec![0; len];
        let read = read_full_at(self.file.as_ref(), &mut bytes, offset).at(&self.path)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// The segment's first record.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of data blocks.
    pub fn blocks(&self) -> usize {
        self.entries.len()
    }

    /// What was found damaged when the file was opened.
    pub fn findings(&self) -> &[SealedFinding] {
        &self.findings
    }

    /// The block from which on the first frame of `sequence` is found: in it, or at the very
    /// beginning of the next.
    pub fn block_of(&self, sequence: u64) -> usize {
        // Where a block begins with the sequence, that may be a further part of its record.
        self.entries.partition_point(|entry| entry.first < sequence).saturating_sub(1)
    }

    /// The block that holds this offset of all frames put together.
    pub fn block_at(&self, offset: u64) -> usize {
        self.entries.partition_point(|entry| entry.plain <= offset).saturating_sub(1)
    }

    /// Offset of a block's first frame in all frames put together.
    pub fn plain_offset(&self, index: usize) -> Option<u64> {
        self.entries.get(index).map(|entry| entry.plain)
    }

    /// Sequence of a block's first frame.
    pub fn first_sequence(&self, index: usize) -> Option<u64> {
        self.entries.get(index).map(|entry| entry.first)
    }

    /// A finding about a block, with its place.
    pub fn finding(&self, index: usize, what: SealedDamage) -> SealedFinding {
        let entry = self.entries.get(index);
        SealedFinding {
            what,
            offset: entry.map_or(self.end, |entry| entry.offset),
            first: entry.map_or(self.first, |entry| entry.first),
            last: self.first_sequence(index + 1).unwrap_or(u64::MAX),
        }
    }

    /// Puts the frames of a block into `plain`, in place of what it holds; nothing where the block
    /// is lost or there is none.
    pub fn block(&self, index: usize, plain: &mut Vec<u8>) -> Result<BlockState, LogError> {
        plain.clear();
        let Some(entry) = self.entries.get(index) else { return Ok(BlockState::Lost) };
        let extent = self.extent(index);
        let bytes = self.bytes_at(entry.offset, extent)?;
        if let Some((head, block)) = whole_block(&bytes, BlockKind::Data)
            && decompress(&head, &block[HEAD_BYTES..], plain)
        {
            return Ok(BlockState::Whole);
        }
        if let Some(block) = repair::by_parity(self, index)?
            && let Some((head, block)) = whole_block(&block, BlockKind::Data)
            && decompress(&head, &block[HEAD_BYTES..], plain)
        {
            return Ok(BlockState::Repaired);
        }
        plain.clear();
        Ok(BlockState::Lost)
    }

    /// How many bytes from the beginning of a block to that of the next, which may be more than the
    /// block has, but never more than a block may have.
    pub(super) fn extent(&self, index: usize) -> usize {
        let begin = self.entries[index].offset;
        let end = self.entries.get(index + 1).map_or(self.end, |next| next.offset);
        end.saturating_sub(begin).min((HEAD_BYTES + CONTENT_MAX) as u64) as usize
    }

    /// Reads and checks everything, parity included; gives all that is damaged, in order of the
    /// file, with what opening found.
    pub fn check(&self) -> Result<Vec<SealedFinding>, LogError> {
        let mut findings = self.findings.clone();
        let mut plain = Vec::new();
        for index in 0..self.blocks() {
            match self.block(index, &mut plain)? {
                BlockState::Whole => {}
                BlockState::Repaired => findings.push(self.finding(index, SealedDamage::Repaired)),
                BlockState::Lost => findings.push(self.finding(index, SealedDamage::Lost)),
            }
            if (index + 1) % GROUP == 0 || index + 1 == self.blocks() {
                findings.extend(self.check_parity(index / GROUP)?);
            }
        }
        Ok(findings)
    }

    /// Whether the parity block of a group of 16 data blocks is damaged.
    pub fn check_parity(&self, group: usize) -> Result<Option<SealedFinding>, LogError> {
        let begin = group * GROUP;
        if begin >= self.blocks() || repair::parity_is_whole(self, group)? {
            return Ok(None);
        }
        let last = self.first_sequence(begin + GROUP).unwrap_or(u64::MAX);
        Ok(Some(SealedFinding { last, ..self.finding(begin, SealedDamage::Parity) }))
    }
}

/// The header, and whether both copies are whole; `None` where neither can be read.
fn read_header(file: &dyn StoredFile, path: &Path) -> Result<Option<(Header, bool)>, LogError> {
    let mut bytes = vec![0; HEADER_BYTES];
    let read = read_full_at(file, &mut bytes, 0).at(path)?;
    match Header::decode(&bytes[..read]) {
        Ok((header, _)) if !header.sealed => {
            let what = "its header says that it is not sealed".to_owned();
            Err(LogError::Damaged { path: path.to_owned(), what })
        }
        Ok(told) => Ok(Some(told)),
        Err(HeaderFault::Newer(version)) => {
            Err(LogError::Newer { path: path.to_owned(), version: u64::from(version) })
        }
        Err(HeaderFault::Damaged) => Ok(None),
    }
}

/// The first record by the name of the file.
fn first_of(path: &Path) -> u64 {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    parse_segment_name(name).map_or(0, |(_, first, _)| first)
}

/// Decompresses a block's content; false where it is not what its head declares.
pub(super) fn decompress(head: &BlockHead, content: &[u8], plain: &mut Vec<u8>) -> bool {
    plain.clear();
    // Never more than what the head declares, which its reader has held to the limit.
    plain.reserve(head.plain);
    let Ok(mut decompressor) = Decompressor::new() else { return false };
    match decompressor.decompress(content, head.plain) {
        Ok(bytes) if bytes.len() == head.plain => {
            plain.extend_from_slice(&bytes);
            true
        }
        _ => false,
    }
}

const _: () = assert!(ENTRY_BYTES == 3 * 8);

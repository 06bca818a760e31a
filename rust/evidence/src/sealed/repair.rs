//! Makes damaged blocks whole by their parity, and finds blocks where the index is damaged.

use super::block::{
    BlockHead, BlockKind, CONTENT_MAX, Entry, GROUP, HEAD_BYTES, whole_block, xor_into,
};
use super::read::{SealedFile, decompress};
use crate::error::LogError;
use crate::frame::FrameHead;
use crate::header::HEADER_BYTES;

/// The longest block of data or parity.
const BLOCK_MAX: usize = 2 * HEAD_BYTES + CONTENT_MAX;
/// How many places that look like a block are tried after a damaged one, so that a hostile file
/// cannot make a reader check it over and over.
const TRIES_MAX: usize = 4096;

/// The block `index` as its parity and the other blocks of its group give it. What comes may still
/// be wrong: the caller checks it as any other block.
pub(super) fn by_parity(file: &SealedFile, index: usize) -> Result<Option<Vec<u8>>, LogError> {
    let group = index / GROUP;
    let Some((_, parity)) = parity_of(file, group)? else { return Ok(None) };
    let mut block = parity[HEAD_BYTES..].to_vec();
    for other in members(file, group).filter(|other| *other != index) {
        let bytes = file.bytes_at(file.entries[other].offset, file.extent(other))?;
        let Some((_, whole)) = whole_block(&bytes, BlockKind::Data) else { return Ok(None) };
        xor_into(&mut block, whole);
    }
    Ok(Some(block))
}

/// Whether a group's parity block stands where it should and is what its blocks make.
pub(super) fn parity_is_whole(file: &SealedFile, group: usize) -> Result<bool, LogError> {
    let Some((offset, parity)) = parity_of(file, group)? else { return Ok(false) };
    let mut sum = Vec::new();
    let mut end = 0;
    for index in members(file, group) {
        let begin = file.entries[index].offset;
        let bytes = file.bytes_at(begin, file.extent(index))?;
        // With a damaged block the sum cannot be formed; the parity itself has been checked.
        let Some((head, whole)) = whole_block(&bytes, BlockKind::Data) else { return Ok(true) };
        xor_into(&mut sum, whole);
        end = begin + head.block_bytes() as u64;
    }
    Ok(sum == parity[HEAD_BYTES..] && end == offset)
}

fn members(file: &SealedFile, group: usize) -> std::ops::Range<usize> {
    group * GROUP..((group + 1) * GROUP).min(file.entries.len())
}

/// The parity block of a group, and where it stands.
fn parity_of(file: &SealedFile, group: usize) -> Result<Option<(u64, Vec<u8>)>, LogError> {
    let members = members(file, group);
    let Some(last) = file.entries.get(members.end.saturating_sub(1)) else { return Ok(None) };
    let end = file.entries.get(members.end).map_or(file.end, |next| next.offset);
    // Between the beginning of the group's last block and the end of the group stand those two.
    let Some(len) = end.checked_sub(last.offset).filter(|len| *len <= 2 * BLOCK_MAX as u64) else {
        return Ok(None);
    };
    let bytes = file.bytes_at(last.offset, len as usize)?;
    let is_parity = |at: usize| {
        let tail = &bytes[at..];
        let head = BlockHead::read(tail).filter(|head| head.block_bytes() == tail.len())?;
        whole_block(tail, BlockKind::Parity).filter(|_| head.plain == members.len())
    };
    if let Some((head, _)) = whole_block(&bytes, BlockKind::Data) {
        let at = head.block_bytes();
        return Ok(is_parity(at).map(|(_, block)| (last.offset + at as u64, block.to_vec())));
    }
    // The last block is damaged, and its length may be: the parity is what ends with the group.
    let found = (HEAD_BYTES..bytes.len()).find_map(|at| Some((at, is_parity(at)?.1)));
    Ok(found.map(|(at, block)| (last.offset + at as u64, block.to_vec())))
}

/// What walking found.
pub(super) struct Walked {
    pub entries: Vec<Entry>,
    /// Where an index stands whole.
    pub index: Option<u64>,
    /// Where the last block ends.
    pub end: u64,
    /// Offset, first and last sequence of stretches in which no block could be read.
    pub lost: Vec<(u64, u64, u64)>,
}

/// Finds the blocks of a file up to `end` one after the other.
pub(super) fn walk(file: &SealedFile, end: u64) -> Result<Walked, LogError> {
    let mut at = HEADER_BYTES as u64;
    let mut walked = Walked { entries: Vec::new(), index: None, end: at, lost: Vec::new() };
    let mut plain = Vec::new();
    let mut tries = 0;
    let mut before = 0;
    while at < end {
        let Some((head, content)) = block_at(file, at, end)? else {
            let first = walked.entries.last().map_or(file.first(), |entry| entry.first);
            let next = next_block(file, at + 1, end, &mut tries)?;
            walked.lost.push((at, first, u64::MAX));
            let Some(next) = next else { break };
            at = next;
            continue;
        };
        match head.kind {
            BlockKind::Data => {
                if decompress(&head, &content, &mut plain)
                    && let Ok(frame) = FrameHead::read(&plain)
                {
                    let entry = Entry { first: frame.sequence, offset: at, plain: before };
                    walked.entries.push(entry);
                    before += head.plain as u64;
                    close_gaps(&mut walked.lost, entry.first);
                }
            }
            BlockKind::Parity => {}
            BlockKind::Index => {
                walked.index = Some(at);
                break;
            }
        }
        at += head.block_bytes() as u64;
        walked.end = at;
    }
    Ok(walked)
}

/// Once the next block is found it is known where the stretch before it ends.
fn close_gaps(lost: &mut [(u64, u64, u64)], next: u64) {
    for gap in lost.iter_mut().rev().take_while(|gap| gap.2 == u64::MAX) {
        gap.2 = next;
    }
}

/// The whole block of any kind at `at`: its head and content.
fn block_at(
    file: &SealedFile,
    at: u64,
    end: u64,
) -> Result<Option<(BlockHead, Vec<u8>)>, LogError> {
    let Some(head) = BlockHead::read(&file.bytes_at(at, HEAD_BYTES)?) else { return Ok(None) };
    if at + head.block_bytes() as u64 > end {
        return Ok(None);
    }
    let mut bytes = file.bytes_at(at, head.block_bytes())?;
    if whole_block(&bytes, head.kind).is_none() {
        return Ok(None);
    }
    Ok(Some((head, bytes.split_off(HEAD_BYTES))))
}

/// Where the next whole block begins, at or after `from`.
fn next_block(
    file: &SealedFile,
    mut from: u64,
    end: u64,
    tries: &mut usize,
) -> Result<Option<u64>, LogError> {
    while from + HEAD_BYTES as u64 <= end {
        let bytes = file.bytes_at(from, BLOCK_MAX.min((end - from) as usize))?;
        for (at, head) in bytes.windows(HEAD_BYTES).enumerate() {
            if BlockHead::read(head).is_none() {
                continue;
            }
            *tries += 1;
            if *tries > TRIES_MAX {
                return Ok(None);
            }
            if block_at(file, from + at as u64, end)?.is_some() {
                return Ok(Some(from + at as u64));
            }
        }
        from += (bytes.len() - HEAD_BYTES + 1).max(1) as u64;
    }
    Ok(None)
}

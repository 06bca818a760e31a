//! Blocks of a sealed segment, byte by byte.

use crate::frame::FRAME_BYTES_MAX;

/// Bytes of a block before its content.
pub(super) const HEAD_BYTES: usize = 13;
/// A data block takes frames until it holds this much.
pub(super) const PLAIN_TARGET: usize = 128 * 1024;
/// The most that a data block holds, decompressed.
pub(super) const PLAIN_MAX: usize = PLAIN_TARGET + FRAME_BYTES_MAX;
/// The longest content of a data or parity block: more than Zstandard makes of bytes that cannot be
/// compressed.
pub(super) const CONTENT_MAX: usize = PLAIN_MAX + PLAIN_MAX / 64;
/// Data blocks to one parity block.
pub(super) const GROUP: usize = 16;
/// Bytes of an entry of the index.
pub(super) const ENTRY_BYTES: usize = 24;
/// The most data blocks of a segment: some 128 GiB.
pub(super) const BLOCKS_MAX: usize = 1 << 20;
pub(super) const TRAILER_BYTES: usize = 32;
const TRAILER_MAGIC: &[u8; 8] = b"BSGSEAL1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockKind {
    Data = 1,
    Parity = 2,
    Index = 3,
}

/// What stands before a block's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockHead {
    pub checksum: u32,
    /// Length of the content.
    pub len: usize,
    /// Length decompressed; of a parity block, the number of blocks that it covers.
    pub plain: usize,
    pub kind: BlockKind,
}

impl BlockHead {
    /// Reads the head at the beginning of `bytes`; `None` where no block within the limits begins.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [c0, c1, c2, c3, l0, l1, l2, l3, p0, p1, p2, p3, kind] =
            *bytes.first_chunk::<HEAD_BYTES>()?;
        let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let plain = u32::from_le_bytes([p0, p1, p2, p3]) as usize;
        let (kind, fits) = match kind {
            1 => (BlockKind::Data, len <= CONTENT_MAX && plain <= PLAIN_MAX),
            2 => {
                (BlockKind::Parity, len <= CONTENT_MAX + HEAD_BYTES && (1..=GROUP).contains(&plain))
            }
            3 => (BlockKind::Index, len <= BLOCKS_MAX * ENTRY_BYTES && plain == len),
            _ => return None,
        };
        let checksum = u32::from_le_bytes([c0, c1, c2, c3]);
        fits.then_some(Self { checksum, len, plain, kind })
    }

    /// Length of the block.
    pub(super) fn block_bytes(&self) -> usize {
        HEAD_BYTES + self.len
    }
}

/// The whole block at the beginning of `bytes`, if one of this kind stands there undamaged.
pub(super) fn whole_block(bytes: &[u8], kind: BlockKind) -> Option<(BlockHead, &[u8])> {
    let head = BlockHead::read(bytes).filter(|head| head.kind == kind)?;
    let block = bytes.get(..head.block_bytes())?;
    (crc32c::crc32c(&block[4..]) == head.checksum).then_some((head, block))
}

/// Puts a block together from its content.
pub(super) fn put_block(out: &mut Vec<u8>, kind: BlockKind, plain: usize, content: &[u8]) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&(content.len() as u32).to_le_bytes());
    out.extend_from_slice(&(plain as u32).to_le_bytes());
    out.push(kind as u8);
    out.extend_from_slice(content);
    let checksum = crc32c::crc32c(&out[start + 4..]);
    out[start..start + 4].copy_from_slice(&checksum.to_le_bytes());
}

/// `into ^= block`, filled up with zeros to the longer of both.
pub(super) fn xor_into(into: &mut Vec<u8>, block: &[u8]) {
    if into.len() < block.len() {
        into.resize(block.len(), 0);
    }
    for (a, b) in into.iter_mut().zip(block) {
        *a ^= b;
    }
}

/// Where a data block stands, and what it begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Sequence of its first frame.
    pub first: u64,
    /// Its offset in the file.
    pub offset: u64,
    /// Offset of its first frame in all frames put together.
    pub plain: u64,
}

pub(super) fn put_entry(out: &mut Vec<u8>, entry: Entry) {
    for number in [entry.first, entry.offset, entry.plain] {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

/// Reads the content of an index, whose last block must end before `end`; `None` where it is none.
pub(super) fn read_entries(content: &[u8], begin: u64, end: u64) -> Option<Vec<Entry>> {
    let (parts, []) = content.as_chunks::<8>() else { return None };
    let numbers: Vec<u64> = parts.iter().map(|part| u64::from_le_bytes(*part)).collect();
    let (triples, []) = numbers.as_chunks::<3>() else { return None };
    let entries: Vec<Entry> =
        triples.iter().map(|&[first, offset, plain]| Entry { first, offset, plain }).collect();
    let steps = entries.windows(2).all(|pair| {
        pair[0].first <= pair[1].first
            && pair[0].offset < pair[1].offset
            && pair[0].plain < pair[1].plain
            && pair[1].plain - pair[0].plain <= PLAIN_MAX as u64
    });
    let begins = entries.first().is_none_or(|entry| entry.offset == begin && entry.plain == 0);
    let ends = entries.last().is_none_or(|entry| entry.offset < end);
    (steps && begins && ends).then_some(entries)
}

pub(super) fn trailer(index: u64, blocks: u64) -> [u8; TRAILER_BYTES] {
    let mut bytes = [0; TRAILER_BYTES];
    bytes[..8].copy_from_slice(TRAILER_MAGIC);
    bytes[8..16].copy_from_slice(&index.to_le_bytes());
    bytes[16..24].copy_from_slice(&blocks.to_le_bytes());
    let checksum = crc32c::crc32c(&bytes[..28]);
    bytes[28..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Offset of the index and number of data blocks; `None` where the trailer is damaged.
pub(super) fn read_trailer(bytes: &[u8; TRAILER_BYTES]) -> Option<(u64, u64)> {
    let index = u64::from_le_bytes(*bytes[8..].first_chunk()?);
    let blocks = u64::from_le_bytes(*bytes[16..].first_chunk()?);
    (*bytes == trailer(index, blocks)).then_some((index, blocks))
}

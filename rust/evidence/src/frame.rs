//! Frames: what a segment holds after its header.

use crate::hash::Hash;
use crate::tree::Frontier;

/// Bytes of a frame before its body.
pub const FRAME_HEADER_BYTES: usize = 17;
/// The longest body.
pub const BODY_BYTES_MAX: usize = 262_144;
/// The longest frame.
pub const FRAME_BYTES_MAX: usize = FRAME_HEADER_BYTES + BODY_BYTES_MAX;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// A whole record.
    Whole = 1,
    /// The first part of a record.
    First = 2,
    /// A further part of a record.
    Middle = 3,
    /// The last part of a record.
    Last = 4,
    /// The end of a group that was flushed at once.
    Commit = 5,
    /// Records that were lost.
    Lost = 6,
    /// The end of the segment.
    End = 7,
}

impl FrameKind {
    /// The kind that a byte stands for.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Whole,
            2 => Self::First,
            3 => Self::Middle,
            4 => Self::Last,
            5 => Self::Commit,
            6 => Self::Lost,
            7 => Self::End,
            _ => return None,
        })
    }

    /// Whether it holds a record or part of one.
    pub fn is_record(self) -> bool {
        matches!(self, Self::Whole | Self::First | Self::Middle | Self::Last)
    }
}

/// The checksum of a log: CRC-32C that begins with the log's id, so that no sender can write bytes
/// that pass for a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt(u32);

impl Salt {
    /// The salt of the log with this id.
    pub fn new(id: &[u8; 16]) -> Self {
        Self(crc32c::crc32c(id))
    }

    /// Checksum of a frame's bytes from its fifth on.
    pub fn checksum(self, bytes: &[u8]) -> u32 {
        crc32c::crc32c_append(self.0, bytes)
    }

    /// The checksum over nothing but the id.
    pub(crate) fn seed(self) -> u32 {
        self.0
    }
}

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its sequence; what it means depends on the kind.
    pub sequence: u64,
    /// What it holds.
    pub kind: FrameKind,
    /// Its body.
    pub body: &'a [u8],
}

impl Frame<'_> {
    /// Its length in the segment.
    pub fn frame_bytes(&self) -> usize {
        FRAME_HEADER_BYTES + self.body.len()
    }
}

/// Why no frame can be read at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameFault {
    /// The bytes end before the frame does; it needs this many.
    Short(usize),
    /// The length is beyond the limit.
    Length,
    /// There is no such kind.
    Kind,
    /// The checksum does not fit.
    Checksum,
}

impl FrameFault {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Short(_) => "the frame is cut off",
            Self::Length => "the length of the frame is beyond the limit",
            Self::Kind => "there is no such kind of frame",
            Self::Checksum => "the checksum of the frame does not fit",
        }
    }
}

/// Reads the frame at the beginning of `bytes`.
pub fn parse_frame(bytes: &[u8], salt: Salt) -> Result<Frame<'_>, FrameFault> {
    let head = FrameHead::read(bytes)?;
    let end = FRAME_HEADER_BYTES + head.len;
    let frame = bytes.get(..end).ok_or(FrameFault::Short(end))?;
    if salt.checksum(&frame[4..]) != head.checksum {
        return Err(FrameFault::Checksum);
    }
    Ok(Frame { sequence: head.sequence, kind: head.kind, body: &frame[FRAME_HEADER_BYTES..] })
}

/// What stands before the body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameHead {
    pub checksum: u32,
    pub len: usize,
    pub sequence: u64,
    pub kind: FrameKind,
}

impl FrameHead {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, FrameFault> {
        let Some(head) = bytes.first_chunk::<FRAME_HEADER_BYTES>() else {
            return Err(FrameFault::Short(FRAME_HEADER_BYTES));
        };
        let [c0, c1, c2, c3, l0, l1, l2, l3, sequence @ .., kind] = *head;
        let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        if len > BODY_BYTES_MAX {
            return Err(FrameFault::Length);
        }
        Ok(Self {
            checksum: u32::from_le_bytes([c0, c1, c2, c3]),
            len,
            sequence: u64::from_le_bytes(sequence),
            kind: FrameKind::from_byte(kind).ok_or(FrameFault::Kind)?,
        })
    }
}

/// The frames of a run of bytes, each with its offset; ends after the first fault.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    offset: usize,
    salt: Salt,
}

impl<'a> Frames<'a> {
    /// The frames of `bytes`, which begin with one.
    pub fn new(bytes: &'a [u8], salt: Salt) -> Self {
        Self { bytes, offset: 0, salt }
    }

    /// Where the next frame begins.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<(usize, Frame<'a>), (usize, FrameFault)>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.offset;
        let bytes = self.bytes.get(offset..).filter(|bytes| !bytes.is_empty())?;
        match parse_frame(bytes, self.salt) {
            Ok(frame) => {
                self.offset += frame.frame_bytes();
                Some(Ok((offset, frame)))
            }
            Err(fault) => {
                self.bytes = &[];
                Some(Err((offset, fault)))
            }
        }
    }
}

/// Begins a frame at the end of `out`; the body is appended next. Gives what [`end_frame`] needs.
pub fn begin_frame(out: &mut Vec<u8>, sequence: u64, kind: FrameKind) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&sequence.to_le_bytes());
    out.push(kind as u8);
    start
}

/// Fills in length and checksum of the frame begun at `start`.
pub fn end_frame(out: &mut [u8], start: usize, salt: Salt) {
    let len = (out.len() - start - FRAME_HEADER_BYTES) as u32;
    out[start + 4..start + 8].copy_from_slice(&len.to_le_bytes());
    let checksum = salt.checksum(&out[start + 4..]);
    out[start..start + 4].copy_from_slice(&checksum.to_le_bytes());
}

/// Appends a whole frame.
pub fn put_frame(out: &mut Vec<u8>, salt: Salt, sequence: u64, kind: FrameKind, body: &[u8]) {
    let start = begin_frame(out, sequence, kind);
    out.extend_from_slice(body);
    end_frame(out, start, salt);
}

/// Appends the bytes of a record, in as many frames as they need.
pub fn put_record(out: &mut Vec<u8>, salt: Salt, sequence: u64, record: &[u8]) {
    if record.len() <= BODY_BYTES_MAX {
        return put_frame(out, salt, sequence, FrameKind::Whole, record);
    }
    let last = record.len().div_ceil(BODY_BYTES_MAX) - 1;
    for (index, part) in record.chunks(BODY_BYTES_MAX).enumerate() {
        let kind = match index {
            0 => FrameKind::First,
            index if index == last => FrameKind::Last,
            _ => FrameKind::Middle,
        };
        put_frame(out, salt, sequence, kind, part);
    }
}

/// Appends a record that one frame cannot hold, given as what stands before its payload and the
/// payload: a second copy of the whole would be large.
pub fn put_long_record(out: &mut Vec<u8>, salt: Salt, sequence: u64, head: &[u8], payload: &[u8]) {
    let (begin, rest) = payload.split_at(payload.len().min(BODY_BYTES_MAX - head.len()));
    put_frame(out, salt, sequence, FrameKind::First, &[head, begin].concat());
    let mut parts = rest.chunks(BODY_BYTES_MAX).peekable();
    while let Some(part) = parts.next() {
        let kind = if parts.peek().is_some() { FrameKind::Middle } else { FrameKind::Last };
        put_frame(out, salt, sequence, kind, part);
    }
}

/// Body of a commit frame or of the frame that ends a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Root over the records before it.
    pub root: Hash,
    /// When it was written, µs since 1970 UTC.
    pub time_us: i64,
    /// The tree, where the frame brings its peaks.
    pub tree: Option<Frontier>,
}

impl Commit {
    /// Reads the body of the frame with this sequence; `None` where it is none, or where the peaks
    /// it brings do not make its root.
    pub fn decode(sequence: u64, body: &[u8]) -> Option<Self> {
        let (root, rest) = body.split_first_chunk::<32>()?;
        let (time_us, rest) = rest.split_first_chunk::<8>()?;
        let (peaks, []) = rest.as_chunks::<32>() else { return None };
        let tree = if peaks.is_empty() && sequence > 0 {
            None
        } else {
            let tree = Frontier::from_peaks(sequence, peaks)?;
            if tree.root() != *root {
                return None;
            }
            Some(tree)
        };
        Some(Self { root: *root, time_us: i64::from_le_bytes(*time_us), tree })
    }
}

/// Appends a commit frame or the frame that ends a segment.
pub fn put_commit(
    out: &mut Vec<u8>,
    salt: Salt,
    kind: FrameKind,
    tree: &Frontier,
    time_us: i64,
    with_peaks: bool,
) {
    let start = begin_frame(out, tree.size(), kind);
    out.extend_from_slice(&tree.root());
    out.extend_from_slice(&time_us.to_le_bytes());
    if with_peaks {
        out.extend_from_slice(tree.peaks().as_flattened());
    }
    end_frame(out, start, salt);
}

/// Reads the body of a frame about lost records: the end of the range, and why.
pub fn decode_lost(body: &[u8]) -> Option<(u64, &str)> {
    let (end, why) = body.split_first_chunk()?;
    Some((u64::from_le_bytes(*end), std::str::from_utf8(why).ok()?))
}

/// Appends a frame about lost records.
pub fn put_lost(out: &mut Vec<u8>, salt: Salt, first: u64, end: u64, why: &str) {
    let start = begin_frame(out, first, FrameKind::Lost);
    out.extend_from_slice(&end.to_le_bytes());
    out.extend_from_slice(&why.as_bytes()[..why.floor_char_boundary(1024)]);
    end_frame(out, start, salt);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SALT: Salt = Salt(0x1234_5678);

    #[test]
    fn a_record_longer_than_a_frame_comes_back_in_parts() {
        for len in [BODY_BYTES_MAX, BODY_BYTES_MAX + 1, 3 * BODY_BYTES_MAX] {
            let record = vec![7; len];
            let mut out = Vec::new();
            put_record(&mut out, SALT, 9, &record);
            let frames: Vec<_> = Frames::new(&out, SALT).map(|f| f.unwrap().1).collect();
            assert_eq!(frames.len(), len.div_ceil(BODY_BYTES_MAX));
            assert!(frames.iter().all(|frame| frame.sequence == 9 && frame.kind.is_record()));
            assert_eq!(frames.iter().map(|frame| frame.body.len()).sum::<usize>(), len);
            assert_eq!(frames[0].kind == FrameKind::Whole, frames.len() == 1);
            assert_eq!(frames[frames.len() - 1].kind == FrameKind::Last, frames.len() > 1);
        }
    }

    #[test]
    fn a_long_record_in_two_pieces_is_framed_as_the_whole_is() {
        for len in [BODY_BYTES_MAX + 1, 2 * BODY_BYTES_MAX, 2 * BODY_BYTES_MAX + 1] {
            let record: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let (mut whole, mut pieces) = (Vec::new(), Vec::new());
            put_record(&mut whole, SALT, 9, &record);
            put_long_record(&mut pieces, SALT, 9, &record[..300], &record[300..]);
            assert!(whole == pieces, "{len} bytes");
        }
    }

    #[test]
    fn a_frame_of_another_log_is_none() {
        let mut out = Vec::new();
        put_frame(&mut out, SALT, 1, FrameKind::Whole, b"x");
        assert_eq!(parse_frame(&out, Salt::new(&[0; 16])), Err(FrameFault::Checksum));
    }

    #[test]
    fn a_commit_whose_peaks_make_another_root_is_none() {
        let mut tree = Frontier::new();
        tree.push([1; 32]);
        let mut out = Vec::new();
        put_commit(&mut out, SALT, FrameKind::Commit, &tree, -5, true);
        let frame = parse_frame(&out, SALT).unwrap();
        let commit = Commit::decode(1, frame.body).unwrap();
        assert_eq!((commit.time_us, commit.tree), (-5, Some(tree)));
        let mut body = frame.body.to_vec();
        body[45] ^= 1;
        assert_eq!(Commit::decode(1, &body), None);
        assert_eq!(Commit::decode(3, frame.body), None);
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_found(body in prop::collection::vec(any::<u8>(), 0..80), at: prop::sample::Index, bit in 0_u8..8) {
            let mut out = Vec::new();
            put_frame(&mut out, SALT, 77, FrameKind::Whole, &body);
            let at = at.index(out.len());
            out[at] ^= 1 << bit;
            prop_assert!(parse_frame(&out, SALT).is_err());
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Frames::new(&bytes, SALT).count();
            let _ = Commit::decode(1, &bytes);
            let _ = decode_lost(&bytes);
        }
    }
}

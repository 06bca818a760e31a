//! The frames of a segment, raw or sealed.

use std::io;
use std::ops::RangeInclusive;

use crate::error::LogError;
use crate::frame::{FrameFault, Salt, parse_frame};
use crate::header::HEADER_BYTES;
use crate::records::FrameSource;
use crate::scan::{FrameAt, SegmentFrames, Step};
use crate::sealed::{BlockState, SealedFile};
use crate::storage::StoredFile;

/// Reads the frames of one segment in order.
pub enum SegmentSource {
    /// As written.
    Raw(SegmentFrames),
    /// Sealed.
    Sealed(SealedFrames),
}

impl SegmentSource {
    /// The frames of a raw segment up to an offset.
    pub fn raw(file: Box<dyn StoredFile>, salt: Salt, until: u64) -> Self {
        Self::Raw(SegmentFrames::new(file, salt, HEADER_BYTES as u64, until))
    }

    /// The frames of a sealed segment from the block on in which those of `sequence` begin.
    pub fn sealed(file: SealedFile, salt: Salt, sequence: u64) -> Self {
        let block = file.block_of(sequence);
        Self::Sealed(SealedFrames {
            file,
            salt,
            block,
            block_offset: 0,
            plain: Vec::new(),
            place: 0,
            lost: false,
        })
    }
}

impl FrameSource for SegmentSource {
    fn step(&mut self) -> io::Result<Step> {
        match self {
            Self::Raw(frames) => frames.step(),
            Self::Sealed(frames) => frames.step(),
        }
    }

    fn body(&self, frame: &FrameAt) -> &[u8] {
        match self {
            Self::Raw(frames) => frames.body(frame),
            Self::Sealed(frames) => frames.body(frame),
        }
    }

    fn resync(&mut self, plausible: &RangeInclusive<u64>) -> io::Result<Option<u64>> {
        match self {
            Self::Raw(frames) => frames.resync(plausible),
            Self::Sealed(frames) => frames.resync(plausible),
        }
    }

    fn bytes_left(&self) -> u64 {
        match self {
            Self::Raw(frames) => frames.bytes_left(),
            Self::Sealed(frames) => frames.bytes_left(),
        }
    }
}

/// Reads the frames of a sealed segment, block by block. Offsets are those of the frames put
/// together.
pub struct SealedFrames {
    file: SealedFile,
    salt: Salt,
    /// The block to be read next.
    block: usize,
    /// Offset of the first frame in `plain`.
    block_offset: u64,
    plain: Vec<u8>,
    place: usize,
    lost: bool,
}

impl FrameSource for SealedFrames {
    fn step(&mut self) -> io::Result<Step> {
        while self.place >= self.plain.len() && !self.lost {
            if self.block >= self.file.blocks() {
                return Ok(Step::End);
            }
            self.load()?;
        }
        let offset = self.block_offset + self.place as u64;
        if self.lost {
            return Ok(Step::Fault(offset, FrameFault::Checksum));
        }
        Ok(match parse_frame(&self.plain[self.place..], self.salt) {
            Ok(frame) => {
                let at = FrameAt::new(&frame, offset, self.place);
                self.place += frame.frame_bytes();
                Step::Frame(at)
            }
            Err(fault) => Step::Fault(offset, fault),
        })
    }

    fn body(&self, frame: &FrameAt) -> &[u8] {
        &self.plain[frame.body()]
    }

    /// The next block begins with a frame; what is left of this one is passed over.
    fn resync(&mut self, plausible: &RangeInclusive<u64>) -> io::Result<Option<u64>> {
        while self.block < self.file.blocks() {
            self.load()?;
            if self.lost {
                continue;
            }
            if parse_frame(&self.plain, self.salt)
                .is_ok_and(|frame| plausible.contains(&frame.sequence))
            {
                return Ok(Some(self.block_offset));
            }
        }
        self.plain.clear();
        self.place = 0;
        self.lost = false;
        Ok(None)
    }

    fn bytes_left(&self) -> u64 {
        // A block holds at most the longest frame beside what it is meant to hold.
        (self.file.blocks() - self.block) as u64 * (1 << 20) + self.plain.len() as u64
    }
}

impl SealedFrames {
    fn load(&mut self) -> io::Result<()> {
        let state = self.file.block(self.block, &mut self.plain).map_err(into_io)?;
        self.block_offset = self.file.plain_offset(self.block).unwrap_or_default();
        self.block += 1;
        self.place = 0;
        self.lost = state == BlockState::Lost;
        Ok(())
    }
}

fn into_io(error: LogError) -> io::Error {
    match error {
        LogError::Io { source, .. } => source,
        other => io::Error::other(other),
    }
}

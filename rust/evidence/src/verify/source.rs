//! Brings the frames of a segment's file to its walk.

use std::io;
use std::ops::RangeInclusive;

use super::folder::SegmentFile;
use super::report::{Finding, Kind, Severity};
use super::walk::{Outcome, Task, Walk};
use crate::error::{At as _, LogError};
use crate::frame::{FRAME_HEADER_BYTES, Frame, Frames, Salt};
use crate::header::HEADER_BYTES;
use crate::scan::{SegmentFrames, Step};
use crate::sealed::{BlockState, SealedDamage, SealedFile, SealedFinding};
use crate::storage::{Storage, read_full_at};

/// The longest frame that ends a segment: root, time and peaks.
const END_BYTES_MAX: usize = FRAME_HEADER_BYTES + 40 + 32 * 48;
const CHECK_DISK: &str = "check the disk; restore the file from a copy if there is one";

/// Takes the frames of a segment in order.
pub(crate) trait FrameVisitor {
    /// A frame; `end` is where it ends in the segment as written.
    fn frame(&mut self, offset: u64, end: u64, frame: Frame<'_>);
    /// Bytes that are no frame. `rest` is what stands there, at least as much as the frame needs
    /// that ends a segment; nothing where that cannot be told.
    fn unreadable(&mut self, offset: u64, fault: &'static str, rest: &[u8]);
    /// Damage that a sealed segment tells of itself.
    fn report(&mut self, finding: Finding);
    /// The sequences that the next frame may have.
    fn plausible(&self) -> RangeInclusive<u64>;
}

/// Brings all frames of a segment's file to `visitor`.
pub(crate) fn read_frames(
    storage: &dyn Storage,
    file: &SegmentFile,
    id: &[u8; 16],
    number: u64,
    visitor: &mut impl FrameVisitor,
) -> Result<(), LogError> {
    if file.sealed {
        read_sealed(storage, file, id, number, visitor)
    } else {
        read_raw(storage, file, id, visitor)
    }
}

/// Reads a segment's file from beginning to end.
pub(super) fn walk_file(
    storage: &dyn Storage,
    file: &SegmentFile,
    id: &[u8; 16],
    task: Task<'_>,
) -> Outcome {
    let number = task.number;
    let mut walk = Walk::new(task);
    if let Err(error) = read_frames(storage, file, id, number, &mut walk) {
        let what = format!("the file could not be read to its end: {error}");
        walk.report(finding(file, number, Kind::Unreadable, 0, what));
        walk.unreadable(0, "the file cannot be read", &[]);
    }
    walk.finish()
}

fn read_raw(
    storage: &dyn Storage,
    file: &SegmentFile,
    id: &[u8; 16],
    visitor: &mut impl FrameVisitor,
) -> Result<(), LogError> {
    let stored = storage.open_read(&file.path).at(&file.path)?;
    let mut frames = SegmentFrames::new(stored, Salt::new(id), HEADER_BYTES as u64, file.len);
    follow(&mut frames, visitor).at(&file.path)
}

fn follow(frames: &mut SegmentFrames, visitor: &mut impl FrameVisitor) -> io::Result<()> {
    loop {
        match frames.step()? {
            Step::Frame(at) => {
                let body = frames.body(&at);
                visitor.frame(
                    at.offset,
                    at.end,
                    Frame { sequence: at.sequence, kind: at.kind, body },
                );
            }
            Step::Fault(offset, fault) => {
                let mut rest = [0; END_BYTES_MAX + 1];
                let read = read_full_at(frames.file(), &mut rest, offset)?;
                visitor.unreadable(offset, fault.text(), &rest[..read]);
                if frames.resync(&visitor.plausible())?.is_none() {
                    return Ok(());
                }
            }
            Step::End => return Ok(()),
        }
    }
}

fn read_sealed(
    storage: &dyn Storage,
    file: &SegmentFile,
    id: &[u8; 16],
    number: u64,
    visitor: &mut impl FrameVisitor,
) -> Result<(), LogError> {
    let sealed = SealedFile::open(storage, &file.path)?;
    for found in sealed.findings().iter().filter(|found| found.what != SealedDamage::Header) {
        tell(file, number, *found, visitor);
    }
    let salt = Salt::new(id);
    let mut plain = Vec::new();
    for index in 0..sealed.blocks() {
        let state = sealed.block(index, &mut plain)?;
        let offset = sealed.finding(index, SealedDamage::Repaired).offset;
        match state {
            BlockState::Whole => {}
            BlockState::Repaired => {
                tell(file, number, sealed.finding(index, SealedDamage::Repaired), visitor);
            }
            BlockState::Lost => {
                visitor.unreadable(offset, "a block is damaged, and so is its parity", &[]);
            }
        }
        let begin = sealed.plain_offset(index).unwrap_or(0) + HEADER_BYTES as u64;
        for frame in Frames::new(&plain, salt) {
            match frame {
                Ok((at, frame)) => {
                    let end = begin + (at + frame.frame_bytes()) as u64;
                    visitor.frame(offset, end, frame);
                }
                Err((_, fault)) => visitor.unreadable(offset, fault.text(), &[]),
            }
        }
    }
    let groups = sealed.blocks().div_ceil(16);
    for group in 0..groups {
        if let Some(found) = sealed.check_parity(group)? {
            tell(file, number, found, visitor);
        }
    }
    Ok(())
}

fn tell(file: &SegmentFile, number: u64, found: SealedFinding, visitor: &mut impl FrameVisitor) {
    let what = match found.what {
        SealedDamage::Header => "a copy of the header is damaged",
        SealedDamage::Trailer => "the trailer is damaged; the index was found without it",
        SealedDamage::Index => "the index is damaged; it was rebuilt from the blocks",
        SealedDamage::Repaired => "a block is damaged; its parity made it whole, nothing is lost",
        SealedDamage::Lost => "a block is damaged, and so is its parity",
        SealedDamage::Parity => "a parity block is damaged; nothing is lost",
    };
    let mut told = finding(file, number, Kind::Block, found.offset, what.to_owned());
    told.first = found.first;
    told.end = found.first;
    visitor.report(told);
}

fn finding(file: &SegmentFile, number: u64, kind: Kind, offset: u64, what: String) -> Finding {
    Finding {
        kind,
        severity: Severity::Damage,
        segment: Some(number),
        file: file.name.clone(),
        offset: Some(offset),
        first: 0,
        end: 0,
        what,
        mend: CHECK_DISK,
    }
}

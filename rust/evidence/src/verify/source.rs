//! Brings the frames of a segment's file to its walk.

use std::io;
use std::ops::RangeInclusive;

use super::folder::SegmentFile;
use super::report::{Finding, Kind, Severity};
use super::walk::{Outcome, Tail, Task, Walk};
use crate::error::{At as _, LogError};
use crate::frame::{
    FRAME_HEADER_BYTES, Frame, FrameFault, FrameHead, FrameKind, Frames, Salt,
};
use crate::header::HEADER_BYTES;
use crate::scan::{SegmentFrames, Step};
use crate::sealed::{BlockState, SealedDamage, SealedFile, SealedFinding};
use crate::storage::{Storage, read_full_at};

const CHECK_DISK: &str = "check the disk; restore the file from a copy if there is one";

/// Takes the frames of a segment in order.
pub(crate) trait FrameVisitor {
    /// A frame; `end` is where it ends in the segment as written.
    fn frame(&mut self, offset: u64, end: u64, frame: Frame<'_>);
    /// Bytes that are no frame.
    fn unreadable(&mut self, tail: Tail);
    /// Damage that a sealed segment tells of itself.
    fn report(&mut self, finding: Finding);
    /// The sequences that the next frame may have.
    fn plausible(&self) -> RangeInclusive<u64>;
    /// Whether a frame with this head would be void.
    fn is_void(&self, kind: FrameKind, sequence: u64) -> bool;
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
        walk.unreadable(broken(0, "the file cannot be read"));
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
                let torn = is_torn(frames, visitor, offset, fault);
                visitor.unreadable(Tail { offset, fault: fault.text(), torn });
                if frames.resync(&visitor.plausible())?.is_none() {
                    return Ok(());
                }
            }
            Step::End => return Ok(()),
        }
    }
}

/// Whether a place that is no frame looks like what a crash or a failed write leaves behind: cut
/// off, never written, or of a group that stands in the next segment.
fn is_torn(frames: &SegmentFrames, visitor: &impl FrameVisitor, offset: u64, fault: FrameFault) -> bool {
    let mut head = [0; FRAME_HEADER_BYTES];
    let read = read_full_at(frames.file(), &mut head, offset).unwrap_or(0);
    match FrameHead::read(&head[..read]) {
        Ok(head) if visitor.is_void(head.kind, head.sequence) => true,
        Ok(head) => matches!(fault, FrameFault::Short(_)) && head.kind != FrameKind::End,
        Err(_) => head.iter().all(|byte| *byte == 0) || read < head.len(),
    }
}

fn broken(offset: u64, fault: &'static str) -> Tail {
    Tail { offset, fault, torn: false }
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
                visitor.unreadable(broken(offset, "a block is damaged, and so is its parity"));
            }
        }
        let begin = sealed.plain_offset(index).unwrap_or(0) + HEADER_BYTES as u64;
        for frame in Frames::new(&plain, salt) {
            match frame {
                Ok((at, frame)) => {
                    let end = begin + (at + frame.frame_bytes()) as u64;
                    visitor.frame(offset, end, frame);
                }
                Err((_, fault)) => visitor.unreadable(broken(offset, fault.text())),
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

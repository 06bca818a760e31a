//! Records put together from frames, with everything that is missing between them.

use std::io;
use std::ops::RangeInclusive;

use crate::frame::{Commit, FRAME_HEADER_BYTES, FrameFault, FrameKind, decode_lost};
use crate::scan::{FrameAt, SegmentFrames, Step};
use crate::tree::RECORDS_MAX;

/// The longest record that is put together; the writer's own limit is never higher.
pub const RECORD_BYTES_MAX: usize = 256 << 20;
/// The least that a record takes in a segment: a frame with flags, time and an empty name.
const RECORD_FRAME_BYTES_MIN: u64 = FRAME_HEADER_BYTES as u64 + 11;

/// Where frames come from: a raw segment, or the blocks of a sealed one.
pub trait FrameSource {
    /// Goes on by one frame.
    fn step(&mut self) -> io::Result<Step>;
    /// The body of the frame that was given last.
    fn body(&self, frame: &FrameAt) -> &[u8];
    /// Goes to the next frame after a fault; `None` where there is none.
    fn resync(&mut self, plausible: &RangeInclusive<u64>) -> io::Result<Option<u64>>;
    /// How many bytes are left at most.
    fn bytes_left(&self) -> u64;
}

impl FrameSource for SegmentFrames {
    fn step(&mut self) -> io::Result<Step> {
        self.step()
    }

    fn body(&self, frame: &FrameAt) -> &[u8] {
        self.body(frame)
    }

    fn resync(&mut self, plausible: &RangeInclusive<u64>) -> io::Result<Option<u64>> {
        self.resync(plausible)
    }

    fn bytes_left(&self) -> u64 {
        self.bytes_left()
    }
}

/// What stands next in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A record; its bytes are [`Records::bytes`].
    Record {
        /// Its sequence.
        sequence: u64,
        /// Where its frame, or the first of its frames, begins.
        offset: u64,
        /// Where the next frame begins.
        end: u64,
    },
    /// The end of a group, or of the segment.
    Commit {
        /// Number of records before it.
        size: u64,
        /// Where its frame begins.
        offset: u64,
        /// Where the next frame begins.
        end: u64,
        /// Its body; `None` where that contradicts itself.
        commit: Option<Commit>,
        /// True at the end of the segment.
        ends: bool,
    },
    /// The writer's own word that records were lost.
    Lost {
        /// Where its frame begins.
        offset: u64,
        /// First lost record.
        first: u64,
        /// One after the last.
        end: u64,
        /// Why.
        why: String,
    },
    /// Something that should not be so.
    Fault(Fault),
    /// The end.
    Finished,
}

/// A place where frames are not as they should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it begins.
    pub offset: u64,
    /// First record that is missing.
    pub first: u64,
    /// One after the last that is missing; equal to `first` where none is, or where no frame
    /// follows that could tell.
    pub end: u64,
    /// What is wrong.
    pub what: &'static str,
    /// No frame follows.
    pub last: bool,
}

/// Reads the records of a segment.
pub struct Records<S> {
    source: S,
    expected: u64,
    /// A frame that was read and not yet given, because a fault before it was given first.
    held: Option<FrameAt>,
    /// A fault whose extent the next frame will tell.
    open: Option<(u64, &'static str)>,
    /// Where the record in `parts` begins, while its last part is still to come.
    begun: Option<u64>,
    parts: Vec<u8>,
    /// The record given last; `None` while it stands in `parts`.
    whole: Option<FrameAt>,
    finished: bool,
}

impl<S: FrameSource> Records<S> {
    /// The records of `source`, the first of which should be `expected`.
    pub fn new(source: S, expected: u64) -> Self {
        Self {
            source,
            expected,
            held: None,
            open: None,
            begun: None,
            parts: Vec::new(),
            whole: None,
            finished: false,
        }
    }

    /// Sequence of the next record.
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// Bytes of the record that [`advance`](Self::advance) gave last.
    pub fn bytes(&self) -> &[u8] {
        self.whole.as_ref().map_or(&self.parts, |frame| self.source.body(frame))
    }

    /// Where the frames come from.
    pub fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    /// Makes ready to go on after [`Item::Finished`], when there may be more to read.
    pub fn resume(&mut self) {
        self.finished = false;
    }

    /// What stands next.
    pub fn advance(&mut self) -> io::Result<Item> {
        while !self.finished {
            let frame = match self.held.take() {
                Some(frame) => frame,
                None => match self.source.step()? {
                    Step::Frame(frame) => frame,
                    Step::Fault(offset, fault) => {
                        self.leave_fault(offset, fault)?;
                        continue;
                    }
                    Step::End => {
                        self.finished = true;
                        break;
                    }
                },
            };
            if frame.sequence > RECORDS_MAX {
                self.open.get_or_insert((frame.offset, "a sequence that no record can have"));
                continue;
            }
            if let Some(fault) = self.fault_before(&frame) {
                self.held = Some(frame);
                return Ok(Item::Fault(fault));
            }
            if let Some(item) = self.take(frame) {
                return Ok(item);
            }
        }
        Ok(self.end())
    }

    /// Notes a fault, and goes to the next frame.
    fn leave_fault(&mut self, offset: u64, fault: FrameFault) -> io::Result<()> {
        let begun = self.begun.take();
        self.open.get_or_insert((begun.unwrap_or(offset), fault.text()));
        let most = self.source.bytes_left() / RECORD_FRAME_BYTES_MIN;
        let plausible = self.expected..=self.expected.saturating_add(most);
        self.finished = self.source.resync(&plausible)?.is_none();
        Ok(())
    }

    fn end(&mut self) -> Item {
        if let Some(offset) = self.begun.take() {
            self.open.get_or_insert((offset, "the record is cut off"));
        }
        match self.open.take() {
            Some((offset, what)) => {
                let (first, end) = (self.expected, self.expected);
                Item::Fault(Fault { offset, first, end, what, last: true })
            }
            None => Item::Finished,
        }
    }

    /// What is wrong between the last frame and this one.
    fn fault_before(&mut self, frame: &FrameAt) -> Option<Fault> {
        let goes_on = matches!(frame.kind, FrameKind::Middle | FrameKind::Last);
        if goes_on {
            if self.begun.is_none() || frame.sequence != self.expected {
                // Its beginning is missing; the next record or commit tells how many are.
                let offset = self.begun.take().unwrap_or(frame.offset);
                self.open.get_or_insert((offset, "a part of a record has no beginning"));
            }
            return None;
        }
        if let Some(offset) = self.begun.take() {
            self.open.get_or_insert((offset, "the record is cut off"));
        }
        let counts = frame.kind != FrameKind::Lost;
        let first = self.expected;
        let end = if counts { frame.sequence.max(first) } else { first };
        let (offset, what) = match self.open.take() {
            Some(open) => open,
            None if end > first => (frame.offset, "records are missing"),
            None => return None,
        };
        self.expected = end;
        Some(Fault { offset, first, end, what, last: false })
    }

    fn take(&mut self, frame: FrameAt) -> Option<Item> {
        let sequence = frame.sequence;
        match frame.kind {
            FrameKind::Whole | FrameKind::First if sequence < self.expected => {
                Some(out_of_place(&frame, self.expected, "a record stands here once more"))
            }
            FrameKind::Whole => {
                self.expected += 1;
                let (offset, end) = (frame.offset, frame.end);
                self.whole = Some(frame);
                Some(Item::Record { sequence, offset, end })
            }
            FrameKind::First => {
                self.parts.clear();
                self.parts.extend_from_slice(self.source.body(&frame));
                self.begun = Some(frame.offset);
                None
            }
            FrameKind::Middle | FrameKind::Last => self.take_part(&frame),
            FrameKind::Commit | FrameKind::End if sequence < self.expected => {
                Some(out_of_place(&frame, self.expected, "the end of a group stands out of place"))
            }
            FrameKind::Commit | FrameKind::End => Some(Item::Commit {
                size: sequence,
                offset: frame.offset,
                end: frame.end,
                commit: Commit::decode(sequence, self.source.body(&frame)),
                ends: frame.kind == FrameKind::End,
            }),
            FrameKind::Lost => {
                let (end, why) = decode_lost(self.source.body(&frame))?;
                let why = why.to_owned();
                Some(Item::Lost { offset: frame.offset, first: sequence, end, why })
            }
        }
    }

    fn take_part(&mut self, frame: &FrameAt) -> Option<Item> {
        let offset = self.begun?;
        let body = self.source.body(frame);
        if self.parts.len() + body.len() > RECORD_BYTES_MAX {
            self.begun = None;
            self.open.get_or_insert((offset, "the record is longer than any may be"));
            return None;
        }
        self.parts.extend_from_slice(body);
        if frame.kind == FrameKind::Middle {
            return None;
        }
        self.begun = None;
        self.whole = None;
        self.expected += 1;
        Some(Item::Record { sequence: frame.sequence, offset, end: frame.end })
    }
}

fn out_of_place(frame: &FrameAt, expected: u64, what: &'static str) -> Item {
    let offset = frame.offset;
    Item::Fault(Fault { offset, first: expected, end: expected, what, last: false })
}

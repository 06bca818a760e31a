//! The frames of a raw segment, read through a window, and on after damage.

use std::io;
use std::ops::{Range, RangeInclusive};

use crate::frame::{
    FRAME_BYTES_MAX, FRAME_HEADER_BYTES, Frame, FrameFault, FrameHead, FrameKind, Salt, parse_frame,
};
use crate::resync::find_frame;
use crate::storage::{StoredFile, read_full_at};

/// Half of it holds more than the longest frame, so that a search for the next always gets on.
const WINDOW_BYTES: usize = 1 << 20;
/// The first fill is small: a reader that follows the log mostly finds little that is new.
const FIRST_FILL_BYTES: usize = 1 << 18;

/// What [`SegmentFrames::step`] came upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A frame.
    Frame(FrameAt),
    /// Something at the offset that is no frame; only [`SegmentFrames::resync`] leads on.
    Fault(u64, FrameFault),
    /// The end of what is to be read.
    End,
}

/// A frame in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameAt {
    /// Where it begins in the file.
    pub offset: u64,
    /// Where the next one begins.
    pub end: u64,
    /// Its sequence.
    pub sequence: u64,
    /// What it holds.
    pub kind: FrameKind,
    body: Range<usize>,
}

impl FrameAt {
    /// A frame at an offset of its file, and at a place of the buffer that it was read from.
    pub(crate) fn new(frame: &Frame<'_>, offset: u64, place: usize) -> Self {
        let len = frame.frame_bytes();
        Self {
            offset,
            end: offset + len as u64,
            sequence: frame.sequence,
            kind: frame.kind,
            body: place + FRAME_HEADER_BYTES..place + len,
        }
    }

    /// Where its body stands in that buffer.
    pub(crate) fn body(&self) -> Range<usize> {
        self.body.clone()
    }
}

/// Reads the frames of one raw segment in order.
pub struct SegmentFrames {
    file: Box<dyn StoredFile>,
    salt: Salt,
    until: u64,
    window: Vec<u8>,
    /// Offset in the file of the window's first byte.
    window_offset: u64,
    /// Place in the window of the next frame.
    place: usize,
}

impl SegmentFrames {
    /// The frames from `offset`, where one begins, up to `until`, exclusive.
    pub fn new(file: Box<dyn StoredFile>, salt: Salt, offset: u64, until: u64) -> Self {
        Self { file, salt, until, window: Vec::new(), window_offset: offset, place: 0 }
    }

    /// Where the next frame begins.
    pub fn offset(&self) -> u64 {
        self.window_offset + self.place as u64
    }

    /// Reads up to here from now on.
    pub fn set_until(&mut self, until: u64) {
        self.until = until;
    }

    /// How many bytes are left.
    pub fn bytes_left(&self) -> u64 {
        let end = self.file.size().unwrap_or(u64::MAX).min(self.until);
        end.saturating_sub(self.offset())
    }

    /// The file that is read.
    pub fn file(&self) -> &dyn StoredFile {
        self.file.as_ref()
    }

    /// Goes on by one frame.
    pub fn step(&mut self) -> io::Result<Step> {
        let mut wanted = FRAME_HEADER_BYTES;
        let mut reread = false;
        loop {
            match parse_frame(&self.window[self.place..], self.salt) {
                Ok(frame) => {
                    let at = FrameAt::new(&frame, self.offset(), self.place);
                    self.place += frame.frame_bytes();
                    return Ok(Step::Frame(at));
                }
                Err(FrameFault::Short(needed)) => {
                    wanted = wanted.max(needed);
                    let had = self.window.len() - self.place;
                    if self.fill(wanted)? == had {
                        return Ok(if had == 0 {
                            Step::End
                        } else {
                            Step::Fault(self.offset(), FrameFault::Short(needed))
                        });
                    }
                }
                Err(_) if !reread && self.is_stale()? => {
                    reread = true;
                    self.window.truncate(self.place);
                }
                Err(fault) => return Ok(Step::Fault(self.offset(), fault)),
            }
        }
    }

    /// Whether the file now has other bytes than the window where the next frame stands: the writer
    /// may have been at it when the window was filled.
    fn is_stale(&self) -> io::Result<bool> {
        let held = &self.window[self.place..];
        let body = FrameHead::read(held).map_or(0, |head| head.len);
        let held = &held[..held.len().min(FRAME_HEADER_BYTES + body)];
        let mut now = vec![0; held.len()];
        let len = read_full_at(self.file.as_ref(), &mut now, self.offset())?;
        Ok(now[..len] != *held)
    }

    /// The body of the frame that [`step`](Self::step) gave last.
    pub fn body(&self, frame: &FrameAt) -> &[u8] {
        &self.window[frame.body()]
    }

    /// Goes to the next place after the fault where a frame with a plausible sequence stands; gives
    /// its offset, or `None` where there is none up to the end.
    pub fn resync(&mut self, plausible: &RangeInclusive<u64>) -> io::Result<Option<u64>> {
        let mut from = 1;
        loop {
            let mut filled = self.window.len() - self.place;
            // It is filled up only when half is used up, so that many faults cost no more than few.
            if filled < WINDOW_BYTES / 2 {
                filled = self.fill(WINDOW_BYTES)?;
            }
            let window = &self.window[self.place..];
            let whole = filled < WINDOW_BYTES / 2 || self.bytes_left() <= filled as u64;
            // What begins later might not fit in the window, and is looked at in the next.
            let until = if whole { filled } else { filled - FRAME_BYTES_MAX };
            if let Some(found) = find_frame(window, from, until, self.salt, plausible) {
                self.place += found;
                return Ok(Some(self.offset()));
            }
            if whole {
                self.place += filled;
                return Ok(None);
            }
            self.place += until;
            from = 0;
        }
    }

    /// Reads on until `wanted` bytes stand in the window from the place on, or the end is reached;
    /// gives how many do.
    fn fill(&mut self, wanted: usize) -> io::Result<usize> {
        let had = self.window.len() - self.place;
        if had >= wanted {
            return Ok(had);
        }
        self.window.drain(..self.place);
        self.window_offset += self.place as u64;
        self.place = 0;
        let at = self.window_offset + had as u64;
        let left = usize::try_from(self.until.saturating_sub(at)).unwrap_or(usize::MAX);
        let size = wanted.max(FIRST_FILL_BYTES).min(had.saturating_add(left));
        self.window.resize(size.max(had), 0);
        let read = read_full_at(self.file.as_ref(), &mut self.window[had..], at);
        self.window.truncate(had + *read.as_ref().unwrap_or(&0));
        read.map(|_| self.window.len())
    }
}

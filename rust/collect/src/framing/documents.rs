//! Cuts a stream of JSON documents that do not stand one a line into records: objects over several
//! lines, objects behind one another, and the elements of lists.
//!
//! Only nesting and strings are looked at; whether a record is JSON is for the decoder to say. What
//! is no document, and one that never ends, is framed line by line, so that nothing is lost.

use std::io::{self, Read};
use std::ops::Range;

use super::{Frame, RECORD_LIMIT};

/// Bytes asked from below at a time.
const CHUNK: usize = 256 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// True where a stream that begins so is one of documents, not of one a line.
pub fn is_documents(prefix: &[u8]) -> bool {
    let text = prefix.strip_prefix(BYTE_ORDER_MARK).unwrap_or(prefix).trim_ascii_start();
    let Some((first, rest)) = text.split_first() else { return false };
    let next = rest.trim_ascii_start().first();
    match first {
        b'[' => next == Some(&b'{'),
        b'{' if matches!(next, Some(b'"' | b'}')) => {
            let mut nesting = Nesting::default();
            let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
            match nesting.end(line) {
                Some(end) => line[end..].trim_ascii_start().starts_with(b"{"),
                None => line.len() < text.len(),
            }
        }
        _ => false,
    }
}

/// How deep a text is in objects and lists, over any number of pieces.
#[derive(Default)]
struct Nesting {
    depth: usize,
    in_string: bool,
    is_escaped: bool,
}

impl Nesting {
    /// Goes over a piece; where the document ends in it, the place behind its last byte.
    fn end(&mut self, piece: &[u8]) -> Option<usize> {
        for (at, byte) in piece.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// Frames a stream into documents.
pub struct Documents<R> {
    inner: R,
    buffer: Vec<u8>,
    /// The part of the buffer that holds bytes not yet given out.
    start: usize,
    end: usize,
    /// Place of `start` in the stream.
    offset: u64,
    /// Line ends before `start`.
    ends: u64,
    /// Between the brackets of a list, whose elements are records.
    in_list: bool,
    /// Bytes from `start` on that are framed line by line.
    as_lines: usize,
    limit: usize,
    continued: bool,
    finished: bool,
    failure: Option<io::Error>,
}

impl<R: Read> Documents<R> {
    /// Frames `inner`.
    pub fn new(inner: R) -> Self {
        Self::with_limit(inner, RECORD_LIMIT)
    }

    /// Frames with another limit than [`RECORD_LIMIT`].
    fn with_limit(inner: R, limit: usize) -> Self {
        Self {
            inner,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            offset: 0,
            ends: 0,
            in_list: false,
            as_lines: 0,
            limit: limit.max(1),
            continued: false,
            finished: false,
            failure: None,
        }
    }

    /// Bytes given out so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The stream below.
    pub fn inner(&self) -> &R {
        &self.inner
    }

    /// Why reading stopped, once the records before the fault have been given out.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// The next record; `None` at the end or at a fault (see [`take_failure`](Self::take_failure)).
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        loop {
            if !self.continued {
                self.skip_between();
            }
            if self.start == self.end {
                return None;
            }
            if self.as_lines == 0 && !self.continued && self.buffer[self.start] == b'{' {
                if let Some(length) = self.document() {
                    return Some(self.give(length, length, false));
                }
                // By the limit, not by what has arrived: a replay must cut alike.
                self.as_lines = self.limit.min(self.end - self.start);
            }
            if let Some((length, taken, unfinished)) = self.line() {
                return Some(self.give(length, taken, unfinished));
            }
        }
    }

    /// Passes over blanks, and over a list's brackets and commas.
    fn skip_between(&mut self) {
        loop {
            let Some(byte) = self.byte() else { return };
            let held = &self.buffer[self.start..self.end];
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.take(1),
                _ if self.as_lines > 0 => return,
                b'[' if !self.in_list => self.in_list = true,
                b']' if self.in_list => self.in_list = false,
                b',' if self.in_list => {}
                _ if self.offset == 0 && held.starts_with(BYTE_ORDER_MARK) => {
                    self.take(BYTE_ORDER_MARK.len());
                }
                _ => return,
            }
            if matches!(byte, b'[' | b']' | b',') {
                self.take(1);
            }
        }
    }

    /// The byte at `start`.
    fn byte(&mut self) -> Option<u8> {
        while self.start == self.end && !self.finished {
            self.fill();
        }
        self.buffer[self.start..self.end].first().copied()
    }

    /// The length of the document at `start`; `None` where it does not end within the limit.
    fn document(&mut self) -> Option<usize> {
        let (mut nesting, mut seen) = (Nesting::default(), 0);
        loop {
            let held = &self.buffer[self.start..self.end];
            if let Some(end) = nesting.end(&held[seen..]) {
                return Some(seen + end).filter(|length| *length <= self.limit);
            }
            seen = held.len();
            if self.finished || seen > self.limit {
                return None;
            }
            self.fill();
        }
    }

    /// The line at `start`: its length, what is taken with its end, and whether it goes on behind
    /// the limit. `None` where it is empty, and was taken.
    fn line(&mut self) -> Option<(usize, usize, bool)> {
        let mut seen = 0;
        loop {
            let held = &self.buffer[self.start..self.end];
            let found = memchr::memchr(b'\n', &held[seen..]).map(|at| seen + at);
            let (length, taken, unfinished) = match found.filter(|at| *at <= self.limit) {
                Some(at) => (at, at + 1, false),
                None if held.len() > self.limit => (self.limit, self.limit, true),
                None if self.finished => (held.len(), held.len(), false),
                None => {
                    seen = held.len();
                    self.fill();
                    continue;
                }
            };
            if length == 0 && !self.continued {
                self.take(taken);
                return None;
            }
            return Some((length, taken, unfinished));
        }
    }

    /// A record of `length` bytes from `start`, which is taken.
    fn give(&mut self, length: usize, taken: usize, unfinished: bool) -> Frame<'_> {
        let (mut place, offset) = (self.start..self.start + length, self.offset);
        let (number, continued) = (self.ends + 1, self.continued);
        self.continued = unfinished;
        self.take(taken);
        if !unfinished && self.buffer[place.clone()].last() == Some(&b'\r') {
            place.end -= 1;
        }
        Frame::Record { offset, number, bytes: self.bytes(place), continued, unfinished }
    }

    fn bytes(&self, place: Range<usize>) -> &[u8] {
        &self.buffer[place]
    }

    fn take(&mut self, count: usize) {
        let taken = &self.buffer[self.start..self.start + count];
        self.ends += memchr::memchr_iter(b'\n', taken).count() as u64;
        self.start += count;
        self.offset += count as u64;
        self.as_lines = self.as_lines.saturating_sub(count);
    }

    /// Reads more from below, making room first.
    fn fill(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        } else if self.buffer.len() > 4 * CHUNK && self.end < CHUNK {
            // A long document is over: give its memory back.
            self.buffer.truncate(CHUNK);
            self.buffer.shrink_to_fit();
        }
        match self.inner.read(&mut self.buffer[self.end..]) {
            Ok(0) => self.finished = true,
            Ok(read) => self.end += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.finished = true;
                self.failure = Some(error);
            }
        }
    }
}

#[cfg(test)]
mod tests;

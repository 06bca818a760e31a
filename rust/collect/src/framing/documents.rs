//! Cuts a stream of JSON documents that do not stand one a line into records: objects over several
//! lines, objects behind one another, and the elements of lists.
//!
//! Only nesting and strings are looked at; whether a record is JSON is for the decoder to say. What
//! is no document, and one that never ends, is framed line by line, so that nothing is lost.

use std::io::{self, Read};
use std::ops::Range;

use super::window::Window;
use super::{Frame, RECORD_LIMIT};

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
    window: Window<R>,
    /// Line ends so far.
    ends: u64,
    /// Between the brackets of a list, whose elements are records.
    in_list: bool,
    /// So many bytes from here on are framed line by line.
    as_lines: usize,
    limit: usize,
    continued: bool,
}

impl<R: Read> Documents<R> {
    /// Frames `inner`.
    pub fn new(inner: R) -> Self {
        Self::with_limit(inner, RECORD_LIMIT)
    }

    /// Frames with another limit than [`RECORD_LIMIT`].
    fn with_limit(inner: R, limit: usize) -> Self {
        Self {
            window: Window::new(inner),
            ends: 0,
            in_list: false,
            as_lines: 0,
            limit: limit.max(1),
            continued: false,
        }
    }

    /// Bytes given out so far.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// The stream below.
    pub fn inner(&self) -> &R {
        self.window.inner()
    }

    /// Why reading stopped, once the records before the fault have been given out.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.window.take_failure()
    }

    /// The next record; `None` at the end or at a fault (see [`take_failure`](Self::take_failure)).
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        loop {
            if !self.continued {
                self.skip_between();
            }
            let first = *self.window.held().first()?;
            if self.as_lines == 0 && !self.continued && first == b'{' {
                if let Some(length) = self.document() {
                    return Some(self.give(length, length, false));
                }
                // By the limit, not by what has arrived: a replay must cut alike.
                self.as_lines = self.limit.min(self.window.held().len());
            }
            if let Some((length, taken, unfinished)) = self.line() {
                return Some(self.give(length, taken, unfinished));
            }
        }
    }

    /// Passes over blanks, and over a list's brackets and commas.
    fn skip_between(&mut self) {
        while let Some(byte) = self.byte() {
            let count = match byte {
                b' ' | b'\t' | b'\r' | b'\n' => 1,
                _ if self.as_lines > 0 => return,
                b'[' if !self.in_list => {
                    self.in_list = true;
                    1
                }
                b']' if self.in_list => {
                    self.in_list = false;
                    1
                }
                b',' if self.in_list => 1,
                _ if self.offset() == 0 && self.window.held().starts_with(BYTE_ORDER_MARK) => {
                    BYTE_ORDER_MARK.len()
                }
                _ => return,
            };
            self.take(count);
        }
    }

    /// The byte that comes next.
    fn byte(&mut self) -> Option<u8> {
        while self.window.held().is_empty() && !self.window.is_finished() {
            self.window.fill();
        }
        self.window.held().first().copied()
    }

    /// The length of the document that comes next; `None` where it does not end within the limit.
    fn document(&mut self) -> Option<usize> {
        let (mut nesting, mut seen) = (Nesting::default(), 0);
        loop {
            let held = self.window.held();
            if let Some(end) = nesting.end(&held[seen..]) {
                return Some(seen + end).filter(|length| *length <= self.limit);
            }
            seen = held.len();
            if self.window.is_finished() || seen > self.limit {
                return None;
            }
            self.window.fill();
        }
    }

    /// The line that comes next: its length, what is taken with its end, and whether it goes on
    /// behind the limit. `None` where it is empty, and was taken.
    fn line(&mut self) -> Option<(usize, usize, bool)> {
        let mut seen = 0;
        loop {
            let held = self.window.held();
            let found = memchr::memchr(b'\n', &held[seen..]).map(|at| seen + at);
            let (length, taken, unfinished) = match found.filter(|at| *at <= self.limit) {
                Some(at) => (at, at + 1, false),
                None if held.len() > self.limit => (self.limit, self.limit, true),
                None if self.window.is_finished() => (held.len(), held.len(), false),
                None => {
                    seen = held.len();
                    self.window.fill();
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

    /// A record of `length` bytes, which is taken.
    fn give(&mut self, length: usize, taken: usize, unfinished: bool) -> Frame<'_> {
        let (offset, number, continued) = (self.offset(), self.ends + 1, self.continued);
        self.continued = unfinished;
        let mut place = self.take(taken);
        place.end = place.start + length;
        if !unfinished && self.window.bytes(place.clone()).last() == Some(&b'\r') {
            place.end -= 1;
        }
        Frame::Record { offset, number, bytes: self.window.bytes(place), continued, unfinished }
    }

    fn take(&mut self, count: usize) -> Range<usize> {
        self.ends += memchr::memchr_iter(b'\n', &self.window.held()[..count]).count() as u64;
        self.as_lines = self.as_lines.saturating_sub(count);
        self.window.take(count)
    }
}

#[cfg(test)]
mod tests;

//! Cuts a byte stream into records at line ends.

use std::io::{self, Read};

use bigsec_event::FINGERPRINT_BYTES;

use super::RECORD_LIMIT;
use super::window::Window;

/// One record as framed.
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Where it begins in the decompressed stream.
    pub offset: u64,
    /// Its line number, from 1.
    pub number: u64,
    /// Its bytes, without the line end.
    pub bytes: &'a [u8],
    /// It is the rest of a record that exceeded the limit.
    pub continued: bool,
    /// It exceeded the limit: the next record goes on with it.
    pub unfinished: bool,
}

/// Frames a stream into lines. Ends are `\n` or `\r\n`; empty lines frame nothing.
pub struct Lines<R> {
    window: Window<R>,
    /// How far no line end stands, so that a long line is searched once.
    searched: usize,
    /// Line ends so far.
    ends: u64,
    limit: usize,
    continued: bool,
}

impl<R: Read> Lines<R> {
    /// Frames `inner`.
    pub fn new(inner: R) -> Self {
        Self::with_limit(inner, RECORD_LIMIT)
    }

    /// Frames with another limit than [`RECORD_LIMIT`].
    pub fn with_limit(inner: R, limit: usize) -> Self {
        let window = Window::new(inner);
        Self { window, searched: 0, ends: 0, limit: limit.max(1), continued: false }
    }

    /// The first bytes of the stream, up to the size of a fingerprint, before the first line.
    pub fn prefix(&mut self) -> &[u8] {
        while self.window.held().len() < FINGERPRINT_BYTES && !self.window.is_finished() {
            self.window.fill();
        }
        let held = self.window.held();
        &held[..held.len().min(FINGERPRINT_BYTES)]
    }

    /// The stream below.
    pub fn inner(&self) -> &R {
        self.window.inner()
    }

    /// The stream as if nothing had been read of it, where no line was taken yet.
    pub fn into_reader(self) -> io::Chain<io::Cursor<Vec<u8>>, R> {
        self.window.into_reader()
    }

    /// Bytes given out so far, line ends included.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// Why reading stopped, once the lines before the fault have been given out.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.window.take_failure()
    }

    /// The next line; `None` at the end or at a fault (see [`take_failure`](Self::take_failure)).
    pub fn next_line(&mut self) -> Option<Line<'_>> {
        loop {
            let held = self.window.held();
            let found = memchr::memchr(b'\n', &held[self.searched..])
                .map(|at| self.searched + at)
                .filter(|at| *at <= self.limit);
            let have = held.len();
            let (length, taken, unfinished) = match found {
                Some(at) => (at, at + 1, false),
                None if have > self.limit => (self.limit, self.limit, true),
                None if !self.window.is_finished() => {
                    self.searched = have;
                    self.window.fill();
                    continue;
                }
                None if have == 0 => return None,
                None => (have, have, false),
            };
            let (offset, continued) = (self.window.offset(), self.continued);
            let mut bytes = self.window.take(taken);
            bytes.end = bytes.start + length;
            self.searched = 0;
            self.continued = unfinished;
            let number = self.ends + 1;
            self.ends += u64::from(taken > length);
            if !unfinished && self.window.bytes(bytes.clone()).last() == Some(&b'\r') {
                bytes.end -= 1;
            }
            if bytes.is_empty() && !continued {
                continue;
            }
            let bytes = self.window.bytes(bytes);
            return Some(Line { offset, number, bytes, continued, unfinished });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::drip::Drip;
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8], step: usize, limit: usize) -> Vec<(u64, Vec<u8>, bool)> {
        let mut lines = Lines::with_limit(Drip(bytes, step), limit);
        let mut out = Vec::new();
        while let Some(line) = lines.next_line() {
            out.push((line.offset, line.bytes.to_vec(), line.continued));
        }
        out
    }

    #[test]
    fn line_ends_are_cut_and_offsets_kept() {
        assert_eq!(
            all(b"a\r\n\nbc\n\r\nd", 3, 100),
            [(0, b"a".to_vec(), false), (4, b"bc".to_vec(), false), (9, b"d".to_vec(), false)]
        );
    }

    #[test]
    fn a_record_at_the_limit_is_whole_and_one_beyond_goes_on() {
        assert_eq!(
            all(b"abcd\nx", 64, 4),
            [(0, b"abcd".to_vec(), false), (5, b"x".to_vec(), false)]
        );
        assert_eq!(
            all(b"abcde\nx", 64, 4),
            [(0, b"abcd".to_vec(), false), (4, b"e".to_vec(), true), (6, b"x".to_vec(), false)]
        );
    }

    proptest! {
        #[test]
        fn how_the_bytes_arrive_changes_nothing(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'a')], 0..60),
            step in 1_usize..9,
            limit in 1_usize..12,
        ) {
            let whole = all(&bytes, usize::MAX, limit);
            prop_assert_eq!(&all(&bytes, step, limit), &whole);
            let kept: usize = whole.iter().map(|(_, line, _)| line.len()).sum();
            let letters = memchr::memchr_iter(b'a', &bytes).count();
            prop_assert!(kept >= letters);
        }
    }
}

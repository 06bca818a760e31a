//! The part of a stream that is in memory, from which records are cut.

use std::io::{self, Read};
use std::ops::Range;

/// Bytes asked from below at a time.
pub(super) const CHUNK: usize = 256 * 1024;

/// Bytes that were read and not given out yet.
pub(super) struct Window<R> {
    inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    finished: bool,
    failure: Option<io::Error>,
}

impl<R: Read> Window<R> {
    /// The beginning of `inner`, of which nothing was read yet.
    pub fn new(inner: R) -> Self {
        let buffer = vec![0; CHUNK];
        Self { inner, buffer, start: 0, end: 0, offset: 0, finished: false, failure: None }
    }

    /// The stream below.
    pub fn inner(&self) -> &R {
        &self.inner
    }

    /// The stream as if nothing had been read of it, where nothing was taken yet.
    pub fn into_reader(mut self) -> io::Chain<io::Cursor<Vec<u8>>, R> {
        self.buffer.truncate(self.end);
        io::Cursor::new(self.buffer).chain(self.inner)
    }

    /// What is there.
    pub fn held(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Place of what is there in the stream: bytes taken so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Nothing more comes: the stream is at its end, or failed.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Why reading stopped.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Takes bytes off the front. Where they are in memory until more is read, [`bytes`] shows.
    ///
    /// [`bytes`]: Self::bytes
    pub fn take(&mut self, count: usize) -> Range<usize> {
        let taken = self.start..self.start + count;
        self.start += count;
        self.offset += count as u64;
        taken
    }

    /// Bytes that were taken.
    pub fn bytes(&self, taken: Range<usize>) -> &[u8] {
        &self.buffer[taken]
    }

    /// Reads more from below, making room first.
    pub fn fill(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        } else if self.buffer.len() > 4 * CHUNK && self.end < CHUNK {
            // A long record is over: give its memory back.
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

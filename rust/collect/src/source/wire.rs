//! The bytes of a connection, plain or under TLS, and a buffer that grows with what comes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// A connection, whatever carries it.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What a silent connection holds.
const SMALL: usize = 4 * 1024;
/// What one that sends without pause holds, records longer than that aside.
const LARGE: usize = 256 * 1024;

/// Bytes received that have not been framed.
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    max: usize,
    /// The last read filled all the room there was: more is waiting.
    full: bool,
}

impl Buffer {
    /// A buffer for records of which at most `window` bytes have to be held at once.
    pub fn new(window: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, end: 0, max: window + 1, full: false }
    }

    /// The bytes that wait.
    pub fn held(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Bytes that are done with.
    pub fn take(&mut self, count: usize) {
        self.start += count;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Waits for bytes; 0 is the end of the stream.
    pub async fn fill<R: AsyncRead + Unpin>(&mut self, reader: &mut R) -> io::Result<usize> {
        self.make_room();
        let read = reader.read(&mut self.bytes[self.end..]).await?;
        self.advance(read);
        Ok(read)
    }

    /// Takes bytes that have already come; `None` where none have.
    pub async fn fill_now<R: AsyncRead + Unpin>(
        &mut self,
        reader: &mut R,
    ) -> Option<io::Result<usize>> {
        self.make_room();
        let mut room = ReadBuf::new(&mut self.bytes[self.end..]);
        let read = poll_fn(|context| {
            Poll::Ready(match Pin::new(&mut *reader).poll_read(context, &mut room) {
                Poll::Ready(result) => Some(result),
                Poll::Pending => None,
            })
        })
        .await?;
        let filled = room.filled().len();
        self.advance(filled);
        Some(read.map(|()| filled))
    }

    /// Gives memory back while nothing is held.
    pub fn rest(&mut self) {
        if self.start == self.end && self.bytes.len() > SMALL {
            (self.bytes, self.start, self.end) = (Vec::new(), 0, 0);
        }
    }

    fn advance(&mut self, read: usize) {
        self.end += read;
        self.full = self.end == self.bytes.len();
    }

    fn make_room(&mut self) {
        if self.start > 0 && self.end > self.bytes.len() / 2 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let held = self.end - self.start;
        let cap = if held < LARGE { LARGE } else { self.max.max(LARGE) };
        if (self.full || self.bytes.is_empty()) && self.bytes.len() < cap {
            let size = (self.bytes.len() * 4).clamp(SMALL, cap);
            self.bytes.resize(size, 0);
        }
        self.full = false;
    }
}

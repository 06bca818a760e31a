//! The bytes of a connection, plain or under TLS, and a buffer that grows with what comes.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bigsec_evidence::Position;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::collector::Collector;
use crate::intake::Closed;

/// A connection, whatever carries it.
pub(crate) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

macro_rules! of_wire {
    ($wire:expr, $inner:ident => $call:expr) => {
        match $wire.get_mut() {
            Self::Plain(stream) => {
                let $inner = Pin::new(stream);
                $call
            }
            Self::Tls(stream) => {
                let $inner = Pin::new(stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        of_wire!(self, inner => inner.poll_read(context, room))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        of_wire!(self, inner => inner.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        of_wire!(self, inner => inner.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        of_wire!(self, inner => inner.poll_shutdown(context))
    }
}

/// Where the bytes of a connection come from.
pub(crate) trait Fill {
    /// Waits for bytes; 0 is the end of the stream.
    fn fill(&mut self) -> impl Future<Output = io::Result<usize>> + Send;

    /// Takes bytes that have already come; `None` where none have.
    fn fill_now(&mut self) -> impl Future<Output = Option<io::Result<usize>>> + Send;
}

/// The bytes of a connection on their way to the log.
pub(crate) trait Inflow: Fill {
    /// Whether records have to be handed on before more bytes are looked for.
    const ONE_BY_ONE: bool;

    /// The bytes that wait to be framed.
    fn held(&self) -> &[u8];

    /// Place in the stream so many bytes behind the first that waits, where places are kept.
    fn position(&self, count: usize) -> Option<Position>;

    /// Bytes that are framed.
    fn take(&mut self, count: usize);

    /// Gives memory back while nothing is held.
    fn rest(&mut self);

    /// Hands on the records of all bytes that were taken.
    fn hand_on(
        &mut self,
        collector: &mut Collector,
    ) -> impl Future<Output = Result<(), Closed>> + Send;
}

/// A connection that is read as its bytes come.
pub(crate) struct Flow<R> {
    pub buffer: Buffer,
    pub reader: R,
}

impl<R: AsyncRead + Unpin + Send> Fill for Flow<R> {
    async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.fill(&mut self.reader).await
    }

    async fn fill_now(&mut self) -> Option<io::Result<usize>> {
        self.buffer.fill_now(&mut self.reader).await
    }
}

impl<R: AsyncRead + Unpin + Send> Inflow for Flow<R> {
    const ONE_BY_ONE: bool = false;

    fn held(&self) -> &[u8] {
        self.buffer.held()
    }

    fn position(&self, _: usize) -> Option<Position> {
        None
    }

    fn take(&mut self, count: usize) {
        self.buffer.take(count);
    }

    fn rest(&mut self) {
        self.buffer.rest();
    }

    async fn hand_on(&mut self, collector: &mut Collector) -> Result<(), Closed> {
        collector.hand_on().await
    }
}

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

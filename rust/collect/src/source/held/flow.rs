//! The bytes of a connection that another process may have to read on.

use std::io;

use bigsec_evidence::Position;
use rustix::net::{RecvFlags, recv};
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::super::collector::Collector;
use super::super::wire::{Fill, Inflow};
use crate::intake::Closed;

/// What a silent connection holds here, and one that sends without pause.
const SMALL: usize = 4 * 1024;
const LARGE: usize = 256 * 1024;
/// Longest beginning of a record that waits in the socket: the system holds little more of a
/// connection from which nothing is taken, and the rest would never come. A longer one is read, and
/// is cut where the process dies before the record is durable.
const WAITS_IN_SOCKET: usize = 32 * 1024;

/// A connection whose bytes stay in the socket until their records are durable.
pub(crate) struct HeldFlow {
    stream: TcpStream,
    key: u64,
    bytes: Vec<u8>,
    /// How many are known; those before `read` are not in the socket any more.
    end: usize,
    read: usize,
    /// How many are framed.
    taken: usize,
    /// Place of the first byte in the stream.
    base: u64,
    max: usize,
    /// Bytes that are in the log could not be taken out of the socket.
    broken: bool,
}

impl HeldFlow {
    /// A connection out of which so many bytes were `taken`, and of which the log has all before
    /// `durable`. `window` is as for [`Buffer`](super::super::wire::Buffer).
    pub fn new(
        stream: TcpStream,
        key: u64,
        (taken, durable): (u64, u64),
        window: usize,
    ) -> io::Result<Self> {
        let max = (window + 1).max(LARGE);
        let mut flow = Self {
            stream,
            key,
            bytes: Vec::new(),
            end: 0,
            read: 0,
            taken: 0,
            base: taken,
            max,
            broken: false,
        };
        // The process before died between the two steps.
        let mut again = usize::try_from(durable.saturating_sub(taken)).unwrap_or(usize::MAX);
        flow.bytes.resize(again.min(LARGE), 0);
        while again > 0 {
            let part = again.min(LARGE);
            flow.discard(0, part)?;
            flow.base += part as u64;
            again -= part;
        }
        flow.bytes.clear();
        Ok(flow)
    }

    /// The connection.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Takes bytes out of the socket that are known already.
    fn discard(&mut self, from: usize, count: usize) -> io::Result<()> {
        let mut left = count;
        while left > 0 {
            // TRUNC takes without copying (tcp(7)).
            let room = &mut self.bytes[from..from + left];
            match recv(&self.stream, room, RecvFlags::TRUNC) {
                Ok((_, 0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok((_, count)) => left = left.saturating_sub(count),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Takes what is in the log out of the socket.
    fn settle(&mut self) -> io::Result<()> {
        let unread = self.taken.saturating_sub(self.read);
        self.discard(self.read.min(self.taken), unread)?;
        self.read = self.read.saturating_sub(self.taken);
        self.bytes.copy_within(self.taken..self.end, 0);
        self.end -= self.taken;
        self.base += self.taken as u64;
        self.taken = 0;
        Ok(())
    }

    /// Looks for bytes behind those that are known.
    fn look(&mut self) -> io::Result<usize> {
        if self.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if self.taken == 0 && self.end - self.read >= WAITS_IN_SOCKET {
            self.discard(self.read, self.end - self.read)?;
            self.read = self.end;
        }
        if self.end == self.bytes.len() {
            self.bytes.resize((self.end * 4).clamp(SMALL, self.max.max(self.end + 1)), 0);
        }
        let (stream, known, read) = (&self.stream, self.end, self.read);
        let room = &mut self.bytes[read..];
        self.end = stream.try_io(Interest::READABLE, || {
            let (peeked, _) = recv(stream, room, RecvFlags::PEEK)?;
            if read + peeked > known {
                Ok(read + peeked)
            } else {
                Err(io::ErrorKind::WouldBlock.into())
            }
        })?;
        Ok(self.end - known)
    }
}

impl Fill for HeldFlow {
    async fn fill(&mut self) -> io::Result<usize> {
        loop {
            let ready = self.stream.ready(Interest::READABLE).await?;
            match self.look() {
                // What came before the end is known.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if ready.is_read_closed() {
                        return Ok(0);
                    }
                }
                other => return other,
            }
        }
    }

    async fn fill_now(&mut self) -> Option<io::Result<usize>> {
        match self.look() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            other => Some(other),
        }
    }
}

impl Inflow for HeldFlow {
    const ONE_BY_ONE: bool = true;

    fn held(&self) -> &[u8] {
        &self.bytes[self.taken..self.end]
    }

    fn position(&self, count: usize) -> Option<Position> {
        Some(Position { file: self.key, end: self.base + (self.taken + count) as u64 })
    }

    fn take(&mut self, count: usize) {
        self.taken += count;
    }

    fn rest(&mut self) {
        if self.end == 0 && self.bytes.len() > SMALL {
            self.bytes = Vec::new();
        }
    }

    /// Waits until the records are durable: more would be the same bytes once again.
    async fn hand_on(&mut self, collector: &mut Collector) -> Result<(), Closed> {
        if let Some(ticket) = collector.submit().await? {
            ticket.durable().await?;
        }
        self.broken |= self.settle().is_err();
        Ok(())
    }
}

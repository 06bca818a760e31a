//! The bytes of a connection that another process may have to read on.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use bigsec_evidence::Position;
use rustix::net::{RecvFlags, recv};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::super::collector::Collector;
use super::super::context::Descriptors;
use super::super::wire::{Fill, Inflow};
use super::store::DescriptorStore;
use super::tail::Tail;
use crate::intake::Closed;

/// What a silent connection holds here, and one that sends without pause.
const SMALL: usize = 4 * 1024;
const LARGE: usize = 256 * 1024;
/// So many bytes of a record that is not whole are taken out of the socket at once: the system may
/// have no room for the rest. Fewer are, where the rest does not come soon.
const WAITS_IN_SOCKET: usize = 16 * 1024;
const SOON: Duration = Duration::from_millis(20);

/// What a connection goes on from.
pub(crate) struct Begin {
    /// Bytes that were taken out of the socket.
    pub taken: u64,
    /// The log has all records that end before or here.
    pub durable: u64,
    /// What the process before had taken out of a record that was not whole.
    pub tail: Option<OwnedFd>,
}

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
    store: Arc<DescriptorStore>,
    descriptors: Arc<Descriptors>,
    /// Counted among the descriptors.
    tail: Option<Tail>,
    /// Place of the first byte in it.
    tail_base: u64,
}

impl HeldFlow {
    /// Goes on with a connection; true where what was taken of it before is not all in the log.
    /// `window` is as for [`Buffer`](super::super::wire::Buffer).
    pub fn new(
        (stream, key): (TcpStream, u64),
        begin: Begin,
        (store, descriptors): (Arc<DescriptorStore>, Arc<Descriptors>),
        window: usize,
    ) -> io::Result<(Self, bool)> {
        let Begin { taken, durable, tail } = begin;
        let mut tail = tail.map(Tail::from);
        let mut is_cut = false;
        let (base, bytes) = if durable >= taken {
            (taken, Vec::new())
        } else if let Some(begun) = tail.as_ref().and_then(|tail| tail.between(durable, taken)) {
            (durable, begun)
        } else {
            is_cut = true;
            (taken, Vec::new())
        };
        if tail.is_some() && !descriptors.take() {
            tail = None;
        }
        let (read, max) = (bytes.len(), (window + 1).max(LARGE));
        let mut flow = Self {
            stream,
            key,
            end: read,
            read,
            bytes,
            taken: 0,
            base,
            max,
            broken: false,
            store,
            descriptors,
            tail,
            // It is written anew with the next record.
            tail_base: u64::MAX,
        };
        flow.skip(durable.saturating_sub(taken))?;
        Ok((flow, is_cut))
    }

    /// Takes bytes out of the socket whose records are in the log: the process before died between
    /// the two steps.
    fn skip(&mut self, count: u64) -> io::Result<()> {
        let mut left = usize::try_from(count).unwrap_or(usize::MAX);
        while left > 0 {
            let part = left.min(LARGE);
            self.bytes.resize(part, 0);
            self.discard(0, part)?;
            self.base += part as u64;
            left -= part;
        }
        Ok(())
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

    /// Moves the beginning of a record that is not whole out of the socket.
    async fn carry(&mut self) -> io::Result<()> {
        // Without a descriptor to spare, the record is cut where the process dies now.
        if self.tail.is_none() && self.descriptors.take() {
            match Tail::new() {
                // It is ours before anybody is told: this may be broken off while it is sent.
                Ok(tail) => {
                    let tail = self.tail.insert(tail);
                    self.store.hold_also(self.key, tail.descriptor()).await;
                }
                Err(_) => self.descriptors.give_back(),
            }
        }
        if self.read == 0 {
            self.tail_base = self.base;
        }
        // What is left of a record beyond the longest that is kept in one piece is not kept here.
        if let Some(tail) = self.tail.as_ref().filter(|_| self.tail_base == self.base) {
            tail.keep(self.base, self.read as u64, &self.bytes[self.read..self.end])?;
        }
        self.discard(self.read, self.end - self.read)?;
        self.read = self.end;
        Ok(())
    }

    /// Bytes of a record that is not whole, in the socket.
    fn waiting(&self) -> usize {
        if self.taken == 0 { self.end - self.read } else { 0 }
    }

    /// Looks for bytes behind those that are known.
    fn look(&mut self) -> io::Result<usize> {
        if self.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
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

impl Drop for HeldFlow {
    fn drop(&mut self) {
        if self.tail.is_some() {
            self.descriptors.give_back();
        }
    }
}

impl Fill for HeldFlow {
    async fn fill(&mut self) -> io::Result<usize> {
        loop {
            let ready = if self.waiting() == 0 {
                self.stream.ready(Interest::READABLE).await?
            } else {
                let soon = timeout(SOON, self.stream.ready(Interest::READABLE)).await;
                let Ok(ready) = soon else {
                    self.carry().await?;
                    continue;
                };
                ready?
            };
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
        if self.waiting() >= WAITS_IN_SOCKET
            && let Err(error) = self.carry().await
        {
            return Some(Err(error));
        }
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

//! A record of the log: what is hashed, and what a proof is about.

use std::net::{IpAddr, SocketAddr};

use bigsec_event::EventId;

/// What is known of how a record came. See the format's page for the bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u16);

impl Flags {
    /// It goes on where the record before it broke off at a limit.
    pub const CONTINUED: Self = Self(1);
    /// It is not whole: the sender stopped, or a limit broke.
    pub const CUT: Self = Self(2);
    /// Its sender may have sent it before.
    pub const DOUBLE: Self = Self(4);
    const PEER_V4: u16 = 8;
    const PEER_V6: u16 = 16;
    const HAS_ID: u16 = 32;
    const HAS_POSITION: u16 = 64;

    /// Whether all bits of `other` are set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// With the bits of `other`.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Where a record of a file ends, so that reading can go on after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Key of the file (`bigsec_event::file_key`).
    pub file: u64,
    /// Offset in its decompressed content after the record and its line end.
    pub end: u64,
}

/// A record as it is given to the log, and as it is read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Flags; those that say which parts follow are set by [`encode`](Self::encode).
    pub flags: Flags,
    /// When it was received, µs since 1970 UTC.
    pub received_us: i64,
    /// Name of the source in the configuration, ≤ 255 bytes.
    pub source: &'a str,
    /// Who sent it, as the network tells.
    pub peer: Option<SocketAddr>,
    /// The id it brought from the log or file where it was first kept.
    pub id: Option<EventId>,
    /// Where in a file it ends.
    pub position: Option<Position>,
    /// The bytes as received.
    pub payload: &'a [u8],
}

impl<'a> Record<'a> {
    /// Appends the record's bytes to `out`. A source name is cut at 255 bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut flags = self.flags.0 & (Flags::CONTINUED.0 | Flags::CUT.0 | Flags::DOUBLE.0);
        match self.peer {
            Some(SocketAddr::V4(_)) => flags |= Flags::PEER_V4,
            Some(SocketAddr::V6(_)) => flags |= Flags::PEER_V6,
            None => {}
        }
        if self.id.is_some() {
            flags |= Flags::HAS_ID;
        }
        if self.position.is_some() {
            flags |= Flags::HAS_POSITION;
        }
        let source = &self.source[..self.source.floor_char_boundary(255)];
        out.extend_from_slice(&flags.to_le_bytes());
        out.extend_from_slice(&self.received_us.to_le_bytes());
        out.push(source.len() as u8);
        out.extend_from_slice(source.as_bytes());
        if let Some(peer) = self.peer {
            match peer.ip() {
                IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
                IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
            }
            out.extend_from_slice(&peer.port().to_be_bytes());
        }
        if let Some(id) = self.id {
            out.extend_from_slice(&id.to_bytes());
        }
        if let Some(position) = self.position {
            out.extend_from_slice(&position.file.to_le_bytes());
            out.extend_from_slice(&position.end.to_le_bytes());
        }
        out.extend_from_slice(self.payload);
    }

    /// Reads a record's bytes; `None` where they are not a record of format 1.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = Take(bytes);
        let flags = u16::from_le_bytes(rest.array()?);
        let received_us = i64::from_le_bytes(rest.array()?);
        let [len] = rest.array()?;
        let source = std::str::from_utf8(rest.slice(usize::from(len))?).ok()?;
        let peer = if flags & Flags::PEER_V4 != 0 {
            Some((IpAddr::from(rest.array::<4>()?), u16::from_be_bytes(rest.array()?)).into())
        } else if flags & Flags::PEER_V6 != 0 {
            Some((IpAddr::from(rest.array::<16>()?), u16::from_be_bytes(rest.array()?)).into())
        } else {
            None
        };
        let id = if flags & Flags::HAS_ID == 0 {
            None
        } else {
            Some(EventId::from_bytes(rest.array()?))
        };
        let position = if flags & Flags::HAS_POSITION == 0 {
            None
        } else {
            let file = u64::from_le_bytes(rest.array()?);
            Some(Position { file, end: u64::from_le_bytes(rest.array()?) })
        };
        Some(Self { flags: Flags(flags), received_us, source, peer, id, position, payload: rest.0 })
    }
}

struct Take<'a>(&'a [u8]);

impl<'a> Take<'a> {
    fn slice(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}

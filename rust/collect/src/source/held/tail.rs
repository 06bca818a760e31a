//! The beginning of a record that had to be read before the rest could come.
//!
//! A socket's memory is given back by whole packets of the system, so a few bytes that wait in it
//! can keep the sender out. They are moved here: into memory that has a descriptor, which is held
//! like the connection's. Layout: place in the stream of the first byte, number of bytes, bytes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::{pread, pwrite};

use super::store::numbers;

/// Bytes of both numbers. They are written at once and after the bytes that they tell of.
const HEAD: u64 = 16;
/// Longest beginning that is believed.
const BYTES_MAX: u64 = 1 << 27;

pub(super) struct Tail(OwnedFd);

impl Tail {
    pub fn new() -> io::Result<Self> {
        Ok(Self(memfd_create("bigsec-tail", MemfdFlags::CLOEXEC)?))
    }

    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Adds `bytes` to the `before` ones from place `base` on, which are here already.
    pub fn keep(&self, base: u64, before: u64, bytes: &[u8]) -> io::Result<()> {
        let mut at = HEAD + before;
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = pwrite(&self.0, rest, at)?;
            rest = &rest[written..];
            at += written as u64;
        }
        let mut head = [0; HEAD as usize];
        head[..8].copy_from_slice(&base.to_le_bytes());
        head[8..].copy_from_slice(&(at - HEAD).to_le_bytes());
        let written = pwrite(&self.0, &head, 0)?;
        if written == head.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// The bytes from place `from` to place `to`, where all are here.
    pub fn between(&self, from: u64, to: u64) -> Option<Vec<u8>> {
        let mut head = [0; HEAD as usize];
        if pread(&self.0, &mut head[..], 0).ok()? != head.len() {
            return None;
        }
        let [base, count] = numbers(head);
        let wanted = to.checked_sub(from).filter(|wanted| *wanted <= BYTES_MAX)?;
        let skipped = from.checked_sub(base)?;
        if count.checked_sub(skipped)? < wanted {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(wanted).ok()?];
        let mut read = 0;
        while read < bytes.len() {
            match pread(&self.0, &mut bytes[read..], HEAD + skipped + read as u64).ok()? {
                0 => return None,
                count => read += count,
            }
        }
        Some(bytes)
    }
}

impl From<OwnedFd> for Tail {
    fn from(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p1_only_what_was_told_whole_is_believed() {
        let tail = Tail::new().unwrap();
        assert_eq!(tail.between(0, 0), None, "nothing was kept");
        tail.keep(100, 0, b"abc").unwrap();
        tail.keep(100, 3, b"de").unwrap();
        assert_eq!(tail.between(100, 105).unwrap(), b"abcde");
        // The process died before it took the last two out of the socket.
        assert_eq!(tail.between(100, 103).unwrap(), b"abc");
        assert_eq!(tail.between(102, 105).unwrap(), b"cde");
        assert_eq!(tail.between(100, 106), None);
        assert_eq!(tail.between(99, 105), None);
        tail.keep(200, 0, b"x").unwrap();
        assert_eq!(
            (tail.between(200, 201).unwrap(), tail.between(100, 105)),
            (b"x".to_vec(), None)
        );
    }
}

//! Which calls fail, and how.

use std::io;
use std::ops::Range;

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Opening a file or folder, looking at it, or listing it.
    Open,
    /// Reading.
    Read,
    /// Making a file.
    Create,
    /// Writing.
    Write,
    /// Flushing a file.
    Sync,
    /// Cutting or lengthening a file.
    SetLen,
    /// Taking space for a file.
    Reserve,
    /// Renaming.
    Rename,
    /// Removing a file.
    Remove,
    /// Making a folder.
    CreateFolder,
    /// Flushing a folder.
    SyncFolder,
}

impl Operation {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Open,
        Self::Read,
        Self::Create,
        Self::Write,
        Self::Sync,
        Self::SetLen,
        Self::Reserve,
        Self::Rename,
        Self::Remove,
        Self::CreateFolder,
        Self::SyncFolder,
    ];

    /// Whether it changes what is stored, so that a crash after it differs from one before it.
    pub fn changes(self) -> bool {
        !matches!(self, Self::Open | Self::Read)
    }
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An input/output error, and nothing was done; of a write half was done.
    Before,
    /// An input/output error, although all was done.
    After,
    /// A write takes half of what it was offered, at least one byte; other calls succeed.
    Short,
    /// There is no space.
    Full,
}

impl Fault {
    pub(super) fn error(self) -> io::Error {
        match self {
            Self::Full => io::ErrorKind::StorageFull.into(),
            _ => io::Error::other("simulated input/output error"),
        }
    }
}

/// Counts calls and knows which of them fail.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    counts: [u64; Operation::ALL.len()],
    faults: Vec<(Operation, Range<u64>, Fault)>,
}

impl Plan {
    pub(super) fn add(&mut self, operation: Operation, calls: Range<u64>, fault: Fault) {
        let done = self.counts[operation as usize];
        let from_now = calls.start.saturating_add(done)..calls.end.saturating_add(done);
        self.faults.push((operation, from_now, fault));
    }

    pub(super) fn clear(&mut self) {
        self.faults.clear();
    }

    pub(super) fn count(&self, operation: Operation) -> u64 {
        self.counts[operation as usize]
    }

    /// Counts a call; gives its fault, if it has one.
    pub(super) fn call(&mut self, operation: Operation) -> Option<Fault> {
        let count = &mut self.counts[operation as usize];
        *count += 1;
        let (_, _, fault) = self
            .faults
            .iter()
            .find(|(kind, calls, _)| *kind == operation && calls.contains(count))?;
        Some(*fault)
    }
}

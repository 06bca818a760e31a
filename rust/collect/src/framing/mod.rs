//! Cuts a byte stream into records. What a stream is, its first bytes tell: [`Frames::of`] is the
//! one place that knows all kinds.

use std::io::{self, Read};

mod documents;
#[cfg(test)]
mod drip;
mod evtx;
mod lines;
#[cfg(unix)]
pub(crate) mod relp;
#[cfg(unix)]
pub(crate) mod syslog;
mod window;

use documents::{Documents, is_documents};
use evtx::Evtx;
pub use lines::{Line, Lines};

/// The longest record, in bytes; what is longer goes on in further records.
pub const RECORD_LIMIT: usize = 64 * 1024 * 1024;

/// One record, or a part of the stream in which there is none any more.
#[derive(Debug)]
pub(crate) enum Frame<'a> {
    /// A record.
    Record {
        /// Where it begins in the decompressed stream.
        offset: u64,
        /// Its number: of its line, or of the record in a binary log, from 1.
        number: u64,
        /// Its text.
        bytes: &'a [u8],
        /// It is the rest of a record that exceeded the limit.
        continued: bool,
        /// It exceeded the limit: the next record goes on with it.
        unfinished: bool,
    },
    /// Damage; what follows it is read.
    Damaged {
        /// Where it begins in the decompressed stream.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
}

/// A stream framed in the way of its kind.
pub(crate) enum Frames<R> {
    /// Text, one record a line.
    Lines(Box<Lines<R>>),
    /// JSON documents that do not stand one a line.
    Documents(Box<Documents<io::Chain<io::Cursor<Vec<u8>>, R>>>),
    /// A binary event log of Windows.
    Evtx(Box<Evtx<R>>),
}

impl<R: Read> Frames<R> {
    /// Finds out what the stream is.
    pub fn of(mut lines: Lines<R>) -> Self {
        if lines.prefix().starts_with(evtx::MAGIC) {
            Self::Evtx(Box::new(Evtx::new(lines.into_reader())))
        } else if is_documents(lines.prefix()) {
            Self::Documents(Box::new(Documents::new(lines.into_reader())))
        } else {
            Self::Lines(Box::new(lines))
        }
    }

    /// The next record; `None` at the end or at a fault (see [`take_failure`](Self::take_failure)).
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        match self {
            Self::Lines(lines) => lines.next_line().map(|line| Frame::Record {
                offset: line.offset,
                number: line.number,
                bytes: line.bytes,
                continued: line.continued,
                unfinished: line.unfinished,
            }),
            Self::Documents(documents) => documents.next_frame(),
            Self::Evtx(evtx) => evtx.next_frame(),
        }
    }

    /// Bytes given out so far.
    pub fn offset(&self) -> u64 {
        match self {
            Self::Lines(lines) => lines.offset(),
            Self::Documents(documents) => documents.offset(),
            Self::Evtx(evtx) => evtx.offset(),
        }
    }

    /// The stream below.
    pub fn inner(&self) -> &R {
        match self {
            Self::Lines(lines) => lines.inner(),
            Self::Documents(documents) => documents.inner().get_ref().1,
            Self::Evtx(evtx) => evtx.inner(),
        }
    }

    /// Why reading stopped, once the records before the fault have been given out.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        match self {
            Self::Lines(lines) => lines.take_failure(),
            Self::Documents(documents) => documents.take_failure(),
            Self::Evtx(evtx) => evtx.take_failure(),
        }
    }
}

/// The record that begins at `position` of the stream; `None` where none does.
pub(crate) fn record_at(reader: impl Read, position: u64) -> io::Result<Option<Vec<u8>>> {
    let mut lines = Lines::new(reader);
    if lines.prefix().starts_with(evtx::MAGIC) {
        return evtx::record_at(lines.into_reader(), position);
    }
    let is_documents = is_documents(lines.prefix());
    let mut reader = lines.into_reader();
    let skipped = io::copy(&mut reader.by_ref().take(position), &mut io::sink())?;
    if skipped < position {
        return Ok(None);
    }
    if is_documents {
        let mut documents = Documents::new(reader);
        return Ok(match documents.next_frame() {
            Some(Frame::Record { bytes, .. }) => Some(bytes.to_vec()),
            _ => None,
        });
    }
    Ok(Lines::new(reader).next_line().map(|line| line.bytes.to_vec()))
}

#[cfg(test)]
mod t4_fuzz;

//! One file that is followed, or read once.

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use bigsec_evidence::{Flags, Position};

use crate::framing::syslog::{FramingRule, StreamFramer};
use crate::intake::Closed;
use crate::storage::{Stat, StoredFile, read_full_at};

use super::super::collector::Collector;
use super::identity::{Known, LAST_BYTES};
use super::multiline::{Joined, Joining};

/// Bytes read at a time.
const STEP: usize = 256 * 1024;
/// Bytes of one file that are read before the others have their turn.
const TURN: usize = 4 * 1024 * 1024;

/// Where the bytes come from.
pub(crate) enum Content {
    /// A file that may grow.
    Live(Box<dyn StoredFile>),
    /// A compressed file, from its beginning; what of it was read to learn what it is, comes first.
    Once(Vec<u8>, Box<dyn Read + Send>),
}

/// A file being read.
pub(crate) struct Tail {
    pub path: PathBuf,
    pub stat: Stat,
    /// When the file was last found under a name that we look for, or gave something.
    pub alive: Duration,
    /// When it last gave something.
    pub read_at: Duration,
    content: Content,
    key: u64,
    framer: StreamFramer,
    joined: Option<Joined>,
    /// Bytes that are not framed yet; they begin at `offset`.
    held: Vec<u8>,
    offset: u64,
    /// Bytes of a compressed file that have to be passed over.
    skip: u64,
    /// The first bytes of the file, by which a new content is noticed.
    head: Vec<u8>,
    /// The bytes before `offset`.
    last: Vec<u8>,
    is_up_to_date: bool,
    ended: bool,
}

/// What became of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// All there is has been read.
    UpToDate,
    /// There is more.
    More,
    /// A file that is read once has been read.
    Ended,
    /// Reading failed.
    Failed,
}

/// How a tail is begun.
pub(crate) struct Begin<'a> {
    pub path: PathBuf,
    pub stat: Stat,
    pub content: Content,
    pub key: u64,
    /// Where to go on.
    pub offset: u64,
    /// The first bytes of the content.
    pub prefix: &'a [u8],
    pub record_bytes_max: usize,
    pub joining: Option<Joining>,
    pub now: Duration,
}

impl Tail {
    pub fn new(begin: Begin<'_>) -> Self {
        let skip = match begin.content {
            Content::Live(_) => 0,
            Content::Once(..) => begin.offset,
        };
        Self {
            path: begin.path,
            stat: begin.stat,
            alive: begin.now,
            read_at: begin.now,
            content: begin.content,
            key: begin.key,
            framer: StreamFramer::new(FramingRule::Lines, begin.record_bytes_max),
            joined: begin.joining.map(Joined::new),
            held: Vec::new(),
            offset: begin.offset,
            skip,
            head: begin.prefix[..begin.prefix.len().min(LAST_BYTES)].to_vec(),
            last: Vec::new(),
            is_up_to_date: false,
            ended: false,
        }
    }

    /// The key of the file, and how far it has been read.
    pub fn known(&self) -> (u64, Known) {
        (self.key, Known { end: self.offset, last: self.last.clone() })
    }

    /// Whether the file has been cut, or holds something else than before.
    pub fn is_replaced(&self) -> io::Result<bool> {
        let Content::Live(file) = &self.content else { return Ok(false) };
        if file.size()? < self.offset + self.held.len() as u64 {
            return Ok(true);
        }
        let mut head = [0; LAST_BYTES];
        let read = read_full_at(file.as_ref(), &mut head[..self.head.len()], 0)?;
        Ok(head[..read] != self.head)
    }

    /// Whether all that it has is handed on.
    pub fn is_quiet(&self) -> bool {
        matches!(self.content, Content::Live(_))
            && self.is_up_to_date
            && self.held.is_empty()
            && self.joined.as_ref().is_none_or(Joined::is_empty)
    }

    /// Reads on.
    pub fn read(&mut self, collector: &mut Collector, now: Duration) -> Result<Turn, Closed> {
        let mut budget = TURN;
        self.is_up_to_date = false;
        while budget > 0 {
            let before = self.held.len();
            self.held.resize(before + STEP, 0);
            let read = self.read_more(before);
            self.held.truncate(before + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) if matches!(self.content, Content::Once(..)) => {
                    self.finish(false, collector);
                    return Ok(Turn::Ended);
                }
                Ok(0) => {
                    if self.held.is_empty() {
                        self.held = Vec::new();
                    }
                    self.is_up_to_date = true;
                    return Ok(Turn::UpToDate);
                }
                Ok(read) => {
                    (self.alive, self.read_at) = (now, now);
                    budget = budget.saturating_sub(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => {
                    if matches!(self.content, Content::Once(..)) {
                        self.finish(true, collector);
                    }
                    return Ok(Turn::Failed);
                }
            }
            self.pass_over();
            self.frame(collector, now);
            if collector.is_full() {
                collector.submit_blocking()?;
            }
        }
        Ok(Turn::More)
    }

    /// Gives a record of several lines that no further line has joined for long enough.
    pub fn give_waiting(&mut self, collector: &mut Collector, now: Duration) {
        let Self { joined: Some(joined), key, .. } = self else { return };
        joined.give_waiting(now, &mut pushing(collector, *key));
    }

    /// The file is over: what is left is its last record. `cut` says that it is not whole.
    pub fn finish(&mut self, cut: bool, collector: &mut Collector) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let end = self.offset + self.held.len() as u64;
        let piece = self.framer.finish(&self.held, cut);
        let mut push = pushing(collector, self.key);
        if let Some(piece) = piece {
            let line = &self.held[piece.begin..piece.end];
            match &mut self.joined {
                Some(joined) => joined.push(line, piece.flags, end, Duration::ZERO, &mut push),
                None => push(line, piece.flags, end),
            }
        }
        if let Some(joined) = &mut self.joined {
            joined.give(&mut push);
        }
        self.done_with(self.held.len());
    }

    fn read_more(&mut self, before: usize) -> io::Result<usize> {
        let room = &mut self.held[before..];
        match &mut self.content {
            Content::Live(file) => file.read_at(room, self.offset + before as u64),
            Content::Once(prefix, reader) if prefix.is_empty() => reader.read(room),
            Content::Once(prefix, _) => {
                let count = prefix.len().min(room.len());
                room[..count].copy_from_slice(&prefix[..count]);
                prefix.drain(..count);
                Ok(count)
            }
        }
    }

    /// Drops bytes that stand before the place where reading goes on.
    fn pass_over(&mut self) {
        let count = usize::try_from(self.skip).unwrap_or(usize::MAX).min(self.held.len());
        self.held.drain(..count);
        self.skip -= count as u64;
    }

    fn frame(&mut self, collector: &mut Collector, now: Duration) {
        let mut push = pushing(collector, self.key);
        let mut taken = 0;
        while let Some(piece) = self.framer.next(&self.held[taken..]) {
            let line = &self.held[taken + piece.begin..taken + piece.end];
            taken += piece.taken;
            let end = self.offset + taken as u64;
            match &mut self.joined {
                Some(joined) => joined.push(line, piece.flags, end, now, &mut push),
                None => push(line, piece.flags, end),
            }
        }
        self.done_with(taken);
    }

    fn done_with(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        self.last.extend_from_slice(&self.held[count.saturating_sub(LAST_BYTES)..count]);
        let over = self.last.len().saturating_sub(LAST_BYTES);
        self.last.drain(..over);
        if self.offset == 0 {
            let head = LAST_BYTES.min(count);
            if self.head.len() < head {
                self.head = self.held[..head].to_vec();
            }
        }
        self.held.drain(..count);
        self.offset += count as u64;
    }
}

fn pushing(collector: &mut Collector, file: u64) -> impl FnMut(&[u8], Flags, u64) {
    move |payload, flags, end| collector.push(payload, flags, Some(Position { file, end }))
}

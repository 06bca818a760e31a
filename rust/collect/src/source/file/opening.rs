//! Begins with a file: finds out what it is, and where to go on in it.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bigsec_event::FINGERPRINT_BYTES;

use crate::decompress::decompress;
use crate::storage::{Stat, StoredFile, read_full_at};

use super::super::meters::Meters;
use super::StartAt;
use super::follower::{Follower, Name};
use super::identity::{Looked, Resolved};
use super::tail::{Begin, Content, Tail};

/// How long a file must have stayed as it is to be taken as complete.
const SETTLE_WAIT: Duration = Duration::from_secs(2);
/// How long a file that never rests is looked at before it is taken as it is.
const SETTLE_MAX: Duration = Duration::from_secs(30);
/// How a binary event log of Windows begins, which is no text and is read by a scan.
const EVENT_LOG: &[u8] = b"ElfFile\0";

/// What is known of a file that is not read yet.
pub(super) struct Waiting {
    size: u64,
    size_since: Duration,
    since: Duration,
    /// Its size at the start, where it was there before.
    from_before: Option<u64>,
    /// It was followed, and has been cut or overwritten.
    begins_anew: bool,
}

impl Waiting {
    fn new(stat: &Stat, is_from_before: bool, now: Duration) -> Self {
        let from_before = is_from_before.then_some(stat.size);
        Self { size: stat.size, size_since: now, since: now, from_before, begins_anew: false }
    }

    /// A file that has lost what it held.
    pub fn anew(stat: &Stat, now: Duration) -> Self {
        Self { begins_anew: true, ..Self::new(stat, false, now) }
    }

    /// Whether the file has not changed for a while.
    fn is_settled(&mut self, stat: &Stat, now: Duration) -> bool {
        if self.size != stat.size {
            (self.size, self.size_since) = (stat.size, now);
        }
        now.saturating_sub(self.size_since) >= SETTLE_WAIT
            || now.saturating_sub(self.since) >= SETTLE_MAX
    }
}

impl Follower {
    /// Begins with a file that is not followed yet; true where there may be something to read.
    pub fn open(&mut self, path: &Path, stat: Stat, name: Name, now: Duration) -> io::Result<bool> {
        let is_first_look = self.is_first_look;
        let waiting = self
            .waiting
            .entry(stat.identity)
            .or_insert_with(|| Waiting::new(&stat, is_first_look, now));
        let is_settled = waiting.is_settled(&stat, now);
        let (from_before, begins_anew) = (waiting.from_before, waiting.begins_anew);
        if stat.size == 0 {
            return Ok(false);
        }
        let file = self.context.storage.open_read(path)?;
        // A rotation may have come between: then this is another file, and the next look finds both.
        if self.context.storage.stat(path)?.identity != stat.identity {
            return Ok(false);
        }
        let mut prefix = vec![0; FINGERPRINT_BYTES];
        let read = read_full_at(file.as_ref(), &mut prefix, 0)?;
        prefix.truncate(read);
        if is_compressed(&prefix) {
            return self.open_compressed(path, stat, name, is_settled, now);
        }
        if prefix.starts_with(EVENT_LOG) {
            self.done.insert(stat.identity, stat);
            return Err(io::ErrorKind::InvalidData.into());
        }
        let looked = Looked {
            prefix: &prefix,
            is_whole: false,
            identity: stat.identity,
            size: Some(stat.size),
            is_settled,
        };
        let resolved = if begins_anew {
            self.identities.fresh(&looked)
        } else {
            self.identities.resolve(&looked, |end, count| before(file.as_ref(), end, count))
        };
        let (key, offset) = match resolved {
            Resolved::Known { end, .. } if name == Name::Rotated && end >= stat.size => {
                self.done.insert(stat.identity, stat);
                return Ok(false);
            }
            Resolved::Known { key, end } => (key, end),
            Resolved::New { .. } if name == Name::Rotated => {
                self.done.insert(stat.identity, stat);
                return Ok(false);
            }
            Resolved::New { key } => (key, self.first_offset(file.as_ref(), from_before)?),
            Resolved::Later | Resolved::Empty => return Ok(false),
        };
        self.follow(path, stat, Content::Live(file), key, offset, &prefix, now);
        Ok(true)
    }

    fn open_compressed(
        &mut self,
        path: &Path,
        stat: Stat,
        name: Name,
        is_settled: bool,
        now: Duration,
    ) -> io::Result<bool> {
        // One that is still being written cannot be read to its end.
        if !is_settled {
            return Ok(false);
        }
        if !self.settings.compressed {
            self.done.insert(stat.identity, stat);
            return Ok(false);
        }
        let mut reader = decompress(self.context.storage.open(path)?, &Arc::default())?.reader;
        let mut prefix = Vec::new();
        let read = reader.by_ref().take(FINGERPRINT_BYTES as u64).read_to_end(&mut prefix);
        if let Err(error) = read {
            self.done.insert(stat.identity, stat);
            return Err(error);
        }
        let looked = Looked {
            prefix: &prefix,
            is_whole: prefix.len() < FINGERPRINT_BYTES,
            identity: stat.identity,
            size: (prefix.len() < FINGERPRINT_BYTES).then_some(prefix.len() as u64),
            is_settled,
        };
        let waiting = self.waiting.get(&stat.identity);
        let is_from_before = waiting.is_some_and(|waiting| waiting.from_before.is_some());
        let known = self.identities.resolve(&looked, |end, count| {
            let end = usize::try_from(end).ok()?;
            prefix.get(end.checked_sub(count)?..end).map(<[u8]>::to_vec)
        });
        let (key, offset) = match known {
            Resolved::Known { key, end } => (key, end),
            Resolved::New { key }
                if name == Name::Wanted && !(is_from_before && self.starts_at_end()) =>
            {
                (key, 0)
            }
            _ => {
                self.done.insert(stat.identity, stat);
                return Ok(false);
            }
        };
        let content = Content::Once(prefix.clone(), reader);
        self.follow(path, stat, content, key, offset, &prefix, now);
        Ok(true)
    }

    #[allow(clippy::too_many_arguments, reason = "they are the parts of what is begun")]
    fn follow(
        &mut self,
        path: &Path,
        stat: Stat,
        content: Content,
        key: u64,
        offset: u64,
        prefix: &[u8],
        now: Duration,
    ) {
        let tail = Tail::new(Begin {
            path: path.to_owned(),
            stat,
            content,
            key,
            offset,
            prefix,
            record_bytes_max: self.settings.record_bytes_max,
            joining: self.joining.clone(),
            now,
        });
        self.learn(&tail);
        self.waiting.remove(&stat.identity);
        self.tails.insert(stat.identity, tail);
        Meters::count(&self.context.meters.accepted);
    }

    fn starts_at_end(&self) -> bool {
        self.settings.start_at == StartAt::End
    }

    /// Where a file that is met for the first time is begun.
    fn first_offset(&self, file: &dyn StoredFile, from_before: Option<u64>) -> io::Result<u64> {
        let Some(size) = from_before.filter(|size| *size > 0 && self.starts_at_end()) else {
            return Ok(0);
        };
        let mut bytes = vec![0; FINGERPRINT_BYTES.min(usize::try_from(size).unwrap_or(usize::MAX))];
        let from = size - bytes.len() as u64;
        let read = read_full_at(file, &mut bytes, from)?;
        let line_end = memchr::memrchr(b'\n', &bytes[..read]);
        Ok(from + line_end.map_or(read, |at| at + 1) as u64)
    }
}

/// The `count` bytes before `end`.
fn before(file: &dyn StoredFile, end: u64, count: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; count];
    let read = read_full_at(file, &mut bytes, end.checked_sub(count as u64)?).ok()?;
    bytes.truncate(read);
    Some(bytes)
}

/// Whether a file begins as gzip, zstd or xz do.
fn is_compressed(prefix: &[u8]) -> bool {
    const MAGICS: [&[u8]; 3] =
        [&[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd], &[0xfd, b'7', b'z', b'X', b'Z', 0]];
    MAGICS.iter().any(|magic| prefix.starts_with(magic))
}

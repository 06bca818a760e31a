//! Files that grow, followed through rotation by rename, by copy and truncate, and restarts; and
//! compressed ones, which are read once.
//!
//! Each record carries the key of its file and its end in it. After a restart reading goes on after
//! the last record that is durable, whatever has become of the file's name meanwhile.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bigsec_event::FINGERPRINT_BYTES;
use serde::Deserialize;
use tokio::sync::watch;

use crate::decompress::decompress;
use crate::intake::Closed;
use crate::storage::{Stat, StoredFile, read_full_at};

use super::collector::Collector;
use super::context::{SourceContext, StartError};
use super::meters::Meters;
use super::running::Running;

mod identity;
mod multiline;
mod pattern;
mod tail;

use identity::{Identities, Looked, Resolved};
use multiline::Joining;
use pattern::Pattern;
use tail::{Begin, Content, Tail, Turn};

/// How long a file that has lost its name is still read: its writer may hold it open.
const GONE_WAIT: Duration = Duration::from_secs(2);
/// How long a file must have stayed as it is to be taken as complete.
const SETTLE_WAIT: Duration = Duration::from_secs(2);
/// Longest sleep before the stop is noticed.
const NAP: Duration = Duration::from_millis(50);

/// Files that grow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSettings {
    /// Files or patterns.
    pub paths: Vec<PathBuf>,
    /// Patterns of files to leave out.
    pub exclude: Vec<PathBuf>,
    /// Where to begin in a file that is met for the first time, when the daemon starts.
    pub start_at: StartAt,
    /// Whether compressed files are read.
    pub compressed: bool,
    /// Regular expression of a record's first line; `None` makes each line a record.
    pub multiline_start: Option<String>,
    /// Lines of such a record.
    pub multiline_lines_max: usize,
    /// How long such a record waits for its next line.
    pub multiline_wait_ms: u64,
    /// How often to look for new lines and files.
    pub poll_ms: u64,
    /// Longest record kept in one piece.
    pub record_bytes_max: usize,
    /// Files followed at a time.
    pub files_open_max: usize,
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartAt {
    /// At its beginning.
    Beginning,
    /// After its last line.
    End,
}

/// Begins to follow.
pub(crate) fn start(
    settings: &FileSettings,
    context: &Arc<SourceContext>,
) -> Result<Running, StartError> {
    let mut follower = Follower::new(settings.clone(), Arc::clone(context))?;
    Running::thread(&context.name, None, move |stop| {
        // The log is being closed: nothing is left to do.
        let _ = follower.run(&stop);
    })
    .map_err(StartError::Thread)
}

/// Follows the files of one source.
struct Follower {
    settings: FileSettings,
    patterns: Vec<Pattern>,
    exclude: Vec<Pattern>,
    joining: Option<Joining>,
    context: Arc<SourceContext>,
    collector: Collector,
    identities: Identities,
    tails: HashMap<(u64, u64), Tail>,
    /// Files that are not read yet: their size, and since when they have it.
    waiting: HashMap<(u64, u64), (u64, Duration)>,
    /// Files that need no reading any more, as long as they stay as they are.
    done: HashMap<(u64, u64), Stat>,
    /// Files that were cut or overwritten, and so begin anew.
    replaced: HashSet<(u64, u64)>,
    /// Files that could not be read; each is counted once.
    failed: HashSet<PathBuf>,
    is_first_look: bool,
}

impl Follower {
    fn new(settings: FileSettings, context: Arc<SourceContext>) -> Result<Self, StartError> {
        let wait = Duration::from_millis(settings.multiline_wait_ms);
        let (lines, bytes) = (settings.multiline_lines_max, settings.record_bytes_max);
        let joining = settings
            .multiline_start
            .as_deref()
            .map(|pattern| Joining::new(pattern, lines, bytes, wait))
            .transpose()?;
        Ok(Self {
            patterns: read_patterns(&settings.paths)?,
            exclude: read_patterns(&settings.exclude)?,
            joining,
            collector: Collector::new(Arc::clone(&context), None),
            identities: Identities::new(&context.resume),
            tails: HashMap::new(),
            waiting: HashMap::new(),
            done: HashMap::new(),
            replaced: HashSet::new(),
            failed: HashSet::new(),
            is_first_look: true,
            settings,
            context,
        })
    }

    fn run(&mut self, stop: &watch::Receiver<bool>) -> Result<(), Closed> {
        let pause = Duration::from_millis(self.settings.poll_ms);
        let is_stopping = || *stop.borrow() || stop.has_changed().is_err();
        while !is_stopping() {
            if self.look()? {
                continue;
            }
            let mut left = pause;
            while !left.is_zero() && !is_stopping() {
                let nap = left.min(NAP);
                std::thread::sleep(nap);
                left -= nap;
            }
        }
        Ok(())
    }

    /// Looks at all files once; true where one of them has more to read.
    fn look(&mut self) -> Result<bool, Closed> {
        let now = self.context.clock.elapsed();
        let mut files = self.find();
        let mut more = self.read_on(&files, now)?;
        // The oldest first, so that records come in their order.
        files.sort_by_key(|(_, stat)| stat.modified_us);
        for (path, stat) in files {
            if self.tails.contains_key(&stat.identity)
                || self.done.get(&stat.identity) == Some(&stat)
            {
                continue;
            }
            if self.tails.len() >= self.settings.files_open_max {
                Meters::count(&self.context.meters.refused.full);
                break;
            }
            match self.open(&path, stat, now) {
                Ok(opened) => {
                    self.failed.remove(&path);
                    more |= opened;
                }
                Err(_) => self.fail(path),
            }
        }
        self.is_first_look = false;
        self.collector.submit_blocking()?;
        self.context.meters.connections.store(self.tails.len() as u64, Relaxed);
        Ok(more)
    }

    /// The regular files that fit, each once.
    fn find(&self) -> Vec<(PathBuf, Stat)> {
        let storage = self.context.storage.as_ref();
        let (mut paths, mut seen) = (Vec::new(), HashSet::new());
        for pattern in &self.patterns {
            pattern.find(storage, &mut paths);
        }
        paths.retain(|path| !self.exclude.iter().any(|pattern| pattern.fits(path)));
        let stat = |path: PathBuf| storage.stat(&path).ok().map(|stat| (path, stat));
        paths
            .into_iter()
            .filter_map(stat)
            .filter(|(_, stat)| stat.is_regular && seen.insert(stat.identity))
            .collect()
    }

    /// Reads what has been added to the files that are followed.
    fn read_on(&mut self, files: &[(PathBuf, Stat)], now: Duration) -> Result<bool, Closed> {
        let found: HashMap<_, _> =
            files.iter().map(|(path, stat)| (stat.identity, (path, stat))).collect();
        let mut more = false;
        let identities: Vec<_> = self.tails.keys().copied().collect();
        for identity in identities {
            let Some(mut tail) = self.tails.remove(&identity) else { continue };
            let mut is_changed = true;
            if let Some((path, stat)) = found.get(&identity) {
                is_changed = tail.stat != **stat;
                tail.path.clone_from(path);
                (tail.stat, tail.found) = (**stat, now);
            }
            if is_changed && tail.is_replaced().unwrap_or(true) {
                // What was not ended by a line end when the file was cut will never be.
                tail.finish(true, &mut self.collector);
                self.learn(&tail);
                self.replaced.insert(identity);
                continue;
            }
            let turn = tail.read(&mut self.collector, now)?;
            self.learn(&tail);
            match turn {
                Turn::More => more = true,
                Turn::Failed => {
                    self.fail(tail.path.clone());
                    self.done.insert(identity, tail.stat);
                    continue;
                }
                Turn::Ended => {
                    self.done.insert(identity, tail.stat);
                    continue;
                }
                Turn::UpToDate if now.saturating_sub(tail.found) >= GONE_WAIT => {
                    tail.finish(false, &mut self.collector);
                    self.learn(&tail);
                    continue;
                }
                Turn::UpToDate => tail.give_waiting(&mut self.collector, now),
            }
            self.tails.insert(identity, tail);
        }
        self.done.retain(|identity, _| found.contains_key(identity));
        self.waiting.retain(|identity, _| found.contains_key(identity));
        self.replaced.retain(|identity| found.contains_key(identity));
        Ok(more)
    }

    /// Begins with a file that is not followed yet; true where there may be something to read.
    fn open(&mut self, path: &Path, stat: Stat, now: Duration) -> io::Result<bool> {
        if stat.size == 0 {
            return Ok(false);
        }
        let is_settled = self.is_settled(&stat, now);
        let file = self.context.storage.open_read(path)?;
        let mut prefix = vec![0; FINGERPRINT_BYTES];
        let read = read_full_at(file.as_ref(), &mut prefix, 0)?;
        prefix.truncate(read);
        if is_compressed(&prefix) {
            return self.open_compressed(path, stat, is_settled, now);
        }
        let looked = Looked {
            prefix: &prefix,
            is_whole: false,
            identity: stat.identity,
            size: Some(stat.size),
            is_settled,
        };
        let resolved = if self.replaced.contains(&stat.identity) {
            self.identities.fresh(&looked)
        } else {
            self.identities.resolve(&looked, |end, count| before(file.as_ref(), end, count))
        };
        let (key, offset) = match resolved {
            Resolved::Known { key, end } => (key, end),
            Resolved::New { key } => (key, self.first_offset(file.as_ref(), stat.size)?),
            Resolved::Later | Resolved::Empty => return Ok(false),
        };
        self.follow(path, stat, Content::Live(file), key, offset, &prefix, now);
        Ok(true)
    }

    fn open_compressed(
        &mut self,
        path: &Path,
        stat: Stat,
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
        let known = self.identities.resolve(&looked, |end, count| {
            let end = usize::try_from(end).ok()?;
            prefix.get(end.checked_sub(count)?..end).map(<[u8]>::to_vec)
        });
        let (key, offset) = match known {
            Resolved::Known { key, end } => (key, end),
            Resolved::New { key } if !(self.is_first_look && self.starts_at_end()) => (key, 0),
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
        self.replaced.remove(&stat.identity);
        self.tails.insert(stat.identity, tail);
        Meters::count(&self.context.meters.accepted);
    }

    /// Whether a file has not changed for a while.
    fn is_settled(&mut self, stat: &Stat, now: Duration) -> bool {
        let (size, since) = self.waiting.entry(stat.identity).or_insert((stat.size, now));
        if *size != stat.size {
            (*size, *since) = (stat.size, now);
        }
        now.saturating_sub(*since) >= SETTLE_WAIT
    }

    fn starts_at_end(&self) -> bool {
        self.settings.start_at == StartAt::End
    }

    /// Where a file that is met for the first time is begun.
    fn first_offset(&self, file: &dyn StoredFile, size: u64) -> io::Result<u64> {
        if !self.is_first_look || !self.starts_at_end() {
            return Ok(0);
        }
        let mut bytes = vec![0; FINGERPRINT_BYTES];
        let from = size.saturating_sub(bytes.len() as u64);
        let read = read_full_at(file, &mut bytes, from)?;
        let line_end = memchr::memrchr(b'\n', &bytes[..read]);
        Ok(from + line_end.map_or(read, |at| at + 1) as u64)
    }

    fn learn(&mut self, tail: &Tail) {
        let (key, known) = tail.known();
        self.identities.learn(key, known);
    }

    fn fail(&mut self, path: PathBuf) {
        if self.failed.insert(path) {
            Meters::count(&self.context.meters.errors);
        }
    }
}

fn read_patterns(paths: &[PathBuf]) -> Result<Vec<Pattern>, StartError> {
    paths.iter().map(|path| Pattern::new(path)).collect()
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

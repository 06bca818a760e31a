//! Looks at the files of a source again and again, and reads what has been added.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::watch;

use crate::intake::Closed;
use crate::storage::Stat;

use super::super::collector::Collector;
use super::super::context::{SourceContext, StartError};
use super::super::meters::Meters;
use super::FileSettings;
use super::identity::Identities;
use super::multiline::Joining;
use super::opening::Waiting;
use super::pattern::Pattern;
use super::tail::{Tail, Turn};

/// How long a file that has lost its name is still read: its writer may hold it open.
const GONE_WAIT: Duration = Duration::from_secs(10);
/// Longest sleep before the stop is noticed.
const NAP: Duration = Duration::from_millis(50);

/// How long after the start files are looked for under names that a rotation gave them meanwhile.
const ROTATED_WAIT: Duration = Duration::from_secs(30);

/// Why a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// A pattern names it.
    Wanted,
    /// A rotation may have named it: only what is left of a file that was followed is read.
    Rotated,
}

/// Device and inode.
type Identity = (u64, u64);

/// Follows the files of one source.
pub(super) struct Follower {
    pub settings: FileSettings,
    pub joining: Option<Joining>,
    pub context: Arc<SourceContext>,
    pub identities: Identities,
    pub tails: HashMap<(u64, u64), Tail>,
    /// Files that are not read yet.
    pub waiting: HashMap<(u64, u64), Waiting>,
    /// Files that need no reading any more, as long as they stay as they are.
    pub done: HashMap<(u64, u64), Stat>,
    /// Whether the files that are found now were there before the start.
    pub is_first_look: bool,
    patterns: Vec<Pattern>,
    /// The names that a rotation may have given files of `patterns` while nobody looked.
    rotated: Vec<Pattern>,
    /// When it began to look.
    begun: Option<Duration>,
    exclude: Vec<Pattern>,
    collector: Collector,
    /// Files that could not be read; each is counted once.
    failed: HashSet<PathBuf>,
}

impl Follower {
    pub fn new(settings: FileSettings, context: Arc<SourceContext>) -> Result<Self, StartError> {
        let wait = Duration::from_millis(settings.multiline_wait_ms);
        let (lines, bytes) = (settings.multiline_lines_max, settings.record_bytes_max);
        let joining = settings
            .multiline_start
            .as_deref()
            .map(|pattern| Joining::new(pattern, lines, bytes, wait))
            .transpose()?;
        Ok(Self {
            patterns: read_patterns(&settings.paths)?,
            rotated: read_patterns(&rotated_names(&settings.paths))?,
            begun: None,
            exclude: read_patterns(&settings.exclude)?,
            joining,
            collector: Collector::new(Arc::clone(&context), None),
            identities: Identities::new(&context.resume),
            tails: HashMap::new(),
            waiting: HashMap::new(),
            done: HashMap::new(),
            failed: HashSet::new(),
            is_first_look: true,
            settings,
            context,
        })
    }

    pub fn run(&mut self, stop: &watch::Receiver<bool>) -> Result<(), Closed> {
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
        let files = self.find(&self.patterns);
        let mut more = self.read_on(&files, now)?;
        let mut files: Vec<_> =
            files.into_iter().map(|(path, stat)| (path, stat, Name::Wanted)).collect();
        if now.saturating_sub(*self.begun.get_or_insert(now)) < ROTATED_WAIT {
            let known: HashSet<_> = files.iter().map(|(_, stat, _)| stat.identity).collect();
            let rotated = self.find(&self.rotated).into_iter();
            let rotated = rotated.filter(|(_, stat)| !known.contains(&stat.identity));
            files.extend(rotated.map(|(path, stat)| (path, stat, Name::Rotated)));
        }
        let present: HashSet<_> = files.iter().map(|(_, stat, _)| stat.identity).collect();
        self.done.retain(|identity, _| present.contains(identity));
        self.waiting.retain(|identity, _| present.contains(identity));
        files.sort_by_cached_key(|(path, stat, _)| age(path, stat));
        for (path, stat, name) in files {
            if self.tails.contains_key(&stat.identity)
                || self.done.get(&stat.identity) == Some(&stat)
            {
                continue;
            }
            if self.tails.len() >= self.settings.files_open_max && !self.put_aside() {
                Meters::count(&self.context.meters.refused.full);
                break;
            }
            match self.open(&path, stat, name, now) {
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
    fn find(&self, patterns: &[Pattern]) -> Vec<(PathBuf, Stat)> {
        let storage = self.context.storage.as_ref();
        let (mut paths, mut seen) = (Vec::new(), HashSet::new());
        for pattern in patterns {
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
        let mut behind = HashSet::new();
        for identity in self.by_age(&found) {
            let Some(mut tail) = self.tails.remove(&identity) else { continue };
            // What a rotation has left is read to its end before what came after it.
            let family = family(&tail.path);
            if behind.contains(&family) {
                self.tails.insert(identity, tail);
                continue;
            }
            let mut is_changed = true;
            if let Some((path, stat)) = found.get(&identity) {
                is_changed = tail.stat != **stat;
                tail.path.clone_from(path);
                (tail.stat, tail.alive) = (**stat, now);
            }
            if is_changed && tail.is_replaced().unwrap_or(false) {
                // What was not ended by a line end when the file was cut will never be.
                tail.finish(true, &mut self.collector);
                self.learn(&tail);
                self.waiting.insert(identity, Waiting::anew(&tail.stat, now));
                continue;
            }
            let turn = tail.read(&mut self.collector, now)?;
            self.learn(&tail);
            match turn {
                Turn::More => {
                    more = true;
                    behind.insert(family);
                }
                Turn::Failed => {
                    self.fail(tail.path.clone());
                    self.done.insert(identity, tail.stat);
                    continue;
                }
                Turn::Ended => {
                    self.done.insert(identity, tail.stat);
                    continue;
                }
                Turn::UpToDate if now.saturating_sub(tail.alive) >= GONE_WAIT => {
                    tail.finish(false, &mut self.collector);
                    self.learn(&tail);
                    continue;
                }
                Turn::UpToDate => tail.give_waiting(&mut self.collector, now),
            }
            self.tails.insert(identity, tail);
        }
        Ok(more)
    }

    /// The files that are followed, the oldest first, so that records come in their order.
    fn by_age(&self, found: &HashMap<Identity, (&PathBuf, &Stat)>) -> Vec<Identity> {
        let mut identities: Vec<_> = self.tails.keys().copied().collect();
        identities.sort_by_cached_key(|identity| match found.get(identity) {
            Some((path, stat)) => age(path, stat),
            None => self.tails.get(identity).map_or_else(
                || age(Path::new(""), &Stat::default()),
                |tail| age(&tail.path, &tail.stat),
            ),
        });
        identities
    }

    /// Stops following the file that has been quiet longest, until it changes; false where all have
    /// something to say.
    fn put_aside(&mut self) -> bool {
        let quiet = self.tails.iter().filter(|(_, tail)| tail.is_quiet());
        let Some(identity) =
            quiet.min_by_key(|(_, tail)| tail.read_at).map(|(identity, _)| *identity)
        else {
            return false;
        };
        if let Some(tail) = self.tails.remove(&identity) {
            self.learn(&tail);
            self.done.insert(identity, tail.stat);
        }
        true
    }

    pub fn learn(&mut self, tail: &Tail) {
        let (key, known) = tail.known();
        self.identities.learn(key, known);
    }

    fn fail(&mut self, path: PathBuf) {
        if self.failed.insert(path) {
            Meters::count(&self.context.meters.errors);
        }
    }
}

/// Sorts files by their last change. Clocks of file systems tick slowly: of two that changed in one
/// tick, the one that a rotation has named is the older, and the higher its number the older.
fn age(path: &Path, stat: &Stat) -> (i64, Reverse<usize>, Reverse<OsString>) {
    let name = path.file_name().unwrap_or_default();
    (stat.modified_us, Reverse(name.len()), Reverse(name.to_owned()))
}

/// The path that a file had before it was rotated or compressed, as far as its name tells.
fn family(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut stem: &str = &name;
    for ending in [".gz", ".zst", ".xz"] {
        stem = stem.strip_suffix(ending).unwrap_or(stem);
    }
    let number = stem.trim_end_matches(|letter: char| letter.is_ascii_digit());
    if number.len() < stem.len() {
        stem = number.strip_suffix(['.', '-', '_']).unwrap_or(stem);
    }
    path.with_file_name(stem)
}

/// Patterns of the names that `app.log` is rotated to: `app.log.1`, `app.log-20261125.gz`.
fn rotated_names(paths: &[PathBuf]) -> Vec<PathBuf> {
    let named = paths.iter().filter_map(|path| Some((path, path.file_name()?)));
    let rotated = named.map(|(path, name)| {
        let mut name = name.to_owned();
        name.push("[.-]*");
        path.with_file_name(name)
    });
    rotated.collect()
}

fn read_patterns(paths: &[PathBuf]) -> Result<Vec<Pattern>, StartError> {
    paths.iter().map(|path| Pattern::new(path)).collect()
}

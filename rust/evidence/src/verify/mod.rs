//! Verifies a log offline: that it is whole, chained and signed, and where it is not.
//!
//! Each segment's header carries the tree before it, so segments are read on all cores at once and
//! joined afterwards. Nothing is written. Damage is told from tampering by evidence: a broken
//! checksum is what a disk does; whole frames that are not those of the root are what people do.

mod chain;
mod deletion;
pub(crate) mod folder;
mod mark;
mod notes;
mod report;
pub(crate) mod source;
pub(crate) mod walk;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub use report::{Finding, Kind, Report, Severity};

use self::chain::Chain;
use self::folder::Folder;
use self::mark::read_watermark;
use self::notes::Notes;
use self::source::walk_file;
use self::walk::{Outcome, Task};
use crate::error::{At as _, LogError};
use crate::keys::VerifierKey;
use crate::note::Note;
use crate::segment::CHECKPOINTS_FILE;
use crate::storage::Storage;
use crate::watermark::Watermark;

/// Told after each segment: how many are done, and of how many.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// What a verification rests on.
#[derive(Default)]
pub struct VerifyOptions<'a> {
    /// The keys that are believed, from outside the log. Without any, no signature is checked.
    pub keys: Vec<VerifierKey>,
    /// Whose approvals of early deletions count. Without any, signatures under them are not checked.
    pub approvers: Vec<VerifierKey>,
    /// The name that the log must have.
    pub name: Option<String>,
    /// Checkpoints of this log that were kept elsewhere. Only they reveal a rewrite by somebody
    /// who holds the machine and the key.
    pub checkpoints: Vec<Note>,
    /// How many threads read; 0 for one a core.
    pub threads: usize,
    /// Told how far it is.
    pub progress: Option<Progress<'a>>,
}

/// Verifies the log in `dir`. What does not hold stands in the report; an error is only that
/// there is no log, or that a newer program wrote it.
pub fn verify(
    storage: &dyn Storage,
    dir: &Path,
    options: &VerifyOptions<'_>,
) -> Result<Report, LogError> {
    let mut folder = Folder::read(storage, dir)?;
    let mut findings = std::mem::take(&mut folder.findings);
    // Read before the segments, so that a log that is being written to only has more than it says.
    let mut notes = Notes::read(storage, dir, &folder.name, &options.keys, &options.checkpoints)
        .at(&dir.join(CHECKPOINTS_FILE))?;
    notes.dropped();
    let young = folder.segments.len() <= 1 && notes.marks.is_empty();
    let mark = read_watermark(storage, dir, &folder.id, young, &mut findings);
    let outcomes = walk_all(storage, &folder, &sizes(&folder, &notes, mark.as_ref()), options);
    let chain = Chain::new(&folder, &notes, mark.as_ref(), outcomes, findings);
    Ok(chain.report(options))
}

/// All sizes at which the root is compared with something.
fn sizes(folder: &Folder, notes: &Notes, mark: Option<&Watermark>) -> Vec<u64> {
    let mut sizes: BTreeSet<u64> = folder.segments.iter().map(|segment| segment.first).collect();
    sizes.extend(notes.marks.iter().chain(&notes.outside).map(|note| note.size));
    sizes.extend(mark.map(|mark| mark.tree.size()));
    sizes.into_iter().collect()
}

/// The outcome of each file of each segment, in order.
fn walk_all(
    storage: &dyn Storage,
    folder: &Folder,
    sizes: &[u64],
    options: &VerifyOptions<'_>,
) -> Vec<Vec<Outcome>> {
    let jobs: Vec<(usize, usize)> = folder
        .segments
        .iter()
        .enumerate()
        .flat_map(|(at, segment)| (0..segment.files.len()).map(move |file| (at, file)))
        .collect();
    let threads = match options.threads {
        0 => thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(jobs.len()));
    let work = || {
        while let Some(&(at, file)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let segment = &folder.segments[at];
            let header = segment.files[file].header.as_ref();
            let task = Task {
                number: segment.number,
                file: &segment.files[file].name,
                first: segment.first,
                tree: header
                    .filter(|header| header.first() == segment.first)
                    .map(|header| header.tree.clone()),
                limit: folder.segments.get(at + 1).map(|next| next.first),
                sizes,
            };
            let outcome = walk_file(storage, &segment.files[file], &folder.id, task);
            let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            done.push((at, file, outcome));
            if let Some(progress) = options.progress {
                progress(done.len(), jobs.len());
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(jobs.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(at, file, _)| (*at, *file));
    let mut outcomes: Vec<Vec<Outcome>> = folder.segments.iter().map(|_| Vec::new()).collect();
    for (at, _, outcome) in done {
        outcomes[at].push(outcome);
    }
    outcomes
}

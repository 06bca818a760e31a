//! Opening a log: what it is, how far it goes, and what has happened to it.
//!
//! The segments are the truth. Of them only the newest is read, and the headers of others where
//! its own does not tell what log it is of; the files beside them are caches, and help to tell a
//! torn end from a deleted one.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::checkpoint::Checkpoints;
use crate::clock::Clock;
use crate::damage::{Damage, DamageKind, Recovery};
use crate::error::{At as _, LogError};
use crate::frame::{Salt, put_lost};
use crate::header::HeaderFault;
use crate::identity::{Identity, LogFileState, identify, write_log_file};
use crate::live::Live;
use crate::note::Note;
use crate::options::LogOptions;
use crate::replay::{Known, Replay};
use crate::segment::{
    LOG_FILE, SegmentInfo, WATERMARK_FILE, drop_void, list_segments, move_aside, next_number,
};
use crate::storage::{Storage, read_full_at};
use crate::tail::{Tail, Verdict};
use crate::tree::Frontier;
use crate::watermark::{SLOT_BYTES, Watermark};

/// Everything the writer goes on from.
pub(crate) struct Recovered {
    pub recovery: Recovery,
    pub id: [u8; 16],
    pub segments: Vec<SegmentInfo>,
    pub next_number: u64,
    pub live: Option<Live>,
    pub mark: Option<Watermark>,
    /// How much of the last segment is flushed for certain.
    pub flushed: u64,
    pub checkpoints: Checkpoints,
    pub state: State,
}

/// How far the log goes.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The tree over what is flushed.
    pub durable: Frontier,
    /// The tree starts anew with the next segment.
    pub anew: bool,
    /// The tree over that and over what is to be written once more.
    pub tree: Frontier,
    /// Frames to be written to a new segment before all others.
    pub pending: Vec<u8>,
}

struct Recoverer<'a> {
    storage: &'a dyn Storage,
    dir: &'a Path,
    options: &'a LogOptions,
    recovery: Recovery,
    segments: Vec<SegmentInfo>,
    identity: Identity,
    mark: Option<Watermark>,
    /// The last note, if the log's key signed it.
    note: Option<Note>,
}

/// Recovers the log in `dir`, or begins one.
pub(crate) fn recover(
    storage: &Arc<dyn Storage>,
    clock: &dyn Clock,
    dir: &Path,
    options: &LogOptions,
) -> Result<Recovered, LogError> {
    let segments = list_segments(storage.as_ref(), dir).at(dir)?;
    let identity = identify(storage.as_ref(), dir, &segments, options)?;
    let checkpoints =
        Checkpoints::open(storage.clone(), dir, clock.now_us(), clock.elapsed()).at(dir)?;
    let mut this = Recoverer {
        storage: storage.as_ref(),
        dir,
        options,
        recovery: Recovery { created: identity.created, ..Recovery::default() },
        segments,
        identity,
        mark: None,
        note: None,
    };
    this.keep_log_file()?;
    this.read_note(&checkpoints);
    this.read_mark()?;
    let newest = this.newest()?;
    let flushed = newest.as_ref().map_or(0, |tail| tail.flushed(this.marked_bytes(tail)));
    let (state, live) = match newest {
        Some(tail) => this.go_on(&tail, clock)?,
        None => (this.without_segments(), None),
    };
    let after_mark = this.mark.as_ref().map_or(0, |mark| mark.segment) + 1;
    drop_void(&mut this.segments);
    Ok(Recovered {
        id: this.identity.id,
        next_number: next_number(this.storage, dir).at(dir)?.max(after_mark),
        recovery: this.recovery,
        segments: this.segments,
        live,
        mark: this.mark,
        flushed,
        checkpoints,
        state,
    })
}

impl Recoverer<'_> {
    fn damage(&mut self, what: DamageKind, at: u64, detail: &str) {
        self.recovery.damage.push(Damage::of(what, at, detail));
    }

    fn move_aside(&mut self, path: &Path) -> Result<(), LogError> {
        let moved = move_aside(self.storage, self.dir, path).at(path)?;
        self.recovery.moved.push(moved);
        Ok(())
    }

    /// Where the log is known to go on, by the names of its segments.
    fn last_first(&self) -> u64 {
        self.segments.last().map_or(0, |segment| segment.first)
    }

    /// Sees to it that `log.json` says what the segments say.
    fn keep_log_file(&mut self) -> Result<(), LogError> {
        match self.identity.log_file {
            LogFileState::Good => return Ok(()),
            LogFileState::Absent if self.segments.is_empty() => {}
            LogFileState::Absent => {
                self.damage(DamageKind::LogFile, self.last_first(), "log.json is missing");
            }
            LogFileState::Garbled => {
                self.move_aside(&self.dir.join(LOG_FILE))?;
                let what = "log.json cannot be read, or names another log";
                self.damage(DamageKind::LogFile, self.last_first(), what);
            }
        }
        match write_log_file(self.storage, self.dir, &self.identity).at(self.dir) {
            // It is a cache; a log that has records starts on a full disk without it.
            Err(LogError::Full { .. }) if !self.segments.is_empty() => Ok(()),
            written => written,
        }
    }

    /// Takes the last note where it can be believed.
    fn read_note(&mut self, checkpoints: &Checkpoints) {
        if let Some(moved) = checkpoints.moved() {
            // A crash leaves such bytes when it tears a note that was not flushed: no damage.
            self.recovery.moved.push(moved.to_owned());
        }
        let (Some(note), Some(signer)) = (checkpoints.last(), &self.options.signer) else { return };
        let keys = [signer.verifier().clone()];
        if note.origin == self.identity.name && note.verify(&keys).is_ok() {
            self.note = Some(note.clone());
        } else {
            let what = "the last note is not signed by the key of the log, and was not believed";
            self.damage(DamageKind::Checkpoints, self.last_first(), what);
        }
    }

    fn read_mark(&mut self) -> Result<(), LogError> {
        let path = self.dir.join(WATERMARK_FILE);
        let file = match self.storage.open_read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !self.segments.is_empty() {
                    let what = "the watermark is missing";
                    self.damage(DamageKind::Watermark, self.last_first(), what);
                }
                return Ok(());
            }
            opened => opened.at(&path)?,
        };
        let mut bytes = [0; 2 * SLOT_BYTES];
        let len = read_full_at(file.as_ref(), &mut bytes, 0).at(&path)?;
        self.mark = Watermark::decode(&bytes[..len], Some(&self.identity.id));
        if self.mark.is_none() {
            self.move_aside(&path)?;
            let what = "neither slot of the watermark can be read";
            self.damage(DamageKind::Watermark, self.last_first(), what);
        }
        Ok(())
    }

    /// Number of records that the watermark or a note says are flushed.
    fn known_size(&self) -> u64 {
        let marked = self.mark.as_ref().map_or(0, |mark| mark.tree.size());
        marked.max(self.note.as_ref().map_or(0, |note| note.size))
    }

    /// The same, as far as it can be about this segment: what the watermark says of an earlier one
    /// proves no flush of this one, in which the same records may stand once more.
    fn known_size_in(&self, tail: &Tail) -> u64 {
        let mark = self.mark.as_ref().filter(|mark| mark.segment >= tail.number);
        let marked = mark.map_or(0, |mark| mark.tree.size());
        marked.max(self.note.as_ref().map_or(0, |note| note.size))
    }

    /// How much of a segment the watermark says is flushed, where it speaks of it.
    fn marked_bytes(&self, tail: &Tail) -> Option<u64> {
        let mark = self.mark.as_ref().filter(|mark| mark.segment == tail.number);
        mark.map(|mark| mark.segment_bytes)
    }

    /// Surveys the newest segment that belongs to the log and was begun.
    fn newest(&mut self) -> Result<Option<Tail>, LogError> {
        let salt = Salt::new(&self.identity.id);
        while let Some(segment) = self.segments.last().cloned() {
            let tail = Tail::survey(self.storage, &segment, salt)?;
            match &tail.header {
                Err(HeaderFault::Newer(version)) => {
                    let version = u64::from(*version);
                    return Err(LogError::Newer { path: segment.path, version });
                }
                Ok((header, _)) if header.id != self.identity.id => {
                    let mut damage = Damage::of(
                        DamageKind::Foreign,
                        segment.first,
                        format!("a segment of the log {:?} stood here", header.name),
                    );
                    damage.segment = Some(segment.number);
                    self.recovery.damage.push(damage);
                }
                _ if self.was_begun(&tail) => return Ok(Some(tail)),
                // A crash came before its first group was flushed. What it holds of that group may
                // stand in the segment before, whose flush had failed.
                _ => {}
            }
            self.move_aside(&segment.path)?;
            self.segments.pop();
        }
        Ok(None)
    }

    /// Whether a segment counts: something in it was acknowledged (a second group is written only
    /// after the first was), or its first group is whole.
    ///
    /// Where the watermark speaks of an earlier segment, its first group was never acknowledged;
    /// what of it a crash has torn is no damage, and the segment before may have the records.
    fn was_begun(&self, tail: &Tail) -> bool {
        let noted = self.note.as_ref().is_some_and(|note| note.size > tail.first);
        let is_whole = tail.header.as_ref().is_ok_and(|(_, both)| *both)
            && tail.groups[1].is_some()
            && tail.faults.is_empty();
        tail.sealed
            || noted
            || tail.groups[0].is_some()
            || match &self.mark {
                Some(mark) => mark.segment >= tail.number || is_whole,
                None => !tail.holds_nothing(),
            }
    }

    /// Goes on after the newest segment.
    fn go_on(&mut self, tail: &Tail, clock: &dyn Clock) -> Result<(State, Option<Live>), LogError> {
        let marked = self.marked_bytes(tail);
        let floor = tail.floor(self.known_size_in(tail));
        let Verdict { mut damage, whole_until } = tail.judge(floor, marked);
        let known = Known { mark: self.mark.as_ref(), note: self.note.as_ref() };
        let salt = Salt::new(&self.identity.id);
        let mut state = State::default();
        for lost in damage.iter().filter(|damage| damage.first < damage.end) {
            put_lost(&mut state.pending, salt, lost.first, lost.end, &lost.detail);
        }
        let mut replay = Replay::new(tail, floor, &known, state);
        replay.run(self.storage, tail, salt, whole_until)?;
        let (state, found) = replay.finish();
        damage.extend(found);
        self.recovery.adopted = state.tree.size() - state.durable.size();
        self.recovery.cut_bytes = tail.bytes - whole_until;
        let is_whole = damage.is_empty();
        self.recovery.damage.append(&mut damage);
        let live = if is_whole && state.pending.is_empty() {
            self.reopen(tail, &state, whole_until, clock)
        } else {
            None
        };
        Ok((state, live))
    }

    /// Opens the newest segment to go on in it, if it is whole and not ended; cuts what was torn.
    fn reopen(
        &mut self,
        tail: &Tail,
        state: &State,
        whole_until: u64,
        clock: &dyn Clock,
    ) -> Option<Live> {
        let group = tail.groups.iter().rev().flatten().find(|group| group.offset <= whole_until)?;
        let (header, _) = tail.header.as_ref().ok()?;
        if tail.ended
            || tail.sealed
            || group.size != state.durable.size()
            || header.key != self.options.key_id()
        {
            return None;
        }
        let segment = self.segments.last_mut()?;
        // Where this fails the log goes on in a new segment.
        let file = self.storage.open_write(&segment.path).ok()?;
        if segment.bytes > group.offset {
            file.set_len(group.offset).ok()?;
            self.recovery.cut_bytes = segment.bytes - group.offset;
            segment.bytes = group.offset;
        }
        // Even where nothing is cut now: a cut of the process before may not be flushed yet, and
        // what was found not to be there must not come back.
        file.sync().ok()?;
        Some(Live {
            file,
            path: segment.path.clone(),
            number: segment.number,
            bytes: group.offset,
            opened: clock.elapsed(),
            unnamed: false,
        })
    }

    /// There is no segment: the log is new, or all of it is gone.
    fn without_segments(&mut self) -> State {
        let size = self.known_size();
        let marked = self.mark.as_ref().map(|mark| &mark.tree).filter(|tree| tree.size() == size);
        let mut state = State::default();
        match marked {
            Some(tree) => state.durable = tree.clone(),
            None => state.anew = state.durable.push_lost(size),
        }
        state.tree.clone_from(&state.durable);
        if size > 0 {
            let what = "no segment is left";
            put_lost(&mut state.pending, Salt::new(&self.identity.id), 0, size, what);
            let mut damage = Damage::of(DamageKind::Missing, 0, what);
            damage.end = size;
            self.recovery.damage.push(damage);
        }
        state
    }
}

//! The tree over the newest segment, and the records of it that are to be written once more.

use std::mem;

use crate::damage::{Damage, DamageKind};
use crate::error::{At as _, LogError};
use crate::frame::{Commit, Salt, put_record};
use crate::hash::{Hash, leaf_hash};
use crate::note::Note;
use crate::records::{FrameSource, Item, Records};
use crate::recovery::State;
use crate::storage::Storage;
use crate::tail::Tail;
use crate::tree::Frontier;
use crate::watermark::Watermark;

/// What was kept of the tree outside the segments.
pub(crate) struct Known<'a> {
    pub mark: Option<&'a Watermark>,
    pub note: Option<&'a Note>,
}

impl Known<'_> {
    fn roots(&self) -> impl Iterator<Item = (u64, Hash, &'static str)> {
        let mark = self.mark.map(|mark| (mark.tree.size(), mark.tree.root(), "the watermark"));
        let note = self.note.map(|note| (note.size, note.root, "the last signed note"));
        mark.into_iter().chain(note)
    }
}

/// Builds the tree up to what was flushed; what stands intact after that is taken into a new group.
pub(crate) struct Replay {
    number: u64,
    floor: u64,
    /// Sizes and roots that are known from elsewhere.
    roots: Vec<(u64, Hash, &'static str)>,
    mark: Option<Frontier>,
    tree: Frontier,
    /// No lost record's hash was made up since the tree was last known.
    exact: bool,
    /// What is flushed has been passed.
    above: bool,
    state: State,
    damage: Vec<Damage>,
}

impl Replay {
    /// Begins at the segment's first record. `state` brings the frames to be written first.
    pub(crate) fn new(tail: &Tail, floor: u64, known: &Known<'_>, state: State) -> Self {
        let header = tail.header.as_ref().ok().filter(|(header, _)| header.first() == tail.first);
        let exact = header.is_some();
        let tree =
            header.map_or_else(|| Frontier::unknown(tail.first), |(header, _)| header.tree.clone());
        Self {
            number: tail.number,
            floor,
            roots: known.roots().filter(|(size, ..)| *size > tail.first).collect(),
            mark: known.mark.map(|mark| mark.tree.clone()),
            tree,
            exact,
            above: tail.first >= floor && floor == 0,
            state,
            damage: Vec::new(),
        }
    }

    /// Reads the segment up to `until`.
    pub(crate) fn run(
        &mut self,
        storage: &dyn Storage,
        tail: &Tail,
        salt: Salt,
        until: u64,
    ) -> Result<(), LogError> {
        let mut records = tail.records(storage, salt, until)?;
        loop {
            let item = records.advance().at(&tail.path)?;
            if item == Item::Finished {
                return Ok(());
            }
            self.take(&item, &records, salt);
        }
    }

    fn take<S: FrameSource>(&mut self, item: &Item, records: &Records<S>, salt: Salt) {
        match item {
            Item::Record { sequence, .. } => {
                if *sequence >= self.floor {
                    self.pass_floor();
                    put_record(&mut self.state.pending, salt, *sequence, records.bytes());
                }
                self.tree.push(leaf_hash(&[records.bytes()]));
                if self.exact && !self.above {
                    self.compare();
                }
            }
            Item::Fault(fault) if fault.end > self.tree.size() => {
                self.state.anew |= self.tree.push_lost(fault.end);
                self.exact = false;
            }
            Item::Commit { size, offset, commit, .. } if !self.above => {
                self.take_commit(*size, *offset, commit.as_ref());
            }
            _ => {}
        }
    }

    /// Checks the tree against a commit, or takes it from there.
    fn take_commit(&mut self, size: u64, offset: u64, commit: Option<&Commit>) {
        let what = match commit {
            Some(commit) if !self.exact || commit.root == self.tree.root() => None,
            Some(_) => Some("the records do not make the root of their commit"),
            None => Some("the commit contradicts itself"),
        };
        if let Some(what) = what {
            self.root_damage(size, Some(offset), what.to_owned());
        }
        if let Some(tree) = commit.and_then(|commit| commit.tree.as_ref()) {
            self.tree.clone_from(tree);
            self.exact = true;
            self.state.anew = false;
        }
    }

    /// Compares the tree with what is known from elsewhere about a log of its size.
    fn compare(&mut self) {
        let size = self.tree.size();
        let Some(index) = self.roots.iter().position(|(known, ..)| *known == size) else { return };
        let (_, root, whose) = self.roots.swap_remove(index);
        if root != self.tree.root() {
            self.root_damage(size, None, format!("the records do not make the root of {whose}"));
        }
    }

    fn root_damage(&mut self, at: u64, offset: Option<u64>, detail: String) {
        let mut damage = Damage::of(DamageKind::Root, at, detail);
        damage.segment = Some(self.number);
        damage.offset = offset;
        self.damage.push(damage);
    }

    /// Fixes the tree over what is flushed.
    fn pass_floor(&mut self) {
        if mem::replace(&mut self.above, true) {
            return;
        }
        if self.tree.size() < self.floor {
            self.state.anew |= self.tree.push_lost(self.floor);
            self.exact = false;
        }
        // What the watermark kept is the tree as it was acknowledged.
        if let Some(mark) = self.mark.take_if(|mark| mark.size() == self.tree.size()) {
            self.tree = mark;
            self.state.anew = false;
        }
        self.state.durable.clone_from(&self.tree);
    }

    /// How far the log goes, and what is damaged.
    pub(crate) fn finish(mut self) -> (State, Vec<Damage>) {
        self.pass_floor();
        self.state.tree = self.tree;
        (self.state, self.damage)
    }
}

//! Proofs that a record stands in a log, and that one size of the log is the beginning of another.
//!
//! An inclusion proof needs the hashes of some perfect subtrees. The header of each segment brings
//! those to its left, whether or not their records are still kept; each of the others ends in one
//! segment, so that proofs read at most one segment for each of them, and no record twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::path::Path;

use crate::error::LogError;
use crate::frame::{Commit, Frame, FrameKind, decode_lost};
use crate::hash::{EMPTY_ROOT, Hash, leaf_hash, lost_leaf, node_hash};
use crate::storage::Storage;
use crate::tree::{Frontier, LOST_HASHED_MAX, RECORDS_MAX};
use crate::verify::Finding;
use crate::verify::folder::{Folder, Segment};
use crate::verify::source::{FrameVisitor, read_frames};

/// That a record is one of the first `size`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The record.
    pub sequence: u64,
    /// The size of the tree.
    pub size: u64,
    /// Bytes of the record, as they are hashed.
    pub record: Vec<u8>,
    /// The hashes beside the way from the leaf to the root, the lowest first: RFC 6962, section
    /// 2.1.1.
    pub path: Vec<Hash>,
}

impl Proof {
    /// The root that the record and the path lead to.
    pub fn root(&self) -> Option<Hash> {
        root_from_path(leaf_hash(&[&self.record]), self.sequence, self.size, &self.path)
    }
}

/// The root that a leaf and its path lead to; `None` where the path is not one of that tree.
pub fn root_from_path(leaf: Hash, sequence: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    let (mut index, mut last) = (sequence, size.checked_sub(1)?);
    if index > last {
        return None;
    }
    let mut hash = leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if index & 1 == 1 || index == last {
            hash = node_hash(sibling, &hash);
            while index & 1 == 0 && index != 0 {
                (index, last) = (index >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (index, last) = (index >> 1, last >> 1);
    }
    (last == 0).then_some(hash)
}

/// Proves that each of `sequences` stands under the root of the first `size` records.
pub fn prove(
    storage: &dyn Storage,
    dir: &Path,
    sequences: &[u64],
    size: u64,
) -> Result<Vec<Proof>, LogError> {
    let folder = Folder::read(storage, dir)?;
    let first = folder.segments.first().map_or(0, |segment| segment.first);
    let size = size.min(RECORDS_MAX);
    if let Some(&sequence) = sequences.iter().find(|one| !(first..size).contains(one)) {
        return Err(LogError::NoRecord { sequence, first, end: size });
    }
    let mut gather = Gather::default();
    for &sequence in sequences {
        gather.want(Node { start: sequence, level: 0 });
        gather.records.insert(sequence, None);
        for range in siblings(sequence, size) {
            gather.want_range(range);
        }
    }
    gather.read(storage, &folder);
    sequences.iter().map(|&sequence| gather.proof(dir, sequence, size)).collect()
}

/// The roots over the first records, at each of `sizes`. Whoever holds a root of an older size can
/// compare: the same root here shows that the log only grew since.
///
/// A size whose root damage or deletion hides is left out.
pub fn roots(
    storage: &dyn Storage,
    dir: &Path,
    sizes: &[u64],
) -> Result<BTreeMap<u64, Hash>, LogError> {
    let folder = Folder::read(storage, dir)?;
    let mut gather = Gather::default();
    for &size in sizes {
        gather.want_range((0, size));
    }
    gather.read(storage, &folder);
    let known = |&size: &u64| Some((size, gather.range((0, size))?));
    Ok(sizes.iter().filter_map(known).collect())
}

/// A perfect subtree: its first leaf, and how high it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Node {
    start: u64,
    level: u32,
}

impl Node {
    fn end(self) -> u64 {
        self.start + (1 << self.level)
    }
}

/// The ranges of leaves beside the way from a leaf to the root, the lowest first.
fn siblings(leaf: u64, size: u64) -> Vec<(u64, u64)> {
    let (mut start, mut end) = (0, size);
    let mut ranges = Vec::new();
    while end - start > 1 {
        let split = start + (end - start).next_power_of_two() / 2;
        if leaf < split {
            ranges.push((split, end));
            end = split;
        } else {
            ranges.push((start, split));
            start = split;
        }
    }
    ranges.reverse();
    ranges
}

/// The perfect subtrees of a range that begins where a tree of its length may, largest first.
fn nodes((start, end): (u64, u64)) -> impl Iterator<Item = Node> {
    let mut start = start;
    (0..u64::BITS).rev().filter(move |level| (end - start) >> level & 1 == 1).map(move |level| {
        let node = Node { start, level };
        start += 1 << level;
        node
    })
}

/// Gathers hashes of subtrees, and records.
#[derive(Default)]
struct Gather {
    wanted: HashMap<Node, Option<Hash>>,
    records: BTreeMap<u64, Option<Vec<u8>>>,
    /// Subtrees that are complete and lie side by side as far as the frames were whole.
    stack: Vec<(Node, Hash)>,
    /// The record whose parts are being read.
    open: Option<(u64, Vec<u8>)>,
    next: u64,
    limit: Option<u64>,
}

impl Gather {
    fn want(&mut self, node: Node) {
        self.wanted.entry(node).or_insert(None);
    }

    fn want_range(&mut self, range: (u64, u64)) {
        for node in nodes(range) {
            self.want(node);
        }
    }

    fn know(&mut self, node: Node, hash: Hash) {
        if let Some(wanted) = self.wanted.get_mut(&node) {
            wanted.get_or_insert(hash);
        }
    }

    fn know_tree(&mut self, tree: &Frontier) {
        for (node, hash) in nodes((0, tree.size())).zip(tree.peaks()) {
            self.know(node, *hash);
        }
    }

    /// Takes what the headers tell, then reads the segments where what is still wanted ends.
    fn read(&mut self, storage: &dyn Storage, folder: &Folder) {
        for header in folder.segments.iter().filter_map(Segment::header) {
            if !header.anew {
                self.know_tree(&header.tree);
            }
        }
        let begins: Vec<u64> = folder.segments.iter().map(|segment| segment.first).collect();
        let segment_of = |end: u64| begins.partition_point(|first| *first < end).checked_sub(1);
        let unknown = self.wanted.iter().filter(|(_, hash)| hash.is_none());
        let mut needed: BTreeSet<usize> =
            unknown.filter_map(|(node, _)| segment_of(node.end())).collect();
        needed.extend(self.records.keys().filter_map(|sequence| segment_of(sequence + 1)));
        for at in needed {
            let segment = &folder.segments[at];
            for file in &segment.files {
                self.begin(segment, folder.segments.get(at + 1).map(|next| next.first));
                // What a fault hides stays unknown, and the proof that needs it says so.
                let _ = read_frames(storage, file, &folder.id, segment.number, self);
            }
        }
    }

    fn begin(&mut self, segment: &Segment, limit: Option<u64>) {
        self.stack.clear();
        self.open = None;
        (self.next, self.limit) = (segment.first, limit);
        if let Some(header) = segment.header().filter(|header| header.first() == segment.first) {
            self.adopt(&header.tree);
        }
    }

    fn adopt(&mut self, tree: &Frontier) {
        self.stack = nodes((0, tree.size())).zip(tree.peaks().iter().copied()).collect();
        self.know_tree(tree);
    }

    fn push(&mut self, sequence: u64, leaf: Hash) {
        let (mut node, mut hash) = (Node { start: sequence, level: 0 }, leaf);
        self.know(node, hash);
        while let Some(&(left, left_hash)) = self.stack.last() {
            let pairs = left.level == node.level
                && left.end() == node.start
                && left.start >> left.level & 1 == 0;
            if !pairs {
                break;
            }
            self.stack.pop();
            (node, hash) =
                (Node { start: left.start, level: left.level + 1 }, node_hash(&left_hash, &hash));
            self.know(node, hash);
        }
        self.stack.push((node, hash));
        self.next = sequence + 1;
    }

    fn record(&mut self, sequence: u64, bytes: &[u8]) {
        if sequence < self.next {
            return;
        }
        if let Some(record) = self.records.get_mut(&sequence) {
            record.get_or_insert_with(|| bytes.to_vec());
        }
        self.push(sequence, leaf_hash(&[bytes]));
    }

    /// The hash over a range, from its perfect subtrees.
    fn range(&self, range: (u64, u64)) -> Option<Hash> {
        let hashes: Option<Vec<Hash>> =
            nodes(range).map(|node| self.wanted.get(&node).copied().flatten()).collect();
        let hashes = hashes?;
        let mut hashes = hashes.iter().rev();
        let Some(last) = hashes.next() else { return Some(EMPTY_ROOT) };
        Some(hashes.fold(*last, |right, left| node_hash(left, &right)))
    }

    fn proof(&self, dir: &Path, sequence: u64, size: u64) -> Result<Proof, LogError> {
        let record = self.records.get(&sequence).cloned().flatten();
        let path: Option<Vec<Hash>> =
            siblings(sequence, size).into_iter().map(|range| self.range(range)).collect();
        let hidden = |what: &str| {
            let what = format!("record {sequence}: {what}");
            LogError::Damaged { path: dir.to_owned(), what }
        };
        let record = record.ok_or_else(|| hidden("it cannot be read"))?;
        let path = path.ok_or_else(|| hidden("damage hides hashes that its proof needs"))?;
        Ok(Proof { sequence, size, record, path })
    }
}

impl Gather {
    fn is_void(&self, kind: FrameKind, sequence: u64) -> bool {
        self.limit.is_some_and(
            |limit| {
                if kind.is_record() { sequence >= limit } else { sequence > limit }
            },
        )
    }
}

impl FrameVisitor for Gather {
    fn frame(&mut self, _offset: u64, _end: u64, frame: Frame<'_>) {
        if frame.sequence > RECORDS_MAX || self.is_void(frame.kind, frame.sequence) {
            return;
        }
        match frame.kind {
            FrameKind::Whole => self.record(frame.sequence, frame.body),
            FrameKind::First => self.open = Some((frame.sequence, frame.body.to_vec())),
            FrameKind::Middle | FrameKind::Last => {
                let Some((sequence, mut bytes)) = self.open.take() else { return };
                bytes.extend_from_slice(frame.body);
                if frame.kind == FrameKind::Last {
                    self.record(sequence, &bytes);
                } else {
                    self.open = Some((sequence, bytes));
                }
            }
            FrameKind::Commit | FrameKind::End => {
                let commit = Commit::decode(frame.sequence, frame.body);
                if let Some(tree) = commit.and_then(|commit| commit.tree) {
                    self.adopt(&tree);
                    self.next = self.next.max(tree.size());
                }
            }
            FrameKind::Lost => {
                let Some((end, _)) = decode_lost(frame.body) else { return };
                let first = frame.sequence.max(self.next);
                // Of more than that the tree itself knows nothing, as `Frontier::push_lost` says.
                if end.saturating_sub(first) <= LOST_HASHED_MAX {
                    for sequence in first..end.min(RECORDS_MAX) {
                        self.push(sequence, lost_leaf(sequence));
                    }
                }
            }
        }
    }

    fn unreadable(&mut self, _offset: u64, _fault: &'static str, _rest: &[u8]) {
        self.open = None;
    }

    fn report(&mut self, _finding: Finding) {}

    fn plausible(&self) -> RangeInclusive<u64> {
        self.next.saturating_sub(1)..=RECORDS_MAX
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&[&n.to_le_bytes()])).collect()
    }

    fn path(gather: &Gather, leaf: u64, size: u64) -> Option<Vec<Hash>> {
        siblings(leaf, size).into_iter().map(|range| gather.range(range)).collect()
    }

    fn gather_all(size: u64) -> Gather {
        let mut gather = Gather::default();
        for leaf in 0..size {
            for range in siblings(leaf, size) {
                gather.want_range(range);
            }
        }
        gather
    }

    #[test]
    fn every_leaf_of_every_size_is_proved_and_no_other() {
        for size in 1..70 {
            let mut gather = gather_all(size);
            let mut tree = Frontier::new();
            let leaves = leaves(size);
            for (sequence, leaf) in (0..).zip(&leaves) {
                gather.push(sequence, *leaf);
                tree.push(*leaf);
            }
            for (sequence, leaf) in (0..).zip(&leaves) {
                let path = path(&gather, sequence, size).unwrap();
                let root = Some(tree.root());
                assert_eq!(root_from_path(*leaf, sequence, size, &path), root);
                assert_ne!(root_from_path([1; 32], sequence, size, &path), root);
                assert_ne!(root_from_path(*leaf, sequence + 1, size, &path), root);
                let longer = [path.as_slice(), &[[0; 32]]].concat();
                assert_eq!(root_from_path(*leaf, sequence, size, &longer), None);
            }
        }
    }

    #[test]
    fn a_gap_hides_only_what_it_lies_in() {
        let mut gather = gather_all(64);
        for (sequence, leaf) in (0..).zip(leaves(64)).filter(|(sequence, _)| *sequence != 21) {
            gather.push(sequence, leaf);
        }
        let hidden: Vec<u64> = (0..64).filter(|leaf| path(&gather, *leaf, 64).is_none()).collect();
        let all_but_it: Vec<u64> = (0..64).filter(|leaf| *leaf != 21).collect();
        assert_eq!(hidden, all_but_it, "each path has a subtree that holds the lost leaf");
    }

    proptest! {
        #[test]
        fn a_path_from_anywhere_never_panics(leaf: [u8; 32], sequence: u64, size: u64, path: Vec<[u8; 32]>) {
            let _ = root_from_path(leaf, sequence, size, &path);
        }
    }
}

//! Follows the frames of one segment: sequences, records, tree and commits.

mod outcome;

use std::fmt::Write as _;
use std::ops::RangeInclusive;

pub(crate) use outcome::Tail;
pub(super) use outcome::{Outcome, Task};

use super::report::{Finding, Kind, Severity};
use super::source::FrameVisitor;
use crate::frame::{Commit, FRAME_HEADER_BYTES, Frame, FrameKind, Salt, decode_lost, put_commit};
use crate::hash::LeafHasher;
use crate::retention::OWN_SOURCE;
use crate::tree::{Frontier, Growing, RECORDS_MAX};

/// More findings in one segment than this are counted, not listed.
const FINDINGS_MAX: usize = 1000;
/// So many records of the log's own are kept for the account of deletions.
const OWN_MAX: usize = 10_000;
const SET_RIGHT: &str =
    "compare with a copy of the log, and find out who could write to the folder";
const RESTORE: &str = "restore the file from a copy, or keep what is left";

/// A record that comes in parts.
struct Open {
    hasher: LeafHasher,
    bytes: u64,
}

pub(super) struct Walk<'a> {
    task: Task<'a>,
    out: Outcome,
    tree: Growing,
    /// Whether `tree` is the tree over all records before `next`.
    known: bool,
    /// The finding since which the tree is unknown, and the record.
    unproved: Option<(usize, u64)>,
    next: u64,
    wanted: &'a [u64],
    open: Option<Open>,
    /// A record whose remaining parts are passed over.
    skipped: Option<u64>,
    gap: Option<Tail>,
}

impl FrameVisitor for Walk<'_> {
    fn plausible(&self) -> RangeInclusive<u64> {
        self.next.saturating_sub(1)..=RECORDS_MAX
    }

    fn unreadable(&mut self, offset: u64, fault: &'static str, rest: &[u8]) {
        // What follows a void frame is of the same failed flush.
        if !self.out.void && self.gap.is_none() {
            let torn = !rest.is_empty() && !self.is_damaged_end(rest);
            self.gap = Some(Tail { offset, fault, torn });
        }
    }

    fn report(&mut self, finding: Finding) {
        if self.out.findings.len() < FINDINGS_MAX {
            self.out.findings.push(finding);
        } else {
            self.out.unlisted += 1;
        }
    }

    fn frame(&mut self, offset: u64, end: u64, frame: Frame<'_>) {
        if self.is_void(frame.kind, frame.sequence) {
            self.out.void = true;
            self.out.overlap |= frame.kind == FrameKind::End;
            self.gap = None;
            return;
        }
        if frame.sequence >= RECORDS_MAX {
            let what = "a frame with a sequence that no log has";
            return self.tamper(Kind::Repeated, offset, self.next, self.next, what);
        }
        if let Some(gap) = self.gap.take() {
            self.close_gap(gap, &frame);
        }
        if self.out.ended {
            self.tamper(Kind::Repeated, offset, self.next, self.next, "a frame after the end");
        }
        match frame.kind {
            FrameKind::Whole => self.whole(offset, frame),
            FrameKind::First => self.begin(offset, frame),
            FrameKind::Middle | FrameKind::Last => self.part(offset, frame),
            FrameKind::Commit | FrameKind::End => self.commit(offset, end, frame),
            FrameKind::Lost => self.lost(offset, frame),
        }
    }
}

impl<'a> Walk<'a> {
    pub fn new(task: Task<'a>) -> Self {
        let known = task.tree.is_some();
        let tree = task.tree.clone().unwrap_or_else(|| Frontier::unknown(task.first));
        let from = task.sizes.partition_point(|size| *size < task.first);
        let (wanted, next) = (&task.sizes[from..], task.first);
        let out = Outcome { next, committed: next, proven: next, ..Outcome::default() };
        let mut walk = Self {
            task,
            out,
            tree: Growing::new(tree),
            known,
            unproved: None,
            next,
            wanted,
            open: None,
            skipped: None,
            gap: None,
        };
        walk.note_root();
        walk
    }

    /// The outcome after the last frame.
    pub fn finish(mut self) -> Outcome {
        // A record whose last part is missing was not flushed to its end.
        if self.open.take().is_some() && self.gap.is_none() {
            let (offset, fault) = (self.out.committed_offset, "the last record is cut off");
            self.gap = Some(Tail { offset, fault, torn: true });
        }
        self.out.tail = self.gap;
        self.out.next = self.next;
        if let Some((index, from)) = self.unproved {
            self.unproved_text(index, from);
        }
        self.out.tree = self.known.then(|| self.tree.settled().clone());
        self.out
    }

    /// Whether bytes are, save one, those of the frame that ends the segment here. A crash tears
    /// more of it.
    fn is_damaged_end(&mut self, rest: &[u8]) -> bool {
        let mut end = Vec::new();
        put_commit(&mut end, Salt::new(&[0; 16]), FrameKind::End, self.tree.settled(), 0, true);
        // Its checksum and time cannot be known.
        let told = |at: &usize| {
            *at >= 4 && !(FRAME_HEADER_BYTES + 32..FRAME_HEADER_BYTES + 40).contains(at)
        };
        let differ = (0..end.len()).filter(told).filter(|at| rest.get(*at) != end.get(*at)).count();
        self.known && rest.len() == end.len() && differ <= 1
    }

    /// Whether a frame belongs to a failed flush.
    fn is_void(&self, kind: FrameKind, sequence: u64) -> bool {
        self.task.limit.is_some_and(|limit| {
            if kind.is_record() { sequence >= limit } else { sequence > limit }
        })
    }

    /// Says what an unreadable stretch cost, now that the frame after it tells.
    fn close_gap(&mut self, gap: Tail, frame: &Frame<'_>) {
        let end = match frame.kind {
            FrameKind::Middle | FrameKind::Last => {
                self.skipped = Some(frame.sequence);
                frame.sequence.saturating_add(1)
            }
            _ => frame.sequence,
        };
        self.open = None;
        if end > self.next {
            let first = self.next;
            self.find(Severity::Damage, Kind::Record, gap.offset, first, end, gap.fault, RESTORE);
            self.forget(end);
        } else {
            let (next, what) = (self.next, gap.fault);
            self.find(Severity::Damage, Kind::Frame, gap.offset, next, next, what, RESTORE);
        }
    }

    fn whole(&mut self, offset: u64, frame: Frame<'_>) {
        if self.expect(offset, frame.sequence) {
            self.keep(frame.body);
            if self.known {
                self.tree.push_record(frame.body);
            }
            self.count(frame.body.len() as u64);
        }
    }

    /// Records of the log itself are kept for the account of deletions.
    fn keep(&mut self, record: &[u8]) {
        let source = record.get(10).and_then(|len| record.get(11..11 + usize::from(*len)));
        if source == Some(OWN_SOURCE.as_bytes()) && self.out.own.len() < OWN_MAX {
            self.out.own.push(record.to_vec());
        }
    }

    fn begin(&mut self, offset: u64, frame: Frame<'_>) {
        if self.expect(offset, frame.sequence) {
            let mut hasher = LeafHasher::new();
            hasher.update(frame.body);
            self.open = Some(Open { hasher, bytes: frame.body.len() as u64 });
        }
    }

    fn part(&mut self, offset: u64, frame: Frame<'_>) {
        if self.skipped == Some(frame.sequence) {
            return;
        }
        let Some(mut open) = self.open.take_if(|_| frame.sequence == self.next) else {
            let (first, end) = (frame.sequence, frame.sequence.saturating_add(1));
            let what = "a part of a record without the parts before it";
            self.tamper(Kind::Missing, offset, first, end, what);
            self.skipped = Some(frame.sequence);
            if end > self.next {
                self.forget(end);
            }
            return;
        };
        open.hasher.update(frame.body);
        open.bytes += frame.body.len() as u64;
        if frame.kind == FrameKind::Last {
            if self.known {
                self.tree.settled().push(open.hasher.finish());
            }
            self.count(open.bytes);
        } else {
            self.open = Some(open);
        }
    }

    /// Whether a record with this sequence comes next; tells of it where not.
    fn expect(&mut self, offset: u64, sequence: u64) -> bool {
        if self.open.take().is_some() {
            self.missing(offset, self.next.saturating_add(1), "the last parts of a record");
        }
        if sequence < self.next {
            let what = "a record that stands there twice, or out of order";
            self.tamper(Kind::Repeated, offset, sequence, sequence.saturating_add(1), what);
            self.forget(self.next);
            return false;
        }
        if sequence > self.next {
            self.missing(offset, sequence, "records, though the frames before and after are whole");
        }
        true
    }

    fn missing(&mut self, offset: u64, end: u64, what: &str) {
        let what = format!("missing: {what}");
        self.tamper(Kind::Missing, offset, self.next, end, &what);
        self.forget(end);
    }

    /// Counts a record that was read.
    fn count(&mut self, bytes: u64) {
        self.next += 1;
        self.out.records += 1;
        self.out.bytes += bytes;
        if self.wanted.first() == Some(&self.next) {
            self.note_root();
        }
    }

    fn note_root(&mut self) {
        while let Some((size, rest)) = self.wanted.split_first() {
            if *size > self.next {
                break;
            }
            if *size == self.next && self.known {
                self.out.roots.insert(*size, self.tree.settled().root());
            }
            self.wanted = rest;
        }
    }

    fn commit(&mut self, offset: u64, end: u64, frame: Frame<'_>) {
        let size = frame.sequence;
        if self.open.take().is_some() {
            self.missing(offset, self.next.saturating_add(1), "the last parts of a record");
        }
        if size > self.next {
            self.missing(offset, size, "records before a commit that counts them");
        } else if size < self.next {
            let (first, next) = (size, self.next);
            let what = format!("a commit counts {size} records where {next} stand before it");
            self.tamper(Kind::Repeated, offset, first, next, &what);
            self.forget(size);
        }
        let commit = Commit::decode(size, frame.body);
        self.check_root(offset, commit.as_ref());
        if let Some(tree) = commit.and_then(|commit| commit.tree).filter(|_| !self.known) {
            self.resume(tree);
        }
        self.out.proven = self.out.committed;
        self.out.proven_offset = self.out.committed_offset;
        self.out.committed = self.next;
        self.out.committed_offset = end;
        self.out.ended |= frame.kind == FrameKind::End;
    }

    fn check_root(&mut self, offset: u64, commit: Option<&Commit>) {
        let right = commit.is_some_and(|commit| {
            let tree = self.tree.settled();
            !self.known
                || (commit.root == tree.root()
                    && commit.tree.as_ref().is_none_or(|told| told == tree))
        });
        if !right {
            let (first, end) = (self.out.committed, self.next);
            let what =
                "the records since the last commit are not those whose root the commit names";
            self.tamper(Kind::Root, offset, first, end, what);
            self.forget(end);
        }
    }

    fn lost(&mut self, offset: u64, frame: Frame<'_>) {
        let fits = |end: u64| end > frame.sequence && end < RECORDS_MAX;
        let Some((end, why)) = decode_lost(frame.body).filter(|(end, _)| fits(*end)) else {
            let what = "a note of lost records that says nothing";
            return self.tamper(Kind::Repeated, offset, self.next, self.next, what);
        };
        let why = format!("the log itself tells that these records were lost: {why}");
        let first = frame.sequence;
        self.find(Severity::Damage, Kind::Lost, offset, first, end, &why, RESTORE);
        self.out.lost.push((first, end));
        if first > self.next {
            self.missing(offset, first, "records before those that were lost");
        }
        if end > self.next {
            if self.known {
                self.known = !self.tree.settled().push_lost(end);
            }
            self.next = end;
            self.note_root();
        }
    }

    /// From here on the tree is unknown.
    fn forget(&mut self, next: u64) {
        if self.known {
            self.unproved = self.out.findings.len().checked_sub(1).map(|index| (index, next));
        }
        self.known = false;
        self.next = next;
        self.note_root();
    }

    /// From here on the tree is known again, by the peaks that a commit brings.
    fn resume(&mut self, tree: Frontier) {
        if let Some((index, from)) = self.unproved.take() {
            self.unproved_text(index, from);
        }
        self.tree = Growing::new(tree);
        self.known = true;
        if self.task.sizes.binary_search(&self.next).is_ok() {
            self.out.roots.insert(self.next, self.tree.settled().root());
        }
    }

    fn unproved_text(&mut self, index: usize, from: u64) {
        let next = self.next;
        if let Some(finding) = self.out.findings.get_mut(index).filter(|_| from < next) {
            // Writing to a string cannot fail.
            let _ = write!(
                finding.what,
                "; records {from} to {next} (exclusive) are whole but cannot be proved for it"
            );
        }
    }

    fn tamper(&mut self, kind: Kind, offset: u64, first: u64, end: u64, what: &str) {
        self.find(Severity::Tamper, kind, offset, first, end, what, SET_RIGHT);
    }

    #[allow(clippy::too_many_arguments, reason = "they are the fields of a finding")]
    fn find(
        &mut self,
        severity: Severity,
        kind: Kind,
        offset: u64,
        first: u64,
        end: u64,
        what: &str,
        mend: &'static str,
    ) {
        self.report(Finding {
            kind,
            severity,
            segment: Some(self.task.number),
            file: self.task.file.to_owned(),
            offset: Some(offset),
            first,
            end,
            what: what.to_owned(),
            mend,
        });
    }
}

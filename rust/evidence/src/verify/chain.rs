//! Joins what the segments hold: to each other, to the watermark and to the checkpoints.

mod anchors;
mod deletions;

use std::collections::BTreeMap;

use super::VerifyOptions;
use super::deletion::parse_deletion;
use super::folder::{Folder, Segment, hex};
use super::notes::Notes;
use super::report::{Finding, Kind, Report, Severity};
use super::walk::{Outcome, Tail};
use crate::hash::Hash;
use crate::segment::{CHECKPOINTS_FILE, WATERMARK_FILE};
use crate::watermark::Watermark;

const RESTORE: &str = "restore the file from a copy; what is missing is gone otherwise";
const SET_RIGHT: &str =
    "compare with a copy of the log, and find out who could write to the folder";

pub(super) struct Chain<'a> {
    folder: &'a Folder,
    notes: &'a Notes,
    mark: Option<&'a Watermark>,
    /// The outcome that counts, of each segment.
    outcomes: Vec<Outcome>,
    roots: BTreeMap<u64, Hash>,
    lost: Vec<(u64, u64)>,
    /// The first record of a group that a crash tore before it was acknowledged.
    torn_from: Option<u64>,
    findings: Vec<Finding>,
}

impl<'a> Chain<'a> {
    pub fn new(
        folder: &'a Folder,
        notes: &'a Notes,
        mark: Option<&'a Watermark>,
        outcomes: Vec<Vec<Outcome>>,
        findings: Vec<Finding>,
    ) -> Self {
        let mut chain = Self {
            folder,
            notes,
            mark,
            outcomes: Vec::new(),
            roots: BTreeMap::new(),
            lost: Vec::new(),
            torn_from: None,
            findings,
        };
        for (segment, outcomes) in folder.segments.iter().zip(outcomes) {
            chain.take(segment, outcomes);
        }
        chain
    }

    /// Chooses the outcome that counts where a segment stands there twice.
    fn take(&mut self, segment: &Segment, mut outcomes: Vec<Outcome>) {
        if let [raw, sealed] = outcomes.as_mut_slice() {
            self.compare_copies(segment, raw, sealed);
        }
        let best = |outcome: &Outcome| {
            (outcome.findings.is_empty() && outcome.tail.is_none(), outcome.records)
        };
        for outcome in &mut outcomes {
            self.findings.append(&mut outcome.findings);
            if outcome.unlisted > 0 {
                let what = format!("{} more findings are not listed", outcome.unlisted);
                self.tell(Severity::Damage, Kind::Gap, segment, None, (0, 0), what);
            }
        }
        // The first of equals is the segment as written, which is what readers take.
        outcomes.reverse();
        let Some(outcome) = outcomes.into_iter().max_by_key(best) else { return };
        self.lost.extend_from_slice(&outcome.lost);
        for (size, root) in &outcome.roots {
            self.roots.entry(*size).or_insert(*root);
        }
        self.outcomes.push(outcome);
    }

    fn compare_copies(&mut self, segment: &Segment, raw: &Outcome, sealed: &Outcome) {
        let range = (segment.first, raw.next.max(sealed.next));
        if raw.tree.is_some() && raw.tree == sealed.tree && raw.next == sealed.next {
            let what = "it stands there both as written and sealed, with the same records; the \
                        next start removes the former";
            self.tell(Severity::Notice, Kind::HalfSealed, segment, None, (0, 0), what.to_owned());
        } else if raw.findings.is_empty() && sealed.findings.is_empty() {
            let what = "it stands there as written and sealed, with different records";
            self.tell(Severity::Tamper, Kind::CopiesDiffer, segment, None, range, what.to_owned());
        }
    }

    pub fn report(mut self, options: &VerifyOptions<'_>) -> Report {
        self.lost.sort_unstable();
        self.excuse_torn();
        self.check_name(options);
        self.check_begin();
        self.check_deletions(&options.approvers);
        for at in 1..self.outcomes.len() {
            self.join(at);
        }
        self.check_keys();
        self.check_end();
        self.check_watermark();
        let checkpoint = self.check_notes();
        let caught_from = self.check_outside();
        self.findings.extend_from_slice(&self.notes.findings);
        self.findings.sort_by_key(|finding| {
            (finding.segment.unwrap_or(u64::MAX), finding.first, finding.offset)
        });
        let last = self.outcomes.last();
        let tree = last.and_then(|outcome| outcome.tree.as_ref());
        Report {
            ok: self.findings.iter().all(|finding| finding.severity == Severity::Notice),
            name: self.folder.name.clone(),
            id: hex(&self.folder.id),
            first: self.folder.segments.first().map_or(0, |segment| segment.first),
            size: self.size(),
            records: self.outcomes.iter().map(|outcome| outcome.records).sum(),
            bytes: self.outcomes.iter().map(|outcome| outcome.bytes).sum(),
            segments: self.folder.segments.len() as u64,
            root: tree.map_or_else(String::new, |tree| hex(&tree.root())),
            checkpoint,
            key: self.notes.history.current().last().map(ToString::to_string),
            caught_from,
            findings: self.findings,
        }
    }

    /// What a crash met before it was flushed may be torn anywhere: a segment that another follows
    /// from its first record on, and the last group of the newest segment.
    fn excuse_torn(&mut self) {
        let (floor, _) = self.floor();
        let segments = &self.folder.segments;
        let flushed = self.flushed_bytes();
        let newest = segments.last().map(|segment| segment.number);
        let is_void = |number: u64| {
            let same = |pair: &&[Segment]| pair[0].number == number;
            segments.windows(2).find(same).is_some_and(|pair| pair[0].first == pair[1].first)
        };
        for finding in &mut self.findings {
            let (Some(number), Some(offset)) = (finding.segment, finding.offset) else { continue };
            let torn = is_void(number)
                || (Some(number) == newest && offset >= flushed && finding.first >= floor);
            if torn && matches!(finding.kind, Kind::Header | Kind::Frame | Kind::Record) {
                if finding.first < finding.end {
                    let size = self.torn_from.map_or(finding.first, |from| from.min(finding.first));
                    self.torn_from = Some(size);
                }
                finding.end = finding.first;
                finding.severity = Severity::Notice;
                finding.kind = Kind::TornTail;
                finding.what += "; a crash tore it, nothing says that it was flushed";
                finding.mend = "";
            }
        }
    }

    /// How many bytes of the newest segment's file are known to have been flushed.
    fn flushed_bytes(&self) -> u64 {
        let Some((segment, outcome)) = self.folder.segments.last().zip(self.outcomes.last()) else {
            return 0;
        };
        if segment.files[0].sealed {
            return u64::MAX;
        }
        let mark = self.mark.filter(|mark| mark.segment == segment.number);
        mark.map_or(0, |mark| mark.segment_bytes).max(outcome.proven_offset)
    }

    /// One after the last record that counts.
    fn size(&self) -> u64 {
        let next = self.outcomes.last().map_or(0, |outcome| outcome.next);
        self.torn_from.map_or(next, |from| from.min(next))
    }

    fn check_name(&mut self, options: &VerifyOptions<'_>) {
        if let Some(name) = options.name.as_ref().filter(|name| **name != self.folder.name) {
            let what = format!(
                "this is the log {:?}, not {name:?}: either the name that was given is wrong, or \
                 another log was put in its place",
                self.folder.name
            );
            self.whole(Severity::Tamper, Kind::OtherLog, "", (0, 0), what);
        }
    }

    /// Records before the first segment must have been deleted, not lost. A deletion is told by a
    /// record of the log, and by a note that was signed before the file went.
    fn check_begin(&mut self) {
        let Some(segment) = self.folder.segments.first() else { return };
        let first = segment.first;
        if first == 0 || self.is_lost(0, first) {
            return;
        }
        let root = segment.header().map(|header| header.tree.root());
        let own = self.outcomes.iter().flat_map(|outcome| &outcome.own);
        let told = own.filter_map(|record| parse_deletion(record)).any(|deletion| {
            deletion.end > first
                || (deletion.end == first
                    && (deletion.root.is_none() || root.is_none() || deletion.root == root))
        });
        let signed = self.notes.marks.iter().any(|mark| mark.first >= first);
        if !(signed || (told && !self.notes.pinned)) {
            let what = "the segments before are missing, and no note tells of their deletion";
            let range = (0, first);
            self.tell(Severity::Tamper, Kind::SegmentMissing, segment, None, range, what.into());
        }
    }

    /// Whether a segment goes on where the one before it ends.
    fn join(&mut self, at: usize) {
        let folder = self.folder;
        let (before, segment) = (&folder.segments[at - 1], &folder.segments[at]);
        let outcome = &self.outcomes[at - 1];
        let (next, ended, tail, void) = (outcome.next, outcome.ended, outcome.tail, outcome.void);
        if outcome.void && !outcome.overlap {
            let what = "records of a failed flush, which stand again in the next segment";
            self.tell(Severity::Notice, Kind::VoidFrames, before, None, (0, 0), what.to_owned());
        }
        if self.outcomes[at - 1].overlap || before.first > segment.first {
            let what = format!("segment {} begins before this one ends", segment.number);
            let range = (segment.first, segment.first);
            self.tell(Severity::Tamper, Kind::SegmentOverlap, before, None, range, what);
        }
        let range = (next, segment.first);
        if next < segment.first && !self.is_lost(next, segment.first) {
            self.missing(before, segment, range, ended, tail.map(|tail| tail.fault));
        } else if let Some(tail) = tail {
            self.tail_inside(before, segment.first, tail);
        } else if !ended && !void && next == segment.first {
            let what = "the segment was not ended, as after a failed flush; nothing is lost";
            self.tell(Severity::Notice, Kind::NotEnded, before, None, (next, next), what.into());
        }
        let tree = self.outcomes[at - 1].tree.as_ref().filter(|tree| tree.size() == segment.first);
        if let Some((tree, header)) = tree.zip(segment.header())
            && !header.anew
            && header.first() == segment.first
            && *tree != header.tree
        {
            let what = format!(
                "its records are not those whose tree segment {} goes on from",
                segment.number
            );
            let range = (before.first, segment.first);
            self.tell(Severity::Tamper, Kind::Chain, before, None, range, what);
        }
    }

    fn missing(
        &mut self,
        before: &Segment,
        segment: &Segment,
        range: (u64, u64),
        ended: bool,
        fault: Option<&str>,
    ) {
        let between = before.number + 1..segment.number;
        let aside = between.clone().any(|number| self.folder.set_aside.contains(&number));
        let (severity, kind, what) = if let Some(fault) = fault {
            (Severity::Damage, Kind::Truncated, format!("the end of the segment is lost: {fault}"))
        } else if aside {
            let what = "a segment between was set aside by an earlier start".to_owned();
            (Severity::Damage, Kind::SegmentMissing, what)
        } else if !between.is_empty() {
            let what = "a segment between is missing, and no record tells of its deletion";
            (Severity::Tamper, Kind::SegmentMissing, what.to_owned())
        } else if ended {
            let what = "the segment ends whole before the next one begins".to_owned();
            (Severity::Tamper, Kind::Missing, what)
        } else {
            (Severity::Damage, Kind::Truncated, "the end of the segment is missing".to_owned())
        };
        self.tell(severity, kind, before, None, range, what);
    }

    /// Unreadable bytes at the end of a segment all of whose records are there.
    fn tail_inside(&mut self, segment: &Segment, limit: u64, tail: Tail) {
        let (severity, kind) = if tail.torn {
            (Severity::Notice, Kind::TornTail)
        } else {
            (Severity::Damage, Kind::Frame)
        };
        let what = format!("bytes at the end of the segment are no frame: {}", tail.fault);
        self.tell(severity, kind, segment, Some(tail.offset), (limit, limit), what);
    }

    fn is_lost(&self, first: u64, end: u64) -> bool {
        let mut reached = first;
        for (from, until) in &self.lost {
            if *from <= reached {
                reached = reached.max(*until);
            }
        }
        reached >= end
    }

    /// How far the log is known to have been flushed, and by what.
    fn floor(&self) -> (u64, &'static str) {
        let mark = self.mark.map_or(0, |mark| mark.tree.size());
        let note = self.notes.marks.last().map_or(0, |mark| mark.size);
        if note > mark { (note, CHECKPOINTS_FILE) } else { (mark, WATERMARK_FILE) }
    }

    /// The end of the log: what is torn above watermark and checkpoints was torn by a crash.
    fn check_end(&mut self) {
        let folder = self.folder;
        let (floor, by) = self.floor();
        let Some((segment, outcome)) = folder.segments.last().zip(self.outcomes.last()) else {
            if floor > 0 {
                let what = format!("all segments are missing; {by} tells of {floor} records");
                self.whole(Severity::Damage, Kind::Truncated, "", (0, floor), what);
            }
            return;
        };
        let (next, committed, tail) = (outcome.next, outcome.committed, outcome.tail);
        let file = &segment.files[0];
        let (len, sealed, flushed) = (file.len, file.sealed, self.flushed_bytes());
        let at = tail.map_or(len, |tail| tail.offset);
        if next < floor {
            let fault = tail.map_or("the segment ends there", |tail| tail.fault);
            let what = format!("{by} tells of {floor} records: {fault}");
            let range = (next, floor);
            self.tell(Severity::Damage, Kind::Truncated, segment, Some(at), range, what);
        } else if len < flushed && !sealed {
            let what = format!("{flushed} bytes had been flushed, {len} are there");
            let range = (next, next);
            self.tell(Severity::Damage, Kind::Truncated, segment, Some(at), range, what);
        } else if let Some(tail) = tail.filter(|tail| tail.offset < flushed) {
            let what = format!("bytes that had been flushed are no frame: {}", tail.fault);
            let range = (next, next);
            self.tell(Severity::Damage, Kind::Frame, segment, Some(at), range, what);
        } else if tail.is_some() || next > committed {
            let what = format!(
                "what follows the last commit was never acknowledged: {} whole records, {} bytes \
                 that are none",
                next - committed,
                len.saturating_sub(at)
            );
            self.tell(Severity::Notice, Kind::TornTail, segment, Some(at), (next, next), what);
        }
    }

    fn tell(
        &mut self,
        severity: Severity,
        kind: Kind,
        segment: &Segment,
        offset: Option<u64>,
        (first, end): (u64, u64),
        what: String,
    ) {
        let file = segment.files[0].name.clone();
        let mend = mend_of(severity);
        let segment = Some(segment.number);
        self.findings.push(Finding {
            kind,
            severity,
            segment,
            file,
            offset,
            first,
            end,
            what,
            mend,
        });
    }

    fn whole(
        &mut self,
        severity: Severity,
        kind: Kind,
        file: &str,
        (first, end): (u64, u64),
        what: String,
    ) {
        let (file, mend) = (file.to_owned(), mend_of(severity));
        let (segment, offset) = (None, None);
        self.findings.push(Finding {
            kind,
            severity,
            segment,
            file,
            offset,
            first,
            end,
            what,
            mend,
        });
    }
}

fn mend_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "",
        Severity::Damage => RESTORE,
        Severity::Tamper => SET_RIGHT,
    }
}

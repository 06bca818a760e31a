//! Compares what the segments hold with what is known of them otherwise: the keys, the watermark,
//! the log's own checkpoints and those that were kept elsewhere.

use super::Chain;
use crate::hash::Hash;
use crate::segment::{CHECKPOINTS_FILE, WATERMARK_FILE};
use crate::tree::Frontier;
use crate::verify::folder::Segment;
use crate::verify::notes::Mark;
use crate::verify::report::{Kind, Severity};

impl Chain<'_> {
    /// Segments must be signed by the keys that were given, or by those that took over from them.
    pub(super) fn check_keys(&mut self) {
        if !self.notes.pinned {
            if self.folder.segments.iter().filter_map(Segment::header).any(|header| header.key != 0)
            {
                let what = "no key was given, so no signature was checked";
                self.whole(Severity::Notice, Kind::KeysNotPinned, "", (0, 0), what.to_owned());
            }
            return;
        }
        let folder = self.folder;
        let spans = self.notes.history.spans();
        let handover = self.notes.handover;
        let is_known = |key: u64| spans.iter().any(|span| u64::from_le_bytes(span.key.id()) == key);
        for segment in &folder.segments {
            let Some(header) = segment.header() else { continue };
            if is_known(header.key) || segment.first < handover {
                continue;
            }
            let what = match header.key {
                0 => "the segment is unsigned, though a key was given",
                _ => "the segment names a key that is not of this log",
            };
            let range = (segment.first, segment.first);
            self.tell(Severity::Tamper, Kind::WrongKey, segment, Some(56), range, what.to_owned());
        }
    }

    pub(super) fn check_watermark(&mut self) {
        let Some(mark) = self.mark else { return };
        let size = mark.tree.size();
        let root = self.root_at(size);
        if root.is_some_and(|root| root != mark.tree.root()) {
            let what = format!("the {size} records are not those that the watermark names");
            self.whole(Severity::Tamper, Kind::Root, WATERMARK_FILE, (size, size), what);
        }
        let last = self.folder.segments.last().map_or(0, |segment| segment.number);
        if mark.segment > last {
            let what = format!("segment {} is missing, the last that was written to", mark.segment);
            self.whole(Severity::Damage, Kind::SegmentMissing, WATERMARK_FILE, (size, size), what);
        }
    }

    /// The root over the first `size` records, where it is known.
    fn root_at(&self, size: u64) -> Option<Hash> {
        if size == 0 {
            return Some(Frontier::new().root());
        }
        let begins = |segment: &&Segment| segment.first == size;
        let of_header = || {
            let header = self.folder.segments.iter().find(begins)?.header()?;
            Some(header.tree.root()).filter(|_| header.first() == size && !header.anew)
        };
        self.roots.get(&size).copied().or_else(of_header)
    }

    /// Compares the records with the log's own checkpoints; gives the size of the last that holds.
    pub(super) fn check_notes(&mut self) -> Option<u64> {
        let notes = self.notes;
        let (holds, wrong) = self.compare(&notes.marks);
        if let Some(mark) = wrong.first() {
            let further = wrong.len() - 1;
            let what = format!(
                "the records are not those of the checkpoint over {}, nor of {further} later ones",
                mark.size
            );
            self.placed(Kind::Checkpoint, mark, holds.unwrap_or(0), what);
        }
        self.check_first_note();
        holds
    }

    /// A log that signs has a checkpoint before its first signed segment.
    fn check_first_note(&mut self) {
        let mut headers = self.folder.segments.iter().filter_map(Segment::header);
        let is_signed = headers.any(|header| header.key != 0);
        let told = self.notes.findings.iter().any(|one| one.severity != Severity::Notice);
        if is_signed && self.notes.marks.is_empty() && !told {
            let what = "the log signs, but there is no checkpoint".to_owned();
            self.whole(Severity::Tamper, Kind::CheckpointMissing, CHECKPOINTS_FILE, (0, 0), what);
        }
    }

    /// Compares the records with checkpoints that were kept elsewhere.
    pub(super) fn check_outside(&mut self) -> Option<u64> {
        let notes = self.notes;
        let size = self.size();
        let (holds, wrong) = self.compare(&notes.outside);
        for mark in wrong {
            let range = (holds.unwrap_or(0), mark.size);
            if mark.size > size {
                let what = format!(
                    "the log ends at {size}, but a checkpoint that was kept elsewhere covers {}",
                    mark.size
                );
                self.whole(Severity::Tamper, Kind::RolledBack, "", (size, mark.size), what);
            } else {
                let what = format!(
                    "the records are not those of the checkpoint over {} that was kept elsewhere",
                    mark.size
                );
                self.placed(Kind::Rewritten, mark, range.0, what);
            }
        }
        holds
    }

    /// Size of the last mark that holds, and the marks that do not.
    fn compare<'m>(&mut self, marks: &'m [Mark]) -> (Option<u64>, Vec<&'m Mark>) {
        let begin = self.folder.segments.first().map_or(0, |segment| segment.first);
        let size = self.size();
        let (mut holds, mut wrong, mut hidden) = (None, Vec::new(), None);
        for mark in marks.iter().filter(|mark| mark.size >= begin) {
            match self.root_at(mark.size) {
                Some(root) if root == mark.root => {
                    if wrong.is_empty() {
                        holds = Some(mark.size);
                    }
                }
                // Its records were lost, and others stand for them in the tree.
                Some(_) if self.is_lost(mark.size.saturating_sub(1), mark.size) => {
                    hidden = Some(mark);
                }
                Some(_) => wrong.push(mark),
                // Beyond the end: of the log's own, the end of the log tells.
                None if mark.size > size => {
                    if mark.offset.is_none() {
                        wrong.push(mark);
                    }
                }
                None => hidden = Some(mark),
            }
        }
        if let Some(mark) = hidden {
            let what = format!(
                "damage hides the root that the checkpoint over {} is to be compared with",
                mark.size
            );
            let range = (mark.size, mark.size);
            self.whole(Severity::Damage, Kind::Checkpoint, CHECKPOINTS_FILE, range, what);
        }
        (holds, wrong)
    }

    /// A finding about a checkpoint that does not hold, placed at the segment where its records end.
    fn placed(&mut self, kind: Kind, mark: &Mark, first: u64, what: String) {
        let folder = self.folder;
        let at = folder.segments.partition_point(|segment| segment.first < mark.size);
        match folder.segments.get(at.saturating_sub(1)) {
            Some(segment) => {
                self.tell(Severity::Tamper, kind, segment, None, (first, mark.size), what);
            }
            None => self.whole(Severity::Tamper, kind, CHECKPOINTS_FILE, (first, mark.size), what),
        }
    }
}

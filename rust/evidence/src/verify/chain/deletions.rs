//! Whether what was deleted was old enough to go, or two people approved.

use std::collections::BTreeSet;

use super::Chain;
use crate::approval::{APPROVALS_NEEDED, Approval, approved_by};
use crate::keys::VerifierKey;
use crate::retention::FLOOR_S;
use crate::verify::deletion::{Deletion, parse_deletion};
use crate::verify::report::{Kind, Severity};

const DAY_S: u64 = 86_400;

impl Chain<'_> {
    /// Holds each deletion that the log tells of to the floor.
    pub(super) fn check_deletions(&mut self, approvers: &[VerifierKey]) {
        let own = self.outcomes.iter().flat_map(|outcome| &outcome.own);
        let early: Vec<Deletion> = own
            .filter_map(|record| parse_deletion(record))
            .filter(|deletion| deletion.kept_s < FLOOR_S)
            .collect();
        for deletion in early {
            self.check_early(&deletion, approvers);
        }
    }

    fn check_early(&mut self, deletion: &Deletion, approvers: &[VerifierKey]) {
        let (end, days) = (deletion.end, deletion.kept_s / DAY_S);
        let count = if approvers.is_empty() {
            self.signers(&deletion.approvals, end)
        } else {
            let (name, id) = (&self.folder.name, &self.folder.id);
            approved_by(&deletion.approvals, approvers, name, id, end).len()
        };
        let (severity, what) = if count < APPROVALS_NEEDED {
            let what = format!(
                "records before {end} were deleted after {days} days; {count} people approved, \
                 {APPROVALS_NEEDED} must"
            );
            (Severity::Tamper, what)
        } else if approvers.is_empty() {
            let what = format!(
                "records before {end} were deleted after {days} days; the keys of those who \
                 approved were not given, so their signatures were not checked"
            );
            (Severity::Notice, what)
        } else {
            let what = format!("records before {end} were deleted after {days} days, as approved");
            (Severity::Notice, what)
        };
        self.whole(severity, Kind::EarlyDeletion, "", (end, end), what);
    }

    /// How many names stand under the approvals of records before `end`.
    fn signers(&self, approvals: &[Approval], end: u64) -> usize {
        let (name, id) = (&self.folder.name, &self.folder.id);
        let covering = approvals.iter().filter(|one| one.covers(name, id, end));
        let names: BTreeSet<&str> =
            covering.flat_map(|one| &one.signatures).map(|one| one.name.as_str()).collect();
        names.len()
    }
}

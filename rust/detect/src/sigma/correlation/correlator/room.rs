//! How much the groups may hold, and which give way.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use super::super::tumbling::Tumbling;
use super::{Correlator, Group, Lateness, Window};

/// Groups kept at a time, of all correlations together, and matches and values kept in them; past
/// either the longest silent groups give way.
const GROUPS_MAX: usize = 100_000;
const WEIGHT_MAX: usize = 4_000_000;
/// What then stays, in tenths.
const STAYS: usize = 9;
impl Correlator {
    /// Lets go of groups that have been silent for longer than a window is open.
    pub(super) fn sweep(&mut self) {
        let Lateness::Us(lateness) = self.lateness else { return };
        let rules = Arc::clone(&self.rules);
        for (rule, groups) in rules.correlations().iter().zip(&mut self.groups) {
            let reach_us = rule.timespan_us.saturating_add(lateness);
            let before_us = self.now_us.saturating_sub(reach_us);
            groups.retain(|_, group| match &group.window {
                Window::Sliding(sliding) => sliding.len() > 0 && group.touched_us >= before_us,
                Window::Tumbling(windows) => !windows.is_empty(),
            });
        }
        self.count_anew();
    }

    /// Where there is no room for one more group, the longest silent give way.
    pub(super) fn make_room(&mut self) {
        if self.kept < GROUPS_MAX && self.weight < WEIGHT_MAX {
            return;
        }
        self.sweep();
        let (mut kept, mut weight) = (self.kept, self.weight);
        let last = |group: &Group| (group.touched_us, group.last_us);
        let every = self.groups.iter().flat_map(HashMap::values);
        let mut by_age: Vec<_> = every.map(|group| (last(group), group.window.weight())).collect();
        by_age.sort_unstable();
        let is_enough =
            |kept, weight| kept <= GROUPS_MAX / 10 * STAYS && weight <= WEIGHT_MAX / 10 * STAYS;
        let mut bound = None;
        for (age, of) in by_age {
            if is_enough(kept, weight) {
                break;
            }
            (kept, weight, bound) = (kept - 1, weight - of.min(weight), Some(age));
        }
        let Some(bound) = bound else { return };
        let mut leaving = self.kept - kept;
        for groups in &mut self.groups {
            groups.retain(|_, group| {
                let goes = leaving > 0 && last(group) <= bound;
                leaving -= usize::from(goes);
                !goes
            });
        }
        let before = self.kept;
        self.count_anew();
        self.given_way += (before - self.kept) as u64;
    }

    /// Counts groups and their weight, and forgets ends of windows that are gone.
    fn count_anew(&mut self) {
        let every = || self.groups.iter().flat_map(HashMap::values);
        (self.kept, self.weight) = (every().count(), every().map(|one| one.window.weight()).sum());
        let (groups, rules) = (&self.groups, &self.rules);
        self.ending.retain(|Reverse((end_us, at, key))| {
            let timespan = rules.correlations()[*at as usize].timespan_us;
            let group = groups[*at as usize].get(key);
            let Some(Group { window: Window::Tumbling(windows), .. }) = group else { return false };
            windows.iter().any(|open| open.begun_us.saturating_add(timespan) == *end_us)
        });
    }
}

impl Window {
    /// Matches and values that are kept.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Sliding(sliding) => sliding.len(),
            Self::Tumbling(windows) => windows.iter().map(Tumbling::weight).sum(),
        }
    }
}

//! A window that begins with its first match and is judged at its end, or when it is enough.

use std::collections::HashSet;

use bigsec_event::EventId;

use super::aggregate::Summary;
use super::sliding::Hit;
use super::{Correlation, Kind};

/// Values kept of one window; past them a window is judged by those it has.
const VALUES_MAX: usize = 10_000;
/// Events named by a match.
pub(super) const EVENTS_MAX: usize = 1_000;

/// What a window has seen.
#[derive(Debug)]
pub(super) struct Tumbling {
    /// When it was begun, by the time of receipt, which its end is counted from.
    pub begun_us: i64,
    pub start_us: i64,
    pub last_us: i64,
    events: usize,
    distinct: HashSet<u64>,
    numbers: Vec<f64>,
    summary: Summary,
    matched: u64,
    /// Rules in order of their matches, each run once.
    order: Vec<u8>,
    ids: Vec<EventId>,
}

impl Tumbling {
    pub fn new(begun_us: i64, start_us: i64) -> Self {
        Self {
            begun_us,
            start_us,
            last_us: start_us,
            events: 0,
            distinct: HashSet::new(),
            numbers: Vec::new(),
            summary: Summary::default(),
            matched: 0,
            order: Vec::new(),
            ids: Vec::new(),
        }
    }

    /// Values, rules and events that are kept, and one for itself.
    pub fn weight(&self) -> usize {
        1 + self.distinct.len() + self.numbers.len() + self.order.len() + self.ids.len()
    }

    /// Adds a match, and its number where it is one.
    pub fn add(&mut self, hit: &Hit, number: Option<f64>) {
        self.start_us = self.start_us.min(hit.time_us);
        self.last_us = self.last_us.max(hit.time_us);
        self.events += 1;
        self.matched |= 1 << hit.base;
        if self.order.last() != Some(&hit.base) && self.order.len() < VALUES_MAX {
            self.order.push(hit.base);
        }
        if self.distinct.len() < VALUES_MAX {
            self.distinct.insert(hit.value);
        }
        if let Some(number) = number {
            self.summary.add(number);
            if self.numbers.len() < VALUES_MAX {
                self.numbers.push(number);
            }
        }
        let room = EVENTS_MAX - self.ids.len();
        self.ids.extend(hit.events.as_slice().iter().take(room));
    }

    /// Whether what was seen is what the rule asks for.
    pub fn holds(&mut self, rule: &Correlation) -> bool {
        match &rule.kind {
            Kind::EventCount(bounds) => bounds.hold_count(self.events),
            Kind::ValueCount(bounds) => bounds.hold_count(self.distinct.len()),
            Kind::Number(measure, bounds) => {
                let number = self.summary.of(*measure).or_else(|| measure.of(&mut self.numbers));
                number.is_some_and(|number| bounds.hold(number))
            }
            Kind::Temporal { ordered: false, need } => need.met_by(self.matched),
            Kind::Temporal { ordered: true, need } => need.met_in_order(self.order.iter().copied()),
        }
    }

    pub fn into_ids(self) -> Vec<EventId> {
        self.ids
    }
}

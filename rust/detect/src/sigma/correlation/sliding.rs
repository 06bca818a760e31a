//! The matches of one group in order of their time, and whether a span of them is enough.

use bigsec_event::EventId;

use super::{Correlation, Kind};

/// Matches kept of one group. More in one span than this cannot be asked for.
pub(super) const HITS_MAX: usize = 10_000;
/// Matches kept of a group whose order counts, and from how many on those within a run of one rule
/// are let go of, though one that comes late might have needed them.
const ORDERED_MAX: usize = 1_000;
const ORDERED_WHOLE: usize = 256;

/// One match of a rule that takes part.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub time_us: i64,
    pub base: u8,
    /// The value that is counted, as a hash.
    pub value: u64,
    pub events: Events,
}

/// The events of a match: many where it is that of a correlation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Events {
    One(EventId),
    Many(Box<[EventId]>),
}

impl Events {
    pub fn as_slice(&self) -> &[EventId] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Many(ids) => ids,
        }
    }
}

/// The matches of one group that were not used up, in order of time.
#[derive(Debug, Default)]
pub(super) struct Sliding {
    hits: Vec<Hit>,
}

impl Sliding {
    pub fn len(&self) -> usize {
        self.hits.len()
    }

    /// The time of the last match.
    pub fn newest_us(&self) -> i64 {
        self.hits.last().map_or(i64::MIN, |hit| hit.time_us)
    }

    /// Lets go of what is older.
    pub fn expire(&mut self, before_us: i64) {
        if self.hits.first().is_some_and(|hit| hit.time_us < before_us) {
            let kept = self.hits.partition_point(|hit| hit.time_us < before_us);
            self.hits.drain(..kept);
        }
    }

    /// Adds a match; gives those of the first span that is enough with it, which are used up.
    pub fn add(&mut self, hit: Hit, rule: &Correlation) -> Option<Vec<Hit>> {
        let span = rule.timespan_us;
        let at = self.hits.partition_point(|known| known.time_us <= hit.time_us);
        let time = hit.time_us;
        self.hits.insert(at, hit);
        let found = match &rule.kind {
            Kind::EventCount(bounds) => self.enough_events(at, bounds.least() as usize, span),
            Kind::ValueCount(bounds) => {
                let least = bounds.least() as usize;
                self.spans(time, span).find(|range| self.values_in(range.clone()) >= least)
            }
            Kind::Temporal { ordered: false, need } => self.spans(time, span).find(|range| {
                let bits = self.hits[range.clone()].iter().map(|hit| 1 << hit.base);
                need.met_by(bits.fold(0, |all, bit: u64| all | bit))
            }),
            Kind::Temporal { ordered: true, need } => self.spans(time, span).find(|range| {
                need.met_in_order(self.hits[range.clone()].iter().map(|hit| hit.base))
            }),
            Kind::Number(..) => None,
        };
        if let Some(range) = found {
            let mut hits: Vec<Hit> = self.hits.drain(range).collect();
            if let Kind::Temporal { ordered: true, need } = &rule.kind {
                let bases = hits.iter().map(|hit| hit.base);
                let picked = need.picked_in_order(bases);
                let mut at = 0..;
                hits.retain(|_| at.next().is_some_and(|at| picked.contains(&at)));
            }
            return Some(hits);
        }
        self.thin(at, rule);
        None
    }

    /// The spans that hold the match of that time and cannot be made longer, earliest first.
    fn spans(&self, time: i64, span: i64) -> impl Iterator<Item = std::ops::Range<usize>> {
        let hits = &self.hits;
        let first = hits.partition_point(|hit| hit.time_us < time.saturating_sub(span));
        let last = hits.partition_point(|hit| hit.time_us <= time);
        let mut end_before = 0;
        (first..last).filter_map(move |start| {
            let until = hits[start].time_us.saturating_add(span);
            let end = start + hits[start..].partition_point(|hit| hit.time_us <= until);
            // One that ends where the one before it did is a part of it.
            let is_longer = end > end_before;
            end_before = end;
            is_longer.then_some(start..end)
        })
    }

    fn enough_events(&self, at: usize, least: usize, span: i64) -> Option<std::ops::Range<usize>> {
        let least = least.max(1);
        let starts = (at + 1).saturating_sub(least)..=self.hits.len().checked_sub(least)?.min(at);
        let length = |range: &std::ops::Range<usize>| {
            self.hits[range.end - 1].time_us.saturating_sub(self.hits[range.start].time_us)
        };
        starts.map(|start| start..start + least).find(|range| length(range) <= span)
    }

    fn values_in(&self, range: std::ops::Range<usize>) -> usize {
        let mut values: Vec<u64> = self.hits[range].iter().map(|hit| hit.value).collect();
        values.sort_unstable();
        values.dedup();
        values.len()
    }

    /// Lets go of a match that no span needs: any that holds it holds another that is as good.
    fn thin(&mut self, at: usize, rule: &Correlation) {
        match &rule.kind {
            Kind::ValueCount(_) => self.thin_alike(at, rule.timespan_us, |hit| hit.value),
            Kind::Temporal { ordered: false, .. } => {
                self.thin_alike(at, rule.timespan_us, |hit| u64::from(hit.base));
            }
            Kind::Temporal { ordered: true, .. } if self.hits.len() > ORDERED_WHOLE => {
                let alike = |a: usize, b: usize| {
                    let (a, b) = (self.hits.get(a), self.hits.get(b));
                    a.zip(b).is_some_and(|(a, b)| a.base == b.base)
                };
                // Within a run of one rule its first and its last say most.
                let middle = [at.wrapping_sub(1), at, at + 1]
                    .into_iter()
                    .find(|one| alike(one.wrapping_sub(1), *one) && alike(*one, one + 1));
                if let Some(middle) = middle {
                    self.hits.remove(middle);
                } else if self.hits.len() > ORDERED_MAX {
                    self.hits.remove(0);
                }
            }
            Kind::EventCount(_) | Kind::Temporal { .. } | Kind::Number(..) => {}
        }
        if self.hits.len() > HITS_MAX {
            self.hits.remove(0);
        }
    }

    /// Of three of a kind within one span the middle one is not needed.
    fn thin_alike(&mut self, at: usize, span: i64, kind: impl Fn(&Hit) -> u64) {
        let of = kind(&self.hits[at]);
        let time = self.hits[at].time_us;
        let near = |hit: &&Hit| (hit.time_us - time).abs() <= span;
        let alike = |hits: &mut dyn Iterator<Item = (usize, &Hit)>| -> Vec<usize> {
            hits.filter(|(_, hit)| kind(hit) == of).map(|(at, _)| at).take(2).collect()
        };
        let before =
            alike(&mut self.hits[..at].iter().enumerate().rev().take_while(|(_, hit)| near(hit)));
        let after =
            alike(&mut self.hits.iter().enumerate().skip(at + 1).take_while(|(_, hit)| near(hit)));
        let mut row: Vec<usize> = before.into_iter().rev().chain([at]).chain(after).collect();
        row.sort_unstable();
        let middle = row
            .windows(3)
            .find(|three| self.hits[three[2]].time_us - self.hits[three[0]].time_us <= span);
        if let Some(three) = middle {
            self.hits.remove(three[1]);
        }
    }
}

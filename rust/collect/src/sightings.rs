//! The indicators at work on one stream of events.

use std::collections::HashMap;
use std::sync::Arc;

use bigsec_detect::{EventIdentity, Hit, IndicatorMatcher, IndicatorSet, SignalBatchBuilder};
use bigsec_parse::Parsed;

use crate::brake::{Allowance, Brake, Braked};

/// Looks for indicators and gives a signal for each that is seen.
pub(crate) struct Sightings {
    matcher: IndicatorMatcher,
    hits: Vec<Hit>,
    brake: Option<Brake>,
    /// Of those that were ever seen.
    seen: HashMap<u32, Seen>,
}

struct Seen {
    allowance: Allowance,
    signals: u64,
}

impl Sightings {
    pub fn new(set: &Arc<IndicatorSet>, brake: Option<Brake>) -> Self {
        Self { matcher: set.matcher(), hits: Vec::new(), brake, seen: HashMap::new() }
    }

    /// Looks at one event; says whether it has an indicator.
    pub fn look(&mut self, parsed: &Parsed) -> bool {
        self.matcher.matches(&parsed.record, &mut self.hits);
        !self.hits.is_empty()
    }

    /// Gives the signals for the event that was looked at; says whether there were any.
    pub fn give(
        &mut self,
        event: &EventIdentity<'_>,
        received_us: i64,
        entities: &[(&str, &str)],
        signals: &mut SignalBatchBuilder,
    ) -> bool {
        let set = self.matcher.set();
        let mut is_given = false;
        for hit in self.hits.drain(..).filter(|hit| set.get(hit.indicator).holds_at(event.time_us))
        {
            let fresh = || Seen { allowance: Allowance::new(self.brake), signals: 0 };
            let seen = self.seen.entry(hit.indicator).or_insert_with(fresh);
            if seen.allowance.take(self.brake, received_us) {
                seen.signals += 1;
                is_given = true;
                signals.append_sighting(set, &hit, event, entities);
            }
        }
        is_given
    }

    /// What the brake held back since the last time.
    pub fn braked(&mut self) -> Vec<Braked> {
        let set = self.matcher.set();
        let flooding = self.seen.iter_mut().filter(|(_, seen)| seen.allowance.braked > 0);
        let mut braked: Vec<_> = flooding
            .map(|(place, seen)| {
                let head = set.head(*place);
                let signals = std::mem::take(&mut seen.allowance.braked);
                Braked { rule_id: head.id, rule_title: head.title, signals }
            })
            .collect();
        braked.sort_unstable_by(|a, b| a.rule_id.cmp(&b.rule_id));
        braked
    }

    /// Signals so far, by the indicator's id.
    pub fn signals(&self) -> impl Iterator<Item = (String, u64)> {
        let set = self.matcher.set();
        let given = self.seen.iter().filter(|(_, seen)| seen.signals > 0);
        given.map(|(place, seen)| (set.head(*place).id, seen.signals))
    }
}

//! Tries the rules of a set on events, one event after the other.

use std::sync::Arc;
use std::time::Instant;

use bigsec_event::FieldSource;

use super::cache::Cache;
use super::engine::{Gathered, Memo, Narrowing, PlanRule, Router};
use super::evaluate::Event;
use super::names::FieldId;
use super::rule_set::RuleSet;
use super::slot::View;
use crate::log_source::Alternative;

/// A rule set with buffers for one thread.
#[derive(Debug)]
pub struct Matcher {
    rules: Arc<RuleSet>,
    cache: Cache,
    gathered: Gathered,
    router: Router,
    memo: Memo,
    narrowing: Narrowing,
    /// The rules that the last event matched, each with the route whose view counts.
    found: Vec<PlanRule>,
    /// For each rule, the last event that it matched: two ways to know an event count once.
    matched: Vec<u64>,
    /// By rule, where that is measured.
    costs: Vec<RuleCost>,
}

/// What one rule has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleCost {
    /// Events about which it had to be asked: those that have all the texts it needs.
    pub asked: u64,
    /// Of these, events that it matched.
    pub matched: u64,
    /// How long the asking took, ns.
    pub ns: u64,
}

impl Matcher {
    pub(super) fn new(rules: Arc<RuleSet>) -> Self {
        let matched = vec![0; rules.rules().len()];
        let gathered = Gathered::new(&rules.fields);
        Self {
            rules,
            gathered,
            matched,
            cache: Cache::default(),
            router: Router::default(),
            memo: Memo::default(),
            narrowing: Narrowing::default(),
            found: Vec::new(),
            costs: Vec::new(),
        }
    }

    /// Measures from now on what each rule costs, which itself costs a little.
    pub fn measure(&mut self) {
        self.costs = vec![RuleCost::default(); self.rules.rules().len()];
    }

    /// What each rule has cost, by its place in [`RuleSet::rules`]; empty where nothing is measured.
    pub fn costs(&self) -> &[RuleCost] {
        &self.costs
    }

    /// The rules that are tried.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// Puts the rules that match into `out`, ascending, as places in [`RuleSet::rules`].
    pub fn matches(&mut self, source: &dyn FieldSource, out: &mut Vec<u32>) {
        out.clear();
        self.found.clear();
        let rules = self.begin();
        if let Some(record) = source.as_record() {
            self.gathered.read(record, &rules.fields);
        }
        let Self { cache, gathered, router, memo, narrowing, matched, found, costs, .. } = self;
        let plans = router.plans(&rules, source, gathered, |route| {
            belongs(&rules, rules.alternative(&rules.routes[route as usize]), cache, source)
        });
        let generation = cache.generation();
        for plan in plans.iter() {
            plan.narrow(gathered, source, &rules, cache, memo, narrowing);
            let gathered = source.as_record().map(|_| &*gathered);
            for candidate in &narrowing.found {
                let matched = &mut matched[candidate.rule as usize];
                if *matched == generation {
                    continue;
                }
                let view = candidate.route.and_then(|at| rules.routes[at as usize].view.as_deref());
                let (slots, keywords) = (&rules.slots, &rules.keywords);
                let mut event = Event { source, gathered, slots, keywords, cache, view };
                let detection = &rules.rules()[candidate.rule as usize].detection;
                let cost = costs.get_mut(candidate.rule as usize);
                let begun = cost.is_some().then(Instant::now);
                let holds = event.holds(&detection.condition, &detection.selections);
                if let Some((cost, begun)) = cost.zip(begun) {
                    cost.asked += 1;
                    cost.matched += u64::from(holds);
                    cost.ns += begun.elapsed().as_nanos() as u64;
                }
                if holds {
                    *matched = generation;
                    found.push(*candidate);
                }
            }
        }
        out.extend(found.iter().map(|match_| match_.rule));
        out.sort_unstable();
    }

    /// The first value of a field, in lower case, as a rule sees it that [`matches`](Self::matches)
    /// has just found in this event.
    pub(super) fn folded(
        &mut self,
        rule: u32,
        field: FieldId,
        source: &dyn FieldSource,
    ) -> Option<&str> {
        let rules = Arc::clone(&self.rules);
        let route = self.found.iter().find(|found| found.rule == rule)?.route;
        let view = route.and_then(|at| rules.routes[at as usize].view.as_deref());
        let (slots, keywords, cache) = (&rules.slots, &rules.keywords, &mut self.cache);
        let gathered = source.as_record().map(|_| &self.gathered);
        let mut event = Event { source, gathered, slots, keywords, cache, view };
        let values = event.values(field);
        let first = cache.values(values).iter().find(|value| value.kind.has_text())?;
        Some(cache.folded(first))
    }

    /// The same by asking every rule of the event's log sources: what the other is held against.
    #[doc(hidden)]
    pub fn matches_plainly(&mut self, source: &dyn FieldSource, out: &mut Vec<u32>) {
        out.clear();
        let rules = self.begin();
        let mut claimed = false;
        for route in &rules.routes {
            if self.belongs(&rules, rules.alternative(route), source) {
                claimed = true;
                self.attempt(&rules, &route.rules, &route.view, source, out);
            }
        }
        if !claimed {
            self.attempt(&rules, &rules.unclaimed, &None, source, out);
        }
        self.attempt(&rules, &rules.everywhere, &None, source, out);
        out.sort_unstable();
    }

    /// Forgets the event before.
    pub(super) fn begin(&mut self) -> Arc<RuleSet> {
        self.cache.begin(&self.rules.slots);
        Arc::clone(&self.rules)
    }

    pub(super) fn belongs(
        &mut self,
        rules: &RuleSet,
        alternative: &Alternative,
        source: &dyn FieldSource,
    ) -> bool {
        belongs(rules, alternative, &mut self.cache, source)
    }

    fn attempt(
        &mut self,
        rules: &RuleSet,
        indices: &[u32],
        view: &View,
        source: &dyn FieldSource,
        out: &mut Vec<u32>,
    ) {
        let generation = self.cache.generation();
        for index in indices {
            let detection = &rules.rules()[*index as usize].detection;
            if self.matched[*index as usize] != generation
                && self
                    .event(rules, view, source)
                    .holds(&detection.condition, &detection.selections)
            {
                self.matched[*index as usize] = generation;
                out.push(*index);
            }
        }
    }

    pub(super) fn event<'e>(
        &'e mut self,
        rules: &'e RuleSet,
        view: &'e View,
        source: &'e dyn FieldSource,
    ) -> Event<'e> {
        let cache = &mut self.cache;
        Event {
            source,
            gathered: None,
            slots: &rules.slots,
            keywords: &rules.keywords,
            cache,
            view: view.as_deref(),
        }
    }
}

/// Whether an event is of an alternative of a log source.
fn belongs(
    rules: &RuleSet,
    alternative: &Alternative,
    cache: &mut Cache,
    source: &dyn FieldSource,
) -> bool {
    let parsers = &alternative.parsers;
    if !parsers.is_empty() && !parsers.iter().any(|parser| parser == source.parser()) {
        return false;
    }
    let Some(predicate) = &alternative.predicate else { return true };
    let (slots, keywords) = (&rules.slots, &rules.keywords);
    let gathered = None;
    Event { source, gathered, slots, keywords, cache, view: None }.holds(predicate, &[])
}

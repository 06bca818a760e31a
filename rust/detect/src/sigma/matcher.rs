//! Tries the rules of a set on events, one event after the other.

use std::sync::Arc;

use bigsec_event::FieldSource;

use super::cache::Cache;
use super::evaluate::Event;
use super::rule_set::RuleSet;
use super::slot::View;
use crate::log_source::Alternative;

/// A rule set with buffers for one thread.
#[derive(Debug)]
pub struct Matcher {
    rules: Arc<RuleSet>,
    cache: Cache,
    /// For each rule, the last event that it matched: two ways to know an event count once.
    matched: Vec<u64>,
}

impl Matcher {
    pub(super) fn new(rules: Arc<RuleSet>) -> Self {
        let matched = vec![0; rules.rules().len()];
        Self { rules, cache: Cache::default(), matched }
    }

    /// The rules that are tried.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// Puts the rules that match into `out`, ascending, as places in [`RuleSet::rules`].
    pub fn matches(&mut self, source: &dyn FieldSource, out: &mut Vec<u32>) {
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
        let parsers = &alternative.parsers;
        if !parsers.is_empty() && !parsers.iter().any(|parser| parser == source.parser()) {
            return false;
        }
        let Some(predicate) = &alternative.predicate else { return true };
        self.event(rules, &None, source).holds(predicate, &[])
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
            slots: &rules.slots,
            keywords: &rules.keywords,
            cache,
            view: view.as_deref(),
        }
    }
}

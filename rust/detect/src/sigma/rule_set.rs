//! Rules ready to be tried on events, sorted by the log sources they are meant for.

use std::collections::HashMap;
use std::sync::Arc;

use super::correlation::{self, BaseRef, Correlation};
use super::draft::Placeholders;
use super::engine::{PlanRule, Plans};
use super::keyword::KeywordIndex;
use super::matcher::Matcher;
use super::names::{FieldTable, Names};
use super::rule::{Metadata, Rule};
use super::slot::{Slots, View};
use crate::log_source::{Alternative, Table};

/// Changes whenever the same rules and the same table may match otherwise than before.
const ENGINE_VERSION: &[u8] = b"sigma evaluator 1";

/// A set of rules. Immutable and shared; each thread has its own [`Matcher`].
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    correlations: Vec<Correlation>,
    /// Correlations that give no signals of their own.
    quiet: Vec<u32>,
    taking_part: HashMap<BaseRef, Vec<(u32, u8)>>,
    version: String,
    pub(super) fields: FieldTable,
    pub(super) slots: Slots,
    pub(super) keywords: KeywordIndex,
    pub(super) routes: Vec<Route>,
    pub(super) plans: Plans,
    /// Rules for every event.
    pub(super) everywhere: Vec<u32>,
    /// Rules whose log source is not in the table: for events that no entry claims.
    pub(super) unclaimed: Vec<u32>,
    table: Arc<Table>,
}

/// One way to know events of a log source, and the rules for them.
#[derive(Debug)]
pub(super) struct Route {
    /// Entry and alternative in the table.
    place: (usize, usize),
    pub view: View,
    pub rules: Vec<u32>,
}

impl RuleSet {
    pub(super) fn new(
        rules: Vec<Rule>,
        correlations: Vec<Correlation>,
        mut names: Names,
        table: Arc<Table>,
        placeholders: &Placeholders,
    ) -> Self {
        let alternatives = table.entries.iter().flat_map(|entry| &entry.alternatives);
        let (slots, views) = Slots::new(&mut names.fields, alternatives);
        let mut views = views.into_iter();
        let mut routes = Vec::new();
        let mut of_entry = Vec::new();
        for (index, entry) in table.entries.iter().enumerate() {
            let first = routes.len();
            for alternative in 0..entry.alternatives.len() {
                let view = views.next().flatten();
                routes.push(Route { place: (index, alternative), view, rules: Vec::new() });
            }
            of_entry.push(first..routes.len());
        }
        let (mut everywhere, mut unclaimed) = (Vec::new(), Vec::new());
        for (index, rule) in rules.iter().enumerate() {
            let index = index as u32;
            let source = &rule.metadata.log_source;
            match table.route(source) {
                Some(entry) => {
                    routes[of_entry[entry].clone()].iter_mut().for_each(|r| r.rules.push(index));
                }
                None if source.is_empty() || table.entries.is_empty() => everywhere.push(index),
                None => unclaimed.push(index),
            }
        }
        if unclaimed.is_empty() {
            routes.retain(|route| !route.rules.is_empty());
        }
        let version = version(&rules, &correlations, &table, placeholders);
        let keywords = KeywordIndex::new(names.keywords);
        let (fields, plans) = (names.fields, Plans::default());
        Self {
            rules,
            quiet: correlation::quiet_correlations(&correlations),
            taking_part: correlation::taking_part(&correlations),
            correlations,
            version,
            fields,
            slots,
            keywords,
            routes,
            plans,
            everywhere,
            unclaimed,
            table,
        }
    }

    /// The rules for events of these routes.
    pub(super) fn rules_of(&self, routes: &[u32]) -> Vec<PlanRule> {
        let of_route = |route: &u32| {
            let rules = &self.routes[*route as usize].rules;
            let route = Some(*route);
            rules.iter().map(move |rule| PlanRule { rule: *rule, route })
        };
        let mut rules: Vec<PlanRule> = routes.iter().flat_map(of_route).collect();
        let unclaimed = if routes.is_empty() { self.unclaimed.as_slice() } else { &[] };
        let anywhere = unclaimed.iter().chain(&self.everywhere);
        rules.extend(anywhere.map(|rule| PlanRule { rule: *rule, route: None }));
        rules
    }

    /// The rules, in the order of their files.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The correlations; none takes part in one before it.
    pub fn correlations(&self) -> &[Correlation] {
        &self.correlations
    }

    /// What the rules say of themselves, and behind them the correlations, each with its file.
    pub fn heads(&self) -> impl Iterator<Item = (&Metadata, &str)> {
        let rules = self.rules.iter().map(|rule| (rule.metadata(), rule.path()));
        rules.chain(self.correlations.iter().map(|one| (one.metadata(), one.path())))
    }

    /// Whether matches of a correlation give signals, or only take part in others.
    pub fn gives_signals(&self, correlation: u32) -> bool {
        !self.quiet.contains(&correlation)
    }

    /// The correlations that a rule takes part in, and as which of their rules.
    pub(super) fn taking_part(&self, of: BaseRef) -> &[(u32, u8)] {
        self.taking_part.get(&of).map_or(&[], Vec::as_slice)
    }

    /// Hash of what the rules and the routing table say, in hexadecimal. Where files stand, their
    /// order, comments and spelling do not count.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A matcher with buffers of its own.
    pub fn matcher(self: &Arc<Self>) -> Matcher {
        Matcher::new(Arc::clone(self))
    }

    pub(super) fn alternative(&self, route: &Route) -> &Alternative {
        let (entry, alternative) = route.place;
        &self.table.entries[entry].alternatives[alternative]
    }
}

fn version(
    rules: &[Rule],
    correlations: &[Correlation],
    table: &Table,
    placeholders: &Placeholders,
) -> String {
    let correlations = correlations.iter().map(Correlation::hash);
    let mut contents: Vec<_> = rules.iter().map(|rule| rule.hash).chain(correlations).collect();
    contents.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    hasher.update(ENGINE_VERSION);
    hasher.update(&table.hash);
    for content in &contents {
        hasher.update(content);
    }
    // With their number before them, lists that differ cannot read alike.
    for (name, values) in placeholders {
        for text in std::iter::once(name).chain(values) {
            hasher.update(&(values.len() as u64).to_le_bytes());
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

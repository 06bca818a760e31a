//! What data must have for rules to see anything: events of their log sources, and their fields.

use bigsec_event::FieldSource;

use super::matcher::Matcher;
use super::names::FieldId;
use super::rule::Rule;
use super::rule_set::RuleSet;
use super::test::{FieldItem, Node, Test};

/// Looks at events for what rules ask of them.
#[derive(Debug)]
pub struct Survey {
    matcher: Matcher,
    /// One for each way to know a log source, then those for events that no entry claims and for
    /// all events.
    groups: Vec<Group>,
}

/// The events for some rules.
#[derive(Debug, Default)]
struct Group {
    rules: Vec<u32>,
    events: u64,
    /// Fields of its rules that no event had so far.
    unseen: Vec<FieldId>,
}

/// What the data have for one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fed {
    /// Events of the rule's log source.
    pub events: u64,
    /// Fields of the rule that none of them has, as the rule names them.
    pub missing: Vec<String>,
}

impl Survey {
    /// A survey of no events as yet.
    pub fn new(matcher: Matcher) -> Self {
        let rules = matcher.rules();
        let of_routes = rules.routes.iter().map(|route| &route.rules);
        let groups = of_routes.chain([&rules.unclaimed, &rules.everywhere]);
        let groups = groups.map(|indices| Group::new(rules, indices)).collect();
        Self { matcher, groups }
    }

    /// Looks at an event.
    pub fn look(&mut self, source: &dyn FieldSource) {
        let Self { matcher, groups } = self;
        let rules = matcher.begin();
        let mut claimed = false;
        for (route, group) in rules.routes.iter().zip(&mut *groups) {
            if matcher.belongs(&rules, rules.alternative(route), source) {
                claimed = true;
                let mut event = matcher.event(&rules, &route.view, source);
                group.see(|field| !event.values(field).is_empty());
            }
        }
        let [.., unclaimed, everywhere] = groups.as_mut_slice() else { return };
        let mut event = matcher.event(&rules, &None, source);
        if !claimed {
            unclaimed.see(|field| !event.values(field).is_empty());
        }
        everywhere.see(|field| !event.values(field).is_empty());
    }

    /// What there is for each rule, by its place in [`RuleSet::rules`].
    pub fn fed(&self) -> Vec<Fed> {
        let rules = self.matcher.rules();
        let names = rules.fields.names();
        let of_rule = |(index, rule): (usize, &Rule)| {
            let own = |group: &&Group| {
                group.events > 0 && group.rules.binary_search(&(index as u32)).is_ok()
            };
            let groups: Vec<_> = self.groups.iter().filter(own).collect();
            let is_missing = |field: &FieldId| {
                !groups.is_empty()
                    && groups.iter().all(|group| group.unseen.binary_search(field).is_ok())
            };
            let missing = fields_of(rule).into_iter().filter(is_missing);
            let missing = missing.filter_map(|field| names.get(field as usize));
            Fed {
                events: groups.iter().map(|group| group.events).sum(),
                missing: missing.map(|name| name.as_str().to_owned()).collect(),
            }
        };
        rules.rules().iter().enumerate().map(of_rule).collect()
    }
}

impl Group {
    fn new(rules: &RuleSet, indices: &[u32]) -> Self {
        let fields = indices.iter().flat_map(|index| fields_of(&rules.rules()[*index as usize]));
        let mut unseen: Vec<FieldId> = fields.collect();
        unseen.sort_unstable();
        unseen.dedup();
        Self { rules: indices.to_vec(), events: 0, unseen }
    }

    fn see(&mut self, mut has: impl FnMut(FieldId) -> bool) {
        if !self.rules.is_empty() {
            self.events += 1;
            self.unseen.retain(|field| !has(*field));
        }
    }
}

/// The fields that a rule tests, each once.
fn fields_of(rule: &Rule) -> Vec<FieldId> {
    let mut fields = Vec::new();
    for (_, selection) in &rule.detection.selections {
        add_fields(selection, &mut fields);
    }
    add_fields(&rule.detection.condition, &mut fields);
    fields.sort_unstable();
    fields.dedup();
    fields
}

fn add_fields(node: &Node, fields: &mut Vec<FieldId>) {
    match node {
        Node::All(nodes) | Node::Any(nodes) | Node::AtLeast(_, nodes) => {
            for node in nodes {
                add_fields(node, fields);
            }
        }
        Node::Not(node) => add_fields(node, fields),
        Node::Field(FieldItem { field, values, .. }) => {
            fields.push(*field);
            fields.extend(values.iter().flatten().filter_map(|test| match test {
                Test::Field { other, .. } => Some(*other),
                _ => None,
            }));
        }
        Node::Selection(_) | Node::Keywords(_) => {}
    }
}

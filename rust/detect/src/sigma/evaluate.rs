//! Answers the questions of a rule about one event.

use std::ops::Range;

use bigsec_event::{FieldSource, Kind};

use super::cache::{Cache, Cached};
use super::engine::Gathered;
use super::keyword::KeywordIndex;
use super::names::FieldId;
use super::network;
use super::number::Number;
use super::slot::{SlotId, Slots, slot_of};
use super::test::{FieldItem, KeywordItem, Node, Test};

/// One event, and what is needed to ask about it.
pub(super) struct Event<'e> {
    pub source: &'e dyn FieldSource,
    /// Where its fields are, if it is a record that was gone over.
    pub gathered: Option<&'e Gathered>,
    pub slots: &'e Slots,
    pub keywords: &'e KeywordIndex,
    pub cache: &'e mut Cache,
    pub view: Option<&'e [SlotId]>,
}

impl Event<'_> {
    /// True where `node` holds; `selections` are those of its rule.
    pub fn holds(&mut self, node: &Node, selections: &[(String, Node)]) -> bool {
        match node {
            Node::All(nodes) => nodes.iter().all(|node| self.holds(node, selections)),
            Node::Any(nodes) => nodes.iter().any(|node| self.holds(node, selections)),
            Node::AtLeast(count, nodes) => {
                let held = nodes.iter().filter(|node| self.holds(node, selections));
                held.take(*count).count() == *count
            }
            Node::Not(node) => !self.holds(node, selections),
            Node::Selection(index) => self.holds(&selections[*index].1, selections),
            Node::Field(item) => self.field(item),
            Node::Keywords(item) => self.keyword(item),
        }
    }

    fn field(&mut self, item: &FieldItem) -> bool {
        let values = self.values(item.field);
        let mut value = |tests: &Vec<Test>| tests.iter().any(|test| self.test(test, &values));
        let met = if item.written.all {
            item.values.iter().all(&mut value)
        } else {
            item.values.iter().any(&mut value)
        };
        met != item.written.negated
    }

    /// Where the cache has the values of a field.
    pub fn values(&mut self, field: FieldId) -> Range<usize> {
        let slot = slot_of(self.view, field);
        self.cache.load(slot, self.slots, self.source, self.gathered)
    }

    fn keyword(&mut self, item: &KeywordItem) -> bool {
        let generation = self.cache.generation();
        let state = &mut self.cache.keywords;
        let mut value = |ids: &Vec<u32>| {
            ids.iter().any(|id| self.keywords.holds(*id, self.source, state, generation))
        };
        let met = if item.written.all {
            item.values.iter().all(&mut value)
        } else {
            item.values.iter().any(&mut value)
        };
        met != item.written.negated
    }

    /// True where any of the values passes the test.
    pub fn test(&mut self, test: &Test, values: &Range<usize>) -> bool {
        let other = if let Test::Field { other, .. } = test { self.values(*other) } else { 0..0 };
        let cache = &*self.cache;
        let values = cache.values(values.clone());
        match test {
            Test::Null => values.is_empty() || values.iter().any(|value| value.kind == Kind::Null),
            Test::Exists(wanted) => values.is_empty() != *wanted,
            _ => values
                .iter()
                .filter(|value| value.kind.has_text())
                .any(|value| passes(test, cache, value, cache.values(other.clone()))),
        }
    }
}

fn passes(test: &Test, cache: &Cache, value: &Cached, others: &[Cached]) -> bool {
    match test {
        Test::Text(glob) => {
            glob.matches(if glob.cased { cache.text(value) } else { cache.folded(value) })
        }
        Test::Number(written, number) => {
            let own = cache.folded(value);
            own == &**written || Number::read(own).is_some_and(|own| own.equals(*number))
        }
        Test::Bool(wanted) => cache.folded(value) == if *wanted { "true" } else { "false" },
        Test::Regex(regex) => regex.is_match(cache.text(value)),
        Test::Network(network) => network::has(cache.text(value), network),
        Test::Compare(comparison, bound) => {
            Number::read(cache.text(value)).is_some_and(|own| comparison.holds(own, *bound))
        }
        Test::Time(part, comparison, bound) => part
            .of(cache.text(value))
            .is_some_and(|own| comparison.holds(Number::Integer(own), *bound)),
        Test::Field { starts, ends, .. } => {
            let own = cache.folded(value);
            others.iter().filter(|other| other.kind.has_text()).any(|other| {
                let other = cache.folded(other);
                match (starts, ends) {
                    (false, false) => own == other,
                    (true, false) => own.starts_with(other),
                    (false, true) => own.ends_with(other),
                    (true, true) => own.contains(other),
                }
            })
        }
        // Both are asked of the field as a whole.
        Test::Null | Test::Exists(_) => false,
    }
}

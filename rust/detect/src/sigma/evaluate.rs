//! Answers the questions of a rule about one event.

use std::net::IpAddr;
use std::ops::Range;

use bigsec_event::{FieldSource, Kind};
use ipnet::IpNet;

use super::cache::{Cache, Cached};
use super::keyword::KeywordIndex;
use super::names::FieldId;
use super::number::Number;
use super::slot::{SlotId, Slots, slot_of};
use super::test::{FieldItem, KeywordItem, Node, Test};

/// One event, and what is needed to ask about it.
pub(super) struct Event<'e> {
    pub source: &'e dyn FieldSource,
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
        self.cache.load(slot_of(self.view, field), self.slots, self.source)
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
        Test::Network(network) => in_network(cache.text(value), network),
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

/// An address may have a zone, and an IPv4 one may be written as IPv6.
fn in_network(text: &str, network: &IpNet) -> bool {
    let text = text.trim();
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    let Ok(address) = text.parse::<IpAddr>() else { return false };
    network.contains(&address) || network.contains(&address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_networks_however_written() {
        let network = |text: &str| text.parse::<IpNet>().unwrap();
        for (address, of, expected) in [
            ("192.0.2.7", "192.0.2.0/24", true),
            ("::ffff:192.0.2.7", "192.0.2.0/24", true),
            ("192.0.3.7", "192.0.2.0/24", false),
            ("fe80::1%12", "fe80::/10", true),
            ("192.0.2.7:80", "192.0.2.0/24", false),
            ("host", "0.0.0.0/0", false),
            ("::1", "0.0.0.0/0", false),
        ] {
            assert_eq!(in_network(address, &network(of)), expected, "{address} in {of}");
        }
    }
}

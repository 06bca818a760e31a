//! Which log sources an event belongs to, looked up by the few fields that decide it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bigsec_event::{FieldSource, Kind, Record};

use super::super::names::{FieldId, FieldTable};
use super::super::rule_set::RuleSet;
use super::super::test::{Node, Test};
use super::memo::mix;
use super::plan::PlanList;

/// Places of a table of plans.
const PLACES: usize = 1 << 12;
/// A longer key is not kept.
const KEY_BYTES_MAX: usize = 1024;

/// Where the fields of a record are that rules speak of.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Ids by the hash of a field's name, at the first free place from the hash on.
    ids: Vec<Option<(u64, FieldId)>>,
    generation: u64,
    /// For each field the event that had it last, its first place in it, and its last.
    places: Vec<(u64, u32, u32)>,
    /// For each place the next one of the same field.
    next: Vec<u32>,
}

/// No further place.
const NONE: u32 = u32::MAX;

impl Gathered {
    /// Knows the fields of a table.
    pub fn new(fields: &FieldTable) -> Self {
        let mut ids = vec![None; (fields.names().len() * 4).next_power_of_two().max(8)];
        for (id, name) in fields.names().iter().enumerate() {
            let mut at = name.hash() as usize & (ids.len() - 1);
            while ids[at].is_some() {
                at = (at + 1) & (ids.len() - 1);
            }
            ids[at] = Some((name.hash(), id as FieldId));
        }
        Self { ids, places: vec![(0, NONE, NONE); fields.names().len()], ..Self::default() }
    }

    /// Goes over a record once.
    pub fn read(&mut self, record: &Record, fields: &FieldTable) {
        self.generation += 1;
        self.next.clear();
        self.next.resize(record.len(), NONE);
        for index in 0..record.len() {
            let Some(id) = self.id(record, index, fields) else { continue };
            let place = &mut self.places[id as usize];
            let at = index as u32;
            if place.0 == self.generation {
                self.next[place.2 as usize] = at;
                place.2 = at;
            } else {
                *place = (self.generation, at, at);
            }
        }
    }

    /// The field at a place of the record, if rules speak of it.
    fn id(&self, record: &Record, index: usize, fields: &FieldTable) -> Option<FieldId> {
        let hash = record.name_hash(index);
        let mut at = hash as usize & (self.ids.len() - 1);
        while let Some((known, id)) = self.ids[at] {
            if known == hash && fields.names()[id as usize].is(record.field(index).0) {
                return Some(id);
            }
            at = (at + 1) & (self.ids.len() - 1);
        }
        None
    }

    /// The places of a field in the record, in its order.
    pub fn fields(&self, field: FieldId) -> impl Iterator<Item = usize> {
        let first = self.places.get(field as usize).filter(|place| place.0 == self.generation);
        let mut at = first.map_or(NONE, |place| place.1);
        std::iter::from_fn(move || {
            let here = (at != NONE).then_some(at as usize)?;
            at = self.next[here];
            Some(here)
        })
    }
}

/// What of a field decides a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Matters {
    /// Whether it is there, and null.
    Presence,
    Value,
}

/// The routes that events of one parser can have, and what has been found of them.
#[derive(Debug)]
struct ParserRoutes {
    parser: Arc<str>,
    routes: Vec<u32>,
    deciding: Vec<(FieldId, Matters)>,
    /// Keywords decide too, so nothing can be kept.
    by_keywords: bool,
    places: Vec<(u64, Vec<u8>, Option<PlanList>)>,
}

/// The routing of one thread.
#[derive(Debug, Default)]
pub struct Router {
    parsers: Vec<ParserRoutes>,
    key: Vec<u8>,
}

impl Router {
    /// The plans for an event; `holds` says whether it belongs to a route.
    pub fn plans(
        &mut self,
        set: &RuleSet,
        source: &dyn FieldSource,
        gathered: &Gathered,
        mut holds: impl FnMut(u32) -> bool,
    ) -> PlanList {
        let parser = source.parser();
        let known = self.parsers.iter().position(|one| *one.parser == *parser);
        let at = known.unwrap_or_else(|| {
            self.parsers.push(ParserRoutes::new(parser, set));
            self.parsers.len() - 1
        });
        let routes = &mut self.parsers[at];
        let is_short =
            !routes.by_keywords && routes.write_key(set, source, gathered, &mut self.key);
        let hash = hash(&self.key);
        let place = hash as usize % PLACES;
        if is_short
            && let Some((known, key, Some(plans))) = routes.places.get(place)
            && *known == hash
            && *key == self.key
        {
            return Arc::clone(plans);
        }
        let found: Vec<u32> = routes.routes.iter().copied().filter(|route| holds(*route)).collect();
        let plans = set.plans.of(&found, set);
        if is_short {
            if routes.places.is_empty() {
                routes.places.resize(PLACES, (0, Vec::new(), None));
            }
            let place = &mut routes.places[place];
            (place.0, place.2) = (hash, Some(Arc::clone(&plans)));
            place.1.clone_from(&self.key);
        }
        plans
    }
}

impl ParserRoutes {
    fn new(parser: &str, set: &RuleSet) -> Self {
        let mut deciding: HashMap<FieldId, Matters> = HashMap::new();
        let (mut routes, mut by_keywords) = (Vec::new(), false);
        for (index, route) in set.routes.iter().enumerate() {
            let alternative = set.alternative(route);
            let parsers = &alternative.parsers;
            if !parsers.is_empty() && !parsers.iter().any(|one| one == parser) {
                continue;
            }
            routes.push(index as u32);
            if let Some(predicate) = &alternative.predicate {
                by_keywords |= decide(predicate, &mut deciding);
            }
        }
        let deciding: BTreeSet<_> = deciding.into_iter().collect();
        let deciding = deciding.into_iter().collect();
        Self { parser: parser.into(), routes, deciding, by_keywords, places: Vec::new() }
    }

    /// Writes what decides the routes of an event; false where it is too long to be kept.
    fn write_key(
        &self,
        set: &RuleSet,
        source: &dyn FieldSource,
        gathered: &Gathered,
        key: &mut Vec<u8>,
    ) -> bool {
        key.clear();
        let record = source.as_record();
        let mut is_short = true;
        for (at, (field, matters)) in self.deciding.iter().enumerate() {
            let mut write = |kind: Kind, text: &str| {
                let length = if *matters == Matters::Value { text.len() } else { 0 };
                is_short &= key.len() + length <= KEY_BYTES_MAX;
                if !is_short {
                    return;
                }
                key.extend_from_slice(&(at as u16).to_le_bytes());
                key.push(kind as u8);
                if *matters == Matters::Value {
                    key.extend_from_slice(&(text.len() as u32).to_le_bytes());
                    key.extend_from_slice(text.as_bytes());
                }
            };
            if let Some(record) = record {
                for index in gathered.fields(*field) {
                    let value = record.field(index).1;
                    write(value.kind, value.text);
                }
            } else {
                source.visit(&set.fields.names()[*field as usize], &mut |value| {
                    write(value.kind, value.text);
                    false
                });
            }
            if !is_short {
                return false;
            }
        }
        true
    }
}

/// Adds the fields that decide a predicate; true where keywords do.
fn decide(node: &Node, deciding: &mut HashMap<FieldId, Matters>) -> bool {
    match node {
        Node::All(nodes) | Node::Any(nodes) | Node::AtLeast(_, nodes) => {
            nodes.iter().fold(false, |found, node| found | decide(node, deciding))
        }
        Node::Not(node) => decide(node, deciding),
        Node::Selection(_) | Node::Keywords(_) => true,
        Node::Field(item) => {
            let mut add = |field, matters| {
                let known = deciding.entry(field).or_insert(matters);
                *known = (*known).max(matters);
            };
            for test in item.values.iter().flatten() {
                match test {
                    Test::Null | Test::Exists(_) => add(item.field, Matters::Presence),
                    Test::Field { other, .. } => {
                        add(item.field, Matters::Value);
                        add(*other, Matters::Value);
                    }
                    _ => add(item.field, Matters::Value),
                }
            }
            false
        }
    }
}

fn hash(key: &[u8]) -> u64 {
    let mut chunks = key.chunks_exact(8);
    let mut hash = key.len() as u64;
    for chunk in &mut chunks {
        hash = mix(hash, u64::from_le_bytes(chunk.try_into().expect("a chunk has eight bytes")));
    }
    let mut last = [0; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    mix(hash, u64::from_le_bytes(last))
}

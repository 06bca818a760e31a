//! The rules for one set of log sources, ready to be narrowed down to candidates.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use bigsec_event::{FieldSource, Kind, Record};

use super::super::cache::Cache;
use super::super::rule_set::RuleSet;
use super::super::slot::{Slot, SlotId, View};
use super::bits::{self, Sparse};
use super::clause::{ANY_TEXT, Clause, Need, clauses};
use super::memo::{Memo, Verdict, mix};
use super::route::Gathered;
use super::slot_index::{Layers, LiteralSets, Posting, Seen, SlotIndex};
use crate::fold::fold_into;

/// Clauses of one rule that one slot alone meets; further ones are left out.
const OWN_LAYERS_MAX: usize = 6;
/// Clauses of one rule that several slots may meet; further ones are left out.
const SHARED_LAYERS_MAX: usize = 4;

/// Sets of routes that have a plan of their own. Whoever writes events chooses their routes, too:
/// past this, an event of several routes is tried with the plan of each.
const PLANS_MAX: usize = 512;

/// Longer values are not looked up: they are rarely the same, and to hash them takes long, too.
const KEPT_BYTES_MAX: usize = 8192;

/// A rule, and where its fields are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanRule {
    /// Its place in the rule set.
    pub rule: u32,
    /// The route whose view counts; nothing for one that every field answers for itself.
    pub route: Option<u32>,
}

/// The rules for one set of log sources.
#[derive(Debug)]
pub struct Plan {
    /// Tells plans apart in the memo.
    number: u64,
    rules: Vec<PlanRule>,
    slots: Vec<PlanSlot>,
    /// Keywords, which any text of an event may have.
    any_text: Option<PlanSlot>,
    /// For each layer of clauses of several slots, the rules that have none.
    without: Vec<Vec<u64>>,
    all: Vec<u64>,
}

#[derive(Debug)]
struct PlanSlot {
    slot: SlotId,
    index: SlotIndex,
    /// The rules that have a clause here: where none of them is left, the slot need not be read.
    rules: Sparse,
    /// What it means that there is no value, a null, an empty list or object, or a value that
    /// meets nothing.
    missing: Verdict,
    null: Verdict,
    empty: Verdict,
    unmet: Verdict,
}

/// Buffers of one thread, and the rules that were found.
#[derive(Debug, Default)]
pub struct Narrowing {
    /// Rules whose clauses an event meets all.
    pub found: Vec<PlanRule>,
    candidates: Vec<u64>,
    shared: Vec<u64>,
    layers: Layers,
    folded: String,
}

/// The plans of a rule set by the routes they are for; made when an event first needs one.
#[derive(Debug, Default)]
pub struct Plans {
    by_routes: RwLock<HashMap<Box<[u32]>, PlanList>>,
    literals: LiteralSets,
}

/// The plans that an event is tried with: one, but for rare sets of routes.
pub type PlanList = Arc<[Arc<Plan>]>;

impl Plans {
    /// The plans for events of these routes, in ascending order.
    pub fn of(&self, routes: &[u32], set: &RuleSet) -> PlanList {
        let known = self.by_routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(plans) = known.get(routes) {
            return Arc::clone(plans);
        }
        drop(known);
        let mut known = self.by_routes.write().unwrap_or_else(PoisonError::into_inner);
        let number = known.len();
        if number >= PLANS_MAX && routes.len() > 1 {
            drop(known);
            return routes.iter().map(|route| Arc::clone(&self.of(&[*route], set)[0])).collect();
        }
        let plans = known.entry(routes.into()).or_insert_with(|| {
            let rules = set.rules_of(routes);
            Arc::new([Arc::new(Plan::new(number as u64, rules, set, &self.literals))])
        });
        Arc::clone(plans)
    }
}

/// The clauses of the rules, by where they are met.
#[derive(Default)]
struct Sorted {
    /// For each slot its needs; a posting's layer counts own layers, then shared ones.
    own: BTreeMap<SlotId, Vec<(u32, Clause)>>,
    shared: Vec<(u32, Clause)>,
}

impl Plan {
    fn new(number: u64, rules: Vec<PlanRule>, set: &RuleSet, literals: &LiteralSets) -> Self {
        let all = bits::full(rules.len());
        let mut sorted = Sorted::default();
        for (at, rule) in rules.iter().enumerate() {
            let detection = &set.rules()[rule.rule as usize].detection;
            let view = set.view(*rule);
            let (condition, selections) = (&detection.condition, &detection.selections);
            for clause in clauses(condition, selections, view, &set.keywords) {
                match clause.slot().filter(|slot| *slot != ANY_TEXT) {
                    Some(slot) => sorted.own.entry(slot).or_default().push((at as u32, clause)),
                    None => sorted.shared.push((at as u32, clause)),
                }
            }
        }
        let (mut slots, without) = sorted.index(&all, literals);
        let any_text = slots.remove(&ANY_TEXT);
        let any_text = any_text.map(|index| PlanSlot::new(ANY_TEXT, index, &all));
        let slots = slots.into_iter().map(|(slot, index)| PlanSlot::new(slot, index, &all));
        let mut slots: Vec<PlanSlot> = slots.collect();
        // Those first that can rule out most, so that others are rarely read.
        slots.sort_by_key(|slot| Reverse(slot.rules.len()));
        Self { number, rules, slots, any_text, without, all }
    }

    /// Finds the rules whose clauses an event meets all.
    pub fn narrow(
        &self,
        gathered: &Gathered,
        source: &dyn FieldSource,
        set: &RuleSet,
        cache: &mut Cache,
        memo: &mut Memo,
        narrowing: &mut Narrowing,
    ) {
        let words = self.all.len();
        let Narrowing { found, candidates, shared, layers, folded } = narrowing;
        candidates.clear();
        candidates.extend_from_slice(&self.all);
        shared.clear();
        shared.resize(self.without.len() * words, 0);
        let mut combined = Combined { candidates, shared, words };
        for (at, slot) in self.slots.iter().enumerate() {
            if !slot.rules.meets(combined.candidates) {
                continue;
            }
            let key = mix(self.number, at as u64 + 1);
            let mut reading = Reading { slot, all: &self.all, key, memo, layers, folded };
            let place = &set.slots.list[slot.slot as usize];
            if let (Slot::Field(_), Some(record)) = (place, source.as_record()) {
                reading.record(record, gathered, slot.slot, &mut combined);
            } else {
                let values = cache.load(slot.slot, &set.slots, source, Some(gathered));
                reading.cached(cache, values, &mut combined);
            }
        }
        let any_text = self.any_text.as_ref();
        if let Some(slot) = any_text.filter(|slot| slot.rules.meets(combined.candidates)) {
            let key = mix(self.number, 0);
            let mut reading = Reading { slot, all: &self.all, key, memo, layers, folded };
            let record = source.as_record();
            if record.is_some_and(|record| slot.index.rejects_record(record, reading.folded)) {
                combined.take(&slot.unmet);
            } else {
                let texts = cache.folded_texts(source);
                if slot.index.rejects(texts.all()) {
                    combined.take(&slot.unmet);
                } else {
                    texts.each().for_each(|text| reading.text(text, &mut combined));
                }
            }
        }
        for (layer, without) in self.without.iter().enumerate() {
            let met = &combined.shared[layer * words..(layer + 1) * words];
            bits::keep_either(combined.candidates, met, without);
        }
        found.clear();
        found.extend(bits::rules(candidates).map(|rule| self.rules[rule as usize]));
    }
}

impl Sorted {
    /// Gives each clause its layer, and makes the index of each slot.
    fn index(
        self,
        all: &[u64],
        literals: &LiteralSets,
    ) -> (BTreeMap<SlotId, SlotIndex>, Vec<Vec<u64>>) {
        let mut without: Vec<Vec<u64>> = Vec::new();
        let mut shared: HashMap<SlotId, Vec<(Need, Posting)>> = HashMap::new();
        for (rule, clause) in &self.shared {
            let Some(layer) = layer_for(*rule, &mut without, all, SHARED_LAYERS_MAX) else {
                continue;
            };
            for atom in &clause.atoms {
                let posting = (layer, *rule);
                shared.entry(atom.slot).or_default().push((atom.need.clone(), posting));
            }
        }
        let mut slots: BTreeMap<SlotId, Vec<(u32, Clause)>> = self.own;
        for slot in shared.keys() {
            slots.entry(*slot).or_default();
        }
        let index = |(slot, own): (SlotId, Vec<(u32, Clause)>)| {
            let mut needs: HashMap<Need, Vec<Posting>> = HashMap::new();
            let mut own_without: Vec<Vec<u64>> = Vec::new();
            for (rule, clause) in own {
                let Some(layer) = layer_for(rule, &mut own_without, all, OWN_LAYERS_MAX) else {
                    continue;
                };
                for atom in clause.atoms {
                    needs.entry(atom.need).or_default().push((layer, rule));
                }
            }
            for (need, (layer, rule)) in shared.remove(&slot).unwrap_or_default() {
                let layer = own_without.len() as u8 + layer;
                needs.entry(need).or_default().push((layer, rule));
            }
            (slot, SlotIndex::new(needs, own_without, without.len(), literals))
        };
        (slots.into_iter().map(index).collect(), without)
    }
}

/// The first layer in which the rule has no clause yet; nothing where it has one in all.
fn layer_for(rule: u32, without: &mut Vec<Vec<u64>>, all: &[u64], max: usize) -> Option<u8> {
    let is_free = |layer: &Vec<u64>| layer[rule as usize / 64] & 1 << (rule % 64) != 0;
    let layer = without.iter().position(is_free).unwrap_or(without.len());
    if layer == max {
        return None;
    }
    if layer == without.len() {
        without.push(all.to_vec());
    }
    bits::clear(&mut without[layer], rule);
    Some(layer as u8)
}

impl PlanSlot {
    fn new(slot: SlotId, index: SlotIndex, all: &[u64]) -> Self {
        let mut layers = Layers::default();
        let mut judge = |see: &dyn Fn(&mut Layers)| {
            layers.begin(index.layers, all.len());
            see(&mut layers);
            verdict(&index, &layers, all)
        };
        let missing = judge(&|layers| index.see_nothing(layers));
        let null = judge(&|layers| index.see(Seen::Null, layers));
        let empty = judge(&|layers| index.see(Seen::Empty, layers));
        let unmet = judge(&|_| {});
        let rules = Sparse::new(&index.rules(all));
        Self { slot, index, rules, missing, null, empty, unmet }
    }
}

/// What layers mean for the rules.
fn verdict(index: &SlotIndex, layers: &Layers, all: &[u64]) -> Verdict {
    let own = index.without.len();
    let mut pass = all.to_vec();
    for (layer, without) in index.without.iter().enumerate() {
        bits::keep_either(&mut pass, layers.of(layer), without);
    }
    let is_met = |layer: &usize| layers.of(*layer).iter().any(|word| *word != 0);
    let shared = (own..index.layers).filter(is_met);
    let shared = shared.map(|layer| ((layer - own) as u8, layers.of(layer).into()));
    Verdict { pass: (pass != all).then(|| pass.into()), shared: shared.collect() }
}

/// What all slots mean together.
struct Combined<'n> {
    candidates: &'n mut Vec<u64>,
    shared: &'n mut Vec<u64>,
    words: usize,
}

impl Combined<'_> {
    fn take(&mut self, verdict: &Verdict) {
        if let Some(pass) = &verdict.pass {
            bits::keep(self.candidates, pass);
        }
        for (layer, met) in &verdict.shared {
            let begin = usize::from(*layer) * self.words;
            bits::add(&mut self.shared[begin..begin + self.words], met);
        }
    }
}

/// One slot of an event being read.
struct Reading<'p, 'n> {
    slot: &'p PlanSlot,
    all: &'p [u64],
    key: u64,
    memo: &'n mut Memo,
    layers: &'n mut Layers,
    folded: &'n mut String,
}

impl Reading<'_, '_> {
    fn record(
        &mut self,
        record: &Record,
        gathered: &Gathered,
        slot: SlotId,
        combined: &mut Combined<'_>,
    ) {
        let mut fields = gathered.fields(slot).map(|index| record.field(index).1);
        let Some(first) = fields.next() else { return combined.take(&self.slot.missing) };
        let Some(second) = fields.next() else {
            return self.one(first.kind, first.text, combined);
        };
        self.layers.begin(self.slot.index.layers, self.all.len());
        for value in [first, second].into_iter().chain(fields) {
            self.see(value.kind, value.text);
        }
        combined.take(&verdict(&self.slot.index, self.layers, self.all));
    }

    fn cached(
        &mut self,
        cache: &Cache,
        values: std::ops::Range<usize>,
        combined: &mut Combined<'_>,
    ) {
        match cache.values(values) {
            [] => combined.take(&self.slot.missing),
            [value] => self.one(value.kind, cache.text(value), combined),
            values => {
                self.layers.begin(self.slot.index.layers, self.all.len());
                for value in values {
                    self.see(value.kind, cache.text(value));
                }
                combined.take(&verdict(&self.slot.index, self.layers, self.all));
            }
        }
    }

    /// The only value of the slot.
    fn one(&mut self, kind: Kind, text: &str, combined: &mut Combined<'_>) {
        if !kind.has_text() {
            let is_null = kind == Kind::Null;
            return combined.take(if is_null { &self.slot.null } else { &self.slot.empty });
        }
        self.text(text, combined);
    }

    /// A text that is to be taken by itself.
    fn text(&mut self, text: &str, combined: &mut Combined<'_>) {
        let mark = (text.len() <= KEPT_BYTES_MAX).then(|| self.memo.mark(self.key, text));
        if let Some(known) = mark.and_then(|mark| self.memo.known(mark)) {
            return combined.take(known);
        }
        self.layers.begin(self.slot.index.layers, self.all.len());
        self.see(Kind::String, text);
        let made;
        let verdict = if self.layers.is_met {
            made = verdict(&self.slot.index, self.layers, self.all);
            &made
        } else {
            &self.slot.unmet
        };
        combined.take(verdict);
        if let Some(mark) = mark {
            self.memo.keep(mark, verdict);
        }
    }

    fn see(&mut self, kind: Kind, text: &str) {
        let seen = match kind {
            Kind::Null => Seen::Null,
            kind if kind.has_text() => {
                self.folded.clear();
                fold_into(text, self.folded);
                Seen::Text(self.folded)
            }
            _ => Seen::Empty,
        };
        self.slot.index.see(seen, self.layers);
    }
}

impl RuleSet {
    fn view(&self, rule: PlanRule) -> &View {
        match rule.route {
            Some(route) => &self.routes[route as usize].view,
            None => &None,
        }
    }
}

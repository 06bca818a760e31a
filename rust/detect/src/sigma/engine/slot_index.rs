//! Finds which needs of one slot its values meet, and which rules are thereby still possible.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bigsec_event::Record;

use super::super::number::Number;
use super::bits;
use super::clause::{Need, number_bits};
use super::literals::Literals;
use crate::fold::fold_ascii_into;

/// A buffer that one huge event has grown beyond this is given back.
const KEPT_BYTES: usize = 4 << 20;

/// A rule's clause as the slot knows it: the layer it is of, and the rule.
pub type Posting = (u8, u32);

/// Where in the value a literal must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Start,
    End,
    Anywhere,
}

/// What of one value, or of none, is known: for each layer the rules whose clause it meets.
///
/// The first layers are those of clauses that this slot alone meets, each rule's first, second and
/// so on; the others those of clauses that several slots may meet.
#[derive(Debug, Default)]
pub struct Layers {
    words: usize,
    bits: Vec<u64>,
    /// Some bit is set.
    pub is_met: bool,
}

impl Layers {
    /// Empty layers.
    pub fn begin(&mut self, layers: usize, words: usize) {
        (self.words, self.is_met) = (words, false);
        self.bits.clear();
        self.bits.resize(layers * words, 0);
    }

    fn meet(&mut self, postings: &[Posting]) {
        self.is_met |= !postings.is_empty();
        for (layer, rule) in postings {
            let begin = usize::from(*layer) * self.words;
            bits::set(&mut self.bits[begin..begin + self.words], *rule);
        }
    }

    /// The rules of a layer.
    pub fn of(&self, layer: usize) -> &[u64] {
        &self.bits[layer * self.words..(layer + 1) * self.words]
    }
}

/// The needs of one slot.
#[derive(Debug, Default)]
pub struct SlotIndex {
    exact: HashMap<Box<str>, Vec<Posting>>,
    numbers: HashMap<u64, Vec<Posting>>,
    literals: Option<Arc<Literals>>,
    /// For each literal, what it meets and where it must stand.
    meets: Vec<Vec<(Place, Vec<Posting>)>>,
    text: Vec<Posting>,
    present: Vec<Posting>,
    missing: Vec<Posting>,
    null: Vec<Posting>,
    /// For each layer of clauses of this slot alone, the rules that have none.
    pub without: Vec<Vec<u64>>,
    /// Number of all layers.
    pub layers: usize,
}

/// Literals, and nothing where they are too many.
type Known = HashMap<Box<[Box<str>]>, Option<Arc<Literals>>>;

/// The literals of all plans: many plans have the same.
#[derive(Debug, Default)]
pub struct LiteralSets {
    known: Mutex<Known>,
}

impl LiteralSets {
    /// These literals, ready to be found; nothing where they are too many.
    fn of(&self, texts: Vec<Box<str>>) -> Option<Arc<Literals>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let made = known.entry(texts.clone().into());
        made.or_insert_with(|| Literals::new(texts).map(Arc::new)).clone()
    }
}

/// What a value is, as far as needs go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<'a> {
    /// A text, in lower case.
    Text(&'a str),
    /// Null.
    Null,
    /// An empty list or object.
    Empty,
}

impl SlotIndex {
    /// The rules that have a clause which this slot alone meets, or may meet.
    pub fn rules(&self, all: &[u64]) -> Vec<u64> {
        let mut rules = vec![0; all.len()];
        let lists = self.exact.values().chain(self.numbers.values());
        let literals = self.meets.iter().flatten().map(|(_, postings)| postings);
        let kinds = [&self.text, &self.present, &self.missing, &self.null];
        for (_, rule) in lists.chain(literals).chain(kinds).flatten() {
            bits::set(&mut rules, *rule);
        }
        for without in &self.without {
            rules.iter_mut().zip(without).zip(all).for_each(|((own, w), all)| *own |= all & !w);
        }
        rules
    }

    /// An index of needs with the clauses that they meet. Where there are too many literals each
    /// text meets all of them.
    pub fn new(
        needs: HashMap<Need, Vec<Posting>>,
        without: Vec<Vec<u64>>,
        shared_layers: usize,
        sets: &LiteralSets,
    ) -> Self {
        let layers = without.len() + shared_layers;
        let mut index = Self { without, layers, ..Self::default() };
        // In order, so that the same literals are the same set.
        let mut literals: BTreeMap<Box<str>, Vec<(Place, Vec<Posting>)>> = BTreeMap::new();
        let mut literal = |text: Box<str>, place, postings| {
            literals.entry(text).or_default().push((place, postings));
        };
        for (need, postings) in needs {
            match need {
                Need::Exact(text) => {
                    index.exact.insert(text, postings);
                }
                Need::Number(bits) => {
                    index.numbers.insert(bits, postings);
                }
                Need::Prefix(text) => literal(text, Place::Start, postings),
                Need::Suffix(text) => literal(text, Place::End, postings),
                Need::Within(text) => literal(text, Place::Anywhere, postings),
                Need::Text => index.text = postings,
                Need::Present => index.present = postings,
                Need::Missing => index.missing = postings,
                Need::Null => index.null = postings,
            }
        }
        let (texts, meets): (Vec<_>, Vec<_>) = literals.into_iter().unzip();
        if !texts.is_empty() {
            index.literals = sets.of(texts);
            index.meets = meets;
            if index.literals.is_none() {
                let all = index.meets.drain(..).flatten().flat_map(|(_, postings)| postings);
                index.text.extend(all);
            }
        }
        index
    }

    /// Adds what one value meets.
    pub fn see(&self, value: Seen<'_>, layers: &mut Layers) {
        layers.meet(&self.present);
        match value {
            Seen::Text(text) => self.see_text(text, layers),
            Seen::Null => layers.meet(&self.null),
            Seen::Empty => {}
        }
    }

    /// True where no part of the text, in lower case, can meet the need of a literal.
    pub fn rejects(&self, text: &str) -> bool {
        self.literals.as_ref().is_some_and(|literals| literals.rejects(text))
    }

    /// True where certainly no text of the record can meet the need of a literal. All its texts are
    /// gone over at once, as they lie in the record; names and what stands between them, too.
    pub fn rejects_record(&self, record: &Record, folded: &mut String) -> bool {
        let Some(literals) = self.literals.as_ref().filter(|one| one.is_ascii) else {
            return false;
        };
        folded.clear();
        folded.shrink_to(KEPT_BYTES);
        let is_sure = record.buffers().iter().all(|text| fold_ascii_into(text, folded));
        is_sure && literals.rejects(folded)
    }

    /// What it meets that there is no value.
    pub fn see_nothing(&self, layers: &mut Layers) {
        layers.meet(&self.missing);
        layers.meet(&self.null);
    }

    fn see_text(&self, text: &str, layers: &mut Layers) {
        layers.meet(&self.text);
        if let Some(postings) = self.exact.get(text) {
            layers.meet(postings);
        }
        if !self.numbers.is_empty()
            && let Some(number) = Number::read(text)
            && let Some(postings) = self.numbers.get(&number_bits(number))
        {
            layers.meet(postings);
        }
        let Some(literals) = &self.literals else { return };
        literals.find(text, &mut |found| {
            for (place, postings) in &self.meets[found.literal as usize] {
                let stands = match place {
                    Place::Anywhere => true,
                    Place::Start => found.start == 0,
                    Place::End => found.end == text.len(),
                };
                if stands {
                    layers.meet(postings);
                }
            }
        });
    }
}

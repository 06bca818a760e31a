//! What must hold of an event so that a condition can: the needs of a rule.
//!
//! A condition becomes a list of clauses that must all be met, each by any of its needs. The list
//! follows from the condition and not the other way round: negations are left out, and of several
//! branches only what all of them share is kept.

use super::super::glob::Needed;
use super::super::keyword::KeywordIndex;
use super::super::number::Number;
use super::super::slot::{SlotId, View, slot_of};
use super::super::test::{FieldItem, KeywordItem, Node, Test};

/// What a slot must have, of some value, so that a clause is met.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Need {
    /// The whole value, in lower case.
    Exact(Box<str>),
    /// Its beginning.
    Prefix(Box<str>),
    /// Its end.
    Suffix(Box<str>),
    /// Some part.
    Within(Box<str>),
    /// A number equal to this: the bits of its nearest `f64`.
    Number(u64),
    /// A text of any kind.
    Text,
    /// Any value, null too.
    Present,
    /// No value.
    Missing,
    /// No value, or null.
    Null,
}

/// Stands for all texts of an event.
pub const ANY_TEXT: SlotId = SlotId::MAX;

/// A need of one slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Atom {
    pub slot: SlotId,
    pub need: Need,
}

/// Needs of which any suffices.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    pub atoms: Vec<Atom>,
    /// How often it is met, as far as that can be guessed: 0 never, 1 always.
    pub weight: f64,
}

/// More clauses of one rule are not kept.
const CLAUSES_MAX: usize = 12;
/// A clause that is met so often helps only a rule that has no other.
const IDLE: f64 = 0.5;

impl Clause {
    fn new(mut atoms: Vec<Atom>) -> Self {
        let mut seen = std::collections::HashSet::new();
        atoms.retain(|atom| seen.insert(atom.clone()));
        let weight = atoms.iter().map(|atom| atom.need.weight()).sum::<f64>().min(1.0);
        Self { atoms, weight }
    }

    /// The slot that all its needs are of.
    pub fn slot(&self) -> Option<SlotId> {
        let first = self.atoms.first()?.slot;
        self.atoms.iter().all(|atom| atom.slot == first).then_some(first)
    }
}

impl Need {
    /// Longer literals are rarer, whole values rarer than parts.
    fn weight(&self) -> f64 {
        let rare = |text: &str, base: f64| {
            let letters = text.chars().take(40);
            letters.fold(base, |weight, _| weight * 0.8)
        };
        match self {
            Self::Exact(text) => rare(text, 0.2),
            Self::Prefix(text) | Self::Suffix(text) => rare(text, 0.4),
            Self::Within(text) => rare(text, 0.6),
            Self::Number(_) => 0.1,
            Self::Text => 0.7,
            Self::Present => 0.8,
            Self::Missing | Self::Null => 0.6,
        }
    }
}

/// The clauses of a condition, the rarest first.
pub fn clauses(
    condition: &Node,
    selections: &[(String, Node)],
    view: &View,
    keywords: &KeywordIndex,
) -> Vec<Clause> {
    let lower = Lower { selections, view, keywords };
    let mut clauses = lower.node(condition);
    clauses.sort_by(|one, other| one.weight.total_cmp(&other.weight));
    clauses.dedup();
    if clauses.first().is_some_and(|first| first.weight < IDLE) {
        clauses.retain(|clause| clause.weight < IDLE);
    }
    clauses.truncate(CLAUSES_MAX);
    clauses
}

struct Lower<'a> {
    selections: &'a [(String, Node)],
    view: &'a View,
    keywords: &'a KeywordIndex,
}

impl Lower<'_> {
    fn node(&self, node: &Node) -> Vec<Clause> {
        match node {
            Node::All(nodes) => nodes.iter().flat_map(|node| self.node(node)).collect(),
            Node::AtLeast(0, _) | Node::Not(_) => Vec::new(),
            Node::Keywords(item) => self.keywords(item).unwrap_or_default(),
            Node::AtLeast(count, nodes) if *count >= nodes.len() => {
                nodes.iter().flat_map(|node| self.node(node)).collect()
            }
            Node::Any(nodes) | Node::AtLeast(_, nodes) => self.any(nodes),
            Node::Selection(index) => self.node(&self.selections[*index].1),
            Node::Field(item) => self.field(item),
        }
    }

    fn field(&self, item: &FieldItem) -> Vec<Clause> {
        if item.written.negated {
            return Vec::new();
        }
        let slot = slot_of(self.view.as_deref(), item.field);
        let needs = |tests: &Vec<Test>| {
            tests.iter().flat_map(needs).map(|need| Atom { slot, need }).collect::<Vec<_>>()
        };
        if item.written.all {
            item.values.iter().map(|tests| Clause::new(needs(tests))).collect()
        } else {
            vec![Clause::new(item.values.iter().flat_map(needs).collect())]
        }
    }

    /// Nothing where some keyword has no part that is known.
    fn keywords(&self, item: &KeywordItem) -> Option<Vec<Clause>> {
        if item.written.negated {
            return None;
        }
        let atom = |id: &u32| {
            let need = Need::Within(self.keywords.required(*id)?.into());
            Some(Atom { slot: ANY_TEXT, need })
        };
        let needs = |ids: &Vec<u32>| ids.iter().map(atom).collect::<Option<Vec<_>>>();
        if item.written.all {
            let clauses = item.values.iter().map(|ids| needs(ids).map(Clause::new));
            return Some(clauses.flatten().collect());
        }
        let any: Option<Vec<_>> = item.values.iter().map(needs).collect();
        Some(vec![Clause::new(any?.into_iter().flatten().collect())])
    }

    /// What all branches have in common: for each slot that each has a clause of, one of those
    /// together; and of each branch the rarest of all.
    fn any(&self, nodes: &[Node]) -> Vec<Clause> {
        let branches: Vec<Vec<Clause>> = nodes.iter().map(|node| self.node(node)).collect();
        if branches.iter().any(Vec::is_empty) {
            return Vec::new();
        }
        let Some((first, rest)) = branches.split_first() else {
            return vec![Clause::new(Vec::new())];
        };
        if rest.is_empty() {
            return first.clone();
        }
        let mut slots: Vec<SlotId> = first.iter().filter_map(Clause::slot).collect();
        slots.sort_unstable();
        slots.dedup();
        let of_slot = |slot| together(&branches, |clause| clause.slot() == Some(slot));
        let mut common: Vec<Clause> = slots.into_iter().filter_map(of_slot).collect();
        common.extend(together(&branches, |_| true).filter(|clause| !common.contains(clause)));
        common
    }
}

/// The rarest clause of each branch that fits, as one; nothing where a branch has none.
fn together(branches: &[Vec<Clause>], fits: impl Fn(&Clause) -> bool) -> Option<Clause> {
    let mut atoms = Vec::new();
    for branch in branches {
        let fitting = branch.iter().filter(|clause| fits(clause));
        let rarest = fitting.min_by(|one, other| one.weight.total_cmp(&other.weight))?;
        atoms.extend_from_slice(&rarest.atoms);
    }
    Some(Clause::new(atoms))
}

/// The needs of a test, of which any must be met.
fn needs(test: &Test) -> Vec<Need> {
    match test {
        Test::Text(glob) => vec![match glob.needed() {
            Needed::Exact(literal) => Need::Exact(literal),
            Needed::Prefix(literal) => Need::Prefix(literal),
            Needed::Suffix(literal) => Need::Suffix(literal),
            Needed::Within(literal) if literal.is_empty() => Need::Text,
            Needed::Within(literal) => Need::Within(literal),
        }],
        Test::Number(written, number) => {
            vec![Need::Exact(written.clone()), Need::Number(number_bits(*number))]
        }
        Test::Bool(wanted) => vec![Need::Exact(if *wanted { "true" } else { "false" }.into())],
        Test::Null => vec![Need::Null],
        Test::Exists(true) => vec![Need::Present],
        Test::Exists(false) => vec![Need::Missing],
        Test::Regex(_)
        | Test::Network(_)
        | Test::Compare(..)
        | Test::Time(..)
        | Test::Field { .. } => vec![Need::Text],
    }
}

/// The same for numbers that are equal.
pub fn number_bits(number: Number) -> u64 {
    // Adding zero makes the two zeros one.
    (number.real() + 0.0).to_bits()
}

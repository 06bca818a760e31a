//! The tree that a detection becomes: what is asked of an event, ready to be asked.

use ipnet::IpNet;
use regex::Regex;

use super::glob::Glob;
use super::names::{FieldId, KeywordId};
use super::number::{Comparison, Number};
use super::time_part::TimePart;

/// A question about an event.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    AtLeast(usize, Vec<Node>),
    Not(Box<Node>),
    /// A selection of the rule, by its place.
    Selection(usize),
    Field(FieldItem),
    Keywords(KeywordItem),
}

/// One line of a selection: a field and the values it may have.
#[derive(Debug, Clone)]
pub(crate) struct FieldItem {
    pub field: FieldId,
    /// Each value is met where one of its tests is; encodings give a value several.
    pub values: Vec<Vec<Test>>,
    pub written: Written,
}

/// Texts sought anywhere in the event.
#[derive(Debug, Clone)]
pub(crate) struct KeywordItem {
    pub values: Vec<Vec<KeywordId>>,
    pub written: Written,
}

/// How an item stands in the rule.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// Every value must be met, not one.
    pub all: bool,
    /// The item holds where its values are not met.
    pub negated: bool,
    pub line: u32,
    /// The key with its modifiers; empty for plain keywords.
    pub key: Box<str>,
    /// The values as written.
    pub values: Vec<Box<str>>,
}

/// One test of one value.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Text(Glob),
    /// The text as written, or the same number spelt otherwise.
    Number(Box<str>, Number),
    Bool(bool),
    /// The field is missing or its value is null.
    Null,
    Exists(bool),
    Regex(Box<Regex>),
    Network(IpNet),
    Compare(Comparison, Number),
    Time(TimePart, Comparison, Number),
    /// The field has the value of another field, or begins or ends with it, or (both) contains it.
    Field {
        other: FieldId,
        starts: bool,
        ends: bool,
    },
}

impl Test {
    fn cost(&self) -> u32 {
        match self {
            Self::Null | Self::Exists(_) | Self::Bool(_) => 1,
            Self::Text(glob) => glob.cost(),
            Self::Number(..) | Self::Compare(..) => 2,
            Self::Network(_) | Self::Field { .. } => 8,
            Self::Time(..) => 20,
            Self::Regex(_) => 40,
        }
    }
}

impl Node {
    /// Sorts what is asked together so that the cheap comes first; returns the cost of this node.
    pub fn order(&mut self, selections: &[u32]) -> u32 {
        match self {
            Self::All(nodes) | Self::Any(nodes) | Self::AtLeast(_, nodes) => {
                let mut costs: Vec<(u32, Node)> = std::mem::take(nodes)
                    .into_iter()
                    .map(|mut node| (node.order(selections), node))
                    .collect();
                costs.sort_by_key(|(cost, _)| *cost);
                let total = costs.iter().fold(0_u32, |sum, (cost, _)| sum.saturating_add(*cost));
                nodes.extend(costs.into_iter().map(|(_, node)| node));
                total
            }
            Self::Not(node) => node.order(selections),
            Self::Selection(index) => selections.get(*index).copied().unwrap_or(1),
            Self::Field(item) => {
                item.values.iter().flatten().fold(0, |sum, test| sum.saturating_add(test.cost()))
            }
            Self::Keywords(item) => 200 + item.values.len() as u32,
        }
    }
}

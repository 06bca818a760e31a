//! Correlation rules: what several matches mean together (Sigma's correlation rules, version 2.1).
//!
//! ```text
//! document ─► draft ─► correlation          match ─► group ─► window ─► match of the correlation
//!   [read]     [resolve]                           [correlator]  [sliding, tumbling]      └─► chain
//! ```
//!
//! Where Sigma leaves a choice:
//!
//! * A group is what `group-by` has in common, without case; an event that lacks one of its fields
//!   is of no group. A list counts by its first value.
//! * Windows have no fixed borders: a correlation matches as soon as any span of the length of
//!   `timespan` holds enough, in whatever order the events arrive. What a match was made of is used
//!   up, so that an attack that goes on is one match after the other, not one for each event.
//! * Where more could undo what was found (`lt`, `lte`, `eq`, an average, a percentile), the window
//!   begins with the first event and is judged when it has ended.
//! * Rules that a correlation names give no signals of their own, unless it says `generate: true`.
//! * A correlation takes part in another with the values that it is grouped by.

mod aggregate;
mod condition;
mod correlator;
mod read;
mod resolve;
mod sliding;
mod tumbling;

use std::collections::HashMap;

use super::names::FieldId;
use super::rule::Metadata;

pub use correlator::{About, Correlated, Correlator, Lateness};
pub(super) use read::{Draft, read};
pub(super) use resolve::{Referable, quiet_correlations, quiet_rules, resolve};

use condition::{Bounds, Need};

/// Rules that one correlation may name.
const BASES_MAX: usize = 64;

/// A correlation rule ready to be fed.
#[derive(Debug)]
pub struct Correlation {
    pub(super) metadata: Metadata,
    pub(super) path: String,
    pub(super) line: u32,
    pub(super) hash: [u8; 32],
    kind: Kind,
    bases: Vec<Base>,
    group_by: Vec<String>,
    timespan_us: i64,
    generate: bool,
}

impl std::ops::Deref for Correlation {
    type Target = Metadata;

    fn deref(&self) -> &Metadata {
        &self.metadata
    }
}

impl Correlation {
    /// The hash of the rule's contents: two rules are the same where it is equal.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// What the rule says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The file that holds it, as it was named.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The line at which its document begins.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The span of its windows, µs.
    pub fn timespan_us(&self) -> i64 {
        self.timespan_us
    }
}

/// What is asked of a window.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// So many events.
    EventCount(Bounds),
    /// So many values of a field.
    ValueCount(Bounds),
    /// A number made of a field's values.
    Number(Measure, Bounds),
    /// Several rules, in their order or in any.
    Temporal { ordered: bool, need: Need },
}

impl Kind {
    /// Whether what was found in a window can be undone by what follows.
    fn must_end(&self) -> bool {
        match self {
            Self::EventCount(bounds) | Self::ValueCount(bounds) => bounds.has_upper(),
            Self::Number(measure, bounds) => bounds.has_upper() || !measure.only_grows(),
            Self::Temporal { need, .. } => need.has_upper(),
        }
    }
}

/// A number made of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Sum,
    Average,
    Median,
    Least,
    Most,
    /// The value below which that share, 1 to 99 %, of all lies.
    Percentile(u8),
}

impl Measure {
    /// As long as values are not negative.
    fn only_grows(self) -> bool {
        matches!(self, Self::Sum | Self::Most)
    }
}

/// One rule that takes part.
#[derive(Debug)]
struct Base {
    of: BaseRef,
    /// Where the values of `group-by` are found, in its order.
    group: Vec<ValueRef>,
    /// Where the value that is counted is found.
    value: Option<ValueRef>,
}

/// A rule or a correlation, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum BaseRef {
    Rule(u32),
    Correlation(u32),
}

/// Where a value of a match is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueRef {
    /// In the event.
    Field(FieldId),
    /// Among the values that a correlation is grouped by.
    Group(usize),
}

/// For each rule the correlations that it takes part in, and as which of their rules.
pub(super) fn taking_part(made: &[Correlation]) -> HashMap<BaseRef, Vec<(u32, u8)>> {
    let mut found: HashMap<BaseRef, Vec<(u32, u8)>> = HashMap::new();
    for (correlation, at) in made.iter().zip(0..) {
        for (base, number) in correlation.bases.iter().zip(0..) {
            found.entry(base.of).or_default().push((at, number));
        }
    }
    found
}

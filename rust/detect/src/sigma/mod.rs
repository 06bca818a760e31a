//! Sigma: reading rules, and trying them on events.
//!
//! The plain evaluator asks one rule about one event; which rules are worth asking, [`engine`]
//! finds. Where Sigma leaves a choice:
//!
//! * Text compares without case, by each character's simple lower-case form, unless `cased`.
//! * A missing field meets no positive test, `null` excepted; `not` of that is true.
//! * `exists` asks for the field, whatever its value; an empty text is a text.
//! * A list's elements are the field's values, and one that passes is enough.
//! * A number in a rule equals the text as written and the same number spelt otherwise.
//! * `re` is a search in the text as it is, with case unless `i`.
//! * Scalars are read by YAML 1.2: an unquoted `yes` is text.

mod cache;
mod condition;
mod correlation;
mod detection;
mod document;
mod draft;
mod encode;
mod engine;
mod evaluate;
mod explain;
mod filter;
mod finish;
mod glob;
mod item;
mod keyword;
mod load;
mod matcher;
mod metadata;
mod modifier;
mod names;
mod network;
mod number;
mod pieces;
mod placeholder;
mod placeholders;
mod regular;
mod rule;
mod rule_set;
mod slot;
mod survey;
mod tag;
mod test;
mod time_part;

pub use correlation::{About, Correlated, Correlation, Correlator, Lateness};
pub use draft::Placeholders;
pub use explain::Explanation;
pub(crate) use item::Reader;
pub use load::{LoadOptions, Loaded};
pub use matcher::{Matcher, RuleCost};
pub(crate) use names::Names;
pub use rule::{Level, Metadata, Rule, Status};
pub use rule_set::RuleSet;
pub use survey::{Fed, Survey};
pub(crate) use tag::Tags;
pub(crate) use test::Node;

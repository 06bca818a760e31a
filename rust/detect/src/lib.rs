//! Detection: Sigma rules over events, and the signals that matches become.
//!
//! * [`LogSources`] is the routing table: which events a rule is meant for.
//! * [`RuleSet`] is rules loaded from files, with every problem of every file.
//! * [`Matcher`] tries them on events ([`FieldSource`](bigsec_event::FieldSource)).
//! * [`Entities`] names who and what an event is about.
//! * [`SignalBatchBuilder`] makes Arrow batches of matches.
//!
//! Nothing here knows a log format: see `bigsec-parse` for that.

#![forbid(unsafe_code)]

mod entity;
mod files;
mod fold;
mod indicator;
mod log_source;
mod sigma;
mod signal;
mod yaml;

pub use entity::{Entities, Entity, EntityKind};
pub use indicator::{
    Hit, Indicator, IndicatorKind, IndicatorMatcher, IndicatorOptions, IndicatorSet, Label,
    LoadedIndicators,
};
pub use log_source::{LogSource, LogSources};
pub use sigma::{
    About, Correlated, Correlation, Correlator, Explanation, Fed, Lateness, Level, LoadOptions,
    Loaded, Matcher, Metadata, Placeholders, Rule, RuleCost, RuleSet, Status, Survey,
};
pub use signal::{EventIdentity, Outcome, SignalBatchBuilder, signal_id, signal_schema};

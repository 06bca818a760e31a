//! Detection: Sigma rules over events, and the signals that matches become.
//!
//! * [`LogSources`] is the routing table: which events a rule is meant for.
//! * [`RuleSet`] is rules loaded from files, with every problem of every file.
//! * [`Matcher`] tries them on events ([`FieldSource`](bigsec_event::FieldSource)).
//!
//! Nothing here knows a log format: see `bigsec-parse` for that.

mod files;
mod fold;
mod log_source;
mod sigma;
mod suggest;
mod yaml;

pub use log_source::{LogSource, LogSources};
pub use sigma::{
    Level, LoadOptions, Loaded, Matcher, Metadata, Placeholders, Rule, RuleSet, Status,
};

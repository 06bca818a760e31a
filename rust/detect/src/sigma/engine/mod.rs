//! The evaluator for many rules: what an event costs depends on what is in it, hardly on how many
//! rules there are.
//!
//! ```text
//! event ─► route ─► plan ─► candidates ─► conditions ─► matches
//! ```
//!
//! * [`route`]: which log sources an event belongs to is decided by a few of its fields. What they
//!   decided is kept by their values, so that it is looked up, not asked again.
//! * [`plan`]: all rules for one set of log sources. Of each rule's condition [`clause`] keeps what
//!   must hold in any case, as clauses of *needs*: literals, prefixes, suffixes, numbers. A need is
//!   shared by all rules that have it.
//! * [`slot_index`] finds the needs that one value meets: a hash for whole values, one pass
//!   for all parts ([`literals`]). What came of it is a bit for each rule, kept by value ([`memo`]): most values have
//!   been seen before.
//! * The bits of all fields are combined; where a rule's bit is left, all its clauses are met, and
//!   the plain evaluator decides. So no rule can be missed as long as each clause follows from its
//!   condition; and what a match is, one place says.

mod bits;
mod clause;
mod literals;
mod memo;
mod plan;
mod route;
mod slot_index;

pub(super) use memo::Memo;
pub(super) use plan::{Narrowing, PlanRule, Plans};
pub(super) use route::{Gathered, Router};

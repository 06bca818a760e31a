//! Indicators: what others have seen attackers use, looked for in every value of every event.
//!
//! ```text
//! file ─► row ─► shape ─► sound? ─► set        value ─► tokens ─► exact look-up ─► hits
//! ```
//!
//! * [`kind`]: what an indicator can be, and its one spelling.
//! * [`read`]: [`row`]s out of lists and tables; [`sound`] refuses what would hit everybody.
//! * [`IndicatorSet`]: a million of them and more, each found by one look-up.
//! * [`tokens`]: what in a text may be an address, a name, a hash. No field has to be named: a text
//!   is cut where such a thing begins and ends, so `evil.example` is not found in
//!   `notevil.example`, and is found in a field that nobody thought of.

mod class;
mod clean;
mod international;
mod kind;
mod label;
mod marks;
mod matcher;
mod read;
mod row;
mod set;
mod sound;
mod tokens;
mod url;

pub use kind::IndicatorKind;
pub use label::Label;
pub use matcher::{Hit, IndicatorMatcher};
pub use read::IndicatorOptions;
pub use set::{Indicator, IndicatorSet, LoadedIndicators};

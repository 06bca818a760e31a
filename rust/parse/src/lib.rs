//! From raw records to normalised ones.
//!
//! ```text
//! bytes ─► text ─► decoder ─► fields by the source's names ─► pack ─► vendor's names, time, columns
//!      encoding   decode                                     pack
//! ```
//!
//! * [`Parser`] does it for the records of one source; [`PackSet`] are the parser packs it uses.
//! * [`decode`] are the syntaxes. A new one is a file there and a line in its list.
//! * [`pack`] are the log sources: YAML files, whose reference is that module's text.
//! * [`pattern`] is the language for prose within packs.
//!
//! Nothing here reads inputs (`bigsec-collect`) or makes Arrow batches (`bigsec-event`). A record
//! that nothing can read is no error: it stays an event of its text with a reason.

#![forbid(unsafe_code)]

pub mod decode;
mod encoding;
pub mod pack;
pub mod pattern;
mod time;

mod explain;
mod parsed;
mod parser;
mod recognise;

pub use explain::{ExplainedField, Explanation};
pub use pack::{Pack, PackSet};
pub use parsed::{DerivedText, Parsed};
pub use parser::{Outcome, ParseOptions, Parser};

//! The daemon: sources, the one writer of the log, and what reads it.
//!
//! ```text
//! sources ─► intake queue ─► writer thread ─► evidence log ─► consumer thread ─► chunks
//!            (bounded)       (flush, answer)                  (parse, match)     (to Python)
//! ```

use std::sync::{Mutex, MutexGuard, PoisonError};

mod account;
mod durable;
mod health;
mod record_parser;

pub use account::SourceLedger;
pub use health::{Health, Part};
pub use record_parser::{Parsing, SourceParsing};

/// A panic in another thread leaves what these locks guard as it was between two records.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

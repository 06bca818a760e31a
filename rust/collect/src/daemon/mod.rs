//! The daemon: sources, the one writer of the log, and what reads it.
//!
//! ```text
//! sources ─► intake queue ─► writer thread ─► evidence log ─► consumer thread ─► chunks
//!            (bounded)       (flush, answer)                  (parse, match)     (to Python)
//! ```

use std::sync::{Mutex, MutexGuard, PoisonError};

mod account;
mod admin;
mod chunk;
mod consumer;
mod durable;
mod engine;
mod health;
mod http_post;
mod keeper;
mod log_events;
mod lookup;
mod metrics;
mod positions;
mod recall;
mod record_parser;
mod roster;
mod settings;
mod shared;
mod status;
mod stop;
mod streams;
mod totals;
mod upkeep;
mod walk;
mod writer_thread;

pub use account::SourceLedger;
pub use chunk::{Chunk, LostRange};
pub use engine::Daemon;
pub use health::{Health, Part};
pub use log_events::{LogEvents, LogQuery};
pub use lookup::{KeptRecord, ProvedRecord, find_event, prove_record, record_at};
pub use record_parser::{Parsing, SourceParsing};
pub use roster::Changes;
pub use settings::Settings;
pub use shared::Doors;
pub use upkeep::APPROVALS;
pub use walk::Knowledge;

/// A panic in another thread leaves what these locks guard as it was between two records.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

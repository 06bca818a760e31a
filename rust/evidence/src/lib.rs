//! The evidence log: an append-only, hash-chained record of everything received.
//!
//! The format stands byte by byte in `docs/reference/evidence-format.md`. A record is
//! acknowledged to its sender only after it was flushed here ([`LogWriter::commit`]); its place,
//! `(log, sequence)`, is its id for ever. This crate knows no network, no thread and no log format:
//! files come through [`storage::Storage`], time through [`clock::Clock`], so that a simulator can
//! crash it after every operation.

pub mod clock;
pub mod storage;

mod record;

pub use record::{Flags, Position, Record};

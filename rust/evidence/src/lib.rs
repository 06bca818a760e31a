//! The evidence log: an append-only, hash-chained record of everything received.
//!
//! The format stands byte by byte in `docs/reference/evidence-format.md`. A record is
//! acknowledged to its sender only after it was flushed here ([`LogWriter::commit`]); its place,
//! `(log, sequence)`, is its id for ever. This crate knows no network, no thread and no log format:
//! files come through [`storage::Storage`], time through [`clock::Clock`], so that a simulator can
//! crash it after every operation.

pub mod approval;
pub mod checkpoint;
pub mod clock;
pub mod disk;
pub mod envelope;
pub mod housekeeping;
pub mod keys;
pub mod note;
pub mod reserve;
pub mod retention;
pub mod sealed;
pub mod simulator;
pub mod storage;

pub mod export;
pub mod frame;
pub mod hash;
pub mod proof;
pub mod records;
pub mod scan;
pub mod segment;
pub mod verify;

mod damage;
mod error;
mod header;
mod identity;
mod live;
mod mark;
mod options;
mod reader;
mod record;
mod recovery;
mod replay;
mod resync;
pub mod segment_source;
mod tail;
mod tree;
mod watermark;
mod writer;

pub use damage::{Damage, DamageKind, Recovery};
pub use error::LogError;
pub use hash::{Hash, leaf_hash, node_hash};
pub use header::{FORMAT_VERSION, HEADER_BYTES, Header, HeaderFault, is_log_name};
pub use identity::log_key;
pub use options::LogOptions;
pub use reader::{Cursor, LogReader, Next};
pub use record::{Flags, Position, Record};
pub use segment::SegmentInfo;
pub use tree::{Frontier, LOST_HASHED_MAX, RECORDS_MAX};
pub use watermark::Watermark;
pub use writer::{Durable, LogWriter};

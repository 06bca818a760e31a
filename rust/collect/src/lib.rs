//! Gets records in: opens inputs, decompresses and frames them, gives them ids, and drives them
//! through parsing and matching.
//!
//! Nothing here knows a log format (`bigsec-parse`) or a rule (`bigsec-detect`). Files and time
//! are touched in [`storage`] and [`clock`] alone.

#![forbid(unsafe_code)]

mod brake;
pub mod clock;
pub mod storage;

#[cfg(unix)]
pub mod daemon;
mod decompress;
mod detector;
mod evidence;
mod feed;
mod file_book;
mod framing;
mod input;
#[cfg(unix)]
pub mod intake;
mod ledger;
mod progress;
mod recent;
mod reread;
mod scan;
mod sightings;
#[cfg(unix)]
pub mod source;

pub use brake::{Brake, Braked};
pub use detector::{Detection, Found};
pub use evidence::Evidence;
pub use feed::{FedEvent, Feed, FeedOptions};
pub use file_book::{FileBook, KnownFile};
pub use framing::{Line, Lines, RECORD_LIMIT};
pub use input::Input;
pub use ledger::Ledger;
pub use progress::Progress;
pub use reread::read_record;
pub use scan::{ScanOptions, Scanner};

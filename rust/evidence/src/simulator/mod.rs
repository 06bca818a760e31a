//! A machine in memory that loses power, for the tests of everything that stores.
//!
//! [`SimStorage`] is a file system with a volatile cache. What is written, cut, made, renamed or
//! removed is seen at once and is durable only after [`sync`](crate::storage::StoredFile::sync) of
//! the file or [`sync_folder`](crate::storage::Storage::sync_folder) of the folder.
//! [`SimStorage::crash`] takes the power away and gives the machine as it may come up again;
//! [`SimStorage::killed`] ends the process alone and leaves the cache. It is harsher than the file
//! systems it stands for:
//!
//! * of the writes not flushed any part may have reached the disk, in any order, torn at sectors
//!   and within them; a length may have come without its bytes, a cut may not have come at all;
//! * of the names not flushed any may have been changed or not, a file's own flush says nothing
//!   about its name, and a rename is durable with the folder it leads to;
//! * after a failed flush what it was to flush is on disk in part, still readable from the cache,
//!   and no later flush makes it durable.
//!
//! [`SimStorage::crash_at`] stops the machine after the n-th operation that changes something, so
//! that a test can crash a scenario after each; [`SimStorage::fail`] makes chosen calls fail, and
//! [`SimStorage::set_capacity`] lets the disk be full. The same seed gives the same machine.
//!
//! ```
//! use std::path::Path;
//! use bigsec_evidence::simulator::SimStorage;
//! use bigsec_evidence::storage::{Storage, write_all_at};
//!
//! let before = SimStorage::new(1);
//! let file = before.create(Path::new("/a")).unwrap();
//! write_all_at(file.as_ref(), b"kept", 0).unwrap();
//! file.sync().unwrap();
//! before.sync_folder(Path::new("/")).unwrap();
//! write_all_at(file.as_ref(), b"perhaps", 4).unwrap();
//!
//! let after = before.crash(2);
//! let mut bytes = [0; 4];
//! after.open_read(Path::new("/a")).unwrap().read_at(&mut bytes, 0).unwrap();
//! assert_eq!(&bytes, b"kept");
//! ```

mod clock;
mod content;
mod fault;
mod names;
mod random;
mod storage;
mod world;

pub use clock::SimClock;
pub use fault::{Fault, Operation};
pub use random::Random;
pub use storage::SimStorage;

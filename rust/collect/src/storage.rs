//! The door to files: the evidence crate's, which is the only one.

pub use bigsec_evidence::disk::Disk;
pub use bigsec_evidence::storage::{
    Held, Space, Stat, Storage, StoredFile, read_full_at, write_all_at,
};

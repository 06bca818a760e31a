//! The only place of this crate that touches files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::clock::micros;

/// What is known of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Size in bytes; 0 for a pipe.
    pub size: u64,
    /// Time of the last change, µs since 1970 UTC.
    pub modified_us: i64,
    /// False for pipes and devices, which can be read only once.
    pub is_regular: bool,
}

/// Reads files; tests bring their own.
pub trait Storage: Send + Sync {
    /// Opens a file at its beginning.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;
    /// Looks at a file.
    fn stat(&self, path: &Path) -> io::Result<Stat>;
}

/// The machine's file systems.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Storage for Disk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(path)?))
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let metadata = std::fs::metadata(path)?;
        Ok(Stat {
            size: if metadata.is_file() { metadata.len() } else { 0 },
            modified_us: micros(metadata.modified()?),
            is_regular: metadata.is_file(),
        })
    }
}

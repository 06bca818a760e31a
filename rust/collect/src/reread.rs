//! Reads one record again from the file it came from.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::decompress::decompress;
use crate::framing::record_at;
use crate::storage::{Disk, Storage};

/// The record that begins at `position` of the decompressed file: its raw bytes, or the JSON text
/// of a record of a binary event log.
///
/// `None` where the file is shorter. Whether the file is still the one that was scanned is told
/// by its fingerprint, not here.
pub fn read_record(path: &Path, position: u64) -> io::Result<Option<Vec<u8>>> {
    record_at(decompress(Disk.open(path)?, &Arc::default())?.reader, position)
}

//! Reads one record again from the file it came from.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use crate::decompress::decompress;
use crate::framing::Lines;
use crate::storage::{Disk, Storage};

/// The raw bytes of the record that begins at `position` of the decompressed file.
///
/// `None` where the file is shorter. Whether the file is still the one that was scanned is told
/// by its fingerprint, not here.
pub fn read_record(path: &Path, position: u64) -> io::Result<Option<Vec<u8>>> {
    let mut reader = decompress(Disk.open(path)?, &Arc::default())?.reader;
    let skipped = io::copy(&mut reader.by_ref().take(position), &mut io::sink())?;
    if skipped < position {
        return Ok(None);
    }
    let mut lines = Lines::new(reader);
    Ok(lines.next_line().map(|line| line.bytes.to_vec()))
}

//! Segments as files: their names, and what lies in a log's folder.

use std::io;
use std::path::{Path, PathBuf};

use crate::storage::Storage;

/// Name of the watermark file.
pub const WATERMARK_FILE: &str = "watermark";
/// Name of the file of signed notes.
pub const CHECKPOINTS_FILE: &str = "checkpoints";
/// Name of the file that says what log a folder holds.
pub const LOG_FILE: &str = "log.json";
/// Name of the lock that the one writer holds.
pub const LOCK_FILE: &str = "lock";
/// Name of the file that keeps space back.
pub const RESERVE_FILE: &str = "reserve";
/// Name of the folder for files moved aside.
pub const DAMAGED_FOLDER: &str = "damaged";

/// One segment of a log, by its file's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Number of the segment.
    pub number: u64,
    /// First sequence.
    pub first: u64,
    /// True for a sealed one.
    pub sealed: bool,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// The file.
    pub path: PathBuf,
}

/// Name of a segment's file.
pub fn segment_name(number: u64, first: u64, sealed: bool) -> String {
    let suffix = if sealed { "segz" } else { "seg" };
    format!("{number:08}-{first:020}.{suffix}")
}

/// Number, first sequence and kind of the segment that a file's name names.
pub fn parse_segment_name(name: &str) -> Option<(u64, u64, bool)> {
    let (stem, suffix) = name.split_once('.')?;
    let (number, first) = stem.split_once('-')?;
    let sealed = match suffix {
        "seg" => false,
        "segz" => true,
        _ => return None,
    };
    let parsed = (decimal(number)?, decimal(first)?, sealed);
    // One segment has one name: no sign, no further zeros.
    (segment_name(parsed.0, parsed.1, sealed) == name).then_some(parsed)
}

fn decimal(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The segments of a folder, by number. Of a segment that stands there both raw and sealed (the
/// program was stopped between the two steps of sealing) the raw file is given.
pub fn list_segments(storage: &dyn Storage, folder: &Path) -> io::Result<Vec<SegmentInfo>> {
    let mut segments = Vec::new();
    for path in storage.list(folder)? {
        let Some((number, first, sealed)) = name_of(&path).and_then(parse_segment_name) else {
            continue;
        };
        match storage.stat(&path) {
            Ok(stat) => {
                segments.push(SegmentInfo { number, first, sealed, bytes: stat.size, path });
            }
            // Sealed or deleted by the writer in this very moment.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    segments.sort_by_key(|segment| (segment.number, segment.sealed));
    segments.dedup_by_key(|segment| segment.number);
    Ok(segments)
}

/// Takes out segments that hold nothing that counts: those after which another begins with the
/// same record, because their flush had failed.
pub fn drop_void(segments: &mut Vec<SegmentInfo>) {
    let mut next = u64::MAX;
    for index in (0..segments.len()).rev() {
        if segments[index].first < next {
            next = segments[index].first;
        } else {
            segments.remove(index);
        }
    }
}

/// The number for the next segment: one more than the highest that any name in the folder or in
/// `damaged/` has, so that no name is used twice.
pub fn next_number(storage: &dyn Storage, folder: &Path) -> io::Result<u64> {
    let mut highest = 0;
    for folder in [folder.to_owned(), folder.join(DAMAGED_FOLDER)] {
        let paths = match storage.list(&folder) {
            Ok(paths) => paths,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        highest = paths.iter().filter_map(|path| number_in(name_of(path)?)).fold(highest, u64::max);
    }
    Ok(highest.saturating_add(1))
}

/// The number at the beginning of the name of a segment, or of what was made from one
/// (`00000012-….segz.tmp`, `00000012-….seg.2`).
fn number_in(name: &str) -> Option<u64> {
    let (number, _) = name.split_once('-')?;
    decimal(number)
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// Moves a file into `damaged/` under a name that is free there; gives its new path.
pub fn move_aside(storage: &dyn Storage, folder: &Path, path: &Path) -> io::Result<PathBuf> {
    let damaged = folder.join(DAMAGED_FOLDER);
    storage.create_folder(&damaged)?;
    let name = name_of(path).unwrap_or("file");
    let taken = storage.list(&damaged)?;
    // Of one more names than there are files, one is free.
    let free = (1..=taken.len() + 1)
        .map(|n| damaged.join(if n == 1 { name.to_owned() } else { format!("{name}.{n}") }))
        .find(|path| !taken.contains(path))
        .ok_or(io::ErrorKind::AlreadyExists)?;
    storage.rename(path, &free)?;
    storage.sync_folder(&damaged)?;
    storage.sync_folder(folder)?;
    Ok(free)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_the_format_says() {
        assert_eq!(segment_name(12, 345_678, false), "00000012-00000000000000345678.seg");
        assert_eq!(
            parse_segment_name("00000012-00000000000000345678.segz"),
            Some((12, 345_678, true))
        );
        let long = segment_name(u64::MAX, u64::MAX, true);
        assert_eq!(parse_segment_name(&long), Some((u64::MAX, u64::MAX, true)));
    }

    #[test]
    fn other_names_are_no_segments() {
        for name in [
            "",
            "watermark",
            "12-345678.seg",
            "+0000012-00000000000000345678.seg",
            "00000012-00000000000000345678.seg.2",
            "00000012-00000000000000345678.segz.tmp",
            "000000012-00000000000000345678.seg",
            "00000012-99999999999999999999.seg",
        ] {
            assert_eq!(parse_segment_name(name), None, "{name}");
        }
        assert_eq!(number_in("00000012-00000000000000345678.seg.2"), Some(12));
    }
}

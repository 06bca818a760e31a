//! The watermark's file: what it tells, and whether both slots can be read.

use std::io;
use std::path::Path;

use super::report::{Finding, Kind, Severity};
use crate::segment::WATERMARK_FILE;
use crate::storage::{Storage, read_full_at};
use crate::watermark::{SLOT_BYTES, Watermark};

/// Reads the watermark; tells what is wrong with it. `young` is a log that may not have had one
/// flushed yet.
pub(super) fn read_watermark(
    storage: &dyn Storage,
    dir: &Path,
    id: &[u8; 16],
    young: bool,
    findings: &mut Vec<Finding>,
) -> Option<Watermark> {
    let mut bytes = vec![0; 2 * SLOT_BYTES];
    let read = storage
        .open_read(&dir.join(WATERMARK_FILE))
        .and_then(|file| read_full_at(file.as_ref(), &mut bytes, 0));
    let read = match read {
        Ok(read) => read,
        Err(error) => {
            let what = if error.kind() == io::ErrorKind::NotFound {
                "it is missing; the segments alone tell how far the log goes".to_owned()
            } else {
                format!("it cannot be read: {error}")
            };
            let severity = if young { Severity::Notice } else { Severity::Damage };
            findings.push(finding(severity, Kind::Watermark, None, what));
            return None;
        }
    };
    let mark = Watermark::decode(&bytes[..read], None);
    match &mark {
        None => {
            let severity = if young { Severity::Notice } else { Severity::Damage };
            let what = "neither slot can be read; the segments alone tell how far the log goes";
            findings.push(finding(severity, Kind::Watermark, Some(0), what.to_owned()));
        }
        Some(mark) if mark.id != *id => {
            let what = "it is the watermark of another log".to_owned();
            findings.push(finding(Severity::Tamper, Kind::OtherLog, Some(mark.offset()), what));
            return None;
        }
        Some(mark) => check_other_slot(&bytes[..read], mark, findings),
    }
    mark
}

/// The slot that does not count may be torn by a crash, and is not there before the second write.
fn check_other_slot(bytes: &[u8], mark: &Watermark, findings: &mut Vec<Finding>) {
    let at = SLOT_BYTES - mark.offset() as usize;
    let slot = bytes.get(at..).unwrap_or_default();
    let slot = &slot[..slot.len().min(SLOT_BYTES)];
    let unwritten = mark.generation <= 1 && slot.iter().all(|byte| *byte == 0);
    if !unwritten && Watermark::decode_slot(slot).is_none() {
        let what = "one slot cannot be read; the other counts".to_owned();
        findings.push(finding(Severity::Notice, Kind::Watermark, Some(at as u64), what));
    }
}

fn finding(severity: Severity, kind: Kind, offset: Option<u64>, what: String) -> Finding {
    Finding {
        kind,
        severity,
        segment: None,
        file: WATERMARK_FILE.to_owned(),
        offset,
        first: 0,
        end: 0,
        what,
        mend: if severity == Severity::Notice { "" } else { "the next start writes it anew" },
    }
}

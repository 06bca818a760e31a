//! T4: no bytes make a reader of the log panic. Changed forms of a real log's files, for a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bigsec_evidence::approval::Approval;
use bigsec_evidence::checkpoint::CheckpointReader;
use bigsec_evidence::clock::SystemClock;
use bigsec_evidence::disk::Disk;
use bigsec_evidence::frame::{Salt, parse_frame};
use bigsec_evidence::note::Note;
use bigsec_evidence::sealed::SealedFile;
use bigsec_evidence::verify::{VerifyOptions, verify};
use bigsec_evidence::{Header, LogOptions, LogReader, LogWriter, Record, Watermark};
use tempfile::TempDir;

#[path = "../../parse/tests/support/mutate.rs"]
mod mutate;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/collect/evidence/golden")
}

/// All files below the golden stores whose name ends so, cut to what a fuzzer can chew.
fn files(suffix: &str) -> Vec<Vec<u8>> {
    let (mut folders, mut found) = (vec![golden()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(suffix) {
                found.push(path);
            }
        }
    }
    found.sort();
    found.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

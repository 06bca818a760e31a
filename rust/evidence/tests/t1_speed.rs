//! T1: a verification that takes too long is not done. It costs at most twice the bare hash.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod forge;

use std::time::Instant;

use bigsec_evidence::disk::Disk;
use bigsec_evidence::verify::{VerifyOptions, verify};
use bigsec_evidence::{Flags, Record};
use forge::log::{TestClock, keys, open, options};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const RECORDS: u64 = 1_000_000;
const GROUP: u64 = 500;

#[test]
#[ignore = "measures; run it in release"]
fn t1_verifying_is_at_least_half_as_fast_as_sha256() {
    let folder = TempDir::new().unwrap();
    let clock = TestClock::new();
    let mut log = open(folder.path(), options(64 << 20, 1), &clock);
    let mut payload = [b'x'; 285];
    for n in 0..RECORDS {
        payload[..8].copy_from_slice(&n.to_le_bytes());
        log.append(&Record {
            flags: Flags::default(),
            received_us: 1,
            source: "auth",
            peer: None,
            id: None,
            position: None,
            payload: &payload,
        });
        if (n + 1) % GROUP == 0 {
            log.commit().unwrap();
        }
    }
    let bytes = vec![b'x'; 300];
    let began = Instant::now();
    for n in 0..RECORDS {
        let mut hash = Sha256::new();
        hash.update(n.to_le_bytes());
        hash.update(&bytes[8..]);
        std::hint::black_box(hash.finalize());
    }
    let bare = began.elapsed();
    let options = VerifyOptions { keys: keys(1), threads: 1, ..VerifyOptions::default() };
    let times = (0..3).map(|_| {
        let began = Instant::now();
        let report = verify(&Disk, folder.path(), &options).unwrap();
        assert!(report.ok && report.records == RECORDS && report.bytes == 300 * RECORDS);
        began.elapsed()
    });
    let verified = times.min().unwrap();
    let ratio = bare.as_secs_f64() / verified.as_secs_f64();
    println!("SHA-256 {bare:?}, verified {verified:?} by one thread, ratio {ratio:.2}");
    assert!(ratio >= 0.5, "{ratio}");
}

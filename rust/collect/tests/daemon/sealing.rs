//! Segments that have ended are sealed beside the writing, and nothing notices.

use std::path::Path;

use bigsec_collect::storage::Disk;
use bigsec_evidence::verify::{VerifyOptions, verify};
use serde_json::json;

use crate::relay::{Relay, document, lines, log_folder, tcp};

fn count(folder: &Path, suffix: &str) -> usize {
    std::fs::read_dir(folder)
        .expect("a folder")
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|found| found == suffix))
        .count()
}

#[test]
fn segments_are_sealed_while_records_come_and_all_can_be_read() {
    let data = tempfile::tempdir().expect("a folder");
    let mut settings = document(data.path(), &json!({"app": tcp()}));
    settings["log"]["segment_bytes"] = json!(65_536);
    settings["log"]["group_bytes"] = json!(16_384);
    settings["log"]["compress"] = json!(true);
    let relay = Relay::start(&settings, None);
    for thousand in 0..10 {
        // Each a group and a segment of its own, since all of it is sent at once.
        relay.send("app", &lines(thousand * 3_000, (thousand + 1) * 3_000));
        relay.chunks_to((thousand + 1) * 3_000);
    }
    let status = relay.wait_for("a sealed segment", |status| {
        status["log"]["sealed"].as_u64().is_some_and(|sealed| sealed >= 2)
    });
    assert_eq!(status["health"]["state"], "ok", "{status}");
    drop(relay);
    let folder = log_folder(data.path());
    assert!(count(&folder, "segz") >= 2);
    let report = verify(&Disk, &folder, &VerifyOptions::default()).expect("a log");
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!(report.records, 30_000);
    // Another run reads them from the beginning, sealed or not.
    let relay = Relay::start(&settings, None);
    let chunks = relay.chunks_to(30_000);
    let received: u64 =
        chunks.iter().flat_map(|chunk| &chunk.ledgers).map(|ledger| ledger.received).sum();
    assert_eq!(received, 30_000);
}

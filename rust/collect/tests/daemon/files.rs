//! Files are followed, and a restart goes on where the log ends.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::relay::{Relay, document, lines};

fn file(path: &Path) -> Value {
    json!({"type": "file", "paths": [path], "exclude": [], "start_at": "beginning",
           "compressed": true, "multiline_start": null, "poll_ms": 20,
           "format": null, "timezone": "UTC"})
}

fn append(path: &Path, lines: &[String]) {
    let mut file =
        OpenOptions::new().create(true).append(true).open(path).expect("it can be written");
    for line in lines {
        writeln!(file, "{line}").expect("it can be written");
    }
}

fn received(chunks: &[bigsec_collect::daemon::Chunk]) -> u64 {
    chunks.iter().flat_map(|chunk| &chunk.ledgers).map(|ledger| ledger.received).sum()
}

/// Three runs over a growing file. `forget` takes away the saved positions between them.
fn three_runs(forget: bool) {
    let data = tempfile::tempdir().expect("a folder");
    let path = data.path().join("app.log");
    let settings = document(data.path(), &json!({"files": file(&path)}));
    let mut next = None;
    for run in 0..3 {
        append(&path, &lines(run * 1_000, (run + 1) * 1_000));
        let relay = Relay::start(&settings, next);
        let chunks = relay.chunks_to((run + 1) * 1_000);
        assert_eq!(received(&chunks), 1_000, "run {run}");
        next = chunks.last().map(|chunk| chunk.next);
        relay.daemon.stop(std::time::Duration::from_secs(5));
        let saved = data.path().join("positions.json");
        assert!(saved.exists());
        if forget {
            std::fs::remove_file(saved).expect("it was there");
        }
    }
}

#[test]
fn p1_a_file_is_read_on_from_where_the_log_ends() {
    three_runs(false);
}

#[test]
fn p1_the_log_alone_tells_where_a_file_was_read_to() {
    three_runs(true);
}

//! A stop loses nothing, and a start goes on where it is told.

use std::time::Duration;

use serde_json::json;

use crate::relay::{PATIENCE, Relay, document, lines, tcp};

#[test]
fn p9_a_stop_writes_and_gives_all_that_was_taken_in() {
    let data = tempfile::tempdir().expect("a folder");
    let relay = Relay::start(&document(data.path(), &json!({"app": tcp()})), None);
    let stream = relay.send("app", &lines(0, 20_000));
    drop(stream);
    relay.wait_for("the last record", |status| {
        status["sources"]["app"]["meters"]["records"].as_u64() == Some(20_000)
    });
    assert!(relay.daemon.stop(Duration::from_secs(10)).is_empty(), "all sources ended");
    let mut next = 0;
    while !relay.daemon.is_drained() {
        if let Some(chunk) = relay.daemon.next_chunk(PATIENCE).expect("the reader lives") {
            assert_eq!(chunk.first, next);
            next = chunk.next;
        }
    }
    assert_eq!(next, 20_000);
}

#[test]
fn p1_a_restart_goes_on_from_the_position_without_gap_or_double() {
    let data = tempfile::tempdir().expect("a folder");
    let settings = document(data.path(), &json!({"app": tcp()}));
    let relay = Relay::start(&settings, None);
    relay.send("app", &lines(0, 3_000));
    let kept = relay.chunks_to(3_000).last().map(|chunk| chunk.next);
    drop(relay);
    let relay = Relay::start(&settings, kept);
    relay.send("app", &lines(3_000, 3_100));
    let chunks = relay.chunks_to(3_100);
    assert_eq!(chunks.first().map(|chunk| chunk.first), kept);
    let received: u64 =
        chunks.iter().flat_map(|chunk| &chunk.ledgers).map(|ledger| ledger.received).sum();
    assert_eq!(received, 100);
    drop(relay);
    // A position that the store forgot: everything again, in the same chunks' ranges.
    let relay = Relay::start(&settings, None);
    let chunks = relay.chunks_to(3_100);
    assert_eq!(chunks.first().map(|chunk| chunk.first), Some(0));
}

#[test]
fn a_second_daemon_on_the_same_log_is_refused() {
    let data = tempfile::tempdir().expect("a folder");
    let settings = document(data.path(), &json!({}));
    let _relay = Relay::start(&settings, None);
    let second = bigsec_collect::daemon::Daemon::open(
        crate::relay::settings(&settings),
        crate::relay::packs(),
        None,
        crate::relay::doors(std::sync::Arc::new(bigsec_collect::storage::Disk)),
    );
    let problem = second.err().expect("the log is taken");
    assert_eq!(problem.code.name, "log.locked");
}

#[test]
fn a_log_left_in_the_middle_of_a_file_is_understood_by_the_header_before() {
    let data = tempfile::tempdir().expect("a folder");
    let settings = document(data.path(), &json!({"zeek": tcp()}));
    let header = [
        "#separator \\x09",
        "#path\tdns",
        "#fields\tts\tuid\tquery",
        "#types\ttime\tstring\tstring",
    ];
    let line = |number: u64| format!("1767927845.5\tC{number}\thost{number}.example.net");
    let relay = Relay::start(&settings, None);
    let mut sent: Vec<String> = header.map(str::to_owned).to_vec();
    sent.extend((0..10).map(line));
    relay.send("zeek", &sent);
    let kept = relay.chunks_to(14).last().map(|chunk| chunk.next);
    drop(relay);
    let relay = Relay::start(&settings, kept);
    relay.send("zeek", &[line(10), line(11)]);
    let chunks = relay.chunks_to(16);
    let ledger = &chunks[0].ledgers[0];
    assert_eq!((ledger.received, ledger.parsed, ledger.unparsed), (2, 2, 0));
}

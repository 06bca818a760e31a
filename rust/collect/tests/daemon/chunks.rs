//! Records in over TCP come out as chunks, with ids from their place and ledgers that add up.

use std::sync::Arc;
use std::time::Duration;

use bigsec_collect::daemon::{LogEvents, LogQuery};
use bigsec_collect::storage::Disk;
use bigsec_event::{EventId, Origin};
use bigsec_evidence::LogReader;
use serde_json::json;

use crate::relay::{Relay, document, lines, log_folder, packs, tcp};

#[test]
fn records_over_tcp_come_out_as_chunks_whose_ledgers_add_up() {
    let data = tempfile::tempdir().expect("a folder");
    let relay = Relay::start(&document(data.path(), &json!({"app": tcp()})), None);
    let mut sent = lines(0, 5_000);
    sent.push("plain words that no decoder reads".to_owned());
    relay.send("app", &sent);
    let chunks = relay.chunks_to(5_001);
    assert_eq!(chunks[0].first, 0);
    for pair in chunks.windows(2) {
        assert_eq!(pair[0].next, pair[1].first);
    }
    let ledgers: Vec<_> = chunks.iter().flat_map(|chunk| &chunk.ledgers).collect();
    assert!(ledgers.iter().all(|ledger| &*ledger.source == "app"));
    let sum = |of: fn(&bigsec_collect::daemon::SourceLedger) -> u64| -> u64 {
        ledgers.iter().map(|ledger| of(ledger)).sum()
    };
    assert_eq!(sum(|one| one.received), 5_001);
    assert_eq!(sum(|one| one.parsed + one.unparsed + one.quarantined), 5_001);
    assert_eq!(sum(|one| one.events), 5_001);
    let bytes: usize = sent.iter().map(String::len).sum();
    assert_eq!(sum(|one| one.bytes), bytes as u64);
}

#[test]
fn every_event_of_a_log_has_the_id_of_its_place() {
    let data = tempfile::tempdir().expect("a folder");
    let relay = Relay::start(&document(data.path(), &json!({"app": tcp()})), None);
    relay.send("app", &lines(0, 100));
    relay.chunks_to(100);
    let folder = log_folder(data.path());
    let key = LogReader::open(Arc::new(Disk), &folder).expect("a log").key();
    let query = LogQuery {
        from: Some(10),
        to: Some(20),
        packs: packs(),
        detection: None,
        settings: None,
        every: true,
    };
    // Beside the daemon that writes it.
    let mut events = LogEvents::open(Arc::new(Disk), &folder, query).expect("a log");
    let chunk = events.next_chunk().expect("it can be read").expect("there are records");
    assert_eq!((chunk.first, chunk.next), (10, 20));
    assert!(events.is_at_end());
    assert!(events.next_chunk().expect("it can be read").is_none());
    let every = chunk.every.expect("all events were asked for");
    let ids = every.column_by_name("event_id").expect("each event has an id");
    let ids: &arrow_array::FixedSizeBinaryArray =
        ids.as_any().downcast_ref().expect("ids are bytes");
    let wanted: Vec<_> =
        (10..20).map(|sequence| EventId::new(Origin::Log, key, sequence, 0).to_bytes()).collect();
    assert_eq!(ids.iter().flatten().collect::<Vec<_>>(), wanted.iter().collect::<Vec<_>>());
}

#[test]
fn the_platforms_own_records_go_the_same_way() {
    let data = tempfile::tempdir().expect("a folder");
    let relay = Relay::start(&document(data.path(), &json!({})), None);
    let records = [br#"{"event":"started"}"#.to_vec(), br#"{"event":"x"}"#.to_vec()];
    let end = relay.daemon.append("bigsec.watch", &records, Duration::from_secs(5));
    assert_eq!(end, Ok(2));
    let refused = relay.daemon.append("app", &records, Duration::from_secs(5));
    assert!(refused.is_err(), "a name of a source is not the platform's");
    let chunks = relay.chunks_to(2);
    assert_eq!(&*chunks[0].ledgers[0].source, "bigsec.watch");
}

#[test]
fn the_status_tells_of_log_and_sources() {
    let data = tempfile::tempdir().expect("a folder");
    let relay = Relay::start(&document(data.path(), &json!({"app": tcp()})), None);
    relay.send("app", &lines(0, 10));
    relay.chunks_to(10);
    let status = relay
        .wait_for("the account", |status| status["sources"]["app"]["ledger"]["received"] == 10);
    assert_eq!(status["health"]["state"], "ok");
    assert_eq!(status["log"]["size"], 10);
    assert_eq!(status["consumer"]["lag"], 0);
    assert_eq!(status["sources"]["app"]["meters"]["records"], 10);
    assert!(status["disk"]["free"].as_u64().is_some_and(|free| free > 0));
}

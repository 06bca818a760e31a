//! A reload changes what is different and nothing else; a bad one changes nothing.

use std::net::TcpListener;

use serde_json::json;

use crate::relay::{Relay, document, lines, packs, settings, tcp};

#[test]
fn a_reload_starts_stops_and_keeps_sources() {
    let data = tempfile::tempdir().expect("a folder");
    let relay = Relay::start(&document(data.path(), &json!({"kept": tcp(), "gone": tcp()})), None);
    let before = relay.daemon.address("kept");
    let other = document(data.path(), &json!({"kept": tcp(), "fresh": tcp()}));
    let changes = relay.daemon.reload(settings(&other), packs(), None).expect("it is good");
    assert_eq!(changes["sources"]["started"], json!(["fresh"]));
    assert_eq!(changes["sources"]["stopped"], json!(["gone"]));
    assert_eq!(changes["sources"]["restarted"], json!([]));
    assert_eq!(changes["needs_restart"], json!([]));
    assert_eq!(relay.daemon.address("kept"), before, "it was not touched");
    assert_eq!(relay.daemon.address("gone"), None);
    relay.send("fresh", &lines(0, 5));
    relay.chunks_to(5);
}

#[test]
fn a_reload_that_cannot_start_a_source_keeps_the_old_ones() {
    let data = tempfile::tempdir().expect("a folder");
    let relay = Relay::start(&document(data.path(), &json!({"app": tcp()})), None);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut blocked = tcp();
    blocked["listen"] = json!(taken.local_addr().expect("it has one").to_string());
    // The first, changed, has to come back when the second fails.
    let mut changed = tcp();
    changed["framing"] = json!("auto");
    let bad = document(data.path(), &json!({"app": changed, "z": blocked}));
    let problem = relay.daemon.reload(settings(&bad), packs(), None).expect_err("a taken port");
    assert_eq!(problem.code.name, "daemon.source_start");
    assert!(problem.message.contains("sources.z"), "{}", problem.message);
    relay.send("app", &lines(0, 5));
    relay.chunks_to(5);
}

#[test]
fn a_reload_with_another_log_is_refused() {
    let data = tempfile::tempdir().expect("a folder");
    let relay = Relay::start(&document(data.path(), &json!({"app": tcp()})), None);
    let mut other = document(data.path(), &json!({}));
    other["name"] = json!("another.example");
    assert!(relay.daemon.reload(settings(&other), packs(), None).is_err());
    assert!(relay.daemon.address("app").is_some());
}

//! The daemon's own pages.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::relay::{Relay, document, lines, tcp};

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("it has one").port()
}

fn get(port: u16, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.lines().next().expect("a status").to_owned();
    (status, body.to_owned())
}

#[test]
fn pages_tell_status_metrics_and_readiness() {
    let data = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let mut settings = document(data.path(), &json!({"app": tcp()}));
    settings["admin"]["listen"] = json!(format!("127.0.0.1:{port}"));
    let relay = Relay::start(&settings, None);
    relay.send("app", &lines(0, 10));
    relay.chunks_to(10);
    relay.daemon.set_gauge(r#"bigsec_sink_lag_records{sink="siem"}"#, 7.0);
    relay.wait_for("the account", |status| status["sources"]["app"]["ledger"]["received"] == 10);

    let (status, body) = get(port, "/status");
    assert_eq!(status, "HTTP/1.1 200 OK");
    let told: Value = serde_json::from_str(&body).expect("it is JSON");
    assert_eq!(told["log"]["size"], 10);

    let (_, metrics) = get(port, "/metrics");
    for line in [
        "bigsec_log_records 10",
        r#"bigsec_source_records_total{source="app"} 10"#,
        r#"bigsec_ledger_records_total{source="app",fate="parsed"} 10"#,
        r#"bigsec_sink_lag_records{sink="siem"} 7.0"#,
        r#"bigsec_degraded{part="log"} 0.0"#,
        "# EOF",
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line} is not among\n{metrics}");
    }
    assert_eq!(get(port, "/healthz").0, "HTTP/1.1 200 OK");
    assert_eq!(get(port, "/readyz").0, "HTTP/1.1 200 OK");
    assert_eq!(get(port, "/other").0, "HTTP/1.1 404 Not Found");
}

#[test]
fn a_port_that_is_taken_is_told_at_the_start() {
    let data = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut settings = document(data.path(), &json!({}));
    settings["admin"]["listen"] = json!(taken.local_addr().expect("it has one").to_string());
    let daemon = bigsec_collect::daemon::Daemon::open(
        crate::relay::settings(&settings),
        crate::relay::packs(),
        None,
        crate::relay::doors(std::sync::Arc::new(bigsec_collect::storage::Disk)),
    )
    .expect("the log opens");
    let problem = daemon.start(None).expect_err("the port is taken");
    assert!(problem.message.contains("admin.listen"), "{}", problem.message);
}

/// Those who connect and say nothing are sent away, and nobody who asks waits for long.
#[test]
fn t5_connections_that_say_nothing_keep_no_one_out() {
    let data = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let mut settings = document(data.path(), &json!({}));
    settings["admin"]["listen"] = json!(format!("127.0.0.1:{port}"));
    let _relay = Relay::start(&settings, None);
    let silent: Vec<_> = (0..36)
        .map(|at| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
            let said: &[u8] = if at % 2 == 0 { b"" } else { b"GET /status HTTP/1.1\r\nA: " };
            stream.write_all(said).expect("it listens");
            stream
        })
        .collect();
    assert_eq!(get(port, "/healthz").0, "HTTP/1.1 200 OK");
    for mut stream in silent {
        let mut answer = Vec::new();
        // A reset is as good as an end.
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
}

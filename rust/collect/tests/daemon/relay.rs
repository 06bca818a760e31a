//! A daemon in a temporary folder, and a sender.

use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bigsec_collect::clock::SystemClock;
use bigsec_collect::daemon::{Chunk, Daemon, Doors, Settings};
use bigsec_collect::storage::{Disk, Storage};
use bigsec_parse::PackSet;
use serde_json::{Value, json};

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn packs() -> Arc<PackSet> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/bigsec/packs/parsers");
    Arc::new(PackSet::load(&folder).expect("the packs load"))
}

pub fn doors(storage: Arc<dyn Storage>) -> Doors {
    Doors { store: None, storage, clock: Arc::new(SystemClock) }
}

/// A source of lines over TCP at a port that the system chooses.
pub fn tcp() -> Value {
    json!({"type": "syslog_tcp", "listen": "127.0.0.1:0", "framing": "lines", "tls": null,
           "format": null, "timezone": "UTC"})
}

/// A whole document with these sources.
pub fn document(data: &Path, sources: &Value) -> Value {
    json!({
        "name": "relay.example",
        "data_dir": data,
        "log": {
            "segment_bytes": 1_048_576, "segment_age_s": 3600, "group_bytes": 262_144,
            "group_ms": 0, "retention_days": 183, "reserve_bytes": 0, "min_free_bytes": 0,
            "compress": false, "key_file": null, "checkpoint_s": 60, "keeper": null,
            "approvers": [],
        },
        "limits": {
            "record_bytes_max": 1_048_576, "received_record_bytes_max": 1_048_576,
            "queue_bytes_max": 67_108_864, "connections_max": 64,
            "connections_per_address_max": 64, "descriptors_reserved": 64, "header_timeout_s": 10,
            "idle_timeout_s": 600, "body_bytes_max": 1_048_576, "body_ratio_max": 100,
            "multiline_lines_max": 100, "multiline_wait_ms": 100, "files_open_max": 16,
            "chunk_events_max": 10_000, "rule_signals_per_minute_max": 6_000,
            "stop_s": 10,
        },
        "sources": sources,
        "admin": {"listen": null},
    })
}

pub fn settings(document: &Value) -> Settings {
    Settings::from_json(&document.to_string()).expect("the document is whole")
}

/// A daemon that runs.
pub struct Relay {
    pub daemon: Daemon,
}

impl Relay {
    pub fn start(document: &Value, position: Option<u64>) -> Self {
        Self::on(Arc::new(Disk), document, position)
    }

    pub fn on(storage: Arc<dyn Storage>, document: &Value, position: Option<u64>) -> Self {
        let daemon =
            Daemon::open(settings(document), packs(), None, doors(storage)).expect("the log opens");
        daemon.start(position).expect("all sources start");
        Self { daemon }
    }

    /// Sends lines over TCP, all that `lines` has.
    pub fn send(&self, source: &str, lines: &[String]) -> TcpStream {
        let address = self.daemon.address(source).expect("the source listens");
        let mut stream = TcpStream::connect(address).expect("it accepts");
        let text = lines.join("\n") + "\n";
        stream.write_all(text.as_bytes()).expect("it takes all");
        stream
    }

    /// Chunks until `next` is reached.
    pub fn chunks_to(&self, next: u64) -> Vec<Chunk> {
        let until = Instant::now() + PATIENCE;
        let mut chunks: Vec<Chunk> = Vec::new();
        while chunks.last().is_none_or(|chunk| chunk.next < next) {
            assert!(Instant::now() < until, "no chunk to {next}: {}", self.daemon.status());
            let next = self.daemon.next_chunk(Duration::from_millis(100));
            chunks.extend(next.expect("the reader lives"));
        }
        chunks
    }

    /// Waits until the status says something.
    pub fn wait_for(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let status = self.daemon.status();
            if holds(&status) {
                return status;
            }
            assert!(Instant::now() < until, "{what} never came: {status}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

pub fn lines(from: u64, to: u64) -> Vec<String> {
    (from..to).map(|number| format!(r#"{{"number": {number}, "user": "li"}}"#)).collect()
}

pub fn log_folder(data: &Path) -> PathBuf {
    data.join("log")
}

//! A log that only remembers, and a source in front of it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bigsec_collect::clock::SystemClock;
use bigsec_collect::intake::{Intake, intake};
use bigsec_collect::source::{
    DescriptorStore, Descriptors, Doubles, Meters, Reading, Running, SourceContext, SourceSettings,
    start,
};
use bigsec_collect::storage::Disk;
use bigsec_evidence::{Flags, Position};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A record as the log got it.
#[derive(Debug, Clone)]
pub struct Kept {
    pub text: String,
    pub flags: Flags,
    pub peer: Option<SocketAddr>,
    pub position: Option<Position>,
}

pub struct Rig {
    pub runtime: Runtime,
    threads: String,
    pub intake: Intake,
    pub meters: Arc<Meters>,
    pub doubles: Arc<Doubles>,
    pub descriptors: usize,
    pub store: Option<Arc<DescriptorStore>>,
    kept: Arc<Mutex<Vec<Kept>>>,
    /// While true, the log takes nothing.
    pub stalled: Arc<AtomicBool>,
}

impl Rig {
    pub fn new() -> Self {
        static RIGS: AtomicU32 = AtomicU32::new(0);
        let threads = format!("rig-{}", RIGS.fetch_add(1, Ordering::Relaxed));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(threads.clone())
            .enable_all()
            .build();
        let (intake, mut queue) = intake();
        let kept = Arc::new(Mutex::new(Vec::new()));
        let stalled = Arc::new(AtomicBool::new(false));
        let (writes, waits) = (Arc::clone(&kept), Arc::clone(&stalled));
        std::thread::spawn(move || {
            while let Some(submitted) = queue.blocking_recv() {
                while waits.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(1));
                }
                let mut kept = writes.lock().unwrap();
                kept.extend(submitted.batch().records().map(|record| Kept {
                    text: String::from_utf8_lossy(record.payload).into_owned(),
                    flags: record.flags,
                    peer: record.peer,
                    position: record.position,
                }));
                let end = kept.len() as u64;
                drop(kept);
                submitted.durable(end);
            }
        });
        Self {
            runtime: runtime.unwrap(),
            threads,
            intake,
            meters: Arc::default(),
            doubles: Arc::default(),
            descriptors: 64,
            store: None,
            kept,
            stalled,
        }
    }

    pub fn start(&self, settings: Value) -> Running {
        self.start_after(settings, HashMap::new())
    }

    /// Starts a source whose files the log already has up to these places.
    pub fn start_after(&self, settings: Value, resume: HashMap<u64, u64>) -> Running {
        let settings: SourceSettings = serde_json::from_value(settings).unwrap();
        start(&settings, self.context(resume)).unwrap()
    }

    pub fn context(&self, resume: HashMap<u64, u64>) -> SourceContext {
        SourceContext {
            name: "test".into(),
            intake: self.intake.clone(),
            meters: Arc::clone(&self.meters),
            descriptors: Arc::new(Descriptors::new(self.descriptors)),
            resume: Arc::new(resume),
            doubles: Arc::clone(&self.doubles),
            store: self.store.clone(),
            clock: Arc::new(SystemClock),
            storage: Arc::new(Disk),
            runtime: self.runtime.handle().clone(),
        }
    }

    pub fn stop(&self, running: Running) {
        assert!(self.runtime.block_on(running.stop(PATIENCE)), "the source stops in time");
    }

    pub fn kept(&self) -> Vec<Kept> {
        self.kept.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.kept.lock().unwrap().len()
    }

    pub fn texts(&self) -> Vec<String> {
        self.kept().into_iter().map(|kept| kept.text).collect()
    }

    /// Waits until the log has `count` records; it must not get more.
    pub fn wait_for(&self, count: usize) -> Vec<Kept> {
        until(&format!("{count} records in the log"), || self.count() >= count);
        let kept = self.kept();
        assert_eq!(kept.len(), count, "{kept:?}");
        kept
    }

    /// Processor time that the connections have cost so far, in the system's ticks of 10 ms.
    pub fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let ticks: u64 = tasks
            .filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok())
            .filter(|stat| stat.contains(&format!("({}) ", self.threads)))
            .flat_map(|stat| {
                let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
                let times = fields.skip(11).take(2).map(str::parse::<u64>);
                times.flatten().collect::<Vec<_>>()
            })
            .sum();
        Duration::from_millis(ticks * 10)
    }

    pub fn reading(&self) -> Reading {
        self.meters.read()
    }
}

/// Waits until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain for: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Limits that are in nobody's way.
pub fn limits() -> Value {
    json!({
        "record_bytes_max": 1_048_576,
        "connections_max": 512,
        "connections_per_address_max": 512,
        "header_timeout_s": 10,
        "idle_timeout_s": 600,
    })
}

pub fn syslog_tcp() -> Value {
    json!({
        "type": "syslog_tcp", "listen": "127.0.0.1:0", "framing": "auto", "tls": null,
        "limits": limits(),
    })
}

pub fn relp() -> Value {
    json!({"type": "relp", "listen": "127.0.0.1:0", "tls": null, "limits": limits()})
}

pub fn http() -> Value {
    json!({
        "type": "http", "listen": "127.0.0.1:0", "path": "/in", "token_file": null, "tls": null,
        "limits": limits(), "body_bytes_max": 8_388_608, "body_ratio_max": 100,
        "body_timeout_s": 5, "answer_timeout_s": 5,
    })
}

pub fn connect(running: &Running) -> TcpStream {
    let stream = TcpStream::connect(running.address().unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends and closes in order; what comes back until the other side has closed, too.
pub fn exchange(mut stream: TcpStream, bytes: &[u8]) -> String {
    // The other side may close before it has read everything.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Closes so that the other side sees a reset.
pub fn reset(stream: TcpStream) {
    let socket = socket2::SockRef::from(&stream);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

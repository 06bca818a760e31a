//! What each thread of the daemon costs. Run with `BIGSEC_SPEED_LINES=FILE:FILE cargo test
//! --release -p bigsec-collect --test daemon speed -- --ignored --nocapture`; with
//! `BIGSEC_SPEED_SEALS` segments are small and compressed meanwhile.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::relay::{Relay, document, tcp};

/// Each file is sent until so many records have gone out.
const RECORDS: u64 = 400_000;

/// Milliseconds of processor that threads had, by name.
fn processor_ms() -> BTreeMap<String, f64> {
    let mut times = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").expect("Linux").flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let told = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        let ns = told.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0);
        *times.entry(name.trim().to_owned()).or_default() += ns / 1e6;
    }
    times
}

#[test]
#[ignore = "a measurement"]
fn speed_of_each_thread() {
    let files = std::env::var("BIGSEC_SPEED_LINES").expect("BIGSEC_SPEED_LINES names files");
    for file in files.split(':') {
        let text = std::fs::read(file).expect("the file is there");
        let lines = line_count(&text);
        let turns = RECORDS.div_ceil(lines);
        let data = tempfile::tempdir().expect("a folder");
        let mut settings = document(data.path(), &json!({"net": tcp()}));
        let seals = std::env::var_os("BIGSEC_SPEED_SEALS").is_some();
        settings["log"]["segment_bytes"] = json!(1_u64 << if seals { 24 } else { 28 });
        settings["log"]["compress"] = json!(seals);
        settings["log"]["group_bytes"] = json!(1 << 20);
        let relay = Relay::start(&settings, None);
        let address = relay.daemon.address("net").expect("the source listens");
        let before = processor_ms();
        let sender = std::thread::Builder::new()
            .name("sender".to_owned())
            .spawn(move || {
                let mut stream = TcpStream::connect(address).expect("it accepts");
                for _ in 0..turns {
                    stream.write_all(&text).expect("it takes all");
                }
            })
            .expect("a thread");
        let (mut next, mut parsers) = (0, BTreeMap::<String, u64>::new());
        while next < turns * lines {
            let chunk = relay.daemon.next_chunk(Duration::from_secs(20)).expect("it lives");
            let chunk = chunk.expect("records come");
            next = chunk.next;
            for (parser, count) in chunk.ledgers.iter().flat_map(|ledger| &ledger.parsers) {
                *parsers.entry(parser.to_string()).or_default() += count;
            }
        }
        let after = processor_ms();
        sender.join().expect("it sent all");
        println!("{file}: {next} records, {parsers:?}");
        let mut all = 0.0;
        let records = f64::from(u32::try_from(next).expect("it fits"));
        for name in ["sources", "writer", "consumer"] {
            let took = after.get(name).unwrap_or(&0.0) - before.get(name).unwrap_or(&0.0);
            all += took;
            println!("  {name}: {took:.0} ms, {:.3} µs a record", took * 1e3 / records);
        }
        println!("  {:.0} records a second of processor", records * 1e3 / all);
    }
}

fn line_count(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

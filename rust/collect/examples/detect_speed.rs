//! Parses a file of records and tries rules on them, in one thread, and tells what that cost:
//! `cargo run --release -p bigsec-collect --example detect_speed -- RULES FILE [plain|parse|compare]`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bigsec_detect::{LoadOptions, LogSources, RuleSet};
use bigsec_parse::{PackSet, ParseOptions, Parsed, Parser};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rules, file, how @ ..] = arguments.as_slice() else {
        eprintln!("usage: detect_speed RULES FILE [plain|parse|compare]");
        return;
    };
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/bigsec/packs");
    let table =
        LogSources::load(&packs.join("tables/logsources.yaml")).expect("the table is sound");
    let start = Instant::now();
    let options = LoadOptions { log_sources: table, ..LoadOptions::default() };
    let loaded = RuleSet::load(&[PathBuf::from(rules)], &options);
    println!("{} rules loaded in {:.2?}", loaded.rules.rules().len(), start.elapsed());
    let packs = Arc::new(PackSet::load(&packs.join("parsers")).expect("the packs are sound"));
    let options = ParseOptions::new(None, "UTC").expect("there is UTC");
    let mut parser = Parser::new(packs, options).expect("no format is named");
    let text = std::fs::read(file).expect("the file can be read");
    let mut matcher = loaded.rules.matcher();
    let (mut parsed, mut found) = (Parsed::default(), Vec::new());
    let (mut events, mut total) = (0_u32, 0_usize);
    let start = Instant::now();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        parser.parse(line, 0, &mut parsed);
        events += 1;
        match how.first().map(String::as_str) {
            Some("parse") => {}
            Some("plain") => matcher.matches_plainly(&parsed.record, &mut found),
            Some("compare") => {
                let mut plain = Vec::new();
                matcher.matches_plainly(&parsed.record, &mut plain);
                matcher.matches(&parsed.record, &mut found);
                assert_eq!(found, plain, "event {events}");
            }
            _ => matcher.matches(&parsed.record, &mut found),
        }
        total += found.len();
    }
    let took = start.elapsed();
    println!(
        "{events} events, {total} matches, {took:.2?}, {:.0}/s",
        f64::from(events) / took.as_secs_f64()
    );
}

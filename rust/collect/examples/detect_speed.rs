//! Parses a file of records and tries rules on them, and tells what that cost, as a JSON object:
//! `cargo run --release -p bigsec-collect --example detect_speed -- RULES FILE [HOW] [THREADS]
//! [INDICATORS]`.
//!
//! HOW is `fast` (as the product does it), `plain` (every rule is asked), `compare` (both, and each
//! event must have the same matches) or `parse` (no rules are tried). `bench/detect.py` runs it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bigsec_detect::{
    IndicatorOptions, IndicatorSet, LoadOptions, Loaded, LogSources, Matcher, RuleSet,
};
use bigsec_event::FieldSource;
use bigsec_parse::{Outcome, PackSet, ParseOptions, Parsed, Parser};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes read at once.
const BLOCK_BYTES: usize = 1 << 18;

/// What is done with each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Fast,
    Plain,
    Compare,
    Parse,
}

/// What all threads share.
#[derive(Clone, Copy)]
struct Known<'k> {
    rules: &'k Arc<RuleSet>,
    packs: &'k Arc<PackSet>,
    indicators: Option<&'k Arc<IndicatorSet>>,
}

/// What one thread has seen.
#[derive(Debug, Default)]
struct Seen {
    events: u64,
    unparsed: u64,
    matches: u64,
    sightings: u64,
    with_fields: u64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rules, file, rest @ ..] = arguments.as_slice() else {
        eprintln!(
            "usage: detect_speed RULES FILE [fast|plain|compare|parse] [THREADS] [INDICATORS]"
        );
        return;
    };
    let how = match rest.first().map(String::as_str) {
        Some("plain") => How::Plain,
        Some("compare") => How::Compare,
        Some("parse") => How::Parse,
        _ => How::Fast,
    };
    let threads = rest.get(1).map_or(1, |count| count.parse().expect("THREADS is a number"));
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/bigsec/packs");
    let before = cpu_s();
    let loaded = load(Path::new(rules), &packs);
    let load_cpu_s = cpu_s() - before;
    let indicators = rest
        .get(2)
        .map(|file| IndicatorSet::load(&[PathBuf::from(file)], IndicatorOptions::default()).set);
    let indicators_cpu_s = cpu_s() - before - load_cpu_s;
    let packs = Arc::new(PackSet::load(&packs.join("parsers")).expect("the packs are sound"));
    let (start, start_cpu_s) = (Instant::now(), cpu_s());
    let known = Known { rules: &loaded.rules, packs: &packs, indicators: indicators.as_ref() };
    let seen = over(Path::new(file), how, threads, known);
    let (wall_s, run_cpu_s) = (start.elapsed().as_secs_f64(), cpu_s() - start_cpu_s);
    println!(
        "{}",
        serde_json::json!({
            "rules": loaded.rules.rules().len(),
            "events": seen.iter().map(|one| one.events).sum::<u64>(),
            "bad_lines": seen.iter().map(|one| one.unparsed).sum::<u64>(),
            "indicators": indicators.as_ref().map_or(0, |set| set.len()),
            "indicators_cpu_s": indicators_cpu_s,
            "sightings": seen.iter().map(|one| one.sightings).sum::<u64>(),
            "matches": seen.iter().map(|one| one.matches).sum::<u64>(),
            "with_fields": seen.iter().map(|one| one.with_fields).sum::<u64>(),
            "load_cpu_s": load_cpu_s,
            "run_cpu_s": run_cpu_s,
            "wall_s": wall_s,
            "rss_kib_max": rss_kib_max(),
        })
    );
}

fn load(rules: &Path, packs: &Path) -> Loaded {
    let table =
        LogSources::load(&packs.join("tables/logsources.yaml")).expect("the table is sound");
    let options = LoadOptions { log_sources: table, ..LoadOptions::default() };
    RuleSet::load(&[PathBuf::from(rules)], &options)
}

/// Each thread takes a part of the file, from the first line that begins in it.
fn over(file: &Path, how: How, threads: u64, known: Known<'_>) -> Vec<Seen> {
    let length = std::fs::metadata(file).expect("the file is there").len();
    std::thread::scope(|scope| {
        let part = |number| {
            let (from, until) = (length * number / threads, length * (number + 1) / threads);
            scope.spawn(move || run(file, from, until, how, known))
        };
        let running: Vec<_> = (0..threads).map(part).collect();
        running.into_iter().map(|one| one.join().expect("no event makes it panic")).collect()
    })
}

fn run(file: &Path, from: u64, until: u64, how: How, known: Known<'_>) -> Seen {
    let Known { rules, packs, indicators } = known;
    let options = ParseOptions::new(None, "UTC").expect("there is UTC");
    let mut parser = Parser::new(Arc::clone(packs), options).expect("no format is named");
    let mut tries = Tries { how, matcher: rules.matcher(), found: Vec::new(), plain: Vec::new() };
    let mut indicators = indicators.map(IndicatorSet::matcher);
    let mut hits = Vec::new();
    let (mut seen, mut parsed) = (Seen::default(), Parsed::default());
    each_line(file, from, until, |line| {
        let record = line.trim_ascii_end();
        if record.is_empty() {
            return;
        }
        let outcome = parser.parse(record, 0, &mut parsed);
        seen.events += 1;
        seen.unparsed += u64::from(outcome != Outcome::Event);
        seen.with_fields += u64::from(!parsed.record.is_empty());
        seen.matches += tries.matches(&parsed.record);
        if let Some(indicators) = &mut indicators {
            indicators.matches(&parsed.record, &mut hits);
            seen.sightings += hits.len() as u64;
        }
    });
    seen
}

/// The lines that begin from `from` on and before `until`; only those at the end of a block are copied.
fn each_line(path: &Path, from: u64, until: u64, mut with: impl FnMut(&[u8])) {
    let mut file = File::open(path).expect("it opens");
    // A line that begins just at `from` is known by the end of the line before.
    let mut at = from.saturating_sub(1);
    file.seek(SeekFrom::Start(at)).expect("a file can be sought in");
    let (mut block, mut filled, mut is_first) = (vec![0; BLOCK_BYTES], 0, from > 0);
    loop {
        let read = file.read(&mut block[filled..]).expect("it can be read");
        filled += read;
        let mut begin = 0;
        let ends = memchr::memchr_iter(b'\n', &block[..filled]);
        let last = (read == 0 && filled > 0).then_some(filled);
        for end in ends.chain(last) {
            let line = &block[begin..end];
            if !std::mem::take(&mut is_first) && at < until {
                with(line);
            }
            at += (end + 1 - begin) as u64;
            begin = (end + 1).min(filled);
        }
        if read == 0 || at >= until {
            return;
        }
        block.copy_within(begin..filled, 0);
        filled -= begin;
        if filled == block.len() {
            block.resize(filled * 2, 0);
        }
    }
}

struct Tries {
    how: How,
    matcher: Matcher,
    found: Vec<u32>,
    plain: Vec<u32>,
}

impl Tries {
    fn matches(&mut self, event: &dyn FieldSource) -> u64 {
        let Self { how, matcher, found, plain } = self;
        match how {
            How::Parse => {}
            How::Fast => matcher.matches(event, found),
            How::Plain => matcher.matches_plainly(event, found),
            How::Compare => {
                matcher.matches_plainly(event, plain);
                matcher.matches(event, found);
                assert_eq!(found, plain, "{:?}", event.raw());
            }
        }
        found.len() as u64
    }
}

/// User and system seconds of this process, ended threads too.
fn cpu_s() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default()).as_secs_f64()
}

fn rss_kib_max() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}

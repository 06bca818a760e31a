//! Counts the matches that rsigma finds in an NDJSON file, and what that costs.
//!
//! `peer-rsigma VARIANT RULES EVENTS [MATCHES]` prints one JSON object. CPU seconds are user + system
//! of this process: up to the moment when the rules stand ready, and from there on. To the file
//! MATCHES it writes what matched, `{"rule", "event"}` a line, where events carry an `_id`.

#![forbid(unsafe_code)]

mod log_source;

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rsigma_eval::event::JsonEvent;
use rsigma_eval::pipeline::builtin::resolve_builtin;
use rsigma_eval::{Engine, LogSourceExtractor};
use rsigma_parser::{LogSource, SigmaCollection, parse_sigma_directory};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How the engine is set up.
#[derive(Debug, Clone, Copy)]
struct Variant {
    /// The built-in Sysmon pipeline, and pruning by product.
    routed: bool,
    /// The log source of each event is worked out here and handed over. Without the pipeline, which
    /// would give every Windows rule the service `sysmon`.
    tagged: bool,
    /// The bloom filter before substring matchers.
    bloom: bool,
}

impl Variant {
    fn named(name: &str) -> Option<Self> {
        let (routed, tagged, bloom) = match name {
            "default" => (false, false, false),
            "routed" => (true, false, false),
            "routed-bloom" => (true, false, true),
            "tagged-bloom" => (false, true, true),
            _ => return None,
        };
        Some(Self { routed, tagged, bloom })
    }
}

/// What a run over the events found.
#[derive(Debug, Default)]
struct Found {
    events: u64,
    bad_lines: u64,
    matches: u64,
    matched_events: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (variant_name, rules, events, mut matches) = match arguments.as_slice() {
        [variant, rules, events] => (variant, rules, events, None),
        [variant, rules, events, path] => {
            (variant, rules, events, Some(BufWriter::new(File::create(path)?)))
        }
        _ => return Err("usage: peer-rsigma VARIANT RULES EVENTS [MATCHES]".into()),
    };
    let variant = Variant::named(variant_name)
        .ok_or("VARIANT is default, routed, routed-bloom or tagged-bloom")?;
    let collection = parse_sigma_directory(Path::new(rules))?;
    let (engine, refused) = build(&collection, variant)?;
    let load_cpu_s = cpu_s(&getrusage(UsageWho::RUSAGE_SELF)?);
    let found = run(&engine, variant, Path::new(events), matches.as_mut())?;
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let report = json!({
        "variant": variant_name,
        "rules": engine.rule_count(),
        "rules_refused": refused + collection.errors.len(),
        "events": found.events,
        "bad_lines": found.bad_lines,
        "matches": found.matches,
        "matched_events": found.matched_events,
        "load_cpu_s": load_cpu_s,
        "run_cpu_s": cpu_s(&usage) - load_cpu_s,
        "rss_kib_max": usage.max_rss(),
    });
    println!("{report}");
    Ok(())
}

fn build(
    collection: &SigmaCollection,
    variant: Variant,
) -> Result<(Engine, usize), Box<dyn Error>> {
    let mut engine = Engine::new();
    if variant.routed {
        engine.add_pipeline(resolve_builtin("sysmon").ok_or("no sysmon pipeline")??);
        let windows = LogSource { product: Some("windows".to_owned()), ..LogSource::default() };
        engine.set_logsource_extractor(Some(LogSourceExtractor::new().with_defaults(windows)));
    }
    engine.set_bloom_prefilter(variant.bloom);
    let refused = engine.add_rules(&collection.rules);
    Ok((engine, refused.len()))
}

fn run(
    engine: &Engine,
    variant: Variant,
    path: &Path,
    mut matches: Option<&mut BufWriter<File>>,
) -> Result<Found, Box<dyn Error>> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut line = Vec::new();
    let mut found = Found::default();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(found);
        }
        let Ok(value) = serde_json::from_slice::<Value>(&line) else {
            found.bad_lines += 1;
            continue;
        };
        let event = JsonEvent::borrow(&value);
        let results = if variant.tagged {
            engine.evaluate_pruned(&event, &log_source::of(&value))
        } else {
            engine.evaluate(&event)
        };
        if let Some(file) = matches.as_mut() {
            for result in &results {
                let pair = json!({"rule": result.header.rule_id, "event": value.get("_id")});
                writeln!(file, "{pair}")?;
            }
        }
        found.events += 1;
        found.matches += results.len() as u64;
        found.matched_events += u64::from(!results.is_empty());
    }
}

fn cpu_s(usage: &Usage) -> f64 {
    let microseconds =
        usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    // Exact up to 2^53 µs, which is 285 years.
    #[allow(clippy::cast_precision_loss)]
    let seconds = microseconds as f64 / 1e6;
    seconds
}

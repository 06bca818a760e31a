//! Compares the evaluator with the pairs that another engine found, and times it:
//! `cargo run --release -p bigsec-detect --example oracle -- RULES WINDOWS_EVENTS [SET …]`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::time::Instant;

use bigsec_detect::{LoadOptions, LogSources, RuleSet};
use support::oracle::{Oracle, Score, events, pairs};

const SETS: [&str; 5] =
    ["sigmahq-regression", "sbousseaden", "mdecrevoisier", "yamato-deepblue", "otrf"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rules, folder, sets @ ..] = arguments.as_slice() else {
        eprintln!("usage: oracle RULES WINDOWS_EVENTS [SET …]");
        return;
    };
    let sets = if sets.is_empty() { SETS.map(str::to_owned).to_vec() } else { sets.to_vec() };
    let start = Instant::now();
    let log_sources = LogSources::load(&support::table()).expect("the table is sound");
    let options = LoadOptions { log_sources, ..LoadOptions::default() };
    let loaded = RuleSet::load(&[PathBuf::from(rules)], &options);
    println!("{} rules loaded in {:?}", loaded.rules.rules().len(), start.elapsed());
    for problem in &loaded.problems {
        println!("{problem}");
    }
    let folder = PathBuf::from(folder);
    let oracle = Oracle::read(&folder);
    let mut matcher = loaded.rules.matcher();
    let mut score = Score::default();
    for set in &sets {
        let events = events(&folder, set, "json");
        let start = Instant::now();
        let found = pairs(&loaded.rules, &mut matcher, &events);
        let elapsed = start.elapsed();
        let rate = events.len() as u128 * 1_000_000 / elapsed.as_micros().max(1);
        println!("{set}: {} events in {elapsed:.2?}, {rate} events/s", events.len());
        score.add(oracle.score(&events, &found));
    }
    let (precision, recall) = score.precision_and_recall();
    println!("precision {precision:.4}, recall {recall:.4}");
    for (what, pairs) in [("missed", &score.missed), ("extra", &score.extra)] {
        for (rule, event) in pairs {
            println!("{what} {rule} {event}");
        }
    }
}

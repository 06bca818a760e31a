//! Compares the evaluator with the pairs of rule and event that another engine found, and times
//! it: `cargo run --release -p bigsec-detect --example oracle -- RULES WINDOWS_EVENTS [SET …]`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::time::Instant;

use bigsec_detect::{LoadOptions, LogSources, RuleSet};
use bigsec_event::Record;
use serde_json::Value;

type Pairs = HashSet<(String, String)>;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(rules), Some(events)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: oracle RULES WINDOWS_EVENTS [SET …]");
        return;
    };
    let mut sets: Vec<String> = arguments.collect();
    if sets.is_empty() {
        let all = ["sigmahq-regression", "sbousseaden", "mdecrevoisier", "yamato-deepblue", "otrf"];
        sets = all.map(str::to_owned).into();
    }
    let log_sources = LogSources::load(&support::table()).expect("the table is sound");
    let options = LoadOptions { log_sources, ..LoadOptions::default() };
    let start = Instant::now();
    let loaded = RuleSet::load(&[PathBuf::from(&rules)], &options);
    println!("{} rules loaded in {:?}", loaded.rules.rules().len(), start.elapsed());
    for problem in &loaded.problems {
        println!("{problem}");
    }
    let events = PathBuf::from(events);
    let (expected, left_out, audit) = oracle(&events);
    let mut found = Pairs::new();
    let mut ids = HashSet::new();
    let mut matcher = loaded.rules.matcher();
    for set in &sets {
        let text = support::unpack(&events.join(set).join("flat.ndjson.zst"));
        let records: Vec<(String, Record)> = text.lines().map(read).collect();
        drop(text);
        let (mut out, mut matches) = (Vec::new(), Vec::new());
        let start = Instant::now();
        for (index, (_, record)) in records.iter().enumerate() {
            matcher.matches(record, &mut out);
            matches.extend(out.iter().map(|rule| (*rule, index)));
        }
        let seconds = start.elapsed().as_secs_f64();
        let rate = records.len() as f64 / seconds;
        println!("{set}: {} events, {seconds:.2} s, {rate:.0} events/s", records.len());
        for (rule, index) in matches {
            let rule = &loaded.rules.rules()[rule as usize];
            let windows = rule.log_source.product.as_deref() == Some("windows");
            if windows && !left_out.contains(&rule.id) {
                found.insert((rule.id.clone(), records[index].0.clone()));
            }
        }
        ids.extend(records.into_iter().map(|(id, _)| id));
    }
    let expected: Pairs = expected.into_iter().filter(|(_, id)| ids.contains(id)).collect();
    let hits = found.intersection(&expected).count();
    println!("expected {}, found {}, both {hits}", expected.len(), found.len());
    println!(
        "precision {:.4}, recall {:.4}",
        hits as f64 / found.len().max(1) as f64,
        hits as f64 / expected.len().max(1) as f64
    );
    let titles: HashMap<_, _> =
        loaded.rules.rules().iter().map(|rule| (rule.id.clone(), rule.path().to_owned())).collect();
    for (what, pairs) in
        [("missed", expected.difference(&found)), ("extra", found.difference(&expected))]
    {
        let mut by_rule: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
        for (rule, id) in pairs {
            by_rule.entry(rule).or_default().push(id);
        }
        for (rule, mut ids) in by_rule {
            ids.sort();
            let path = titles.get(rule).map_or("", String::as_str);
            let audited =
                ids.iter().filter(|id| audit.contains(&(rule.clone(), (**id).clone()))).count();
            println!(
                "{what} {} ({audited} audit) {rule} {path} {:?}",
                ids.len(),
                &ids[..ids.len().min(3)]
            );
        }
    }
}

fn read(line: &str) -> (String, Record) {
    let mut object: Value = serde_json::from_str(line).expect("a line is JSON");
    let members = object.as_object_mut().expect("a line is an object");
    members.remove("_file");
    let id = members.remove("_id").and_then(|id| id.as_str().map(str::to_owned));
    (id.expect("an event has its id"), support::record(&object, "json"))
}

/// The pairs expected, the rules that the other engine could not run, and the pairs that only
/// its mapping to Windows' audit events found.
fn oracle(events: &std::path::Path) -> (Pairs, HashSet<String>, Pairs) {
    let (mut pairs, mut audit) = (Pairs::new(), Pairs::new());
    for line in support::unpack(&events.join("oracle.jsonl.zst")).lines() {
        let row: Value = serde_json::from_str(line).expect("a line is JSON");
        let rule = row["rule_id"].as_str().expect("a row names its rule");
        for (key, set) in [("matched", &mut pairs), ("matched_by_audit_mapping", &mut audit)] {
            for id in row[key].as_array().into_iter().flatten() {
                set.insert((rule.to_owned(), id.as_str().expect("ids are text").to_owned()));
            }
        }
    }
    let stats = std::fs::read_to_string(events.join("oracle.stats.json")).expect("it is there");
    let stats: Value = serde_json::from_str(&stats).expect("it is JSON");
    let left_out = stats["rules_left_out_of_oracle"].as_array().into_iter().flatten();
    let left_out = left_out.filter_map(|row| row[0].as_str().map(str::to_owned)).collect();
    (pairs, left_out, audit)
}

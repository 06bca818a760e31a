//! The cases of `tests/detect/cases`: rules and events as data.
//!
//! * `match/`, `routed/`: rules, and events that each name the titles of the rules they match
//!   (`_match`); `_raw` is the text of the record (else the event's JSON), `_parser` its pack.
//!   Those in `routed/` are loaded with the routing table that is shipped.
//! * `refused/`: rule files, with the problems expected of each in `expected.txt`.

mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bigsec_detect::{Entities, LoadOptions, LogSources, RuleSet, Status};
use bigsec_event::codes;
use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    support::repository().join("tests/detect/cases").join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it is readable").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yml"));
    files.sort();
    assert!(!files.is_empty());
    files
}

fn options() -> LoadOptions {
    let values = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let placeholders = [
        ("admins".to_owned(), values(&["alice", "svc-*"])),
        ("domains".to_owned(), values(&["example.org", "example.com"])),
    ];
    LoadOptions { placeholders: placeholders.into(), ..LoadOptions::default() }
}

/// What is wrong with a case: for each event the titles that are missing or too many.
fn differences(rules: &Path, options: &LoadOptions) -> String {
    let mut differences = String::new();
    let loaded = RuleSet::load(&[rules.to_owned()], options);
    let faults = loaded.problems.iter().filter(|problem| problem.code != codes::RULE_UNROUTED);
    for problem in faults {
        let _ = writeln!(differences, "{problem}");
    }
    let mut matcher = loaded.rules.matcher();
    let mut out = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let events = rules.with_extension("ndjson");
    let text = std::fs::read_to_string(&events).expect("the events are there");
    for (number, line) in text.lines().enumerate() {
        let mut event: Value = serde_json::from_str(line).expect("an event is JSON");
        let members = event.as_object_mut().expect("an event is an object");
        let wanted = members.remove("_match").expect("an event says what it matches");
        let raw = members.remove("_raw");
        let parser = members.remove("_parser");
        let parser = parser.as_ref().and_then(Value::as_str).unwrap_or("json");
        let mut record = support::record(&event, parser);
        if let Some(raw) = raw.as_ref().and_then(Value::as_str) {
            record.reset(raw);
            support::fill(&mut record, &event);
            record.set_parser(&Arc::from(parser));
        }
        matcher.matches(&record, &mut out);
        let mut found: Vec<&str> =
            out.iter().map(|rule| loaded.rules.rules()[*rule as usize].title.as_str()).collect();
        let mut wanted: Vec<&str> =
            wanted.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        found.sort_unstable();
        wanted.sort_unstable();
        seen.extend(found.iter().map(|title| (*title).to_owned()));
        if found != wanted {
            let name = events.display();
            let _ = writeln!(differences, "{name}:{}: found {found:?}, not {wanted:?}", number + 1);
        }
        for rule in 0..loaded.rules.rules().len() as u32 {
            let explained = matcher.explain(rule, &record).expect("there is such a rule");
            if explained.holds != out.contains(&rule) {
                let _ = writeln!(differences, "explained otherwise:\n{explained}");
            }
        }
    }
    // A rule that no event matches would test nothing.
    for rule in loaded.rules.rules().iter().filter(|rule| !seen.contains(&rule.title)) {
        let _ = writeln!(differences, "{}: {:?} matches no event", rule.path(), rule.title);
    }
    differences
}

#[test]
fn rules_match_what_they_should() {
    let differences: String =
        files(&folder("match")).iter().map(|file| differences(file, &options())).collect();
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn rules_are_tried_on_the_events_of_their_log_source() {
    let log_sources = LogSources::load(&support::table()).expect("the table is sound");
    let options = LoadOptions { log_sources, ..options() };
    let differences: String =
        files(&folder("routed")).iter().map(|file| differences(file, &options)).collect();
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn faults_have_their_code_place_and_mend() {
    let mut found = String::new();
    for file in files(&folder("refused")) {
        let name = file.file_name().expect("a file has a name").to_string_lossy();
        let loaded = RuleSet::load(std::slice::from_ref(&file), &options());
        let _ = writeln!(found, "{name}: {} of {}", loaded.rules.rules().len(), loaded.seen);
        for problem in loaded.problems.iter().filter(|p| p.code != codes::RULE_NONE) {
            assert_eq!(problem.place.file, file.display().to_string());
            let (line, column) = (problem.place.line, problem.place.column);
            let code = problem.code.number;
            let _ = writeln!(found, "  {line}:{column} {code} {}", problem.message);
            if !problem.mend.is_empty() {
                let _ = writeln!(found, "      {}", problem.mend);
            }
        }
    }
    let found = found.replace(&format!("{}/", folder("refused").display()), "");
    let expected = folder("refused").join("expected.txt");
    let expected = std::fs::read_to_string(expected).unwrap_or_default();
    assert!(found == expected, "{found}");
}

#[test]
fn status_and_level_choose_rules() {
    let rule = |status: &str, level: &str| {
        format!(
            "title: {status} {level}\nstatus: {status}\nlevel: {level}\nlogsource: {{product: a}}\n\
             detection: {{s: {{{status}: {level}}}, condition: s}}\n"
        )
    };
    let texts = [
        rule("stable", "high"),
        rule("experimental", "low"),
        rule("deprecated", "critical"),
        rule("unsupported", "high"),
    ];
    let texts: Vec<_> = texts.iter().map(|text| ("r.yml", text.as_str())).collect();
    let count = |options: &LoadOptions| {
        let loaded = RuleSet::from_texts(&texts, options);
        (loaded.rules.rules().len(), loaded.passed_over)
    };
    let every = LoadOptions::default();
    assert_eq!(count(&every), (2, 2));
    let level = bigsec_detect::Level::named("High");
    assert_eq!(count(&LoadOptions { min_level: level, ..every.clone() }), (1, 3));
    let statuses = Some(vec![Status::Deprecated, Status::Experimental]);
    assert_eq!(count(&LoadOptions { statuses, ..every }), (2, 2));
}

#[test]
fn the_version_is_that_of_the_contents() {
    let one = "title: A\nlogsource: {product: a}\ndetection: {s: {a: 1}, condition: s}\n";
    let two = "title: B\nlogsource: {product: a}\ndetection: {s: {a: 2}, condition: s}\n";
    let commented = format!("# a comment\n{one}");
    let version = |texts: &[(&str, &str)]| {
        RuleSet::from_texts(texts, &LoadOptions::default()).rules.version().to_owned()
    };
    let both = version(&[("1", one), ("2", two)]);
    assert_eq!(both, version(&[("x", two), ("y", &commented)]));
    assert_ne!(both, version(&[("1", one)]));
    assert_ne!(version(&[("1", one)]), version(&[("1", &one.replace('A', "C"))]));
}

#[test]
fn a_rule_without_an_id_gets_the_same_one_every_time() {
    let text = "title: A\nlogsource: {product: a}\ndetection: {s: {a: 1}, condition: s}\n";
    let id = |text: &str| {
        let loaded = RuleSet::from_texts(&[("r", text)], &LoadOptions::default());
        loaded.rules.rules()[0].id.clone()
    };
    let first = id(text);
    assert_eq!(first, id(&format!("level: high\n{text}")));
    assert_ne!(first, id(&text.replace("a: 1", "a: 2")));
    assert_eq!((first.len(), &first[14..15]), (36, "8"));
}

#[test]
fn the_tables_that_are_shipped_are_sound() {
    let tables = support::repository().join("python/bigsec/packs/tables");
    assert!(LogSources::load(&tables.join("logsources.yaml")).is_ok_and(|table| table.len() > 100));
    assert!(Entities::load(&tables.join("entities.yaml")).is_ok());
    let missing = LogSources::load(&tables.join("nothing.yaml")).expect_err("it is not there");
    assert_eq!(missing[0].code, codes::INPUT_NOT_FOUND);
}

#[test]
fn a_rule_set_is_shared_and_a_matcher_moves() {
    fn shared<T: Send + Sync>() {}
    fn moved<T: Send>() {}
    shared::<RuleSet>();
    shared::<Entities>();
    moved::<bigsec_detect::Matcher>();
}

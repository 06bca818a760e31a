//! The rules of `SigmaHQ` over the Windows events of the shared data.

mod support;

use std::collections::HashSet;
use std::sync::LazyLock;

use bigsec_detect::{LoadOptions, Loaded, LogSources, RuleSet};
use bigsec_event::codes;
use serde_json::Value;
use support::oracle::{Oracle, Score, events, pairs};

/// The whole tree, loaded once; nothing where the shared data is absent.
static RULES: LazyLock<Option<Loaded>> = LazyLock::new(|| {
    let archive = support::shared("sigma-rules/rules.tar.zst")?;
    let archive = std::fs::File::open(archive).expect("the archive opens");
    let archive = zstd::decode_all(archive).expect("the archive is sound");
    let files = support::tar::files(&archive);
    let rules = files.iter().filter(|(_, text)| text.starts_with("title:"));
    let texts: Vec<_> = rules.map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let log_sources = LogSources::load(&support::table()).expect("the table is sound");
    Some(RuleSet::from_texts(&texts, &LoadOptions { log_sources, ..LoadOptions::default() }))
});

#[test]
fn every_rule_loads() {
    let Some(loaded) = RULES.as_ref() else { return };
    let faults: Vec<_> =
        loaded.problems.iter().filter(|problem| problem.code != codes::RULE_UNROUTED).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!((loaded.files, loaded.rules.rules().len()), (3141, 3141));
    let unrouted = loaded.problems.len();
    assert!(unrouted <= 20, "{unrouted} rules have no entry in the table");
    let with_techniques =
        loaded.rules.rules().iter().filter(|rule| !rule.attack_techniques.is_empty()).count();
    assert!(with_techniques > 2500, "{with_techniques}");
}

#[test]
fn the_cases_of_sigma_hq_match() {
    let (Some(cases), Some(folder)) =
        (support::shared("sigma-regression"), support::shared("windows-events"))
    else {
        return;
    };
    let log_sources = LogSources::load(&support::table()).expect("the table is sound");
    let options = LoadOptions { log_sources, ..LoadOptions::default() };
    let loaded = RuleSet::load(&[cases.join("rules_used")], &options);
    let expected = std::fs::read_to_string(cases.join("expected.jsonl")).expect("it is there");
    assert_eq!((loaded.rules.rules().len(), expected.lines().count()), (115, 115));
    for parser in ["json", "windows_event"] {
        let events = events(&folder, "sigmahq-regression", parser);
        let found = pairs(&loaded.rules, &mut loaded.rules.matcher(), &events);
        let mut failed = Vec::new();
        for line in expected.lines() {
            let case: Value = serde_json::from_str(line).expect("a line is JSON");
            let rule = case["rule_id"].as_str().expect("a case names its rule");
            let ids = case["event_ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let matched = ids.filter(|id| found.contains(&(rule.into(), (*id).into()))).count();
            let wanted = case["expected_match_count_min"].as_u64().expect("a count is a number");
            if (matched as u64) < wanted {
                failed.push(rule.to_owned());
            }
        }
        assert_eq!(failed, [""; 0], "with parser {parser}");
    }
}

#[test]
fn the_pairs_are_those_of_another_engine() {
    let (Some(loaded), Some(folder)) = (RULES.as_ref(), support::shared("windows-events")) else {
        return;
    };
    let oracle = Oracle::read(&folder);
    let mut matcher = loaded.rules.matcher();
    let mut score = Score::default();
    // The largest set takes too long without optimisation; the example `oracle` reads it, too.
    for set in ["sigmahq-regression", "sbousseaden", "mdecrevoisier", "yamato-deepblue"] {
        let events = events(&folder, set, "json");
        let found = pairs(&loaded.rules, &mut matcher, &events);
        score.add(oracle.score(&events, &found));
    }
    let (precision, recall) = score.precision_and_recall();
    println!("{} pairs, precision {precision:.4}, recall {recall:.4}", score.both);
    let (missed, extra): (HashSet<_>, HashSet<_>) = (
        score.missed.iter().map(|(rule, _)| rule).collect(),
        score.extra.iter().map(|(rule, _)| rule).collect(),
    );
    assert!(score.both > 5000, "{}", score.both);
    assert!(precision >= 0.999 && recall >= 0.999, "missed {missed:?}, extra {extra:?}");
}

#[test]
fn asking_few_rules_finds_what_asking_all_does() {
    let (Some(loaded), Some(folder)) = (RULES.as_ref(), support::shared("windows-events")) else {
        return;
    };
    let mut matcher = loaded.rules.matcher();
    let (mut fast, mut plain, mut total) = (Vec::new(), Vec::new(), 0);
    for set in ["sigmahq-regression", "sbousseaden", "yamato-deepblue"] {
        for (id, event) in events(&folder, set, "json") {
            matcher.matches_plainly(&event, &mut plain);
            matcher.matches(&event, &mut fast);
            assert_eq!(fast, plain, "of event {id} of {set}");
            total += fast.len();
        }
    }
    assert!(total > 1_000, "{total}");
}

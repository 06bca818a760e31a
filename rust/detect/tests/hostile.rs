//! Rule files and events made by enemies: no panic, bounded work, and every fault has a place.

mod support;

use bigsec_detect::{Entities, LoadOptions, LogSources, RuleSet};
use bigsec_event::{Kind, Record, codes};
use proptest::prelude::*;

fn load(text: &str) -> bigsec_detect::Loaded {
    RuleSet::from_texts(&[("r.yml", text)], &LoadOptions::default())
}

/// A rule whose detection is `lines`.
fn rule(lines: &str) -> String {
    format!("title: T\nlogsource: {{product: a}}\ndetection:\n{lines}\n  condition: s\n")
}

/// Pieces of rules, put together in any order.
fn shards() -> impl Strategy<Value = String> {
    let shard = prop_oneof![
        Just("title: T\n"),
        Just("logsource: {product: a}\n"),
        Just("detection:\n"),
        Just("  s:\n"),
        Just("    a|contains: x\n"),
        Just("    a|re: '(x+)+$'\n"),
        Just("    a|base64offset|windash: [-a, '/b']\n"),
        Just("    - b|cidr: 10.0.0.0/8\n"),
        Just("    - 'word*'\n"),
        Just("  condition: 1 of s* and not (s)\n"),
        Just("  condition: [s, not s]\n"),
        Just("tags: [attack.t1, cve.1, x]\n"),
        Just("&x {<<: *x}\n"),
        Just("---\n"),
        Just("action: repeat\n"),
        Just("action: global\n"),
        Just("date: 2024-99-99\n"),
        Just("\u{feff}"),
        Just("'"),
        Just("|"),
        Just("é\t"),
    ];
    proptest::collection::vec(shard, 0..14).prop_map(|shards| shards.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn shards_of_rules_load_or_are_refused_with_a_place(text in shards()) {
        let loaded = load(&text);
        for problem in loaded.problems.iter().filter(|p| p.code != codes::RULE_NONE) {
            prop_assert_eq!(&problem.place.file, "r.yml");
            prop_assert!(problem.place.line > 0, "{}", problem);
        }
        let mut record = Record::new();
        record.reset("word x 10.0.0.1");
        record.push("a", "xxx", Kind::String);
        let mut out = Vec::new();
        loaded.rules.matcher().matches(&record, &mut out);
        prop_assert!(out.len() <= loaded.rules.rules().len());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        load(&text);
        let _ = LogSources::from_text("t", &text);
        let _ = Entities::from_text("t", &text);
    }

    #[test]
    fn any_key_value_and_condition_is_read_or_refused(
        key in "[a|]{0,3}(\\|(contains|re|windash|wide|base64offset|all|cidr|expand|i)){0,4}",
        value in "[-/a*?\\\\%(){}\\[\\]$^|.é0-9:]{0,12}",
        text in "[-/a*?\\\\é0-9:\n]{0,12}",
    ) {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let loaded = load(&rule(&format!("  s: {{{}: {}}}", quoted(&key), quoted(&value))));
        let mut record = Record::new();
        record.push("a", &text, Kind::String);
        let mut out = Vec::new();
        let mut matcher = loaded.rules.matcher();
        matcher.matches(&record, &mut out);
        if let Some(explained) = matcher.explain(0, &record) {
            prop_assert_eq!(explained.holds, !out.is_empty());
        }
    }
}

#[test]
fn bombs_are_refused_at_once() {
    let mut aliases = String::from("a: &a0 [x, x]\n");
    for level in 1..60 {
        aliases.extend([format!("b{level}: &a{level} [*a{0}, *a{0}]\n", level - 1)]);
    }
    let shape = |text: String| rule(&format!("  s: {text}"));
    let bombs = [
        aliases,
        shape(format!("{{a: {}}}", "[".repeat(10_000))),
        "{a: ".repeat(100_000),
        format!("x: {}", "- ".repeat(200_000)),
        "? ".repeat(300_000),
        "a: b\n".repeat(200_000),
        shape(format!("{{a: [{}]}}", "x,".repeat(200_000))),
        shape(format!("{{a|windash|base64: '{}'}}", "-a ".repeat(60))),
        shape(format!("{{a|re: '{}'}}", "(a{1,900}){1,900}".repeat(4))),
        rule("  s: {a: b}")
            .replace("condition: s", &format!("condition: {}s", "not ".repeat(90_000))),
        rule("  s: {a: b}").replace("condition: s", &format!("condition: {}s", "(".repeat(90_000))),
        "x".repeat(2 << 20),
    ];
    for bomb in bombs {
        // One that was built out would never end.
        let loaded = load(&bomb);
        let shown: String = bomb.chars().take(60).collect();
        assert!(loaded.rules.rules().is_empty(), "{shown}");
        assert!(!loaded.problems.is_empty() && loaded.problems.len() < 200, "{shown}");
    }
}

#[test]
fn hard_patterns_on_long_texts_end_in_time() {
    let lines = "  s:\n    - a: '*a*a*a*a*a*a*a*a*a*a*b'\n    - a|re: '(a+)+$'\n    - a: \
                 '*a?a?a?a?a?a?a?b*'\n    - 'a*a*a*a*c'";
    let loaded = load(&rule(lines));
    assert_eq!(loaded.problems, []);
    let mut record = Record::new();
    record.push("a", &("a".repeat(300_000) + "!"), Kind::String);
    let mut out = Vec::new();
    loaded.rules.matcher().matches(&record, &mut out);
    assert!(out.is_empty());
}

#[test]
fn a_matcher_forgets_the_event_before() {
    let loaded = load(&rule("  s:\n    - a: x\n    - word"));
    let mut matcher = loaded.rules.matcher();
    let mut out = Vec::new();
    for (text, value, expected) in
        [("", "x", 1), ("", "y", 0), ("a word", "y", 1), ("", "", 0), ("", "X", 1)]
    {
        let mut record = Record::new();
        record.reset(text);
        record.push("a", value, Kind::String);
        matcher.matches(&record, &mut out);
        assert_eq!(out.len(), expected, "{text:?} {value:?}");
    }
}

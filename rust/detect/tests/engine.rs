//! The evaluator for many rules finds what asking each rule finds.

mod support;

use std::cell::Cell;

use bigsec_detect::{LoadOptions, LogSources, Matcher, RuleSet};
use bigsec_event::{FieldName, FieldSource, Kind, Record, Value};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

/// A record that does not show that it is one, as the rows of a batch.
struct Opaque<'a>(&'a Record);

impl FieldSource for Opaque<'_> {
    fn visit(&self, name: &FieldName, visit: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        self.0.visit(name, visit)
    }

    fn visit_all(&self, visit: &mut dyn FnMut(&str, Value<'_>) -> bool) -> bool {
        self.0.visit_all(visit)
    }

    fn raw(&self) -> Option<&str> {
        self.0.raw()
    }

    fn parser(&self) -> &str {
        self.0.parser()
    }
}

/// Asks in all three ways; gives what matched.
fn asked(matcher: &mut Matcher, record: &Record) -> Vec<u32> {
    let (mut plain, mut fast, mut opaque) = (Vec::new(), Vec::new(), Vec::new());
    matcher.matches_plainly(record, &mut plain);
    matcher.matches(record, &mut fast);
    matcher.matches(&Opaque(record), &mut opaque);
    assert_eq!(fast, plain, "of {record:?}");
    assert_eq!(opaque, plain, "of {record:?}, not as a record");
    plain
}

/// A table with what tables have: alternatives, fields of other names, and fields made of others.
const TABLE: &str = "
log_sources:
  - product: one
    events: [{where: {k: [a, 1]}}, {where: {k|exists: false, f: b}, fields: {g: f, h: {from: [f, g], with: '.'}}}]
  - product: two
    category: x
    events: [{parser: [p], where: {k|startswith: a}}]
  - product: two
    events: [{parser: [p, q]}]
";

const VALUES: &[&str] = &[
    "a",
    "A",
    "b",
    "ab",
    "aB.b",
    "b.a",
    "abcab",
    "aaaa-bbbb",
    "",
    "1",
    "01",
    "1.0",
    "-2",
    "true",
    "É",
    "é.a",
    "192.0.2.7",
    "2001:db8::1",
    "a b",
    "-a /b",
    "null",
    "aa\u{212a}A",
];

const WRITTEN: &[&str] = &[
    "'a'", "'A*'", "'*b'", "'*ab*'", "'a?'", "'*b?a*'", "'*'", "''", "1", "1.0", "true", "null",
    "'é'", "'*É*'", "'abcab'", "'*aaaa*'", "'*bbbb'", "'aaaa*'", "'null'", "'-2'", "'a*b'",
];

const KEYS: &[(&str, &[&str])] = &[
    ("contains", &["'a'", "'ab'", "'aaaa'", "'É'", "'bbbb'"]),
    ("startswith", &["'a'", "'aaaa'", "'É'"]),
    ("endswith", &["'b'", "'.a'", "'bbbb'"]),
    ("contains|cased", &["'A'", "'aB'"]),
    ("contains|windash", &["' -a'", "'-a'"]),
    ("re", &["'^a+$'", "'b'", "'a.b'"]),
    ("cidr", &["'192.0.2.0/24'", "'2001:db8::/32'"]),
    ("exists", &["true", "false"]),
    ("fieldref", &["'g'", "'k'"]),
    ("gt", &["0", "1"]),
    ("lte", &["1"]),
    ("neq", &["'a'"]),
];

const FIELDS: &[&str] = &["f", "g", "h", "k"];

/// One line of a selection.
fn line() -> impl Strategy<Value = String> {
    let plain = (select(FIELDS), prop::collection::vec(select(WRITTEN), 1..4))
        .prop_map(|(field, values)| format!("{field}: [{}]", values.join(", ")));
    let with_key = (select(FIELDS), select(KEYS), any::<bool>(), 1_usize..3).prop_flat_map(
        |(field, (key, values), all, count)| {
            let takes_all = key.starts_with("contains") || key == "re";
            let all = if all && takes_all && count > 1 { "|all" } else { "" };
            let one_value = matches!(key, "exists" | "gt" | "lte");
            let count = if one_value { 1 } else { count.min(values.len()) };
            let key = format!("{field}|{key}{all}");
            prop::sample::subsequence(values.to_vec(), count).prop_map(move |values| {
                if values.len() == 1 && all.is_empty() {
                    format!("{key}: {}", values[0])
                } else {
                    format!("{key}: [{}]", values.join(", "))
                }
            })
        },
    );
    prop_oneof![plain, with_key]
}

/// A selection: a mapping, a list of mappings, or keywords.
fn selection() -> impl Strategy<Value = String> {
    let mapping = prop::collection::vec(line(), 1..4).prop_map(|mut lines| {
        let key = |line: &String| line.split(':').next().map(str::to_owned);
        lines.sort_by_key(key);
        lines.dedup_by_key(|line| key(line));
        format!("{{{}}}", lines.join(", "))
    });
    let mapping = mapping.boxed();
    let list = prop::collection::vec(mapping.clone(), 1..4)
        .prop_map(|mappings| format!("[{}]", mappings.join(", ")));
    let words = &["'ab'", "'aaaa'", "'aaka'", "'É'", "'a?b'", "'*'"][..];
    let keywords = prop::collection::vec(select(words), 1..3)
        .prop_map(|words| format!("[{}]", words.join(", ")));
    prop_oneof![4 => mapping, 2 => list, 1 => keywords]
}

const CONDITIONS: &[&str] = &[
    "s1",
    "s1 and s2",
    "s1 or s2",
    "s1 and not s2",
    "not s1",
    "not (s1 or s2)",
    "1 of s*",
    "all of them",
    "s1 and (s2 or s3)",
    "(s1 and s2) or (s2 and s3)",
    "(s1 or s2) and not s3",
    "not s1 or s2",
    "1 of them and not s3",
    "not 1 of s*",
];

fn rule() -> impl Strategy<Value = String> {
    let source =
        select(&["product: one", "product: two", "product: two\n  category: x", "service: y"][..]);
    (source, selection(), selection(), selection(), select(CONDITIONS)).prop_map(
        |(source, s1, s2, s3, condition)| {
            format!(
                "title: t\nlogsource:\n  {source}\ndetection:\n  s1: {s1}\n  s2: {s2}\n  s3: {s3}\n  condition: {condition}\n"
            )
        },
    )
}

fn record() -> impl Strategy<Value = Record> {
    let kind = select(
        &[Kind::String, Kind::String, Kind::String, Kind::Number, Kind::Null, Kind::EmptyList][..],
    );
    let field = (select(&["f", "F", "g", "h", "k", "other"][..]), kind, select(VALUES));
    let parser = select(&["p", "q", "r"][..]);
    let raw = select(&["{}", "some text with aaaa", "<13>ab"][..]);
    (prop::collection::vec(field, 0..8), parser, raw).prop_map(|(fields, parser, raw)| {
        let mut record = Record::new();
        record.reset(raw);
        record.set_parser(&parser.into());
        for (name, kind, value) in fields {
            record.push(name, if kind.has_text() { value } else { "" }, kind);
        }
        record
    })
}

/// More than 200,000 pairs of rule and event, of which many match.
#[test]
fn made_up_rules_match_made_up_events_alike() {
    let config = ProptestConfig { cases: 800, failure_persistence: None, ..Default::default() };
    let made =
        (prop::collection::vec(rule(), 16), prop::collection::vec(record(), 20), any::<bool>());
    let (asked_for, matches) = (Cell::new(0), Cell::new(0));
    let run = TestRunner::new(config).run(&made, |(rules, records, with_table)| {
        let names: Vec<String> = (0..rules.len()).map(|at| format!("{at}.yml")).collect();
        let texts: Vec<(&str, &str)> =
            names.iter().zip(&rules).map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let table = if with_table { TABLE } else { "log_sources: []" };
        let log_sources = LogSources::from_text("table", table).expect("the table is sound");
        let options = LoadOptions { log_sources, ..LoadOptions::default() };
        let loaded = RuleSet::from_texts(&texts, &options);
        let mut asking = loaded.rules.matcher();
        for record in &records {
            let found = asked(&mut asking, record);
            asked_for.set(asked_for.get() + loaded.rules.rules().len());
            matches.set(matches.get() + found.len());
        }
        Ok(())
    });
    run.expect("they match alike");
    println!("{} pairs, {} matches", asked_for.get(), matches.get());
    assert!(asked_for.get() > 200_000 && matches.get() > 10_000);
}

/// Whoever writes events chooses to which log sources they belong, and so could have a plan made
/// for each of very many sets of them.
#[test]
fn events_of_very_many_sets_of_log_sources_match_as_any() {
    const SOURCES: usize = 11;
    let mut table = "log_sources:\n".to_owned();
    let mut rules = Vec::new();
    for number in 0..SOURCES {
        let place = format!("  - product: p{number}\n    events: [{{where: {{k{number}: 1}}}}]\n");
        table.push_str(&place);
        let name = format!("p{number}.yml");
        let detection = format!("{{s: {{v: [a, {number}]}}, condition: s}}");
        let rule = format!("title: a\nlogsource: {{product: p{number}}}\ndetection: {detection}\n");
        rules.push((name, rule));
    }
    let log_sources = LogSources::from_text("table", &table).expect("the table is sound");
    let options = LoadOptions { log_sources, ..LoadOptions::default() };
    let texts: Vec<_> = rules.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let loaded = RuleSet::from_texts(&texts, &options);
    assert_eq!(loaded.problems, []);
    let mut matcher = loaded.rules.matcher();
    for chosen in 0..1_u32 << SOURCES {
        let mut record = Record::new();
        record.set_parser(&"p".into());
        for number in (0..SOURCES).filter(|number| chosen & 1 << number != 0) {
            record.push(&format!("k{number}"), "1", Kind::Number);
        }
        record.push("v", "a", Kind::String);
        assert_eq!(asked(&mut matcher, &record).len(), chosen.count_ones() as usize);
    }
}

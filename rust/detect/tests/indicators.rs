//! Indicators: what is found and what is not, by cases, by properties, and with files made by
//! enemies.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bigsec_detect::{
    Indicator, IndicatorKind, IndicatorMatcher, IndicatorOptions, IndicatorSet, LoadedIndicators,
};
use bigsec_event::{Kind, Record, codes};
use proptest::prelude::*;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/detect/cases/indicators")
}

fn load(files: &[&str]) -> LoadedIndicators {
    let files: Vec<_> = files.iter().map(|name| cases().join(name)).collect();
    IndicatorSet::load(&files, IndicatorOptions::default())
}

fn load_text(text: &str) -> LoadedIndicators {
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("feed");
    std::fs::write(&path, text).expect("there is room");
    IndicatorSet::load(&[path], IndicatorOptions::default())
}

fn told(indicator: Indicator<'_>) -> String {
    format!("{}={}", indicator.kind.as_str(), indicator.value)
}

/// What is found in a text, and the same as the only field of an event.
fn found(matcher: &mut IndicatorMatcher, text: &str) -> BTreeSet<String> {
    let mut record = Record::new();
    record.push("field", text, Kind::String);
    let mut hits = Vec::new();
    matcher.matches(&record, &mut hits);
    let by_event = hits.clone();
    // What is known to be clean is not looked at again.
    matcher.matches(&record, &mut hits);
    assert_eq!(hits, by_event, "{text:?}");
    assert_eq!(matcher.find(text), by_event, "{text:?}");
    hits.iter().map(|hit| told(matcher.set().get(hit.indicator))).collect()
}

#[test]
fn every_case_finds_what_stands_beside_it() {
    let LoadedIndicators { set, problems, .. } = load(&["list.txt", "table.csv"]);
    assert_eq!(problems, []);
    assert_eq!(set.len(), 22);
    let text = std::fs::read_to_string(cases().join("texts.tsv")).expect("the cases are there");
    let mut matcher = set.matcher();
    let mut count = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (text, expected) = line.split_once('\t').expect("a tab parts text and result");
        // The value of a file's name has blanks.
        let expected: BTreeSet<String> = match expected {
            "" => BTreeSet::new(),
            one => BTreeSet::from([one.to_owned()]),
        };
        assert_eq!(found(&mut matcher, text), expected, "{text:?}");
        count += 1;
    }
    assert!(count > 50, "{count}");
}

#[test]
fn what_a_feed_says_goes_with_the_indicator() {
    let set = load(&["table.csv"]).set;
    let place = set.matcher().find("192.0.2.66:4444")[0].indicator;
    let head = set.head(place);
    assert_eq!(head.title, "Known indicator: ip_port 192.0.2.66:4444 (meterpreter)");
    assert_eq!(
        (head.level.as_str(), head.attack_techniques.as_slice()),
        ("high", &["T1571".to_owned()][..])
    );
    assert_eq!(head.references, ["https://intel.example/1"]);
    assert!(head.id.starts_with("indicator--"), "{}", head.id);
    let old = set.matcher().find("old.example")[0].indicator;
    let end_us = 1_769_817_600_000_000;
    assert!(set.get(old).holds_at(end_us - 1) && !set.get(old).holds_at(end_us));
    assert!(set.get(place).holds_at(i64::MAX - 1));
}

#[test]
fn a_port_may_stand_in_a_field_of_its_own() {
    let set = load(&["table.csv"]).set;
    let mut matcher = set.matcher();
    for (fields, hit) in [
        (&[("DestinationIp", "192.0.2.66"), ("DestinationPort", "4444")][..], true),
        (&[("DestinationIp", "192.0.2.66"), ("SourcePort", "4444")], false),
        (&[("SourceIp", "192.0.2.66"), ("DestinationPort", "4444")], false),
        (&[("id.resp_h", "192.0.2.66"), ("id.resp_p", "4444")], true),
        (&[("id.orig_h", "192.0.2.66"), ("id.resp_p", "4444")], false),
        (&[("dpt", "4444"), ("dst", "192.0.2.66")], true),
        (&[("ip", "192.0.2.66"), ("port", "4444")], true),
        (&[("ip", "192.0.2.66"), ("port", "80"), ("pid", "4444")], false),
        (&[("remote_ip", "2001:db8::5"), ("remote_port", "443")], true),
    ] {
        let mut record = Record::new();
        for (name, value) in fields {
            record.push(name, value, Kind::String);
        }
        let mut hits = Vec::new();
        matcher.matches(&record, &mut hits);
        assert_eq!(!hits.is_empty(), hit, "{fields:?}");
    }
}

/// T18: a poisoned feed cannot mark everybody.
#[test]
fn t18_what_would_hit_everybody_is_refused_and_the_rest_is_taken() {
    let loaded = load_text(
        "0.0.0.0/0\n::/0\n10.0.0.0/8\n127.0.0.1\ngov.cn\nhttp://com/\n*.com.cn\n\nevil.gov.cn\n/\n",
    );
    let wide = loaded.problems.iter().filter(|one| one.code == codes::INDICATOR_TOO_WIDE);
    let lines: Vec<_> = wide.map(|one| one.place.line).collect();
    assert_eq!(lines, [1, 2, 3, 4, 5, 7, 10]);
    assert_eq!(loaded.set.len(), 1);
    assert_eq!(loaded.set.get(0).value, "evil.gov.cn");
    assert!(loaded.problems.iter().all(|one| !one.mend.is_empty()), "{:?}", loaded.problems);
}

#[test]
fn every_bad_row_has_its_place_and_the_good_ones_are_taken() {
    let loaded = load_text(
        "\u{feff}\"ioc\";\"type\";level;expires\n\
         evil.example;domain;high;2027-01-01\n\
         evil.example;domian;;\n\
         not a domain;domain;;\n\
         other.example;domain;huge;\n\
         last.example;domain;;soon\n\
         \"quoted;x.exe\";filename;;\n\
         ;domain;;\n\
         # remark\n\
         short.example\n",
    );
    let told: Vec<_> =
        loaded.problems.iter().map(|one| (one.place.line, one.mend.as_str())).collect();
    assert_eq!(
        told,
        [
            (3, "did you mean \"domain\"?"),
            (4, "mend the value or its kind"),
            (5, "one of informational, low, medium, high, critical"),
            (6, "write it as 2026-01-31 or 2026-01-31T00:00:00Z"),
        ]
    );
    let values: Vec<_> = (0..loaded.set.len() as u32).map(|at| loaded.set.get(at).value).collect();
    assert_eq!(values, ["evil.example", "quoted;x.exe", "short.example"]);
    assert_eq!(loaded.set.get(0).valid_until_us, 1_798_761_600_000_000);
}

#[test]
fn of_two_feeds_the_worse_level_counts_and_the_later_end() {
    let loaded = load_text(
        "indicator,level,valid_until\na.example,low,2026-01-01\nA.example.,high,\na.example,low,\n",
    );
    assert_eq!((loaded.set.len(), loaded.repeated), (1, 2));
    let one = loaded.set.get(0);
    assert_eq!((one.label.level.as_str(), one.valid_until_us), ("high", i64::MAX));
}

#[test]
fn a_missing_file_and_a_bomb_of_problems_are_told_shortly() {
    let missing = IndicatorSet::load(&[PathBuf::from("/nowhere/x")], IndicatorOptions::default());
    assert_eq!(missing.problems[0].code, codes::INPUT_NOT_FOUND);
    let bad = load_text(&"no indicator\n".repeat(10_000));
    assert_eq!(bad.problems.len(), 201);
    let last = &bad.problems[200].message;
    assert!(last.starts_with("9800 more"), "{last}");
    let long = load_text(&format!("evil.example\n{}\nlast.example\n", "x".repeat(1 << 20)));
    assert_eq!((long.set.len(), long.problems.len()), (2, 1));
}

/// Indicators of every kind, with a text that has each.
fn any_indicator() -> impl Strategy<Value = (IndicatorKind, String)> {
    use IndicatorKind as K;
    let label = "[a-z][a-z0-9]{2,8}";
    let domain = (label, label).prop_map(|(a, b)| format!("{a}.{b}.com"));
    prop_oneof![
        any::<[u8; 4]>()
            .prop_map(|a| (K::Ip, format!("{}.{}.{}.{}", a[0].clamp(1, 126), a[1], a[2], a[3]))),
        any::<[u16; 7]>().prop_map(|a| {
            let groups = a.map(|group| format!("{:x}", group | 1)).join(":");
            (K::Ip, format!("2a02:{groups}"))
        }),
        domain.clone().prop_map(|name| (K::Domain, name)),
        (domain.clone(), "[A-Za-z0-9_]{1,9}")
            .prop_map(|(host, page)| { (K::Url, format!("http://{host}/{page}")) }),
        "[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}".prop_map(|hash| (K::Hash, hash)),
        (label, domain).prop_map(|(local, host)| (K::Email, format!("{local}@{host}"))),
        "[a-z]{4,8}\\.(exe|dll|ps1)".prop_map(|name| (K::FileName, name)),
    ]
}

/// A set of one indicator.
fn only(kind: IndicatorKind, value: &str) -> Arc<IndicatorSet> {
    let loaded = load_text(&format!("indicator\ttype\n{value}\t{}\n", kind.as_str()));
    assert_eq!(loaded.problems, [], "{value}");
    loaded.set
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Between other things it is found, wherever it stands and whatever stands around it.
    #[test]
    fn it_is_found_in_any_text(
        (kind, value) in any_indicator(),
        before in "(|.*[ \"'(<>=,;|\t])",
        after in "(|[ \"'<>|\t].*)",
    ) {
        let set = only(kind, &value);
        let text = format!("{before}{value}{after}");
        prop_assert!(!set.matcher().find(&text).is_empty(), "{kind:?} {value} in {text:?}");
    }

    /// As a part of a longer word it is another thing.
    #[test]
    fn it_is_not_found_inside_a_word((kind, value) in any_indicator(), letter in "[g-z]") {
        prop_assume!(!matches!(kind, IndicatorKind::Url));
        let set = only(kind, &value);
        let text = format!("{letter}{value}");
        prop_assert!(set.matcher().find(&text).is_empty(), "{value} in {text}");
        let text = format!("{value}{letter}");
        prop_assert!(set.matcher().find(&text).is_empty(), "{value} in {text}");
    }

    /// No text makes it panic, and what is found stands in the text.
    #[test]
    fn any_text_can_be_searched(text in ".*", marks in "[.:/@a-f0-9\\[\\]é ]{0,200}") {
        let set = load(&["list.txt", "table.csv"]).set;
        let mut matcher = set.matcher();
        for text in [&text, &marks] {
            for hit in matcher.find(text) {
                prop_assert!(text.contains(&hit.text));
            }
        }
    }

    /// No file makes it panic, and whatever is taken can be found again.
    #[test]
    fn any_file_can_be_read(text in "([a-z0-9.:/@,;\t\"#*\\[\\]-]{0,40}\n){0,20}") {
        let set = load_text(&text).set;
        for place in 0..set.len() as u32 {
            let Indicator { kind, value, .. } = set.get(place);
            prop_assert_eq!(kind.normalise(value), Some(value.to_owned()));
        }
    }
}

//! Correlations: the cases of `tests/detect/cases/correlated`, and what must hold of any.
//!
//! An event of a case has `_t`, its time in seconds, and `_found`: what it completes, by title the
//! lines of the events. `_end` stands on a line of its own: what is found when no more events come.

mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use bigsec_detect::{About, Correlator, Lateness, LoadOptions, RuleSet};
use bigsec_event::{EventId, Origin, Record};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What was found: titles, and the numbers of the events.
type Found = Vec<(String, Vec<u64>)>;

struct Run {
    rules: Arc<RuleSet>,
    matcher: bigsec_detect::Matcher,
    correlator: Correlator,
    /// When events are received, in seconds; each at its own time where it is not set.
    clock: Option<i64>,
}

static NUMBERS: LazyLock<HashMap<EventId, u64>> =
    LazyLock::new(|| (1..10_000).map(|number| (id(number), number)).collect());

fn id(number: u64) -> EventId {
    EventId::new(Origin::File, 1, number, 0)
}

impl Run {
    fn new(text: &str, lateness: Lateness) -> Self {
        let loaded = RuleSet::from_texts(&[("rules.yml", text)], &LoadOptions::default());
        assert_eq!(loaded.problems, []);
        let rules = loaded.rules;
        Self {
            matcher: rules.matcher(),
            correlator: Correlator::new(Arc::clone(&rules), lateness),
            clock: None,
            rules,
        }
    }

    /// Gives the signals of one event.
    fn see(&mut self, number: u64, seconds: i64, record: &Record) -> Found {
        let time_us = seconds * 1_000_000;
        let mut hits = Vec::new();
        self.correlator.advance(self.clock.unwrap_or(seconds) * 1_000_000);
        self.matcher.matches(record, &mut hits);
        let about = About::default();
        self.correlator.see(&mut self.matcher, record, &hits, (id(number), time_us), &about);
        let rules = hits.iter().map(|hit| &self.rules.rules()[*hit as usize]);
        let given = rules.filter(|rule| rule.gives_signals());
        let mut found: Found = given.map(|rule| (rule.title.clone(), vec![number])).collect();
        found.extend(self.correlated());
        found
    }

    fn end(&mut self) -> Found {
        self.correlator.finish();
        self.correlated()
    }

    fn correlated(&mut self) -> Found {
        let found = self.correlator.take();
        let given = found.iter().filter(|one| self.rules.gives_signals(one.correlation));
        given
            .map(|one| {
                let rule = &self.rules.correlations()[one.correlation as usize];
                let number = |event: &EventId| NUMBERS[event];
                (rule.title.clone(), one.events.iter().map(number).collect())
            })
            .collect()
    }
}

/// `{title: [lines]}`, or `[[lines], [lines]]` where there are several.
fn wanted(value: Option<&Value>) -> Found {
    let mut wanted = Vec::new();
    for (title, lines) in value.and_then(Value::as_object).into_iter().flatten() {
        let lines = lines.as_array().expect("lines are a list");
        let numbers = |list: &[Value]| list.iter().filter_map(Value::as_u64).collect::<Vec<_>>();
        if lines.iter().all(Value::is_u64) {
            wanted.push((title.clone(), numbers(lines)));
        } else {
            for one in lines {
                wanted.push((title.clone(), numbers(one.as_array().expect("a list"))));
            }
        }
    }
    wanted.sort();
    wanted
}

#[test]
fn correlations_find_what_they_should() {
    let folder = support::repository().join("tests/detect/cases/correlated");
    let mut cases = 0;
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it is readable").path();
        if path.extension().is_none_or(|extension| extension != "yml") {
            continue;
        }
        cases += 1;
        let text = std::fs::read_to_string(&path).expect("the rules are there");
        for lateness in [Lateness::Any, Lateness::Us(3_600_000_000)] {
            let mut run = Run::new(&text, lateness);
            let events = std::fs::read_to_string(path.with_extension("ndjson")).expect("events");
            for (line, number) in events.lines().zip(1..) {
                let place = format!("{}:{number}, {lateness:?}", path.display());
                let mut event: Value = serde_json::from_str(line).expect("an event is JSON");
                if let Some(end) = event.get("_end") {
                    let mut found = run.end();
                    found.sort();
                    assert_eq!(found, wanted(Some(end)), "{place}");
                    continue;
                }
                let members = event.as_object_mut().expect("an event is an object");
                let expected = members.remove("_found");
                let time = members.remove("_t").and_then(|time| time.as_i64()).expect("a time");
                let mut found = run.see(number, time, &support::record(&event, "json"));
                found.sort();
                assert_eq!(found, wanted(expected.as_ref()), "{place}");
            }
            assert_eq!(run.end(), [], "{}: more at its end", path.display());
        }
    }
    assert!(cases >= 9, "{cases} cases");
}

const KINDS: [&str; 3] = ["a", "b", "c"];
const SPAN_S: i64 = 10;

/// Rules of one event each, and a correlation of them.
fn rules(kind: &str, condition: &str) -> String {
    let parts = KINDS.map(|name| {
        format!(
            "title: {name}\nname: {name}\nlogsource: {{product: x}}\n\
             detection: {{s: {{kind: {name}}}, condition: s}}\n---\n"
        )
    });
    let correlation = format!(
        "title: it\ncorrelation:\n  type: {kind}\n  rules: [a, b, c]\n  group-by: [group]\n  \
         timespan: {SPAN_S}s\n{condition}"
    );
    parts.concat() + &correlation
}

#[derive(Debug, Clone)]
struct Event {
    time_s: i64,
    kind: usize,
    group: u8,
    value: u8,
}

fn event() -> impl Strategy<Value = Event> {
    (0..60_i64, 0..3_usize, 0..2_u8, 0..4_u8).prop_map(|(time_s, kind, group, value)| Event {
        time_s,
        kind,
        group,
        value,
    })
}

type Holds<'h> = &'h dyn Fn(&[&Event]) -> bool;

/// The groups in which some span holds what is asked for, by looking at every span.
fn by_looking(events: &[Event], holds: impl Fn(&[&Event]) -> bool) -> BTreeSet<u8> {
    let mut found = BTreeSet::new();
    for first in events {
        let mut within: Vec<&Event> = events
            .iter()
            .filter(|event| event.group == first.group)
            .filter(|event| (first.time_s..=first.time_s + SPAN_S).contains(&event.time_s))
            .collect();
        within.sort_by_key(|event| event.time_s);
        if holds(&within) {
            found.insert(first.group);
        }
    }
    found
}

/// The groups that a correlation found, and that each match holds what is asked for.
fn by_correlating(
    text: &str,
    events: &[Event],
    lateness: Lateness,
    holds: impl Fn(&[&Event]) -> bool,
) -> BTreeSet<u8> {
    let mut run = Run::new(text, lateness);
    let mut groups = BTreeSet::new();
    let mut used = BTreeMap::new();
    for (event, number) in events.iter().zip(1..) {
        let (kind, group, value) = (KINDS[event.kind], event.group, event.value);
        let fields = json!({"kind": kind, "group": group.to_string(), "value": value.to_string()});
        let record = support::record(&fields, "json");
        for (_, numbers) in run.see(number, event.time_s, &record) {
            let of: Vec<&Event> = numbers.iter().map(|one| &events[*one as usize - 1]).collect();
            assert!(of.iter().all(|one| one.group == of[0].group), "{of:?}");
            assert!(of.is_sorted_by_key(|one| one.time_s), "{of:?}");
            assert!(of[of.len() - 1].time_s - of[0].time_s <= SPAN_S, "{of:?}");
            assert!(holds(&of), "{of:?}");
            for one in numbers {
                assert!(used.insert(one, number).is_none(), "event {one} was used twice");
            }
            groups.insert(of[0].group);
        }
    }
    groups
}

fn distinct<T: Ord>(events: &[&Event], of: impl Fn(&Event) -> T) -> usize {
    events.iter().map(|event| of(event)).collect::<BTreeSet<T>>().len()
}

/// Whether a, b and c come in this order; of one time any order will do for whom it suits, so
/// that times are told apart here.
fn in_order(events: &[&Event]) -> bool {
    let mut next = 0;
    for event in events {
        next += usize::from(event.kind == next);
    }
    next == 3
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    /// In whatever order events arrive, a group is found exactly where some span holds enough.
    #[test]
    fn what_is_found_does_not_depend_on_the_order_of_arrival(
        mut events in prop::collection::vec(event(), 1..40),
        least in 2..6_usize,
    ) {
        // Each time once, so that "in order" says one thing.
        let mut taken = BTreeSet::new();
        events.retain(|event| taken.insert((event.group, event.time_s)));
        let enough = |of: &[&Event]| of.len() >= least;
        let values = |of: &[&Event]| distinct(of, |event| event.value) >= least.min(4);
        let all = |of: &[&Event]| distinct(of, |event| event.kind) == 3;
        let cases: [(&str, String, Holds<'_>); 4] = [
            ("event_count", format!("  condition: {{gte: {least}}}\n"), &enough),
            ("value_count", format!("  condition: {{field: value, gte: {}}}\n", least.min(4)), &values),
            ("temporal", String::new(), &all),
            ("temporal_ordered", String::new(), &in_order),
        ];
        for (kind, condition, holds) in cases {
            let text = rules(kind, &condition);
            for lateness in [Lateness::Any, Lateness::Us(60_000_000)] {
                let found = by_correlating(&text, &events, lateness, holds);
                prop_assert_eq!(&found, &by_looking(&events, holds), "{} of {:?}", kind, events);
            }
        }
    }
}

/// Neither a sender with a backlog of a day nor one whose clock is wrong blinds others or itself.
#[test]
fn a_backlog_is_correlated_and_a_wrong_clock_disturbs_no_other_group() {
    let text = rules("event_count", "  condition: {gte: 3}\n");
    let mut run = Run::new(&text, Lateness::Us(600_000_000));
    run.clock = Some(1_000_000);
    let of = |group: &str| support::record(&json!({"kind": "a", "group": group}), "json");
    assert_eq!(run.see(1, 2_000_000_000, &of("future")), []);
    for (number, seconds) in [(2, 900_000), (3, 900_004)] {
        assert_eq!(run.see(number, seconds, &of("backlog")), []);
        assert_eq!(run.see(number + 10, seconds + 100_000, &of("now")), []);
    }
    assert_eq!(run.see(4, 900_010, &of("backlog")), [("it".to_owned(), vec![2, 3, 4])]);
    assert_eq!(run.see(14, 1_000_009, &of("now")), [("it".to_owned(), vec![12, 13, 14])]);
}

/// What somebody floods it with costs no more than its bounds.
#[test]
fn a_flood_of_groups_and_events_stays_within_bounds() {
    let text = rules("event_count", "  condition: {gte: 3}\n");
    let mut run = Run::new(&text, Lateness::Us(1_000_000));
    let mut found = 0;
    for number in 0..250_000_u64 {
        let event = json!({"kind": "a", "group": number.to_string()});
        found += run.see(number + 1, 1, &support::record(&event, "json")).len();
    }
    assert_eq!(found, 0);
    assert!(run.correlator.given_way() >= 100_000, "{}", run.correlator.given_way());
    let event = json!({"kind": "a", "group": "7"});
    let record = support::record(&event, "json");
    let found: usize = (0..9_000).map(|number| run.see(number % 9_999 + 1, 2, &record).len()).sum();
    assert_eq!(found, 3_000);
}

/// Windows that are kept open for a day by a flood are bounded in number and in what they hold.
#[test]
fn a_flood_of_open_windows_stays_within_bounds() {
    let day = rules("value_percentile", "  condition: {field: value, percentile: 50, gt: 1e9}\n")
        .replace("timespan: 10s", "timespan: 1d");
    let mut run = Run::new(&day, Lateness::Us(1_000_000));
    for number in 0..105_000_u64 {
        let event = json!({"kind": "a", "group": number.to_string(), "value": number.to_string()});
        assert_eq!(run.see(number + 1, 1, &support::record(&event, "json")), []);
    }
    let windows = 105_000 - run.correlator.given_way();
    assert!((80_000..=100_000).contains(&windows), "{windows} windows are open");
    let sum = rules("value_sum", "  condition: {field: value, gte: 1}\n");
    let mut run = Run::new(&sum.replace("timespan: 10s", "timespan: 1d"), Lateness::Us(1));
    let event = json!({"kind": "a", "group": "g", "value": "5"});
    let record = support::record(&event, "json");
    let found: usize =
        (0..150_000).map(|number| run.see(number % 9_999 + 1, 2, &record).len()).sum();
    assert_eq!(found, 150_000);
    assert!(run.correlator.waiting() <= 80_000, "{} ends are waited for", run.correlator.waiting());
}

//! Feeds matches to the groups of all correlations, and matches of correlations to others.

mod room;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use bigsec_event::{EventId, FieldSource};

use super::super::matcher::Matcher;
use super::super::rule_set::RuleSet;
use super::sliding::{Events, Hit, Sliding};
use super::tumbling::{EVENTS_MAX, Tumbling};
use super::{BaseRef, Correlation, Kind, ValueRef};

/// Bytes of a value that tell groups apart; of a longer one its hash does.
const VALUE_BYTES_MAX: usize = 256;
/// Windows of one group that are open at a time; past them the oldest is judged as it is.
const WINDOWS_MAX: usize = 1_000;
/// How often groups whose matches are too old are looked for, in matches.
const SWEEP_EVERY: u64 = 1 << 16;

/// How much later than others of its group an event may come and still be counted with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lateness {
    /// Microseconds of the events' own time.
    Us(i64),
    /// Any: events come in no order, as from files that are read one after the other.
    Any,
}

/// What a correlation found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correlated {
    /// Its place in [`RuleSet::correlations`].
    pub correlation: u32,
    /// Time of the last event, µs UTC.
    pub time_us: i64,
    /// When it was found, by the time of receipt.
    pub received_us: i64,
    /// The events, in order of time; the first thousand of more.
    pub events: Vec<EventId>,
    /// What was said of the group's last event.
    pub about: About,
}

/// What a signal needs of an event besides its id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The source that brought it.
    pub source: Arc<str>,
    /// The parser pack that read it.
    pub parser: Arc<str>,
    /// Entities as pairs of type and value.
    pub entities: Arc<[(String, String)]>,
}

impl About {
    /// Of an event with these entities.
    pub fn new(source: &str, parser: &Arc<str>, entities: &[(&str, &str)]) -> Self {
        let owned = |(kind, value): &(&str, &str)| ((*kind).to_owned(), (*value).to_owned());
        let entities = entities.iter().map(owned).collect();
        Self { source: source.into(), parser: Arc::clone(parser), entities }
    }
}

/// The state of all correlations of a rule set, for one stream of events.
#[derive(Debug)]
pub struct Correlator {
    rules: Arc<RuleSet>,
    lateness: Lateness,
    groups: Vec<HashMap<Box<str>, Group>>,
    kept: usize,
    weight: usize,
    /// The time of receipt: what waits and what has been silent is measured by it, since the events'
    /// own times jump, and stand back where a sender comes with a backlog.
    now_us: i64,
    fed: u64,
    given_way: u64,
    /// Windows that end: when by the time of receipt, and of which correlation and group.
    ending: BinaryHeap<Reverse<(i64, u32, Box<str>)>>,
    found: Vec<Correlated>,
    /// Matches of correlations that others have yet to be told of.
    chained: Vec<Chained>,
    key: String,
}

#[derive(Debug)]
struct Chained {
    correlation: u32,
    values: Arc<[Box<str>]>,
    time_us: i64,
    events: Box<[EventId]>,
    about: About,
}

#[derive(Debug)]
struct Group {
    values: Arc<[Box<str>]>,
    about: About,
    /// Time of the last event, and when the last came.
    last_us: i64,
    touched_us: i64,
    window: Window,
}

#[derive(Debug)]
enum Window {
    Sliding(Sliding),
    Tumbling(Vec<Tumbling>),
}

/// A match on its way to one base of a correlation.
struct Arrival<'a> {
    correlation: u32,
    base: u8,
    values: Vec<Box<str>>,
    /// What is counted; empty where that is the match itself.
    value: Box<str>,
    time_us: i64,
    events: Events,
    about: &'a About,
}

impl Correlator {
    /// Nothing seen yet.
    pub fn new(rules: Arc<RuleSet>, lateness: Lateness) -> Self {
        Self {
            groups: rules.correlations().iter().map(|_| HashMap::new()).collect(),
            rules,
            lateness,
            kept: 0,
            weight: 0,
            now_us: 0,
            fed: 0,
            given_way: 0,
            ending: BinaryHeap::new(),
            found: Vec::new(),
            chained: Vec::new(),
            key: String::new(),
        }
    }

    /// Whether there is a correlation at all.
    pub fn is_idle(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether any of these rules takes part in a correlation.
    pub fn concerns(&self, hits: &[u32]) -> bool {
        !self.is_idle()
            && hits.iter().any(|hit| !self.rules.taking_part(BaseRef::Rule(*hit)).is_empty())
    }

    /// Groups that gave way to others before their time.
    pub fn given_way(&self) -> u64 {
        self.given_way
    }

    /// Ends of windows that are waited for.
    pub fn waiting(&self) -> usize {
        self.ending.len()
    }

    /// Takes in the rules that `matcher` has just found to match an event. What comes of it is
    /// found by [`take`](Self::take).
    pub fn see(
        &mut self,
        matcher: &mut Matcher,
        source: &dyn FieldSource,
        hits: &[u32],
        event: (EventId, i64),
        about: &About,
    ) {
        let rules = Arc::clone(&self.rules);
        let (id, time_us) = event;
        for hit in hits {
            for (correlation, base) in rules.taking_part(BaseRef::Rule(*hit)) {
                let of = &rules.correlations()[*correlation as usize].bases[usize::from(*base)];
                let mut read = |place: &ValueRef| match place {
                    ValueRef::Field(field) => matcher.folded(*hit, *field, source).map(bounded),
                    ValueRef::Group(_) => None,
                };
                let values: Option<Vec<_>> = of.group.iter().map(&mut read).collect();
                let value = of.value.as_ref().map_or_else(|| Some("".into()), &mut read);
                let Some((values, value)) = values.zip(value) else { continue };
                let events = Events::One(id);
                let (correlation, base) = (*correlation, *base);
                self.arrive(Arrival { correlation, base, values, value, time_us, events, about });
            }
        }
        self.chain();
    }

    /// What follows was received at that time or later: windows that are over are judged.
    pub fn advance(&mut self, now_us: i64) {
        self.now_us = self.now_us.max(now_us);
        let Lateness::Us(lateness) = self.lateness else { return };
        while let Some(Reverse((end, ..))) = self.ending.peek()
            && end.saturating_add(lateness) < self.now_us
        {
            let Some(Reverse((end, correlation, key))) = self.ending.pop() else { break };
            self.end(end, correlation, &key);
        }
        self.chain();
    }

    /// No more events come: windows that are open are judged.
    pub fn finish(&mut self) {
        // Windows of chains may be opened by those that end.
        while let Some(Reverse((end, correlation, key))) = self.ending.pop() {
            self.end(end, correlation, &key);
            self.chain();
        }
    }

    /// What was found since the last time.
    pub fn take(&mut self) -> Vec<Correlated> {
        std::mem::take(&mut self.found)
    }

    fn chain(&mut self) {
        let rules = Arc::clone(&self.rules);
        while let Some(one) = self.chained.pop() {
            for (correlation, base) in rules.taking_part(BaseRef::Correlation(one.correlation)) {
                let of = &rules.correlations()[*correlation as usize].bases[usize::from(*base)];
                let read = |place: &ValueRef| match place {
                    ValueRef::Group(at) => one.values.get(*at).cloned(),
                    ValueRef::Field(_) => None,
                };
                let values: Option<Vec<_>> = of.group.iter().map(read).collect();
                let value = of.value.as_ref().map_or_else(|| Some("".into()), read);
                let Some((values, value)) = values.zip(value) else { continue };
                let (correlation, base) = (*correlation, *base);
                let (time_us, about) = (one.time_us, &one.about);
                let events = Events::Many(one.events.clone());
                self.arrive(Arrival { correlation, base, values, value, time_us, events, about });
            }
        }
    }

    fn arrive(&mut self, arrival: Arrival<'_>) {
        self.fed += 1;
        if self.fed.is_multiple_of(SWEEP_EVERY) {
            self.sweep();
        }
        let rules = Arc::clone(&self.rules);
        let at = arrival.correlation;
        let rule = &rules.correlations()[at as usize];
        let number = arrival.value.trim().parse().ok().filter(|number: &f64| number.is_finite());
        if matches!(rule.kind, Kind::Number(..)) && number.is_none() {
            return;
        }
        write_key(&mut self.key, &arrival.values);
        if !self.groups[at as usize].contains_key(self.key.as_str()) {
            self.make_room();
            let values = arrival.values.into();
            let about = arrival.about.clone();
            let window = if matches!(rule.kind, Kind::Number(..)) || rule.kind.must_end() {
                Window::Tumbling(Vec::new())
            } else {
                Window::Sliding(Sliding::default())
            };
            let (last_us, touched_us) = (arrival.time_us, self.now_us);
            let group = Group { values, about, last_us, touched_us, window };
            self.groups[at as usize].insert(self.key.as_str().into(), group);
            self.kept += 1;
        }
        let Some(group) = self.groups[at as usize].get_mut(self.key.as_str()) else { return };
        group.touched_us = self.now_us;
        if arrival.time_us >= group.last_us {
            group.last_us = arrival.time_us;
            group.about = arrival.about.clone();
        }
        let Arrival { time_us, base, events, .. } = arrival;
        let hit = Hit { time_us, base, value: hash(&arrival.value), events };
        let before = group.window.weight();
        match &mut group.window {
            Window::Sliding(sliding) => {
                if let Lateness::Us(lateness) = self.lateness {
                    let reach_us = rule.timespan_us.saturating_add(lateness);
                    sliding.expire(sliding.newest_us().saturating_sub(reach_us));
                }
                let found = sliding.add(hit, rule);
                self.weight = (self.weight + sliding.len()).saturating_sub(before);
                if let Some(hits) = found {
                    let time_us = hits.last().map_or(time_us, |hit| hit.time_us);
                    let ids = hits.iter().flat_map(|hit| hit.events.as_slice()).copied();
                    let events = distinct(ids);
                    let (values, about) = (Arc::clone(&group.values), group.about.clone());
                    self.fire(at, values, time_us, events, about);
                }
            }
            Window::Tumbling(windows) => {
                let key: Box<str> = self.key.as_str().into();
                if tumble(windows, rule, &hit, number, self.now_us) {
                    let end_us = self.now_us.saturating_add(rule.timespan_us);
                    self.ending.push(Reverse((end_us, at, key.clone())));
                }
                let enough = windows.iter_mut().position(|open| {
                    !rule.kind.must_end() && open.last_us >= hit.time_us && open.holds(rule)
                });
                let surplus = (windows.len() > WINDOWS_MAX).then_some(0);
                let open = enough.or(surplus).map(|place| windows.remove(place));
                self.weight = (self.weight + group.window.weight()).saturating_sub(before);
                if let Some(open) = open {
                    self.judge(at, &key, open);
                }
            }
        }
    }

    /// The end of a window that was foreseen; it may have been judged before, and another begun.
    fn end(&mut self, end_us: i64, at: u32, key: &str) {
        let rules = Arc::clone(&self.rules);
        let timespan = rules.correlations()[at as usize].timespan_us;
        let Some(group) = self.groups[at as usize].get_mut(key) else { return };
        let Window::Tumbling(windows) = &mut group.window else { return };
        let is_it = |open: &Tumbling| open.begun_us.saturating_add(timespan) == end_us;
        if let Some(place) = windows.iter().position(is_it) {
            let open = windows.remove(place);
            self.weight = self.weight.saturating_sub(open.weight());
            self.judge(at, key, open);
        }
    }

    fn judge(&mut self, at: u32, key: &str, mut window: Tumbling) {
        let rules = Arc::clone(&self.rules);
        let rule = &rules.correlations()[at as usize];
        if !window.holds(rule) {
            return;
        }
        let Some(group) = self.groups[at as usize].get(key) else { return };
        let (values, about) = (Arc::clone(&group.values), group.about.clone());
        let time_us = window.last_us;
        self.fire(at, values, time_us, distinct(window.into_ids().into_iter()), about);
    }

    fn fire(
        &mut self,
        correlation: u32,
        values: Arc<[Box<str>]>,
        time_us: i64,
        events: Vec<EventId>,
        about: About,
    ) {
        let (ids, chained) = (events.clone().into_boxed_slice(), about.clone());
        self.chained.push(Chained { correlation, values, time_us, events: ids, about: chained });
        let received_us = self.now_us;
        self.found.push(Correlated { correlation, time_us, received_us, events, about });
    }
}

/// Adds a match to the window that it falls into; true where it begins one.
fn tumble(
    windows: &mut Vec<Tumbling>,
    rule: &Correlation,
    hit: &Hit,
    number: Option<f64>,
    now_us: i64,
) -> bool {
    let reaches = |window: &&mut Tumbling| {
        hit.time_us <= window.start_us.saturating_add(rule.timespan_us)
            && hit.time_us.saturating_add(rule.timespan_us) >= window.last_us
    };
    if let Some(window) = windows.iter_mut().find(reaches) {
        window.add(hit, number);
        return false;
    }
    let mut window = Tumbling::new(now_us, hit.time_us);
    window.add(hit, number);
    windows.push(window);
    true
}

/// A value that tells groups apart, of a length that nobody else chooses.
fn bounded(text: &str) -> Box<str> {
    if text.len() <= VALUE_BYTES_MAX {
        text.into()
    } else {
        blake3::hash(text.as_bytes()).to_hex().as_str().into()
    }
}

/// Values behind their lengths, so that no two groups are written alike.
fn write_key(key: &mut String, values: &[Box<str>]) {
    key.clear();
    for value in values {
        key.push_str(&value.len().to_string());
        key.push(':');
        key.push_str(value);
    }
}

fn hash(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

/// Each event once, in the order given.
fn distinct(ids: impl Iterator<Item = EventId>) -> Vec<EventId> {
    let mut seen = std::collections::HashSet::new();
    ids.filter(|id| seen.insert(*id)).take(EVENTS_MAX).collect()
}

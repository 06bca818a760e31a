//! The pairs of rule and event that another engine found, and how far this one agrees.

use std::collections::HashSet;
use std::path::Path;

use bigsec_detect::{Matcher, RuleSet};
use bigsec_event::Record;
use serde_json::Value;

use super::{record, unpack};

/// Rule id and event id.
pub type Pair = (String, String);

/// Rules that match where the other engine's mapping of Security 4688 has no `IntegrityLevel`
/// and no `User`: the table here makes both, so these matches are right.
const MAPPED_HERE: [&str; 2] =
    ["3037d961-21e9-4732-b27a-637bcc7bf539", "224f140f-3553-4cd1-af78-13d81bf9f7cc"];

/// What is expected of the rules for Windows.
pub struct Oracle {
    pairs: HashSet<Pair>,
    left_out: HashSet<String>,
}

/// How far the two engines agree.
#[derive(Debug, Default)]
pub struct Score {
    pub both: usize,
    pub missed: Vec<Pair>,
    pub extra: Vec<Pair>,
}

impl Oracle {
    /// Reads the pairs, and which rules the other engine could not run.
    pub fn read(folder: &Path) -> Self {
        let mut pairs = HashSet::new();
        for line in unpack(&folder.join("oracle.jsonl.zst")).lines() {
            let row: Value = serde_json::from_str(line).expect("a line is JSON");
            let rule = row["rule_id"].as_str().expect("a row names its rule");
            for id in row["matched"].as_array().into_iter().flatten() {
                pairs.insert((rule.to_owned(), id.as_str().expect("ids are text").to_owned()));
            }
        }
        let stats = std::fs::read_to_string(folder.join("oracle.stats.json")).expect("it is there");
        let stats: Value = serde_json::from_str(&stats).expect("it is JSON");
        let left_out = stats["rules_left_out_of_oracle"].as_array().into_iter().flatten();
        let left_out = left_out.filter_map(|row| row[0].as_str().map(str::to_owned)).collect();
        Self { pairs, left_out }
    }

    /// Compares what was found in these events with what is expected of them.
    pub fn score(&self, events: &[(String, Record)], found: &HashSet<Pair>) -> Score {
        let ids: HashSet<&String> = events.iter().map(|(id, _)| id).collect();
        let mut score = Score::default();
        for pair in self.pairs.iter().filter(|(_, id)| ids.contains(id)) {
            if found.contains(pair) {
                score.both += 1;
            } else {
                score.missed.push(pair.clone());
            }
        }
        let extra = found.iter().filter(|(rule, _)| !self.left_out.contains(rule));
        let extra = extra.filter(|(rule, _)| !MAPPED_HERE.contains(&rule.as_str()));
        score.extra = extra.filter(|pair| !self.pairs.contains(*pair)).cloned().collect();
        score
    }
}

impl Score {
    /// Adds the score of other events.
    pub fn add(&mut self, other: Self) {
        self.both += other.both;
        self.missed.extend(other.missed);
        self.extra.extend(other.extra);
    }

    /// Of what was found, how much is right; of what is right, how much was found.
    #[allow(clippy::cast_precision_loss, reason = "a few thousand pairs")]
    pub fn precision_and_recall(&self) -> (f64, f64) {
        let share = |wrong: usize| self.both as f64 / (self.both + wrong).max(1) as f64;
        (share(self.extra.len()), share(self.missed.len()))
    }
}

/// The events of a set, each with its id.
pub fn events(folder: &Path, set: &str, parser: &str) -> Vec<(String, Record)> {
    let text = unpack(&folder.join(set).join("flat.ndjson.zst"));
    let read = |line| {
        let mut object: Value = serde_json::from_str(line).expect("a line is JSON");
        let members = object.as_object_mut().expect("a line is an object");
        members.remove("_file");
        let id = members.remove("_id").and_then(|id| id.as_str().map(str::to_owned));
        (id.expect("an event has its id"), record(&object, parser))
    };
    text.lines().map(read).collect()
}

/// The pairs that the rules for Windows match.
pub fn pairs(rules: &RuleSet, matcher: &mut Matcher, events: &[(String, Record)]) -> HashSet<Pair> {
    let mut pairs = HashSet::new();
    let mut out = Vec::new();
    for (id, record) in events {
        matcher.matches(record, &mut out);
        let found = out.iter().map(|rule| &rules.rules()[*rule as usize]);
        let windows = found.filter(|r| r.log_source.product.as_deref() == Some("windows"));
        pairs.extend(windows.map(|rule| (rule.id.clone(), id.clone())));
    }
    pairs
}

//! Tries the rules on events and collects what they find; the same for files and for the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use bigsec_detect::{Entities, EventIdentity, Matcher, Outcome, RuleSet, SignalBatchBuilder};
use bigsec_event::{EventBatchBuilder, EventMeta, FieldMaps, time_effective};
use bigsec_parse::Parsed;

/// What was found among some events.
#[derive(Debug)]
pub struct Found {
    /// The signals, in the order of their events.
    pub signals: RecordBatch,
    /// The events that the signals speak of, each once, with their text.
    pub events: RecordBatch,
}

/// A rule set at work on one stream of events.
pub(crate) struct Detector {
    rules: Arc<RuleSet>,
    entities: Arc<Entities>,
    matcher: Matcher,
    signals: SignalBatchBuilder,
    events: EventBatchBuilder,
    hits: Vec<u32>,
    matched: Vec<u64>,
}

impl Detector {
    pub fn new(rules: Arc<RuleSet>, entities: Arc<Entities>, maps: &FieldMaps) -> Self {
        Self {
            matcher: rules.matcher(),
            signals: SignalBatchBuilder::new(rules.version()),
            events: EventBatchBuilder::new(maps),
            hits: Vec::new(),
            matched: vec![0; rules.rules().len()],
            rules,
            entities,
        }
    }

    /// Tries the rules on one event; says whether one matched.
    pub fn examine(&mut self, parsed: &Parsed, meta: &EventMeta<'_>) -> bool {
        let record = &parsed.record;
        self.hits.clear();
        self.matcher.matches(record, &mut self.hits);
        if self.hits.is_empty() {
            return false;
        }
        let entities = self.entities.of(record);
        let named: Vec<_> =
            entities.iter().map(|one| (one.kind.as_str(), one.value.as_str())).collect();
        let identity = EventIdentity {
            ids: &[meta.id],
            time_us: time_effective(meta.time_us, meta.received_us, meta.bound),
            source: meta.source,
            parser: record.parser_id(),
        };
        for hit in &self.hits {
            self.matched[*hit as usize] += 1;
            let rule = &self.rules.rules()[*hit as usize];
            self.signals.append(rule, &identity, &named, Outcome::Unknown);
        }
        let meta = EventMeta { keep_raw: true, ..*meta };
        self.events.append(record, &parsed.map, &meta, parsed.derived());
        true
    }

    /// Whether it is time to take what was found.
    pub fn is_full(&self) -> bool {
        self.events.is_full()
    }

    /// What was found since the last time.
    pub fn finish(&mut self) -> Found {
        Found { signals: self.signals.finish(), events: self.events.finish() }
    }

    /// Signals so far by rule id; rules without any are left out.
    pub fn matched(&self) -> BTreeMap<&str, u64> {
        let rules = self.rules.rules().iter();
        rules
            .zip(&self.matched)
            .filter(|(_, count)| **count > 0)
            .map(|(rule, count)| (rule.metadata().id.as_str(), *count))
            .collect()
    }
}

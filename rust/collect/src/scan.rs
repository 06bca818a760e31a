//! Parses and matches inputs in one pass.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use bigsec_detect::{Entities, EventIdentity, Matcher, Outcome, RuleSet, SignalBatchBuilder};
use bigsec_event::{EventBatchBuilder, EventMeta, time_effective};

use crate::feed::Feed;

/// Bytes of records after which a chunk is given out: about a second's work at the most.
const CHUNK_BYTES: usize = 16 * 1024 * 1024;

/// Which events are matched.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScanOptions {
    /// Only events whose `time_effective` is not before this (µs UTC).
    pub since_us: Option<i64>,
    /// Only events whose `time_effective` is before this (µs UTC).
    pub until_us: Option<i64>,
}

impl ScanOptions {
    fn takes(&self, meta: &EventMeta<'_>) -> bool {
        if self.since_us.is_none() && self.until_us.is_none() {
            return true;
        }
        let time = time_effective(meta.time_us, meta.received_us, meta.bound);
        self.since_us.is_none_or(|since| time >= since)
            && self.until_us.is_none_or(|until| time < until)
    }
}

/// A part of a scan's result.
#[derive(Debug)]
pub struct ScanChunk {
    /// The signals, in the order of their events.
    pub signals: RecordBatch,
    /// The events that the signals speak of, each once, with their text.
    pub events: RecordBatch,
}

/// Drives a feed through a rule set.
pub struct Scanner {
    feed: Feed,
    rules: Arc<RuleSet>,
    entities: Arc<Entities>,
    options: ScanOptions,
    matcher: Matcher,
    signals: SignalBatchBuilder,
    events: EventBatchBuilder,
    hits: Vec<u32>,
    matched: Vec<u64>,
    finished: bool,
}

impl Scanner {
    /// A scan that has not begun.
    pub fn new(
        feed: Feed,
        rules: Arc<RuleSet>,
        entities: Arc<Entities>,
        events: EventBatchBuilder,
        options: ScanOptions,
    ) -> Self {
        let matcher = rules.matcher();
        let signals = SignalBatchBuilder::new(rules.version());
        let hits_by_rule = vec![0; rules.rules().len()];
        Self {
            feed,
            rules,
            entities,
            options,
            matcher,
            signals,
            events,
            hits: Vec::new(),
            matched: hits_by_rule,
            finished: false,
        }
    }

    /// The feed: its accounts, files and progress.
    pub fn feed(&self) -> &Feed {
        &self.feed
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

    /// The next part of the result; `None` after the last. A part may hold no signal.
    pub fn next_chunk(&mut self) -> Option<ScanChunk> {
        if self.finished {
            return None;
        }
        let mut bytes = 0;
        while bytes < CHUNK_BYTES && !self.events.is_full() {
            let Some(event) = self.feed.next_event() else {
                self.finished = true;
                break;
            };
            let record = &event.parsed.record;
            bytes += record.text().len() + 64;
            if !self.options.takes(&event.meta) {
                continue;
            }
            self.hits.clear();
            self.matcher.matches(record, &mut self.hits);
            if self.hits.is_empty() {
                continue;
            }
            let entities = self.entities.of(record);
            let named: Vec<_> =
                entities.iter().map(|one| (one.kind.as_str(), one.value.as_str())).collect();
            let identity = EventIdentity {
                ids: &[event.meta.id],
                time_us: time_effective(
                    event.meta.time_us,
                    event.meta.received_us,
                    event.meta.bound,
                ),
                source: event.meta.source,
                parser: record.parser_id(),
            };
            for hit in &self.hits {
                self.matched[*hit as usize] += 1;
                self.signals.append(
                    &self.rules.rules()[*hit as usize],
                    &identity,
                    &named,
                    Outcome::Unknown,
                );
            }
            let meta = EventMeta { keep_raw: true, ..event.meta };
            self.events.append(record, &event.parsed.map, &meta, event.parsed.derived());
        }
        Some(ScanChunk { signals: self.signals.finish(), events: self.events.finish() })
    }
}

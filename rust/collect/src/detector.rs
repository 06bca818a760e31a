//! Tries the rules on events and collects what they find; the same for files and for the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use bigsec_detect::{
    About, Correlation, Correlator, Entities, EventIdentity, IndicatorSet, Lateness, Matcher,
    Outcome, RuleSet, SignalBatchBuilder,
};
use bigsec_event::{EventBatchBuilder, EventMeta, FieldMaps, time_effective};
use bigsec_parse::Parsed;

use crate::brake::{Allowance, Brake, Braked};
use crate::recent::Recent;
use crate::sightings::Sightings;

/// What is looked for in events.
#[derive(Debug, Clone)]
pub struct Detection {
    /// Rules, and what they are about.
    pub rules: Arc<RuleSet>,
    /// Which fields name entities.
    pub entities: Arc<Entities>,
    /// Indicators, where there are any.
    pub indicators: Option<Arc<IndicatorSet>>,
}

impl Detection {
    /// Changes where what is looked for does.
    pub fn version(&self) -> String {
        let rules = self.rules.version();
        self.indicators.as_ref().map_or_else(
            || rules.to_owned(),
            |set| {
                blake3::hash(format!("{rules} {}", set.version()).as_bytes()).to_hex().to_string()
            },
        )
    }
}

/// What was found among some events.
#[derive(Debug)]
pub struct Found {
    /// The signals, in the order of their events.
    pub signals: RecordBatch,
    /// The events that the signals speak of, each once, with their text.
    pub events: RecordBatch,
    /// Signals that were not given, by rule.
    pub braked: Vec<Braked>,
}

/// Rules and indicators at work on one stream of events.
pub(crate) struct Detector {
    rules: Arc<RuleSet>,
    entities: Arc<Entities>,
    matcher: Matcher,
    correlator: Correlator,
    recent: Recent,
    signals: SignalBatchBuilder,
    events: EventBatchBuilder,
    hits: Vec<u32>,
    sightings: Option<Sightings>,
    brake: Option<Brake>,
    /// By the place of the rule, those of correlations last.
    allowances: Vec<Allowance>,
    /// Signals by the place of the rule, those of correlations last.
    matched: Vec<u64>,
}

impl Detector {
    pub fn new(
        detection: &Detection,
        maps: &FieldMaps,
        lateness: Lateness,
        brake: Option<Brake>,
    ) -> Self {
        let Detection { rules, entities, indicators } = detection;
        let count = rules.rules().len() + rules.correlations().len();
        Self {
            matcher: rules.matcher(),
            correlator: Correlator::new(Arc::clone(rules), lateness),
            recent: Recent::default(),
            signals: SignalBatchBuilder::new(rules.version()),
            events: EventBatchBuilder::new(maps),
            hits: Vec::new(),
            brake,
            allowances: vec![Allowance::new(brake); count],
            matched: vec![0; count],
            sightings: indicators.as_ref().map(|set| Sightings::new(set, brake)),
            rules: Arc::clone(rules),
            entities: Arc::clone(entities),
        }
    }

    /// How far back events matter to correlations, µs; nothing where there are none.
    pub fn memory_us(&self) -> Option<i64> {
        self.rules.correlations().iter().map(Correlation::timespan_us).max()
    }

    /// Looks at one event; says whether a rule matched or an indicator was seen.
    pub fn examine(&mut self, parsed: &Parsed, meta: &EventMeta<'_>) -> bool {
        let record = &parsed.record;
        self.correlator.advance(meta.received_us);
        self.hits.clear();
        self.matcher.matches(record, &mut self.hits);
        let is_sighted = self.sightings.as_mut().is_some_and(|sightings| sightings.look(parsed));
        if self.hits.is_empty() && !is_sighted {
            self.give_correlated();
            return false;
        }
        let time_us = time_effective(meta.time_us, meta.received_us, meta.bound);
        let entities = self.entities.of(record);
        let named: Vec<_> =
            entities.iter().map(|one| (one.kind.as_str(), one.value.as_str())).collect();
        let identity = EventIdentity {
            ids: &[meta.id],
            time_us,
            source: meta.source,
            parser: record.parser_id(),
        };
        let mut is_given = match &mut self.sightings {
            Some(seen) if is_sighted => {
                seen.give(&identity, meta.received_us, &named, &mut self.signals)
            }
            _ => false,
        };
        for hit in &self.hits {
            let rule = &self.rules.rules()[*hit as usize];
            if rule.gives_signals()
                && self.allowances[*hit as usize].take(self.brake, meta.received_us)
            {
                is_given = true;
                self.matched[*hit as usize] += 1;
                self.signals.append(rule, rule.path(), &identity, &named, Outcome::Unknown);
            }
        }
        if is_given {
            let meta = EventMeta { keep_raw: true, ..*meta };
            self.events.append(record, &parsed.map, &meta, parsed.derived());
        }
        self.correlate(parsed, meta, time_us, &named, is_given);
        self.give_correlated();
        true
    }

    /// Feeds the correlations with what the event matched.
    fn correlate(
        &mut self,
        parsed: &Parsed,
        meta: &EventMeta<'_>,
        time_us: i64,
        entities: &[(&str, &str)],
        is_given: bool,
    ) {
        if self.correlator.concerns(&self.hits) {
            let (record, event) = (&parsed.record, (meta.id, time_us));
            let about = About::new(meta.source, record.parser_id(), entities);
            self.recent.keep(parsed, meta, is_given);
            self.correlator.see(&mut self.matcher, record, &self.hits, event, &about);
        }
    }

    /// Takes in an event of before, for the correlations alone.
    pub fn recall(&mut self, parsed: &Parsed, meta: &EventMeta<'_>) {
        self.correlator.advance(meta.received_us);
        self.hits.clear();
        self.matcher.matches(&parsed.record, &mut self.hits);
        if self.correlator.concerns(&self.hits) {
            let entities = self.entities.of(&parsed.record);
            let named: Vec<_> =
                entities.iter().map(|one| (one.kind.as_str(), one.value.as_str())).collect();
            let time_us = time_effective(meta.time_us, meta.received_us, meta.bound);
            self.correlate(parsed, meta, time_us, &named, false);
        }
        // What it comes to was told when the event was new.
        self.correlator.take();
    }

    /// No more events come.
    pub fn end(&mut self) {
        self.correlator.finish();
        self.give_correlated();
    }

    fn give_correlated(&mut self) {
        for found in self.correlator.take() {
            if !self.rules.gives_signals(found.correlation) {
                continue;
            }
            let rule = &self.rules.correlations()[found.correlation as usize];
            let place = self.rules.rules().len() + found.correlation as usize;
            if !self.allowances[place].take(self.brake, found.received_us) {
                continue;
            }
            self.matched[place] += 1;
            self.signals.append_correlated(rule, &found);
            for event in &found.events {
                self.recent.give(*event, &mut self.events);
            }
        }
    }

    /// Whether it is time to take what was found.
    pub fn is_full(&self) -> bool {
        self.events.is_full()
    }

    /// What was found since the last time.
    pub fn finish(&mut self) -> Found {
        let heads = self.rules.heads().zip(&mut self.allowances);
        let braked = heads.filter(|(_, one)| one.braked > 0);
        let braked = braked.map(|((rule, _), allowance)| Braked {
            rule_id: rule.id.clone(),
            rule_title: rule.title.clone(),
            signals: std::mem::take(&mut allowance.braked),
        });
        let mut braked: Vec<_> = braked.collect();
        braked.extend(self.sightings.iter_mut().flat_map(Sightings::braked));
        Found { signals: self.signals.finish(), events: self.events.finish(), braked }
    }

    /// Signals so far by the id of the rule or indicator; those without any are left out.
    pub fn matched(&self) -> BTreeMap<String, u64> {
        let counted = self.rules.heads().zip(&self.matched).filter(|(_, count)| **count > 0);
        let counted = counted.map(|((rule, _), count)| (rule.id.clone(), *count));
        counted.chain(self.sightings.iter().flat_map(Sightings::signals)).collect()
    }
}

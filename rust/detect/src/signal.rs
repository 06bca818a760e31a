//! Signals: what a match becomes, as Arrow batches.

use std::sync::Arc;

use arrow_array::builder::{
    FixedSizeBinaryBuilder, Int8Builder, ListBuilder, StringBuilder, StructBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use bigsec_event::EventId;

use crate::indicator::{Hit, IndicatorSet};
use crate::sigma::{Correlated, Correlation, Metadata};

/// The zone of all times.
const UTC: &str = "UTC";
/// What finds these signals.
const SIGMA: &str = "sigma";
const INDICATORS: &str = "indicators";

/// The events of a match, and where they come from.
#[derive(Debug, Clone, Copy)]
pub struct EventIdentity<'a> {
    /// The ids of the events.
    pub ids: &'a [EventId],
    /// The time of the (last) event, µs UTC.
    pub time_us: i64,
    /// The source that brought it.
    pub source: &'a str,
    /// The parser pack that read it.
    pub parser: &'a str,
}

/// Whether what the rule describes was tried or done, as far as the event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// It was tried.
    Attempt,
    /// It was done.
    Success,
    /// It was tried and failed.
    Failed,
    /// The event does not say.
    #[default]
    Unknown,
}

impl Outcome {
    /// The name in the `result` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attempt => "attempt",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// The id of a signal: the same rule over the same events has the same, in whatever order.
pub fn signal_id(rule_id: &str, events: &[EventId]) -> [u8; 16] {
    let mut events: Vec<_> = events.iter().map(|event| event.to_bytes()).collect();
    events.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(rule_id.len() as u64).to_le_bytes());
    hasher.update(rule_id.as_bytes());
    for event in &events {
        hasher.update(event);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    id
}

/// The schema of signal batches.
pub fn signal_schema() -> SchemaRef {
    let id = || DataType::FixedSizeBinary(16);
    let list = |item| DataType::List(Arc::new(Field::new("item", item, false)));
    let field = |name: &str, kind| Field::new(name, kind, false);
    Arc::new(Schema::new(vec![
        field("signal_id", id()),
        field("rule_id", DataType::Utf8),
        field("rule_title", DataType::Utf8),
        field("level", DataType::Utf8),
        field("severity_id", DataType::Int8),
        field("time", DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))),
        field("source", DataType::Utf8),
        field("parser", DataType::Utf8),
        field("event_ids", list(id())),
        field("entities", list(DataType::Struct(entity_fields()))),
        field("attack_techniques", list(DataType::Utf8)),
        field("attack_tactics", list(DataType::Utf8)),
        field("cves", list(DataType::Utf8)),
        field("result", DataType::Utf8),
        field("rule_author", DataType::Utf8),
        field("rule_license", DataType::Utf8),
        field("rule_path", DataType::Utf8),
        field("detector", DataType::Utf8),
        field("detector_version", DataType::Utf8),
    ]))
}

fn entity_fields() -> Fields {
    Fields::from(vec![
        Field::new("type", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, false),
    ])
}

/// Collects signals into a batch in the schema of [`signal_schema`].
#[derive(Debug)]
pub struct SignalBatchBuilder {
    detector_version: String,
    len: usize,
    signal_id: FixedSizeBinaryBuilder,
    rule_id: StringBuilder,
    rule_title: StringBuilder,
    level: StringBuilder,
    severity_id: Int8Builder,
    time: TimestampMicrosecondBuilder,
    source: StringBuilder,
    parser: StringBuilder,
    event_ids: ListBuilder<FixedSizeBinaryBuilder>,
    entities: ListBuilder<StructBuilder>,
    attack_techniques: ListBuilder<StringBuilder>,
    attack_tactics: ListBuilder<StringBuilder>,
    cves: ListBuilder<StringBuilder>,
    result: StringBuilder,
    rule_author: StringBuilder,
    rule_license: StringBuilder,
    rule_path: StringBuilder,
    detector: StringBuilder,
    version: StringBuilder,
}

impl SignalBatchBuilder {
    /// A builder for signals of a rule set with that [`version`](crate::RuleSet::version).
    pub fn new(detector_version: &str) -> Self {
        let item = |kind| Field::new("item", kind, false);
        let texts = || ListBuilder::new(StringBuilder::new()).with_field(item(DataType::Utf8));
        let entity = StructBuilder::from_fields(entity_fields(), 0);
        Self {
            detector_version: detector_version.to_owned(),
            len: 0,
            signal_id: FixedSizeBinaryBuilder::new(16),
            rule_id: StringBuilder::new(),
            rule_title: StringBuilder::new(),
            level: StringBuilder::new(),
            severity_id: Int8Builder::new(),
            time: TimestampMicrosecondBuilder::new().with_timezone(UTC),
            source: StringBuilder::new(),
            parser: StringBuilder::new(),
            event_ids: ListBuilder::new(FixedSizeBinaryBuilder::new(16))
                .with_field(item(DataType::FixedSizeBinary(16))),
            entities: ListBuilder::new(entity).with_field(item(DataType::Struct(entity_fields()))),
            attack_techniques: texts(),
            attack_tactics: texts(),
            cves: texts(),
            result: StringBuilder::new(),
            rule_author: StringBuilder::new(),
            rule_license: StringBuilder::new(),
            rule_path: StringBuilder::new(),
            detector: StringBuilder::new(),
            version: StringBuilder::new(),
        }
    }

    /// Number of signals since the last [`finish`](Self::finish).
    pub fn len(&self) -> usize {
        self.len
    }

    /// True where there is no signal yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds the signal of a match, with entities as pairs of type and value; `path` is the file
    /// that holds the rule.
    pub fn append(
        &mut self,
        rule: &Metadata,
        path: &str,
        event: &EventIdentity<'_>,
        entities: &[(&str, &str)],
        outcome: Outcome,
    ) {
        self.row(rule, path, event, entities, outcome);
        self.detector.append_value(SIGMA);
        self.version.append_value(&self.detector_version);
    }

    /// Adds the signal of an indicator that was seen in an event.
    pub fn append_sighting(
        &mut self,
        set: &IndicatorSet,
        hit: &Hit,
        event: &EventIdentity<'_>,
        entities: &[(&str, &str)],
    ) {
        let indicator = set.get(hit.indicator);
        let seen = indicator.kind.entity().map(|kind| (kind.as_str(), kind.normalise(&hit.text)));
        let mut entities = entities.to_vec();
        if let Some((kind, Some(value))) = &seen
            && !entities.contains(&(kind, value))
        {
            entities.push((kind, value));
        }
        let path = &indicator.label.source;
        self.row(&set.head(hit.indicator), path, event, &entities, Outcome::Unknown);
        self.detector.append_value(INDICATORS);
        self.version.append_value(set.version());
    }

    /// All columns but those of the detector.
    fn row(
        &mut self,
        rule: &Metadata,
        path: &str,
        event: &EventIdentity<'_>,
        entities: &[(&str, &str)],
        outcome: Outcome,
    ) {
        const SIXTEEN: &str = "an id has sixteen bytes, as the builder was told";
        self.len += 1;
        self.signal_id.append_value(signal_id(&rule.id, event.ids)).expect(SIXTEEN);
        self.rule_id.append_value(&rule.id);
        self.rule_title.append_value(&rule.title);
        self.level.append_value(rule.level.as_str());
        self.severity_id.append_value(rule.level.severity_id());
        self.time.append_value(event.time_us);
        self.source.append_value(event.source);
        self.parser.append_value(event.parser);
        for id in event.ids {
            self.event_ids.values().append_value(id.to_bytes()).expect(SIXTEEN);
        }
        self.event_ids.append(true);
        self.append_entities(entities);
        append_texts(&mut self.attack_techniques, &rule.attack_techniques);
        append_texts(&mut self.attack_tactics, &rule.attack_tactics);
        append_texts(&mut self.cves, &rule.cves);
        self.result.append_value(outcome.as_str());
        self.rule_author.append_value(&rule.author);
        self.rule_license.append_value(&rule.license);
        self.rule_path.append_value(path);
    }

    /// Adds the signal of what a correlation found.
    pub fn append_correlated(&mut self, rule: &Correlation, found: &Correlated) {
        let event = EventIdentity {
            ids: &found.events,
            time_us: found.time_us,
            source: &found.about.source,
            parser: &found.about.parser,
        };
        let entities: Vec<_> =
            found.about.entities.iter().map(|(kind, value)| (&**kind, &**value)).collect();
        self.append(rule, rule.path(), &event, &entities, Outcome::Unknown);
    }

    fn append_entities(&mut self, entities: &[(&str, &str)]) {
        const TEXT: &str = "both columns of an entity are text, as the schema says";
        for (kind, value) in entities {
            let row = self.entities.values();
            row.field_builder::<StringBuilder>(0).expect(TEXT).append_value(kind);
            row.field_builder::<StringBuilder>(1).expect(TEXT).append_value(value);
            row.append(true);
        }
        self.entities.append(true);
    }

    /// The signals so far as a batch; the builder starts over.
    pub fn finish(&mut self) -> RecordBatch {
        self.len = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.signal_id.finish()),
            Arc::new(self.rule_id.finish()),
            Arc::new(self.rule_title.finish()),
            Arc::new(self.level.finish()),
            Arc::new(self.severity_id.finish()),
            Arc::new(self.time.finish()),
            Arc::new(self.source.finish()),
            Arc::new(self.parser.finish()),
            Arc::new(self.event_ids.finish()),
            Arc::new(self.entities.finish()),
            Arc::new(self.attack_techniques.finish()),
            Arc::new(self.attack_tactics.finish()),
            Arc::new(self.cves.finish()),
            Arc::new(self.result.finish()),
            Arc::new(self.rule_author.finish()),
            Arc::new(self.rule_license.finish()),
            Arc::new(self.rule_path.finish()),
            Arc::new(self.detector.finish()),
            Arc::new(self.version.finish()),
        ];
        RecordBatch::try_new(signal_schema(), columns)
            .expect("each column was built by its field in the schema, one value a signal")
    }
}

fn append_texts(list: &mut ListBuilder<StringBuilder>, texts: &[String]) {
    for text in texts {
        list.values().append_value(text);
    }
    list.append(true);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LoadOptions, RuleSet};
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Int8Type, TimestampMicrosecondType};
    use bigsec_event::Origin;

    #[test]
    fn a_match_becomes_a_row() {
        let text = "title: T\nauthor: A\nlevel: high\ntags: [attack.t1003, cve.2021-44228]\n\
                    logsource: {product: x}\ndetection: {s: {a: 1}, condition: s}\n";
        let loaded = RuleSet::from_texts(&[("r.yml", text)], &LoadOptions::default());
        let rule = &loaded.rules.rules()[0];
        let ids = [EventId::new(Origin::File, 1, 2, 0), EventId::new(Origin::File, 1, 3, 0)];
        let event = EventIdentity { ids: &ids, time_us: 7, source: "s", parser: "p" };
        let mut builder = SignalBatchBuilder::new(loaded.rules.version());
        let entities = [("ip", "192.0.2.7"), ("user", "alice")];
        builder.append(rule, rule.path(), &event, &entities, Outcome::Unknown);
        builder.append(rule, rule.path(), &event, &[], Outcome::Success);
        let batch = builder.finish();
        assert_eq!((batch.num_rows(), builder.len()), (2, 0));
        let text = |name: &str| batch[name].as_string::<i32>().value(1).to_owned();
        assert_eq!([text("level"), text("result")], ["high", "success"]);
        assert_eq!(text("detector_version"), loaded.rules.version());
        assert_eq!(batch["severity_id"].as_primitive::<Int8Type>().value(0), 4);
        assert_eq!(batch["time"].as_primitive::<TimestampMicrosecondType>().value(0), 7);
        let id = batch["signal_id"].as_fixed_size_binary().value(0).to_vec();
        assert_eq!(id, signal_id(&rule.id, &[ids[1], ids[0]]));
        let entities = batch["entities"].as_list::<i32>();
        assert_eq!((entities.value_length(0), entities.value_length(1)), (2, 0));
        let cves = batch["cves"].as_list::<i32>().value(0);
        assert_eq!(cves.as_string::<i32>().value(0), "CVE-2021-44228");
        assert_eq!(builder.finish().num_rows(), 0);
    }
}

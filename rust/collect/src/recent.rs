//! The last events that correlations may yet speak of, so that a signal brings its events along.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bigsec_event::{EventBatchBuilder, EventId, EventMeta, TimeBound};
use bigsec_parse::Parsed;

/// Events kept, and bytes of their text. Of older ones a signal has the ids alone.
const EVENTS_MAX: usize = 4_096;
const BYTES_MAX: usize = 16 << 20;

/// Events in the order in which they came.
#[derive(Default)]
pub(crate) struct Recent {
    events: VecDeque<Event>,
    /// By id, how many were taken in before each.
    places: HashMap<EventId, u64>,
    dropped: u64,
    bytes: usize,
}

struct Event {
    parsed: Parsed,
    source: Arc<str>,
    id: EventId,
    received_us: i64,
    bound: TimeBound,
    continued: bool,
    is_given: bool,
}

impl Recent {
    /// Keeps an event. `is_given`: it is among the events that are handed out already.
    pub fn keep(&mut self, parsed: &Parsed, meta: &EventMeta<'_>, is_given: bool) {
        let event = Event {
            parsed: parsed.clone(),
            source: meta.source.into(),
            id: meta.id,
            received_us: meta.received_us,
            bound: meta.bound,
            continued: meta.continued,
            is_given,
        };
        self.bytes += event.parsed.record.text().len();
        self.places.insert(event.id, self.dropped + self.events.len() as u64);
        self.events.push_back(event);
        while self.events.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
            let Some(old) = self.events.pop_front() else { break };
            self.bytes -= old.parsed.record.text().len();
            self.dropped += 1;
            self.places.remove(&old.id);
        }
    }

    /// Hands an event out, once.
    pub fn give(&mut self, id: EventId, to: &mut EventBatchBuilder) {
        let Some(place) = self.places.get(&id).and_then(|place| place.checked_sub(self.dropped))
        else {
            return;
        };
        let Some(event) = self.events.get_mut(place as usize).filter(|event| !event.is_given)
        else {
            return;
        };
        event.is_given = true;
        let parsed = &event.parsed;
        let meta = EventMeta {
            id,
            time_us: parsed.time_us,
            tz_offset_min: parsed.tz_offset_min,
            received_us: event.received_us,
            bound: event.bound,
            source: &event.source,
            encoding: parsed.encoding,
            continued: event.continued,
            keep_raw: true,
        };
        to.append(&parsed.record, &parsed.map, &meta, parsed.derived());
    }
}

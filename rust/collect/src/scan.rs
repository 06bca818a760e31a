//! Parses and matches inputs in one pass.

use std::collections::BTreeMap;

use bigsec_detect::Lateness;
use bigsec_event::{EventMeta, FieldMaps, Problem, time_effective};

use crate::detector::{Detection, Detector, Found};
use crate::feed::Feed;

/// Bytes of records after which a chunk is given out: about a second's work at the most.
pub(crate) const CHUNK_BYTES: usize = 16 * 1024 * 1024;

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

/// Looks for rules and indicators in a feed.
pub struct Scanner {
    feed: Feed,
    detector: Detector,
    options: ScanOptions,
    finished: bool,
}

impl Scanner {
    /// A scan that has not begun.
    pub fn new(feed: Feed, detection: &Detection, maps: &FieldMaps, options: ScanOptions) -> Self {
        Self {
            feed,
            detector: Detector::new(detection, maps, Lateness::Any, None),
            options,
            finished: false,
        }
    }

    /// The feed: its accounts, files and progress.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Signals so far by the id of the rule or indicator; those without any are left out.
    pub fn matched(&self) -> BTreeMap<String, u64> {
        self.detector.matched()
    }

    /// The next part of the result; `None` after the last. A part may hold no signal. Fails where
    /// the evidence cannot be kept; the part is then lost, and the scan has to be run again.
    pub fn next_chunk(&mut self) -> Result<Option<Found>, Problem> {
        if self.finished {
            return Ok(None);
        }
        let mut bytes = 0;
        while bytes < CHUNK_BYTES && !self.detector.is_full() {
            let Some(event) = self.feed.next_event() else {
                self.finished = true;
                self.detector.end();
                break;
            };
            bytes += event.parsed.record.text().len() + 64;
            if !self.options.takes(&event.meta) {
                continue;
            }
            if self.detector.examine(event.parsed, &event.meta)
                && let Some(evidence) = self.feed.evidence()
            {
                evidence.keep_last();
            }
        }
        if let Some(evidence) = self.feed.evidence() {
            evidence.commit()?;
        }
        Ok(Some(self.detector.finish()))
    }
}

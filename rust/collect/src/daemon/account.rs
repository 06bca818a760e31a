//! What became of the records of one source within a range of the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use bigsec_event::{Code, FieldSource, codes};
use bigsec_evidence::{Flags, Record};
use bigsec_parse::{Outcome, Parsed};

/// Differences of clocks that are looked at before every second one is dropped.
const SKEWS_KEPT: usize = 1024;

/// The account of one source: `received = parsed + unparsed + quarantined`, always.
#[derive(Debug, Clone, Default)]
pub struct SourceLedger {
    /// Name of the source.
    pub source: Arc<str>,
    /// Records in the log.
    pub received: u64,
    /// Records that a decoder read; headers and directives are among them and make no event.
    pub parsed: u64,
    /// Records that no decoder read; each is an event with parser `none`.
    pub unparsed: u64,
    /// Records that broke a limit or were cut short; each is an event with parser `none`.
    pub quarantined: u64,
    /// Events made.
    pub events: u64,
    /// Records that their sender may have sent before.
    pub doubles: u64,
    /// Bytes of the records as received.
    pub bytes: u64,
    /// When the first of them was received (µs UTC).
    pub first_received_us: i64,
    /// When the last of them was received (µs UTC).
    pub last_received_us: i64,
    /// Events by parser pack.
    pub parsers: BTreeMap<Arc<str>, u64>,
    /// Records that were not parsed, by the code's number.
    pub reasons: BTreeMap<&'static str, u64>,
    skews: Skews,
}

impl SourceLedger {
    /// An empty account.
    pub fn new(source: &str) -> Self {
        Self { source: Arc::from(source), ..Self::default() }
    }

    /// How far the sender's clock is behind ours in µs: the median of time received less the
    /// record's own time. `None` where no record told its time.
    pub fn clock_skew_us(&self) -> Option<i64> {
        self.skews.median()
    }

    /// Counts a record as received.
    pub(super) fn receive(&mut self, record: &Record<'_>) {
        if self.received == 0 {
            self.first_received_us = record.received_us;
        }
        self.last_received_us = record.received_us;
        self.received += 1;
        self.bytes += record.payload.len() as u64;
        self.doubles += u64::from(record.flags.has(Flags::DOUBLE));
    }

    /// Counts a record that is not whole.
    pub(super) fn quarantine(&mut self, parsed: &Parsed) {
        self.quarantined += 1;
        self.refuse(codes::INPUT_RECORD_TOO_LONG);
        self.event(parsed, 0);
    }

    /// Counts a record that not even its text could be taken of.
    pub(super) fn give_up(&mut self) {
        self.quarantined += 1;
        self.refuse(codes::PARSE_DEFECT);
    }

    /// Counts what the parser made of a record; says whether it is an event.
    pub(super) fn settle(&mut self, outcome: Outcome, parsed: &Parsed, received_us: i64) -> bool {
        match outcome {
            Outcome::Directive => {
                self.parsed += 1;
                return false;
            }
            Outcome::Event => self.parsed += 1,
            Outcome::Unparsed(code) => {
                self.unparsed += 1;
                self.refuse(code);
            }
        }
        self.event(parsed, received_us);
        true
    }

    fn event(&mut self, parsed: &Parsed, received_us: i64) {
        self.events += 1;
        if let Some(time) = parsed.time_us {
            self.skews.add(received_us.saturating_sub(time));
        }
        // Looked up by text first, because most records name a parser that was seen before.
        match self.parsers.get_mut(FieldSource::parser(&parsed.record)) {
            Some(count) => *count += 1,
            None => {
                self.parsers.insert(Arc::clone(parsed.record.parser_id()), 1);
            }
        }
    }

    fn refuse(&mut self, code: &'static Code) {
        *self.reasons.entry(code.number).or_default() += 1;
    }
}

/// Differences of clocks, thinned out evenly when there are many.
#[derive(Debug, Clone)]
struct Skews {
    kept: Vec<i64>,
    seen: u64,
    every: u64,
}

impl Default for Skews {
    fn default() -> Self {
        Self { kept: Vec::new(), seen: 0, every: 1 }
    }
}

impl Skews {
    fn add(&mut self, skew: i64) {
        if self.seen.is_multiple_of(self.every) {
            if self.kept.len() == SKEWS_KEPT {
                let mut index = 0;
                self.kept.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.every *= 2;
            }
            self.kept.push(skew);
        }
        self.seen += 1;
    }

    fn median(&self) -> Option<i64> {
        let mut sorted = self.kept.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

/// The accounts of several sources.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    list: Vec<SourceLedger>,
    /// Where the last one asked for stands: records of one source come in runs.
    last: usize,
}

impl Accounts {
    /// The account of a source.
    pub fn of(&mut self, source: &str) -> &mut SourceLedger {
        if self.list.get(self.last).is_none_or(|ledger| &*ledger.source != source) {
            let known = self.list.iter().position(|ledger| &*ledger.source == source);
            self.last = known.unwrap_or_else(|| {
                self.list.push(SourceLedger::new(source));
                self.list.len() - 1
            });
        }
        &mut self.list[self.last]
    }

    /// The accounts so far; begins anew.
    pub fn take(&mut self) -> Vec<SourceLedger> {
        self.last = 0;
        std::mem::take(&mut self.list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_median_stands_for_all_however_many_there_are(
            offset in -1_000_000_000_i64..1_000_000_000,
            count in 1_u32..20_000,
        ) {
            let mut skews = Skews::default();
            for index in 0..count {
                skews.add(offset + i64::from(index % 2));
            }
            let median = skews.median().expect("values were added");
            prop_assert!((offset..=offset + 1).contains(&median), "{median}");
            prop_assert!(skews.kept.len() <= SKEWS_KEPT);
        }
    }

    #[test]
    fn accounts_are_kept_apart() {
        let mut accounts = Accounts::default();
        for source in ["a", "b", "a", "a", "c"] {
            accounts.of(source).received += 1;
        }
        let taken: Vec<_> =
            accounts.take().iter().map(|one| (one.source.to_string(), one.received)).collect();
        assert_eq!(taken, [("a".into(), 3), ("b".into(), 1), ("c".into(), 1)]);
        assert!(accounts.take().is_empty());
    }
}

//! What became of the records of one input.

use std::collections::BTreeMap;
use std::sync::Arc;

use bigsec_event::{Code, Problem};

/// Problems of one kind that are kept with their places; the rest are counted.
const KEPT_PER_KIND: usize = 20;

/// The account of one input: `received = parsed + unparsed + quarantined`, always.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// The input as the user named it.
    pub path: String,
    /// Its name as the events carry it.
    pub source: String,
    /// Decompressed bytes framed.
    pub bytes: u64,
    /// Records framed.
    pub received: u64,
    /// Records that a decoder read; headers and directives are among them and make no event.
    pub parsed: u64,
    /// Records that no decoder read; each is an event with parser `none`.
    pub unparsed: u64,
    /// Records that broke a limit; each is an event with parser `none`.
    pub quarantined: u64,
    /// Events made.
    pub events: u64,
    /// Events by parser pack.
    pub parsers: BTreeMap<Arc<str>, u64>,
    /// Records that were not parsed, by the code's number.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Faults of the input itself and the first of each kind of fault of its records.
    pub problems: Vec<Problem>,
    /// The input that holds the very same bytes and was read instead of this one.
    pub duplicate_of: Option<String>,
}

impl Ledger {
    /// The account of an input not yet read.
    pub fn new(path: &str, source: &str) -> Self {
        Self { path: path.to_owned(), source: source.to_owned(), ..Self::default() }
    }

    /// Counts an event under its parser.
    pub(crate) fn count_event(&mut self, parser: &Arc<str>) {
        self.events += 1;
        match self.parsers.get_mut(parser) {
            Some(count) => *count += 1,
            None => {
                self.parsers.insert(Arc::clone(parser), 1);
            }
        }
    }

    /// Counts a record that was not parsed and keeps the first of its kind as a problem.
    pub(crate) fn refuse(&mut self, code: &'static Code, problem: impl FnOnce() -> Problem) {
        let count = self.reasons.entry(code.number).or_default();
        *count += 1;
        if *count as usize <= KEPT_PER_KIND {
            self.problems.push(problem());
        }
    }
}

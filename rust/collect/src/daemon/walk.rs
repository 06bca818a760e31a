//! Reads a log on from some place, parses and matches; the consumer, replay and sinks share it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use bigsec_detect::{Lateness, SignalBatchBuilder};
use bigsec_event::{EventBatchBuilder, Problem};
use bigsec_evidence::storage::Storage;
use bigsec_evidence::{Cursor, LogError, LogReader, Next, Record};

use super::account::Accounts;
use super::chunk::{Chunk, LostRange};
use super::record_parser::{Parsing, RecordParser};
use crate::brake::Brake;
use crate::detector::{Detection, Detector, Found};
use crate::scan::CHUNK_BYTES;

/// A record's own cost beside its text: many empty ones make a chunk, too.
const RECORD_COST: usize = 64;

/// So many records before its begin a walk looks for header lines in: a log that was left in the
/// middle of a file would otherwise not be understood until the file's next header.
const LOOKED_BACK: u64 = 1_000_000;
/// So many records before its begin, and no older ones than their windows reach, a walk tells its
/// correlations of: what they had seen is kept nowhere else.
const RECALLED: u64 = 500_000;
/// How much later than others an event may come and still be correlated with them.
const LATENESS_US: i64 = 600_000_000;

/// Lost ranges of one chunk: a log can hold more of them than memory.
const LOST_KEPT: usize = 1000;

/// What is known of records: how to parse them and what to look for.
#[derive(Clone)]
pub struct Knowledge {
    /// Packs and what is set for each source.
    pub parsing: Parsing,
    /// `None` looks for nothing.
    pub detection: Option<Detection>,
    /// How many signals a rule may give; `None` lets all pass.
    pub brake: Option<Brake>,
}

/// Whether a walk goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// The chunk is full.
    Full,
    /// All up to the end was read.
    AtEnd,
}

/// A place in a log, and what was made of the records since the last chunk.
pub(super) struct Walk {
    storage: Arc<dyn Storage>,
    folder: PathBuf,
    log: LogReader,
    cursor: Cursor,
    matching: Matching,
    parser: RecordParser,
    accounts: Accounts,
    lost: Vec<LostRange>,
    first: u64,
    next: u64,
    bytes: usize,
    knowledge: Knowledge,
    /// Records of the present chunk that brought the program to a panic, and how often.
    spoilers: BTreeMap<u64, u32>,
}

/// The part of a walk that depends on packs and rules, besides the parser.
struct Matching {
    detector: Option<Detector>,
    nothing: Found,
    every: Option<EventBatchBuilder>,
}

impl Matching {
    fn new(knowledge: &Knowledge, every: bool) -> Self {
        let maps = knowledge.parsing.packs.maps();
        let lateness = Lateness::Us(LATENESS_US);
        let detector = knowledge.detection.as_ref();
        let detector =
            detector.map(|detection| Detector::new(detection, maps, lateness, knowledge.brake));
        let nothing = Found {
            signals: SignalBatchBuilder::new("").finish(),
            events: EventBatchBuilder::new(maps).finish(),
            braked: Vec::new(),
        };
        Self { detector, nothing, every: every.then(|| EventBatchBuilder::new(maps)) }
    }

    fn is_full(&self) -> bool {
        self.detector.as_ref().is_some_and(Detector::is_full)
            || self.every.as_ref().is_some_and(EventBatchBuilder::is_full)
    }

    fn finish(&mut self) -> (Found, Option<RecordBatch>) {
        let found = self.detector.as_mut().map(Detector::finish);
        let found = found.unwrap_or_else(|| {
            let (signals, events) = (&self.nothing.signals, &self.nothing.events);
            Found { signals: signals.clone(), events: events.clone(), braked: Vec::new() }
        });
        (found, self.every.as_mut().map(EventBatchBuilder::finish))
    }
}

impl Walk {
    /// Begins at `from`, or at the log's first record where it is later or `from` is `None`.
    ///
    /// `every` collects all events, not only those of signals.
    pub fn open(
        storage: Arc<dyn Storage>,
        folder: &Path,
        from: Option<u64>,
        knowledge: &Knowledge,
        every: bool,
    ) -> Result<Self, Problem> {
        let trouble = |error: LogError| error.problem();
        let log = LogReader::open(Arc::clone(&storage), folder).map_err(trouble)?;
        let first = from.unwrap_or(0).max(log.first().map_err(trouble)?);
        let cursor = log.at(first).map_err(trouble)?;
        let mut walk = Self {
            storage,
            folder: folder.to_owned(),
            matching: Matching::new(knowledge, every),
            parser: RecordParser::new(knowledge.parsing.clone(), log.key())?,
            log,
            cursor,
            accounts: Accounts::default(),
            lost: Vec::new(),
            first,
            next: first,
            bytes: 0,
            knowledge: knowledge.clone(),
            spoilers: BTreeMap::new(),
        };
        walk.look_back();
        walk.recall();
        Ok(walk)
    }

    /// Gives a new parser the header lines that stand before the chunk. Where they cannot be read,
    /// the reading that follows tells of it.
    fn look_back(&mut self) {
        let kept = self.log.first().unwrap_or(self.first);
        let from = self.first.saturating_sub(LOOKED_BACK).max(kept);
        let Ok(mut cursor) = self.log.at(from) else { return };
        while let Ok(Some(next)) = cursor.next(self.first) {
            if let Next::Record { record, .. } = next {
                let parser = &mut self.parser;
                // Its panic was, or will be, dealt with where the record is judged.
                let _ = catch_unwind(AssertUnwindSafe(|| parser.see_header(&record)));
            }
        }
    }

    /// Tells new correlations of the events that stand before the chunk.
    fn recall(&mut self) {
        let Some(detector) = &mut self.matching.detector else { return };
        let Some(memory_us) = detector.memory_us() else { return };
        let kept = self.log.first().unwrap_or(self.first);
        let Some(last_us) = self.first.checked_sub(1).and_then(|at| received_us(&self.log, at))
        else {
            return;
        };
        let since_us = last_us.saturating_sub(memory_us).saturating_sub(LATENESS_US);
        let from = self.first.saturating_sub(RECALLED).max(kept);
        let Ok(mut cursor) = self.log.at(from) else { return };
        let mut accounts = Accounts::default();
        while let Ok(Some(next)) = cursor.next(self.first) {
            let Next::Record { sequence, record, .. } = next else { continue };
            if record.received_us < since_us {
                continue;
            }
            let parser = &mut self.parser;
            let (accounts, detector) = (&mut accounts, &mut *detector);
            // Its panic was dealt with where the record was judged.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                if let Some((parsed, meta)) = parser.parse(sequence, &record, accounts, true, false)
                {
                    detector.recall(parsed, &meta);
                }
            }));
        }
    }

    /// Where it is.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// How many records are durable, as the log's folder says.
    pub fn durable_size(&mut self) -> Result<u64, LogError> {
        self.log.durable_size()
    }

    /// Whether nothing was read since the last chunk.
    pub fn is_empty(&self) -> bool {
        self.first == self.next
    }

    /// Takes other packs and rules for what follows. To be called between two chunks.
    pub fn learn(&mut self, knowledge: &Knowledge) -> Result<(), Problem> {
        self.parser = RecordParser::new(knowledge.parsing.clone(), self.log.key())?;
        self.matching = Matching::new(knowledge, self.matching.every.is_some());
        self.knowledge = knowledge.clone();
        self.look_back();
        self.recall();
        Ok(())
    }

    /// Opens the log again at the present place, after reading failed.
    pub fn reopen(&mut self) -> Result<(), LogError> {
        self.log = LogReader::open(Arc::clone(&self.storage), &self.folder)?;
        self.cursor = self.log.at(self.next)?;
        Ok(())
    }

    /// Reads on, at most to `end` (exclusive), until a chunk is full.
    pub fn advance(&mut self, end: u64) -> Result<Pace, LogError> {
        while self.next < end {
            if self.bytes >= CHUNK_BYTES || self.matching.is_full() {
                return Ok(Pace::Full);
            }
            match self.cursor.next(end)? {
                None => break,
                Some(Next::Lost { first, end, why }) => {
                    if self.lost.len() < LOST_KEPT {
                        self.lost.push(LostRange { first, end, what: why.to_owned() });
                    }
                    self.next = end;
                }
                Some(Next::Record { sequence, record, .. }) => {
                    self.next = sequence + 1;
                    self.bytes += record.payload.len() + RECORD_COST;
                    let tries = self.spoilers.get(&sequence).copied().unwrap_or_default();
                    let (parser, accounts) = (&mut self.parser, &mut self.accounts);
                    let matching = &mut self.matching;
                    // What a panic leaves half done is thrown away in `begin_again`.
                    let judged = catch_unwind(AssertUnwindSafe(|| {
                        judge(parser, accounts, matching, (sequence, &record), tries);
                    }));
                    if judged.is_err() {
                        self.spoilers.insert(sequence, tries + 1);
                        self.begin_again()?;
                    }
                }
            }
        }
        Ok(Pace::AtEnd)
    }

    /// Begins the chunk again after a panic: a defect of a parser must cost no other record.
    fn begin_again(&mut self) -> Result<(), LogError> {
        self.matching = Matching::new(&self.knowledge, self.matching.every.is_some());
        if let Ok(parser) = RecordParser::new(self.knowledge.parsing.clone(), self.log.key()) {
            self.parser = parser;
            self.look_back();
            self.recall();
        }
        self.accounts = Accounts::default();
        self.lost.clear();
        (self.next, self.bytes) = (self.first, 0);
        self.cursor = self.log.at(self.first)?;
        Ok(())
    }

    /// What was made since the last chunk.
    pub fn take(&mut self) -> Chunk {
        let (found, every) = self.matching.finish();
        let first = std::mem::replace(&mut self.first, self.next);
        self.bytes = 0;
        self.spoilers.clear();
        Chunk {
            signals: found.signals,
            events: found.events,
            braked: found.braked,
            every,
            ledgers: self.accounts.take(),
            lost: std::mem::take(&mut self.lost),
            first,
            next: self.next,
        }
    }
}

/// When a record was received.
fn received_us(log: &LogReader, sequence: u64) -> Option<i64> {
    match log.at(sequence).ok()?.next(sequence + 1) {
        Ok(Some(Next::Record { record, .. })) => Some(record.received_us),
        _ => None,
    }
}

/// Parses a record and tries the rules on it. After one panic it is taken as its text and no rule
/// is tried; after two it is only counted.
fn judge(
    parser: &mut RecordParser,
    accounts: &mut Accounts,
    matching: &mut Matching,
    (sequence, record): (u64, &Record<'_>),
    panics: u32,
) {
    if panics > 1 {
        let account = accounts.of(record.source);
        account.receive(record);
        account.give_up();
        return;
    }
    let plain = panics > 0;
    let keep_raw = matching.every.is_some();
    let event = parser.parse(sequence, record, accounts, keep_raw, plain);
    let Some((parsed, meta)) = event else { return };
    if let Some(detector) = matching.detector.as_mut().filter(|_| !plain) {
        detector.examine(parsed, &meta);
    }
    if let Some(every) = &mut matching.every {
        every.append(&parsed.record, &parsed.map, &meta, parsed.derived());
    }
}

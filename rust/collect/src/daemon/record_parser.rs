//! Parses the records of a log, each by what is set for its source.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bigsec_event::{EventId, EventMeta, FieldSource, Origin, Problem, TimeBound, codes};
use bigsec_evidence::{Flags, Record};
use bigsec_parse::{Outcome, PackSet, ParseOptions, Parsed, Parser};

use super::account::Accounts;

/// Streams whose parser is kept: a parser remembers the headers of its file.
const PARSERS_KEPT: usize = 1024;

/// How the records of a source are read.
#[derive(Debug, Clone)]
pub struct SourceParsing {
    /// Format and time zone.
    pub options: ParseOptions,
    /// How far its own times are believed.
    pub bound: TimeBound,
}

/// Packs, and what is set for each source.
#[derive(Clone)]
pub struct Parsing {
    /// The packs.
    pub packs: Arc<PackSet>,
    /// By name of the source.
    pub sources: BTreeMap<String, SourceParsing>,
    /// For sources that are not named.
    pub others: SourceParsing,
}

/// What the header lines of all formats that have some begin with.
const HEADER_MARK: u8 = b'#';

/// The parsers of a log's sources.
pub(super) struct RecordParser {
    parsing: Parsing,
    log_key: u64,
    /// By source, then by file where it has some; else 0.
    parsers: HashMap<Box<str>, BTreeMap<u64, Parser>>,
    kept: usize,
    parsed: Parsed,
}

impl RecordParser {
    /// Parsers of a log with that key. Fails where a format that is set does not exist.
    pub fn new(parsing: Parsing, log_key: u64) -> Result<Self, Problem> {
        for source in parsing.sources.values().chain([&parsing.others]) {
            Parser::new(Arc::clone(&parsing.packs), source.options.clone())?;
        }
        let parsed = Parsed::default();
        Ok(Self { parsing, log_key, parsers: HashMap::new(), kept: 0, parsed })
    }

    /// Takes in a record of before that may be a header line of its stream; counts nothing.
    pub fn see_header(&mut self, record: &Record<'_>) {
        if record.payload.first() != Some(&HEADER_MARK) {
            return;
        }
        let settings = self.parsing.sources.get(record.source).unwrap_or(&self.parsing.others);
        let (parsers, kept, packs) = (&mut self.parsers, &mut self.kept, &self.parsing.packs);
        if let Some(parser) = parser_of(parsers, kept, packs, &settings.options, record) {
            parser.parse(record.payload, record.received_us, &mut self.parsed);
        }
    }

    /// Parses a record and counts it; `None` where it is no event (a header).
    ///
    /// `plain` takes it as its text alone.
    pub fn parse<'a>(
        &'a mut self,
        sequence: u64,
        record: &Record<'a>,
        accounts: &mut Accounts,
        keep_raw: bool,
        plain: bool,
    ) -> Option<(&'a Parsed, EventMeta<'a>)> {
        let account = accounts.of(record.source);
        account.receive(record);
        let settings = self.parsing.sources.get(record.source).unwrap_or(&self.parsing.others);
        let bound = settings.bound;
        let continued = record.flags.has(Flags::CONTINUED);
        if plain || continued || record.flags.has(Flags::CUT) {
            self.parsed.set_plain(record.payload);
            account.quarantine(&self.parsed);
        } else {
            let parser = parser_of(
                &mut self.parsers,
                &mut self.kept,
                &self.parsing.packs,
                &settings.options,
                record,
            );
            let outcome = if let Some(parser) = parser {
                parser.parse(record.payload, record.received_us, &mut self.parsed)
            } else {
                self.parsed.set_plain(record.payload);
                Outcome::Unparsed(codes::PARSE_NO_DECODER)
            };
            if !account.settle(outcome, &self.parsed, record.received_us) {
                return None;
            }
        }
        let parsed = &self.parsed;
        let own = EventId::new(Origin::Log, self.log_key, sequence, 0);
        let meta = EventMeta {
            id: record.id.unwrap_or(own),
            time_us: parsed.time_us,
            tz_offset_min: parsed.tz_offset_min,
            received_us: record.received_us,
            bound,
            source: record.source,
            encoding: parsed.encoding,
            continued,
            keep_raw: keep_raw || FieldSource::parser(&parsed.record) == "none",
        };
        Some((parsed, meta))
    }
}

/// The parser of the stream that a record belongs to.
///
/// A free function, so that the borrow checker sees which fields it takes.
fn parser_of<'a>(
    parsers: &'a mut HashMap<Box<str>, BTreeMap<u64, Parser>>,
    kept: &mut usize,
    packs: &Arc<PackSet>,
    options: &ParseOptions,
    record: &Record<'_>,
) -> Option<&'a mut Parser> {
    let file = record.position.map_or(0, |position| position.file);
    let known = parsers.get(record.source).is_some_and(|files| files.contains_key(&file));
    if !known {
        if *kept == PARSERS_KEPT {
            parsers.clear();
            *kept = 0;
        }
        // That the options hold was tried when they were set.
        let parser = Parser::new(Arc::clone(packs), options.clone()).ok()?;
        parsers.entry(record.source.into()).or_default().insert(file, parser);
        *kept += 1;
    }
    parsers.get_mut(record.source)?.get_mut(&file)
}

//! Parses the records of a log, each by what is set for its source.

use std::collections::BTreeMap;
use std::sync::Arc;

use bigsec_event::{EventId, EventMeta, FieldSource, Origin, Problem, TimeBound, codes};
use bigsec_evidence::{Flags, Record};
use bigsec_parse::{Outcome, PackSet, ParseOptions, Parsed, Parser};

use super::account::Accounts;
use super::streams::Streams;

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
    streams: Streams,
    parsed: Parsed,
}

impl RecordParser {
    /// Parsers of a log with that key. Fails where a format that is set does not exist.
    pub fn new(parsing: Parsing, log_key: u64) -> Result<Self, Problem> {
        for source in parsing.sources.values().chain([&parsing.others]) {
            Parser::new(Arc::clone(&parsing.packs), source.options.clone())?;
        }
        let parsed = Parsed::default();
        Ok(Self { parsing, log_key, streams: Streams::default(), parsed })
    }

    /// Takes in a record of before that may be a header line of its stream; counts nothing.
    pub fn see_header(&mut self, record: &Record<'_>) {
        if record.payload.first() != Some(&HEADER_MARK) {
            return;
        }
        let settings = self.parsing.sources.get(record.source).unwrap_or(&self.parsing.others);
        let packs = &self.parsing.packs;
        if let Some(parser) = self.streams.parser(packs, &settings.options, record) {
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
        // What was read from a file in place (`scan`) may be old, whatever the source is today.
        let from_file = record.id.is_some_and(|id| id.origin() == Origin::File);
        let bound = if from_file { TimeBound::None } else { settings.bound };
        let continued = record.flags.has(Flags::CONTINUED);
        if plain || continued || record.flags.has(Flags::CUT) {
            self.parsed.set_plain(record.payload);
            account.quarantine(&self.parsed);
        } else {
            let packs = &self.parsing.packs;
            let parser = self.streams.parser(packs, &settings.options, record);
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

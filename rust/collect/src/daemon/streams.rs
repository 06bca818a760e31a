//! A parser for each stream of records, since a parser remembers the header lines of its file.

use std::sync::Arc;

use bigsec_evidence::Record;
use bigsec_parse::{PackSet, ParseOptions, Parser};
use foldhash::HashMap;

/// Streams whose parser is kept; a further one takes the place of the one that was silent longest.
const STREAMS_KEPT: usize = 1024;

/// Parsers by source, then by file where it has some; else 0.
#[derive(Default)]
pub(super) struct Streams {
    parsers: HashMap<Box<str>, HashMap<u64, Kept>>,
    kept: usize,
    /// Records so far.
    tick: u64,
}

struct Kept {
    parser: Parser,
    last: u64,
}

impl Streams {
    /// The parser of the stream that a record belongs to; `None` where its options do not hold.
    pub fn parser(
        &mut self,
        packs: &Arc<PackSet>,
        options: &ParseOptions,
        record: &Record<'_>,
    ) -> Option<&mut Parser> {
        self.tick += 1;
        let file = record.position.map_or(0, |position| position.file);
        if !self.parsers.get(record.source).is_some_and(|files| files.contains_key(&file)) {
            let parser = Parser::new(Arc::clone(packs), options.clone()).ok()?;
            self.make_room();
            let files = self.parsers.entry(record.source.into()).or_default();
            files.insert(file, Kept { parser, last: 0 });
            self.kept += 1;
        }
        let kept = self.parsers.get_mut(record.source)?.get_mut(&file)?;
        kept.last = self.tick;
        Some(&mut kept.parser)
    }

    fn make_room(&mut self) {
        if self.kept < STREAMS_KEPT {
            return;
        }
        let every = self.parsers.iter().flat_map(|(source, files)| {
            files.iter().map(move |(file, kept)| (kept.last, source, *file))
        });
        let Some((_, source, file)) = every.min_by_key(|one| one.0) else { return };
        let source = source.clone();
        if let Some(files) = self.parsers.get_mut(&source) {
            files.remove(&file);
            if files.is_empty() {
                self.parsers.remove(&source);
            }
        }
        self.kept -= 1;
    }
}

#[cfg(test)]
mod tests {
    use bigsec_evidence::{Flags, Position};
    use bigsec_parse::Parsed;

    use super::*;

    #[test]
    fn the_stream_that_was_silent_longest_makes_room() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../python/bigsec/packs/parsers");
        let packs = Arc::new(PackSet::load(folder.as_ref()).expect("the packs are sound"));
        let options = ParseOptions::new(None, "UTC").expect("the options hold");
        let mut streams = Streams::default();
        let mut parsed = Parsed::default();
        let mut take = |file: u64, line: &str| {
            let record = Record {
                flags: Flags::default(),
                received_us: 0,
                source: "zeek",
                peer: None,
                id: None,
                position: Some(Position { file, end: 0 }),
                payload: line.as_bytes(),
            };
            let parser = streams.parser(&packs, &options, &record);
            parser.expect("the options hold").parse(record.payload, 0, &mut parsed);
            bigsec_event::FieldSource::parser(&parsed.record) == "zeek"
        };
        let header = "#separator \\x09\n#path\tconn\n#fields\tts\tuid\n#types\ttime\tstring";
        for line in header.lines() {
            take(1, line);
        }
        assert!(!take(2, "1.5\tC1"), "a stream without a header is not read by another's");
        for file in 3..3_000 {
            take(file, "x");
            assert!(take(1, "1.5\tC1"), "its header is known at stream {file}");
        }
    }
}

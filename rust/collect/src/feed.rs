//! Drives inputs through decompression, framing and parsing, one event at a time.

use std::io::{self, Read};
use std::sync::Arc;

use bigsec_event::{Code, EventId, EventMeta, Origin, Problem, TimeBound, codes, file_key};
use bigsec_evidence::{Flags, Record};
use bigsec_parse::{Outcome, PackSet, ParseOptions, Parsed, Parser};

use crate::clock::{Clock, SystemClock};
use crate::decompress::{RatioExceeded, decompress};
use crate::evidence::Evidence;
use crate::file_book::{FileBook, KnownFile, Resolved};
use crate::framing::{Frame, Frames, Lines};
use crate::input::{Input, cannot_open};
use crate::ledger::Ledger;
use crate::progress::Progress;
use crate::storage::{Disk, Storage};

/// How inputs are read.
#[derive(Clone)]
pub struct FeedOptions {
    /// Format told by the user, and the zone of records that do not say theirs.
    pub parse: ParseOptions,
    /// Time of receipt; `None` takes each file's time of change, and now where it has none.
    pub received_us: Option<i64>,
    /// Keep each record's text beside its event.
    pub keep_raw: bool,
    /// Files of earlier runs.
    pub book: FileBook,
}

/// An event as it leaves the parser.
#[derive(Debug)]
pub struct FedEvent<'a> {
    /// The parsed record.
    pub parsed: &'a Parsed,
    /// What is known beside it.
    pub meta: EventMeta<'a>,
}

/// Hashes what is read, where files have to be recognised again.
struct Hashed {
    inner: Box<dyn Read + Send>,
    hasher: Option<blake3::Hasher>,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..read]);
        }
        Ok(read)
    }
}

/// The input being read.
struct Open {
    frames: Frames<Hashed>,
    parser: Parser,
    file: KnownFile,
    key: u64,
    source: String,
    received_us: i64,
    compressed: bool,
}

/// Reads inputs one after the other and gives their events.
pub struct Feed {
    inputs: std::vec::IntoIter<Input>,
    packs: Arc<PackSet>,
    options: FeedOptions,
    track: bool,
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    progress: Arc<Progress>,
    open: Option<Open>,
    parsed: Parsed,
    ledgers: Vec<Ledger>,
    evidence: Option<Evidence>,
}

impl Feed {
    /// A feed over the machine's own files and clock.
    ///
    /// Fails where the format that was told does not exist.
    pub fn new(
        inputs: Vec<Input>,
        packs: Arc<PackSet>,
        options: FeedOptions,
    ) -> Result<Self, Problem> {
        Self::with(inputs, packs, options, Arc::new(Disk), Arc::new(SystemClock))
    }

    /// A feed over other files and another clock.
    pub fn with(
        inputs: Vec<Input>,
        packs: Arc<PackSet>,
        options: FeedOptions,
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Problem> {
        Parser::new(Arc::clone(&packs), options.parse.clone())?;
        let progress = Arc::new(Progress::default());
        let sizes: Option<Vec<u64>> =
            inputs.iter().map(|input| input.size(storage.as_ref())).collect();
        let total = sizes.map_or(0, |sizes| sizes.iter().sum());
        progress.total.store(total, std::sync::atomic::Ordering::Relaxed);
        let track = inputs.len() > 1 || !options.book.files().is_empty();
        Ok(Self {
            inputs: inputs.into_iter(),
            packs,
            options,
            track,
            storage,
            clock,
            progress,
            open: None,
            parsed: Parsed::default(),
            ledgers: Vec::new(),
            evidence: None,
        })
    }

    /// Remembers every file, so that [`files`](Self::files) is complete.
    #[must_use]
    pub fn tracking(mut self) -> Self {
        self.track = true;
        self
    }

    /// Keeps the records in a log.
    #[must_use]
    pub fn keeping(mut self, evidence: Option<Evidence>) -> Self {
        self.evidence = evidence;
        self
    }

    /// The log of the records, where they are kept.
    pub(crate) fn evidence(&mut self) -> Option<&mut Evidence> {
        self.evidence.as_mut()
    }

    /// How far it is.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// The accounts of the inputs so far, in their order; the last may be unfinished.
    pub fn ledgers(&self) -> &[Ledger] {
        &self.ledgers
    }

    /// The files read to their end in this run and, unchanged, those of earlier runs.
    pub fn files(&self) -> &[KnownFile] {
        self.options.book.files()
    }

    /// The next event; `None` once all inputs have been read.
    pub fn next_event(&mut self) -> Option<FedEvent<'_>> {
        // A loop that tells by values: the borrow checker cannot follow a conditional return.
        let (offset, continued) = loop {
            if self.open.is_none() && !self.open_next() {
                return None;
            }
            match self.step() {
                Step::Event { offset, continued } => break (offset, continued),
                Step::Nothing => {}
                Step::End => self.close(),
            }
        };
        let open = self.open.as_ref()?;
        let meta = EventMeta {
            id: EventId::new(Origin::File, open.key, offset, 0),
            time_us: self.parsed.time_us,
            tz_offset_min: self.parsed.tz_offset_min,
            received_us: open.received_us,
            bound: TimeBound::None,
            source: &open.source,
            encoding: self.parsed.encoding,
            continued,
            keep_raw: self.options.keep_raw
                || bigsec_event::FieldSource::parser(&self.parsed.record) == "none",
        };
        Some(FedEvent { parsed: &self.parsed, meta })
    }

    /// Reads one record of the open input.
    fn step(&mut self) -> Step {
        let (Some(open), Some(ledger)) = (&mut self.open, self.ledgers.last_mut()) else {
            return Step::End;
        };
        let path = open.file.label.as_deref().unwrap_or_default();
        let (offset, number, bytes, continued, unfinished) = match open.frames.next_frame() {
            None => return Step::End,
            Some(Frame::Damaged { offset, what }) => {
                ledger.refuse(codes::INPUT_BROKEN, || damaged(path, offset, &what));
                return Step::Nothing;
            }
            Some(Frame::Record { offset, number, bytes, continued, unfinished }) => {
                (offset, number, bytes, continued, unfinished)
            }
        };
        ledger.received += 1;
        if let Some(evidence) = &mut self.evidence {
            let mut flags = Flags::default();
            if continued {
                flags = flags.with(Flags::CONTINUED);
            }
            if unfinished {
                flags = flags.with(Flags::CUT);
            }
            evidence.see(&Record {
                flags,
                received_us: open.received_us,
                source: &open.source,
                peer: None,
                id: Some(EventId::new(Origin::File, open.key, offset, 0)),
                position: None,
                payload: bytes,
            });
        }
        if continued || unfinished {
            self.parsed.set_plain(bytes);
            ledger.quarantined += 1;
            ledger.refuse(codes::INPUT_RECORD_TOO_LONG, || {
                Problem::new(codes::INPUT_RECORD_TOO_LONG, "a record is longer than 64 MiB")
                    .in_file(path)
                    .at(number as u32, 1, 0)
                    .mend("it goes on in further records marked `continued`")
            });
        } else {
            match open.parser.parse(bytes, open.received_us, &mut self.parsed) {
                Outcome::Directive => {
                    ledger.parsed += 1;
                    return Step::Nothing;
                }
                Outcome::Event => ledger.parsed += 1,
                Outcome::Unparsed(code) => {
                    ledger.unparsed += 1;
                    let at = self.parsed.offset;
                    let text = self.parsed.record.text();
                    ledger.refuse(code, || unparsed(code, path, number, at, text));
                }
            }
        }
        ledger.count_event(self.parsed.record.parser_id());
        Step::Event { offset, continued }
    }

    /// Opens the next input that can be opened; false where none is left.
    fn open_next(&mut self) -> bool {
        for mut input in self.inputs.by_ref() {
            let (label, source) = (input.label(), input.source());
            self.progress.enter(&label);
            self.ledgers.push(Ledger::new(&label, &source));
            let Some(ledger) = self.ledgers.last_mut() else { continue };
            match begin(
                &mut input,
                self.storage.as_ref(),
                &self.options.book,
                &self.progress,
                self.track,
            ) {
                Ok(Begun::Read { frames, file, compressed }) => {
                    let received_us = self
                        .options
                        .received_us
                        .or_else(|| input.modified_us(self.storage.as_ref()))
                        .unwrap_or_else(|| self.clock.now_us());
                    let options = self.options.parse.clone();
                    let Ok(parser) = Parser::new(Arc::clone(&self.packs), options) else {
                        continue;
                    };
                    let key = file_key(&file.fingerprint, file.ordinal);
                    self.open =
                        Some(Open { frames, parser, file, key, source, received_us, compressed });
                    return true;
                }
                Ok(Begun::Duplicate(of)) => ledger.duplicate_of = Some(of),
                Err(error) => ledger.problems.push(cannot_open(label.as_ref(), &error)),
            }
        }
        false
    }

    /// Ends the open input: its account, its faults, its place in the book.
    fn close(&mut self) {
        let (Some(mut open), Some(ledger)) = (self.open.take(), self.ledgers.last_mut()) else {
            return;
        };
        ledger.bytes = open.frames.offset();
        if let Some(error) = open.frames.take_failure() {
            ledger.problems.push(broken(&ledger.path, &error, open.compressed));
            return;
        }
        if ledger.received == 0 && ledger.problems.is_empty() {
            ledger
                .problems
                .push(Problem::new(codes::INPUT_EMPTY, "it holds no record").in_file(&ledger.path));
        }
        if let Some(hasher) = &open.frames.inner().hasher {
            let content = *hasher.finalize().as_bytes();
            self.options.book.add(KnownFile { size: open.frames.offset(), content, ..open.file });
        }
    }
}

enum Step {
    Event { offset: u64, continued: bool },
    Nothing,
    End,
}

enum Begun {
    Read { frames: Frames<Hashed>, file: KnownFile, compressed: bool },
    Duplicate(String),
}

/// Opens an input and finds out which file it is.
fn begin(
    input: &mut Input,
    storage: &dyn Storage,
    book: &FileBook,
    progress: &Progress,
    track: bool,
) -> io::Result<Begun> {
    let label = input.label();
    let plain = decompress(input.open(storage)?, &progress.read)?;
    let hasher = track.then(blake3::Hasher::new);
    let mut lines = Lines::new(Hashed { inner: plain.reader, hasher });
    let rereadable = input.is_rereadable(storage);
    let resolved = book.resolve(lines.prefix(), || {
        if !rereadable {
            return Ok(None);
        }
        let aside = Arc::default();
        Ok(Some(decompress(input.open(storage)?, &aside)?.reader))
    })?;
    Ok(match resolved {
        Resolved::Duplicate(of) => Begun::Duplicate(of),
        Resolved::Read { fingerprint, prefix_bytes, ordinal } => {
            let file = KnownFile {
                fingerprint,
                prefix_bytes,
                ordinal,
                size: 0,
                content: [0; 32],
                label: Some(label),
            };
            Begun::Read { frames: Frames::of(lines), file, compressed: plain.compressed }
        }
    })
}

/// The problem of a place in a binary log that cannot be read.
fn damaged(path: &str, offset: u64, what: &str) -> Problem {
    Problem::new(codes::INPUT_BROKEN, format!("at byte {offset}: {what}"))
        .in_file(path)
        .mend("what stands around it was processed; export the log again if it is needed")
}

/// The problem of one record that no decoder read.
fn unparsed(
    code: &'static Code,
    path: &str,
    number: u64,
    at: Option<usize>,
    text: &str,
) -> Problem {
    let column = at.and_then(|at| text.get(..at)).map_or(1, |before| before.chars().count() + 1);
    let mut problem = Problem::new(code, first_sentence(code))
        .in_file(path)
        .at(u32::try_from(number).unwrap_or(u32::MAX), column as u32, 0)
        .mend("the record is kept as plain text");
    problem.excerpt = text.chars().take(200).collect();
    problem
}

fn first_sentence(code: &Code) -> &'static str {
    code.about.split_once(". ").map_or(code.about, |(first, _)| first)
}

/// The problem of an input that stopped part-way.
fn broken(path: &str, error: &io::Error, compressed: bool) -> Problem {
    if matches!(error.get_ref(), Some(inner) if inner.is::<RatioExceeded>()) {
        return Problem::new(codes::INPUT_RATIO, error.to_string())
            .in_file(path)
            .mend("what came out up to there was processed; decompress it yourself if it is real");
    }
    if compressed {
        return Problem::new(
            codes::INPUT_CUT_SHORT,
            format!("it cannot be decompressed further: {error}"),
        )
        .in_file(path)
        .mend("what came out before was processed; fetch the file again");
    }
    Problem::new(codes::INPUT_BROKEN, format!("reading stopped: {error}"))
        .in_file(path)
        .mend("what was read before was processed")
}

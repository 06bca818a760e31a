//! The notes of a log: their form, their signatures, the history of the keys.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::report::{Finding, Kind, Severity};
use crate::checkpoint::{Entry, NoteReader};
use crate::envelope::NoteError;
use crate::hash::Hash;
use crate::keys::VerifierKey;
use crate::note::{KeyHistory, Note};
use crate::segment::CHECKPOINTS_FILE;
use crate::storage::Storage;

/// More faulty notes than this are counted, not listed.
const LISTED_MAX: usize = 100;
const OUTSIDE: &str = "compare with the checkpoints that left this machine";

/// What is kept of a note until the records were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Where it stands in its file; `None` for one from outside.
    pub offset: Option<u64>,
    pub size: u64,
    pub root: Hash,
    /// The first record that was still kept.
    pub first: u64,
}

/// The notes of a log.
pub(super) struct Notes {
    /// Those that hold, in order of the file.
    pub marks: Vec<Mark>,
    /// Those from outside that hold, by size.
    pub outside: Vec<Mark>,
    pub history: KeyHistory,
    pub pinned: bool,
    /// Size at which a key that was given took over from one that was not.
    pub handover: u64,
    pub findings: Vec<Finding>,
}

impl Notes {
    /// Reads the notes in `dir`.
    pub fn read(
        storage: &dyn Storage,
        dir: &Path,
        name: &str,
        keys: &[VerifierKey],
        outside: &[Note],
    ) -> io::Result<Self> {
        let mut notes = Self {
            marks: Vec::new(),
            outside: Vec::new(),
            history: KeyHistory::pinned(keys),
            pinned: !keys.is_empty(),
            handover: 0,
            findings: Vec::new(),
        };
        if let Some(mut reader) = NoteReader::open(storage, dir)? {
            notes.read_all(&mut reader, name)?;
        }
        notes.take_outside(outside, name);
        Ok(notes)
    }

    fn read_all(&mut self, reader: &mut NoteReader, name: &str) -> io::Result<()> {
        let mut early = 0_u64;
        let mut faults: BTreeMap<(Severity, Kind), u64> = BTreeMap::new();
        while let Some(entry) = reader.next_entry()? {
            let (severity, kind, offset, size, what) = match entry {
                Entry::Torn { offset, len } => {
                    let what = format!("the last note was not written to its end ({len} bytes)");
                    (Severity::Notice, Kind::TornNote, offset, 0, what)
                }
                Entry::Garbled { offset, len } => {
                    (Severity::Damage, Kind::Note, offset, 0, format!("{len} bytes are no note"))
                }
                Entry::Note { offset, note } => match self.accept(offset, &note, name) {
                    Ok(()) => continue,
                    // Before the first key that is known, notes cannot be checked.
                    Err((Kind::WrongKey, _)) if self.marks.is_empty() => {
                        early += 1;
                        continue;
                    }
                    Err((kind, what)) => (Severity::Tamper, kind, offset, note.size, what),
                },
            };
            *faults.entry((severity, kind)).or_default() += 1;
            if self.findings.len() < LISTED_MAX {
                self.find(severity, kind, Some(offset), size, what);
            }
        }
        self.tell_early(early);
        self.tell_unlisted(&faults);
        Ok(())
    }

    fn accept(&mut self, offset: u64, note: &Note, name: &str) -> Result<(), (Kind, String)> {
        if note.origin != name {
            return Err((Kind::OtherLog, format!("a note of the log {:?}", note.origin)));
        }
        if self.pinned {
            self.history.accept(note).map_err(|error| (kind_of(&error), error.to_string()))?;
        }
        let given = note.next_key.as_ref().filter(|next| self.is_given(next));
        if self.marks.is_empty() && given.is_some() {
            self.handover = note.size;
        }
        let before = self.marks.last().map_or(0, |mark| mark.size);
        if note.size < before {
            let what = format!("a note over {} records after one over {before}", note.size);
            return Err((Kind::Repeated, what));
        }
        let first = note.first.unwrap_or(0);
        self.marks.push(Mark { offset: Some(offset), size: note.size, root: note.root, first });
        Ok(())
    }

    /// Notes that stand before the first which a given key signed. They are in order where that one
    /// hands the log over to the given key; else somebody else made them.
    fn tell_early(&mut self, early: u64) {
        if early == 0 {
            return;
        }
        let (severity, kind) = match self.handover {
            0 => (Severity::Tamper, Kind::WrongKey),
            _ => (Severity::Notice, Kind::KeysNotPinned),
        };
        let what = format!("{early} notes stand before the first by a key that was given");
        self.find(severity, kind, Some(0), 0, what);
    }

    fn tell_unlisted(&mut self, faults: &BTreeMap<(Severity, Kind), u64>) {
        let all: u64 = faults.values().sum();
        let listed = self.findings.len() as u64;
        if all > listed
            && let Some((&(severity, kind), _)) = faults.last_key_value()
        {
            let what = format!("{} more faults of notes are not listed", all - listed);
            self.find(severity, kind, None, 0, what);
        }
    }

    fn take_outside(&mut self, outside: &[Note], name: &str) {
        for note in outside {
            let fault = if note.origin == name {
                let keys: Vec<VerifierKey> =
                    self.history.spans().iter().map(|span| span.key.clone()).collect();
                let verified = if self.pinned { note.verify(&keys).map(|_| ()) } else { Ok(()) };
                verified.err().map(|error| (kind_of(&error), error.to_string()))
            } else {
                Some((Kind::OtherLog, format!("it is a note of the log {:?}", note.origin)))
            };
            if let Some((kind, what)) = fault {
                let what = format!("the checkpoint given from outside does not count: {what}");
                self.findings.push(Finding {
                    kind,
                    severity: Severity::Tamper,
                    segment: None,
                    file: String::new(),
                    offset: None,
                    first: note.size,
                    end: note.size,
                    what,
                    mend: "give a checkpoint of this log, and the keys that sign it",
                });
                continue;
            }
            let first = note.first.unwrap_or(0);
            self.outside.push(Mark { offset: None, size: note.size, root: note.root, first });
        }
        self.outside.sort_by_key(|mark| mark.size);
    }

    fn find(
        &mut self,
        severity: Severity,
        kind: Kind,
        offset: Option<u64>,
        size: u64,
        what: String,
    ) {
        self.findings.push(Finding {
            kind,
            severity,
            segment: None,
            file: CHECKPOINTS_FILE.to_owned(),
            offset,
            first: size,
            end: size,
            what,
            mend: if severity == Severity::Notice { "" } else { OUTSIDE },
        });
    }

    fn is_given(&self, key: &VerifierKey) -> bool {
        self.history.spans().iter().any(|span| span.from == 0 && span.key == *key)
    }

    /// Checkpoints from outside that the log's own file does not have.
    pub fn dropped(&mut self) {
        for mark in self.outside.clone() {
            let same = |own: &Mark| (own.size, own.root) == (mark.size, mark.root);
            if self.marks.iter().any(same) {
                continue;
            }
            let at = self.marks.partition_point(|own| own.size <= mark.size);
            let offset = self.marks.get(at).and_then(|next| next.offset);
            let what = format!("the checkpoint over {} records is missing here", mark.size);
            self.find(Severity::Tamper, Kind::CheckpointMissing, offset, mark.size, what);
        }
    }
}

fn kind_of(error: &NoteError) -> Kind {
    match error {
        NoteError::FalseSignature(_) => Kind::Signature,
        _ => Kind::WrongKey,
    }
}

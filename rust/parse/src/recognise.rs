//! Finding the decoder and the pack of a record.
//!
//! Each record is looked at alone: what the source sent before does not count (except the header
//! that a decoder keeps), so that a replay from any place gives the same events. It costs little:
//! a decoder sees by the first bytes whether a text can be its own, and a record is decoded once.
//!
//! The message of a syslog record may be of a format of its own: CEF, LEEF, JSON, `key=value`, the
//! audit log, an access log. A pack that knows the record by its header comes first; then the
//! message is decoded in place: its fields have their own names, and those of the header become
//! `syslog.hostname`, `syslog.timestamp` and so on. What no pack recognises stays plain syslog.

use std::sync::Arc;

use bigsec_event::{FieldName, Problem, Record, codes, suggest::one_of};

use crate::decode::{DECODERS, DecodeError, Decoded, Decoder, DecoderKind};
use crate::pack::{Pack, PackIndex, PackSet};

/// What was found for a record.
pub(crate) enum Found<'a> {
    /// The pack and its decoder; the record holds the decoder's fields.
    Pack(&'a Pack, &'static DecoderKind),
    /// A line about other lines.
    Directive,
    /// No pack, and the fault of the decoder that claimed the text, if one did.
    Nothing(DecodeError),
}

/// A decoder and its packs in the order in which they are asked.
struct Slot {
    kind: &'static DecoderKind,
    decoder: Box<dyn Decoder>,
    packs: PackIndex,
    /// The user named this decoder: what it may claim does not count.
    is_given: bool,
}

/// Has the decoders of one source.
pub(crate) struct Recogniser {
    slots: Vec<Slot>,
    /// The user named the pack: what it recognises does not count.
    pack_given: bool,
    message: FieldName,
}

/// The decoder whose messages are looked into.
const CARRIER: &str = "syslog";
/// The decoder of pairs, that of any text, and that of any text behind a time.
const PAIRS: &str = "key_value";
const PLAIN: &str = "plain";
const TIMED: &str = "timed";

/// The carrier's fields, and what they are called beside those of the message.
const HEADER: [(&str, &str); 7] = [
    ("facility", "syslog.facility"),
    ("severity", "syslog.severity"),
    ("timestamp", "syslog.timestamp"),
    ("hostname", "syslog.hostname"),
    ("app_name", "syslog.app_name"),
    ("pid", "syslog.pid"),
    ("msg_id", "syslog.msg_id"),
];

/// What some senders put before JSON in a message.
const COOKIE: &str = "@cee:";

impl Recogniser {
    /// All decoders that have packs, or the one that `format` names or belongs to.
    pub fn new(packs: &PackSet, format: Option<&str>) -> Result<Self, Problem> {
        let pack = format.and_then(|id| packs.get(id));
        let given = match (format, pack) {
            (Some(_), Some(pack)) => pack.decoders().to_vec(),
            (Some(id), None) => vec![known_decoder(id, packs)?],
            (None, _) => Vec::new(),
        };
        let mut slots = Vec::new();
        for kind in DECODERS {
            let asked = match pack {
                _ if format.is_some() && !given.contains(&kind.id) => Vec::new(),
                Some(pack) => vec![Arc::clone(pack)],
                None => packs.of_decoder(kind.id),
            };
            // What came through syslog is looked into although no pack knows syslog itself.
            let carries =
                kind.id == CARRIER && (format.is_none() || given.iter().any(|id| in_message(id)));
            if !asked.is_empty() || carries {
                let is_given = given == [kind.id];
                let packs = PackIndex::new(asked);
                slots.push(Slot { kind, decoder: (kind.make)(), packs, is_given });
            }
        }
        // A decoder that takes everything comes behind the header before its message.
        slots.sort_by_key(|slot| slot.is_given);
        Ok(Self { slots, pack_given: pack.is_some(), message: FieldName::new("message") })
    }

    /// Decodes the record's text into its fields and finds the pack.
    pub fn read(&mut self, record: &mut Record) -> Found<'_> {
        let mut fault = None;
        for at in 0..self.slots.len() {
            let slot = &mut self.slots[at];
            // A line that another decoder knows, but which is broken, is not any line with a time.
            if !slot.is_given
                && (slot.kind.id == TIMED && fault.is_some() || !slot.decoder.claims(record.text()))
            {
                continue;
            }
            record.clear_fields();
            match slot.decode(record) {
                Ok(Decoded::Directive) => return Found::Directive,
                Ok(Decoded::Event) => {
                    let chosen = self.choose(at, record);
                    let chosen = chosen.map(|(at, pack)| self.prose(at, pack, record));
                    if let Some((at, pack)) = chosen {
                        let slot = &self.slots[at];
                        return Found::Pack(slot.pack(pack), slot.kind);
                    }
                }
                Err(error) => {
                    fault.get_or_insert(error);
                }
            }
        }
        let nobody = DecodeError { code: codes::PARSE_NO_DECODER, offset: 0 };
        Found::Nothing(fault.unwrap_or(nobody))
    }

    /// The slot and the pack of a record that the decoder `at` has read.
    fn choose(&mut self, at: usize, record: &mut Record) -> Option<(usize, usize)> {
        let slot = &self.slots[at];
        let first = self.pack_of(slot, record);
        let knows = first.is_some_and(|pack| self.pack_given || slot.pack(pack).is_particular());
        if slot.kind.id != CARRIER || knows {
            return first.map(|pack| (at, pack));
        }
        if let Some(found) = self.read_message(record) {
            return Some(found);
        }
        first.map(|pack| (at, pack))
    }

    /// Pairs that only the pack of all pairs knows may be the prose of a source that is known.
    fn prose(&mut self, at: usize, pack: usize, record: &mut Record) -> (usize, usize) {
        let slot = &self.slots[at];
        if slot.kind.id != PAIRS || self.pack_given || slot.pack(pack).is_particular() {
            return (at, pack);
        }
        let Some(plain) = self.slots.iter().position(|slot| slot.kind.id == PLAIN) else {
            return (at, pack);
        };
        record.set_aside();
        if self.slots[plain].decode(record) == Ok(Decoded::Event)
            && let Some(known) = self.pack_of(&self.slots[plain], record)
        {
            return (plain, known);
        }
        record.put_back();
        (at, pack)
    }

    fn pack_of(&self, slot: &Slot, record: &Record) -> Option<usize> {
        if self.pack_given {
            (!slot.packs.packs().is_empty()).then_some(0)
        } else {
            slot.packs.find(record)
        }
    }

    /// Decodes the message of a syslog record; where nothing knows it, the record is as before.
    fn read_message(&mut self, record: &mut Record) -> Option<(usize, usize)> {
        let (name, value) = record.field(record.len().checked_sub(1)?);
        if !self.message.is(name) {
            return None;
        }
        let begin = (value.text.as_ptr() as usize).checked_sub(record.text().as_ptr() as usize)?;
        let body = record.text().get(begin..begin + value.text.len())?;
        let body = body.strip_prefix(COOKIE).unwrap_or(body).trim_start();
        let begin = record.text().len() - body.len();
        for at in 0..self.slots.len() {
            let slot = &mut self.slots[at];
            let body = record.text().get(begin..)?;
            if !slot.kind.in_message || !slot.decoder.claims_message(body) {
                continue;
            }
            record.set_aside();
            let (text, fields) = record.split();
            if slot.decoder.decode(&text[begin..], fields) == Ok(Decoded::Event) {
                append_header(record);
                if let Some(pack) = self.pack_of(&self.slots[at], record) {
                    return Some((at, pack));
                }
            }
            // What the decoder left is no part of the header.
            record.put_back();
        }
        None
    }
}

/// Adds the header's fields, which were set aside, behind those of the message: of two that one
/// column may hold, the message's own comes first. The last of them is the message.
fn append_header(record: &mut Record) {
    let first = record.len();
    record.append_aside();
    for index in first..record.len() {
        let name = record.field(index).0;
        if let Some((_, prefixed)) = HEADER.iter().find(|(plain, _)| *plain == name) {
            record.rename(index, prefixed);
        }
    }
}

impl Slot {
    fn pack(&self, at: usize) -> &Pack {
        &self.packs.packs()[at]
    }

    /// Adds the fields of the record's text.
    fn decode(&mut self, record: &mut Record) -> Result<Decoded, DecodeError> {
        let (text, fields) = record.split();
        self.decoder.decode(text, fields)
    }
}

fn in_message(id: &str) -> bool {
    DECODERS.iter().any(|kind| kind.id == id && kind.in_message)
}

fn known_decoder(id: &str, packs: &PackSet) -> Result<&'static str, Problem> {
    if let Some(kind) = DECODERS.iter().find(|kind| kind.id == id) {
        return Ok(kind.id);
    }
    let names = packs.ids().chain(DECODERS.iter().map(|kind| kind.id));
    Err(Problem::new(codes::FORMAT_UNKNOWN, format!("there is no parser pack or decoder `{id}`"))
        .mend(one_of(id, names)))
}

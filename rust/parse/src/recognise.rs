//! Finding the decoder and the pack of a record.
//!
//! Each record is looked at alone: what the source sent before does not count (except the header
//! that a decoder keeps), so that a replay from any place gives the same events. It costs little:
//! a decoder sees by the first bytes whether a text can be its own, and a record is decoded once.

use std::sync::Arc;

use bigsec_event::{Problem, Record, codes};

use crate::decode::{DECODERS, DecodeError, Decoded, Decoder, DecoderKind};
use crate::pack::{Pack, PackSet};
use bigsec_event::suggest::one_of;

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
    packs: Vec<Arc<Pack>>,
}

/// Has the decoders of one source.
pub(crate) struct Recogniser {
    slots: Vec<Slot>,
    /// The user named the decoder: what it may claim does not count.
    decoder_given: bool,
    /// The user named the pack: what it recognises does not count.
    pack_given: bool,
}

impl Recogniser {
    /// All decoders that have packs, or the one that `format` names or belongs to.
    pub fn new(packs: &PackSet, format: Option<&str>) -> Result<Self, Problem> {
        let pack = format.and_then(|id| packs.get(id));
        let decoders = match (format, pack) {
            (Some(_), Some(pack)) => Some(pack.decoders().to_vec()),
            (Some(id), None) => Some(vec![known_decoder(id, packs)?]),
            (None, _) => None,
        };
        let given = |kind: &&DecoderKind| {
            decoders.as_ref().is_none_or(|decoders| decoders.contains(&kind.id))
        };
        let mut slots = Vec::new();
        for kind in DECODERS.iter().filter(given) {
            let asked = match pack {
                Some(pack) => vec![Arc::clone(pack)],
                None => packs.of_decoder(kind.id),
            };
            if !asked.is_empty() {
                slots.push(Slot { kind, decoder: (kind.make)(), packs: asked });
            }
        }
        let decoder_given = decoders.is_some_and(|decoders| decoders.len() == 1);
        Ok(Self { decoder_given, pack_given: pack.is_some(), slots })
    }

    /// Decodes the record's text into its fields and finds the pack.
    pub fn read(&mut self, record: &mut Record) -> Found<'_> {
        let mut fault = None;
        for slot in &mut self.slots {
            if !self.decoder_given && !slot.decoder.claims(record.text()) {
                continue;
            }
            record.clear_fields();
            let (text, fields) = record.split();
            match slot.decoder.decode(text, fields) {
                Ok(Decoded::Directive) => return Found::Directive,
                Ok(Decoded::Event) => {
                    let mine = |pack: &&Arc<Pack>| self.pack_given || pack.recognises(record);
                    if let Some(pack) = slot.packs.iter().find(mine) {
                        return Found::Pack(pack, slot.kind);
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
}

fn known_decoder(id: &str, packs: &PackSet) -> Result<&'static str, Problem> {
    if let Some(kind) = DECODERS.iter().find(|kind| kind.id == id) {
        return Ok(kind.id);
    }
    let names = packs.ids().chain(DECODERS.iter().map(|kind| kind.id));
    Err(Problem::new(codes::FORMAT_UNKNOWN, format!("there is no parser pack or decoder `{id}`"))
        .mend(one_of(id, names)))
}

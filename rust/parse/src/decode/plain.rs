//! Text without a syntax: one field, `message`. Nothing to decode; it is there for packs that know
//! a program by its sentences. Without such a pack it is never asked.

use bigsec_event::Fields;

use super::{DecodeError, Decoded, Decoder};

/// Takes the text as it is.
#[derive(Debug, Default)]
pub struct Plain;

impl Decoder for Plain {
    fn claims(&self, text: &str) -> bool {
        !text.trim().is_empty()
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        out.push_str("message", text);
        Ok(Decoded::Event)
    }
}

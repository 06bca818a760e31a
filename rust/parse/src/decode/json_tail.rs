//! JSON objects behind a few words: `collector-1: {"a": 1}`.
//!
//! The words before the object are `extra`. A text is one of these only where the object ends it:
//! prose that quotes a bit of JSON stays prose.

use bigsec_event::{Fields, codes};

use super::json::Json;
use super::{DecodeError, Decoded, Decoder};

/// Bytes that the words may have.
const MAX_HEAD: usize = 256;

/// Reads one object a record. Holds buffers only.
#[derive(Debug, Default)]
pub struct JsonTail {
    json: Json,
}

impl Decoder for JsonTail {
    fn claims(&self, text: &str) -> bool {
        is_one(text)
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let at = object(text).ok_or(DecodeError { code: codes::PARSE_NO_DECODER, offset: 0 })?;
        // What only looks like an object is no fault of the text.
        let prose = |_| DecodeError { code: codes::PARSE_NO_DECODER, offset: 0 };
        let decoded = self.json.decode(&text[at..], out).map_err(prose)?;
        let head = text[..at].trim();
        if !head.is_empty() {
            out.push_str("extra", head);
        }
        Ok(decoded)
    }
}

/// True for a text that ends with an object.
pub(super) fn is_one(text: &str) -> bool {
    object(text).is_some()
}

/// Where the object begins.
fn object(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let head = &bytes[..bytes.len().min(MAX_HEAD)];
    let at = memchr::memmem::find(head, b"{\"")?;
    text.trim_end().ends_with('}').then_some(at)
}

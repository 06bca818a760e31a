//! Decoders: from a record's text to fields with the names of the source.
//!
//! A decoder knows a syntax and nothing of vendors: what its fields mean is said by a pack (see
//! [`crate::pack`]). One file a decoder; [`DECODERS`] is the list, in the order of recognition.

use bigsec_event::{Code, Fields};

mod access_log;
mod escape;
mod json;
mod plain;
mod syslog;
mod zeek_tsv;

/// Levels that a record may nest.
pub const MAX_DEPTH: usize = 64;
/// Fields that a record may have.
pub const MAX_FIELDS: usize = 10_000;

/// What a text turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded {
    /// An event: its fields were added.
    Event,
    /// A line about the lines that follow (a header): there is no event in it.
    Directive,
}

/// Why a text could not be decoded, and at which byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError {
    /// The kind of fault.
    pub code: &'static Code,
    /// Byte of the text at which decoding stopped.
    pub offset: usize,
}

/// Turns texts of one syntax into fields. Has the state of one source.
pub trait Decoder: Send {
    /// True where the text clearly begins as this syntax; costs a few bytes' look.
    fn claims(&self, text: &str) -> bool;

    /// Adds the fields of `text`, in its order. What an error leaves in `out` is the caller's to
    /// clear.
    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError>;
}

/// One decoder of the list.
#[derive(Debug)]
pub struct DecoderKind {
    /// Its name in packs and on the command line.
    pub id: &'static str,
    /// What it reads.
    pub about: &'static str,
    /// Makes one for a source.
    pub make: fn() -> Box<dyn Decoder>,
}

/// All decoders in the order of recognition.
pub const DECODERS: &[DecoderKind] = &[
    DecoderKind {
        id: "zeek_tsv",
        about: "Zeek's tab-separated logs with their header lines",
        make: || Box::<zeek_tsv::ZeekTsv>::default(),
    },
    DecoderKind {
        id: "json",
        about: "JSON objects, one a record",
        make: || Box::<json::Json>::default(),
    },
    DecoderKind {
        id: "syslog",
        about: "syslog, RFC 5424 and RFC 3164",
        make: || Box::<syslog::Syslog>::default(),
    },
    DecoderKind {
        id: "access_log",
        about: "access logs of web servers, common and combined format",
        make: || Box::<access_log::AccessLog>::default(),
    },
    DecoderKind {
        id: "plain",
        about: "any text, as the one field `message`",
        make: || Box::<plain::Plain>::default(),
    },
];

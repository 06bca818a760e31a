//! Decoders: from a record's text to fields with the names of the source.
//!
//! A decoder knows a syntax and nothing of vendors: what its fields mean is said by a pack (see
//! [`crate::pack`]). One file a decoder; [`DECODERS`] is the list, in the order of recognition.

use bigsec_event::{Code, Fields};

mod access_log;
mod apache_error;
mod application;
mod auditd;
mod cef;
mod colon_pairs;
mod comware;
mod csv;
mod escape;
mod json;
mod json_tail;
mod key_value;
mod leef;
mod nginx_error;
mod pairs;
mod plain;
mod syslog;
mod w3c;
mod xml;
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

    /// The same of the message of a syslog record, which else stays a message for people.
    fn claims_message(&self, text: &str) -> bool {
        self.claims(text)
    }

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
    /// Its texts may be the message of a syslog record.
    pub in_message: bool,
    /// Makes one for a source.
    pub make: fn() -> Box<dyn Decoder>,
}

/// All decoders in the order of recognition.
pub const DECODERS: &[DecoderKind] = &[
    DecoderKind {
        id: "zeek_tsv",
        about: "Zeek's tab-separated logs with their header lines",
        in_message: false,
        make: || Box::<zeek_tsv::ZeekTsv>::default(),
    },
    DecoderKind {
        id: "w3c",
        about: "the W3C's extended log file format with its header lines",
        in_message: false,
        make: || Box::<w3c::W3c>::default(),
    },
    DecoderKind {
        id: "json",
        about: "JSON objects, one a record",
        in_message: true,
        make: || Box::<json::Json>::default(),
    },
    DecoderKind {
        id: "xml",
        about: "XML documents, one a record",
        in_message: true,
        make: || Box::<xml::Xml>::default(),
    },
    DecoderKind {
        id: "cef",
        about: "ArcSight's Common Event Format",
        in_message: true,
        make: || Box::<cef::Cef>::default(),
    },
    DecoderKind {
        id: "leef",
        about: "QRadar's Log Event Extended Format, 1.0 and 2.0",
        in_message: true,
        make: || Box::<leef::Leef>::default(),
    },
    DecoderKind {
        id: "colon_pairs",
        about: "lists of name:\"value\" in brackets",
        in_message: true,
        make: || Box::<colon_pairs::ColonPairs>::default(),
    },
    DecoderKind {
        id: "comware",
        about: "messages of H3C's Comware and Huawei's VRP",
        in_message: true,
        make: || Box::<comware::Comware>::default(),
    },
    DecoderKind {
        id: "auditd",
        about: "records of the Linux audit log",
        in_message: true,
        make: || Box::<auditd::Auditd>::default(),
    },
    DecoderKind {
        id: "syslog",
        about: "syslog, RFC 5424 and RFC 3164",
        in_message: false,
        make: || Box::<syslog::Syslog>::default(),
    },
    DecoderKind {
        id: "access_log",
        about: "access logs of web servers, common and combined format",
        in_message: true,
        make: || Box::<access_log::AccessLog>::default(),
    },
    DecoderKind {
        id: "apache_error",
        about: "Apache's error log",
        in_message: true,
        make: || Box::<apache_error::ApacheError>::default(),
    },
    DecoderKind {
        id: "nginx_error",
        about: "nginx's error log",
        in_message: true,
        make: || Box::<nginx_error::NginxError>::default(),
    },
    DecoderKind {
        id: "application",
        about: "lines of programs: time, level, thread, logger, message",
        in_message: true,
        make: || Box::<application::Application>::default(),
    },
    DecoderKind {
        id: "key_value",
        about: "lines of key=value pairs",
        in_message: true,
        make: || Box::<key_value::KeyValue>::default(),
    },
    DecoderKind {
        id: "json_tail",
        about: "a JSON object behind a few words",
        in_message: true,
        make: || Box::<json_tail::JsonTail>::default(),
    },
    DecoderKind {
        id: "plain",
        about: "any text, as the one field `message`",
        in_message: false,
        make: || Box::<plain::Plain>::default(),
    },
    DecoderKind {
        id: "csv",
        about: "values between commas, without a header line",
        in_message: true,
        make: || Box::<csv::Csv>::default(),
    },
    DecoderKind {
        id: "timed",
        about: "a time, then any text",
        in_message: false,
        make: || Box::<application::Timed>::default(),
    },
];

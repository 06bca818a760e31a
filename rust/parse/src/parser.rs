//! The parser of one source: from raw bytes to a normalised record.

use std::fmt;
use std::sync::Arc;

use bigsec_event::{Code, Problem, codes};
use jiff::tz::TimeZone;

use crate::decode::DecodeError;
use crate::encoding::TextReader;
use crate::pack::{PackSet, Scratch};
use crate::parsed::Parsed;
use crate::recognise::{Found, Recogniser};
use crate::time::Receipt;

/// Bytes that a record may have; what is longer is split before it gets here.
pub(crate) const MAX_RECORD_BYTES: usize = 64 * 1024 * 1024;

/// What the user says about a source.
#[derive(Debug, Clone)]
pub struct ParseOptions {
    /// A pack or decoder that alone shall be used; without it the format is found by itself.
    pub format: Option<String>,
    /// The zone of times that name none.
    pub timezone: TimeZone,
}

impl ParseOptions {
    /// Options with a time zone by its IANA name, or as an offset such as `+08:00`.
    pub fn new(format: Option<String>, timezone: &str) -> Result<Self, Problem> {
        let found = TimeZone::get(timezone).ok().or_else(|| fixed_offset(timezone));
        let timezone = found.ok_or_else(|| {
            Problem::new(codes::TIME_ZONE, format!("there is no time zone {timezone:?}"))
                .mend("use an IANA name such as Asia/Shanghai, or an offset such as +08:00")
        })?;
        Ok(Self { format, timezone })
    }
}

/// `+08:00`, `+0800`, `-03`.
fn fixed_offset(text: &str) -> Option<TimeZone> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = text[1..].replacen(':', "", 1);
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let (hours, minutes) = match digits.len() {
        2 if all_digits => (digits.parse::<i32>().ok()?, 0),
        4 if all_digits => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
        _ => return None,
    };
    let in_range = hours < 24 && minutes < 60;
    let offset = jiff::tz::Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?;
    in_range.then(|| TimeZone::fixed(offset))
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is an event.
    Event,
    /// It is about the records that follow (a header); there is no event in it.
    Directive,
    /// Nothing could read it, and why. It is an event all the same: its text, parser `none`.
    Unparsed(&'static Code),
}

/// Parses the records of one source, in their order.
pub struct Parser {
    recogniser: Recogniser,
    timezone: TimeZone,
    reader: TextReader,
    scratch: Scratch,
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser").field("timezone", &self.timezone).finish_non_exhaustive()
    }
}

impl Parser {
    /// A parser for a new source.
    ///
    /// # Errors
    /// Where the format is neither a pack nor a decoder.
    #[expect(clippy::needless_pass_by_value, reason = "a parser keeps packs of the set alive")]
    pub fn new(packs: Arc<PackSet>, options: ParseOptions) -> Result<Self, Problem> {
        Ok(Self {
            recogniser: Recogniser::new(&packs, options.format.as_deref())?,
            timezone: options.timezone,
            reader: TextReader::default(),
            scratch: Scratch::default(),
        })
    }

    /// Parses one record, received at `received_us` (µs since 1970 UTC), into `out`.
    pub fn parse(&mut self, raw: &[u8], received_us: i64, out: &mut Parsed) -> Outcome {
        out.start(raw, &mut self.reader);
        if raw.len() > MAX_RECORD_BYTES {
            out.refuse(codes::INPUT_RECORD_TOO_LONG, None);
            return Outcome::Unparsed(codes::INPUT_RECORD_TOO_LONG);
        }
        match self.recogniser.read(&mut out.record) {
            Found::Pack(pack, _) => {
                let receipt = Receipt { received_us, timezone: &self.timezone };
                pack.apply(&receipt, &mut self.scratch, out);
                Outcome::Event
            }
            Found::Directive => {
                out.record.clear_fields();
                Outcome::Directive
            }
            Found::Nothing(DecodeError { code, offset }) => {
                let offset = (code != codes::PARSE_NO_DECODER).then_some(offset);
                out.refuse(code, offset);
                Outcome::Unparsed(code)
            }
        }
    }

    /// Decodes one record without a pack: what the fields are called by their source.
    pub(crate) fn decode_only(&mut self, raw: &[u8], out: &mut Parsed) -> Option<&'static str> {
        out.start(raw, &mut self.reader);
        match self.recogniser.read(&mut out.record) {
            Found::Pack(_, decoder) => Some(decoder.id),
            _ => None,
        }
    }
}

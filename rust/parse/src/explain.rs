//! Saying how a record was read: which decoder and pack, and what became of each field.

use bigsec_event::schema::LEAVES;
use bigsec_event::{FieldName, FieldSource, Kind};

use crate::parsed::Parsed;
use crate::parser::{Outcome, Parser};

/// How one record was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What became of it.
    pub outcome: Outcome,
    /// The decoder; none where nothing could read it.
    pub decoder: Option<&'static str>,
    /// The pack; `none` where nothing could read it.
    pub pack: String,
    /// Why: in a sentence.
    pub why: String,
    /// The record's fields in its order, those that the pack added last.
    pub fields: Vec<ExplainedField>,
    /// Columns that the pack fills by itself: path and text.
    pub derived: Vec<(&'static str, String)>,
    /// The event's time in µs since 1970 UTC.
    pub time_us: Option<i64>,
}

/// What became of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedField {
    /// Its name in the source; none where the pack made it of another field.
    pub source_name: Option<String>,
    /// The vendor's name, by which rules know it.
    pub name: String,
    /// Its text.
    pub value: String,
    /// What the source said it is.
    pub kind: Kind,
    /// The column that holds it; none where it goes to `unmapped`.
    pub column: Option<&'static str>,
}

impl Parser {
    /// Parses one record and says how. It reads the record twice: not for bulk.
    ///
    /// A decoder that keeps a header keeps it as after [`parse`](Self::parse).
    pub fn explain(&mut self, raw: &[u8], received_us: i64) -> Explanation {
        let (mut unnamed, mut parsed) = (Parsed::new(), Parsed::new());
        let decoder = self.decode_only(raw, &mut unnamed);
        let outcome = self.parse(raw, received_us, &mut parsed);
        let field = |(index, (name, value)): (usize, (&str, bigsec_event::Value<'_>))| {
            let source_name =
                (index < unnamed.record.len()).then(|| unnamed.record.field(index).0.to_owned());
            ExplainedField {
                source_name,
                name: name.to_owned(),
                value: value.text.to_owned(),
                kind: value.kind,
                column: parsed.map.column_of(&FieldName::new(name)),
            }
        };
        let path = |leaf: u16| LEAVES[usize::from(leaf)].path;
        Explanation {
            outcome,
            decoder,
            pack: parsed.record.parser().to_owned(),
            why: why(outcome, decoder, &parsed),
            fields: parsed.record.iter().enumerate().map(field).collect(),
            derived: parsed.derived().map(|(leaf, text)| (path(leaf), text.to_owned())).collect(),
            time_us: parsed.time_us,
        }
    }
}

fn why(outcome: Outcome, decoder: Option<&'static str>, parsed: &Parsed) -> String {
    match (outcome, decoder) {
        (Outcome::Unparsed(code), _) => match parsed.offset {
            Some(offset) => format!("{} (at byte {offset})", code.about),
            None => code.about.to_owned(),
        },
        (Outcome::Directive, _) => "a header line: it tells how the lines after it are read".into(),
        (Outcome::Event, decoder) => format!(
            "it decodes as `{}`, and of that decoder's packs `{}` is the first to recognise it",
            decoder.unwrap_or_default(),
            parsed.record.parser()
        ),
    }
}

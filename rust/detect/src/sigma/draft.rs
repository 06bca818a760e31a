//! A rule's value on its way through its modifiers.

use std::collections::BTreeMap;

use bigsec_event::{Code, Problem, codes};
use ipnet::IpNet;

use super::encode::{Utf16, base64, base64_offsets};
use super::modifier::Modifier;
use super::network;
use super::number::{Comparison, Number};
use super::pieces::{self, Piece};
use super::placeholder;
use super::regular::Flags;
use super::time_part::TimePart;
use crate::yaml::{Data, Node};

/// Values that placeholders stand for.
pub type Placeholders = BTreeMap<String, Vec<String>>;

/// How many forms one value may take by encodings, dashes and placeholders.
pub(super) const MAX_FORMS: usize = 10_000;

/// What a value is so far.
#[derive(Debug)]
pub(super) enum Draft {
    Null,
    Bool(bool),
    Number(String, Number),
    Strings(Strings),
    /// The text of a value with `re`, before that modifier.
    Raw(String),
    Regex(Expressions),
    Network(IpNet),
    Exists(bool),
    Compare(Comparison, Number),
    Time(TimePart, Comparison, Number),
    Field {
        name: String,
        starts: bool,
        ends: bool,
    },
}

/// A string in all its forms.
#[derive(Debug)]
pub(super) struct Strings {
    pub forms: Vec<Vec<Piece>>,
    pub encoding: Option<Utf16>,
    pub cased: bool,
}

/// Regular expressions, all with the same flags and anchors.
#[derive(Debug)]
pub(super) struct Expressions {
    pub forms: Vec<String>,
    pub flags: Flags,
    pub at_start: bool,
    pub at_end: bool,
}

pub(super) type Step = Result<Draft, Problem>;

pub(super) fn fault(
    code: &'static Code,
    message: impl Into<String>,
    mend: impl Into<String>,
) -> Problem {
    Problem::new(code, message).mend(mend)
}

impl Strings {
    pub fn new(forms: Vec<Vec<Piece>>) -> Self {
        Self { forms, encoding: None, cased: false }
    }

    pub fn each(mut self, change: impl Fn(&mut Vec<Piece>)) -> Self {
        self.forms.iter_mut().for_each(change);
        self
    }
}

impl Draft {
    /// The draft of a value before its modifiers.
    pub fn new(node: &Node, is_regex: bool) -> Step {
        if is_regex && let Some(text) = node.scalar_text() {
            return Ok(Self::Raw(text.to_owned()));
        }
        Ok(match &node.data {
            Data::Null => Self::Null,
            Data::Bool(value) => Self::Bool(*value),
            Data::Number(text) => match Number::read_yaml(text) {
                Some(number) => Self::Number(text.to_string(), number),
                None => Self::Strings(Strings::new(vec![pieces::read(text)])),
            },
            Data::Text(text) => Self::Strings(Strings::new(vec![pieces::read(text)])),
            Data::List(_) | Data::Map(_) => {
                let message = format!("{} cannot be the value of a field", node.kind());
                let mend = "write a text, a number, or a flat list of them";
                return Err(fault(codes::RULE_VALUE, message, mend));
            }
        })
    }

    /// Applies one modifier. `all` and `neq` concern the item and leave its values alone.
    pub fn apply(self, modifier: Modifier, placeholders: &Placeholders) -> Step {
        match modifier {
            Modifier::All | Modifier::Neq => Ok(self),
            Modifier::Contains | Modifier::StartsWith | Modifier::EndsWith => self.open(modifier),
            Modifier::Re => self.regex(),
            Modifier::IgnoreCase | Modifier::MultiLine | Modifier::DotAll => self.flag(modifier),
            Modifier::Base64 => self.base64(modifier, |bytes| vec![base64(bytes)]),
            Modifier::Base64Offset => self.base64(modifier, |bytes| base64_offsets(bytes).into()),
            Modifier::Utf16(form) => self.utf16(modifier, form),
            Modifier::WinDash => {
                let strings = self.strings(modifier)?;
                Ok(Self::Strings(strings.each(|form| *form = pieces::mark_dashes(form))))
            }
            Modifier::Cased => {
                Ok(Self::Strings(Strings { cased: true, ..self.strings(modifier)? }))
            }
            Modifier::Cidr => self.network(modifier),
            Modifier::Exists => self.exists(),
            Modifier::Expand => placeholder::expand(self, placeholders),
            Modifier::FieldRef => self.field_reference(modifier),
            Modifier::Compare(comparison) => self.compare(modifier, comparison),
            Modifier::Time(part) => {
                let bound = self.number(modifier)?;
                Ok(Self::Time(part, Comparison::Equal, bound))
            }
        }
    }

    pub(super) fn misuse(&self, modifier: Modifier) -> Problem {
        let (what, mend) = match self {
            Self::Null => ("an empty value", "remove the modifier, or give a value"),
            Self::Bool(_) => ("a boolean", "remove the modifier"),
            Self::Number(..) => ("a number", "put the value in quotes"),
            Self::Strings(_) => ("a text", "give a number"),
            Self::Raw(_) => ("a value before `re`", "put `re` first"),
            Self::Regex(_) => ("a regular expression", "remove it, or remove `re`"),
            Self::Network(_) => ("a network", "remove it, or remove `cidr`"),
            Self::Exists(_) => ("`exists`", "use `exists` alone"),
            Self::Compare(..) => ("a comparison", "put the comparison last"),
            Self::Time(..) => ("a part of a time", "use lt, lte, gt or gte after it"),
            Self::Field { .. } => ("a reference to a field", "remove it, or remove `fieldref`"),
        };
        let message = format!("the modifier `{}` does not fit {what}", modifier.name());
        fault(codes::RULE_MODIFIER_USE, message, mend)
    }

    /// The value as strings; numbers and booleans are taken as they are written.
    fn strings(self, modifier: Modifier) -> Result<Strings, Problem> {
        let literal = |text: String| Strings::new(vec![vec![Piece::Text(text)]]);
        match self {
            Self::Strings(strings) => Ok(strings),
            Self::Number(text, _) => Ok(literal(text)),
            Self::Bool(value) => Ok(literal(value.to_string())),
            other => Err(other.misuse(modifier)),
        }
    }

    fn number(self, modifier: Modifier) -> Result<Number, Problem> {
        let read = match &self {
            Self::Number(_, number) => Some(*number),
            Self::Strings(Strings { forms, encoding: None, .. }) => match forms.as_slice() {
                [form] => pieces::literal(form).and_then(Number::read),
                _ => None,
            },
            _ => None,
        };
        read.ok_or_else(|| self.misuse(modifier))
    }

    fn open(self, modifier: Modifier) -> Step {
        let (start, end) = (modifier != Modifier::StartsWith, modifier != Modifier::EndsWith);
        match self {
            // A search is unanchored anyway: `contains` asks nothing more of it.
            Self::Regex(regex) => Ok(Self::Regex(Expressions {
                at_start: regex.at_start || !start,
                at_end: regex.at_end || !end,
                ..regex
            })),
            Self::Field { name, starts, ends } => {
                Ok(Self::Field { name, starts: starts || end, ends: ends || start })
            }
            other => Ok(Self::Strings(other.strings(modifier)?.each(|form| {
                if start {
                    pieces::open_start(form);
                }
                if end {
                    pieces::open_end(form);
                }
            }))),
        }
    }

    fn regex(self) -> Step {
        match self {
            Self::Raw(text) => Ok(Self::Regex(Expressions {
                forms: vec![text],
                flags: Flags::default(),
                at_start: false,
                at_end: false,
            })),
            other => Err(other.misuse(Modifier::Re)),
        }
    }

    fn flag(self, modifier: Modifier) -> Step {
        let Self::Regex(mut regex) = self else {
            let message = format!("the modifier `{}` is a flag of `re`", modifier.name());
            return Err(fault(codes::RULE_MODIFIER_USE, message, "put it after `re`"));
        };
        match modifier {
            Modifier::IgnoreCase => regex.flags.ignore_case = true,
            Modifier::MultiLine => regex.flags.multi_line = true,
            _ => regex.flags.dot_all = true,
        }
        Ok(Self::Regex(regex))
    }

    fn base64(self, modifier: Modifier, encode: impl Fn(&[u8]) -> Vec<String>) -> Step {
        let Strings { forms, encoding, cased } = self.strings(modifier)?;
        let mut encoded = Vec::new();
        for form in forms {
            let spelt = pieces::spell_dashes(&form, MAX_FORMS).ok_or_else(too_many_forms)?;
            for form in spelt {
                let Some(text) = pieces::literal(&form) else {
                    let message = format!("`{}` cannot encode a wildcard", modifier.name());
                    let mend = "put `contains` after it, or escape the wildcard with a backslash";
                    return Err(fault(codes::RULE_MODIFIER_USE, message, mend));
                };
                let bytes = encoding.map_or_else(|| text.into(), |utf16| utf16.bytes(text));
                encoded.extend(encode(&bytes).into_iter().map(|text| vec![Piece::Text(text)]));
            }
        }
        if encoded.len() > MAX_FORMS {
            return Err(too_many_forms());
        }
        Ok(Self::Strings(Strings { forms: encoded, encoding: None, cased }))
    }

    fn utf16(self, modifier: Modifier, form: Utf16) -> Step {
        let strings = self.strings(modifier)?;
        if strings.encoding.is_some() {
            let message = format!("`{}` follows another encoding", modifier.name());
            return Err(fault(codes::RULE_MODIFIER_USE, message, "keep one of the two"));
        }
        Ok(Self::Strings(Strings { encoding: Some(form), ..strings }))
    }

    fn network(self, modifier: Modifier) -> Step {
        let Self::Strings(Strings { forms, .. }) = &self else {
            return Err(self.misuse(modifier));
        };
        let [form] = forms.as_slice() else { return Err(self.misuse(modifier)) };
        let Some(text) = pieces::literal(form) else {
            let message = "a network has no wildcards, and `cidr` follows no other modifier";
            let mend = "write it as in 192.0.2.0/24";
            return Err(fault(codes::RULE_MODIFIER_USE, message, mend));
        };
        network::read(text).map(Self::Network)
    }

    fn exists(self) -> Step {
        let word = match &self {
            Self::Bool(value) => return Ok(Self::Exists(*value)),
            Self::Strings(Strings { forms, .. }) => {
                forms.first().and_then(|form| pieces::literal(form)).unwrap_or_default()
            }
            _ => "",
        };
        match word.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Ok(Self::Exists(true)),
            "false" | "no" | "off" => Ok(Self::Exists(false)),
            _ => {
                let message = "`exists` needs true or false";
                Err(fault(codes::RULE_VALUE, message, "write true or false"))
            }
        }
    }

    fn field_reference(self, modifier: Modifier) -> Step {
        let strings = self.strings(modifier)?;
        match strings.forms.first().and_then(|form| pieces::literal(form)) {
            Some(name) if !name.trim().is_empty() => {
                Ok(Self::Field { name: name.to_owned(), starts: false, ends: false })
            }
            _ => {
                let message = "`fieldref` needs the name of a field, without wildcards";
                let mend = "put `startswith`, `endswith` or `contains` after `fieldref`";
                Err(fault(codes::RULE_MODIFIER_USE, message, mend))
            }
        }
    }

    fn compare(self, modifier: Modifier, comparison: Comparison) -> Step {
        match self {
            Self::Time(part, Comparison::Equal, bound) => Ok(Self::Time(part, comparison, bound)),
            other => Ok(Self::Compare(comparison, other.number(modifier)?)),
        }
    }
}

pub(super) fn too_many_forms() -> Problem {
    let message = format!("the value takes more than {MAX_FORMS} forms");
    fault(codes::RULE_BUDGET, message, "split it, or use fewer placeholders and dashes in it")
}

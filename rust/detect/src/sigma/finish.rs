//! The end of a value's way: from draft to tests and keywords.

use bigsec_event::{Problem, codes};

use super::draft::{Draft, Expressions, Strings, fault};
use super::encode::Utf16;
use super::glob::Glob;
use super::modifier::Modifier;
use super::names::{FieldTable, Keyword};
use super::pieces::{self, Piece};
use super::regular;
use super::test::Test;

impl Draft {
    /// The tests that the value of a field becomes; any one of them suffices.
    pub fn into_tests(self, fields: &mut FieldTable) -> Result<Vec<Test>, Problem> {
        Ok(vec![match self {
            Self::Null => Test::Null,
            Self::Bool(value) => Test::Bool(value),
            Self::Number(text, number) => Test::Number(text.to_lowercase().into(), number),
            Self::Strings(strings) => {
                return Ok(strings.globs()?.into_iter().map(Test::Text).collect());
            }
            Self::Raw(_) => return Err(self.misuse(Modifier::Re)),
            Self::Regex(regex) => {
                let regexes = regex.compile()?;
                return Ok(regexes.into_iter().map(|regex| Test::Regex(Box::new(regex))).collect());
            }
            Self::Network(network) => Test::Network(network),
            Self::Exists(wanted) => Test::Exists(wanted),
            Self::Compare(comparison, bound) => Test::Compare(comparison, bound),
            Self::Time(part, comparison, bound) => Test::Time(part, comparison, bound),
            Self::Field { name, starts, ends } => {
                Test::Field { other: fields.id(&name), starts, ends }
            }
        }])
    }

    /// The keywords that a value without a field becomes; any one of them suffices.
    ///
    /// A plain keyword is sought within the texts of the event; `anchored` ones are not widened.
    pub fn into_keywords(self, anchored: bool) -> Result<Vec<Keyword>, Problem> {
        let literal = |text: String| Strings::new(vec![vec![Piece::Text(text)]]);
        let strings = match self {
            Self::Strings(strings) => strings,
            Self::Number(text, _) => literal(text),
            Self::Bool(value) => literal(value.to_string()),
            Self::Regex(regex) => {
                return Ok(regex.compile()?.into_iter().map(Keyword::Regex).collect());
            }
            Self::Null => {
                let message = "an empty value cannot be sought without a field";
                return Err(fault(codes::RULE_VALUE, message, "name the field before it"));
            }
            _ => {
                let message = "this modifier needs a field to look at";
                let mend = "write the name of a field before the `|`";
                return Err(fault(codes::RULE_MODIFIER_USE, message, mend));
            }
        };
        let widened = strings.each(|form| {
            if !anchored {
                pieces::open_start(form);
                pieces::open_end(form);
            }
        });
        Ok(widened.globs()?.into_iter().map(Keyword::Text).collect())
    }
}

impl Strings {
    fn globs(self) -> Result<Vec<Glob>, Problem> {
        let Self { forms, encoding, cased } = self;
        forms
            .into_iter()
            .map(|mut form| {
                if let Some(utf16) = encoding {
                    show_encoded(&mut form, utf16)?;
                }
                Ok(Glob::new(&form, cased))
            })
            .collect()
    }
}

/// Replaces each text by its encoded form, as far as that can be seen in text.
fn show_encoded(form: &mut Vec<Piece>, utf16: Utf16) -> Result<(), Problem> {
    for piece in form.iter_mut() {
        let Piece::Text(text) = piece else { continue };
        *text = utf16.shown(text).ok_or_else(|| {
            let message = format!("{text:?} in UTF-16 cannot be seen in a text field");
            fault(codes::RULE_VALUE, message, "put `base64offset` and `contains` after it")
        })?;
    }
    if utf16 == Utf16::Marked {
        let at = usize::from(form.first() == Some(&Piece::Any));
        form.insert(at, Piece::Text("\u{feff}".to_owned()));
        if let (Some(Piece::Text(next)), true) = (form.get(at + 1).cloned(), form.len() > at + 1) {
            form[at] = Piece::Text(format!("\u{feff}{next}"));
            form.remove(at + 1);
        }
    }
    Ok(())
}

impl Expressions {
    fn compile(self) -> Result<Vec<regex::Regex>, Problem> {
        let Self { forms, flags, at_start, at_end } = self;
        let anchored = |form: String| match (at_start, at_end) {
            (false, false) => form,
            _ => format!(
                "{}(?:{form}){}",
                if at_start { "\\A" } else { "" },
                if at_end { "\\z" } else { "" }
            ),
        };
        forms
            .into_iter()
            .map(|form| {
                regular::compile(&anchored(form), flags)
                    .map_err(|(message, mend)| fault(codes::RULE_REGEX, message, mend))
            })
            .collect()
    }
}

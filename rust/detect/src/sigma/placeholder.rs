//! `%name%` in values with `expand`: replaced by the values given for the name.

use bigsec_event::{Problem, codes};

use super::draft::{Draft, MAX_FORMS, Placeholders, Step, too_many_forms};
use super::modifier::Modifier;
use super::pieces::{self, Piece};
use bigsec_event::suggest::did_you_mean;

/// Replaces the placeholders of a draft by every value given for them.
pub(super) fn expand(draft: Draft, placeholders: &Placeholders) -> Step {
    match draft {
        Draft::Strings(mut strings) => {
            let mut forms = Vec::new();
            for form in strings.forms {
                forms.extend(expand_form(&form, placeholders, pieces::read)?);
                check(forms.len())?;
            }
            strings.forms = forms;
            Ok(Draft::Strings(strings))
        }
        Draft::Regex(mut regex) => {
            let mut forms = Vec::new();
            for form in &regex.forms {
                let pieces = [Piece::Text(form.clone())];
                let expanded = expand_form(&pieces, placeholders, as_expression)?;
                forms.extend(
                    expanded.iter().filter_map(|form| pieces::literal(form)).map(str::to_owned),
                );
                check(forms.len())?;
            }
            regex.forms = forms;
            Ok(Draft::Regex(regex))
        }
        _ => {
            let message = format!("`{}` needs a text with a placeholder", Modifier::Expand.name());
            let mend = "write a text as in %name%, and put `expand` before what encodes it";
            Err(Problem::new(codes::RULE_MODIFIER_USE, message).mend(mend))
        }
    }
}

fn check(forms: usize) -> Result<(), Problem> {
    if forms > MAX_FORMS { Err(too_many_forms()) } else { Ok(()) }
}

/// A value within a regular expression: its wildcards become those of the expression.
fn as_expression(value: &str) -> Vec<Piece> {
    let expression = pieces::read(value)
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => regex::escape(text),
            Piece::Any => ".*".to_owned(),
            Piece::One | Piece::Dash => ".".to_owned(),
        })
        .collect();
    vec![Piece::Text(expression)]
}

fn expand_form(
    form: &[Piece],
    placeholders: &Placeholders,
    read: fn(&str) -> Vec<Piece>,
) -> Result<Vec<Vec<Piece>>, Problem> {
    let mut forms = vec![Vec::new()];
    for piece in form {
        let Piece::Text(text) = piece else {
            append_to_all(&mut forms, piece);
            continue;
        };
        for part in parts(text) {
            match part {
                Part::Literal(text) => {
                    append_to_all(&mut forms, &Piece::Text(text.to_owned()));
                }
                Part::Name(name) => forms = with_values(&forms, name, placeholders, read)?,
            }
        }
    }
    Ok(forms)
}

fn append_to_all(forms: &mut [Vec<Piece>], piece: &Piece) {
    for form in forms {
        pieces::append(form, piece.clone());
    }
}

fn with_values(
    forms: &[Vec<Piece>],
    name: &str,
    placeholders: &Placeholders,
    read: fn(&str) -> Vec<Piece>,
) -> Result<Vec<Vec<Piece>>, Problem> {
    let Some(values) = placeholders.get(name).filter(|values| !values.is_empty()) else {
        let message = format!("the placeholder %{name}% has no values");
        let known = placeholders.keys().map(String::as_str);
        let mend = did_you_mean(
            name,
            known,
            format!(
                "write its values to placeholders/{name}.txt in the folder of rules, one a line"
            ),
        );
        return Err(Problem::new(codes::RULE_PLACEHOLDER, message).mend(mend));
    };
    check(forms.len() * values.len())?;
    let mut expanded = Vec::new();
    for form in forms {
        for value in values {
            let mut form = form.clone();
            for piece in read(value) {
                pieces::append(&mut form, piece);
            }
            expanded.push(form);
        }
    }
    Ok(expanded)
}

enum Part<'a> {
    Literal(&'a str),
    Name(&'a str),
}

/// Splits a text at its placeholders; a `%` that begins none is literal.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut literal, mut at) = (0, 0);
    while let Some(open) = text[at..].find('%').map(|offset| at + offset) {
        let name = text[open + 1..].split_once('%').map(|(name, _)| name);
        match name.filter(|name| !name.is_empty() && !name.contains('\\')) {
            Some(name) => {
                if open > literal {
                    parts.push(Part::Literal(&text[literal..open]));
                }
                parts.push(Part::Name(name));
                at = open + name.len() + 2;
                literal = at;
            }
            None => at = open + 1,
        }
    }
    if literal < text.len() {
        parts.push(Part::Literal(&text[literal..]));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_between_percent_signs() {
        for (text, expected) in [
            ("%a%", "{a}"),
            ("x%a%y%b%", "x{a}y{b}"),
            ("100%", "100%"),
            ("%%a%", "%{a}"),
            (r"%a\b%c%", r"%a\b{c}"),
        ] {
            let shown: String = parts(text)
                .iter()
                .map(|part| match part {
                    Part::Literal(text) => (*text).to_owned(),
                    Part::Name(name) => format!("{{{name}}}"),
                })
                .collect();
            assert_eq!(shown, expected, "{text}");
        }
    }
}

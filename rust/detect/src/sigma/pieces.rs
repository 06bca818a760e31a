//! Sigma strings: text with the wildcards `*` and `?` and their escapes.

/// One part of a Sigma string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text, taken literally.
    Text(String),
    /// `*`: any characters, also none.
    Any,
    /// `?`: exactly one character.
    One,
    /// A dash of a command line option, in any of its five spellings.
    Dash,
}

/// The characters that Windows takes for a dash before an option.
pub(crate) const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// Reads a Sigma string: `\*`, `\?` and `\\` stand for the character, another `\` for itself.
pub(crate) fn read(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let special = match c {
            '\\' => {
                let next = chars.next_if(|next| matches!(next, '*' | '?' | '\\'));
                literal.push(next.unwrap_or('\\'));
                continue;
            }
            '*' => Piece::Any,
            '?' => Piece::One,
            _ => {
                literal.push(c);
                continue;
            }
        };
        push_text(&mut pieces, &mut literal);
        pieces.push(special);
    }
    push_text(&mut pieces, &mut literal);
    pieces
}

fn push_text(pieces: &mut Vec<Piece>, literal: &mut String) {
    if !literal.is_empty() {
        pieces.push(Piece::Text(std::mem::take(literal)));
    }
}

/// Puts `*` before the string, unless one stands there.
pub(crate) fn open_start(pieces: &mut Vec<Piece>) {
    if pieces.first() != Some(&Piece::Any) {
        pieces.insert(0, Piece::Any);
    }
}

/// Puts `*` after the string, unless one stands there.
pub(crate) fn open_end(pieces: &mut Vec<Piece>) {
    if pieces.last() != Some(&Piece::Any) {
        pieces.push(Piece::Any);
    }
}

/// The text, where there is no wildcard in it.
pub(crate) fn literal(pieces: &[Piece]) -> Option<&str> {
    match pieces {
        [] => Some(""),
        [Piece::Text(text)] => Some(text),
        _ => None,
    }
}

/// Marks the dashes that begin an option: `-` or `/` before a word and not after one.
pub(crate) fn mark_dashes(pieces: &[Piece]) -> Vec<Piece> {
    let mut marked = Vec::new();
    for piece in pieces {
        let Piece::Text(text) = piece else {
            marked.push(piece.clone());
            continue;
        };
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let (mut literal, mut after_word) = (String::new(), false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let before_word = chars.peek().is_some_and(|next| is_word(*next));
            if matches!(c, '-' | '/') && !after_word && before_word {
                push_text(&mut marked, &mut literal);
                marked.push(Piece::Dash);
            } else {
                literal.push(c);
            }
            after_word = is_word(c);
        }
        push_text(&mut marked, &mut literal);
    }
    marked
}

/// Writes every marked dash out in its five spellings; nothing where that makes more than `limit`.
pub(crate) fn spell_dashes(pieces: &[Piece], limit: usize) -> Option<Vec<Vec<Piece>>> {
    let mut spelt = vec![Vec::new()];
    for piece in pieces {
        let choices: Vec<Piece> = match piece {
            Piece::Dash => DASHES.iter().map(|dash| Piece::Text(dash.to_string())).collect(),
            other => vec![other.clone()],
        };
        if spelt.len() * choices.len() > limit {
            return None;
        }
        spelt = spelt
            .iter()
            .flat_map(|start: &Vec<Piece>| {
                choices.iter().map(|choice| {
                    let mut pieces = start.clone();
                    append(&mut pieces, choice.clone());
                    pieces
                })
            })
            .collect();
    }
    Some(spelt)
}

/// Adds a piece, joining neighbouring texts.
pub(crate) fn append(pieces: &mut Vec<Piece>, piece: Piece) {
    if let (Some(Piece::Text(last)), Piece::Text(text)) = (pieces.last_mut(), &piece) {
        last.push_str(text);
    } else {
        pieces.push(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(pieces: &[Piece]) -> String {
        pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => format!("<{text}>"),
                Piece::Any => "*".into(),
                Piece::One => "?".into(),
                Piece::Dash => "~".into(),
            })
            .collect()
    }

    #[test]
    fn escapes_are_those_of_the_specification() {
        for (text, expected) in [
            (r"a*b?c", "<a>*<b>?<c>"),
            (r"\*\?", "<*?>"),
            (r"C:\Windows\*", r"<C:\Windows*>"),
            (r"C:\Windows\\*", r"<C:\Windows\>*"),
            (r"C:\\Windows", r"<C:\Windows>"),
            (r"\\\\host\x", r"<\\host\x>"),
            (r"\\\*", r"<\*>"),
            (r"end\", r"<end\>"),
            ("", ""),
            ("**", "**"),
        ] {
            assert_eq!(show(&read(text)), expected, "{text}");
        }
    }

    #[test]
    fn only_dashes_that_begin_an_option_are_marked() {
        for (text, expected) in [
            (" -enc", "< >~<enc>"),
            ("-param-name", "~<param-name>"),
            (" /c a/b", "< >~<c a/b>"),
            ("--x", "<->~<x>"),
            ("a -", "<a ->"),
            ("*-e*", "*~<e>*"),
        ] {
            assert_eq!(show(&mark_dashes(&read(text))), expected, "{text}");
        }
    }

    #[test]
    fn spelling_dashes_out_is_bounded() {
        let pieces = mark_dashes(&read("-a -b"));
        let spelt = spell_dashes(&pieces, 25).unwrap();
        assert_eq!(spelt.len(), 25);
        assert_eq!(literal(&spelt[1]), Some("-a /b"));
        assert_eq!(spell_dashes(&pieces, 24), None);
    }
}

//! Sigma strings made ready to match: the common shapes directly, the rest piece by piece.

use memchr::memmem::Finder;

use super::pieces::{DASHES, Piece};
use crate::fold::fold;

/// A string that matches a whole text.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    /// Matches the text as it is; else the text in lower case.
    pub cased: bool,
    shape: Shape,
}

#[derive(Debug, Clone)]
enum Shape {
    /// `*`
    Everything,
    /// `text`
    Exact(Box<str>),
    /// `text*`
    Prefix(Box<str>),
    /// `*text`
    Suffix(Box<str>),
    /// `*text*`
    Within(Box<Finder<'static>>),
    Pieces(Box<Pieces>),
}

/// A part of each value that a string matches, in lower case; of some strings it is all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Needed {
    Exact(Box<str>),
    Prefix(Box<str>),
    Suffix(Box<str>),
    /// Empty where any text may match.
    Within(Box<str>),
}

/// What stands between two `*`: a fixed number of characters.
#[derive(Debug, Clone)]
struct Run {
    atoms: Vec<Atom>,
    /// The longest literal, to search by, and its index.
    anchor: Option<(usize, Finder<'static>)>,
}

#[derive(Debug, Clone)]
enum Atom {
    Text(Box<str>),
    One,
    Dash,
}

/// Runs with `*` between them; `open_*` where a `*` stands at that end.
#[derive(Debug, Clone)]
struct Pieces {
    runs: Vec<Run>,
    open_start: bool,
    open_end: bool,
}

impl Glob {
    /// Makes pieces ready. Without `cased` the text must be given in lower case.
    pub fn new(pieces: &[Piece], cased: bool) -> Self {
        let ready = |text: &str| if cased { text.to_owned() } else { fold(text) };
        let shape = match pieces {
            [] => Shape::Exact("".into()),
            [Piece::Any] => Shape::Everything,
            [Piece::Text(text)] => Shape::Exact(ready(text).into()),
            [Piece::Text(text), Piece::Any] => Shape::Prefix(ready(text).into()),
            [Piece::Any, Piece::Text(text)] => Shape::Suffix(ready(text).into()),
            [Piece::Any, Piece::Text(text), Piece::Any] => {
                Shape::Within(Box::new(Finder::new(&ready(text)).into_owned()))
            }
            _ => Shape::Pieces(Box::new(Pieces::new(pieces, ready))),
        };
        Self { cased, shape }
    }

    /// True where the pattern matches the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        match &self.shape {
            Shape::Everything => true,
            Shape::Exact(exact) => text == &**exact,
            Shape::Prefix(prefix) => text.starts_with(&**prefix),
            Shape::Suffix(suffix) => text.ends_with(&**suffix),
            Shape::Within(finder) => finder.find(text.as_bytes()).is_some(),
            Shape::Pieces(pieces) => pieces.matches(text),
        }
    }

    /// A text that must occur in whatever matches, and whether its occurrence is enough.
    pub fn required(&self) -> (&str, bool) {
        match &self.shape {
            Shape::Everything => ("", true),
            Shape::Exact(text) | Shape::Prefix(text) | Shape::Suffix(text) => (text, false),
            Shape::Within(finder) => (utf8(finder.needle()), true),
            Shape::Pieces(pieces) => {
                let needles = pieces.runs.iter().filter_map(|run| run.anchor.as_ref());
                let longest = needles.map(|(_, finder)| finder.needle()).max_by_key(|n| n.len());
                (longest.map_or("", utf8), false)
            }
        }
    }

    /// What a value must have so that it can match, in lower case.
    pub fn needed(&self) -> Needed {
        match &self.shape {
            Shape::Exact(text) => Needed::Exact(fold(text).into()),
            Shape::Prefix(text) => Needed::Prefix(fold(text).into()),
            Shape::Suffix(text) => Needed::Suffix(fold(text).into()),
            _ => Needed::Within(fold(self.required().0).into()),
        }
    }

    /// How dear a match is, to try cheap ones first.
    pub fn cost(&self) -> u32 {
        match &self.shape {
            Shape::Everything | Shape::Exact(_) | Shape::Prefix(_) | Shape::Suffix(_) => 1,
            Shape::Within(_) => 6,
            Shape::Pieces(_) => 12,
        }
    }
}

fn utf8(needle: &[u8]) -> &str {
    std::str::from_utf8(needle).expect("needles are made from text")
}

impl Run {
    fn new(atoms: Vec<Atom>) -> Self {
        let texts = atoms.iter().enumerate().filter_map(|(index, atom)| match atom {
            Atom::Text(text) => Some((index, text)),
            _ => None,
        });
        let anchor = texts
            .max_by_key(|(_, text)| text.len())
            .map(|(index, text)| (index, Finder::new(text.as_bytes()).into_owned()));
        Self { atoms, anchor }
    }

    /// The end of the match that begins at `start`.
    fn forward(atoms: &[Atom], text: &str, start: usize) -> Option<usize> {
        atoms.iter().try_fold(start, |at, atom| {
            let rest = &text[at..];
            Some(
                at + match atom {
                    Atom::Text(literal) => rest.starts_with(&**literal).then_some(literal.len())?,
                    Atom::One => rest.chars().next()?.len_utf8(),
                    Atom::Dash => rest.chars().next().filter(|c| DASHES.contains(c))?.len_utf8(),
                },
            )
        })
    }

    /// The start of the match that ends at `end`.
    fn backward(atoms: &[Atom], text: &str, end: usize) -> Option<usize> {
        atoms.iter().rev().try_fold(end, |at, atom| {
            let rest = &text[..at];
            Some(
                at - match atom {
                    Atom::Text(literal) => rest.ends_with(&**literal).then_some(literal.len())?,
                    Atom::One => rest.chars().next_back()?.len_utf8(),
                    Atom::Dash => {
                        rest.chars().next_back().filter(|c| DASHES.contains(c))?.len_utf8()
                    }
                },
            )
        })
    }

    /// The end of the leftmost match that begins at `from` or later.
    ///
    /// A run has a fixed number of characters, so the leftmost match is the shortest way on.
    fn find(&self, text: &str, from: usize) -> Option<usize> {
        let Some((index, finder)) = &self.anchor else {
            let starts = text[from..].char_indices().map(|(offset, _)| from + offset);
            return starts
                .chain([text.len()])
                .find_map(|start| Self::forward(&self.atoms, text, start));
        };
        let (before, rest) = self.atoms.split_at(*index);
        let mut search = from;
        loop {
            let at = search + finder.find(&text.as_bytes()[search..])?;
            let begins = Self::backward(before, text, at).is_some_and(|start| start >= from);
            if let (true, Some(end)) = (begins, Self::forward(rest, text, at)) {
                return Some(end);
            }
            search = at + 1;
        }
    }
}

impl Pieces {
    fn new(pieces: &[Piece], ready: impl Fn(&str) -> String) -> Self {
        let mut runs = Vec::new();
        for part in pieces.split(|piece| *piece == Piece::Any) {
            let atoms: Vec<Atom> = part
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Text(text) => Some(Atom::Text(ready(text).into())),
                    Piece::One => Some(Atom::One),
                    Piece::Dash => Some(Atom::Dash),
                    Piece::Any => None,
                })
                .collect();
            if !atoms.is_empty() {
                runs.push(Run::new(atoms));
            }
        }
        let open_start = pieces.first() == Some(&Piece::Any);
        let open_end = pieces.last() == Some(&Piece::Any);
        Self { runs, open_start, open_end }
    }

    fn matches(&self, text: &str) -> bool {
        let mut runs = self.runs.as_slice();
        let mut from = 0;
        if let (false, Some((first, rest))) = (self.open_start, runs.split_first()) {
            match Run::forward(&first.atoms, text, 0) {
                Some(end) if rest.is_empty() && !self.open_end => return end == text.len(),
                Some(end) => from = end,
                None => return false,
            }
            runs = rest;
        }
        let last = if self.open_end { None } else { runs.split_last() };
        let middle = last.map_or(runs, |(_, middle)| middle);
        for run in middle {
            match run.find(text, from) {
                Some(end) => from = end,
                None => return false,
            }
        }
        last.is_none_or(|(run, _)| {
            Run::backward(&run.atoms, text, text.len()).is_some_and(|start| start >= from)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::pieces::{mark_dashes, read};
    use super::*;
    use proptest::prelude::*;

    /// The definition, straight from the words: each piece takes what it may.
    fn oracle(pieces: &[Piece], text: &[char]) -> bool {
        match pieces.split_first() {
            None => text.is_empty(),
            Some((Piece::Any, rest)) => (0..=text.len()).any(|at| oracle(rest, &text[at..])),
            Some((Piece::One, rest)) => !text.is_empty() && oracle(rest, &text[1..]),
            Some((Piece::Dash, rest)) => {
                text.first().is_some_and(|c| DASHES.contains(c)) && oracle(rest, &text[1..])
            }
            Some((Piece::Text(literal), rest)) => {
                let literal: Vec<char> = literal.chars().collect();
                text.starts_with(&literal) && oracle(rest, &text[literal.len()..])
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn agrees_with_the_definition(
            pattern in "[abé*?/-]{0,9}",
            text in "[abé/–-]{0,10}",
            dashes: bool,
        ) {
            let mut pieces = read(&pattern);
            if dashes {
                pieces = mark_dashes(&pieces);
            }
            let chars: Vec<char> = text.chars().collect();
            prop_assert_eq!(Glob::new(&pieces, true).matches(&text), oracle(&pieces, &chars));
        }

        #[test]
        fn whatever_matches_has_the_required_text(
            pattern in "[ab*?]{0,6}",
            text in "[ab]{0,8}",
        ) {
            let glob = Glob::new(&read(&pattern), true);
            let (required, enough) = glob.required();
            if glob.matches(&text) {
                prop_assert!(text.contains(required));
            } else if enough {
                prop_assert!(!text.contains(required));
            }
        }
    }

    #[test]
    fn case_counts_only_where_asked() {
        let glob = |cased| Glob::new(&read("ÄB*"), cased);
        assert!(glob(false).matches(&fold("Äbc")));
        assert!(!glob(true).matches("Äbc"));
        assert!(glob(true).matches("ÄBc"));
    }
}

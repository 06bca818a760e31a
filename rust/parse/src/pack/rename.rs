//! Giving fields the names that the vendor's documents and Sigma rules use.

use bigsec_event::{FieldName, Record};

/// The renames of a pack: exact names first, then the first glob that fits.
#[derive(Debug, Default)]
pub(super) struct Renames {
    exact: Vec<(FieldName, Box<str>)>,
    /// Places in `exact` by the hash of the name, each at the first free place from the hash on;
    /// at least half of them are free.
    by_hash: Vec<Option<(u64, u16)>>,
    globs: Vec<Glob>,
    /// The first elements of the names that globs are for, with their dots. Most names begin with
    /// none of them.
    heads: Vec<Box<str>>,
    /// A bit for each letter that one of them begins with.
    initials: u32,
    /// Some glob begins with no such element: every name has to be tried.
    tries_all: bool,
}

#[derive(Debug)]
struct Glob {
    from: Vec<Part>,
    to: Target,
}

#[derive(Debug)]
enum Part {
    Literal(Box<str>),
    /// `*`: one element of a dotted name.
    Element,
    /// `**`: all that is left; only at the end.
    Rest,
}

#[derive(Debug)]
enum Target {
    /// The last wildcard alone: the front of the name is cut off.
    Tail,
    Pieces(Vec<Piece>),
}

#[derive(Debug)]
enum Piece {
    Literal(Box<str>),
    /// What the wildcard with this number (from 0) stood for.
    Wildcard(usize),
}

/// Wildcards of one glob; the ranges of a fit are kept in an array of this size.
const MAX_WILDCARDS: usize = 4;

type Wildcards = [(usize, usize); MAX_WILDCARDS];

impl Renames {
    /// Adds a rename; says what is wrong with it.
    pub fn add(&mut self, from: &str, to: &str) -> Result<(), String> {
        let from_parts = glob_parts(from)?;
        let wildcards = from_parts.iter().filter(|part| !matches!(part, Part::Literal(_))).count();
        if wildcards > MAX_WILDCARDS {
            return Err(format!("`{from}` has more than {MAX_WILDCARDS} wildcards"));
        }
        let pieces = target_pieces(to, wildcards)?;
        if wildcards == 0 {
            self.exact.push((FieldName::new(from), to.into()));
            return self.index();
        }
        self.add_head(from);
        let ends_with_wildcard = !matches!(from_parts.last(), Some(Part::Literal(_)));
        let to = match pieces.as_slice() {
            [Piece::Wildcard(last)] if *last + 1 == wildcards && ends_with_wildcard => Target::Tail,
            _ => Target::Pieces(pieces),
        };
        self.globs.push(Glob { from: from_parts, to });
        Ok(())
    }

    fn add_head(&mut self, from: &str) {
        match from.find('.') {
            Some(dot) if dot > 0 && !from[..dot].contains('*') => {
                let head = &from[..=dot];
                if !self.heads.iter().any(|known| known.eq_ignore_ascii_case(head)) {
                    self.initials |= initial(head);
                    self.heads.push(head.into());
                }
            }
            _ => self.tries_all = true,
        }
    }

    /// Makes the table of exact names anew.
    fn index(&mut self) -> Result<(), String> {
        let size = (self.exact.len() * 4).next_power_of_two();
        self.by_hash = vec![None; size];
        for (place, (from, _)) in self.exact.iter().enumerate() {
            let place =
                u16::try_from(place).map_err(|_| "there are too many renames".to_owned())?;
            let mut at = from.hash() as usize & (size - 1);
            while self.by_hash[at].is_some() {
                at = (at + 1) & (size - 1);
            }
            self.by_hash[at] = Some((from.hash(), place));
        }
        Ok(())
    }

    /// True where a glob might fit the name.
    fn may_fit(&self, name: &str) -> bool {
        self.tries_all
            || self.initials & initial(name) != 0
                && self.heads.iter().any(|head| {
                    let start = name.as_bytes().get(..head.len());
                    start.is_some_and(|start| start.eq_ignore_ascii_case(head.as_bytes()))
                })
    }

    /// The new name of exactly this field.
    fn exact(&self, hash: u64, name: &str) -> Option<&str> {
        let mask = self.by_hash.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        while let Some((known, place)) = self.by_hash[at] {
            let (from, to) = &self.exact[usize::from(place)];
            if known == hash && from.is(name) {
                return Some(to);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// Renames the fields of a record; `buffer` is for composing.
    pub fn apply(&self, record: &mut Record, buffer: &mut String) {
        if self.exact.is_empty() && self.globs.is_empty() {
            return;
        }
        for index in 0..record.len() {
            let name = record.field(index).0;
            if let Some(to) = self.exact(record.name_hash(index), name) {
                record.rename(index, to);
                continue;
            }
            if !self.may_fit(name) {
                continue;
            }
            let fitting = self.globs.iter().find_map(|glob| Some((glob, glob.fit(name)?)));
            let Some((glob, found)) = fitting else { continue };
            match &glob.to {
                Target::Tail => record.strip_name(index, found[glob.wildcards() - 1].0),
                Target::Pieces(pieces) => {
                    compose(pieces, name, &found, buffer);
                    record.rename(index, buffer);
                }
            }
        }
    }
}

/// The bit of a name's first letter, whatever its case.
fn initial(name: &str) -> u32 {
    name.as_bytes().first().map_or(0, |byte| 1 << (byte & 31))
}

fn compose(pieces: &[Piece], name: &str, found: &Wildcards, buffer: &mut String) {
    buffer.clear();
    for piece in pieces {
        buffer.push_str(match piece {
            Piece::Literal(text) => text,
            Piece::Wildcard(at) => &name[found[*at].0..found[*at].1],
        });
    }
}

impl Glob {
    fn wildcards(&self) -> usize {
        self.from.iter().filter(|part| !matches!(part, Part::Literal(_))).count()
    }

    /// What the wildcards stand for, where the name fits.
    fn fit(&self, name: &str) -> Option<Wildcards> {
        let mut found = [(0, 0); MAX_WILDCARDS];
        let (mut at, mut wildcard) = (0, 0);
        for part in &self.from {
            let rest = &name.as_bytes()[at..];
            let length = match part {
                Part::Literal(text) => {
                    let head = rest.get(..text.len())?;
                    head.eq_ignore_ascii_case(text.as_bytes()).then_some(())?;
                    at += text.len();
                    continue;
                }
                Part::Element => rest.iter().position(|byte| *byte == b'.').unwrap_or(rest.len()),
                Part::Rest => rest.len(),
            };
            (length > 0).then_some(())?;
            found[wildcard] = (at, at + length);
            wildcard += 1;
            at += length;
        }
        (at == name.len()).then_some(found)
    }
}

fn glob_parts(from: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = from;
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix("**") {
            if !behind.is_empty() {
                return Err(format!("`**` stands only at the end, not within `{from}`"));
            }
            parts.push(Part::Rest);
            break;
        }
        if let Some(behind) = rest.strip_prefix('*') {
            let before = &from[..from.len() - rest.len()];
            let begins_element = before.is_empty() || before.ends_with('.');
            let ends_element = behind.is_empty() || behind.starts_with('.');
            if !begins_element || !ends_element {
                return Err(format!("`*` stands for a whole element between dots, in `{from}`"));
            }
            parts.push(Part::Element);
            rest = behind;
            continue;
        }
        let end = rest.find('*').unwrap_or(rest.len());
        parts.push(Part::Literal(rest[..end].into()));
        rest = &rest[end..];
    }
    if parts.is_empty() { Err("`from` is empty".to_owned()) } else { Ok(parts) }
}

/// A target such as `$1_$2`.
fn target_pieces(to: &str, wildcards: usize) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    for (at, part) in to.split('$').enumerate() {
        let mut literal = part;
        if at > 0 {
            let digit =
                part.chars().next().and_then(|c| c.to_digit(10)).unwrap_or_default() as usize;
            if digit == 0 || digit > wildcards {
                return Err(format!("`${digit}` in `{to}` names no wildcard of `from`"));
            }
            pieces.push(Piece::Wildcard(digit - 1));
            literal = &part[1..];
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.into()));
        }
    }
    if pieces.is_empty() { Err("`to` is empty".to_owned()) } else { Ok(pieces) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bigsec_event::Kind;

    fn rename(rules: &[(&str, &str)], name: &str) -> String {
        let mut renames = Renames::default();
        for (from, to) in rules {
            renames.add(from, to).unwrap();
        }
        let mut record = Record::new();
        record.push(name, "1", Kind::Number);
        renames.apply(&mut record, &mut String::new());
        record.field(0).0.to_owned()
    }

    #[test]
    fn exact_names_come_before_globs_and_the_first_glob_wins() {
        let rules = [
            ("Event.System.*.#attributes.*", "$1_$2"),
            ("Event.System.**", "$1"),
            ("Event.UserData.*.**", "$2"),
            ("Event.System.EventID.#text", "EventID"),
        ];
        assert_eq!(rename(&rules, "Event.System.EventID.#text"), "EventID");
        assert_eq!(rename(&rules, "Event.System.Provider.#attributes.Name"), "Provider_Name");
        assert_eq!(rename(&rules, "Event.System.Channel"), "Channel");
        assert_eq!(rename(&rules, "Event.UserData.LogFileCleared.A.B"), "A.B");
        assert_eq!(rename(&rules, "Event.UserData.Only"), "Event.UserData.Only");
        assert_eq!(rename(&rules, "EventID"), "EventID");
    }

    #[test]
    fn bad_rules_are_refused() {
        let mut renames = Renames::default();
        for (from, to) in
            [("a.**.b", "$1"), ("a*", "$1"), ("a.*", "$2"), ("a.*", "x$"), ("", "x"), ("a", "")]
        {
            assert!(renames.add(from, to).is_err(), "{from} {to}");
        }
    }
}

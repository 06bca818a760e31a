//! Conditions on the fields of a record.

use bigsec_event::{FieldName, FieldSource, Record, Value};

use memchr::memmem::Finder;
use serde_saphyr::Spanned;

use super::file::{ConditionFile, TestFile};
use super::index::Start;

/// Tests of fields that must all hold; an empty condition always does.
#[derive(Debug, Default)]
pub(super) struct Condition {
    tests: Vec<(FieldName, Test)>,
}

#[derive(Debug)]
enum Test {
    Present(bool),
    /// One value of the field fits one of these.
    AnyOf(Vec<Fit>),
}

#[derive(Debug)]
enum Fit {
    Equals(Box<str>),
    Prefix(Box<str>),
    Suffix(Box<str>),
    /// Begins, where it begins at all, with what all parts begin with.
    Contains {
        common: Common,
        parts: Vec<Box<str>>,
    },
}

/// What parts begin with.
#[derive(Debug)]
struct Common {
    text: Box<str>,
    /// Where case cannot matter, a search for all of it at once.
    finder: Option<Box<Finder<'static>>>,
}

impl Common {
    fn new(text: &str) -> Self {
        let has_case = text.bytes().any(|byte| byte.is_ascii_alphabetic());
        let finder = (!has_case && text.len() > 1)
            .then(|| Box::new(Finder::new(text.as_bytes()).into_owned()));
        Self { text: text.into(), finder }
    }

    /// Whether a place where it stands is a right one.
    fn any(&self, text: &[u8], is_right: impl Fn(usize) -> bool) -> bool {
        match &self.finder {
            Some(finder) => finder.find_iter(text).any(is_right),
            None => places(text, self.text.as_bytes()).any(is_right),
        }
    }
}

impl Condition {
    pub fn new(file: &ConditionFile) -> Self {
        let of_field = |(name, file): &(Spanned<String>, TestFile)| {
            let name = FieldName::new(&name.value);
            tests(file).into_iter().map(move |test| (name.clone(), test))
        };
        Self { tests: file.0.iter().flat_map(of_field).collect() }
    }

    pub fn holds(&self, record: &Record) -> bool {
        self.tests.iter().all(|(name, test)| match test {
            Test::Present(present) => record.contains(name) == *present,
            Test::AnyOf(fits) => record.visit(name, &mut |value| {
                value.kind.has_text() && fits.iter().any(|fit| fit.fits(value))
            }),
        })
    }

    /// Whether a record whose field begins so may meet the condition.
    pub fn admits(&self, field: &FieldName, start: Start) -> bool {
        let mut tests = self.tests.iter().filter(|(name, _)| name == field);
        tests.all(|(_, test)| match (test, start) {
            (_, Start::Several) => true,
            (Test::Present(present), start) => *present == (start != Start::Absent),
            (Test::AnyOf(_), Start::Absent | Start::NoText) => false,
            (Test::AnyOf(fits), Start::Empty) => fits.iter().any(|fit| fit.admits(None)),
            (Test::AnyOf(fits), Start::Byte(first)) => {
                fits.iter().any(|fit| fit.admits(Some(first)))
            }
        })
    }

    /// The values of which the field must equal one, if the condition demands that.
    pub fn must_equal(&self, field: &FieldName) -> Option<Vec<&str>> {
        self.tests.iter().filter(|(name, _)| name == field).find_map(|(_, test)| match test {
            Test::AnyOf(fits) => fits.iter().map(Fit::equality).collect(),
            Test::Present(_) => None,
        })
    }

    /// The fields that the condition tests.
    pub fn fields(&self) -> impl Iterator<Item = &FieldName> {
        self.tests.iter().map(|(name, _)| name)
    }
}

/// The tests of one field, which must all hold.
fn tests(file: &TestFile) -> Vec<Test> {
    let named = match file {
        TestFile::Equals(texts) => return vec![Test::AnyOf(fits(&texts.0, Fit::Equals))],
        TestFile::Named(named) => named,
    };
    let kinds = [
        fits(&named.prefix.0, Fit::Prefix),
        fits(&named.suffix.0, Fit::Suffix),
        parts(&named.contains.0),
    ];
    let kinds = kinds.into_iter().filter(|fits| !fits.is_empty()).map(Test::AnyOf);
    let tests: Vec<_> = named.present.map(Test::Present).into_iter().chain(kinds).collect();
    // A mapping without a test asks for nothing that could be.
    if tests.is_empty() { vec![Test::AnyOf(Vec::new())] } else { tests }
}

/// One search for all parts that begin with the same character: a list of a hundred costs as much
/// as one.
fn parts(texts: &[String]) -> Vec<Fit> {
    let mut groups: Vec<Vec<&str>> = Vec::new();
    for text in texts {
        let first = text.chars().next();
        match groups.iter_mut().find(|group| group[0].chars().next() == first) {
            Some(group) => group.push(text),
            None => groups.push(vec![text]),
        }
    }
    let fit = |group: Vec<&str>| {
        let length = group.iter().map(|text| alike(group[0], text)).min().unwrap_or(0);
        let common = Common::new(&group[0][..length]);
        Fit::Contains { common, parts: group.into_iter().map(Box::from).collect() }
    };
    groups.into_iter().map(fit).collect()
}

/// Bytes with which both begin.
fn alike(a: &str, b: &str) -> usize {
    let pairs = a.char_indices().zip(b.chars());
    let same = pairs.take_while(|((_, a), b)| a == b).map(|((at, a), _)| at + a.len_utf8());
    same.last().unwrap_or(0)
}

/// Where a part stands in a text, ASCII case aside.
fn places<'t>(text: &'t [u8], part: &'t [u8]) -> impl Iterator<Item = usize> {
    let first = part.first().copied().unwrap_or_default();
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    memchr::memchr2_iter(lower, upper, text).filter(move |at| begins(&text[*at..], part))
}

fn begins(text: &[u8], part: &[u8]) -> bool {
    text.get(..part.len()).is_some_and(|head| head.eq_ignore_ascii_case(part))
}

fn fits(texts: &[String], fit: fn(Box<str>) -> Fit) -> Vec<Fit> {
    texts.iter().map(|text| fit(text.as_str().into())).collect()
}

impl Fit {
    fn equality(&self) -> Option<&str> {
        match self {
            Self::Equals(text) => Some(text),
            _ => None,
        }
    }

    /// Whether a text that begins with this byte, or has none, may fit.
    fn admits(&self, first: Option<u8>) -> bool {
        let wanted = match self {
            Self::Equals(want) if want.is_empty() => return first.is_none(),
            Self::Equals(want) | Self::Prefix(want) => want.bytes().next(),
            Self::Suffix(_) | Self::Contains { .. } => None,
        };
        wanted.is_none_or(|wanted| first.is_some_and(|first| first.eq_ignore_ascii_case(&wanted)))
    }

    /// ASCII case does not count, as in Sigma.
    fn fits(&self, value: Value<'_>) -> bool {
        let text = value.text.as_bytes();
        match self {
            Self::Equals(want) => text.eq_ignore_ascii_case(want.as_bytes()),
            Self::Prefix(want) => text
                .get(..want.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(want.as_bytes())),
            Self::Suffix(want) => text
                .len()
                .checked_sub(want.len())
                .is_some_and(|from| text[from..].eq_ignore_ascii_case(want.as_bytes())),
            Self::Contains { common, parts } => common.any(text, |at| {
                let rest = &text[at..];
                parts.iter().any(|part| begins(rest, part.as_bytes()))
            }),
        }
    }
}

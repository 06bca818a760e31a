//! Conditions on the fields of a record.

use bigsec_event::{FieldName, FieldSource, Record, Value};

use super::file::{ConditionFile, TestFile};

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
    Contains(Box<str>),
}

impl Condition {
    pub fn new(file: &ConditionFile) -> Self {
        let test = |file: &TestFile| match file {
            TestFile::Equals(texts) => Test::AnyOf(fits(&texts.0, Fit::Equals)),
            TestFile::Named(named) => match named.present {
                Some(present) => Test::Present(present),
                None => Test::AnyOf(
                    [
                        fits(&named.prefix.0, Fit::Prefix),
                        fits(&named.suffix.0, Fit::Suffix),
                        fits(&named.contains.0, Fit::Contains),
                    ]
                    .into_iter()
                    .flatten()
                    .collect(),
                ),
            },
        };
        let tests = file.0.iter().map(|(name, file)| (FieldName::new(&name.value), test(file)));
        Self { tests: tests.collect() }
    }

    pub fn holds(&self, record: &Record) -> bool {
        self.tests.iter().all(|(name, test)| match test {
            Test::Present(present) => record.contains(name) == *present,
            Test::AnyOf(fits) => record.visit(name, &mut |value| {
                value.kind.has_text() && fits.iter().any(|fit| fit.fits(value))
            }),
        })
    }

    /// The values of which the field must equal one, if the condition demands that.
    pub fn must_equal(&self, field: &FieldName) -> Option<Vec<&str>> {
        let (_, test) = self.tests.iter().find(|(name, _)| name == field)?;
        match test {
            Test::AnyOf(fits) => fits.iter().map(Fit::equality).collect(),
            Test::Present(_) => None,
        }
    }

    /// The fields that the condition tests.
    pub fn fields(&self) -> impl Iterator<Item = &FieldName> {
        self.tests.iter().map(|(name, _)| name)
    }
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
            Self::Contains(want) => text
                .windows(want.len().max(1))
                .any(|part| part.eq_ignore_ascii_case(want.as_bytes())),
        }
    }
}

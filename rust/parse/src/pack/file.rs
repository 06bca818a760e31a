//! A pack as it stands in its file: structure and places, no meaning yet.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackFile {
    pub id: Spanned<String>,
    pub title: String,
    pub about: String,
    pub decoder: Spanned<Texts>,
    #[serde(default)]
    pub priority: i32,
    #[serde(default)]
    pub recognise: Vec<ConditionFile>,
    #[serde(default)]
    pub rename: Vec<RenameFile>,
    #[serde(default)]
    pub patterns: Vec<PatternGroupFile>,
    #[serde(default)]
    pub pairs: Vec<PairsFile>,
    #[serde(default)]
    pub derive: Vec<DeriveFile>,
    #[serde(default)]
    pub time: Vec<TimeFile>,
    #[serde(default)]
    pub fields: Pairs<Texts>,
    #[serde(default)]
    pub constants: Pairs<Text>,
    #[serde(default)]
    pub values: Vec<ValueFile>,
    #[serde(default)]
    pub variants: Vec<VariantFile>,
    #[serde(default)]
    pub samples: Vec<SampleFile>,
}

/// Field to test; all must hold.
pub(super) type ConditionFile = Pairs<TestFile>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameFile {
    pub from: Spanned<String>,
    pub to: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatternGroupFile {
    pub field: String,
    #[serde(default)]
    pub when: ConditionFile,
    pub first_of: Vec<PatternFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatternFile {
    pub fits: Spanned<String>,
    #[serde(default)]
    pub set: Pairs<Text>,
}

/// Pairs in the text of `field`, or lists of `names` and `values`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PairsFile {
    pub field: Option<Spanned<String>>,
    #[serde(default)]
    pub when: ConditionFile,
    pub between: Option<String>,
    pub is: Option<String>,
    pub names: Option<Spanned<String>>,
    pub values: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeriveFile {
    pub field: String,
    pub split: Spanned<String>,
    pub into: Pairs<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeFile {
    pub field: Texts,
    pub format: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValueFile {
    pub column: Spanned<String>,
    pub field: String,
    pub map: Pairs<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VariantFile {
    pub when: ConditionFile,
    #[serde(default)]
    pub set: Pairs<Text>,
    #[serde(default)]
    pub fields: Pairs<Texts>,
}

/// A raw record and what must come out of it; what is not named is not compared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleFile {
    pub raw: Spanned<String>,
    #[serde(default)]
    pub received: Option<Spanned<String>>,
    #[serde(default)]
    pub time: Option<String>,
    #[serde(default)]
    pub columns: Pairs<Text>,
    #[serde(default)]
    pub fields: Pairs<Texts>,
}

/// How a field is compared.
#[derive(Debug)]
pub(super) enum TestFile {
    /// Equals one of these.
    Equals(Texts),
    /// One of the named tests.
    Named(NamedTestFile),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedTestFile {
    pub present: Option<bool>,
    #[serde(default)]
    pub prefix: Texts,
    #[serde(default)]
    pub suffix: Texts,
    #[serde(default)]
    pub contains: Texts,
}

/// A mapping in the order of the file, its keys with their places.
#[derive(Debug)]
pub(super) struct Pairs<V>(pub Vec<(Spanned<String>, V)>);

/// One scalar as text: `4624` and `"4624"` are the same.
#[derive(Debug)]
pub(super) struct Text(pub String);

/// One scalar or a list of them.
#[derive(Debug, Default)]
pub(super) struct Texts(pub Vec<String>);

impl<V> Default for Pairs<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for PairsVisitor<V> {
            type Value = Pairs<V>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a mapping")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                read_pairs(map)
            }
        }
        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

fn read_pairs<'de, V: Deserialize<'de>, A: MapAccess<'de>>(
    mut map: A,
) -> Result<Pairs<V>, A::Error> {
    let mut pairs = Vec::new();
    while let Some(key) = map.next_key()? {
        pairs.push((key, map.next_value()?));
    }
    Ok(Pairs(pairs))
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Text)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

impl<'de> Deserialize<'de> for TestFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TestVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Texts, E> {
        Ok(Texts(vec![text.to_owned()]))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Texts, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Texts, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<Texts, E> {
        self.visit_str(if yes { "true" } else { "false" })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
        let mut texts = Vec::new();
        while let Some(Text(text)) = list.next_element()? {
            texts.push(text);
        }
        Ok(Texts(texts))
    }
}

struct TestVisitor;

impl<'de> Visitor<'de> for TestVisitor {
    type Value = TestFile;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a text, a list of texts, or one of `present`, `prefix`, `suffix`, `contains`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TestFile, E> {
        TextsVisitor.visit_str(text).map(TestFile::Equals)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<TestFile, E> {
        TextsVisitor.visit_u64(number).map(TestFile::Equals)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<TestFile, E> {
        TextsVisitor.visit_i64(number).map(TestFile::Equals)
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<TestFile, E> {
        TextsVisitor.visit_bool(yes).map(TestFile::Equals)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<TestFile, A::Error> {
        TextsVisitor.visit_seq(list).map(TestFile::Equals)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TestFile, A::Error> {
        let entries = serde::de::value::MapAccessDeserializer::new(map);
        NamedTestFile::deserialize(entries).map(TestFile::Named)
    }
}

/// The place of a piece of the file.
pub(super) fn place<T>(spanned: &Spanned<T>) -> Location {
    spanned.referenced
}

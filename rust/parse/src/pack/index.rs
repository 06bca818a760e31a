//! Which packs of a decoder could know a record, seen from the first bytes of a few fields.
//!
//! Without it each record would be shown to the conditions of every pack: a hundred packs for
//! syslog would cost each line a hundred looks at its program's name. Of every field that several
//! conditions test, the index knows which of them a value with a given first byte can still meet;
//! the conditions left over all fields are few, as a rule one or none.

use std::sync::Arc;

use bigsec_event::{FieldName, FieldSource, Record};

use super::Pack;
use super::condition::Condition;

/// Fields that are looked at: beyond the first few, a field tells little that is new.
const MAX_FIELDS: usize = 4;

/// What is known of a field from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// A text that begins with this byte.
    Byte(u8),
    /// A text of no bytes.
    Empty,
    /// A value that is no text, such as null.
    NoText,
    /// The record has no such field.
    Absent,
    /// The record has several of them: they may begin in any way.
    Several,
}

impl Start {
    const COUNT: usize = 256 + 4;

    fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self::Byte).chain([
            Self::Empty,
            Self::NoText,
            Self::Absent,
            Self::Several,
        ])
    }

    fn index(self) -> usize {
        match self {
            Self::Byte(byte) => usize::from(byte),
            Self::Empty => 256,
            Self::NoText => 257,
            Self::Absent => 258,
            Self::Several => 259,
        }
    }
}

/// The packs of one decoder, and the conditions on which each is one's own.
#[derive(Debug)]
pub(crate) struct PackIndex {
    packs: Vec<Arc<Pack>>,
    /// Pack and condition, in the order in which packs are asked; no condition: any record.
    rows: Vec<(usize, Option<usize>)>,
    fields: Vec<ByStart>,
    /// Words of a set of rows.
    words: usize,
}

/// For each start of a field, the rows that it leaves possible.
#[derive(Debug)]
struct ByStart {
    name: FieldName,
    sets: Vec<u64>,
}

impl PackIndex {
    /// An index of packs in the order in which they are asked.
    pub fn new(packs: Vec<Arc<Pack>>) -> Self {
        let mut rows = Vec::new();
        for (at, pack) in packs.iter().enumerate() {
            match pack.recognise.len() {
                0 => rows.push((at, None)),
                count => rows.extend((0..count).map(|index| (at, Some(index)))),
            }
        }
        let words = rows.len().div_ceil(64);
        let mut index = Self { packs, rows, fields: Vec::new(), words };
        index.fields =
            index.telling_fields().into_iter().map(|name| index.by_start(name)).collect();
        index
    }

    /// The packs in their order.
    pub fn packs(&self) -> &[Arc<Pack>] {
        &self.packs
    }

    /// The first pack that recognises the record.
    pub fn find(&self, record: &Record) -> Option<usize> {
        let starts: [usize; MAX_FIELDS] = std::array::from_fn(|at| {
            self.fields.get(at).map_or(0, |field| start_of(record, &field.name).index())
        });
        (0..self.words).find_map(|word| {
            let sets = self.fields.iter().zip(starts);
            let mut left = sets
                .map(|(field, start)| field.sets[start * self.words + word])
                .fold(u64::MAX, |left, set| left & set);
            while left != 0 {
                let row = word * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                // The last word has places for more rows than there are.
                let &(pack, condition) = self.rows.get(row)?;
                if self.condition(pack, condition).is_none_or(|condition| condition.holds(record)) {
                    return Some(pack);
                }
            }
            None
        })
    }

    fn condition(&self, pack: usize, condition: Option<usize>) -> Option<&Condition> {
        condition.map(|at| &self.packs[pack].recognise[at])
    }

    /// The fields that most conditions test, of those that more than one tests.
    fn telling_fields(&self) -> Vec<FieldName> {
        let mut counted: Vec<(usize, FieldName)> = Vec::new();
        let conditions = self.packs.iter().flat_map(|pack| &pack.recognise);
        for name in conditions.flat_map(Condition::fields) {
            match counted.iter_mut().find(|(_, known)| known == name) {
                Some((count, _)) => *count += 1,
                None => counted.push((1, name.clone())),
            }
        }
        counted.retain(|(count, _)| *count > 1);
        counted.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        counted.into_iter().take(MAX_FIELDS).map(|(_, name)| name).collect()
    }

    fn by_start(&self, name: FieldName) -> ByStart {
        let mut sets = vec![0; Start::COUNT * self.words];
        for (row, &(pack, condition)) in self.rows.iter().enumerate() {
            let condition = self.condition(pack, condition);
            for start in Start::all() {
                if condition.is_none_or(|condition| condition.admits(&name, start)) {
                    sets[start.index() * self.words + row / 64] |= 1 << (row % 64);
                }
            }
        }
        ByStart { name, sets }
    }
}

/// How the values of a field begin.
fn start_of(record: &Record, name: &FieldName) -> Start {
    let mut start = Start::Absent;
    record.visit(name, &mut |value| {
        let is_first = start == Start::Absent;
        start = match value.text.bytes().next() {
            _ if !is_first => Start::Several,
            _ if !value.kind.has_text() => Start::NoText,
            Some(first) => Start::Byte(first),
            None => Start::Empty,
        };
        !is_first
    });
    start
}

#[cfg(test)]
mod tests {
    use bigsec_event::Kind;
    use proptest::prelude::*;

    use super::*;
    use crate::pack::PackSet;

    /// Packs of one decoder, each with these conditions.
    const CONDITIONS: [&str; 8] = [
        "[{a: sshd}, {a: {prefix: [su, Post]}, b: {present: true}}]",
        "[{a: {present: false}, b: {prefix: '%ASA-'}}]",
        "[{a: {contains: mix}}, {b: [GET, post, '']}]",
        "[{c: {suffix: x}}, {c: {present: false}, a: {present: true}}]",
        "[{a: {prefix: s}, b: {suffix: [d, '']}, c: {present: true}}]",
        "[{a: {prefix: '', contains: t}, b: q}]",
        "[{b: {prefix: é}}]",
        "[{b: {prefix: [p, x], contains: ix}, a: {present: true}}]",
    ];

    fn index(copies: usize) -> PackIndex {
        let packs = (0..copies).flat_map(|copy| CONDITIONS.iter().map(move |text| (copy, text)));
        let packs = packs.enumerate().map(|(at, (copy, text))| {
            // Copies ask for other values, so that a record is not always the first pack's.
            let text = if copy == 0 {
                (*text).to_owned()
            } else {
                text.replace("sshd", "zshd").replace("su,", "zu,")
            };
            let id = format!("p{at}");
            let file = format!(
                "id: {id}\ntitle: t\nabout: t\ndecoder: plain\nrecognise: {text}\nsamples: []\n"
            );
            Arc::new(PackSet::read_pack(&format!("{id}.yaml"), &file).unwrap())
        });
        PackIndex::new(packs.collect())
    }

    fn asked_in_turn(index: &PackIndex, record: &Record) -> Option<usize> {
        let knows = |pack: &Arc<Pack>| pack.recognise.iter().any(|fits| fits.holds(record));
        index.packs.iter().position(knows)
    }

    fn fields() -> impl Strategy<Value = Vec<(String, String, Kind)>> {
        let name = prop::sample::select(vec!["a", "A", "b", "c", "d"]).prop_map(str::to_owned);
        let value = prop::sample::select(vec![
            "",
            "sshd",
            "SSHD",
            "su",
            "zu",
            "postfix/qmgr",
            "%ASA-1",
            "%",
            "mix",
            "GET",
            "Post",
            "x",
            "pix",
            "q",
            "é",
            "É",
            "t",
            "d",
        ]);
        let kind = prop::sample::select(vec![
            Kind::Null,
            Kind::String,
            Kind::String,
            Kind::Number,
            Kind::EmptyList,
        ]);
        prop::collection::vec((name, value.prop_map(str::to_owned), kind), 0..6)
    }

    proptest! {
        #[test]
        fn the_index_finds_what_asking_every_pack_finds(
            fields in fields(),
            copies in prop::sample::select(vec![1_usize, 9]),
        ) {
            let index = index(copies);
            let mut record = Record::new();
            record.reset("");
            for (name, value, kind) in &fields {
                record.push(name, value, *kind);
            }
            prop_assert_eq!(index.find(&record), asked_in_turn(&index, &record));
        }
    }
}

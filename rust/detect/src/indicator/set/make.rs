//! Puts a set together, row by row.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use ipnet::IpNet;

use super::{ENDINGS, Entry, IndicatorSet, bits_of, ending, hash_of, text_of};
use crate::indicator::international::CODED;
use crate::indicator::marks::Marks;
use crate::indicator::row::{Refusal, Row};
use crate::indicator::{IndicatorKind, Label, kind, sound};

/// Changes whenever the same files may hit otherwise than before.
const ENGINE_VERSION: &[u8] = b"indicators 2";

/// Puts a set together.
pub(super) struct Maker {
    set: IndicatorSet,
    labels: HashMap<Label, u32>,
    pub repeated: usize,
}

impl Maker {
    pub fn new() -> Self {
        let hasher = RandomState::default();
        let set = IndicatorSet {
            values: String::new(),
            entries: Vec::new(),
            labels: Vec::new(),
            by_value: HashTable::new(),
            networks: HashMap::with_hasher(hasher.clone()),
            prefixes: Vec::new(),
            with_port: HashSet::with_hasher(hasher.clone()),
            has: <_>::default(),
            has_v6: false,
            has_international: false,
            endings: [0; ENDINGS],
            has_odd_names: false,
            marks: Marks::default(),
            version: String::new(),
            hasher,
        };
        Self { set, labels: HashMap::new(), repeated: 0 }
    }

    pub fn take(&mut self, row: Row) -> Result<(), Refusal> {
        let Row { kind, value, label, valid_until_us } = row;
        if let Some((why, mend)) = sound::objection(kind, &value) {
            let message = format!("the {} {value:?} {why}", kind.as_str());
            return Err(Refusal::new(message, mend));
        }
        let level = label.level;
        let label = self.label(label);
        if let Some(place) = self.set.find(kind, value.as_bytes()) {
            self.repeated += 1;
            let before = &mut self.set.entries[place as usize];
            before.valid_until_us = before.valid_until_us.max(valid_until_us);
            if self.set.labels[before.label as usize].level < level {
                before.label = label;
            }
            return Ok(());
        }
        let full = |_| Refusal::new("the set is full".to_owned(), "load fewer");
        let begin = u32::try_from(self.set.values.len()).map_err(full)?;
        let length = u16::try_from(value.len()).map_err(full)?;
        self.set.values.push_str(&value);
        self.set.insert(Entry { begin, length, kind, label, valid_until_us });
        Ok(())
    }

    fn label(&mut self, label: Label) -> u32 {
        if let Some(place) = self.labels.get(&label) {
            return *place;
        }
        let place = self.set.labels.len() as u32;
        self.set.labels.push(label.clone());
        self.labels.insert(label, place);
        place
    }

    pub fn finish(self) -> IndicatorSet {
        let mut set = self.set;
        set.index();
        set.version = version(&set.values, &set.entries, &set.labels);
        set
    }
}

impl IndicatorSet {
    /// Adds an entry that is not there yet.
    fn insert(&mut self, entry: Entry) {
        let Self { by_value, entries, values, hasher, .. } = self;
        let hash = |entry: &Entry| hash_of(hasher, entry.kind, text_of(values, entry).as_bytes());
        let place = entries.len() as u32;
        entries.push(entry);
        by_value.insert_unique(hash(&entry), place, |place| hash(&entries[*place as usize]));
    }

    /// Fills what follows from the entries.
    fn index(&mut self) {
        let Self { values, entries, networks, with_port, prefixes, has, .. } = self;
        let Self { endings, has_v6, has_odd_names, has_international, .. } = self;
        for (place, entry) in entries.iter().enumerate() {
            let value = text_of(values, entry);
            has[entry.kind as usize] += 1;
            let (word, bit) = ending(entry.kind, value.as_bytes());
            endings[word] |= bit;
            match entry.kind {
                IndicatorKind::Network => {
                    let Some(network) = kind::network(value) else { continue };
                    let is_v6 = matches!(network, IpNet::V6(_));
                    let prefix = network.prefix_len() + if is_v6 { 0 } else { 96 };
                    *has_v6 |= is_v6;
                    networks.insert((bits_of(network.addr()), prefix), place as u32);
                    prefixes.push(prefix);
                }
                IndicatorKind::FileName => *has_odd_names |= !kind::is_word_with_dot(value),
                IndicatorKind::Domain => *has_international |= value.contains(CODED),
                IndicatorKind::Ip => *has_v6 |= value.contains(':'),
                IndicatorKind::IpPort => {
                    if let Some((address, _)) = kind::split_port(value) {
                        *has_v6 |= address.is_ipv6();
                        with_port.insert(address);
                    }
                }
                _ => {}
            }
        }
        prefixes.sort_unstable_by(|a, b| b.cmp(a));
        prefixes.dedup();
        if *has_v6 {
            self.marks.add(b':');
        }
        if self.has[IndicatorKind::UrlPath as usize] > 0 {
            self.marks.add(b'/');
        }
    }
}

fn version(values: &str, entries: &[Entry], labels: &[Label]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(ENGINE_VERSION).update(&(values.len() as u64).to_le_bytes());
    hasher.update(values.as_bytes());
    for entry in entries {
        let Entry { length, kind, label, valid_until_us, .. } = entry;
        hasher.update(&length.to_le_bytes()).update(&[*kind as u8]).update(&label.to_le_bytes());
        hasher.update(&valid_until_us.to_le_bytes());
    }
    for label in labels {
        for text in [&label.name, label.level.as_str(), &label.tags, &label.reference] {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

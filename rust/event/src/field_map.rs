//! Which field of a vendor stands in which column of the event schema.
//!
//! A rule speaks of vendor fields (`CommandLine`), a batch of columns (`process.cmd_line`). The
//! map goes from one to the other, is stored content-addressed, and is never deleted: a row names
//! the map it was made with.
//!
//! A column has one **primary** vendor field and may have alternates. So that a batch answers
//! exactly as the record did, the builder keeps a value in `unmapped` beside the column whenever
//! the column alone would not do: its text was changed (an address made canonical, `007` read
//! as 7), the field has several values, it came from an alternate, or an alternate is there too.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crate::FieldName;
use crate::schema::{LEAVES, leaf_index};

/// One line of a map.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub name: FieldName,
    pub leaf: u16,
    /// Its place among the vendor fields of its leaf, the primary being the first.
    pub rank: u16,
    /// Other vendor fields of the same leaf exist.
    pub shared: bool,
}

impl Entry {
    /// The first vendor field of its leaf.
    pub fn primary(&self) -> bool {
        self.rank == 0
    }
}

/// A map from vendor fields to leaves of the event schema. Immutable; its id is its content.
#[derive(Debug, Clone)]
pub struct FieldMap {
    id: Arc<str>,
    entries: Vec<Entry>,
    by_hash: HashMap<u64, u16, BuildHasherDefault<Hashed>>,
}

/// The key is a hash already, of names that packs alone choose.
#[derive(Debug, Clone, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Why a map was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldMapError {
    /// The event schema has no such leaf.
    #[error("the event schema has no column `{0}`")]
    UnknownColumn(String),
    /// The platform fills this leaf itself.
    #[error("the column `{0}` is filled by the platform itself")]
    OwnColumn(String),
    /// One vendor field went to two leaves.
    #[error("the field `{0}` is mapped twice")]
    Twice(String),
    /// The stored text is not a map.
    #[error("line {0} of the field map is not `name<TAB>column`")]
    Malformed(usize),
}

impl FieldMap {
    /// A map of (vendor field, leaf path) pairs; the first field of a leaf is its primary.
    pub fn new<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, FieldMapError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut by_hash = HashMap::default();
        let mut uses: BTreeMap<u16, u16> = BTreeMap::new();
        for (name, path) in pairs {
            let leaf = leaf_index(path).ok_or_else(|| FieldMapError::UnknownColumn(path.into()))?;
            if LEAVES[leaf as usize].own {
                return Err(FieldMapError::OwnColumn(path.into()));
            }
            let name = FieldName::new(name);
            if by_hash.insert(name.hash(), entries.len() as u16).is_some() {
                return Err(FieldMapError::Twice(name.as_str().into()));
            }
            let count = uses.entry(leaf).or_default();
            entries.push(Entry { name, leaf, rank: *count, shared: false });
            *count = count.saturating_add(1);
        }
        for entry in &mut entries {
            entry.shared = uses[&entry.leaf] > 1;
        }
        let mut map = Self { id: "".into(), entries, by_hash };
        let digest = blake3::hash(map.to_text().as_bytes()).to_hex();
        map.id = digest[..16].into();
        Ok(map)
    }

    /// The map of records that have no pack: nothing is mapped.
    pub fn empty() -> Self {
        Self::new([]).expect("no pair can be wrong where there is none")
    }

    /// The id: the first 16 hexadecimal digits of the BLAKE3 of the stored form.
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The stored form: a line `name<TAB>column` each.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            let path = LEAVES[entry.leaf as usize].path;
            writeln!(text, "{}\t{path}", entry.name.as_str()).expect("a String takes all");
        }
        text
    }

    /// Reads the stored form.
    pub fn from_text(text: &str) -> Result<Self, FieldMapError> {
        let pairs: Result<Vec<_>, _> = text
            .lines()
            .enumerate()
            .map(|(at, line)| line.split_once('\t').ok_or(FieldMapError::Malformed(at + 1)))
            .collect();
        Self::new(pairs?)
    }

    /// The leaf path that `name` is mapped to.
    pub fn column_of(&self, name: &FieldName) -> Option<&'static str> {
        self.find(name.hash(), name.as_str()).map(|entry| LEAVES[entry.leaf as usize].path)
    }

    /// The place of `name` among the fields of the leaf that it is mapped to, the primary first.
    pub fn rank_of(&self, name: &FieldName) -> Option<u16> {
        self.find(name.hash(), name.as_str()).map(|entry| entry.rank)
    }

    /// True where a vendor field of this map goes to the leaf.
    pub fn fills(&self, path: &str) -> bool {
        leaf_index(path).is_some_and(|leaf| self.entries.iter().any(|entry| entry.leaf == leaf))
    }

    pub(crate) fn find(&self, hash: u64, name: &str) -> Option<&Entry> {
        let entry = &self.entries[*self.by_hash.get(&hash)? as usize];
        entry.name.is(name).then_some(entry)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// The maps at hand, by id.
#[derive(Debug, Clone, Default)]
pub struct FieldMaps(HashMap<Arc<str>, Arc<FieldMap>>);

impl FieldMaps {
    /// No maps but the empty one.
    pub fn new() -> Self {
        let mut maps = Self(HashMap::new());
        maps.add(Arc::new(FieldMap::empty()));
        maps
    }

    /// Adds a map; the same content twice is one map.
    pub fn add(&mut self, map: Arc<FieldMap>) {
        self.0.insert(Arc::clone(map.id()), map);
    }

    /// The map with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<FieldMap>> {
        self.0.get(id)
    }

    /// All maps, in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<FieldMap>> {
        let mut maps: Vec<_> = self.0.values().collect();
        maps.sort_by(|left, right| left.id().cmp(right.id()));
        maps.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_content() {
        let pairs = [("CommandLine", "process.cmd_line"), ("Image", "process.path")];
        let map = FieldMap::new(pairs).unwrap();
        let again = FieldMap::from_text(&map.to_text()).unwrap();
        assert_eq!(map.id(), again.id());
        assert_ne!(map.id(), FieldMap::empty().id());
        assert_eq!(again.column_of(&FieldName::new("commandline")), Some("process.cmd_line"));
    }

    #[test]
    fn bad_maps_are_refused() {
        let error = |pairs: &[(&str, &str)]| FieldMap::new(pairs.iter().copied()).unwrap_err();
        assert_eq!(error(&[("a", "nope")]), FieldMapError::UnknownColumn("nope".into()));
        assert_eq!(error(&[("a", "event_id")]), FieldMapError::OwnColumn("event_id".into()));
        assert_eq!(
            error(&[("a", "user.name"), ("A", "user.uid")]),
            FieldMapError::Twice("A".into())
        );
        assert_eq!(FieldMap::from_text("x").unwrap_err(), FieldMapError::Malformed(1));
    }
}

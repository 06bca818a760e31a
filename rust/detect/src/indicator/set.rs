//! All indicators, each found by one look-up.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write as _};
use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bigsec_event::Problem;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

mod make;

use make::Maker;

use super::marks::{self, Marks, SHORT};
use super::read::{self, IndicatorOptions};
use super::{IndicatorKind, IndicatorMatcher, Label};
use crate::sigma::{Metadata, Tags};

/// Words of the filter of endings: 2^14 bits.
const ENDINGS: usize = 256;

/// A set of indicators. Immutable and shared; each thread has its own [`IndicatorMatcher`].
pub struct IndicatorSet {
    hasher: RandomState,
    /// All values, one after the other.
    values: String,
    entries: Vec<Entry>,
    labels: Vec<Label>,
    by_value: HashTable<u32>,
    /// Networks by their bits as IPv6 and their length there.
    networks: HashMap<(u128, u8), u32, RandomState>,
    /// The lengths that there are, longest first.
    prefixes: Vec<u8>,
    /// Addresses that stand in an indicator with a port.
    with_port: HashSet<IpAddr, RandomState>,
    has: [usize; IndicatorKind::ALL.len()],
    has_v6: bool,
    /// Whether some name of a host is in another script than ASCII.
    has_international: bool,
    /// How names of hosts and files end, as a filter of bits.
    endings: [u64; ENDINGS],
    has_odd_names: bool,
    marks: Marks,
    version: String,
}

impl fmt::Debug for IndicatorSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IndicatorSet of {}", self.len())
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    begin: u32,
    length: u16,
    kind: IndicatorKind,
    label: u32,
    valid_until_us: i64,
}

/// One indicator of a set.
#[derive(Debug, Clone, Copy)]
pub struct Indicator<'s> {
    /// What it is.
    pub kind: IndicatorKind,
    /// Its one spelling.
    pub value: &'s str,
    /// What its feed says of it.
    pub label: &'s Label,
    /// It hits no events from then on, µs UTC; `i64::MAX` where it does not end.
    pub valid_until_us: i64,
}

impl Indicator<'_> {
    /// Whether it still counts for an event of that time, µs UTC.
    pub fn holds_at(&self, time_us: i64) -> bool {
        time_us < self.valid_until_us
    }
}

/// A set, and what is wrong with its files.
#[derive(Debug)]
pub struct LoadedIndicators {
    /// All that could be taken.
    pub set: Arc<IndicatorSet>,
    /// Every row that could not, with its place and the mend.
    pub problems: Vec<Problem>,
    /// Indicators that stood there more than once; the worst level counts.
    pub repeated: usize,
}

impl IndicatorSet {
    /// Reads lists (one a line) and tables (CSV or TSV with a header line), in order.
    ///
    /// A table has a column `indicator` (or `value`, `ioc`), and may have `type`, `family` (or `name`,
    /// `malware`), `level`, `tags`, `valid_until`, `reference`. What can be told by its shape needs
    /// no type.
    pub fn load(paths: &[PathBuf], options: IndicatorOptions) -> LoadedIndicators {
        let mut maker = Maker::new();
        let mut problems = Vec::new();
        for path in paths {
            problems.extend(read::read(path, options, &mut |row| maker.take(row)));
        }
        let repeated = maker.repeated;
        LoadedIndicators { set: Arc::new(maker.finish()), problems, repeated }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many there are of a kind.
    pub fn count(&self, kind: IndicatorKind) -> usize {
        self.has[kind as usize]
    }

    /// Hash of what they say, in hexadecimal.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A matcher with buffers of its own.
    pub fn matcher(self: &Arc<Self>) -> IndicatorMatcher {
        IndicatorMatcher::new(Arc::clone(self))
    }

    /// The indicator at a place.
    ///
    /// # Panics
    /// Where there is none.
    pub fn get(&self, place: u32) -> Indicator<'_> {
        let entry = &self.entries[place as usize];
        Indicator {
            kind: entry.kind,
            value: self.value(entry),
            label: &self.labels[entry.label as usize],
            valid_until_us: entry.valid_until_us,
        }
    }

    /// What a hit is called, in the shape of a rule. Its id is the same for the same indicator,
    /// whichever file it came in.
    ///
    /// # Panics
    /// Where there is no indicator at that place.
    pub fn head(&self, place: u32) -> Metadata {
        let Indicator { kind, value, label, .. } = self.get(place);
        let mut tags = Tags::default();
        let parts = label.tags.split([' ', ',', ';', '|']).filter(|tag| !tag.is_empty());
        parts.for_each(|tag| {
            tags.add(tag);
        });
        let mut title = format!("Known indicator: {} {value}", kind.as_str());
        if !label.name.is_empty() {
            let _ = write!(title, " ({})", label.name);
        }
        let references =
            Some(label.reference.clone()).filter(|text| !text.is_empty()).into_iter().collect();
        Metadata {
            id: id_of(kind, value),
            title,
            level: label.level,
            references,
            attack_techniques: tags.techniques,
            attack_tactics: tags.tactics,
            cves: tags.cves,
            tags: tags.all,
            ..Metadata::default()
        }
    }

    pub(super) fn has(&self, kind: IndicatorKind) -> bool {
        self.has[kind as usize] > 0
    }

    pub(super) fn has_addresses(&self) -> bool {
        use IndicatorKind::{Ip, IpPort, Network};
        self.has(Ip) || self.has(IpPort) || self.has(Network)
    }

    pub(super) fn has_v6(&self) -> bool {
        self.has_v6
    }

    pub(super) fn has_international(&self) -> bool {
        self.has_international
    }

    /// Whether some name of a file is not one word with a dot in it.
    pub(super) fn has_odd_names(&self) -> bool {
        self.has_odd_names
    }

    /// Whether a text is short and has none of the marks that every indicator of this set has which
    /// fits into it.
    pub(super) fn is_too_plain(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        bytes.len() < SHORT
            && !self.has_odd_names
            && (!self.marks.is_in(bytes) || marks::is_time(bytes))
    }

    /// Whether a name in lower case ends like one of this kind: few names of files end like a
    /// domain, and none like a time of day.
    pub(super) fn may_be(&self, kind: IndicatorKind, name: &[u8]) -> bool {
        let (word, bit) = ending(kind, name);
        self.endings[word] & bit != 0
    }

    /// The place of an indicator in its one spelling.
    pub(super) fn find(&self, kind: IndicatorKind, value: &[u8]) -> Option<u32> {
        let found = self.by_value.find(self.hash(kind, value), |place| {
            let entry = &self.entries[*place as usize];
            entry.kind == kind && self.value(entry).as_bytes() == value
        });
        found.copied()
    }

    /// The places of all networks that hold the address, smallest first.
    pub(super) fn networks_of(&self, address: IpAddr) -> impl Iterator<Item = u32> {
        let bits = bits_of(address);
        self.prefixes
            .iter()
            .filter_map(move |prefix| self.networks.get(&(masked(bits, *prefix), *prefix)).copied())
    }

    /// Whether some indicator is this address with a port.
    pub(super) fn is_with_port(&self, address: IpAddr) -> bool {
        self.with_port.contains(&address)
    }

    fn hash(&self, kind: IndicatorKind, value: &[u8]) -> u64 {
        hash_of(&self.hasher, kind, value)
    }

    fn value(&self, entry: &Entry) -> &str {
        text_of(&self.values, entry)
    }
}

/// The id of an indicator, as STIX writes such ids; a UUID of version 8 (RFC 9562).
fn id_of(kind: IndicatorKind, value: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind.as_str().as_bytes()).update(b"\0").update(value.as_bytes());
    let hash = *hasher.finalize().as_bytes();
    let mut id = u128::from_be_bytes(*hash.first_chunk().expect("a hash has 32 bytes"));
    id = id & !(0xf << 76) | 8 << 76;
    id = id & !(3 << 62) | 2 << 62;
    let (a, b, c, d) = (id >> 96, id >> 80 & 0xffff, id >> 64 & 0xffff, id >> 48 & 0xffff);
    format!("indicator--{a:08x}-{b:04x}-{c:04x}-{d:04x}-{:012x}", id & 0xffff_ffff_ffff)
}

/// An address as IPv6, IPv4 where it has its place there.
fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn masked(bits: u128, prefix: u8) -> u128 {
    bits & u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or_default()
}

fn text_of<'v>(values: &'v str, entry: &Entry) -> &'v str {
    let begin = entry.begin as usize;
    &values[begin..begin + usize::from(entry.length)]
}

/// The bit of a name's last four bytes.
fn ending(kind: IndicatorKind, name: &[u8]) -> (usize, u64) {
    let mut last = [0; 4];
    let from = name.len().saturating_sub(last.len());
    last[..name.len() - from].copy_from_slice(&name[from..]);
    let mixed = (u32::from_le_bytes(last) ^ kind as u32).wrapping_mul(0x9e37_79b1);
    let place = (mixed >> 18) as usize;
    (place / 64 % ENDINGS, 1 << (place % 64))
}

fn hash_of(hasher: &RandomState, kind: IndicatorKind, value: &[u8]) -> u64 {
    let mut hasher = hasher.build_hasher();
    hasher.write(value);
    hasher.write_u8(kind as u8);
    hasher.finish()
}

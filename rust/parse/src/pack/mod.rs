//! Parser packs: data that say what the fields of a log source mean. A new source needs no Rust.
//!
//! A pack is one YAML file, its name the id with `.yaml`. Its keys, in the order in which they
//! work on a record:
//!
//! | key | what it holds |
//! |---|---|
//! | `id`, `title`, `about` | its name, and what it reads, for people |
//! | `decoder` | the syntax: an id of [`DECODERS`](crate::decode::DECODERS), or a list of them |
//! | `recognise` | a list of conditions on the decoded record, of which one must hold; without it, every record of the decoder is the pack's |
//! | `priority` | packs of one decoder are asked in falling priority (0 where not given), then by id |
//! | `rename` | `{from, to}`: source's names to the vendor's |
//! | `patterns` | prose of a field into further fields |
//! | `pairs` | fields that the record itself names |
//! | `derive` | structured values of a field into further fields |
//! | `variants` | kinds of record: what they set, and how they map |
//! | `values` | a vendor's words and codes into the schema's numbers |
//! | `constants` | columns with the same text in every event |
//! | `time` | `{field, format}`: the first that can be read is the event's time |
//! | `fields` | which column of the event schema holds which field |
//! | `samples` | raw records and what must come out of them |
//!
//! Names of fields compare without ASCII case and spaces, values without ASCII case.
//!
//! # Conditions
//!
//! A mapping of fields to tests that must all hold:
//! ```yaml
//! {Channel: Security, EventID: [4624, 4625], Image: {suffix: '\cmd.exe'}, uid: {present: true}}
//! ```
//! A scalar or list is equality with one of them; `prefix`, `suffix` and `contains` take the same,
//! and where a field has several of these, all must hold; `present` asks whether the field is
//! there, whatever its value. Of a repeated field, one value must fit.
//!
//! # rename
//!
//! `from` is a name, in which `*` stands for one element between dots and `**`, at the end, for
//! all that is left; `to` may use them as `$1`, `$2`. Names without a wildcard come first, then
//! the first of the others that fits. `{from: Event.System.*.#attributes.*, to: $1_$2}` makes
//! `Provider_Name` of `Event.System.Provider.#attributes.Name`.
//!
//! # patterns
//!
//! A list of groups `{field, when, first_of: [{fits, set}]}`. Of each group whose condition
//! `when` holds, the first pattern that fits adds its values as fields and sets its columns. The
//! language is described in [`crate::pattern`].
//!
//! # pairs
//!
//! `{field, when, between, is}`: names and values in a text, `{field: text, between: ', ', is: ': '}`
//! for `SrcIP: 192.0.2.7, User: li`. A value ends where the next name stands. Or `{names, values}`:
//! two fields that repeat, `{names: Parameters.Name, values: Parameters.Value}` for
//! `[{Name: To, Value: x}]`, which becomes `Parameters.To`.
//!
//! # derive
//!
//! `{field, split, into: {part: field}}` with the splits `http_request` (method, uri, version,
//! `version_number`, path, query), `url` (scheme, host, port, path, query), `account` (domain, user),
//! `path` (folder, name), `mailbox` (local, domain), and `comma_list` and `pipe_list` (item, which is repeated). The field
//! itself stays.
//!
//! # fields, variants, values, constants
//!
//! `fields` maps columns to a field or a list of fields, the primary first: a rule that asks for
//! the primary is answered by the column alone, alternates are kept in `unmapped` too. A variant
//! is `{when, set, fields}`; the first whose condition holds counts. Its `fields` replace the
//! columns they name, and draw fields they use away from other columns; an empty list leaves a
//! column out. `values` are `{column, field, map}`, looked up by the first value of the field; a
//! key that ends in `*` fits by its beginning; the first entry of a column that has an answer
//! counts.
//!
//! Where several would set one column, a pattern comes before a variant, that before `values`,
//! and those before `constants`. A column that one of them sets must not stand in `fields`.
//!
//! # time
//!
//! Formats: `rfc3339`, `rfc3164`, `clf`, `any` (of those that programs put before their lines), `epoch` (the unit by the size of the number), `epoch_s`,
//! `epoch_ms`, `epoch_us`, `epoch_ns`, or a layout such as `%Y-%m-%d %H:%M:%S`. Where a time is
//! spread over several fields, `field` lists them; their texts are joined by blanks.
//!
//! # Messages of syslog
//!
//! A record of the decoders `json`, `cef`, `leef`, `auditd`, `key_value` and `access_log` may have
//! come as the message of a syslog record. It then has the fields of the header too:
//! `syslog.hostname`, `syslog.timestamp`, `syslog.app_name`, `syslog.pid`, `syslog.severity`,
//! `syslog.facility`, `syslog.msg_id`. Packs of the decoder `syslog` that have conditions are asked
//! before the message is looked into.
//!
//! # samples
//!
//! `{raw, received, time, columns, fields}`. What is not named is not compared; a column that must
//! stay empty is `absent`. Several lines of `raw` are several records, of which the last counts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bigsec_event::{FieldMap, FieldMaps, FieldName, Problem, codes};

use crate::parsed::DerivedText;
use crate::pattern::PatternSet;
use crate::time::TimeFormat;

mod apply;
mod compile;
mod condition;
mod faults;
mod file;
mod index;
mod pairs;
mod rename;
mod sample;
mod split;
mod value_map;
mod variant;

pub(crate) use apply::Scratch;
use condition::Condition;
use faults::Faults;
pub(crate) use index::PackIndex;
use pairs::Pairs;
use rename::Renames;
use sample::Sample;
use split::Split;
use value_map::ValueMap;
use variant::Variants;

/// One pack, ready to run.
#[derive(Debug)]
pub struct Pack {
    id: Arc<str>,
    title: String,
    about: String,
    decoders: Vec<&'static str>,
    priority: i32,
    recognise: Vec<Condition>,
    renames: Renames,
    patterns: Vec<PatternGroup>,
    pairs: Vec<Pairs>,
    derive: Vec<Derive>,
    time: Vec<TimeOf>,
    map: Arc<FieldMap>,
    constants: Vec<(u16, DerivedText)>,
    values: Vec<ValueMap>,
    variants: Variants,
    samples: Vec<Sample>,
}

/// Patterns over one field, tried where a condition holds.
#[derive(Debug)]
struct PatternGroup {
    field: FieldName,
    when: Condition,
    patterns: PatternSet,
    /// What each pattern sets.
    sets: Vec<Vec<(u16, DerivedText)>>,
}

/// A time that may be read.
#[derive(Debug)]
struct TimeOf {
    /// The fields that hold it, one as a rule.
    fields: Vec<FieldName>,
    format: TimeFormat,
}

/// A value split into further fields.
#[derive(Debug)]
struct Derive {
    field: FieldName,
    split: &'static Split,
    /// Part of the split and name of the field it becomes.
    into: Vec<(usize, Box<str>)>,
}

impl Pack {
    /// Its id, also the name of its file.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it reads, in a few words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it reads and how, for people.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The ids of its decoders; nearly every pack has one.
    pub fn decoders(&self) -> &[&'static str] {
        &self.decoders
    }

    /// How many samples stand in it.
    pub fn samples(&self) -> usize {
        self.samples.len()
    }

    /// Every field map that an event of this pack may have.
    pub fn maps(&self) -> impl Iterator<Item = &Arc<FieldMap>> {
        std::iter::once(&self.map).chain(self.variants.iter().map(|variant| &variant.map))
    }
}

/// All packs, by id. Immutable; shared by the parsers of all sources.
#[derive(Debug, Default)]
pub struct PackSet {
    packs: BTreeMap<Arc<str>, Arc<Pack>>,
    maps: FieldMaps,
}

/// Bytes that a pack's file may have; the largest of ours has a tenth of it.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

impl PackSet {
    /// Reads every `.yaml` file of a folder.
    ///
    /// # Errors
    /// Every fault of every file, with line and column.
    pub fn load(folder: &Path) -> Result<Self, Vec<Problem>> {
        let mut set = Self { packs: BTreeMap::new(), maps: FieldMaps::new() };
        let mut problems = Vec::new();
        for path in pack_files(folder).map_err(|problem| vec![problem])? {
            match read_file(&path) {
                Ok(pack) => set.add(pack),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(set) } else { Err(problems) }
    }

    /// Reads one pack from its text; `name` is the file's, as problems shall show it.
    pub fn read_pack(name: &str, text: &str) -> Result<Pack, Vec<Problem>> {
        let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let file = parse_file(name, text).map_err(|problem| vec![problem])?;
        let mut faults = Faults { file: name, text, list: Vec::new() };
        let pack = compile::compile(&file, stem, &mut faults);
        if faults.list.is_empty() { Ok(pack) } else { Err(faults.list) }
    }

    /// Adds a pack; one of the same id is replaced.
    pub fn add(&mut self, pack: Pack) {
        for map in pack.maps() {
            self.maps.add(Arc::clone(map));
        }
        self.packs.insert(Arc::clone(&pack.id), Arc::new(pack));
    }

    /// Every field map that an event may have.
    pub fn maps(&self) -> &FieldMaps {
        &self.maps
    }

    /// The pack with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Pack>> {
        self.packs.get(id)
    }

    /// All ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> + Clone {
        self.packs.keys().map(|id| &**id)
    }

    /// All packs, in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Pack>> {
        self.packs.values()
    }

    /// The packs of a decoder in the order in which they are asked.
    pub(crate) fn of_decoder(&self, decoder: &str) -> Vec<Arc<Pack>> {
        let mut packs: Vec<_> =
            self.iter().filter(|pack| pack.decoders.contains(&decoder)).cloned().collect();
        packs.sort_by_key(|pack| std::cmp::Reverse(pack.priority));
        packs
    }
}

fn pack_files(folder: &Path) -> Result<Vec<std::path::PathBuf>, Problem> {
    let refused = |error: &std::io::Error| {
        let code = match error.kind() {
            std::io::ErrorKind::PermissionDenied => codes::INPUT_DENIED,
            _ => codes::INPUT_NOT_FOUND,
        };
        Problem::new(code, format!("the folder of parser packs cannot be read: {error}"))
            .in_file(folder.display().to_string())
    };
    let entries = fs::read_dir(folder).map_err(|error| refused(&error))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| refused(&error))?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_file(path: &Path) -> Result<Pack, Vec<Problem>> {
    let name = path.display().to_string();
    let refused =
        |what: String| vec![Problem::new(codes::PACK_INVALID, what).in_file(name.clone())];
    let size = fs::metadata(path).map_err(|error| refused(error.to_string()))?.len();
    if size > MAX_FILE_BYTES {
        return Err(refused(format!(
            "the file has {size} bytes, a pack may have {MAX_FILE_BYTES}"
        )));
    }
    let text = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    PackSet::read_pack(&name, &text)
}

/// Reads the structure; the reader stops at the first fault of it.
fn parse_file(name: &str, text: &str) -> Result<file::PackFile, Problem> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! { max_events: 200_000, max_aliases: 1_000, max_depth: 32 },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let (line, column) =
            error.location().map_or((0, 0), |at| (at.line() as u32, at.column() as u32));
        let message = error.to_string();
        // The reader repeats the place, and names a setting of its own for duplicate keys.
        let message = message.split(" at line ").next().unwrap_or_default();
        let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or_default();
        Problem::new(codes::PACK_INVALID, message)
            .in_file(name)
            .at(line, column, 0)
            .mend("the keys of a pack stand in the reference of packs")
            .excerpt_from(text)
    })
}

//! From a pack's file to a pack that can run, with every fault of it told.

use std::net::IpAddr;
use std::sync::Arc;

use bigsec_event::schema::{LEAVES, LeafType, leaf_index};
use bigsec_event::{FieldMap, FieldName, codes};
use serde_saphyr::{Location, Spanned};

use super::condition::Condition;
use super::faults::Faults;
use super::file::{self, DeriveFile, PackFile, PairsFile, PatternGroupFile, Text, Texts, place};
use super::pairs::{Pairs, TextPairs};
use super::rename::Renames;
use super::sample::Sample;
use super::split::SPLITS;
use super::value_map::ValueMap;
use super::variant::{Variant, Variants};
use super::{Derive, Pack, PatternGroup, TimeOf};
use crate::decode::DECODERS;
use crate::parsed::DerivedText;
use crate::pattern::{Pattern, PatternSet};
use crate::time::TimeFormat;
use bigsec_event::suggest::{closest, one_of};

/// Columns and texts that the pack gives them, with the places where it says so.
type Assignments = Vec<(u16, DerivedText, Location)>;

/// Columns and the vendor's fields that go there, the primary first.
type FieldTable = Vec<(&'static str, Vec<String>)>;

/// Compiles a pack; it is good only where no fault was noted.
pub(super) fn compile(file: &PackFile, stem: &str, faults: &mut Faults<'_>) -> Pack {
    let decoders = decoders(file, faults);
    if file.id.value != stem {
        let message = format!("the id `{}` is not the file's name `{stem}`", file.id.value);
        faults.invalid(place(&file.id), message, "give both the same name");
    }
    let base = field_table(&file.fields, faults);
    let map = field_map(&base, place(&file.id), faults);
    let constants = assignments(&file.constants, faults);
    let values = value_maps(file, faults);
    let patterns: Vec<_> = file.patterns.iter().map(|group| pattern_group(group, faults)).collect();

    let always: Vec<(u16, Location)> = constants
        .iter()
        .map(|(leaf, _, at)| (*leaf, *at))
        .chain(values.iter().map(|(map, at)| (map.leaf, *at)))
        .chain(patterns.iter().flat_map(|(_, sets)| sets.iter().copied()))
        .collect();
    refuse_conflicts(&map, &always, faults);
    let variants = variants(file, &base, &always, faults);

    Pack {
        id: file.id.value.as_str().into(),
        title: file.title.clone(),
        about: file.about.clone(),
        decoders,
        priority: file.priority,
        recognise: file.recognise.iter().map(Condition::new).collect(),
        renames: renames(file, faults),
        patterns: patterns.into_iter().map(|(group, _)| group).collect(),
        pairs: file.pairs.iter().filter_map(|one| pairs(one, faults)).collect(),
        derive: file.derive.iter().filter_map(|derive| split(derive, faults)).collect(),
        time: times(file, faults),
        map,
        constants: without_places(constants),
        values: values.into_iter().map(|(map, _)| map).collect(),
        variants,
        samples: file.samples.iter().map(|sample| Sample::new(sample, faults)).collect(),
    }
}

fn decoders(file: &PackFile, faults: &mut Faults<'_>) -> Vec<&'static str> {
    let mut decoders = Vec::new();
    for given in &file.decoder.value.0 {
        let Some(decoder) = DECODERS.iter().find(|decoder| decoder.id == given) else {
            let mend = one_of(given, DECODERS.iter().map(|decoder| decoder.id));
            let message = format!("there is no decoder `{given}`");
            faults.add(codes::PACK_UNKNOWN_DECODER, place(&file.decoder), message, mend);
            continue;
        };
        decoders.push(decoder.id);
    }
    decoders
}

/// The leaf of a column that a pack may fill.
fn leaf(column: &Spanned<String>, faults: &mut Faults<'_>) -> Option<u16> {
    let path = column.value.as_str();
    let packs_may = LEAVES.iter().filter(|leaf| !leaf.own).map(|leaf| leaf.path);
    match leaf_index(path) {
        Some(leaf) if !LEAVES[usize::from(leaf)].own => Some(leaf),
        known => {
            let message = match known {
                Some(_) => format!("the column `{path}` is filled by the platform itself"),
                None => format!("the event schema has no column `{path}`"),
            };
            let mend = closest(path, packs_may).map_or_else(
                || "docs/reference/events.md lists the columns".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            faults.add(codes::PACK_UNKNOWN_COLUMN, place(column), message, mend);
            None
        }
    }
}

fn field_table(fields: &file::Pairs<Texts>, faults: &mut Faults<'_>) -> FieldTable {
    let entry = |(column, names): &(Spanned<String>, Texts)| {
        let leaf = leaf(column, faults)?;
        Some((LEAVES[usize::from(leaf)].path, names.0.clone()))
    };
    fields.0.iter().filter_map(entry).collect()
}

/// A variant's table over that of the pack: its columns replace the pack's, and a field that it
/// maps elsewhere leaves the pack's column.
fn overlaid(base: &FieldTable, over: FieldTable) -> FieldTable {
    let taken = |name: &str| {
        let name = FieldName::new(name);
        over.iter().flat_map(|(_, names)| names).any(|other| name.is(other))
    };
    let kept = base.iter().filter(|(path, _)| over.iter().all(|(other, _)| other != path));
    let kept: FieldTable = kept
        .map(|(path, names)| (*path, names.iter().filter(|name| !taken(name)).cloned().collect()))
        .collect();
    over.into_iter().chain(kept).collect()
}

fn field_map(table: &FieldTable, at: Location, faults: &mut Faults<'_>) -> Arc<FieldMap> {
    let pairs = table.iter().flat_map(|(path, names)| names.iter().map(|name| (&**name, *path)));
    let map = FieldMap::new(pairs).unwrap_or_else(|error| {
        faults.invalid(at, error.to_string(), "map each field to one column");
        FieldMap::empty()
    });
    Arc::new(map)
}

fn assignments(pairs: &file::Pairs<Text>, faults: &mut Faults<'_>) -> Assignments {
    let entry = |(column, text): &(Spanned<String>, Text)| {
        let leaf = leaf(column, faults)?;
        check_value(leaf, &text.0, place(column), faults);
        Some((leaf, DerivedText::from(text.0.as_str()), place(column)))
    };
    pairs.0.iter().filter_map(entry).collect()
}

fn without_places(assignments: Assignments) -> Vec<(u16, DerivedText)> {
    assignments.into_iter().map(|(leaf, text, _)| (leaf, text)).collect()
}

/// Notes a text that is no value of its column.
fn check_value(leaf: u16, text: &str, at: Location, faults: &mut Faults<'_>) {
    let leaf = &LEAVES[usize::from(leaf)];
    let fits = match leaf.leaf_type {
        LeafType::Int8 => text.parse::<i8>().is_ok(),
        LeafType::Int16 => text.parse::<i16>().is_ok(),
        LeafType::Int32 => text.parse::<i32>().is_ok(),
        LeafType::Int64 => text.parse::<i64>().is_ok(),
        LeafType::Ip => text.parse::<IpAddr>().is_ok(),
        LeafType::Boolean => text == "true" || text == "false",
        _ => true,
    };
    if !fits {
        let message = format!("`{text}` is no value of the column `{}`", leaf.path);
        faults.invalid(at, message, format!("it is of the type {:?}", leaf.leaf_type));
    }
}

fn value_maps(file: &PackFile, faults: &mut Faults<'_>) -> Vec<(ValueMap, Location)> {
    let entry = |value: &super::file::ValueFile| {
        let leaf = leaf(&value.column, faults)?;
        for (key, text) in &value.map.0 {
            check_value(leaf, &text.0, place(key), faults);
        }
        let pairs = value.map.0.iter().map(|(key, text)| (key.value.clone(), text.0.clone()));
        Some((ValueMap::new(leaf, &value.field, pairs), place(&value.column)))
    };
    file.values.iter().filter_map(entry).collect()
}

/// The group, and the columns that its patterns fill.
fn pattern_group(
    group: &PatternGroupFile,
    faults: &mut Faults<'_>,
) -> (PatternGroup, Vec<(u16, Location)>) {
    let (mut patterns, mut sets, mut filled) = (Vec::new(), Vec::new(), Vec::new());
    for file in &group.first_of {
        match Pattern::new(&file.fits.value) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => {
                faults.invalid(place(&file.fits), error.to_string(), "see the pattern language");
                continue;
            }
        }
        let set = assignments(&file.set, faults);
        filled.extend(set.iter().map(|(leaf, _, at)| (*leaf, *at)));
        sets.push(without_places(set));
    }
    let group = PatternGroup {
        field: FieldName::new(&group.field),
        when: Condition::new(&group.when),
        patterns: PatternSet::new(patterns),
        sets,
    };
    (group, filled)
}

fn variants(
    file: &PackFile,
    base: &FieldTable,
    always: &[(u16, Location)],
    faults: &mut Faults<'_>,
) -> Variants {
    let mut list: Vec<Variant> = Vec::new();
    for file in &file.variants {
        let over = field_table(&file.fields, faults);
        let at = file.when.0.first().map_or(Location::UNKNOWN, |(key, _)| place(key));
        if file.when.0.is_empty() {
            faults.invalid(at, "a variant has no condition", "name the fields it is known by");
        }
        let map = field_map(&overlaid(base, over), at, faults);
        let set = assignments(&file.set, faults);
        let own: Vec<_> = set.iter().map(|(leaf, _, at)| (*leaf, *at)).collect();
        refuse_conflicts(&map, always, faults);
        refuse_conflicts(&map, &own, faults);
        list.push(Variant { when: Condition::new(&file.when), set: without_places(set), map });
    }
    Variants::new(list)
}

/// A column that the pack fills itself must not be one that a field is mapped to: which of the two
/// a rule means could not be told from the stored event.
fn refuse_conflicts(map: &FieldMap, filled: &[(u16, Location)], faults: &mut Faults<'_>) {
    for (leaf, at) in filled {
        let path = LEAVES[usize::from(*leaf)].path;
        let message = format!("`{path}` is filled here and by a field of `fields` too");
        let known = faults.list.iter().any(|problem| problem.message == message);
        if map.fills(path) && !known {
            faults.invalid(*at, message, "keep one of the two");
        }
    }
}

fn renames(file: &PackFile, faults: &mut Faults<'_>) -> Renames {
    let mut renames = Renames::default();
    for rename in &file.rename {
        if let Err(what) = renames.add(&rename.from.value, &rename.to.value) {
            faults.invalid(place(&rename.from), what, "see `rename` in the reference of packs");
        }
    }
    renames
}

fn pairs(file: &PairsFile, faults: &mut Faults<'_>) -> Option<Pairs> {
    match (&file.field, &file.names) {
        (Some(field), None) => {
            let given = [&file.between, &file.is].map(|text| text.as_deref().unwrap_or_default());
            let [between, is] = given;
            if between.is_empty() || is.is_empty() {
                let mend = "write both, as in {field: text, between: ', ', is: ': '}";
                faults.invalid(place(field), "the pairs have no `between` or no `is`", mend);
                return None;
            }
            Some(Pairs::Text(TextPairs {
                field: FieldName::new(&field.value),
                when: Condition::new(&file.when),
                between: between.into(),
                is: is.into(),
            }))
        }
        (None, Some(names)) => {
            let Some(values) = &file.values else {
                faults.invalid(place(names), "the names have no `values`", "name their field");
                return None;
            };
            Some(Pairs::lists(&names.value, values))
        }
        (field, names) => {
            let at = field.as_ref().or(names.as_ref()).map_or(Location::UNKNOWN, place);
            let mend = "name either `field`, `between` and `is`, or `names` and `values`";
            faults.invalid(at, "pairs stand in one field or in two lists", mend);
            None
        }
    }
}

fn split(file: &DeriveFile, faults: &mut Faults<'_>) -> Option<Derive> {
    let given = file.split.value.as_str();
    let Some(split) = SPLITS.iter().find(|split| split.id == given) else {
        let mend = one_of(given, SPLITS.iter().map(|split| split.id));
        faults.invalid(place(&file.split), format!("there is no split `{given}`"), mend);
        return None;
    };
    let mut into = Vec::new();
    for (part, name) in &file.into.0 {
        let Some(at) = split.parts.iter().position(|known| *known == part.value) else {
            let message = format!("`{given}` has no part `{}`", part.value);
            let mend = one_of(&part.value, split.parts.iter().copied());
            faults.invalid(place(part), message, mend);
            continue;
        };
        into.push((at, name.as_str().into()));
    }
    Some(Derive { field: FieldName::new(&file.field), split, into })
}

fn times(file: &PackFile, faults: &mut Faults<'_>) -> Vec<TimeOf> {
    let mut times = Vec::new();
    for time in &file.time {
        let Some(format) = TimeFormat::named(&time.format.value) else {
            let message = format!("`{}` is no format of times", time.format.value);
            let mend = "use rfc3339, rfc3164, clf, epoch, epoch_s, epoch_ms, epoch_us, epoch_ns \
                        or a strptime layout such as %Y-%m-%d %H:%M:%S";
            faults.invalid(place(&time.format), message, mend);
            continue;
        };
        let fields = time.field.0.iter().map(|field| FieldName::new(field)).collect();
        times.push(TimeOf { fields, format });
    }
    times
}

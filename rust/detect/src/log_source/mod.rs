//! Which events a rule is meant for: the routing table, read from a data file at run time.
//!
//! A rule names its log source (`product: windows`, `category: process_creation`); the table says
//! by which fields the events of that source are known, and what the rule's fields are called
//! there. For each rule the **most specific entry** counts: of the entries whose every key the
//! rule has with the same value, the one with the most keys; of several with as many, the one
//! with a `category`, then the one with a `service`, then the one with a `product`, then the
//! first. So `{product: linux, service: clamav}` falls back to `{product: linux}`.

mod derive;
mod read;

use std::path::Path;
use std::sync::Arc;

use bigsec_event::Problem;

pub(crate) use derive::Derivation;

use crate::sigma::{Names, Node};

/// The `logsource` of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSource {
    /// The product, in lower case.
    pub product: Option<String>,
    /// The category, in lower case.
    pub category: Option<String>,
    /// The service, in lower case.
    pub service: Option<String>,
}

impl LogSource {
    /// True where the rule says nothing about its log source.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How specific this is for a rule with log source `rule`; nothing where it does not fit.
    fn fit(&self, rule: &Self) -> Option<(usize, [bool; 3])> {
        let keys = [
            (&self.category, &rule.category),
            (&self.service, &rule.service),
            (&self.product, &rule.product),
        ];
        let fits = keys.iter().all(|(own, wanted)| own.is_none() || own == wanted);
        let has = keys.map(|(own, _)| own.is_some());
        fits.then(|| (has.iter().filter(|has| **has).count(), has))
    }
}

impl std::fmt::Display for LogSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys =
            [("product", &self.product), ("category", &self.category), ("service", &self.service)];
        let shown: Vec<_> = keys
            .iter()
            .filter_map(|(key, value)| value.as_ref().map(|value| format!("{key}: {value}")))
            .collect();
        f.write_str(&shown.join(", "))
    }
}

/// The routing table. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct LogSources {
    table: Arc<Table>,
}

/// The contents of the table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub entries: Vec<Entry>,
    /// The names that the table's predicates use.
    pub names: Names,
    /// The hash of the file's contents.
    pub hash: [u8; 32],
}

/// One log source and how its events are known.
#[derive(Debug)]
pub(crate) struct Entry {
    source: LogSource,
    pub alternatives: Vec<Alternative>,
}

/// One way to know an event of a log source.
#[derive(Debug)]
pub(crate) struct Alternative {
    /// The parser packs that may have read it; empty for any.
    pub parsers: Vec<String>,
    /// What must hold of its fields, if anything.
    pub predicate: Option<Node>,
    /// Where the fields of rules are found in it, if not under their own names.
    pub fields: Vec<(String, Derivation)>,
}

impl LogSources {
    /// Reads the table. Nothing is left out in silence: any fault refuses the whole table.
    ///
    /// # Errors
    /// All faults of the file, with their places.
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        let file = path.display().to_string();
        match crate::files::read_text(path) {
            Ok(text) => Self::from_text(&file, &text),
            Err(problem) => Err(vec![problem.in_file(file)]),
        }
    }

    /// Reads the table from a text; `name` is what problems call it.
    ///
    /// # Errors
    /// All faults of the text, with their places.
    pub fn from_text(name: &str, text: &str) -> Result<Self, Vec<Problem>> {
        read::read(name, text).map(|table| Self { table: Arc::new(table) })
    }

    /// The entries of the table.
    pub(crate) fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Number of log sources in the table.
    pub fn len(&self) -> usize {
        self.table.entries.len()
    }

    /// True for the table without entries: every rule is tried on every event.
    pub fn is_empty(&self) -> bool {
        self.table.entries.is_empty()
    }
}

impl Table {
    /// The most specific entry for a rule's log source.
    pub fn route(&self, source: &LogSource) -> Option<usize> {
        self.entries
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| {
                entry.source.fit(source).map(|fit| (fit, std::cmp::Reverse(index)))
            })
            .max()
            .map(|(_, std::cmp::Reverse(index))| index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(product: &str, category: &str, service: &str) -> LogSource {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        LogSource { product: some(product), category: some(category), service: some(service) }
    }

    #[test]
    fn the_most_specific_entry_counts() {
        let entries = [
            source("linux", "", ""),
            source("", "process_creation", ""),
            source("linux", "process_creation", ""),
            source("linux", "", "sshd"),
            source("", "dns", ""),
        ];
        let entries = entries.map(|source| Entry { source, alternatives: Vec::new() }).into();
        let table = Table { entries, ..Table::default() };
        for (rule, expected) in [
            (source("linux", "", ""), Some(0)),
            (source("linux", "", "clamav"), Some(0)),
            (source("linux", "process_creation", ""), Some(2)),
            (source("macos", "process_creation", ""), Some(1)),
            (source("linux", "process_creation", "sshd"), Some(2)),
            (source("linux", "dns", ""), Some(4)),
            (source("", "dns", ""), Some(4)),
            (source("macos", "", ""), None),
            (source("", "", ""), None),
        ] {
            assert_eq!(table.route(&rule), expected, "{rule}");
        }
    }
}

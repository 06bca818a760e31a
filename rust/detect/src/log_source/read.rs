//! Reads the routing table.
//!
//! ```yaml
//! log_sources:
//!   - product: windows
//!     category: process_creation
//!     events:                          # any of these ways to know an event
//!       - parser: [windows_event]      # optional
//!         where: {Channel: Security, EventID: 4688}   # a Sigma selection
//!         fields:                      # optional
//!           Image: NewProcessName
//!           User: {from: [SubjectDomainName, SubjectUserName], with: '\'}
//! ```

use std::collections::BTreeMap;

use bigsec_event::{Problem, codes};

use super::{Alternative, Derivation, Entry, LogSource, Table};
use crate::sigma::{Names, Node, Reader};
use crate::yaml::{self, Data, Report};
use bigsec_event::suggest::did_you_mean;

const ENTRY_KEYS: [&str; 4] = ["product", "category", "service", "events"];
const EVENT_KEYS: [&str; 3] = ["parser", "where", "fields"];
const FIELD_KEYS: [&str; 5] = ["from", "with", "prefixes", "values", "before"];

/// Reads a table; the error is all faults of it.
pub(super) fn read(name: &str, text: &str) -> Result<Table, Vec<Problem>> {
    let mut report = Report::new(name, text);
    let documents = yaml::parse(&mut report);
    let mut names = Names::default();
    let mut entries: Vec<Entry> = Vec::new();
    for document in &documents {
        let table = TableReader { report: &mut report, names: &mut names };
        entries.extend(table.document(document));
    }
    if report.len() > 0 {
        return Err(report.into_problems());
    }
    let mut canonical = Vec::new();
    for document in &documents {
        document.canonical(&mut canonical);
    }
    Ok(Table { entries, names, hash: *blake3::hash(&canonical).as_bytes() })
}

struct TableReader<'r, 'a> {
    report: &'r mut Report<'a>,
    names: &'r mut Names,
}

impl TableReader<'_, '_> {
    fn fault(&mut self, node: &yaml::Node, message: impl Into<String>, mend: impl Into<String>) {
        self.report.fault(node.span, codes::RULE_STRUCTURE, message, mend);
    }

    fn check_keys(&mut self, node: &yaml::Node, known: &[&str]) {
        for entry in node.entries() {
            if !known.contains(&&*entry.key) {
                let message = format!("the key {:?} is unknown here", entry.key);
                let mend = did_you_mean(&entry.key, known.iter().copied(), known.join(", "));
                self.report.fault(entry.key_span, codes::RULE_STRUCTURE, message, mend);
            }
        }
    }

    fn document(mut self, document: &yaml::Node) -> Vec<Entry> {
        let Some(list) = document.get("log_sources") else {
            self.fault(document, "the table has no `log_sources`", "write the list below it");
            return Vec::new();
        };
        let mut entries: Vec<Entry> = Vec::new();
        for node in list.as_list() {
            let entry = self.entry(node);
            if entries.iter().any(|known| known.source == entry.source) {
                let message = format!("the log source {} stands twice", entry.source);
                self.fault(node, message, "merge the two");
            }
            entries.push(entry);
        }
        entries
    }

    fn entry(&mut self, node: &yaml::Node) -> Entry {
        self.check_keys(node, &ENTRY_KEYS);
        let key = |key| node.get(key).and_then(yaml::Node::scalar_text).map(str::to_lowercase);
        let source = LogSource {
            product: key("product"),
            category: key("category"),
            service: key("service"),
        };
        if source.is_empty() {
            self.fault(node, "the entry names no log source", "add product, category or service");
        }
        let events = node.get("events").map_or(&[][..], yaml::Node::as_list);
        if events.is_empty() {
            self.fault(node, "the entry knows no event", "add `events`");
        }
        // A list within the list is another entry's, repeated by an alias.
        let events = events.iter().flat_map(yaml::Node::as_list);
        let alternatives = events.filter_map(|event| self.alternative(event)).collect();
        Entry { source, alternatives }
    }

    fn alternative(&mut self, node: &yaml::Node) -> Option<Alternative> {
        self.check_keys(node, &EVENT_KEYS);
        let parsers: Vec<String> = node
            .get("parser")
            .map_or(&[][..], yaml::Node::as_list)
            .iter()
            .filter_map(yaml::Node::scalar_text)
            .map(str::to_owned)
            .collect();
        let predicate = match node.get("where") {
            Some(predicate) => Some(self.predicate(predicate)?),
            None => None,
        };
        if parsers.is_empty() && predicate.is_none() {
            self.fault(node, "nothing says how to know the event", "add `parser` or `where`");
        }
        let fields = node.get("fields").map_or(&[][..], yaml::Node::entries);
        let fields = fields
            .iter()
            .filter_map(|entry| Some((entry.key.to_string(), self.derivation(&entry.value)?)))
            .collect();
        Some(Alternative { parsers, predicate, fields })
    }

    /// A predicate is a mapping of fields, all of which must hold, or a list of such mappings.
    fn predicate(&mut self, node: &yaml::Node) -> Option<Node> {
        if let Data::List(items) = &node.data {
            let any = items.iter().map(|item| self.predicate(item)).collect::<Option<Vec<_>>>()?;
            return Some(Node::Any(any));
        }
        let Data::Map(entries) = &node.data else {
            self.fault(node, "`where` must be a mapping", "write it as in {EventID: 1}");
            return None;
        };
        let mut items = Vec::new();
        for entry in entries {
            if entry.key.is_empty() || entry.key.starts_with('|') {
                self.fault(node, "`where` seeks no keywords", "name a field");
                return None;
            }
            let placeholders = BTreeMap::new();
            let mut reader =
                Reader { report: self.report, names: self.names, placeholders: &placeholders };
            items.push(reader.item(&entry.key, entry.key_span, &entry.value)?);
        }
        Some(Node::All(items))
    }

    fn derivation(&mut self, node: &yaml::Node) -> Option<Derivation> {
        if let Some(name) = node.scalar_text() {
            return Some(Derivation { from: vec![name.to_owned()], ..Derivation::default() });
        }
        self.check_keys(node, &FIELD_KEYS);
        let text =
            |key| node.get(key).and_then(yaml::Node::scalar_text).unwrap_or_default().to_owned();
        let pairs = |key| {
            let entries = node.get(key).map_or(&[][..], yaml::Node::entries).iter();
            entries
                .filter_map(|entry| {
                    Some((entry.key.to_string(), entry.value.scalar_text()?.to_owned()))
                })
                .collect::<Vec<_>>()
        };
        let from: Vec<String> = node
            .get("from")
            .map_or(&[][..], yaml::Node::as_list)
            .iter()
            .filter_map(yaml::Node::scalar_text)
            .map(str::to_owned)
            .collect();
        if from.is_empty() {
            self.fault(node, "nothing says which field it is made from", "add `from`");
            return None;
        }
        Some(Derivation {
            from,
            with: text("with"),
            prefixes: pairs("prefixes"),
            values: pairs("values"),
            before: text("before"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_table_has_a_place() {
        let text = "log_sources:\n  - produkt: x\n    events: [{}]\n  - {product: a, events: \
                    [{where: {x|contians: 1}}]}\n  - {product: a}\n";
        let problems = read("t.yml", text).unwrap_err();
        let lines: Vec<_> = problems.iter().map(|problem| problem.place.line).collect();
        assert_eq!(lines, [2, 2, 3, 4, 5, 5], "{problems:#?}");
        assert!(problems.iter().any(|problem| problem.mend.contains("\"product\"")));
        assert!(problems.iter().any(|problem| problem.mend.contains("\"contains\"")));
    }
}

//! From the documents of a file to rules: collections with `action`, and what is no rule.

use bigsec_event::codes;

use super::correlation;
use super::detection::Detection;
use super::draft::Placeholders;
use super::filter::{self, Filter};
use super::item::Reader;
use super::metadata;
use super::names::Names;
use super::rule::{Metadata, Rule};
use crate::yaml::{self, Data, Report, update};
use bigsec_event::suggest::did_you_mean;

/// What is loaded of a file, and what is passed over.
pub(super) struct File<'r> {
    pub names: &'r mut Names,
    pub placeholders: &'r Placeholders,
    /// Whether a rule with that metadata is wanted.
    pub wanted: &'r dyn Fn(&Metadata) -> bool,
    pub rules: Vec<Rule>,
    /// Named rules that are not wanted themselves, but may be by a correlation.
    pub aside: Vec<Rule>,
    pub correlations: Vec<correlation::Draft>,
    pub filters: Vec<Filter>,
    /// Rules seen, whatever became of them.
    pub seen: usize,
    /// Rules left out because of a problem.
    pub refused: usize,
    /// Rules that are sound as far as was looked, and not wanted.
    pub passed_over: usize,
}

impl File<'_> {
    /// Reads all rules of a file. What is wrong goes to the report.
    pub fn read(&mut self, report: &mut Report<'_>) {
        let before = report.len();
        let documents = yaml::parse(report);
        if report.len() > before {
            self.seen += 1;
            self.refused += 1;
        }
        let mut global = None;
        let mut previous = None;
        for document in documents {
            let Some(rule) = self.collect(document, &mut global, &mut previous, report) else {
                continue;
            };
            self.seen += 1;
            let problems = report.len();
            let taken = if rule.get("correlation").is_some() {
                self.correlation(&rule, report)
            } else if rule.get("filter").is_some() {
                self.filter(&rule, report)
            } else {
                self.rule(&rule, report)
            };
            if !taken && report.len() > problems {
                self.refused += 1;
            } else if !taken {
                self.passed_over += 1;
            }
        }
    }

    /// Carries out the `action` of a document; the rule that comes of it, if any.
    fn collect(
        &mut self,
        mut document: yaml::Node,
        global: &mut Option<yaml::Node>,
        previous: &mut Option<yaml::Node>,
        report: &mut Report<'_>,
    ) -> Option<yaml::Node> {
        if document.is_null() {
            return None;
        }
        if !matches!(document.data, Data::Map(_)) {
            let message = format!("a rule must be a mapping, not {}", document.kind());
            let mend = "begin the document with `title: …`";
            report.fault(document.span, codes::RULE_STRUCTURE, message, mend);
            (self.seen, self.refused) = (self.seen + 1, self.refused + 1);
            return None;
        }
        let action = document.get("action").cloned();
        let Some(action) = action else {
            if let Some(global) = global {
                update(&mut document, global);
            }
            *previous = Some(document.clone());
            return Some(document);
        };
        if let Data::Map(entries) = &mut document.data {
            entries.retain(|entry| &*entry.key != "action");
        }
        match action.scalar_text().unwrap_or_default() {
            "global" => {
                *global = Some(document.clone());
                *previous = Some(document);
                None
            }
            "reset" => {
                *global = None;
                None
            }
            "repeat" => {
                let mut repeated = previous.take().unwrap_or_else(|| document.clone());
                update(&mut repeated, &document);
                repeated.span = document.span;
                *previous = Some(repeated.clone());
                Some(repeated)
            }
            other => {
                let message = format!("the action {other:?} is unknown");
                let mend = did_you_mean(other, ["global", "reset", "repeat"], "remove it");
                report.fault(action.span, codes::RULE_STRUCTURE, message, mend);
                (self.seen, self.refused) = (self.seen + 1, self.refused + 1);
                None
            }
        }
    }

    /// Takes a rule in; false where it is not wanted or not sound.
    fn rule(&mut self, document: &yaml::Node, report: &mut Report<'_>) -> bool {
        let before = report.len();
        let metadata = metadata::read(document, report);
        let sound = report.len() == before;
        let is_wanted = (self.wanted)(&metadata);
        if sound && !is_wanted && metadata.name.is_empty() {
            return false;
        }
        let Some(detection) = self.detection(document, report).filter(|_| sound) else {
            return false;
        };
        let rule = Rule {
            metadata: with_id(metadata, document),
            path: report.file().to_owned(),
            line: document.span.line,
            log_source_line: document
                .entries()
                .iter()
                .find(|entry| &*entry.key == "logsource")
                .map_or(document.span.line, |entry| entry.key_span.line),
            hash: hash(document),
            detection,
            gives_signals: is_wanted,
        };
        if is_wanted {
            self.rules.push(rule);
        } else {
            self.aside.push(rule);
        }
        is_wanted
    }

    fn filter(&mut self, document: &yaml::Node, report: &mut Report<'_>) -> bool {
        let before = report.len();
        let metadata = metadata::read(document, report);
        let Some(node) = document.get("filter") else { return false };
        let (names, placeholders) = (&mut *self.names, self.placeholders);
        let reader = Reader { report: &mut *report, names, placeholders };
        let read = filter::read(node, &metadata, hash(document), reader);
        let Some(read) = read.filter(|_| report.len() == before) else { return false };
        self.filters.push(read);
        true
    }

    fn correlation(&mut self, document: &yaml::Node, report: &mut Report<'_>) -> bool {
        let before = report.len();
        let metadata = metadata::read(document, report);
        let sound = report.len() == before;
        if sound && !(self.wanted)(&metadata) {
            return false;
        }
        let metadata = with_id(metadata, document);
        let draft = correlation::read(document, metadata, hash(document), report);
        let Some(draft) = draft.filter(|_| sound) else { return false };
        self.correlations.push(draft);
        true
    }

    fn detection(&mut self, document: &yaml::Node, report: &mut Report<'_>) -> Option<Detection> {
        let Some(node) = document.get("detection").filter(|node| !node.is_null()) else {
            metadata::missing(document, "rule", "detection", report);
            return None;
        };
        let placeholders = self.placeholders;
        Reader { report, names: self.names, placeholders }.detection(node)
    }
}

fn hash(document: &yaml::Node) -> [u8; 32] {
    let mut canonical = Vec::new();
    document.canonical(&mut canonical);
    *blake3::hash(&canonical).as_bytes()
}

fn with_id(mut metadata: Metadata, document: &yaml::Node) -> Metadata {
    if metadata.id.is_empty() {
        metadata.id = derived_id(document);
    }
    metadata
}

/// An id for a rule without one: the same detection under the same title has the same.
fn derived_id(document: &yaml::Node) -> String {
    let mut canonical = Vec::new();
    for key in ["title", "detection", "correlation"] {
        if let Some(node) = document.get(key) {
            node.canonical(&mut canonical);
        }
    }
    let hash = blake3::hash(&canonical);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    // Version 8 and variant 1 of RFC 9562: a UUID whose bits are our own.
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    metadata::hyphenated(&format!("{:032x}", u128::from_be_bytes(bytes)))
}

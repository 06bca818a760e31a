//! Filters: one exception for many rules (Sigma's filters, version 2.1).
//!
//! A filter's condition must hold besides that of each rule that it is for: `not selection` leaves
//! out what is known to be harmless. It is for rules whose log source has all that its own says.

use bigsec_event::suggest::closest;
use bigsec_event::{Problem, codes};

use super::detection::Detection;
use super::item::Reader;
use super::metadata;
use super::rule::{Metadata, Rule};
use super::test::Node;
use crate::log_source::LogSource;
use crate::yaml::{self, Data, Report, Span};

/// Words for every rule of the log source.
const ALL: [&str; 2] = ["any", "all"];
/// The key of `filter` that is no part of its detection.
const RULES: &str = "rules";

/// A filter ready to be applied.
#[derive(Debug)]
pub(super) struct Filter {
    path: String,
    log_source: LogSource,
    /// Names or ids, and where they stand; nothing where it is for all of the log source.
    rules: Option<Vec<(String, Span)>>,
    detection: Detection,
    hash: [u8; 32],
}

/// Reads the part that only filters have; what is wrong goes to the report.
pub(super) fn read(
    node: &yaml::Node,
    metadata: &Metadata,
    hash: [u8; 32],
    mut reader: Reader<'_, '_>,
) -> Option<Filter> {
    let before = reader.report.len();
    let rules = named_rules(node, reader.report);
    let mut detection = node.clone();
    if let Data::Map(entries) = &mut detection.data {
        entries.retain(|entry| &*entry.key != RULES);
    }
    let detection = reader.detection(&detection)?;
    if reader.report.len() > before {
        return None;
    }
    let path = reader.report.file().to_owned();
    Some(Filter { path, log_source: metadata.log_source.clone(), rules, detection, hash })
}

fn named_rules(node: &yaml::Node, report: &mut Report<'_>) -> Option<Vec<(String, Span)>> {
    let Some(named) = node.get(RULES).filter(|rules| !rules.is_null()) else {
        metadata::missing(node, "filter", RULES, report);
        return None;
    };
    let is_all = named.text().is_some_and(|word| ALL.contains(&word.to_lowercase().as_str()));
    if is_all || matches!(&named.data, Data::List(items) if items.is_empty()) {
        return None;
    }
    let mut rules = Vec::new();
    for item in named.as_list() {
        if let Some(name) = item.scalar_text().filter(|name| !name.is_empty()) {
            rules.push((name.to_owned(), item.span));
        } else {
            let message = format!("a rule is named by text, not {}", item.kind());
            let mend = "write names or ids of rules, or `any`";
            report.fault(item.span, codes::RULE_STRUCTURE, message, mend);
        }
    }
    Some(rules)
}

impl Filter {
    /// Adds its condition to the rules that it is for; tells of names that fit none of them.
    pub fn apply(&self, rules: &mut [Rule], problems: &mut Vec<Problem>) {
        let mut fault = |span: &Span, message: String, mend: String| {
            problems.push(
                Problem::new(codes::RULE_REFERENCE, message)
                    .mend(mend)
                    .at(span.line, span.column, span.length)
                    .in_file(&self.path),
            );
        };
        let Some(named) = &self.rules else {
            let of_source = rules.iter_mut().filter(|rule| self.is_for(&rule.metadata));
            return of_source.for_each(|rule| self.add_to(rule));
        };
        for (name, span) in named {
            let is_it = |rule: &&mut Rule| [&rule.metadata.id, &rule.metadata.name].contains(&name);
            if let Some(rule) = rules.iter_mut().find(is_it) {
                if self.is_for(&rule.metadata) {
                    self.add_to(rule);
                } else {
                    let message = format!("the rule {name:?} is of another log source");
                    let source = &rule.metadata.log_source;
                    fault(span, message, format!("the rule's is {source}; the filter must fit it"));
                }
                continue;
            }
            let known = rules.iter().flat_map(|rule| [&rule.metadata.name, &rule.metadata.id]);
            let near = closest(name, known.map(String::as_str).filter(|key| !key.is_empty()));
            let mend = near.map_or_else(
                || "load the rule too, or take the name out".to_owned(),
                |near| format!("did you mean {near:?}?"),
            );
            fault(span, format!("there is no rule with the name or id {name:?}"), mend);
        }
    }

    fn is_for(&self, rule: &Metadata) -> bool {
        let (own, other) = (&self.log_source, &rule.log_source);
        let fits = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
        fits(&own.product, &other.product)
            && fits(&own.category, &other.category)
            && fits(&own.service, &other.service)
    }

    fn add_to(&self, rule: &mut Rule) {
        let Detection { selections, condition, text } = &mut rule.detection;
        let offset = selections.len();
        let more = self.detection.selections.iter();
        selections.extend(more.map(|(name, node)| (name.clone(), node.clone())));
        let own = std::mem::replace(condition, Node::All(Vec::new()));
        *condition = Node::All(vec![own, shifted(&self.detection.condition, offset)]);
        *text = format!("({text}) and ({})", self.detection.text);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&rule.hash).update(&self.hash);
        rule.hash = *hasher.finalize().as_bytes();
    }
}

/// A condition whose selections stand so many places further on.
fn shifted(node: &Node, offset: usize) -> Node {
    let all = |nodes: &[Node]| nodes.iter().map(|node| shifted(node, offset)).collect();
    match node {
        Node::All(nodes) => Node::All(all(nodes)),
        Node::Any(nodes) => Node::Any(all(nodes)),
        Node::AtLeast(count, nodes) => Node::AtLeast(*count, all(nodes)),
        Node::Not(inner) => Node::Not(Box::new(shifted(inner, offset))),
        Node::Selection(index) => Node::Selection(index + offset),
        Node::Field(_) | Node::Keywords(_) => node.clone(),
    }
}

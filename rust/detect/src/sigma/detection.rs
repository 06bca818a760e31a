//! The `detection` of a rule: its selections, and the condition over them.

use bigsec_event::{Problem, codes};

use super::condition::{self, At, Expression, Fault, Quantity};
use super::item::Reader;
use super::metadata;
use super::test::Node;
use crate::yaml::{self, Data, Report, Span};
use bigsec_event::suggest::did_you_mean;

/// Keys of `detection` that are no selections.
const RESERVED: [&str; 2] = ["condition", "timeframe"];

/// A detection ready to be asked.
#[derive(Debug, Clone)]
pub(crate) struct Detection {
    /// The selections by name, in the rule's order.
    pub selections: Vec<(String, Node)>,
    pub condition: Node,
    /// The conditions as written, joined by `or`.
    pub text: String,
}

impl Reader<'_, '_> {
    /// Reads a whole detection. What is wrong goes to the report.
    pub fn detection(&mut self, node: &yaml::Node) -> Option<Detection> {
        let before = self.report.len();
        let Data::Map(entries) = &node.data else {
            let message = format!("`detection` must be a mapping, not {}", node.kind());
            let mend = "write the selections and a `condition` below it";
            self.report.fault(node.span, codes::RULE_STRUCTURE, message, mend);
            return None;
        };
        let mut names = Vec::new();
        let mut nodes = Vec::new();
        for entry in entries.iter().filter(|entry| !RESERVED.contains(&&*entry.key)) {
            names.push(entry.key.to_string());
            nodes.push(self.selection(&entry.key, entry.key_span, &entry.value));
        }
        if names.is_empty() {
            let mend = "write at least one selection beside `condition`";
            let message = "the detection has no selection";
            self.report.fault(node.span, codes::RULE_STRUCTURE, message, mend);
            return None;
        }
        let conditions = self.conditions(node, &names);
        if self.report.len() > before {
            return None;
        }
        let text =
            conditions.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(" or ");
        let nodes = nodes.into_iter().collect::<Option<Vec<_>>>()?;
        Some(ordered(names, nodes, conditions.into_iter().map(|(_, node)| node).collect(), text))
    }

    /// A selection: a mapping (all of it), a list of mappings (any of them), or keywords.
    fn selection(&mut self, name: &str, span: Span, node: &yaml::Node) -> Option<Node> {
        match &node.data {
            Data::Map(entries) if entries.is_empty() => self.empty(name, span),
            Data::List(items) if items.is_empty() => self.empty(name, span),
            Data::Null => self.empty(name, span),
            Data::Map(entries) => {
                let items = entries
                    .iter()
                    .map(|entry| self.item(&entry.key, entry.key_span, &entry.value))
                    .collect::<Vec<_>>();
                Some(Node::All(items.into_iter().collect::<Option<_>>()?))
            }
            Data::List(items) if items.iter().any(is_compound) => {
                let parts = items
                    .iter()
                    .map(|item| self.selection(name, item.span, item))
                    .collect::<Vec<_>>();
                Some(Node::Any(parts.into_iter().collect::<Option<_>>()?))
            }
            _ => self.plain_keywords(span, node),
        }
    }

    fn empty(&mut self, name: &str, span: Span) -> Option<Node> {
        let message = format!("the selection {name:?} asks for nothing");
        let mend = "give it fields or keywords, or remove it";
        self.report.fault(span, codes::RULE_STRUCTURE, message, mend);
        None
    }

    fn conditions(&mut self, detection: &yaml::Node, names: &[String]) -> Vec<(String, Node)> {
        let written = detection.get("condition").map_or(&[][..], yaml::Node::as_list);
        if written.is_empty() {
            metadata::missing(detection, "detection", "condition", self.report);
        }
        written.iter().filter_map(|node| self.condition(node, names)).collect()
    }

    fn condition(&mut self, node: &yaml::Node, names: &[String]) -> Option<(String, Node)> {
        let Some(text) = node.scalar_text() else {
            let message = format!("a condition must be text, not {}", node.kind());
            let mend = "write it as in \"selection and not filter\"";
            self.report.fault(node.span, codes::RULE_STRUCTURE, message, mend);
            return None;
        };
        match condition::parse(text).and_then(|expression| resolve(&expression, names)) {
            Ok(resolved) => Some((text.trim().to_owned(), resolved)),
            Err(Fault { at, problem }) => {
                self.report.add(place_within(self.report, node, text, at), *problem);
                None
            }
        }
    }
}

fn is_compound(node: &yaml::Node) -> bool {
    matches!(node.data, Data::List(_) | Data::Map(_))
}

/// Puts the tree together, with what is cheap to ask first.
fn ordered(
    names: Vec<String>,
    mut nodes: Vec<Node>,
    mut conditions: Vec<Node>,
    text: String,
) -> Detection {
    let costs: Vec<u32> = nodes.iter_mut().map(|node| node.order(&[])).collect();
    let mut condition = match conditions.pop() {
        Some(only) if conditions.is_empty() => only,
        last => Node::Any(conditions.into_iter().chain(last).collect()),
    };
    condition.order(&costs);
    Detection { selections: names.into_iter().zip(nodes).collect(), condition, text }
}

/// Replaces names and patterns by the selections they stand for.
fn resolve(expression: &Expression, names: &[String]) -> Result<Node, Fault> {
    let list = |operands: &[Expression]| {
        operands.iter().map(|operand| resolve(operand, names)).collect::<Result<Vec<_>, _>>()
    };
    Ok(match expression {
        Expression::Name(name, at) => match names.iter().position(|known| known == name) {
            Some(index) => Node::Selection(index),
            None => return Err(Fault::new(*at, unknown(name, names))),
        },
        Expression::Of(quantity, pattern, at) => {
            let found = matching(pattern, names);
            match quantity {
                _ if found.is_empty() => return Err(Fault::new(*at, fits_none(pattern, names))),
                Quantity::All => Node::All(found),
                Quantity::Some(1) => Node::Any(found),
                Quantity::Some(count) if *count > found.len() => {
                    return Err(Fault::new(*at, too_many(*count, pattern, found.len())));
                }
                Quantity::Some(count) => Node::AtLeast(*count, found),
            }
        }
        Expression::Not(inner) => Node::Not(Box::new(resolve(inner, names)?)),
        Expression::And(operands) => Node::All(list(operands)?),
        Expression::Or(operands) => Node::Any(list(operands)?),
    })
}

/// The selections that a pattern names. Names that begin with `_` are only found by patterns that
/// do so, too: they are for use by name.
fn matching(pattern: &str, names: &[String]) -> Vec<Node> {
    let fits = |name: &str| pattern == "them" || star_matches(pattern, name);
    names
        .iter()
        .enumerate()
        .filter(|(_, name)| fits(name) && (pattern.starts_with('_') || !name.starts_with('_')))
        .map(|(index, _)| Node::Selection(index))
        .collect()
}

fn star_matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if names.len() > 8 { ", …" } else { "" };
    format!("the selections are: {shown}{more}")
}

fn unknown(name: &str, names: &[String]) -> Problem {
    let message = format!("the condition names {name:?}, which is no selection of the rule");
    let mend = did_you_mean(name, names.iter().map(String::as_str), listed(names));
    Problem::new(codes::RULE_UNKNOWN_SELECTION, message).mend(mend)
}

fn fits_none(pattern: &str, names: &[String]) -> Problem {
    let message = format!("no selection of the rule fits {pattern:?}");
    Problem::new(codes::RULE_UNKNOWN_SELECTION, message).mend(listed(names))
}

fn too_many(count: usize, pattern: &str, found: usize) -> Problem {
    let message = format!("{count} selections are asked for, but {pattern:?} fits only {found}");
    let mend = format!("ask for at most {found}, or write \"all of {pattern}\"");
    Problem::new(codes::RULE_CONDITION, message).mend(mend)
}

/// The place of a part of a condition, exact where the condition stands literally on one line.
fn place_within(report: &Report<'_>, node: &yaml::Node, text: &str, at: At) -> Span {
    let span = node.span;
    let line =
        report.text().lines().nth((span.line as usize).saturating_sub(1)).unwrap_or_default();
    let from: String = line.chars().skip((span.column as usize).saturating_sub(1)).collect();
    let quote = u32::from(from.starts_with(['\'', '"']));
    if from.get(quote as usize..).is_some_and(|from| from.starts_with(text)) {
        let column = span.column + quote + at.offset as u32;
        return Span { column, length: at.length as u32, ..span };
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_selections() {
        let names = ["sel_a", "sel_b", "filter", "_hidden"].map(str::to_owned);
        let found = |pattern| matching(pattern, &names).len();
        for (pattern, expected) in [
            ("them", 3),
            ("sel_*", 2),
            ("*", 3),
            ("*l*e*", 1),
            ("*_b", 1),
            ("filter", 1),
            ("_*", 1),
            ("fil*r", 1),
            ("filt*lter", 0),
        ] {
            assert_eq!(found(pattern), expected, "{pattern}");
        }
    }
}

//! Why a rule matches an event or does not: every question with its answer.

use std::fmt;

use bigsec_event::FieldSource;

use super::evaluate::Event;
use super::matcher::Matcher;
use super::rule::Rule;
use super::test::{FieldItem, KeywordItem, Node, Written};

/// Values of the event shown with a question, and how much of each.
const MAX_VALUES: usize = 8;
const MAX_SHOWN: usize = 200;

/// A question and its answer, with the questions that it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What is asked, in the rule's words.
    pub question: String,
    /// The line of the rule's file; 0 where it stands on none.
    pub line: u32,
    /// The answer.
    pub holds: bool,
    /// What the event has there; empty for a missing field.
    pub found: Vec<String>,
    /// What it is made of, in the rule's order.
    pub parts: Vec<Explanation>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl Explanation {
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let mark = if self.holds { "yes" } else { "no " };
        write!(f, "{mark} {:1$}{2}", "", depth * 2, self.question)?;
        if !self.found.is_empty() {
            write!(f, "  [{}]", self.found.join(" | "))?;
        }
        writeln!(f)?;
        self.parts.iter().try_for_each(|part| part.write(f, depth + 1))
    }
}

impl Matcher {
    /// Explains a rule, given by its place in [`RuleSet::rules`](super::RuleSet::rules), on an
    /// event; nothing where there is no such rule.
    pub fn explain(&mut self, rule: u32, source: &dyn FieldSource) -> Option<Explanation> {
        let rules = self.begin();
        let asked = rules.rules().get(rule as usize)?;
        let mut views = Vec::new();
        let mut claimed = false;
        for route in &rules.routes {
            if self.belongs(&rules, rules.alternative(route), source) {
                claimed = true;
                if route.rules.contains(&rule) {
                    views.push(&route.view);
                }
            }
        }
        let anywhere = rules.everywhere.contains(&rule);
        let is_unclaimed = !claimed && rules.unclaimed.contains(&rule);
        let belongs = !views.is_empty() || anywhere || is_unclaimed;
        if views.is_empty() {
            views.push(&None);
        }
        // Of several ways to know the event, the one that matches explains most.
        let mut detection = None;
        for view in views {
            let mut event = self.event(&rules, view, source);
            let explained = node(&mut event, &asked.detection.condition, asked);
            let holds = explained.holds;
            detection = Some(explained);
            if holds {
                break;
            }
        }
        let detection = detection?;
        let log_source = Explanation {
            question: format!("log source {}", asked.metadata.log_source),
            line: 0,
            holds: belongs,
            found: vec![format!("parser {}", source.parser())],
            parts: Vec::new(),
        };
        Some(Explanation {
            question: asked.metadata.title.clone(),
            line: asked.line,
            holds: belongs && detection.holds,
            found: Vec::new(),
            parts: vec![log_source, detection],
        })
    }
}

fn node(event: &mut Event<'_>, asked: &Node, rule: &Rule) -> Explanation {
    let selections = &rule.detection.selections;
    let holds = event.holds(asked, selections);
    let (question, line, parts, found) = match asked {
        Node::All(nodes) => ("all of".to_owned(), 0, parts(event, nodes, rule), Vec::new()),
        Node::Any(nodes) => ("any of".to_owned(), 0, parts(event, nodes, rule), Vec::new()),
        Node::AtLeast(count, nodes) => {
            (format!("at least {count} of"), 0, parts(event, nodes, rule), Vec::new())
        }
        Node::Not(inner) => {
            ("not".to_owned(), 0, parts(event, std::slice::from_ref(inner), rule), Vec::new())
        }
        Node::Selection(index) => {
            let (name, selection) = &selections[*index];
            let part = node(event, selection, rule);
            (name.clone(), part.line, vec![part], Vec::new())
        }
        Node::Field(item) => {
            (question(&item.written), item.written.line, Vec::new(), found(event, item))
        }
        Node::Keywords(item) => keywords(item),
    };
    Explanation { question, line, holds, found, parts }
}

/// Explains several nodes in the rule's order, which is not the order in which they are asked.
fn parts(event: &mut Event<'_>, nodes: &[Node], rule: &Rule) -> Vec<Explanation> {
    let mut parts: Vec<_> = nodes.iter().map(|asked| node(event, asked, rule)).collect();
    parts.sort_by_key(first_line);
    parts
}

fn first_line(explanation: &Explanation) -> u32 {
    let below = explanation.parts.iter().map(first_line).filter(|line| *line > 0).min();
    if explanation.line > 0 { explanation.line } else { below.unwrap_or(0) }
}

fn keywords(item: &KeywordItem) -> (String, u32, Vec<Explanation>, Vec<String>) {
    (question(&item.written), item.written.line, Vec::new(), Vec::new())
}

fn question(written: &Written) -> String {
    let key = if written.key.is_empty() { "keywords" } else { &written.key };
    let values: Vec<&str> = written.values.iter().take(MAX_VALUES).map(|value| &**value).collect();
    let more = written.values.len().saturating_sub(MAX_VALUES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{key}: {}{more}", values.join(" | "))
}

fn found(event: &mut Event<'_>, item: &FieldItem) -> Vec<String> {
    let values = event.values(item.field);
    let cache = &*event.cache;
    let shown = |text: &str| text.chars().take(MAX_SHOWN).collect();
    cache.values(values).iter().take(MAX_VALUES).map(|value| shown(cache.text(value))).collect()
}

#[cfg(test)]
mod tests {
    use crate::{LoadOptions, LogSources, RuleSet};
    use bigsec_event::{Kind, Record};

    const TABLE: &str = "log_sources: [{product: a, events: [{where: {id: 1}, fields: {x: y}}]}]";
    const RULE: &str = "title: T\nlogsource: {product: a}\ndetection:\n  s:\n    x|re: b\n    z: 1\n  \
                        f: [word]\n  condition: s and not f\n";

    #[test]
    fn every_question_has_its_answer_in_the_order_of_the_rule() {
        let log_sources = LogSources::from_text("t", TABLE).unwrap();
        let options = LoadOptions { log_sources, ..LoadOptions::default() };
        let loaded = RuleSet::from_texts(&[("r", RULE)], &options);
        assert_eq!(loaded.problems, []);
        let mut record = Record::new();
        for (name, value) in [("id", "1"), ("y", "abc"), ("z", "2")] {
            record.push(name, value, Kind::String);
        }
        let mut matcher = loaded.rules.matcher();
        let explained = matcher.explain(0, &record).unwrap().to_string();
        let expected = "\
no  T
yes   log source product: a  [parser none]
no    all of
no      s
no        all of
yes         x|re: b  [abc]
no          z: 1  [2]
yes     not
no        f
no          keywords: word
";
        assert_eq!(explained, expected);
        assert_eq!(matcher.explain(1, &record), None);
    }
}

//! From the document of a correlation rule to a draft: all that can be said without other rules.

mod kind;

use bigsec_event::codes;
use bigsec_event::suggest::did_you_mean;

use super::super::metadata;
use super::super::rule::Metadata;
use super::{BASES_MAX, Kind};
use crate::yaml::{Data, Node, Report, Span};

const KEYS: [&str; 7] =
    ["type", "rules", "group-by", "timespan", "condition", "aliases", "generate"];
/// No window is longer: 100 days.
const TIMESPAN_MAX_S: i64 = 100 * 86_400;

/// A correlation rule whose rules are names yet.
#[derive(Debug)]
pub(in super::super) struct Draft {
    pub metadata: Metadata,
    pub path: String,
    pub line: u32,
    pub hash: [u8; 32],
    pub kind: Kind,
    /// Names or ids, and where they stand.
    pub rules: Vec<(String, Span)>,
    pub group_by: Vec<String>,
    pub field: Option<String>,
    pub aliases: Vec<Alias>,
    pub timespan_us: i64,
    pub generate: bool,
}

/// A name for fields that are called otherwise in each rule.
#[derive(Debug)]
pub(in super::super) struct Alias {
    pub name: String,
    /// Rule, field, and where the rule's name stands.
    pub fields: Vec<(String, String, Span)>,
}

/// Reads the parts that only correlation rules have; what is wrong goes to the report.
pub(in super::super) fn read(
    document: &Node,
    metadata: Metadata,
    hash: [u8; 32],
    report: &mut Report<'_>,
) -> Option<Draft> {
    let node = document.get("correlation")?;
    let before = report.len();
    let mut reader = Reader { report };
    if !matches!(node.data, Data::Map(_)) {
        let message = format!("`correlation` must be a mapping, not {}", node.kind());
        reader.fault(node.span, message, "write type, rules, timespan and condition below it");
        return None;
    }
    reader.refuse_unknown_keys(node);
    let rules = reader.rules(node);
    let kind = reader.kind(node, &rules);
    let (timespan_us, group_by) = (reader.timespan(node), reader.group_by(node));
    let (aliases, generate) = (reader.aliases(node), reader.generate(document, node));
    let (kind, field) = kind?;
    let sound = reader.report.len() == before;
    sound.then(|| Draft {
        metadata,
        path: report.file().to_owned(),
        line: document.span.line,
        hash,
        kind,
        rules,
        group_by,
        field,
        aliases,
        timespan_us,
        generate,
    })
}

struct Reader<'r, 'a> {
    report: &'r mut Report<'a>,
}

impl Reader<'_, '_> {
    fn fault(&mut self, span: Span, message: impl Into<String>, mend: impl Into<String>) {
        self.report.fault(span, codes::RULE_STRUCTURE, message.into(), mend.into());
    }

    fn needed<'n>(&mut self, node: &'n Node, key: &str) -> Option<&'n Node> {
        let found = node.get(key).filter(|value| !value.is_null());
        if found.is_none() {
            metadata::missing(node, "correlation", key, self.report);
        }
        found
    }

    fn refuse_unknown_keys(&mut self, node: &Node) {
        for entry in node.entries() {
            if !KEYS.contains(&&*entry.key) {
                let mend = did_you_mean(&entry.key, KEYS, "remove it");
                self.fault(entry.key_span, format!("a correlation has no {:?}", entry.key), mend);
            }
        }
    }

    fn rules(&mut self, node: &Node) -> Vec<(String, Span)> {
        let Some(node) = self.needed(node, "rules") else { return Vec::new() };
        let mut rules: Vec<(String, Span)> = Vec::new();
        for item in node.as_list() {
            let name = item.scalar_text().unwrap_or_default().to_owned();
            if name.is_empty() {
                let message = format!("a rule is named by text, not {}", item.kind());
                self.fault(item.span, message, "write the `name` or the `id` of a rule");
            } else if rules.iter().any(|(known, _)| *known == name) {
                self.fault(item.span, format!("{name:?} is named twice"), "remove one of the two");
            } else {
                rules.push((name, item.span));
            }
        }
        if rules.len() > BASES_MAX {
            let message = format!("a correlation names at most {BASES_MAX} rules");
            self.fault(node.span, message, "split it into a chain of correlations");
        }
        rules
    }

    fn timespan(&mut self, node: &Node) -> i64 {
        let Some(node) = self.needed(node, "timespan") else { return 0 };
        let text = node.scalar_text().unwrap_or_default();
        let (number, unit) =
            text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
        let unit_s = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => 0,
        };
        let seconds = number.parse::<u32>().ok().map(|number| i64::from(number) * unit_s);
        let Some(seconds) = seconds.filter(|seconds| *seconds > 0) else {
            let message = format!("the timespan {text:?} cannot be read");
            self.fault(node.span, message, "write a number and s, m, h or d, as in `90m`");
            return 0;
        };
        if seconds > TIMESPAN_MAX_S {
            let message = "a timespan is 100 days at most";
            self.report.fault(node.span, codes::RULE_BUDGET, message.to_owned(), "write less");
        }
        seconds.min(TIMESPAN_MAX_S) * 1_000_000
    }

    fn group_by(&mut self, node: &Node) -> Vec<String> {
        let Some(node) = node.get("group-by").filter(|one| !one.is_null()) else {
            return Vec::new();
        };
        let mut names = Vec::new();
        for item in node.as_list() {
            match item.scalar_text() {
                Some(name) if !name.is_empty() => names.push(name.to_owned()),
                _ => {
                    let message = format!("`group-by` names fields, not {}", item.kind());
                    self.fault(item.span, message, "write names of fields, or aliases");
                }
            }
        }
        names
    }

    fn aliases(&mut self, node: &Node) -> Vec<Alias> {
        let Some(node) = node.get("aliases").filter(|one| !one.is_null()) else {
            return Vec::new();
        };
        let mut aliases = Vec::new();
        if !matches!(node.data, Data::Map(_)) {
            let message = format!("`aliases` must be a mapping, not {}", node.kind());
            self.fault(node.span, message, "write the alias, and below it `rule: field`");
        }
        for entry in node.entries() {
            let mut fields = Vec::new();
            if !matches!(entry.value.data, Data::Map(_)) {
                let message = format!("an alias is a mapping, not {}", entry.value.kind());
                self.fault(entry.value.span, message, "write `rule: field` below it");
            }
            for of in entry.value.entries() {
                if let Some(field) = of.value.scalar_text() {
                    fields.push((of.key.to_string(), field.to_owned(), of.key_span));
                } else {
                    let message = format!("a field is named by text, not {}", of.value.kind());
                    self.fault(of.value.span, message, "write the name of a field");
                }
            }
            aliases.push(Alias { name: entry.key.to_string(), fields });
        }
        aliases
    }

    /// It stands within the correlation or beside it: both are seen in the field.
    fn generate(&mut self, document: &Node, node: &Node) -> bool {
        let Some(found) = node.get("generate").or_else(|| document.get("generate")) else {
            return false;
        };
        if let Data::Bool(generate) = found.data {
            return generate;
        }
        self.fault(found.span, "`generate` must be true or false", "write true or false");
        false
    }
}

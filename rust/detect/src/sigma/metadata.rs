//! Reads what a rule says about itself.

use bigsec_event::codes;
use jiff::civil::{Date, DateTime};

use super::rule::{Level, Metadata, Status};
use super::tag::Tags;
use crate::log_source::LogSource;
use crate::yaml::{self, Data, Report, Span};
use bigsec_event::suggest::{closest, did_you_mean};

/// Sigma's own bound.
const MAX_TITLE: usize = 256;
/// Keys that are not a misspelling of another.
const KEYS: [&str; 6] = ["title", "logsource", "detection", "condition", "description", "date"];
const RELATIONS: [&str; 6] = ["correlation", "derived", "merged", "obsolete", "renamed", "similar"];

/// Reads the metadata; what is wrong goes to the report. Without an `id` it is left empty.
pub(super) fn read(rule: &yaml::Node, report: &mut Report<'_>) -> Metadata {
    let mut reader = Reader { rule, report };
    let tags = reader.tags();
    // A correlation is of the log sources of its rules.
    let of_events = rule.get("correlation").is_none();
    let (log_source, log_source_definition) =
        if of_events { reader.log_source() } else { <_>::default() };
    Metadata {
        id: reader.id(),
        name: reader.text("name"),
        title: reader.title(),
        status: reader.named("status", &Status::ALL.map(Status::as_str), Status::named),
        level: reader
            .named("level", &Level::ALL.map(Level::as_str), Level::named)
            .unwrap_or(Level::Medium),
        description: reader.text("description"),
        author: reader.text("author"),
        license: reader.text("license"),
        references: reader.texts("references"),
        attack_techniques: tags.techniques,
        attack_tactics: tags.tactics,
        cves: tags.cves,
        tags: tags.all,
        log_source,
        log_source_definition,
        falsepositives: reader.texts("falsepositives"),
        fields: reader.texts("fields"),
        date: reader.date("date"),
        modified: reader.date("modified"),
        related: reader.related(),
    }
}

/// Says that a mapping lacks a key that it needs, and which of its keys was perhaps meant.
pub(super) fn missing(mapping: &yaml::Node, what: &str, key: &str, report: &mut Report<'_>) {
    if let Some(entry) = mapping.entries().iter().find(|entry| &*entry.key == key) {
        let message = format!("the `{key}` of the {what} is empty");
        return report.fault(entry.key_span, codes::RULE_STRUCTURE, message, "give it a value");
    }
    let keys = mapping.entries().iter().map(|entry| &*entry.key);
    let mend = match closest(key, keys.filter(|other| !KEYS.contains(other))) {
        Some(near) => format!("rename {near:?} to {key:?}"),
        None => format!("add a `{key}`"),
    };
    let span = Span { length: 0, ..mapping.span };
    report.fault(span, codes::RULE_STRUCTURE, format!("the {what} has no `{key}`"), mend);
}

struct Reader<'r, 'a> {
    rule: &'r yaml::Node,
    report: &'r mut Report<'a>,
}

impl<'r> Reader<'r, '_> {
    fn get(&self, key: &str) -> Option<&'r yaml::Node> {
        self.rule.get(key).filter(|node| !node.is_null())
    }

    fn fault(&mut self, span: Span, message: String, mend: impl Into<String>) {
        self.report.fault(span, codes::RULE_STRUCTURE, message, mend);
    }

    fn missing(&mut self, key: &str) {
        missing(self.rule, "rule", key, self.report);
    }

    fn title(&mut self) -> String {
        let Some(node) = self.get("title") else {
            self.missing("title");
            return String::new();
        };
        let title = node.text().unwrap_or_default();
        if title.is_empty() {
            self.fault(node.span, format!("`title` must be text, not {}", node.kind()), "name it");
        }
        if title.chars().count() > MAX_TITLE {
            let message = format!("`title` has more than {MAX_TITLE} characters");
            self.fault(node.span, message, "put the rest in `description`");
        }
        title.to_owned()
    }

    fn id(&mut self) -> String {
        let Some(node) = self.get("id") else { return String::new() };
        let text = node.scalar_text().unwrap_or_default();
        uuid(text).unwrap_or_else(|| {
            let message = format!("the id {text:?} is no UUID");
            self.fault(node.span, message, "give the rule a new UUID, or remove its id");
            String::new()
        })
    }

    fn named<T>(&mut self, key: &str, known: &[&str], named: fn(&str) -> Option<T>) -> Option<T> {
        let node = self.get(key)?;
        let text = node.scalar_text().unwrap_or_default();
        let found = named(text);
        if found.is_none() {
            let mend =
                did_you_mean(text, known.iter().copied(), format!("one of {}", known.join(", ")));
            self.fault(node.span, format!("{text:?} is no {key} of Sigma"), mend);
        }
        found
    }

    fn text(&mut self, key: &str) -> String {
        let Some(node) = self.get(key) else { return String::new() };
        node.text().map_or_else(
            || {
                self.fault(
                    node.span,
                    format!("`{key}` must be text, not {}", node.kind()),
                    "quote it",
                );
                String::new()
            },
            str::to_owned,
        )
    }

    fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Data::List(items) = &node.data else {
            let message = format!("`{key}` must be a list, not {}", node.kind());
            self.fault(node.span, message, "begin each line below it with \"- \"");
            return Vec::new();
        };
        items.iter().filter_map(yaml::Node::scalar_text).map(str::to_owned).collect()
    }

    fn date(&mut self, key: &str) -> String {
        let Some(node) = self.get(key) else { return String::new() };
        let text = node.scalar_text().unwrap_or_default();
        let sound = is_date(text);
        if !sound {
            let message = format!("`{key}` {text:?} is no date");
            self.fault(node.span, message, "write it as in 2026-01-31");
        }
        text.to_owned()
    }

    fn tags(&mut self) -> Tags {
        let mut tags = Tags::default();
        let Some(node) = self.get("tags") else { return tags };
        let Data::List(items) = &node.data else {
            let message = format!("`tags` must be a list, not {}", node.kind());
            self.fault(node.span, message, "begin each line below it with \"- \"");
            return tags;
        };
        for item in items {
            if !item.text().is_some_and(|tag| tags.add(tag)) {
                let shown = item.scalar_text().unwrap_or(item.kind());
                let message = format!("the tag {shown:?} has no namespace");
                self.fault(item.span, message, "write it as in attack.t1059.001");
            }
        }
        tags
    }

    fn related(&mut self) -> Vec<(String, String)> {
        let Some(node) = self.get("related") else { return Vec::new() };
        let Data::List(items) = &node.data else {
            self.fault(node.span, "`related` must be a list".to_owned(), "list id and type");
            return Vec::new();
        };
        let mut related = Vec::new();
        for item in items {
            let id = item.get("id").and_then(yaml::Node::scalar_text).and_then(uuid);
            let kind = item.get("type").and_then(yaml::Node::scalar_text).map(str::to_lowercase);
            match (id, kind) {
                (Some(id), Some(kind)) if RELATIONS.contains(&kind.as_str()) => {
                    related.push((id, kind));
                }
                _ => {
                    let message = "a related rule needs the `id` and the `type`".to_owned();
                    let mend = format!("the types are {}", RELATIONS.join(", "));
                    self.fault(item.span, message, mend);
                }
            }
        }
        related
    }

    fn log_source(&mut self) -> (LogSource, String) {
        let Some(node) = self.rule.get("logsource") else {
            self.missing("logsource");
            return <_>::default();
        };
        if !matches!(node.data, Data::Map(_)) {
            let message = format!("`logsource` must be a mapping, not {}", node.kind());
            self.fault(node.span, message, "write product, category or service below it");
            return <_>::default();
        }
        let mut key = |name: &str| {
            let value = node.get(name).filter(|value| !value.is_null())?;
            if value.text().is_none() {
                let message = format!("`{name}` must be text, not {}", value.kind());
                self.report.fault(value.span, codes::RULE_STRUCTURE, message, "write one name");
            }
            value.text()
        };
        let lower = |text: Option<&str>| text.map(str::to_lowercase);
        let source = LogSource {
            product: lower(key("product")),
            category: lower(key("category")),
            service: lower(key("service")),
        };
        (source, key("definition").unwrap_or_default().to_owned())
    }
}

/// A UUID in its usual form, from any form in which it is written.
fn uuid(text: &str) -> Option<String> {
    let text = text.trim_start_matches("urn:uuid:").trim_matches(['{', '}']);
    let digits: String =
        text.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    let sound = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    sound.then(|| hyphenated(&digits))
}

/// 32 hexadecimal digits in the groups of a UUID.
pub(super) fn hyphenated(digits: &str) -> String {
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| &digits[range]);
    groups.join("-")
}

/// ISO dates, also with a time, and the form with slashes and fewer digits.
fn is_date(text: &str) -> bool {
    let year = text.get(..4).unwrap_or_default();
    if !year.bytes().all(|byte| byte.is_ascii_digit()) || !year.starts_with(['1', '2', '3']) {
        return false;
    }
    let parts: Vec<i16> = text.split('/').filter_map(|part| part.parse().ok()).collect();
    if let ([year, month, day], 3) = (parts.as_slice(), text.split('/').count()) {
        let small = |number: i16| i8::try_from(number).unwrap_or(-1);
        return Date::new(*year, small(*month), small(*day)).is_ok();
    }
    text.parse::<Date>().is_ok() || text.parse::<DateTime>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_in_every_usual_form() {
        let usual = "0123abcd-4567-89ab-cdef-0123456789ab";
        for text in [
            usual,
            "0123ABCD456789ABCDEF0123456789AB",
            "{0123abcd-4567-89ab-cdef-0123456789ab}",
            "urn:uuid:0123abcd-4567-89ab-cdef-0123456789ab",
        ] {
            assert_eq!(uuid(text).as_deref(), Some(usual), "{text}");
        }
        for text in
            ["", "rule-1", "0123abcd-4567-89ab-cdef-0123456789a", "é123abcd456789abcdef0123456789a"]
        {
            assert_eq!(uuid(text), None, "{text}");
        }
    }

    #[test]
    fn dates_are_read_as_rules_write_them() {
        for (text, expected) in [
            ("2024-02-29", true),
            ("2024/2/9", true),
            ("2024/02/09", true),
            ("2024-02-29T10:00:00", true),
            ("2024-02-30", false),
            ("2024/13/01", false),
            ("24/1/1", false),
            ("yesterday", false),
            ("", false),
            ("2024/01", false),
        ] {
            assert_eq!(is_date(text), expected, "{text}");
        }
    }
}

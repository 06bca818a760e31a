//! One event as a document.

use std::collections::BTreeMap;

use bigsec_event::{EventRow, FieldSource, Kind, Value};
use serde_json::{Map, Number, Value as Json};

use crate::fields::of_fields;
use crate::names::{HASHES, NAMES, PROCESS, PROTOCOLS, category};
use crate::parts::of_parts;
use crate::related::related;
use crate::sentence::of_sentence;
use crate::shape;

/// Fields of a document, in the order of their names; values of one name in their own order.
#[derive(Debug, Default)]
pub struct Document {
    fields: BTreeMap<String, Vec<Json>>,
}

/// Fields of a record beyond this are not told: their events are searched by the stored columns.
pub(crate) const MAX_FIELDS: usize = 4096;
const AUTHENTICATION: i64 = 3002;
const SUCCESS: i64 = 1;
const FAILURE: i64 = 2;
const NOBODY: &str = "none";

impl Document {
    /// The values of a name, each once.
    pub fn get(&self, name: &str) -> &[Json] {
        self.fields.get(name).map_or(&[], Vec::as_slice)
    }

    /// Writes it as one JSON object: a name with several values has a list.
    pub fn write(self, out: &mut Vec<u8>) {
        let one = |mut values: Vec<Json>| match values.len() {
            1 => values.swap_remove(0),
            _ => Json::Array(values),
        };
        let object: Map<String, Json> =
            self.fields.into_iter().map(|(name, values)| (name, one(values))).collect();
        serde_json::to_writer(out, &object).expect("a Vec takes all, and no value is refused");
    }

    pub(crate) fn put(&mut self, name: impl Into<String>, value: Json) {
        let values = self.fields.entry(name.into()).or_default();
        if !values.contains(&value) && values.len() < MAX_FIELDS {
            values.push(value);
        }
    }

    pub(crate) fn text(&mut self, name: impl Into<String>, text: &str) {
        if !text.is_empty() {
            self.put(name, Json::from(text));
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.fields.remove(name);
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    pub(crate) fn first(&self, name: &str) -> Option<String> {
        self.get(name).first().and_then(Json::as_str).map(str::to_owned)
    }
}

/// The document of an event.
pub fn document(row: &EventRow<'_>) -> Document {
    let mut columns: BTreeMap<&'static str, Json> = BTreeMap::new();
    row.visit_columns(&mut |path, value| {
        columns.insert(path, json(value));
    });
    let mut made = Document::default();
    of_columns(&columns, row, &mut made);
    of_fields(row, &mut made);
    of_parts(&mut made);
    let sentence = match columns.get("message").and_then(Json::as_str) {
        Some(message) => Some(message),
        None if row.parser() == NOBODY => row.raw(),
        None => None,
    };
    if let Some(sentence) = sentence {
        of_sentence(sentence, &mut made);
    }
    related(&mut made);
    made
}

pub(crate) fn json(value: Value<'_>) -> Json {
    match value.kind {
        Kind::Number => value
            .text
            .parse::<i64>()
            .map(Json::from)
            .or_else(|_| value.text.parse::<Number>().map(Json::Number))
            .unwrap_or_else(|_| Json::from(value.text)),
        Kind::Boolean => Json::Bool(value.text == "true"),
        _ => Json::from(value.text),
    }
}

fn of_columns(columns: &BTreeMap<&'static str, Json>, row: &EventRow<'_>, made: &mut Document) {
    let integer = |path: &str| columns.get(path).and_then(Json::as_i64);
    if let Some(us) = row.time_effective_us()
        && let Ok(time) = jiff::Timestamp::from_microsecond(us)
    {
        made.put("@timestamp", Json::from(time.to_string()));
    }
    for (path, name) in NAMES {
        if let Some(value) = columns.get(path).filter(|value| !is_nobody(value)) {
            made.put(*name, value.clone());
        }
    }
    made.text("event.module", row.parser());
    if let Some(category) = integer("class_uid").and_then(category) {
        made.text("event.category", category);
    }
    match integer("status_id") {
        Some(SUCCESS) => made.text("event.outcome", "success"),
        Some(FAILURE) => made.text("event.outcome", "failure"),
        _ => {}
    }
    if let Some(severity) = columns.get("severity_id") {
        made.put("event.severity", severity.clone());
    }
    if let Some(us) = integer("duration_us") {
        made.put("event.duration", Json::from(us.saturating_mul(1000)));
    }
    if let Some(protocol) = columns.get("connection_info.protocol_name").and_then(Json::as_str) {
        let protocol = by_number(protocol).unwrap_or(protocol);
        let is_transport = ["tcp", "udp", "icmp", "ipv6-icmp", "sctp"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(protocol));
        made.text(if is_transport { "network.transport" } else { "network.protocol" }, protocol);
    }
    if let Some(application) = columns.get("app_name").and_then(Json::as_str)
        && PROTOCOLS.iter().any(|protocol| protocol.eq_ignore_ascii_case(application))
    {
        made.text("network.protocol", application);
    }
    users(columns, integer("class_uid") == Some(AUTHENTICATION), made);
    processes(columns, made);
    for (path, name) in HASHES {
        let hashes = columns.get(path).and_then(Json::as_str).unwrap_or_default();
        for word in hashes.split([',', ';', ' ', '=', ':']) {
            if let Some(kind) = shape::hash_kind(word) {
                made.text(format!("{name}.{kind}"), word);
            }
        }
    }
}

/// The protocol of a number. Source: IANA, Assigned Internet Protocol Numbers.
fn by_number(number: &str) -> Option<&'static str> {
    Some(match number {
        "1" => "icmp",
        "6" => "tcp",
        "17" => "udp",
        "47" => "gre",
        "58" => "ipv6-icmp",
        "132" => "sctp",
        _ => return None,
    })
}

/// In a log-on the account that it is about counts, else the one that acts.
fn users(columns: &BTreeMap<&'static str, Json>, is_logon: bool, made: &mut Document) {
    let has = |whose: &str| columns.contains_key(format!("{whose}.name").as_str());
    let (first, other) = if is_logon || !has("actor.user") {
        ("user", "actor.user")
    } else {
        ("actor.user", "user")
    };
    let (first, other) = if has(first) { (first, other) } else { (other, first) };
    for (whose, below) in
        [(first, "user"), (other, if is_logon { "user.effective" } else { "user.target" })]
    {
        for (part, name) in [("name", "name"), ("uid", "id"), ("domain", "domain")] {
            let value = columns.get(format!("{whose}.{part}").as_str());
            if let Some(value) = value.filter(|value| !is_nobody(value)) {
                made.put(format!("{below}.{name}"), value.clone());
            }
        }
    }
}

/// True for what stands where there is nothing to say.
fn is_nobody(value: &Json) -> bool {
    value.as_str().is_some_and(|text| matches!(text, "" | "-" | "unknown" | "N/A"))
}

/// The process that an event is about; the one that acts is its parent, or itself.
fn processes(columns: &BTreeMap<&'static str, Json>, made: &mut Document) {
    let is_about_one =
        PROCESS.iter().any(|(part, _)| columns.contains_key(format!("process.{part}").as_str()));
    let acts_as = if is_about_one { "process.parent" } else { "process" };
    for (whose, below) in [("process", "process"), ("actor.process", acts_as)] {
        for (part, name) in PROCESS {
            let name = format!("{below}.{name}");
            if let Some(value) = columns.get(format!("{whose}.{part}").as_str())
                && !made.has(&name)
            {
                made.put(name, value.clone());
            }
        }
    }
    // Syslog's tag is the program's name; a provider of Windows is none.
    let is_windows = columns.get("metadata.product_name").and_then(Json::as_str) == Some("Windows");
    if !is_windows
        && let Some(provider) = columns.get("metadata.log_provider").and_then(Json::as_str)
        && !made.has("process.name")
        && made.has("process.pid")
    {
        made.text("process.name", provider);
    }
}

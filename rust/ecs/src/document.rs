//! One event as a document.

use std::collections::BTreeMap;

use bigsec_event::{EventRow, FieldSource, Kind, Value};
use serde_json::{Map, Number, Value as Json};

use crate::agent;
use crate::names::{FIELDS, HASHES, HOSTS, NAMES, PROCESS, PROTOCOLS, category};
use crate::prose::{self, Finding};
use crate::shape::{self, Shape};

/// Fields of a document, in the order of their names; values of one name in their own order.
#[derive(Debug, Default)]
pub struct Document {
    fields: BTreeMap<String, Vec<Json>>,
}

/// Fields of a record beyond this are not told: their events are searched by the stored columns.
const MAX_FIELDS: usize = 4096;
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

    fn put(&mut self, name: impl Into<String>, value: Json) {
        let values = self.fields.entry(name.into()).or_default();
        if !values.contains(&value) && values.len() < MAX_FIELDS {
            values.push(value);
        }
    }

    fn text(&mut self, name: impl Into<String>, text: &str) {
        if !text.is_empty() {
            self.put(name, Json::from(text));
        }
    }

    fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    fn first(&self, name: &str) -> Option<String> {
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

fn json(value: Value<'_>) -> Json {
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
        let is_transport = ["tcp", "udp", "icmp", "ipv6-icmp", "sctp"].contains(&protocol);
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
    // Syslog's tag is the program's name.
    if let Some(provider) = columns.get("metadata.log_provider").and_then(Json::as_str)
        && !made.has("process.name")
        && made.has("process.pid")
    {
        made.text("process.name", provider);
    }
}

/// The source's own fields: a name of ECS keeps it, all others stand under `unmapped`.
fn of_fields(row: &EventRow<'_>, made: &mut Document) {
    let mut count = 0;
    row.visit_unmapped(&mut |name, value| {
        count += 1;
        if count > MAX_FIELDS || matches!(value.kind, Kind::Null) {
            return;
        }
        for (known, fields) in FIELDS {
            if fields.iter().any(|field| field.eq_ignore_ascii_case(name)) && !made.has(known) {
                made.text(*known, value.text);
            }
        }
        let is_known = NAMES.iter().any(|(_, known)| *known == name);
        if is_known && !made.has(name) {
            made.put(name, json(value));
            return;
        }
        let name = format!("unmapped.{name}");
        if value.kind.has_text() {
            shaped(&name, value.text, made);
        }
        if !value.text.is_empty() {
            made.put(name, json(value));
        }
    });
}

/// Adds the parts of a value below its name.
fn shaped(name: &str, text: &str, made: &mut Document) {
    let Some(shape) = shape::of(text) else { return };
    relate(shape, text, made);
    if shape == Shape::Agent {
        for (part, value) in agent::parts(text) {
            made.text(format!("{name}.{part}"), &value);
        }
        return;
    }
    let mut parts = Vec::new();
    shape::parts(shape, text, &mut |part| parts.push(part));
    for (part, value) in parts {
        made.text(format!("{name}.{part}"), value);
        if part == "domain" || part == "address" {
            relate_host(value, made);
        }
    }
}

/// The parts of values that have a name in ECS.
fn of_parts(made: &mut Document) {
    if let Some(original) = made.first("url.original") {
        let mut parts = Vec::new();
        match shape::of(&original) {
            Some(Shape::Url) => shape::url_parts(&original, &mut |part| parts.push(part)),
            // What a client asks a proxy to connect to.
            Some(Shape::Endpoint) => {
                shape::parts(Shape::Endpoint, &original, &mut |part| parts.push(part));
                parts
                    .iter_mut()
                    .filter(|(name, _)| *name == "address")
                    .for_each(|part| part.0 = "domain");
            }
            _ => shape::reference_parts(&original, &mut |part| parts.push(part)),
        }
        below("url", &parts, made);
    }
    for name in HOSTS {
        if let Some(host) = made.first(name) {
            let mut parts = Vec::new();
            shape::host_parts(&host, &mut |part| parts.push(part));
            let (whose, _) = name.rsplit_once('.').unwrap_or((name, ""));
            below(whose, &parts, made);
        }
    }
    for whose in ["source", "destination"] {
        // Some devices write an address where a name could stand.
        let name = format!("{whose}.domain");
        if let Some(address) = made.first(&name)
            && address.parse::<std::net::IpAddr>().is_ok()
        {
            made.fields.remove(&name);
            made.text(format!("{whose}.ip"), &address);
        }
        let known = ["domain", "ip"].map(|name| made.first(&format!("{whose}.{name}")));
        if let Some(value) = known.into_iter().flatten().next() {
            made.text(format!("{whose}.address"), &value);
        }
    }
    if let Some(host) = made.first("host.name") {
        made.text("host.hostname", host.split('.').next().unwrap_or(&host));
    }
    for name in ["user.name", "user.target.name", "user.effective.name"] {
        if let Some(account) = made.first(name) {
            user_parts(name.trim_end_matches(".name"), &account, made);
        }
    }
    for (name, whose) in
        [("process.executable", "process"), ("process.parent.executable", "process.parent")]
    {
        if let Some(path) = made.first(name) {
            made.text(format!("{whose}.name"), shape::file_name(&path));
            let mut parts = Vec::new();
            shape::path_parts(&path, &mut |part| parts.push(part));
            parts.retain(|(part, _)| *part == "directory");
            below(&format!("{whose}.executable"), &parts, made);
        }
    }
    for (name, whose) in
        [("process.command_line", "process"), ("process.parent.command_line", "process.parent")]
    {
        if let Some(line) = made.first(name) {
            for argument in arguments(&line) {
                made.text(format!("{whose}.args"), argument);
            }
        }
    }
    for (name, whose) in [("file.path", "file"), ("file.name", "file"), ("dll.path", "dll")] {
        if let Some(path) = made.first(name) {
            let mut parts = Vec::new();
            shape::path_parts(&path, &mut |part| parts.push(part));
            below(whose, &parts, made);
        }
    }
    if let Some(agent) = made.first("user_agent.original") {
        for (part, value) in agent::parts(&agent) {
            made.text(format!("user_agent.{part}"), &value);
        }
    }
    if let Some(referrer) = made.first("http.request.referrer") {
        shaped("http.request.referrer", &referrer, made);
    }
    for name in ["email.from.address", "email.to.address"] {
        if let Some(address) = made.first(name) {
            shaped(name, &address, made);
        }
    }
}

fn below(whose: &str, parts: &[shape::Part<'_>], made: &mut Document) {
    for (part, value) in parts {
        let name = format!("{whose}.{part}");
        if !made.has(&name) {
            made.text(name, value);
        }
    }
}

/// `CORP\li.wei` and `li.wei@example.net` are an account and its domain.
fn user_parts(whose: &str, account: &str, made: &mut Document) {
    if let Some((domain, name)) = shape::account(account) {
        made.text(format!("{whose}.domain"), domain);
        made.fields.remove(&format!("{whose}.name"));
        made.text(format!("{whose}.name"), name);
        made.text("related.user", account);
    } else if shape::of(account) == Some(Shape::Email)
        && let Some((local, domain)) = account.rsplit_once('@')
    {
        made.text(format!("{whose}.email"), account);
        made.text(format!("{whose}.domain"), domain);
        made.text("related.user", local);
    }
}

/// The words of a command line; quotes hold a word together.
fn arguments(line: &str) -> Vec<&str> {
    const MOST: usize = 64;
    let mut found = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && found.len() < MOST {
        let quoted = rest.strip_prefix('"').and_then(|inside| inside.split_once('"'));
        let (word, behind) = match quoted {
            Some(split) => split,
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        found.push(word);
        rest = behind.trim_start();
    }
    found
}

/// What a sentence says, under `prose`.
fn of_sentence(sentence: &str, made: &mut Document) {
    for finding in prose::find(sentence) {
        match finding {
            Finding::Value(shape, text) => {
                relate(shape, text, made);
                let mut parts = Vec::new();
                shape::parts(shape, text, &mut |part| parts.push(part));
                let name = match shape {
                    Shape::Address | Shape::Hash | Shape::Host => "",
                    Shape::Endpoint => "prose.endpoint",
                    Shape::Url => "prose.url",
                    Shape::Email | Shape::Mailbox => "prose.email",
                    Shape::Account => "prose.account",
                    Shape::Path => "prose.path",
                    Shape::Agent => "prose.agent",
                };
                if !name.is_empty() {
                    made.text(name, text);
                }
                for (part, value) in parts {
                    let below = if name.is_empty() { "prose.host" } else { name };
                    made.text(format!("{below}.{part}"), value);
                    if part == "domain" || part == "address" {
                        relate_host(value, made);
                    }
                }
            }
            Finding::Pair(key, value) => made.text(format!("prose.pair.{key}"), value),
            Finding::Marked(text) => made.text("prose.marked", text),
            Finding::User(name) => made.text("related.user", name),
        }
    }
}

fn relate(shape: Shape, text: &str, made: &mut Document) {
    match shape {
        Shape::Address => made.text("related.ip", text),
        Shape::Host => made.text("related.hosts", text),
        Shape::Hash => made.text("related.hash", text),
        _ => {}
    }
}

fn relate_host(text: &str, made: &mut Document) {
    match shape::of(text) {
        Some(Shape::Address) => made.text("related.ip", text),
        Some(Shape::Host) => made.text("related.hosts", text),
        _ => {}
    }
}

/// Who and what an event names, wherever it stands.
fn related(made: &mut Document) {
    for (list, names) in [
        ("related.ip", &["source.ip", "destination.ip", "host.ip", "observer.ip"] as &[&str]),
        (
            "related.hosts",
            &[
                "source.domain",
                "destination.domain",
                "host.name",
                "url.domain",
                "dns.question.name",
            ],
        ),
        ("related.user", &["user.name", "user.target.name", "user.effective.name"]),
    ] {
        for name in names {
            for value in made.get(name).to_vec() {
                made.put(list, value);
            }
        }
    }
    for whose in ["process.hash", "file.hash", "dll.hash"] {
        for kind in ["md5", "sha1", "sha256", "sha512"] {
            for value in made.get(&format!("{whose}.{kind}")).to_vec() {
                made.put("related.hash", value);
            }
        }
    }
}

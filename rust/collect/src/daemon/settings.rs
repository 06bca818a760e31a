//! What the daemon is told, as one JSON document. Defaults, layers and their documentation live in
//! the configuration's models on the Python side; here nothing has a default, so that there is one
//! table of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bigsec_event::{Problem, TimeBound, codes};
use bigsec_evidence::is_log_name;
use bigsec_parse::{PackSet, ParseOptions, Parser};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::record_parser::{Parsing, SourceParsing};
use crate::brake::Brake;
use crate::source::SourceSettings;

/// How the names of the platform's own sources begin.
pub(super) const OWN_SOURCES: &str = "bigsec.";

/// Everything the daemon is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Name of the log, by which checkpoints and proofs know it.
    pub name: String,
    /// Folder of all that the daemon keeps.
    pub data_dir: PathBuf,
    /// The evidence log.
    pub log: LogSettings,
    /// How much of anything is held at a time.
    pub limits: Limits,
    /// Where records come from, by name.
    pub sources: BTreeMap<String, SourceEntry>,
    /// Where the daemon answers questions about itself.
    pub admin: AdminSettings,
}

/// The document as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: String,
    data_dir: PathBuf,
    log: LogSettings,
    limits: Limits,
    sources: BTreeMap<String, Map<String, Value>>,
    admin: AdminSettings,
}

/// How much of anything is held at a time. The sources' own limits are part of their settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Longest record kept in one piece.
    pub record_bytes_max: usize,
    /// The same of what comes over the network, if that is less.
    pub received_record_bytes_max: usize,
    /// Bytes that wait between sources and log.
    pub queue_bytes_max: usize,
    /// Connections of one source.
    pub connections_max: usize,
    /// Connections of one source from one address.
    pub connections_per_address_max: usize,
    /// Descriptors that connections may not use.
    pub descriptors_reserved: usize,
    /// How long a handshake or header may take.
    pub header_timeout_s: u64,
    /// How long a connection may be silent.
    pub idle_timeout_s: u64,
    /// Largest body of an HTTP request, decompressed.
    pub body_bytes_max: u64,
    /// How many times a compressed body may grow.
    pub body_ratio_max: u64,
    /// Lines of one multi-line record.
    pub multiline_lines_max: usize,
    /// How long such a record waits for its next line.
    pub multiline_wait_ms: u64,
    /// Files of one source that are followed at a time.
    pub files_open_max: usize,
    /// Events in one transaction of the store; a limit of the reader of chunks.
    pub chunk_events_max: usize,
    /// Signals of one rule at once, and again each minute.
    pub rule_signals_per_minute_max: u32,
    /// How long a stop may take; a limit of the caller of the stop.
    pub stop_s: u64,
}

/// Where the daemon answers questions about itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminSettings {
    /// Address and port; `None` answers none.
    pub listen: Option<String>,
}

/// The evidence log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// Size at which a segment ends.
    pub segment_bytes: u64,
    /// Age at which a segment ends, in seconds.
    pub segment_age_s: u64,
    /// Bytes after which a group is flushed even though more is waiting.
    pub group_bytes: usize,
    /// How long a group that is not full waits for more, in milliseconds; 0 does not wait.
    pub group_ms: u64,
    /// Days that records are kept.
    pub retention_days: u32,
    /// Space kept back for checkpoints and the platform's own records.
    pub reserve_bytes: u64,
    /// Free space below which nothing more is taken in.
    pub min_free_bytes: u64,
    /// Whether segments that have ended are compressed.
    pub compress: bool,
    /// The signing key; `None` keeps the log unsigned.
    pub key_file: Option<PathBuf>,
    /// Seconds between signed checkpoints, at most.
    pub checkpoint_s: u64,
    /// Where checkpoints go off the host: a folder, or an address with `http://` or `https://`.
    pub keeper: Option<String>,
    /// File with the token that the keeper asks for.
    pub keeper_token_file: Option<PathBuf>,
    /// File with the certificates that the keeper's may come from.
    pub keeper_ca_file: Option<PathBuf>,
    /// Keys of those who may together allow an earlier deletion.
    pub approvers: Vec<String>,
}

/// One source: how its records are read, and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceEntry {
    /// How its records are read.
    pub parse: ParseSettings,
    /// Where they come from.
    pub input: SourceSettings,
}

/// How the records of a source are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseSettings {
    /// A pack or decoder that alone is used; `None` finds it by record.
    pub format: Option<String>,
    /// Zone of times that name none.
    pub timezone: String,
    /// Old records are sent: their own times are believed without bound.
    pub backfill: bool,
}

impl SourceEntry {
    /// Takes out what concerns the reading of records; the rest, with the limits that sources of
    /// its kind have, is the source's own.
    fn read(mut table: Map<String, Value>, limits: &Limits) -> Result<Self, String> {
        let format = match table.remove("format") {
            None | Some(Value::Null) => None,
            Some(Value::String(format)) => Some(format),
            Some(_) => return Err("`format` is not a text".to_owned()),
        };
        let Some(Value::String(timezone)) = table.remove("timezone") else {
            return Err("`timezone` is missing or not a text".to_owned());
        };
        let backfill = match table.remove("backfill") {
            None => false,
            Some(Value::Bool(backfill)) => backfill,
            Some(_) => return Err("`backfill` is not true or false".to_owned()),
        };
        limits.add_to(&mut table);
        let input =
            serde_json::from_value(Value::Object(table)).map_err(|error| error.to_string())?;
        Ok(Self { parse: ParseSettings { format, timezone, backfill }, input })
    }
}

impl Limits {
    /// The brake for rules that match too much.
    pub fn brake(&self) -> Brake {
        Brake { signals_per_minute: self.rule_signals_per_minute_max }
    }

    /// Puts into a source's table the limits that its kind has.
    fn add_to(&self, table: &mut Map<String, Value>) {
        let kind = table.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut put = |name: &str, value: Value| {
            table.insert(name.to_owned(), value);
        };
        match kind.as_str() {
            "syslog_udp" => put("record_bytes_max", self.of_received_records().into()),
            "syslog_tcp" | "relp" => put("limits", self.of_streams()),
            "http" => {
                put("limits", self.of_streams());
                put("body_bytes_max", self.body_bytes_max.into());
                put("body_ratio_max", self.body_ratio_max.into());
            }
            "file" => {
                put("multiline_lines_max", self.multiline_lines_max.into());
                put("multiline_wait_ms", self.multiline_wait_ms.into());
                put("files_open_max", self.files_open_max.into());
                put("record_bytes_max", self.record_bytes_max.into());
            }
            "stdin" => put("record_bytes_max", self.record_bytes_max.into()),
            _ => {}
        }
    }

    fn of_received_records(&self) -> usize {
        self.received_record_bytes_max.min(self.record_bytes_max)
    }

    fn of_streams(&self) -> Value {
        json!({
            "record_bytes_max": self.of_received_records(),
            "connections_max": self.connections_max,
            "connections_per_address_max": self.connections_per_address_max,
            "header_timeout_s": self.header_timeout_s,
            "idle_timeout_s": self.idle_timeout_s,
        })
    }
}

impl Settings {
    /// Reads the document.
    pub fn from_json(text: &str) -> Result<Self, Problem> {
        let document: Document = serde_json::from_str(text).map_err(|error| {
            Problem::new(codes::CONFIG_INVALID, format!("the settings cannot be read: {error}"))
        })?;
        let mut sources = BTreeMap::new();
        for (name, table) in document.sources {
            let entry = SourceEntry::read(table, &document.limits)
                .map_err(|what| invalid(&format!("sources.{name}"), &what))?;
            sources.insert(name, entry);
        }
        let settings = Self {
            name: document.name,
            data_dir: document.data_dir,
            log: document.log,
            limits: document.limits,
            sources,
            admin: document.admin,
        };
        settings.check()?;
        Ok(settings)
    }

    /// Folder of the evidence log.
    pub fn log_dir(&self) -> PathBuf {
        self.data_dir.join("log")
    }

    /// What the types cannot say.
    fn check(&self) -> Result<(), Problem> {
        if !is_log_name(&self.name) {
            return Err(invalid("name", "1 to 255 bytes, no `+`, no control characters"));
        }
        for (name, source) in &self.sources {
            let setting = format!("sources.{name}");
            if name.is_empty() || name.len() > 255 {
                return Err(invalid(&setting, "a name has 1 to 255 bytes"));
            }
            if name.starts_with(OWN_SOURCES) {
                return Err(invalid(&setting, "names that begin so are the platform's own"));
            }
            source.parse.options().map_err(|problem| invalid(&setting, &problem.message))?;
        }
        Ok(())
    }

    /// How the records of each source are read.
    pub(super) fn parsing(&self, packs: Arc<PackSet>) -> Result<Parsing, Problem> {
        let others =
            SourceParsing { options: ParseOptions::new(None, "UTC")?, bound: TimeBound::LIVE };
        let mut sources = BTreeMap::new();
        for (name, source) in &self.sources {
            let options = source.parse.options()?;
            // Here, because here it is known whose format it is.
            Parser::new(Arc::clone(&packs), options.clone())
                .map_err(|problem| invalid(&format!("sources.{name}.format"), &problem.message))?;
            sources.insert(name.clone(), SourceParsing { options, bound: source.parse.bound() });
        }
        Ok(Parsing { packs, sources, others })
    }
}

impl ParseSettings {
    /// As the parser takes them.
    pub fn options(&self) -> Result<ParseOptions, Problem> {
        ParseOptions::new(self.format.clone(), &self.timezone)
    }

    /// How far the source's own times are believed.
    pub fn bound(&self) -> TimeBound {
        if self.backfill { TimeBound::None } else { TimeBound::LIVE }
    }
}

/// The problem of a setting that cannot be used.
pub(super) fn invalid(setting: &str, what: &str) -> Problem {
    Problem::new(codes::CONFIG_INVALID, format!("{setting}: {what}"))
}

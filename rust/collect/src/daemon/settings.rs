//! What the daemon is told, as one JSON document. Defaults, layers and their documentation live in
//! the configuration's models on the Python side; here nothing has a default, so that there is one
//! table of them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bigsec_event::{Problem, TimeBound, codes};
use bigsec_parse::ParseOptions;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::source::{Limits, SourceSettings};

/// Everything the daemon is told.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
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

impl TryFrom<Map<String, Value>> for SourceEntry {
    type Error = String;

    /// Takes out what concerns the reading of records; the rest is the source's own.
    fn try_from(mut table: Map<String, Value>) -> Result<Self, String> {
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
        let input = serde_json::from_value(Value::Object(table))
            .map_err(|error| error.to_string())?;
        Ok(Self { parse: ParseSettings { format, timezone, backfill }, input })
    }
}

impl Settings {
    /// Reads the document.
    pub fn from_json(text: &str) -> Result<Self, Problem> {
        let settings: Self = serde_json::from_str(text).map_err(|error| {
            Problem::new(codes::CONFIG_INVALID, format!("the settings cannot be read: {error}"))
        })?;
        settings.check()?;
        Ok(settings)
    }

    /// Folder of the evidence log.
    pub fn log_dir(&self) -> PathBuf {
        self.data_dir.join("log")
    }

    /// What the types cannot say.
    fn check(&self) -> Result<(), Problem> {
        if self.name.is_empty() || self.name.len() > 255 || self.name.contains(['\n', '+']) {
            return Err(invalid(
                "name",
                "a log's name has 1 to 255 bytes, no line break and no `+`".to_owned(),
            ));
        }
        for (name, source) in &self.sources {
            if name.is_empty() || name.len() > 255 {
                return Err(invalid("sources", format!("{name:?} is no name: 1 to 255 bytes")));
            }
            if name.starts_with("bigsec.") {
                let what = "names that begin with `bigsec.` are the platform's own".to_owned();
                return Err(invalid(&format!("sources.{name}"), what));
            }
            source.parse.options().map_err(|problem| {
                invalid(&format!("sources.{name}.timezone"), problem.message)
            })?;
        }
        Ok(())
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
pub(crate) fn invalid(setting: &str, what: String) -> Problem {
    Problem::new(codes::CONFIG_INVALID, format!("{setting}: {what}"))
}

//! A rule as its readers know it: who wrote it, what it is about, how bad a match is.

use std::fmt;

use super::detection::Detection;
use crate::log_source::LogSource;

/// How bad a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// Worth knowing, no alert.
    Informational,
    /// Rarely more than noise.
    Low,
    /// To be looked at.
    #[default]
    Medium,
    /// To be looked at soon.
    High,
    /// To be looked at at once.
    Critical,
}

impl Level {
    /// All levels, mildest first.
    pub const ALL: [Self; 5] =
        [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name in Sigma.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The number in OCSF, 1 to 5.
    pub fn severity_id(self) -> i8 {
        self as i8 + 1
    }

    /// The level of that name, without case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How mature a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Cannot be used as it is.
    Unsupported,
    /// Replaced by another, or no longer of use.
    Deprecated,
    /// New, may be noisy.
    Experimental,
    /// Mostly stable.
    Test,
    /// Ready for production.
    Stable,
}

impl Status {
    /// All kinds, least mature first.
    pub const ALL: [Self; 5] =
        [Self::Unsupported, Self::Deprecated, Self::Experimental, Self::Test, Self::Stable];

    /// The name in Sigma.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsupported => "unsupported",
            Self::Deprecated => "deprecated",
            Self::Experimental => "experimental",
            Self::Test => "test",
            Self::Stable => "stable",
        }
    }

    /// The status of that name, without case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a rule says about itself.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// A UUID in lower case; derived from detection and title where the rule has none.
    pub id: String,
    /// What other rules call it; mostly empty.
    pub name: String,
    /// What a match is called.
    pub title: String,
    /// How mature the rule is.
    pub status: Option<Status>,
    /// How bad a match is; `medium` where the rule does not say.
    pub level: Level,
    /// What the rule finds, and why that matters.
    pub description: String,
    /// Who wrote it; shown with every match.
    pub author: String,
    /// Under which licence the rule may be used.
    pub license: String,
    /// Where to read on.
    pub references: Vec<String>,
    /// ATT&CK techniques, as in `T1059.001`.
    pub attack_techniques: Vec<String>,
    /// ATT&CK tactics, as in `privilege-escalation`.
    pub attack_tactics: Vec<String>,
    /// Vulnerabilities, as in `CVE-2021-44228`.
    pub cves: Vec<String>,
    /// All tags as written.
    pub tags: Vec<String>,
    /// Which events the rule is meant for.
    pub log_source: LogSource,
    /// What must be set up so that such events exist.
    pub log_source_definition: String,
    /// What else can match.
    pub falsepositives: Vec<String>,
    /// Fields worth showing with a match.
    pub fields: Vec<String>,
    /// When it was written.
    pub date: String,
    /// When it was last changed.
    pub modified: String,
    /// Other rules: id and kind of the relation.
    pub related: Vec<(String, String)>,
}

/// A rule ready to be asked.
#[derive(Debug)]
pub struct Rule {
    pub(crate) metadata: Metadata,
    pub(crate) path: String,
    pub(crate) line: u32,
    pub(crate) log_source_line: u32,
    pub(crate) hash: [u8; 32],
    pub(crate) detection: Detection,
    /// Whether matches give signals; not where they are only what a correlation is made of.
    pub(crate) gives_signals: bool,
}

impl Rule {
    /// What the rule says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The file that holds it, as it was named.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The line at which its document begins.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The condition as written; several are joined by `or`.
    pub fn condition(&self) -> &str {
        &self.detection.text
    }

    /// Whether matches give signals of their own, or only take part in correlations.
    pub fn gives_signals(&self) -> bool {
        self.gives_signals
    }

    /// The hash of the rule's contents: two rules are the same where it is equal.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }
}

impl std::ops::Deref for Rule {
    type Target = Metadata;

    fn deref(&self) -> &Metadata {
        &self.metadata
    }
}

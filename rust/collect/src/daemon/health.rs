//! Whether the daemon is well, and what ails it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bigsec_event::{Code, Problem};
use serde_json::{Value, json};

use super::locked;

/// What can ail the daemon. Each heals by itself once its cause is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The log cannot be flushed.
    Log,
    /// The disk has no room for more records.
    Disk,
    /// The log was found damaged at the start; does not heal.
    Damage,
    /// No checkpoint could be made.
    Checkpoint,
    /// Checkpoints do not leave the host.
    Keeper,
    /// Segments cannot be sealed or deleted.
    Housekeeping,
    /// A part of the log could not be read back.
    Reading,
    /// The page of metrics cannot be served.
    Admin,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Log,
        Self::Disk,
        Self::Damage,
        Self::Checkpoint,
        Self::Keeper,
        Self::Housekeeping,
        Self::Reading,
        Self::Admin,
    ];

    /// The name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Disk => "disk",
            Self::Damage => "damage",
            Self::Checkpoint => "checkpoint",
            Self::Keeper => "keeper",
            Self::Housekeeping => "housekeeping",
            Self::Reading => "reading",
            Self::Admin => "admin",
        }
    }
}

/// One reason for not being well.
#[derive(Debug, Clone)]
struct Reason {
    code: &'static Code,
    what: String,
    mend: String,
    since_us: i64,
    times: u64,
}

/// The present state; shared by all threads.
#[derive(Debug, Default)]
pub struct Health(Mutex<BTreeMap<Part, Reason>>);

impl Health {
    /// Notes that something fails; says whether it is news.
    pub fn fails(&self, part: Part, problem: &Problem, now_us: i64) -> bool {
        let mut reasons = locked(&self.0);
        let (since_us, times) =
            reasons.get(&part).map_or((now_us, 0), |reason| (reason.since_us, reason.times));
        let reason = Reason {
            code: problem.code,
            what: problem.message.clone(),
            mend: problem.mend.clone(),
            since_us,
            times: times + 1,
        };
        reasons.insert(part, reason).is_none()
    }

    /// Notes that it works again; says whether that is news.
    pub fn works(&self, part: Part) -> bool {
        locked(&self.0).remove(&part).is_some()
    }

    /// Whether nothing ails it.
    pub fn is_well(&self) -> bool {
        locked(&self.0).is_empty()
    }

    /// Whether records are taken in.
    pub fn takes_records(&self) -> bool {
        let reasons = locked(&self.0);
        !reasons.contains_key(&Part::Log) && !reasons.contains_key(&Part::Disk)
    }

    /// The parts that fail.
    pub fn failing(&self) -> Vec<Part> {
        locked(&self.0).keys().copied().collect()
    }

    /// `{"state": "ok" | "degraded", "reasons": [{part, code, name, what, mend, since_us, times}]}`.
    pub fn to_json(&self) -> Value {
        let reasons = locked(&self.0);
        let list: Vec<_> = reasons
            .iter()
            .map(|(part, reason)| {
                json!({
                    "part": part.as_str(),
                    "code": reason.code.number,
                    "name": reason.code.name,
                    "what": reason.what,
                    "mend": reason.mend,
                    "since_us": reason.since_us,
                    "times": reason.times,
                })
            })
            .collect();
        json!({"state": if list.is_empty() { "ok" } else { "degraded" }, "reasons": list})
    }
}

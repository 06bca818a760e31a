//! Looks for indicators in events, one event after the other.

use std::net::IpAddr;
use std::sync::Arc;

use bigsec_event::{FieldSource, Value};

use super::tokens::{Workspace, scan};
use super::{IndicatorKind, IndicatorSet, kind};

/// An event with more hits than this keeps the first ones.
const HITS_MAX: usize = 64;
/// Shorter texts hold no indicator.
const TEXT_MIN: usize = 4;

/// An indicator in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its place in the set.
    pub indicator: u32,
    /// The part of the event's text, as it stands there.
    pub text: String,
}

/// A set of indicators with buffers for one thread.
#[derive(Debug)]
pub struct IndicatorMatcher {
    set: Arc<IndicatorSet>,
    workspace: Workspace,
    /// Addresses of the event that count only with a port.
    open: Vec<IpAddr>,
}

impl IndicatorMatcher {
    pub(super) fn new(set: Arc<IndicatorSet>) -> Self {
        Self { set, workspace: Workspace::default(), open: Vec::new() }
    }

    /// The indicators that are looked for.
    pub fn set(&self) -> &Arc<IndicatorSet> {
        &self.set
    }

    /// Puts the indicators of an event into `out`, each once, those that have ended too.
    pub fn matches(&mut self, source: &dyn FieldSource, out: &mut Vec<Hit>) {
        out.clear();
        self.open.clear();
        let mut is_empty = true;
        if let Some(record) = source.as_record() {
            is_empty = record.is_empty();
            record.values().for_each(|value| self.value(value, out));
        } else {
            source.visit_all(&mut |_, value| {
                is_empty = false;
                self.value(value, out);
                false
            });
        }
        if let Some(raw) = source.raw().filter(|_| is_empty) {
            self.value(Value::string(raw), out);
        }
        for address in std::mem::take(&mut self.open) {
            self.with_port(source, address, out);
        }
    }

    /// Everything that is found in a text.
    pub fn find(&mut self, text: &str) -> Vec<Hit> {
        let mut out = Vec::new();
        self.text(text, &mut out);
        out
    }

    fn value(&mut self, value: Value<'_>, out: &mut Vec<Hit>) {
        let text = value.text;
        if text.len() < TEXT_MIN || !value.kind.has_text() || self.set.is_too_plain(text) {
            return;
        }
        let key = self.workspace.clean.key(text);
        if self.workspace.clean.has(key) {
            return;
        }
        let before = out.len();
        let address = self.text(text, out);
        if let Some(address) = address {
            self.open.push(address);
        } else if out.len() == before && before < HITS_MAX {
            self.workspace.clean.add(key);
        }
    }

    fn text(&mut self, text: &str, out: &mut Vec<Hit>) -> Option<IpAddr> {
        let found = &mut |indicator, part: &str| add(indicator, part, out);
        scan(&self.set, text, &mut self.workspace, found)
    }

    /// Looks for an address with the port that stands in a field of its own.
    fn with_port(&self, source: &dyn FieldSource, address: IpAddr, out: &mut Vec<Hit>) {
        let (mut sides, mut ports) = (Vec::new(), Vec::new());
        source.visit_all(&mut |name, value| {
            if kind::address(value.text) == Some(address) {
                sides.push(Side::of(name));
            } else if is_port(name)
                && let Ok(port) = value.text.parse::<u16>()
            {
                ports.push((Side::of(name), port));
            }
            false
        });
        for (side, port) in ports {
            let both = kind::ip_port(address, port);
            let found = self.set.find(IndicatorKind::IpPort, both.as_bytes());
            if let Some(found) = found.filter(|_| sides.iter().any(|one| one.goes_with(side))) {
                add(found, &both, out);
            }
        }
    }
}

fn add(indicator: u32, text: &str, out: &mut Vec<Hit>) {
    let is_known = out.iter().any(|hit| hit.indicator == indicator);
    if !is_known && out.len() < HITS_MAX {
        out.push(Hit { indicator, text: text.to_owned() });
    }
}

/// Which end of a connection a field speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Source,
    Target,
    Unsaid,
}

impl Side {
    /// By the words that sources use in the names of their fields.
    fn of(name: &str) -> Self {
        const SOURCE: [&str; 6] = ["src", "source", "orig", "client", "local", "spt"];
        const TARGET: [&str; 7] = ["dst", "dest", "resp", "server", "remote", "target", "dpt"];
        let name = name.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        match (has(&SOURCE), has(&TARGET)) {
            (true, false) => Self::Source,
            (false, true) => Self::Target,
            _ => Self::Unsaid,
        }
    }

    fn goes_with(self, other: Self) -> bool {
        self == other || self == Self::Unsaid || other == Self::Unsaid
    }
}

fn is_port(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("port") || name.ends_with("_p") || name.ends_with("spt") || name.ends_with("dpt")
}

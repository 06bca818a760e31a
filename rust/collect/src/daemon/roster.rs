//! The sources that run: started, stopped and changed by what is set.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bigsec_event::{Problem, codes};
use serde::Serialize;
use tokio::runtime::Handle;

use super::locked;
use super::settings::{SourceEntry, invalid};
use super::shared::Shared;
use crate::intake::Intake;
use crate::source::{self, Descriptors, Doubles, Meters, Running, SourceContext, SourceSettings};

/// How long a source that is changed may take to stop.
const CHANGE_DEADLINE: Duration = Duration::from_secs(10);

/// What a change did to the sources.
#[derive(Debug, Default, Serialize, PartialEq, Eq)]
pub struct Changes {
    /// They are new.
    pub started: Vec<String>,
    /// They are gone.
    pub stopped: Vec<String>,
    /// They were stopped and started with other settings.
    pub restarted: Vec<String>,
}

struct Member {
    input: SourceSettings,
    running: Running,
}

/// The sources that run, and what all of them are given.
pub(super) struct Roster {
    shared: Arc<Shared>,
    intake: Intake,
    descriptors: Arc<Descriptors>,
    runtime: Handle,
    members: BTreeMap<String, Member>,
    /// Outlives a source, so that one that is changed still knows its senders.
    doubles: BTreeMap<String, Arc<Doubles>>,
}

impl Roster {
    pub fn new(
        shared: Arc<Shared>,
        intake: Intake,
        descriptors: Arc<Descriptors>,
        runtime: Handle,
        doubles: BTreeMap<String, Arc<Doubles>>,
    ) -> Self {
        Self { shared, intake, descriptors, runtime, members: BTreeMap::new(), doubles }
    }

    /// Makes the sources that run those that are set. Where one cannot start, all stay as they
    /// were.
    pub fn change(&mut self, wanted: &BTreeMap<String, SourceEntry>) -> Result<Changes, Problem> {
        let mut changes = Changes::default();
        let mut undo = Vec::new();
        for (name, entry) in wanted {
            if self.members.get(name).is_some_and(|member| member.input == entry.input) {
                continue;
            }
            // The old one goes first: the two may want the same port.
            let before = self.halt(name);
            let list = if before.is_some() { &mut changes.restarted } else { &mut changes.started };
            list.push(name.clone());
            undo.push((name.clone(), before));
            if let Err(problem) = self.launch(name, &entry.input) {
                self.undo(undo);
                return Err(problem);
            }
        }
        let gone: Vec<_> =
            self.members.keys().filter(|name| !wanted.contains_key(*name)).cloned().collect();
        for name in gone {
            self.halt(&name);
            changes.stopped.push(name);
        }
        Ok(changes)
    }

    /// Where a source listens.
    pub fn address(&self, name: &str) -> Option<std::net::SocketAddr> {
        self.members.get(name)?.running.address()
    }

    /// Stops all, together, and forgets the queue; the names of those that did not end in time.
    pub fn stop(mut self, deadline: Duration) -> Vec<String> {
        let members = std::mem::take(&mut self.members);
        for member in members.values() {
            member.running.begin_stop();
        }
        let clock = Arc::clone(&self.shared.doors.clock);
        let until = clock.elapsed() + deadline;
        self.runtime.block_on(async {
            let mut late = Vec::new();
            for (name, member) in members {
                if !member.running.stop(until.saturating_sub(clock.elapsed())).await {
                    late.push(name);
                }
            }
            late
        })
    }

    fn undo(&mut self, changed: Vec<(String, Option<SourceSettings>)>) {
        for (name, before) in changed.into_iter().rev() {
            self.halt(&name);
            if let Some(input) = before {
                // It ran a moment ago; where it does not start again, the status shows it missing.
                let _ = self.launch(&name, &input);
            }
        }
    }

    /// Stops a source, if it runs; gives what it was started with.
    fn halt(&mut self, name: &str) -> Option<SourceSettings> {
        let member = self.members.remove(name)?;
        locked(&self.shared.sources).remove(name);
        self.runtime.block_on(member.running.stop(CHANGE_DEADLINE));
        Some(member.input)
    }

    fn launch(&mut self, name: &str, input: &SourceSettings) -> Result<(), Problem> {
        let meters = Arc::new(Meters::default());
        let doubles = Arc::clone(self.doubles.entry(name.to_owned()).or_default());
        let context = SourceContext {
            name: Arc::from(name),
            intake: self.intake.clone(),
            meters: Arc::clone(&meters),
            descriptors: Arc::clone(&self.descriptors),
            resume: Arc::new(locked(&self.shared.positions).of(name)),
            doubles,
            store: self.shared.doors.store.clone(),
            clock: Arc::clone(&self.shared.doors.clock),
            storage: Arc::clone(&self.shared.doors.storage),
            runtime: self.runtime.clone(),
        };
        let running = source::start(input, context).map_err(|error| {
            let problem = invalid(&format!("sources.{name}"), &error.to_string());
            Problem { code: codes::SOURCE_START, ..problem }
        })?;
        self.members.insert(name.to_owned(), Member { input: input.clone(), running });
        locked(&self.shared.sources).insert(name.to_owned(), meters);
        Ok(())
    }
}

//! Changes and stops the daemon in order.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bigsec_event::{Problem, codes};
use bigsec_parse::PackSet;
use serde_json::{Value, json};

use super::Daemon;
use crate::daemon::locked;
use crate::daemon::settings::{Limits, Settings, invalid};
use crate::daemon::walk::Knowledge;
use crate::detector::Detection;

/// Time that the last flush and checkpoint may take after a stop's deadline.
const GRACE: Duration = Duration::from_secs(5);

/// How often it is looked whether the writer has ended.
const LOOK: Duration = Duration::from_millis(2);

impl Daemon {
    /// Takes other settings, packs and rules: sources are started, stopped and changed; packs and
    /// rules hold from the next chunk on. Says what changed. Where something is wrong, all stays.
    pub fn reload(
        &self,
        settings: Settings,
        packs: Arc<PackSet>,
        detection: Option<Detection>,
    ) -> Result<Value, Problem> {
        let brake = Some(settings.limits.brake());
        let knowledge = Knowledge { parsing: settings.parsing(packs)?, detection, brake };
        let mut present = locked(&self.settings);
        if (&settings.name, &settings.data_dir) != (&present.name, &present.data_dir) {
            let what = "name and data_dir hold as long as the log does; start another daemon";
            return Err(invalid("name", what));
        }
        let mut roster = locked(&self.roster);
        let Some(roster) = roster.as_mut() else {
            return Err(Problem::new(codes::DAEMON_STATE, "the daemon does not run"));
        };
        let changes = roster.change(&settings.sources)?;
        let mut restart = Vec::new();
        if fixed(&settings.limits) != fixed(&present.limits) {
            restart.push("limits");
        }
        if settings.log != present.log {
            restart.push("log");
        }
        if settings.admin != present.admin {
            restart.push("admin");
        }
        let version = |knowledge: &Knowledge| knowledge.detection.as_ref().map(Detection::version);
        let rules = version(&locked(&self.knowledge)) != version(&knowledge);
        self.shared.consumer.teach(knowledge.clone());
        self.shared.durable.wake();
        *locked(&self.knowledge) = knowledge;
        // What needs a restart stays as it is, so that a later reload names it again.
        *present = Settings {
            log: present.log.clone(),
            admin: present.admin.clone(),
            limits: present.limits.clone(),
            ..settings
        };
        Ok(json!({"sources": changes, "rules": rules, "needs_restart": restart}))
    }

    /// Stops in order: sources, queue, last flush and checkpoint. Chunks of what is in the log can
    /// still be fetched. Gives the names of sources that did not end in time.
    pub fn stop(&self, deadline: Duration) -> Vec<String> {
        let clock = &self.shared.doors.clock;
        let until = clock.elapsed() + deadline;
        if let Some(store) = &self.shared.doors.store {
            store.leave_all();
        }
        let roster = locked(&self.roster).take();
        let late = roster.map(|roster| roster.stop(deadline / 2)).unwrap_or_default();
        drop((locked(&self.intake).take(), locked(&self.own).take()));
        self.stop.ask(until);
        // A disk that does not answer keeps the thread, but not the stop.
        self.wait_for(locked(&self.writer).take(), until + GRACE);
        drop(locked(&self.prepared).take());
        if let Some(keeper) = &self.shared.keeper {
            keeper.close();
        }
        // The last checkpoint leaves, if the keeper takes it in time.
        self.wait_for(locked(&self.keeper).take(), until);
        self.shared.consumer.end();
        self.shared.durable.wake();
        late
    }

    /// Waits for the end of a thread, at most until then.
    fn wait_for(&self, thread: Option<JoinHandle<()>>, until: Duration) {
        let Some(thread) = thread else { return };
        while !thread.is_finished() && self.shared.doors.clock.elapsed() < until {
            std::thread::sleep(LOOK);
        }
    }
}

/// The limits that hold from the start on; all others are those of the sources.
fn fixed(limits: &Limits) -> (usize, usize, usize) {
    (limits.record_bytes_max, limits.queue_bytes_max, limits.descriptors_reserved)
}

impl Drop for Daemon {
    /// Stops without waiting for anything but the flush at hand.
    fn drop(&mut self) {
        drop(locked(&self.chunks).take());
        self.stop(Duration::ZERO);
    }
}

//! Sends checkpoints off the host. What root on this host rewrites is caught from the last of
//! them on.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use bigsec_event::{Problem, codes};
use bigsec_evidence::clock::Clock;
use bigsec_evidence::storage::{Storage, write_all_at};
use serde_json::{Value, json};

use super::health::{Health, Part};
use super::http_post::Endpoint;
use super::settings::{LogSettings, invalid};
use super::{Doors, locked};

/// Checkpoints that wait for the keeper; the oldest goes when there are more, since a newer one
/// proves all that it proves.
const WAITING: usize = 1024;

/// Where systems keep the certificates that they trust.
const SYSTEM_CERTIFICATES: [&str; 2] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// Longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// Where checkpoints go.
#[derive(Debug, Clone)]
pub(super) enum Destination {
    /// Appended to a file of a folder, which lies on another machine.
    Folder(PathBuf),
    /// Posted as a line of JSON.
    Http(Endpoint),
}

/// A checkpoint on its way.
#[derive(Debug, Clone)]
struct Waiting {
    size: u64,
    text: String,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    sent: Option<(u64, i64)>,
    error: Option<String>,
    closed: bool,
}

/// The queue of checkpoints and what became of them.
#[derive(Debug)]
pub(super) struct Keeper {
    whereto: String,
    state: Mutex<State>,
    changed: Condvar,
}

impl Destination {
    /// The destination that the settings name.
    pub fn of(settings: &LogSettings, storage: &dyn Storage) -> Result<Option<Self>, Problem> {
        let Some(keeper) = &settings.keeper else { return Ok(None) };
        if !keeper.contains("://") {
            return Ok(Some(Self::Folder(PathBuf::from(keeper))));
        }
        let read = |path: &Path| {
            let mut text = Vec::new();
            storage
                .open(path)
                .and_then(|mut file| io::Read::read_to_end(&mut file, &mut text))
                .map_err(|error| {
                    invalid("log.keeper", &format!("{} cannot be read: {error}", path.display()))
                })?;
            Ok(text)
        };
        let certificates = match &settings.keeper_ca_file {
            Some(path) => Some(read(path)?),
            // Those of the system, wherever it has them.
            None => SYSTEM_CERTIFICATES.iter().find_map(|path| read(Path::new(path)).ok()),
        };
        let token = settings.keeper_token_file.as_deref().map(read).transpose()?;
        let token = token.map(|token| String::from_utf8_lossy(&token).trim().to_owned());
        Endpoint::new(keeper, certificates.as_deref(), token)
            .map(|endpoint| Some(Self::Http(endpoint)))
            .map_err(|what| invalid("log.keeper", &what))
    }

    /// Sends one checkpoint of a log of that name.
    fn send(&self, doors: &Doors, name: &str, note: &str) -> io::Result<()> {
        match self {
            Self::Folder(folder) => append(doors.storage.as_ref(), folder, name, note),
            Self::Http(endpoint) => {
                let mut line = json!({ "checkpoint": note }).to_string();
                line.push('\n');
                endpoint.post("application/x-ndjson", line.as_bytes(), doors.clock.as_ref())
            }
        }
    }
}

/// Appends a checkpoint to the log's file of a folder, in the form of the log's own `checkpoints`.
fn append(storage: &dyn Storage, folder: &Path, name: &str, note: &str) -> io::Result<()> {
    let path = folder.join(format!("{}.checkpoints", name.replace(['/', '\\'], "_")));
    let file = match storage.open_write(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let file = storage.create(&path)?;
            storage.sync_folder(folder)?;
            file
        }
        opened => opened?,
    };
    let end = file.size()?;
    let written = write_all_at(file.as_ref(), format!("{note}\n").as_bytes(), end);
    if written.is_err() {
        // A part of a note would make the next one unreadable.
        file.set_len(end)?;
    }
    written.and_then(|()| file.sync())
}

impl Keeper {
    pub fn new(whereto: &str) -> Self {
        Self { whereto: whereto.to_owned(), state: Mutex::default(), changed: Condvar::new() }
    }

    /// Gives a checkpoint to be sent. Never waits.
    pub fn push(&self, size: u64, text: String) {
        let mut state = locked(&self.state);
        if state.waiting.len() == WAITING {
            state.waiting.pop_front();
        }
        state.waiting.push_back(Waiting { size, text });
        self.changed.notify_all();
    }

    /// No more checkpoints will come; the thread ends once those that wait are sent, or at its
    /// first failure.
    pub fn close(&self) {
        locked(&self.state).closed = true;
        self.changed.notify_all();
    }

    /// The number of records under the last checkpoint that left the host.
    pub fn sent_size(&self) -> Option<u64> {
        locked(&self.state).sent.map(|(size, _)| size)
    }

    /// For the status.
    pub fn to_json(&self) -> Value {
        let state = locked(&self.state);
        json!({
            "where": self.whereto,
            "size": state.sent.map(|(size, _)| size),
            "time_us": state.sent.map(|(_, time)| time),
            "waiting": state.waiting.len(),
            "error": state.error,
        })
    }

    /// Sends what comes, until it is closed.
    pub fn run(&self, destination: &Destination, name: &str, doors: &Doors, health: &Health) {
        let mut pause = Duration::from_secs(1);
        while let Some(next) = self.wait_next() {
            match destination.send(doors, name, &next.text) {
                Ok(()) => {
                    let mut state = locked(&self.state);
                    // Others may have been pushed out meanwhile, this one among them.
                    if state.waiting.front().is_some_and(|first| first.size == next.size) {
                        state.waiting.pop_front();
                    }
                    state.sent = Some((next.size, doors.clock.now_us()));
                    state.error = None;
                    health.works(Part::Keeper);
                    pause = Duration::from_secs(1);
                }
                Err(error) => {
                    let what = format!("checkpoints cannot be sent to {}: {error}", self.whereto);
                    let problem = Problem::new(codes::LOG_KEEPER, what)
                        .mend("see that it can be reached; those that wait will be sent");
                    health.fails(Part::Keeper, &problem, doors.clock.now_us());
                    if !self.pause_after(&error, pause, doors.clock.as_ref()) {
                        return;
                    }
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// The oldest that waits; `None` once closed and empty.
    fn wait_next(&self) -> Option<Waiting> {
        let mut state = locked(&self.state);
        loop {
            if let Some(next) = state.waiting.front() {
                return Some(next.clone());
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    /// Waits before the next attempt; false where it was closed meanwhile.
    fn pause_after(&self, error: &io::Error, pause: Duration, clock: &dyn Clock) -> bool {
        let until = clock.elapsed() + pause;
        let mut state = locked(&self.state);
        state.error = Some(error.to_string());
        loop {
            let left = until.saturating_sub(clock.elapsed());
            if state.closed || left.is_zero() {
                return !state.closed;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }
}

//! What a source is given when it starts, and why it may not start.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Resource, getrlimit};
use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::intake::Intake;
use crate::storage::Storage;

use super::doubles::Doubles;
use super::held::DescriptorStore;
use super::meters::Meters;

/// What a source works with.
#[derive(Clone)]
pub struct SourceContext {
    /// Name of the source in the configuration.
    pub name: Arc<str>,
    /// Where its records go.
    pub intake: Intake,
    /// What it counts.
    pub meters: Arc<Meters>,
    /// The descriptors of the process, shared by all sources.
    pub descriptors: Arc<Descriptors>,
    /// How far the log has the files or held connections of this source: key → end of the last
    /// record.
    pub resume: Arc<HashMap<u64, u64>>,
    /// The last records of each sender; the daemon seeds it from the log's tail.
    pub doubles: Arc<Doubles>,
    /// Who holds connections beyond the end of this process, if somebody does.
    pub store: Option<Arc<DescriptorStore>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Files.
    pub storage: Arc<dyn Storage>,
    /// Where connections are served.
    pub runtime: Handle,
}

/// Why a source cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}; choose a free port, and give the right to use one below 1024"
    )]
    Listen {
        /// The address as configured.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// A file that the configuration names cannot be used.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A pattern in the configuration cannot be used.
    #[error("the pattern {pattern:?} cannot be used: {what}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        what: String,
    },
    /// A thread cannot be started.
    #[error("no thread can be started: {0}; raise the limit of tasks")]
    Thread(io::Error),
}

/// Counts the connections of all sources against what the process may have open, so that the log
/// and its readers always find a descriptor.
#[derive(Debug)]
pub struct Descriptors {
    limit: usize,
    used: AtomicUsize,
}

impl Descriptors {
    /// Keeps `reserved` of the process's descriptors back.
    pub fn new(reserved: usize) -> Self {
        let open_files = getrlimit(Resource::Nofile).current;
        let limit =
            open_files.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        Self { limit: limit.saturating_sub(reserved).max(1), used: AtomicUsize::new(0) }
    }

    /// Takes one, if one is left.
    pub(crate) fn take(&self) -> bool {
        let more = |used| (used < self.limit).then_some(used + 1);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Gives one back.
    pub(crate) fn give_back(&self) {
        self.used.fetch_sub(1, Ordering::Relaxed);
    }
}

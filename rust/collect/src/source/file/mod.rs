//! Files that grow, followed through rotation by rename, by copy and truncate, and restarts; and
//! compressed ones, which are read once.
//!
//! Each record carries the key of its file and its end in it. After a restart reading goes on after
//! the last record that is durable, whatever has become of the file's name meanwhile.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use super::context::{SourceContext, StartError};
use super::running::Running;

mod follower;
mod identity;
mod multiline;
mod opening;
mod pattern;
mod tail;

use follower::Follower;

/// Files that grow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSettings {
    /// Files or patterns.
    pub paths: Vec<PathBuf>,
    /// Patterns of files to leave out.
    pub exclude: Vec<PathBuf>,
    /// Where to begin in a file that is met for the first time, when the daemon starts.
    pub start_at: StartAt,
    /// Whether compressed files are read.
    pub compressed: bool,
    /// Regular expression of a record's first line; `None` makes each line a record.
    pub multiline_start: Option<String>,
    /// Lines of such a record.
    pub multiline_lines_max: usize,
    /// How long such a record waits for its next line.
    pub multiline_wait_ms: u64,
    /// How often to look for new lines and files.
    pub poll_ms: u64,
    /// Longest record kept in one piece.
    pub record_bytes_max: usize,
    /// Files followed at a time.
    pub files_open_max: usize,
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartAt {
    /// At its beginning.
    Beginning,
    /// After its last line.
    End,
}

/// Begins to follow.
pub(crate) fn start(
    settings: &FileSettings,
    context: &Arc<SourceContext>,
) -> Result<Running, StartError> {
    let mut follower = Follower::new(settings.clone(), Arc::clone(context))?;
    Running::thread(&context.name, None, move |stop| {
        // The log is being closed: nothing is left to do.
        let _ = follower.run(&stop);
    })
    .map_err(StartError::Thread)
}

//! What is piped into the daemon, one record a line.

use std::io::{self, Read};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Deserialize;
use tokio::sync::watch;

use crate::framing::syslog::{FramingRule, StreamFramer};
use crate::intake::Closed;

use super::collector::Collector;
use super::context::{SourceContext, StartError};
use super::meters::Meters;
use super::running::Running;

/// Bytes read at a time.
const STEP: usize = 64 * 1024;

/// How long it is waited for bytes before it is looked whether the source stops.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// The standard input.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StdinSettings {
    /// Longest record kept in one piece.
    pub record_bytes_max: usize,
}

/// Begins to read.
pub(crate) fn start(
    settings: &StdinSettings,
    context: &Arc<SourceContext>,
) -> Result<Running, StartError> {
    let (limit, context) = (settings.record_bytes_max, Arc::clone(context));
    let name = Arc::clone(&context.name);
    Running::thread(&name, None, move |stop| {
        // The log is being closed: what comes now stays in the pipe.
        let _ = read_lines(&mut io::stdin().lock(), limit, &context, &stop);
    })
    .map_err(StartError::Thread)
}

/// Hands on each line, as soon as it is there.
fn read_lines(
    input: &mut dyn Read,
    limit: usize,
    context: &Arc<SourceContext>,
    stop: &watch::Receiver<bool>,
) -> Result<(), Closed> {
    let mut collector = Collector::new(Arc::clone(context), None);
    let mut framer = StreamFramer::new(FramingRule::Lines, limit);
    let mut held = Vec::new();
    let mut broken = false;
    while !*stop.borrow() && stop.has_changed().is_ok() {
        // A pipe that stays open and silent must not keep the source from stopping.
        if poll(&mut [PollFd::new(&io::stdin(), PollFlags::IN)], Some(&LOOK)) == Ok(0) {
            continue;
        }
        let before = held.len();
        held.resize(before + STEP, 0);
        let read = input.read(&mut held[before..]);
        held.truncate(before + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => {
                Meters::count(&context.meters.errors);
                broken = true;
                break;
            }
        }
        let mut taken = 0;
        while let Some(piece) = framer.next(&held[taken..]) {
            let line = &held[taken + piece.begin..taken + piece.end];
            collector.push(line, piece.flags, None);
            taken += piece.taken;
        }
        held.drain(..taken);
        collector.submit_blocking()?;
    }
    if let Some(piece) = framer.finish(&held, broken) {
        collector.push(&held[piece.begin..piece.end], piece.flags, None);
    }
    collector.submit_blocking().map(drop)
}

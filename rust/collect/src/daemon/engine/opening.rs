//! How the log is opened, and what is told of how it was found.

use std::path::Path;
use std::time::Duration;

use bigsec_event::{Problem, codes};
use bigsec_evidence::keys::Signer;
use bigsec_evidence::{LogOptions, Recovery};

use crate::daemon::health::Part;
use crate::daemon::settings::{LogSettings, Settings, invalid};
use crate::daemon::shared::{Doors, LogView, Shared};
use crate::daemon::writer_thread::Pacing;

/// How long the watermark may be behind what is flushed.
const MARK_INTERVAL: Duration = Duration::from_millis(50);

/// How the writer groups and signs.
pub(super) fn pacing(log: &LogSettings) -> Pacing {
    Pacing {
        group_bytes: log.group_bytes,
        group_wait: Duration::from_millis(log.group_ms),
        checkpoint: log.key_file.as_ref().map(|_| Duration::from_secs(log.checkpoint_s)),
    }
}

/// How the log is written; reads its key.
pub(super) fn log_options(settings: &Settings, doors: &Doors) -> Result<LogOptions, Problem> {
    let log = &settings.log;
    let load = |path: &Path| {
        Signer::load(doors.storage.as_ref(), path)
            .map_err(|error| invalid("log.key_file", &error.to_string()))
    };
    Ok(LogOptions {
        name: settings.name.clone(),
        segment_bytes: log.segment_bytes,
        segment_age_us: (log.segment_age_s * 1_000_000).cast_signed(),
        new_id: None,
        signer: log.key_file.as_deref().map(load).transpose()?,
        reserve_bytes: log.reserve_bytes,
        min_free_bytes: log.min_free_bytes,
        record_bytes_max: settings.limits.record_bytes_max,
        mark_interval: MARK_INTERVAL,
    })
}

/// What the status shows of how the log was found.
pub(super) fn view(recovery: &Recovery) -> LogView {
    LogView {
        torn_bytes: recovery.cut_bytes,
        adopted: recovery.adopted,
        damage: recovery.damage.iter().map(|damage| damage.detail.clone()).collect(),
        ..LogView::default()
    }
}

/// Damage found at the start turns the health red, until somebody has looked and restarts.
pub(super) fn report(shared: &Shared, recovery: &Recovery) {
    let Some(first) = recovery.damage.first() else { return };
    let count = recovery.damage.len();
    let what = format!("the log was found damaged in {count} places; first: {}", first.detail);
    let problem = Problem::new(codes::LOG_DAMAGED, what).mend("run `bigsec verify` for all places");
    shared.health.fails(Part::Damage, &problem, shared.started_us);
}

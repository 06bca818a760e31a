//! The only place that asks what time it is.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time; tests bring their own.
pub trait Clock: Send + Sync {
    /// Now, in µs since 1970 UTC. May jump, both ways.
    fn now_us(&self) -> i64;
    /// Time since some moment before, which never jumps and never runs backwards.
    fn elapsed(&self) -> Duration;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        micros(SystemTime::now())
    }

    fn elapsed(&self) -> Duration {
        BEGAN.elapsed()
    }
}

/// µs since 1970 UTC, negative before.
pub fn micros(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
    }
}

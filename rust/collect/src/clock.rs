//! The only place of this crate that asks what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time; tests bring their own.
pub trait Clock: Send + Sync {
    /// Now, in µs since 1970 UTC.
    fn now_us(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        micros(SystemTime::now())
    }
}

/// µs since 1970 UTC, negative before.
pub(crate) fn micros(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
    }
}

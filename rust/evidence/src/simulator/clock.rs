//! A clock that a test sets.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Clock;

/// A clock that stands still until it is told otherwise.
///
/// The wall clock and the time elapsed are set apart from each other: a jump of the wall clock is
/// no time that has passed.
#[derive(Debug, Default)]
pub struct SimClock {
    now_us: AtomicI64,
    elapsed_us: AtomicU64,
}

impl SimClock {
    /// A clock that shows `now_us`, µs since 1970 UTC.
    pub fn new(now_us: i64) -> Self {
        Self { now_us: AtomicI64::new(now_us), elapsed_us: AtomicU64::new(0) }
    }

    /// Lets time pass on both clocks.
    pub fn pass(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.elapsed_us.fetch_add(micros, Ordering::SeqCst);
        self.jump(i64::try_from(micros).unwrap_or(i64::MAX));
    }

    /// Moves the wall clock alone, either way.
    pub fn jump(&self, by_us: i64) {
        self.now_us.fetch_add(by_us, Ordering::SeqCst);
    }

    /// Sets the wall clock alone.
    pub fn set(&self, now_us: i64) {
        self.now_us.store(now_us, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now_us(&self) -> i64 {
        self.now_us.load(Ordering::SeqCst)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_micros(self.elapsed_us.load(Ordering::SeqCst))
    }
}

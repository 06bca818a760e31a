//! How the writer's thread is told to stop.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// A stop that was asked for; shared with the thread.
#[derive(Debug, Default)]
pub(super) struct Stop {
    asked: Notify,
    /// When flushing is given up, by `Clock::elapsed` in ms; 0 while nobody asked.
    deadline_ms: AtomicU64,
}

impl Stop {
    /// Asks for the stop: what is in the queue is written still, at most until `deadline`.
    pub fn ask(&self, deadline: Duration) {
        let ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX).max(1);
        self.deadline_ms.store(ms, Ordering::Release);
        self.asked.notify_one();
    }

    /// Waits until it is asked for, if it was not.
    pub async fn asked_for(&self) {
        if !self.is_asked() {
            self.asked.notified().await;
        }
    }

    /// Whether it was asked for.
    pub fn is_asked(&self) -> bool {
        self.deadline_ms.load(Ordering::Acquire) > 0
    }

    /// Whether its time is over.
    pub fn is_over(&self, now: Duration) -> bool {
        let deadline = self.deadline_ms.load(Ordering::Acquire);
        deadline > 0 && now >= Duration::from_millis(deadline)
    }
}

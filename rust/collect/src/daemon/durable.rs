//! How many records are durable, for those who wait for more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use super::locked;

/// The number of durable records, told by the writer and waited for by the readers.
#[derive(Debug, Default)]
pub struct DurableSize {
    size: AtomicU64,
    lock: Mutex<()>,
    moved: Condvar,
}

impl DurableSize {
    /// The number now.
    pub fn get(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Tells a new number.
    pub fn publish(&self, size: u64) {
        self.size.store(size, Ordering::Release);
        self.wake();
    }

    /// Wakes all who wait, though there may be nothing new.
    pub fn wake(&self) {
        // Taken so that nobody is between looking and sleeping.
        drop(locked(&self.lock));
        self.moved.notify_all();
    }

    /// Waits until there are more than `seen`, somebody wakes all, or the time is over.
    pub fn wait_past(&self, seen: u64, timeout: Duration) -> u64 {
        let guard = locked(&self.lock);
        if self.get() <= seen {
            // Poisoning is impossible to harm: the lock protects nothing.
            drop(self.moved.wait_timeout(guard, timeout));
        }
        self.get()
    }
}

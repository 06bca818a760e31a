//! How far a run is; read from another thread while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Shared between the run and whoever shows it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes read from the inputs as they are stored (compressed where they are).
    pub(crate) read: Arc<AtomicU64>,
    /// Bytes of all inputs, where all are known.
    pub(crate) total: AtomicU64,
    current: Mutex<String>,
}

impl Progress {
    /// Bytes read so far.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes in all; 0 where an input does not say its size.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// The input being read.
    pub fn current(&self) -> String {
        self.current.lock().map(|name| name.clone()).unwrap_or_default()
    }

    pub(crate) fn enter(&self, name: &str) {
        if let Ok(mut current) = self.current.lock() {
            name.clone_into(&mut current);
        }
    }
}

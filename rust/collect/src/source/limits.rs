//! The limits that sources with connections have in common.

use std::time::Duration;

use serde::Deserialize;

/// What one source may hold, and how long it waits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamLimits {
    /// Longest record kept in one piece; what is longer goes on in further records.
    pub record_bytes_max: usize,
    /// Connections at a time.
    pub connections_max: usize,
    /// Connections from one address at a time.
    pub connections_per_address_max: usize,
    /// How long a TLS handshake, the opening of a session or an HTTP header may take.
    pub header_timeout_s: u64,
    /// How long a connection may be silent.
    pub idle_timeout_s: u64,
}

impl StreamLimits {
    pub(crate) fn header_timeout(&self) -> Duration {
        Duration::from_secs(self.header_timeout_s)
    }

    pub(crate) fn idle_timeout(&self) -> Duration {
        Duration::from_secs(self.idle_timeout_s)
    }
}

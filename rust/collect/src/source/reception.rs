//! Waiting for the bytes of a connection, and for all that may end the waiting.

use std::time::Duration;

use tokio::time::timeout;

use super::listener::Session;
use super::meters::Meters;
use super::wire::Fill;

/// What a connection may still give after the stop: what lies in its socket, and no more.
const LAST_BYTES: usize = 16 * 1024 * 1024;

/// How long it is waited for that after the stop.
const GRACE: Duration = Duration::from_millis(100);

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The sender closed it.
    Closed,
    /// It broke.
    Broken,
    /// We close it: it is silent, has to make room, or the source stops.
    Ours,
}

/// What came of looking for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// Bytes are in the buffer.
    Bytes,
    /// Nothing is there yet.
    Nothing,
    /// Nothing will come.
    End(End),
}

/// The reading side of a session.
pub(crate) struct Reception<'a> {
    pub session: &'a Session,
    last_bytes: usize,
}

impl<'a> Reception<'a> {
    pub fn new(session: &'a Session) -> Self {
        Self { session, last_bytes: LAST_BYTES }
    }

    /// Takes what has come already, without waiting.
    pub async fn now(&mut self, flow: &mut impl Fill) -> Came {
        let stopping = self.session.is_stopping();
        match flow.fill_now().await {
            // What the system has may be on its way to us.
            None if stopping => match timeout(GRACE, flow.fill()).await {
                Ok(read) => self.came(&read, true),
                Err(_) => Came::End(End::Ours),
            },
            None => Came::Nothing,
            Some(read) => self.came(&read, stopping),
        }
    }

    /// Waits for bytes as long as the connection may be silent. `Nothing` says: look again.
    pub async fn wait(&mut self, flow: &mut impl Fill, silence: Duration) -> Came {
        let session = self.session;
        tokio::select! {
            read = timeout(silence, flow.fill()) => {
                let Ok(read) = read else {
                    Meters::count(&session.context.meters.timed_out);
                    return Came::End(End::Ours);
                };
                self.came(&read, false)
            }
            () = session.stopped() => Came::Nothing,
            () = session.seat.evicted() => Came::End(End::Ours),
        }
    }

    fn came(&mut self, read: &std::io::Result<usize>, stopping: bool) -> Came {
        match read {
            Ok(0) => Came::End(End::Closed),
            Ok(read) => {
                if !stopping {
                    return Came::Bytes;
                }
                let left = self.last_bytes.checked_sub(*read);
                self.last_bytes = left.unwrap_or_default();
                left.map_or(Came::End(End::Ours), |_| Came::Bytes)
            }
            Err(_) => Came::End(End::Broken),
        }
    }
}

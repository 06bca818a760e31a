//! Gathers the records of one sender into batches and hands them to the log.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bigsec_evidence::{Flags, Position};

use crate::intake::{Batch, Closed, Ticket};

use super::context::SourceContext;
use super::doubles::Trail;

/// Batches of one stream that may wait for the log. What the sender has beyond that waits in the
/// connection: more would not be faster, and each would be memory that was never touched.
const IN_FLIGHT: usize = 8;

/// The records of one sender on their way to the log.
pub(crate) struct Collector {
    context: Arc<SourceContext>,
    peer: Option<SocketAddr>,
    batch: Option<Batch>,
    /// Knows what the sender sent before, where senders send again.
    trail: Option<Trail>,
    tally: Tally,
    in_flight: VecDeque<Ticket>,
}

/// What the batch adds to the meters.
#[derive(Default)]
struct Tally {
    cut: u64,
    continued: u64,
    doubles: u64,
}

impl Collector {
    pub fn new(context: Arc<SourceContext>, peer: Option<SocketAddr>) -> Self {
        Self {
            context,
            peer,
            batch: None,
            trail: None,
            tally: Tally::default(),
            in_flight: VecDeque::new(),
        }
    }

    /// Marks what the sender may have sent before.
    pub fn marking_doubles(mut self) -> Self {
        self.trail = self.peer.map(|peer| self.context.doubles.trail(peer.ip()));
        self
    }

    /// Adds a record; an empty one is none.
    pub fn push(&mut self, payload: &[u8], mut flags: Flags, position: Option<Position>) {
        if payload.is_empty() {
            return;
        }
        if let Some(trail) = &mut self.trail
            && trail.met_before(payload)
        {
            flags = flags.with(Flags::DOUBLE);
            self.tally.doubles += 1;
        }
        self.tally.cut += u64::from(flags.has(Flags::CUT));
        self.tally.continued += u64::from(flags.has(Flags::CONTINUED));
        let batch = self.batch.get_or_insert_with(|| {
            let source = Arc::clone(&self.context.name);
            self.context.intake.batch(source, self.peer, self.context.clock.now_us())
        });
        batch.push(payload, flags, position);
    }

    /// Records that follow came from `peer`.
    pub fn set_peer(&mut self, peer: SocketAddr) {
        if self.peer != Some(peer) {
            self.peer = Some(peer);
            if let Some(batch) = &mut self.batch {
                batch.set_peer(Some(peer));
            }
        }
    }

    pub fn is_full(&self) -> bool {
        self.batch.as_ref().is_some_and(Batch::is_full)
    }

    pub fn is_empty(&self) -> bool {
        self.batch.is_none()
    }

    /// Hands the batch on, if there is one; waits while the log has no room.
    pub async fn submit(&mut self) -> Result<Option<Ticket>, Closed> {
        match self.take() {
            Some(batch) => self.context.intake.submit(batch).await.map(Some),
            None => Ok(None),
        }
    }

    /// Hands the batch on and forgets it; waits while too many of this sender's are on their way.
    pub async fn hand_on(&mut self) -> Result<(), Closed> {
        let Some(ticket) = self.submit().await? else { return Ok(()) };
        self.in_flight.push_back(ticket);
        while self.in_flight.len() > IN_FLIGHT
            && let Some(oldest) = self.in_flight.pop_front()
        {
            oldest.durable().await?;
        }
        Ok(())
    }

    /// [`submit`](Self::submit) for a thread that is not in the runtime.
    pub fn submit_blocking(&mut self) -> Result<Option<Ticket>, Closed> {
        match self.take() {
            Some(batch) => self.context.intake.submit_blocking(batch).map(Some),
            None => Ok(None),
        }
    }

    fn take(&mut self) -> Option<Batch> {
        let batch = self.batch.take()?;
        if let Some(trail) = &mut self.trail {
            trail.store();
        }
        let (meters, tally) = (&self.context.meters, std::mem::take(&mut self.tally));
        meters.records.fetch_add(batch.len() as u64, Relaxed);
        meters.bytes.fetch_add(batch.bytes() as u64, Relaxed);
        meters.cut.fetch_add(tally.cut, Relaxed);
        meters.continued.fetch_add(tally.continued, Relaxed);
        meters.doubles.fetch_add(tally.doubles, Relaxed);
        meters.last_received_us.store(batch.received_us(), Relaxed);
        Some(batch)
    }
}

//! The one way from sources to the log: bounded, and answered only when records are durable.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use bigsec_evidence::{Flags, Position, Record};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Batches that wait between the sources and the writer.
pub const QUEUED_BATCHES: usize = 64;

/// Bytes after which a source hands a batch on, except for a single longer record.
pub const BATCH_BYTES: usize = 256 * 1024;

/// Bytes that a batch has room for at first.
const FIRST_BYTES: usize = 32 * 1024;

/// Memory that is kept for batches to come: as many as the writer takes at once, and not those that
/// one long record made large.
const SPARES: usize = 16;
const SPARE_BYTES: usize = 2 * BATCH_BYTES;

/// The unit in which the bytes that may wait are counted.
const SHARE_BYTES: usize = 1024;

#[derive(Debug, Clone, Copy)]
struct Entry {
    end: usize,
    flags: Flags,
    position: Option<Position>,
}

/// Records of one source, in their order, in one piece of memory.
#[derive(Debug, Clone)]
pub struct Batch {
    source: Arc<str>,
    /// Who sent the records from an index on: one entry, but for datagrams.
    peers: Vec<(usize, Option<SocketAddr>)>,
    received_us: i64,
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl Batch {
    /// An empty batch.
    pub fn new(source: Arc<str>, peer: Option<SocketAddr>, received_us: i64) -> Self {
        Self::within(Memory::default(), source, peer, received_us)
    }

    fn within(
        memory: Memory,
        source: Arc<str>,
        peer: Option<SocketAddr>,
        received_us: i64,
    ) -> Self {
        let Memory { bytes, entries } = memory;
        Self { source, peers: vec![(0, peer)], received_us, bytes, entries }
    }

    /// Says who sent the records that are added from now on.
    pub fn set_peer(&mut self, peer: Option<SocketAddr>) {
        self.peers.push((self.entries.len(), peer));
    }

    /// Adds a record.
    pub fn push(&mut self, payload: &[u8], flags: Flags, position: Option<Position>) {
        self.make_room(payload.len());
        self.bytes.extend_from_slice(payload);
        self.entries.push(Entry { end: self.bytes.len(), flags, position });
    }

    /// Grows at once to what a busy sender needs: each step between would be fresh memory.
    fn make_room(&mut self, bytes: usize) {
        let (held, has) = (self.bytes.len(), self.bytes.capacity());
        let usual = if has == 0 { FIRST_BYTES } else { BATCH_BYTES + FIRST_BYTES };
        if held + bytes > has && held + bytes <= usual {
            self.bytes.reserve_exact(usual - held);
        }
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of the payloads.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it is time to hand it on.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH_BYTES
    }

    /// When its records were received, µs since 1970 UTC.
    pub fn received_us(&self) -> i64 {
        self.received_us
    }

    /// Name of the source.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// The records as the log takes them.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let (mut begin, mut peer) = (0, None);
        let mut peers = self.peers.iter().peekable();
        self.entries.iter().enumerate().map(move |(index, entry)| {
            let payload = &self.bytes[begin..entry.end];
            begin = entry.end;
            while let Some((_, next)) = peers.next_if(|(from, _)| *from <= index) {
                peer = *next;
            }
            Record {
                flags: entry.flags,
                received_us: self.received_us,
                source: &self.source,
                peer,
                id: None,
                position: entry.position,
                payload,
            }
        })
    }
}

/// What the records of a batch lie in.
#[derive(Debug, Default)]
struct Memory {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

/// Memory of batches that are in the log. Given back to the system each time, the same pages would
/// be cleared for every batch: a fifth of what receiving costs.
#[derive(Debug, Default)]
struct Spares(Mutex<Vec<Memory>>);

impl Spares {
    fn take(&self) -> Memory {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give(&self, mut memory: Memory) {
        if memory.bytes.capacity() > SPARE_BYTES {
            return;
        }
        memory.bytes.clear();
        memory.entries.clear();
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spares.len() < SPARES {
            spares.push(memory);
        }
    }
}

/// The daemon is stopping: nothing is taken in any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log takes no more records: it is being closed")]
pub struct Closed;

/// A batch and where its answer goes.
#[derive(Debug)]
pub struct Submitted {
    batch: Batch,
    spares: Arc<Spares>,
    answer: oneshot::Sender<u64>,
    /// Its share of the bytes that may wait, given back when the batch is durable or dropped.
    _share: OwnedSemaphorePermit,
}

impl Submitted {
    /// The records.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Says that the log has taken the records over: their memory is free for others.
    pub fn taken_over(&mut self) {
        let bytes = std::mem::take(&mut self.batch.bytes);
        let entries = std::mem::take(&mut self.batch.entries);
        self.spares.give(Memory { bytes, entries });
    }

    /// Says that the batch is durable, and the sequence after its last record.
    pub fn durable(self, end: u64) {
        // A source that is gone needs no answer.
        let _ = self.answer.send(end);
    }
}

/// The sources' end of the queue. A clone is another hand on the same queue.
#[derive(Debug, Clone)]
pub struct Intake {
    queue: mpsc::Sender<Submitted>,
    room: Arc<Semaphore>,
    shares: u32,
    spares: Arc<Spares>,
}

/// A promise that a batch will be durable.
#[derive(Debug)]
pub struct Ticket(oneshot::Receiver<u64>);

/// The queue: the sources' end and the writer's end.
pub fn intake() -> (Intake, mpsc::Receiver<Submitted>) {
    intake_of(QUEUED_BATCHES * BATCH_BYTES)
}

/// The same, where so many bytes may wait for the log. A batch that is larger goes alone.
pub fn intake_of(bytes_max: usize) -> (Intake, mpsc::Receiver<Submitted>) {
    let (queue, writer) = mpsc::channel(QUEUED_BATCHES);
    let shares = u32::try_from(bytes_max / SHARE_BYTES).unwrap_or(u32::MAX).max(1);
    let room = Arc::new(Semaphore::new(shares as usize));
    (Intake { queue, room, shares, spares: Arc::default() }, writer)
}

impl Intake {
    /// An empty batch, in memory that another one had where there is some.
    pub fn batch(&self, source: Arc<str>, peer: Option<SocketAddr>, received_us: i64) -> Batch {
        Batch::within(self.spares.take(), source, peer, received_us)
    }

    /// Hands a batch to the log; waits while the queue is full.
    pub async fn submit(&self, batch: Batch) -> Result<Ticket, Closed> {
        let share = self.share(&batch).await?;
        let (submitted, ticket) = self.with_ticket(batch, share);
        self.queue.send(submitted).await.map_err(|_| Closed)?;
        Ok(ticket)
    }

    /// The same for a thread that is not in the runtime.
    pub fn submit_blocking(&self, batch: Batch) -> Result<Ticket, Closed> {
        let share = wait_for(self.share(&batch))?;
        let (submitted, ticket) = self.with_ticket(batch, share);
        self.queue.blocking_send(submitted).map_err(|_| Closed)?;
        Ok(ticket)
    }

    fn with_ticket(&self, batch: Batch, share: OwnedSemaphorePermit) -> (Submitted, Ticket) {
        let (answer, ticket) = oneshot::channel();
        let spares = Arc::clone(&self.spares);
        (Submitted { batch, spares, answer, _share: share }, Ticket(ticket))
    }

    /// Waits for a batch's share of the bytes that may wait.
    async fn share(&self, batch: &Batch) -> Result<OwnedSemaphorePermit, Closed> {
        let wanted = u32::try_from(batch.bytes().div_ceil(SHARE_BYTES)).unwrap_or(u32::MAX);
        let wanted = wanted.clamp(1, self.shares);
        Arc::clone(&self.room).acquire_many_owned(wanted).await.map_err(|_| Closed)
    }
}

/// Wakes a thread that waits for a future.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future on a thread that is not in the runtime.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        thread::park();
    }
}

impl Ticket {
    /// Waits until the batch is durable; gives the sequence after its last record.
    pub async fn durable(self) -> Result<u64, Closed> {
        self.0.await.map_err(|_| Closed)
    }

    /// The same for a thread that is not in the runtime.
    pub fn wait(self) -> Result<u64, Closed> {
        self.0.blocking_recv().map_err(|_| Closed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn batch(bytes: usize) -> Batch {
        let mut batch = Batch::new(Arc::from("app"), None, 0);
        batch.push(&vec![b'x'; bytes], Flags::default(), None);
        batch
    }

    #[test]
    fn bytes_that_wait_are_bounded_and_given_back_when_durable() {
        let (intake, mut writer) = intake_of(10 * SHARE_BYTES);
        let first = intake.submit_blocking(batch(6 * SHARE_BYTES)).expect("it is open");
        let second = thread::spawn({
            let intake = intake.clone();
            // Larger than all that may wait: it goes once it is alone.
            move || intake.submit_blocking(batch(50 * SHARE_BYTES))
        });
        thread::sleep(Duration::from_millis(50));
        assert!(!second.is_finished(), "there is no room for it");
        writer.blocking_recv().expect("the first").durable(1);
        assert_eq!(first.wait(), Ok(1));
        let second = second.join().expect("no panic").expect("it is open");
        writer.blocking_recv().expect("the second").durable(2);
        assert_eq!(second.wait(), Ok(2));
        drop(writer);
        assert!(intake.submit_blocking(batch(1)).is_err(), "nobody writes");
    }

    #[test]
    fn memory_of_batches_in_the_log_serves_the_next_but_not_that_of_a_long_record() {
        let (intake, mut writer) = intake();
        for (bytes, is_kept) in [(3 * SHARE_BYTES, true), (SPARE_BYTES + 1, false)] {
            intake.submit_blocking(batch(bytes)).expect("it is open");
            writer.blocking_recv().expect("a batch").taken_over();
            let next = intake.batch(Arc::from("app"), None, 0);
            assert!(next.is_empty() && next.bytes() == 0, "nothing of the other is left");
            assert_eq!(next.bytes.capacity() >= bytes, is_kept, "{bytes}");
        }
    }
}

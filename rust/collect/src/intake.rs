//! The one way from sources to the log: bounded, and answered only when records are durable.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use bigsec_evidence::{Flags, Position, Record};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Batches that wait between the sources and the writer.
pub const QUEUED_BATCHES: usize = 64;

/// Bytes after which a source hands a batch on, except for a single longer record.
pub const BATCH_BYTES: usize = 256 * 1024;

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
        let peers = vec![(0, peer)];
        Self { source, peers, received_us, bytes: Vec::new(), entries: Vec::new() }
    }

    /// Says who sent the records that are added from now on.
    pub fn set_peer(&mut self, peer: Option<SocketAddr>) {
        self.peers.push((self.entries.len(), peer));
    }

    /// Adds a record.
    pub fn push(&mut self, payload: &[u8], flags: Flags, position: Option<Position>) {
        self.bytes.extend_from_slice(payload);
        self.entries.push(Entry { end: self.bytes.len(), flags, position });
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

/// The daemon is stopping: nothing is taken in any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log takes no more records: it is being closed")]
pub struct Closed;

/// A batch and where its answer goes.
#[derive(Debug)]
pub struct Submitted {
    /// The records.
    pub batch: Batch,
    answer: oneshot::Sender<u64>,
    /// Its share of the bytes that may wait, given back when the batch is durable or dropped.
    _share: OwnedSemaphorePermit,
}

impl Submitted {
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
    (Intake { queue, room, shares }, writer)
}

impl Intake {
    /// Hands a batch to the log; waits while the queue is full.
    pub async fn submit(&self, batch: Batch) -> Result<Ticket, Closed> {
        let share = self.share(&batch).await?;
        let (answer, ticket) = oneshot::channel();
        self.queue.send(Submitted { batch, answer, _share: share }).await.map_err(|_| Closed)?;
        Ok(Ticket(ticket))
    }

    /// The same for a thread that is not in the runtime.
    pub fn submit_blocking(&self, batch: Batch) -> Result<Ticket, Closed> {
        let share = wait_for(self.share(&batch))?;
        let (answer, ticket) = oneshot::channel();
        self.queue.blocking_send(Submitted { batch, answer, _share: share }).map_err(|_| Closed)?;
        Ok(Ticket(ticket))
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
}

//! Who may connect: limits in all, for each address and for the process. When there is no room, the
//! connection that has been idle longest makes it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::context::SourceContext;
use super::limits::StreamLimits;
use super::meters::Meters;

/// A connection that gave a record less than this ago is at work and is not closed for another.
const AT_WORK_US: u64 = 1_000_000;

/// Why a connection is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full,
    AddressFull,
    Descriptors,
}

/// The connections of one source.
pub(crate) struct Gate {
    context: Arc<SourceContext>,
    in_all: usize,
    per_address: usize,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    next: u64,
    by_number: HashMap<u64, (IpAddr, Arc<Activity>)>,
    by_address: HashMap<IpAddr, usize>,
}

/// When a connection last gave a record, and how it learns that it has to go.
struct Activity {
    last_us: AtomicU64,
    evicted: Notify,
}

/// A connection's place; dropping it makes room.
pub(crate) struct Seat {
    gate: Arc<Gate>,
    number: u64,
    address: IpAddr,
    activity: Arc<Activity>,
}

impl Gate {
    pub fn new(context: Arc<SourceContext>, limits: &StreamLimits) -> Arc<Self> {
        Arc::new(Self {
            context,
            in_all: limits.connections_max,
            per_address: limits.connections_per_address_max,
            seats: Mutex::default(),
        })
    }

    /// Gives a place to a connection from `address`, or says why there is none.
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Seat, Refusal> {
        let meters = &self.context.meters;
        let refused = &meters.refused;
        let admitted = self.place(address);
        Meters::count(match &admitted {
            Ok(_) => &meters.accepted,
            Err(Refusal::Full) => &refused.full,
            Err(Refusal::AddressFull) => &refused.address_full,
            Err(Refusal::Descriptors) => &refused.descriptors,
        });
        admitted
    }

    fn place(self: &Arc<Self>, address: IpAddr) -> Result<Seat, Refusal> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if seats.by_address.get(&address).is_some_and(|count| *count >= self.per_address)
            && !self.evict(&mut seats, Some(address))
        {
            return Err(Refusal::AddressFull);
        }
        if seats.by_number.len() >= self.in_all && !self.evict(&mut seats, None) {
            return Err(Refusal::Full);
        }
        if !self.context.descriptors.take() {
            // The one that goes gives its descriptor back when its task ends; the next try finds it.
            self.evict(&mut seats, None);
            return Err(Refusal::Descriptors);
        }
        let activity =
            Arc::new(Activity { last_us: AtomicU64::new(self.now_us()), evicted: Notify::new() });
        let number = seats.next;
        seats.next += 1;
        seats.by_number.insert(number, (address, Arc::clone(&activity)));
        *seats.by_address.entry(address).or_default() += 1;
        self.context.meters.connections.store(seats.by_number.len() as u64, Relaxed);
        Ok(Seat { gate: Arc::clone(self), number, address, activity })
    }

    /// Tells the connection that has been idle longest to go; false where all are at work.
    pub fn make_room(&self) -> bool {
        self.evict(&mut self.seats.lock().unwrap_or_else(PoisonError::into_inner), None)
    }

    fn evict(&self, seats: &mut Seats, of: Option<IpAddr>) -> bool {
        let idle_since = self.now_us().saturating_sub(AT_WORK_US);
        let oldest = seats
            .by_number
            .iter()
            .filter(|(_, (address, _))| of.is_none_or(|of| of == *address))
            .map(|(number, (_, activity))| (activity.last_us.load(Relaxed), *number))
            .filter(|(last, _)| *last <= idle_since)
            .min();
        let Some((_, number)) = oldest else { return false };
        if let Some((address, activity)) = seats.by_number.remove(&number) {
            seats.leave(address);
            activity.evicted.notify_one();
            Meters::count(&self.context.meters.evicted);
        }
        true
    }

    fn now_us(&self) -> u64 {
        self.context.clock.elapsed().as_micros() as u64
    }
}

impl Seats {
    fn leave(&mut self, address: IpAddr) {
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

impl Seat {
    /// The connection gave a record.
    pub fn at_work(&self) {
        self.activity.last_us.store(self.gate.now_us(), Relaxed);
    }

    /// The connection waits for us, not we for it.
    pub fn busy(&self) {
        self.activity.last_us.store(u64::MAX, Relaxed);
    }

    /// Waits until the connection has to make room.
    pub async fn evicted(&self) {
        self.activity.evicted.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.gate.seats.lock().unwrap_or_else(PoisonError::into_inner);
        // One that was told to go has left its place already.
        if seats.by_number.remove(&self.number).is_some() {
            seats.leave(self.address);
        }
        self.gate.context.meters.connections.store(seats.by_number.len() as u64, Relaxed);
        self.gate.context.descriptors.give_back();
    }
}

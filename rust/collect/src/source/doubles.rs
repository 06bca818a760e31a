//! Marks records that a sender probably sends again.
//!
//! A sender that loses its connection does not know which of its last records arrived, and sends
//! them again. So the last records of each address are remembered as hashes, in the order of their
//! connection. What comes at the beginning of a new connection is marked as long as it repeats such
//! a run; the first record that does not ends the marking. Nothing is ever left out because of a
//! mark.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Records remembered of one address.
const PER_ADDRESS: usize = 65_536;
/// Records remembered of all addresses.
const IN_ALL: usize = 1 << 20;
/// Places of the same record that are followed at a time.
const CANDIDATES: usize = 16;

/// The last records of a source's senders.
#[derive(Debug, Default)]
pub struct Doubles {
    hasher: foldhash::quality::RandomState,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    peers: HashMap<IpAddr, Peer, RandomState>,
    held: usize,
    next_trail: u32,
    moment: u64,
}

#[derive(Debug, Default)]
struct Peer {
    /// Number of the first entry since the start.
    first: u64,
    entries: VecDeque<Entry>,
    /// When it was last written to, as a count of writings.
    used: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    hash: u64,
    trail: u32,
}

/// The records of one connection.
pub(crate) struct Trail {
    doubles: Arc<Doubles>,
    peer: IpAddr,
    number: u32,
    /// Where the next record is expected, in each run that is still being repeated.
    candidates: Vec<u64>,
    state: State,
    /// Entries that came before this connection end here.
    until: u64,
    fresh: Vec<u64>,
}

#[derive(PartialEq, Eq)]
enum State {
    First,
    Repeating,
    New,
}

impl Doubles {
    /// Remembers a record that is in the log from before the start; oldest first.
    pub fn seed(&self, peer: IpAddr, payload: &[u8]) {
        let hash = self.hasher.hash_one(payload);
        self.lock().store(peer, 0, &[hash]);
    }

    /// Begins a connection.
    pub(crate) fn trail(self: &Arc<Self>, peer: IpAddr) -> Trail {
        let mut memory = self.lock();
        memory.next_trail = memory.next_trail.wrapping_add(1);
        let until = memory.peers.get(&peer).map_or(0, Peer::end);
        Trail {
            doubles: Arc::clone(self),
            peer,
            number: memory.next_trail,
            candidates: Vec::new(),
            state: if until == 0 { State::New } else { State::First },
            until,
            fresh: Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn store(&mut self, peer: IpAddr, trail: u32, hashes: &[u64]) {
        self.moment += 1;
        let entry = self.peers.entry(peer).or_default();
        entry.used = self.moment;
        let before = entry.entries.len();
        entry.entries.extend(hashes.iter().map(|hash| Entry { hash: *hash, trail }));
        let over = entry.entries.len().saturating_sub(PER_ADDRESS);
        entry.entries.drain(..over);
        entry.first += over as u64;
        self.held = self.held + entry.entries.len() - before;
        while self.held > IN_ALL {
            let oldest = self.peers.iter().min_by_key(|(_, peer)| peer.used).map(|(ip, _)| *ip);
            let Some(gone) = oldest.and_then(|ip| self.peers.remove(&ip)) else { return };
            self.held -= gone.entries.len();
        }
    }
}

impl Peer {
    fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn get(&self, number: u64) -> Option<Entry> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.entries.get(at).copied()
    }

    /// The entry after `number` and before `until` that a sender would send next: of the same
    /// connection, or, where that one had ended, of the one that followed.
    fn after(&self, number: u64, trail: u32, until: u64) -> Option<u64> {
        let same = |at: &u64| self.get(*at).is_some_and(|entry| entry.trail == trail);
        let next = number + 1;
        (next..until).find(same).or((next < until).then_some(next))
    }
}

impl Trail {
    /// Whether the record goes on with a run of records that came before; remembers it.
    pub fn met_before(&mut self, payload: &[u8]) -> bool {
        let hash = self.doubles.hasher.hash_one(payload);
        if self.state != State::New && self.repeats(hash) {
            return true;
        }
        self.fresh.push(hash);
        false
    }

    /// Makes what came known to connections that follow.
    pub fn store(&mut self) {
        if !self.fresh.is_empty() {
            self.doubles.lock().store(self.peer, self.number, &self.fresh);
            self.fresh.clear();
        }
    }

    fn repeats(&mut self, hash: u64) -> bool {
        let memory = self.doubles.lock();
        let Some(peer) = memory.peers.get(&self.peer) else {
            self.state = State::New;
            return false;
        };
        let is_it = |number: &u64| peer.get(*number).is_some_and(|entry| entry.hash == hash);
        let mut found: Vec<u64> = if self.state == State::First {
            (peer.first..self.until).rev().filter(is_it).take(CANDIDATES).collect()
        } else {
            self.candidates.iter().copied().filter(is_it).collect()
        };
        if found.is_empty() {
            self.state = State::New;
            return false;
        }
        found.retain_mut(|number| {
            let next =
                peer.get(*number).and_then(|entry| peer.after(*number, entry.trail, self.until));
            next.is_some_and(|next| {
                *number = next;
                true
            })
        });
        self.state = if found.is_empty() { State::New } else { State::Repeating };
        self.candidates = found;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn send(doubles: &Arc<Doubles>, records: std::ops::Range<u32>) -> Vec<bool> {
        let mut trail = doubles.trail(PEER);
        let marks =
            records.map(|number| trail.met_before(format!("record {number}").as_bytes())).collect();
        trail.store();
        marks
    }

    #[test]
    fn p1_what_is_sent_again_after_a_reconnect_is_marked() {
        let doubles = Arc::new(Doubles::default());
        assert_eq!(send(&doubles, 0..10), [false; 10]);
        // The sender did not hear of 6..10 and goes on with new ones.
        let marks = send(&doubles, 6..13);
        assert_eq!(marks, [true, true, true, true, false, false, false]);
        // What was sent again joins the run that it repeated.
        assert_eq!(send(&doubles, 9..14), [true, true, true, true, false]);
    }

    #[test]
    fn marking_ends_with_the_first_new_record() {
        let doubles = Arc::new(Doubles::default());
        send(&doubles, 0..5);
        let mut trail = doubles.trail(PEER);
        let marks: Vec<bool> =
            [3, 77, 4].iter().map(|n| trail.met_before(format!("record {n}").as_bytes())).collect();
        assert_eq!(marks, [true, false, false]);
    }

    #[test]
    fn two_connections_at_a_time_do_not_break_each_others_runs() {
        let doubles = Arc::new(Doubles::default());
        let (mut one, mut two) = (doubles.trail(PEER), doubles.trail(PEER));
        for number in 0..6 {
            one.met_before(format!("one {number}").as_bytes());
            one.store();
            two.met_before(format!("two {number}").as_bytes());
            two.store();
        }
        let mut again = doubles.trail(PEER);
        for number in 3..6 {
            assert!(again.met_before(format!("one {number}").as_bytes()));
        }
        assert!(!again.met_before(b"one 6"));
    }

    #[test]
    fn t5_the_memory_is_bounded_and_another_address_is_not_mixed_in() {
        let doubles = Arc::new(Doubles::default());
        for host in 0..40_u32 {
            let peer = IpAddr::from(host.to_be_bytes());
            let hashes: Vec<u64> = (0..60_000).map(|n| n + u64::from(host)).collect();
            doubles.lock().store(peer, 1, &hashes);
            doubles.lock().store(peer, 1, &hashes);
        }
        let memory = doubles.lock();
        assert!(memory.held <= IN_ALL);
        let sum: usize = memory.peers.values().map(|peer| peer.entries.len()).sum();
        assert_eq!(sum, memory.held);
        drop(memory);
        send(&doubles, 0..3);
        let mut other = doubles.trail(IpAddr::from([192, 0, 2, 2]));
        assert!(!other.met_before(b"record 0"));
    }

    #[test]
    fn records_of_before_the_start_are_known() {
        let doubles = Arc::new(Doubles::default());
        for number in 0..4 {
            doubles.seed(PEER, format!("record {number}").as_bytes());
        }
        assert_eq!(send(&doubles, 2..5), [true, true, false]);
    }
}

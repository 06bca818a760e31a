//! The service manager's file descriptor store, as this process sees it.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType, recvmsg, sendmsg,
    socketpair,
};

/// Sockets that are given to the store: their names, and those of as many tails, have to fit into
/// one variable of the environment (`LISTEN_FDNAMES`; 128 KiB on Linux) of the next process.
const HELD_MAX: usize = 3_500;
/// How long the manager may take to have room for a message, and how often that is looked at.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(1);

/// A socket that an earlier process left.
#[derive(Debug)]
struct Inherited {
    /// Its name in the store.
    key: u64,
    /// The socket.
    socket: OwnedFd,
    /// Bytes that were taken out of it; `None` says that it listens.
    taken: Option<u64>,
    /// Its [tail](super::tail).
    tail: Option<OwnedFd>,
}

/// A connection that an earlier process left.
#[derive(Debug)]
pub(crate) struct Left {
    /// Its name in the store.
    pub key: u64,
    pub stream: TcpStream,
    /// Bytes that were taken out of it, and those of them that began a record.
    pub taken: u64,
    pub tail: Option<OwnedFd>,
}

/// Why an inherited socket could not be taken over.
#[derive(Debug, thiserror::Error)]
pub enum InheritError {
    /// Receiving it failed.
    #[error("no socket can be received: {0}")]
    Receive(#[from] io::Error),
    /// What came is not what [`DescriptorStore::inherit`] describes.
    #[error("a message of {0} bytes with {1} descriptors is not an inherited socket")]
    Message(usize, usize),
}

/// Says to the manager what it shall hold, and knows what it held at the start.
#[derive(Debug)]
pub struct DescriptorStore {
    manager: UnixDatagram,
    names: RandomState,
    next: AtomicU64,
    held: AtomicUsize,
    /// The process ends: connections are left to the next one.
    leaving: AtomicBool,
    inherited: Mutex<Vec<Inherited>>,
    gone: Mutex<Vec<(Arc<str>, u64)>>,
}

impl DescriptorStore {
    /// The store behind a socket as `NOTIFY_SOCKET` names it: a path, or `@` and an abstract name.
    pub fn connect(address: &str) -> io::Result<Self> {
        let manager = UnixDatagram::unbound()?;
        let named = match address.strip_prefix('@') {
            Some(name) => SocketAddrUnix::new_abstract_name(name.as_bytes()),
            None => SocketAddrUnix::new(address),
        };
        rustix::net::connect(&manager, &named.map_err(io::Error::from)?)?;
        manager.set_nonblocking(true)?;
        Ok(Self {
            manager,
            names: RandomState::new(),
            next: AtomicU64::new(0),
            held: AtomicUsize::new(0),
            leaving: AtomicBool::new(false),
            inherited: Mutex::default(),
            gone: Mutex::default(),
        })
    }

    /// Takes over sockets of an earlier process; `send` is given the descriptor to send each to.
    /// A message is the key and, for a connection, the bytes taken out of it, each as 8 bytes
    /// little-endian, with the socket as its descriptor and, behind that of a connection, what
    /// else was held under its key.
    pub fn inherit(&self, count: usize, send: impl FnOnce(OwnedFd)) -> Result<(), InheritError> {
        // Unlike datagrams, these tell of the sender's end.
        let kind = (AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC);
        let (way_in, way_out) =
            socketpair(kind.0, kind.1, kind.2, None).map_err(io::Error::from)?;
        // The sender would wait for room while we wait for it.
        std::thread::scope(|scope| {
            let receiving = scope.spawn(|| {
                for _ in 0..count {
                    let Some(inherited) = receive(&way_in)? else { return Ok(()) };
                    self.held.fetch_add(1, Ordering::Relaxed);
                    locked(&self.inherited).push(inherited);
                }
                Ok(())
            });
            send(way_out);
            receiving.join().unwrap_or(Err(InheritError::Message(0, 0)))
        })
    }

    /// A name for a socket.
    pub(crate) fn new_key(&self) -> u64 {
        self.names.hash_one(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Has the manager hold a socket; false where it does not.
    pub(crate) async fn hold(&self, key: u64, socket: BorrowedFd<'_>) -> bool {
        if self.held.fetch_add(1, Ordering::Relaxed) >= HELD_MAX
            || !self.tell(&format!("FDSTORE=1\nFDNAME={key:016x}\nFDPOLL=0"), Some(socket)).await
        {
            self.held.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        true
    }

    /// Has the manager hold something else under the name of a connection.
    pub(crate) async fn hold_also(&self, key: u64, what: BorrowedFd<'_>) -> bool {
        self.held.load(Ordering::Relaxed) < HELD_MAX
            && self.tell(&format!("FDSTORE=1\nFDNAME={key:016x}\nFDPOLL=0"), Some(what)).await
    }

    /// Has the manager close its descriptors.
    pub(crate) async fn release(&self, key: u64) {
        self.held.fetch_sub(1, Ordering::Relaxed);
        self.tell(&format!("FDSTOREREMOVE=1\nFDNAME={key:016x}"), None).await;
    }

    /// The same for a connection of a source, whose place in the stream is of no use any more.
    pub(crate) async fn release_of(&self, source: &Arc<str>, key: u64) {
        self.release(key).await;
        locked(&self.gone).push((Arc::clone(source), key));
    }

    /// The connections released since the last call.
    pub(crate) fn take_gone(&self) -> Vec<(Arc<str>, u64)> {
        std::mem::take(&mut *locked(&self.gone))
    }

    /// From now on connections that have to end are left to the next process.
    pub fn leave_all(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Name of the socket that listens there.
    pub(crate) fn key_of(listening: SocketAddr) -> u64 {
        let hash = blake3::hash(listening.to_string().as_bytes());
        let (first, _) = hash.as_bytes().as_chunks::<16>();
        first.first().map_or(0, |first| numbers(*first)[0])
    }

    /// The inherited socket that listens there; it has to be held again.
    pub(crate) fn listener(&self, address: SocketAddr) -> Option<TcpListener> {
        let key = Self::key_of(address);
        let found = self.claim(|one| one.taken.is_none() && one.key == key).pop()?;
        self.held.fetch_sub(1, Ordering::Relaxed);
        Some(TcpListener::from(found.socket))
    }

    /// The inherited connections that came in there.
    pub(crate) fn connections(&self, listening: SocketAddr) -> Vec<Left> {
        let found = self.claim(|one| {
            let local = rustix::net::getsockname(&one.socket).ok();
            let local = local.and_then(|address| SocketAddr::try_from(address).ok());
            one.taken.is_some() && local.is_some_and(|local| came_in_at(local, listening))
        });
        let left = |Inherited { key, socket, taken, tail }| Left {
            key,
            stream: TcpStream::from(socket),
            taken: taken.unwrap_or_default(),
            tail,
        };
        found.into_iter().map(left).collect()
    }

    /// Keys of the connections that were inherited and not yet claimed.
    pub(crate) fn inherited(&self) -> Vec<u64> {
        locked(&self.inherited).iter().map(|one| one.key).collect()
    }

    /// Closes what no source wanted.
    pub(crate) async fn release_unclaimed(&self) {
        for one in self.claim(|_| true) {
            self.release(one.key).await;
        }
    }

    fn claim(&self, mut wanted: impl FnMut(&Inherited) -> bool) -> Vec<Inherited> {
        locked(&self.inherited).extract_if(.., |one| wanted(one)).collect()
    }

    /// Sends a message to the manager; false where it has no room for long, or is gone.
    async fn tell(&self, text: &str, socket: Option<BorrowedFd<'_>>) -> bool {
        let sending = async {
            loop {
                match send(&self.manager, text, socket) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        tokio::time::sleep(LOOK).await;
                    }
                    other => return other.is_ok(),
                }
            }
        };
        tokio::time::timeout(PATIENCE, sending).await.unwrap_or(false)
    }
}

fn send(manager: &UnixDatagram, text: &str, socket: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let sockets = socket.map(|socket| [socket]);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if let Some(sockets) = &sockets {
        control.push(SendAncillaryMessage::ScmRights(sockets));
    }
    sendmsg(manager, &[IoSlice::new(text.as_bytes())], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// The next inherited socket; `None` where the sender has ended.
fn receive(way_in: &OwnedFd) -> Result<Option<Inherited>, InheritError> {
    let mut bytes = [0; 16];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let read =
        recvmsg(way_in, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)
            .map_err(io::Error::from)?
            .bytes;
    let mut sockets: Vec<OwnedFd> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(sockets) => Some(sockets),
            _ => None,
        })
        .flatten()
        .collect();
    let [key, of_it] = numbers(bytes);
    let count = sockets.len();
    let tail = if count > 1 { sockets.pop() } else { None };
    let taken = (read == 16).then_some(of_it);
    match (read, count, sockets.pop()) {
        (0, 0, None) => Ok(None),
        (8, 1, Some(socket)) | (16, 1 | 2, Some(socket)) => {
            Ok(Some(Inherited { key, socket, taken, tail }))
        }
        (read, count, _) => Err(InheritError::Message(read, count)),
    }
}

/// Two numbers, little-endian.
pub(super) fn numbers(bytes: [u8; 16]) -> [u64; 2] {
    let both = u128::from_le_bytes(bytes);
    [both as u64, (both >> 64) as u64]
}

/// Whether a connection with this address of ours came in by that listening address.
fn came_in_at(local: SocketAddr, listening: SocketAddr) -> bool {
    let (ours, theirs) = (local.ip().to_canonical(), listening.ip().to_canonical());
    local.port() == listening.port() && (theirs.is_unspecified() || ours == theirs)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Listens, admits connections, and ends them all when the source stops.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, ToSocketAddrs};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::context::{SourceContext, StartError};
use super::gate::{Gate, Refusal, Seat};
use super::held::{DescriptorStore, Left};
use super::limits::StreamLimits;
use super::meters::Meters;
use super::tls::Acceptor;
use super::wire::Wire;

/// Connections that wait to be taken.
const BACKLOG: i32 = 1_024;
/// A peer that vanished without a word is found out after about two minutes.
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);
const KEEPALIVE_STEP: Duration = Duration::from_secs(15);
/// Waiting times after a failed accept: the process is out of descriptors or memory.
const BACK_OFF: Duration = Duration::from_millis(50);
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// How long after the stop it is waited for another connection that is at the door.
const LAST_CALL: Duration = Duration::from_millis(10);

/// What a connection is served with.
pub(crate) struct Session {
    pub context: Arc<SourceContext>,
    pub peer: SocketAddr,
    pub seat: Seat,
    /// Becomes true when the source stops.
    pub stop: watch::Receiver<bool>,
    /// Set where somebody holds the connection beyond the end of this process.
    pub held: Option<Held>,
}

/// A connection that somebody holds.
#[derive(Debug)]
pub(crate) struct Held {
    /// Its name there, and in the places of its records.
    pub key: u64,
    /// Bytes that were taken out of it, and those of them that began a record.
    pub taken: u64,
    pub tail: Option<OwnedFd>,
}

impl Session {
    /// Whether the connection is left to the next process.
    pub fn is_left(&self) -> bool {
        self.is_stopping() && self.context.store.as_ref().is_some_and(|store| store.is_leaving())
    }

    /// Waits until the source stops.
    pub async fn stopped(&self) {
        stopped(&mut self.stop.clone()).await;
    }

    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }
}

/// Waits until the source stops.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender of the signal is gone: that is a stop, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Where a source listens, and how it admits.
pub(crate) struct Door {
    pub context: Arc<SourceContext>,
    pub limits: StreamLimits,
    pub tls: Option<Acceptor>,
    /// Whether connections are held beyond the end of this process, where somebody does that.
    pub holds: bool,
    /// Connections that an earlier process left.
    pub left: Vec<Left>,
    /// What one that is turned away is told, where the protocol has words for it.
    pub refusal: fn(Refusal) -> &'static [u8],
}

/// Opens the address, or takes the socket over that an earlier process opened and `store` held.
pub(crate) fn listen(
    address: &str,
    store: Option<&Arc<DescriptorStore>>,
) -> Result<StdListener, StartError> {
    let failed = |source| StartError::Listen { address: address.to_owned(), source };
    let address = resolve(address).map_err(failed)?;
    store
        .and_then(|store| store.listener(address))
        .map_or_else(|| open(address), Ok)
        .map_err(failed)
}

/// The socket address that an address names.
pub(crate) fn resolve(address: &str) -> io::Result<SocketAddr> {
    let unknown = || io::Error::new(io::ErrorKind::NotFound, "no such host");
    address.to_socket_addrs()?.next().ok_or_else(unknown)
}

fn open(address: SocketAddr) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

impl Door {
    /// Serves connections until the source stops, then waits for those that are open.
    pub async fn serve<S, F>(mut self, listener: StdListener, stop: watch::Receiver<bool>, serve: S)
    where
        S: Fn(Wire, Session) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let left = std::mem::take(&mut self.left);
        let gate = Gate::new(Arc::clone(&self.context), &self.limits);
        let Ok(listener) = TcpListener::from_std(listener) else {
            Meters::count(&self.context.meters.errors);
            return;
        };
        let door = Arc::new(self);
        let mut tasks = JoinSet::new();
        let (mut stopping, mut wait) = (stop.clone(), BACK_OFF);
        let admit = |tasks: &mut JoinSet<()>, stream: TcpStream, peer: SocketAddr, held| match gate
            .admit(peer.ip())
        {
            Ok(seat) => {
                let context = Arc::clone(&door.context);
                let session = Session { context, peer, seat, stop: stop.clone(), held };
                tasks.spawn(Arc::clone(&door).welcome(stream, session, serve.clone()));
                true
            }
            Err(refusal) => {
                turn_away(&stream, (door.refusal)(refusal));
                false
            }
        };
        let take = |tasks: &mut JoinSet<()>, (stream, peer): (TcpStream, SocketAddr)| {
            admit(tasks, stream, peer, None);
        };
        for (stream, held) in door.inherit(&listener, left).await {
            let (peer, key) = (stream.peer_addr(), held.key);
            if !peer.is_ok_and(|peer| admit(&mut tasks, stream, peer, Some(held))) {
                door.release(key).await;
            }
        }
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stopping) => break,
                Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => {
                        wait = BACK_OFF;
                        take(&mut tasks, accepted);
                    }
                    // The peer was gone before it was taken.
                    Err(error) if is_about_the_peer(&error) => {}
                    Err(_) => {
                        Meters::count(&door.context.meters.errors);
                        gate.make_room();
                        tokio::time::sleep(wait).await;
                        wait = (wait * 2).min(BACK_OFF_MAX);
                    }
                },
            }
        }
        // Those that wait at the door have sent already, and would not know that it was for nothing.
        for _ in 0..BACKLOG {
            match tokio::time::timeout(LAST_CALL, listener.accept()).await {
                Ok(Ok(accepted)) => take(&mut tasks, accepted),
                Ok(Err(_)) | Err(_) => break,
            }
        }
        door.leave(listener).await;
        while tasks.join_next().await.is_some() {}
    }

    /// Who holds the connections that come in here.
    fn store(&self) -> Option<&DescriptorStore> {
        self.context.store.as_deref().filter(|_| self.holds)
    }

    /// Has the listener held, and takes the connections over that an earlier process left.
    async fn inherit(&self, listener: &TcpListener, left: Vec<Left>) -> Vec<(TcpStream, Held)> {
        if let (Some(store), Ok(address)) = (self.store(), listener.local_addr()) {
            store.hold(DescriptorStore::key_of(address), listener.as_fd()).await;
        }
        let mut taken_over = Vec::new();
        for Left { key, stream, taken, tail } in left {
            match stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                Ok(stream) => taken_over.push((stream, Held { key, taken, tail })),
                Err(_) => self.release(key).await,
            }
        }
        taken_over
    }

    /// Closes the listener, unless the next process goes on with it.
    async fn leave(&self, listener: TcpListener) {
        if let (Some(store), Ok(address)) = (self.store(), listener.local_addr())
            && !store.is_leaving()
        {
            store.release(DescriptorStore::key_of(address)).await;
        }
    }

    async fn release(&self, key: u64) {
        if let Some(store) = self.store() {
            store.release_of(&self.context.name, key).await;
        }
    }

    async fn welcome<S, F>(self: Arc<Self>, stream: TcpStream, mut session: Session, serve: S)
    where
        S: Fn(Wire, Session) -> F + Send,
        F: Future<Output = ()> + Send,
    {
        if prepare(&stream).is_err() {
            // Whoever holds it reports its end to nobody but the next process.
            if let Some(held) = &session.held {
                self.release(held.key).await;
            }
            return;
        }
        let Some(tls) = &self.tls else {
            if let (None, Some(store)) = (&session.held, self.store()) {
                let key = store.new_key();
                let is_held = store.hold(key, stream.as_fd()).await;
                session.held = is_held.then_some(Held { key, taken: 0, tail: None });
            }
            return serve(Wire::Plain(stream), session).await;
        };
        let mut stop = session.stop.clone();
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(self.limits.header_timeout(), tls.accept(stream)) => shaken,
            () = stopped(&mut stop) => return,
            () = session.seat.evicted() => return,
        };
        match shaken {
            Ok(Ok(stream)) => serve(Wire::Tls(Box::new(stream)), session).await,
            Ok(Err(_)) | Err(_) => Meters::count(&session.context.meters.refused.handshake),
        }
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_STEP);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// Says why, where that takes no waiting, and closes.
fn turn_away(stream: &TcpStream, words: &'static [u8]) {
    if !words.is_empty() {
        // What does not fit into the socket's buffer at once is not worth a task.
        let _ = stream.try_write(words);
    }
}

fn is_about_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// Ends a connection in order; a peer that does not care is not waited for.
pub(crate) async fn close<W: tokio::io::AsyncWrite + Unpin>(writer: &mut W) {
    let _ = tokio::time::timeout(Duration::from_secs(1), writer.shutdown()).await;
}

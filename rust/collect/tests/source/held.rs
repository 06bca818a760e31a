//! Connections that somebody holds beyond the end of the process. The "process" is a source whose
//! tasks are dropped in the middle, as by a `kill -9`; the service manager is the test.

use std::collections::{BTreeMap, HashMap};
use std::io::{IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bigsec_collect::source::{DescriptorStore, Running};
use bigsec_evidence::Flags;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde_json::Value;

use crate::rig::{Kept, Rig, connect, syslog_tcp, until};

/// The service manager: sockets by the names they were given.
struct Manager {
    inbox: UnixDatagram,
    address: String,
    held: BTreeMap<u64, OwnedFd>,
    _folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let inbox = UnixDatagram::bind(&path).unwrap();
        inbox.set_nonblocking(true).unwrap();
        let address = path.to_str().unwrap().to_owned();
        Self { inbox, address, held: BTreeMap::new(), _folder: folder }
    }

    /// Does what it was told since the last call.
    fn listen(&mut self) -> usize {
        let mut bytes = [0; 256];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        loop {
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let mut room = [IoSliceMut::new(&mut bytes)];
            let flags = RecvFlags::CMSG_CLOEXEC;
            let Ok(said) = recvmsg(&self.inbox, &mut room, &mut control, flags) else {
                return self.held.len();
            };
            let socket = control.drain().find_map(|message| match message {
                RecvAncillaryMessage::ScmRights(mut sockets) => sockets.next(),
                _ => None,
            });
            let text = String::from_utf8_lossy(&bytes[..said.bytes]).into_owned();
            let name = text.lines().find_map(|line| line.strip_prefix("FDNAME=")).unwrap();
            let key = u64::from_str_radix(name, 16).unwrap();
            match socket {
                Some(socket) => {
                    assert!(text.starts_with("FDSTORE=1\n"), "{text}");
                    self.held.insert(key, socket);
                }
                None => {
                    assert!(text.starts_with("FDSTOREREMOVE=1\n"), "{text}");
                    self.held.remove(&key);
                }
            }
        }
    }

    /// A new process: all that is held is passed on to it, with what was taken of the one
    /// connection there is.
    fn process(&mut self, taken: Option<u64>) -> (Rig, Arc<DescriptorStore>) {
        let store = DescriptorStore::connect(&self.address).unwrap();
        self.listen();
        let held = &self.held;
        store
            .inherit(held.len(), |way| {
                for (key, socket) in held {
                    let listens = rustix::net::sockopt::socket_acceptconn(socket).unwrap();
                    let mut message = key.to_le_bytes().to_vec();
                    if !listens {
                        message.extend(taken.unwrap().to_le_bytes());
                    }
                    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
                    let mut control = SendAncillaryBuffer::new(&mut space);
                    let sockets = [socket.as_fd()];
                    assert!(control.push(SendAncillaryMessage::ScmRights(&sockets)));
                    sendmsg(&way, &[IoSlice::new(&message)], &mut control, SendFlags::empty())
                        .unwrap();
                }
            })
            .unwrap();
        let mut rig = Rig::new();
        let store = Arc::new(store);
        rig.store = Some(Arc::clone(&store));
        (rig, store)
    }

    /// The socket of the one connection.
    fn connection(&self) -> &OwnedFd {
        let listens = |socket: &&OwnedFd| rustix::net::sockopt::socket_acceptconn(socket).unwrap();
        let mut found = self.held.values().filter(|socket| !listens(socket));
        let connection = found.next().unwrap();
        assert!(found.next().is_none(), "one connection is held");
        connection
    }
}

/// Ends a source as if the process had died.
fn kill(rig: &Rig, running: Running) {
    rig.stalled.store(true, Ordering::Relaxed);
    rig.runtime.block_on(running.stop(Duration::ZERO));
}

/// How far the log has each connection.
fn reached(kept: &[Kept]) -> HashMap<u64, u64> {
    kept.iter().filter_map(|kept| kept.position).map(|at| (at.file, at.end)).collect()
}

fn fixed(mut settings: Value, running: &Running) -> Value {
    settings["listen"] = running.address().unwrap().to_string().into();
    settings
}

#[test]
fn p1_what_a_dead_process_left_in_its_socket_is_read_by_the_next() {
    let mut manager = Manager::new();
    let (mut sent, mut log, mut stream): (Vec<String>, Vec<Kept>, Option<TcpStream>) =
        Default::default();
    let (mut settings, mut bytes) = (syslog_tcp(), 0_u64);
    for life in 0..12_usize {
        let taken = stream.as_ref().map(|_| {
            manager.listen();
            bytes - rustix::io::ioctl_fionread(manager.connection()).unwrap()
        });
        let (rig, _) = manager.process(taken);
        let running = rig.start_after(settings.clone(), reached(&log));
        settings = fixed(settings, &running);
        let stream = stream.get_or_insert_with(|| connect(&running));
        let mut text = Vec::new();
        for number in 0..life * 40 {
            let record = format!("<13>{life} {number} {}", "x".repeat(number % 90));
            if number % 2 == 0 {
                write!(text, "{record}\n").unwrap();
            } else {
                write!(text, "{} {record}", record.len()).unwrap();
            }
            sent.push(record);
        }
        // Half of a record, whose other half is for the next process.
        let cut = text.len() / 3;
        stream.write_all(&text[..cut]).unwrap();
        // Some die before anything is durable, some between two batches, some when all is in.
        rig.stalled.store(life % 3 == 1, Ordering::Relaxed);
        if life % 3 == 2 {
            until("the log has some", || rig.count() > 0);
        }
        stream.write_all(&text[cut..]).unwrap();
        bytes += text.len() as u64;
        std::thread::sleep(Duration::from_millis(3 * (life as u64 % 5)));
        kill(&rig, running);
        log.extend(rig.kept());
    }
    manager.listen();
    let taken = bytes - rustix::io::ioctl_fionread(manager.connection()).unwrap();
    let (rig, _) = manager.process(Some(taken));
    let running = rig.start_after(settings, reached(&log));
    drop(stream);
    until("the rest is in the log", || log.len() + rig.count() >= sent.len());
    rig.stop(running);
    log.extend(rig.kept());
    let texts: Vec<_> = log.iter().map(|kept| kept.text.clone()).collect();
    assert_eq!(texts, sent, "each once, in their order");
    assert!(log.iter().all(|kept| kept.flags == Flags::default()));
    assert!(log.windows(2).all(|two| two[0].position.unwrap().end < two[1].position.unwrap().end));
    until("what has ended is given back", || manager.listen() == 0);
}

#[test]
fn a_record_longer_than_a_socket_holds_comes_through() {
    let mut manager = Manager::new();
    let (rig, _) = manager.process(None);
    let running = rig.start(syslog_tcp());
    let mut stream = connect(&running);
    let texts: Vec<_> = (0..4).map(|n| format!("<13>{n}{}", "y".repeat(300_000 * n))).collect();
    for text in &texts {
        stream.write_all(text.as_bytes()).unwrap();
        stream.write_all(b"\n").unwrap();
    }
    let kept = rig.wait_for(4);
    assert!(kept.iter().zip(&texts).all(|(kept, text)| kept.text == *text));
    let bytes: usize = texts.iter().map(|text| text.len() + 1).sum();
    assert_eq!(kept[3].position.unwrap().end, bytes as u64);
    rig.stop(running);
}

#[test]
fn what_was_read_and_lost_of_a_long_record_is_told_by_a_mark() {
    let mut manager = Manager::new();
    let (rig, _) = manager.process(None);
    let running = rig.start(syslog_tcp());
    let mut stream = connect(&running);
    stream.write_all(b"<13>first\n").unwrap();
    rig.wait_for(1);
    stream.write_all(&[b'z'; 50_000]).unwrap();
    until("its beginning is read", || {
        manager.listen();
        rustix::io::ioctl_fionread(manager.connection()).unwrap() == 0
    });
    let settings = fixed(syslog_tcp(), &running);
    kill(&rig, running);
    let log = rig.kept();
    let (rig, _) = manager.process(Some(50_010));
    let running = rig.start_after(settings, reached(&log));
    stream.write_all(b"zz\n<13>next\n").unwrap();
    let kept = rig.wait_for(2);
    assert_eq!((kept[0].text.as_str(), kept[0].flags), ("zz", Flags::CUT));
    assert_eq!((kept[1].text.as_str(), kept[1].flags), ("<13>next", Flags::default()));
    rig.stop(running);
}

#[test]
fn a_stop_leaves_connections_to_the_next_process_and_a_change_closes_them() {
    let mut manager = Manager::new();
    let (rig, store) = manager.process(None);
    let running = rig.start(syslog_tcp());
    let settings = fixed(syslog_tcp(), &running);
    let mut stream = connect(&running);
    stream.write_all(b"<13>one\n<13>ha").unwrap();
    rig.wait_for(1);
    store.leave_all();
    rig.stop(running);
    assert_eq!(manager.listen(), 2, "the listener and the connection are still held");
    let log = rig.kept();
    // The peer does not notice.
    stream.write_all(b"lf\n").unwrap();
    let mut other = TcpStream::connect(settings["listen"].as_str().unwrap()).unwrap();
    other.write_all(b"<13>while nobody ran\n").unwrap();
    let (rig, _) = manager.process(Some(8));
    let running = rig.start_after(settings, reached(&log));
    rig.wait_for(2);
    let mut texts = rig.texts();
    texts.sort_unstable();
    assert_eq!(texts, ["<13>half", "<13>while nobody ran"]);
    rig.stop(running);
    assert_eq!(manager.listen(), 0, "a source that was stopped alone holds nothing");
}

#[test]
fn a_manager_that_takes_nothing_costs_nothing_but_the_holding() {
    let manager = Manager::new();
    let store = DescriptorStore::connect(&manager.address).unwrap();
    drop(manager);
    let mut rig = Rig::new();
    rig.store = Some(Arc::new(store));
    let running = rig.start(syslog_tcp());
    connect(&running).write_all(b"<13>one\n").unwrap();
    assert_eq!(rig.wait_for(1)[0].position, None);
    rig.stop(running);
}

#[test]
fn t4_a_message_that_is_no_socket_is_refused() {
    let manager = Manager::new();
    let store = DescriptorStore::connect(&manager.address).unwrap();
    let send = |bytes: &'static [u8]| {
        store.inherit(1, move |way| {
            let nothing = &mut SendAncillaryBuffer::default();
            sendmsg(&way, &[IoSlice::new(bytes)], nothing, SendFlags::empty()).unwrap();
        })
    };
    assert!(send(b"12345678").is_err());
    assert!(send(&[1; 40]).is_err());
    assert!(store.inherit(1, drop).is_ok(), "a sender that ends early has sent all");
}

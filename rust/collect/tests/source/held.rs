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
    held: BTreeMap<u64, Vec<OwnedFd>>,
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
            if let Some(socket) = socket {
                assert!(text.starts_with("FDSTORE=1\n"), "{text}");
                let held = self.held.entry(key).or_default();
                let inode = |one: &OwnedFd| rustix::fs::fstat(one).unwrap().st_ino;
                if !held.iter().any(|one| inode(one) == inode(&socket)) {
                    held.push(socket);
                }
            } else {
                assert!(text.starts_with("FDSTOREREMOVE=1\n"), "{text}");
                self.held.remove(&key);
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
                for (key, held) in held {
                    let listens = rustix::net::sockopt::socket_acceptconn(&held[0]).unwrap();
                    let mut message = key.to_le_bytes().to_vec();
                    if !listens {
                        message.extend(taken.unwrap().to_le_bytes());
                    }
                    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
                    let mut control = SendAncillaryBuffer::new(&mut space);
                    let sockets: Vec<_> = held.iter().map(AsFd::as_fd).collect();
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

    /// What is held of the one connection: its socket first.
    fn connection(&self) -> &[OwnedFd] {
        let listens = |held: &&Vec<_>| rustix::net::sockopt::socket_acceptconn(&held[0]).unwrap();
        let mut found = self.held.values().filter(|held| !listens(held));
        let connection = found.next().unwrap();
        assert!(found.next().is_none(), "one connection is held");
        connection
    }

    /// Bytes that wait in its socket.
    fn unread(&mut self) -> u64 {
        self.listen();
        rustix::io::ioctl_fionread(&self.connection()[0]).unwrap()
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
        let taken = stream.as_ref().map(|_| bytes - manager.unread());
        let (rig, _) = manager.process(taken);
        let running = rig.start_after(settings.clone(), reached(&log));
        settings = fixed(settings, &running);
        let stream = stream.get_or_insert_with(|| connect(&running));
        let mut text = Vec::new();
        for number in 0..life * 40 {
            let record = format!("<13>{life} {number} {}", "x".repeat(number % 90));
            if number % 2 == 0 {
                writeln!(text, "{record}").unwrap();
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
    let taken = bytes - manager.unread();
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
fn p1_the_beginning_of_a_record_is_not_lost_and_lets_the_sender_go_on() {
    for (length, has_tail) in [(9, true), (50_000, true), (50_000, false)] {
        let mut manager = Manager::new();
        let (rig, _) = manager.process(None);
        let running = rig.start(syslog_tcp());
        let mut stream = connect(&running);
        stream.write_all(b"<13>first\n").unwrap();
        rig.wait_for(1);
        stream.write_all(&vec![b'z'; length]).unwrap();
        // A socket in which bytes wait can keep the sender out.
        until("what waits is taken out of the socket", || manager.unread() == 0);
        let settings = fixed(syslog_tcp(), &running);
        kill(&rig, running);
        let log = rig.kept();
        if !has_tail {
            manager.held.values_mut().for_each(|held| held.truncate(1));
        }
        let (rig, _) = manager.process(Some(10 + length as u64));
        let running = rig.start_after(settings, reached(&log));
        stream.write_all(b"ZZ\n<13>next\n").unwrap();
        let kept = rig.wait_for(2);
        let begun = if has_tail { "z".repeat(length) } else { String::new() };
        let flags = if has_tail { Flags::default() } else { Flags::CUT };
        assert_eq!((&kept[0].text, kept[0].flags), (&(begun + "ZZ"), flags));
        assert_eq!((kept[1].text.as_str(), kept[1].flags), ("<13>next", Flags::default()));
        assert_eq!(kept[0].position.unwrap().end, 10 + length as u64 + 3);
        rig.stop(running);
    }
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
    let taken = 14 - manager.unread();
    // The peer does not notice.
    stream.write_all(b"lf\n").unwrap();
    let mut other = TcpStream::connect(settings["listen"].as_str().unwrap()).unwrap();
    other.write_all(b"<13>while nobody ran\n").unwrap();
    let (rig, _) = manager.process(Some(taken));
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

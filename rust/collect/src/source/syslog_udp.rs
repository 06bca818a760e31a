//! Syslog over UDP: one record a datagram. Nobody can be told that one was lost, so those that the
//! system drops are counted, exactly, by the system's own counter.

use std::io::{self, Read};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rustix::net::{RecvFlags, recvfrom, sockopt};
use serde::Deserialize;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::watch;

use bigsec_evidence::Flags;

use crate::framing::syslog::trim_end;
use crate::intake::Closed;
use crate::storage::Storage;

use super::collector::Collector;
use super::context::{SourceContext, StartError};
use super::listener::resolve;
use super::meters::Meters;
use super::running::Running;

/// Largest datagram there is.
const DATAGRAM: usize = 64 * 1024;
/// How long the thread sleeps in the system before it looks for the stop.
const WAIT: Duration = Duration::from_millis(100);
/// How often the system's counter is read.
const LOOK: Duration = Duration::from_secs(1);
/// Datagrams that are still taken after the stop.
const LAST: usize = 1_000_000;
/// The tables of sockets, with a counter of drops each.
const TABLES: [&str; 2] = ["/proc/net/udp", "/proc/net/udp6"];
/// Largest table that is read.
const TABLE_BYTES: u64 = 16 * 1024 * 1024;

/// Syslog over UDP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyslogUdpSettings {
    /// Address and port.
    pub listen: String,
    /// Buffer of the socket that is asked for.
    pub receive_buffer_bytes: usize,
    /// Longest record kept in one piece; what is longer goes on in further records.
    pub record_bytes_max: usize,
}

/// Begins to listen.
pub(crate) fn start(
    settings: &SyslogUdpSettings,
    context: &Arc<SourceContext>,
) -> Result<Running, StartError> {
    let failed = |source| StartError::Listen { address: settings.listen.clone(), source };
    let address = resolve(&settings.listen).map_err(failed)?;
    let socket = open(address, settings.receive_buffer_bytes).map_err(failed)?;
    let granted = sockopt::socket_recv_buffer_size(&socket).unwrap_or_default();
    // The system speaks of twice the bytes it was asked for.
    context.meters.receive_buffer_bytes.store(granted as u64 / 2, Relaxed);
    let inode = rustix::fs::fstat(&socket).map_or(0, |stat| stat.st_ino);
    let local = socket.local_addr().ok();
    let mut receiver = Receiver {
        collector: Collector::new(Arc::clone(context), None),
        context: Arc::clone(context),
        socket,
        inode,
        record_bytes_max: settings.record_bytes_max,
        dropped: None,
    };
    Running::thread(&context.name, local, move |stop| {
        // The log is being closed: what comes now is dropped by the system, and nobody counts.
        let _ = receiver.run(&stop);
    })
    .map_err(StartError::Thread)
}

fn open(address: SocketAddr, buffer: usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // Beyond the system's limit only the administrator may go; else the limit is what we get.
    if sockopt::set_socket_recv_buffer_size_force(&socket, buffer).is_err() {
        socket.set_recv_buffer_size(buffer)?;
    }
    socket.set_read_timeout(Some(WAIT))?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

struct Receiver {
    collector: Collector,
    context: Arc<SourceContext>,
    socket: UdpSocket,
    inode: u64,
    record_bytes_max: usize,
    /// The system's counter when it was last read.
    dropped: Option<u32>,
}

impl Receiver {
    fn run(&mut self, stop: &watch::Receiver<bool>) -> Result<(), Closed> {
        let mut datagram = vec![0; DATAGRAM];
        self.count_drops();
        let mut looked = self.context.clock.elapsed();
        while !*stop.borrow() && stop.has_changed().is_ok() {
            if self.take(&mut datagram, RecvFlags::empty()) {
                self.drain(&mut datagram)?;
            }
            self.collector.submit_blocking()?;
            let now = self.context.clock.elapsed();
            if now.saturating_sub(looked) >= LOOK {
                looked = now;
                self.count_drops();
            }
        }
        self.drain(&mut datagram)?;
        self.collector.submit_blocking()?;
        self.count_drops();
        Ok(())
    }

    /// Takes what has come already.
    fn drain(&mut self, datagram: &mut [u8]) -> Result<(), Closed> {
        for _ in 0..LAST {
            if !self.take(datagram, RecvFlags::DONTWAIT) {
                break;
            }
            if self.collector.is_full() {
                self.collector.submit_blocking()?;
            }
        }
        Ok(())
    }

    /// Takes one datagram; false where there is none.
    fn take(&mut self, datagram: &mut [u8], flags: RecvFlags) -> bool {
        match recvfrom(&self.socket, &mut *datagram, flags) {
            Ok((length, _, peer)) => {
                let message = &datagram[..length];
                if let Some(peer) = peer.and_then(|peer| SocketAddr::try_from(peer).ok()) {
                    self.collector.set_peer(peer);
                }
                self.push(&message[..trim_end(message)]);
                true
            }
            Err(error) => {
                use rustix::io::Errno;
                if !matches!(error, Errno::AGAIN | Errno::INTR) {
                    Meters::count(&self.context.meters.errors);
                }
                false
            }
        }
    }

    fn push(&mut self, message: &[u8]) {
        let (first, more) = message.split_at(message.len().min(self.record_bytes_max));
        self.collector.push(first, Flags::default(), None);
        for piece in more.chunks(self.record_bytes_max) {
            self.collector.push(piece, Flags::CONTINUED, None);
        }
    }

    fn count_drops(&mut self) {
        let storage = self.context.storage.as_ref();
        let Some(now) =
            TABLES.iter().find_map(|table| drops(storage, Path::new(table), self.inode))
        else {
            return;
        };
        // The counter has 32 bits and may begin anew.
        let more = self.dropped.map_or(now, |before| now.wrapping_sub(before));
        self.context.meters.kernel_drops.fetch_add(u64::from(more), Relaxed);
        self.dropped = Some(now);
    }
}

/// The drops of the socket with that inode.
fn drops(storage: &dyn Storage, table: &Path, inode: u64) -> Option<u32> {
    let mut text = String::new();
    storage.open(table).ok()?.take(TABLE_BYTES).read_to_string(&mut text).ok()?;
    find_drops(&text, inode)
}

fn find_drops(table: &str, inode: u64) -> Option<u32> {
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let is_it = fields.nth(9)?.parse() == Ok(inode);
        let drops = fields.nth(2)?.parse().ok()?;
        is_it.then_some(drops)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_counter_is_found_by_inode() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n  \
            338: 00000000:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0\n \
            1410: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 4712 2 0000000000000000 37\n";
        assert_eq!(find_drops(table, 4711), Some(0));
        assert_eq!(find_drops(table, 4712), Some(37));
        assert_eq!(find_drops(table, 1), None);
        assert_eq!(find_drops("", 1), None);
    }
}

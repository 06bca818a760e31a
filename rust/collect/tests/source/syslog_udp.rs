use std::net::UdpSocket;
use std::sync::atomic::Ordering;

use serde_json::json;

use crate::rig::{Rig, until};

#[test]
fn each_datagram_is_a_record_with_its_sender() {
    let rig = Rig::new();
    let running = rig.start(json!({
        "type": "syslog_udp", "listen": "127.0.0.1:0", "receive_buffer_bytes": 1_048_576,
        "record_bytes_max": 65_536,
    }));
    let senders: Vec<_> = (0..3).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    let to = running.address().unwrap();
    for sender in &senders {
        for text in ["<13>plain", "<13>with\n<34>line end\n", "<13>nul\0", ""] {
            sender.send_to(text.as_bytes(), to).unwrap();
        }
    }
    let kept = rig.wait_for(9);
    for (index, record) in kept.iter().enumerate() {
        assert_eq!(record.text, ["<13>plain", "<13>with\n<34>line end", "<13>nul"][index % 3]);
        assert_eq!(record.peer, senders[index / 3].local_addr().ok());
    }
    rig.stop(running);
    assert!(rig.reading().receive_buffer_bytes > 0);
}

#[test]
fn p7_what_the_system_drops_is_counted_exactly() {
    let rig = Rig::new();
    let running = rig.start(json!({
        "type": "syslog_udp", "listen": "127.0.0.1:0", "receive_buffer_bytes": 65_536,
        "record_bytes_max": 65_536,
    }));
    rig.stalled.store(true, Ordering::Relaxed);
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (to, sent) = (running.address().unwrap(), 60_000_u64);
    for number in 0..sent {
        sender.send_to(format!("<13>{number} {}", "z".repeat(500)).as_bytes(), to).unwrap();
    }
    rig.stalled.store(false, Ordering::Relaxed);
    until("all datagrams to be accounted for", || {
        rig.count() as u64 + rig.reading().kernel_drops == sent
    });
    assert!(rig.reading().kernel_drops > 0, "the test is meant to overrun the buffer");
    rig.stop(running);
    assert_eq!(rig.count() as u64 + rig.reading().kernel_drops, sent);
}

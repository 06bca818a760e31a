use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bigsec_evidence::Flags;

use crate::rig::{Rig, connect, exchange, reset, syslog_tcp, until};

#[test]
fn both_framings_come_in_on_one_address() {
    let rig = Rig::new();
    let running = rig.start(syslog_tcp());
    exchange(connect(&running), b"<13>one\n<13>two\r\n");
    exchange(connect(&running), b"9 <13>three8 <13>four<13>five\n");
    exchange(connect(&running), b"<13>six\0<13>seven\0");
    let kept = rig.wait_for(7);
    let texts = ["one", "two", "three", "four", "five", "six", "seven"];
    for (record, text) in kept.iter().zip(texts) {
        assert_eq!(record.text, format!("<13>{text}"));
        assert_eq!(record.flags, Flags::default());
        assert!(record.peer.unwrap().ip().is_loopback());
    }
    rig.stop(running);
    assert_eq!((rig.reading().accepted, rig.reading().records), (3, 7));
    assert_eq!(rig.reading().connections, 0);
}

#[test]
fn t4_counts_that_are_none_cost_nothing() {
    let rig = Rig::new();
    let running = rig.start(syslog_tcp());
    let counts = ["0", "-1", "999999999", "2147483647", "2147483649", "18446744073709551616"];
    for count in counts {
        exchange(connect(&running), format!("{count} <1>a\n<2>after\n").as_bytes());
    }
    let texts: Vec<_> = rig.wait_for(12).into_iter().map(|kept| kept.text).collect();
    for count in counts {
        assert!(texts.contains(&format!("{count} <1>a")));
    }
    rig.stop(running);
}

#[test]
fn t17_a_forged_frame_inside_a_frame_stays_inside() {
    let rig = Rig::new();
    let running = rig.start(syslog_tcp());
    let message = "<13>1970-01-01 otherhost x\n<34>forged\0 2099";
    exchange(connect(&running), format!("{} {message}", message.len()).as_bytes());
    assert_eq!(rig.wait_for(1)[0].text, message);
    rig.stop(running);
}

#[test]
fn p12_one_byte_at_a_time_and_resets_inside_a_record() {
    let rig = Rig::new();
    let running = rig.start(syslog_tcp());
    let mut slow = connect(&running);
    for byte in b"6 <1>abc7 <1>a\nbc<1>line\n" {
        slow.write_all(&[*byte]).unwrap();
    }
    rig.wait_for(3);
    let mut broken = connect(&running);
    broken.write_all(b"<1>whole\n20 <1>not whole").unwrap();
    until("the whole record", || rig.count() == 4);
    reset(broken);
    let kept = rig.wait_for(5);
    assert_eq!(kept[4].text, "<1>not whole");
    assert!(kept[4].flags.has(Flags::CUT));
    // Neither connection heard anything of the other.
    slow.write_all(b"<1>still here\n").unwrap();
    assert_eq!(rig.wait_for(6)[5].text, "<1>still here");
    rig.stop(running);
    assert_eq!(rig.reading().cut, 1);
}

#[test]
fn a_record_beyond_the_limit_goes_on_in_further_ones() {
    let rig = Rig::new();
    let mut settings = syslog_tcp();
    settings["limits"]["record_bytes_max"] = 1_000.into();
    let running = rig.start(settings);
    let long = "x".repeat(2_500);
    exchange(connect(&running), format!("<1>{long}\n<2>after\n").as_bytes());
    let kept = rig.wait_for(4);
    assert_eq!(
        kept[..3].iter().map(|kept| kept.text.as_str()).collect::<String>(),
        format!("<1>{long}")
    );
    assert!(kept[1].flags.has(Flags::CONTINUED) && kept[2].flags.has(Flags::CONTINUED));
    assert_eq!((kept[3].text.as_str(), kept[3].flags), ("<2>after", Flags::default()));
    rig.stop(running);
    assert_eq!(rig.reading().continued, 2);
}

#[test]
fn p7_a_log_that_stalls_makes_senders_wait_and_loses_nothing() {
    let rig = Rig::new();
    let running = rig.start(syslog_tcp());
    rig.stalled.store(true, Ordering::Relaxed);
    let mut stream = connect(&running);
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let line = format!("<13>{}\n", "y".repeat(1_000));
    let chunk = line.repeat(1_000);
    let (mut sent, most) = (0, 256 * 1024 * 1024);
    while sent < most {
        match stream.write(&chunk.as_bytes()[sent % line.len()..]) {
            Ok(written) => sent += written,
            Err(_) => break,
        }
    }
    assert!(sent < most, "the sender is made to wait");
    rig.stalled.store(false, Ordering::Relaxed);
    stream.set_write_timeout(None).unwrap();
    stream.write_all(&line.as_bytes()[sent % line.len()..]).unwrap();
    let lines = sent / line.len() + 1;
    until("all lines", || rig.count() >= lines);
    assert!(rig.kept().iter().all(|kept| kept.text.len() == line.len() - 1));
    assert_eq!(rig.wait_for(lines).len(), lines);
    rig.stop(running);
}

#[test]
fn p9_what_has_come_before_the_stop_is_kept() {
    let rig = Rig::new();
    let running = rig.start(syslog_tcp());
    let mut streams: Vec<_> = (0..8).map(|_| connect(&running)).collect();
    for (number, stream) in streams.iter_mut().enumerate() {
        for line in 0..2_000 {
            stream.write_all(format!("<13>{number}-{line}\n").as_bytes()).unwrap();
        }
        stream.write_all(b"<13>unfinished").unwrap();
    }
    rig.stop(running);
    let kept = rig.wait_for(8 * 2_001);
    assert_eq!(kept.iter().filter(|kept| kept.flags.has(Flags::CUT)).count(), 8);
}

#[test]
fn p1_what_a_sender_sends_again_is_marked() {
    let rig = Rig::new();
    let running = rig.start(syslog_tcp());
    let lines = |range: std::ops::Range<u32>| -> String {
        range.map(|number| format!("<13>number {number}\n")).collect()
    };
    exchange(connect(&running), lines(0..10).as_bytes());
    rig.wait_for(10);
    exchange(connect(&running), lines(7..12).as_bytes());
    let marks: Vec<bool> =
        rig.wait_for(15)[10..].iter().map(|kept| kept.flags.has(Flags::DOUBLE)).collect();
    assert_eq!(marks, [true, true, true, false, false]);
    rig.stop(running);
    assert_eq!(rig.reading().doubles, 3);
}

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use crate::rig::{Rig, connect, http, relp, syslog_tcp, until};

/// Whether the other side has closed.
fn is_closed(stream: &mut std::net::TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    match stream.read(&mut [0; 256]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn t5_a_limit_is_met_exactly_and_one_more_is_turned_away() {
    let rig = Rig::new();
    let mut settings = syslog_tcp();
    settings["limits"]["connections_per_address_max"] = 3.into();
    let running = rig.start(settings);
    let mut streams: Vec<_> = (0..3).map(|_| connect(&running)).collect();
    for (number, stream) in streams.iter_mut().enumerate() {
        stream.write_all(format!("<13>{number}\n").as_bytes()).unwrap();
    }
    rig.wait_for(3);
    let mut fourth = connect(&running);
    until("the fourth to be turned away", || is_closed(&mut fourth));
    assert_eq!(rig.reading().refused_address_full, 1);
    // One that has been idle for a second makes room.
    std::thread::sleep(Duration::from_millis(1_100));
    streams[1].write_all(b"<13>at work\n").unwrap();
    rig.wait_for(4);
    let mut fifth = connect(&running);
    fifth.write_all(b"<13>fifth\n").unwrap();
    rig.wait_for(5);
    until("an idle one to go", || is_closed(&mut streams[0]) || is_closed(&mut streams[2]));
    assert!(!is_closed(&mut streams[1]));
    assert_eq!((rig.reading().evicted, rig.reading().connections), (1, 3));
    rig.stop(running);
}

#[test]
fn t5_silent_connections_are_closed_after_a_while() {
    let rig = Rig::new();
    let mut settings = syslog_tcp();
    settings["limits"]["idle_timeout_s"] = 1.into();
    let running = rig.start(settings);
    let mut silent = connect(&running);
    silent.write_all(b"<13>half a line").unwrap();
    until("the silent one to be closed", || is_closed(&mut silent));
    assert_eq!(rig.wait_for(1)[0].text, "<13>half a line");
    assert_eq!(rig.reading().timed_out, 1);
    rig.stop(running);
}

#[test]
fn t5_a_session_that_is_never_opened_is_closed() {
    let rig = Rig::new();
    let mut settings = relp();
    settings["limits"]["header_timeout_s"] = 1.into();
    let running = rig.start(settings);
    let mut silent = connect(&running);
    let mut words = String::new();
    silent.read_to_string(&mut words).unwrap();
    assert_eq!(words, "0 serverclose 0\n");
    rig.stop(running);
}

#[test]
fn t5_http_says_why_there_is_no_room() {
    let rig = Rig::new();
    let mut settings = http();
    settings["limits"]["connections_max"] = 1.into();
    let running = rig.start(settings);
    let _first = connect(&running);
    until("the first", || rig.reading().accepted == 1);
    let mut second = connect(&running);
    let mut words = String::new();
    second.read_to_string(&mut words).unwrap();
    assert!(words.starts_with("HTTP/1.1 503 ") && words.contains("Retry-After"), "{words:?}");
    rig.stop(running);
}

#[test]
fn t5_an_honest_sender_gets_through_a_crowd_of_slow_ones() {
    let rig = Rig::new();
    let mut settings = syslog_tcp();
    settings["limits"]["connections_max"] = 50.into();
    settings["limits"]["connections_per_address_max"] = 50.into();
    let running = rig.start(settings);
    let mut crowd = Vec::new();
    for _ in 0..300 {
        let mut stream = connect(&running);
        // It may have been turned away already.
        let _ = stream.write_all(b"x");
        crowd.push(stream);
    }
    let used = rig.cpu();
    std::thread::sleep(Duration::from_millis(1_100));
    assert!(
        rig.cpu() < used + Duration::from_millis(60),
        "a crowd that does nothing costs nothing"
    );
    let before = rig.count();
    let mut honest = connect(&running);
    let begin = Instant::now();
    for number in 0..20_000 {
        honest.write_all(format!("<13>honest {number}\n").as_bytes()).unwrap();
    }
    until("all of its records", || {
        rig.texts().iter().filter(|text| text.starts_with("<13>honest")).count() == 20_000
    });
    println!("20,000 records in {:?} behind a crowd of 300; {before} bytes of it", begin.elapsed());
    assert!(rig.reading().connections <= 50);
    assert_eq!(
        rig.reading().accepted + rig.reading().refused_full + rig.reading().refused_address_full,
        301
    );
    rig.stop(running);
}

#[test]
fn t5_unknown_settings_and_limits_left_out_are_refused() {
    let parse = |settings: serde_json::Value| {
        serde_json::from_value::<bigsec_collect::source::SourceSettings>(settings)
    };
    assert!(parse(syslog_tcp()).is_ok());
    let mut more = syslog_tcp();
    more["limits"]["conections_max"] = 1.into();
    assert!(parse(more).unwrap_err().to_string().contains("conections_max"));
    let mut less = syslog_tcp();
    less["limits"].as_object_mut().unwrap().remove("idle_timeout_s");
    assert!(parse(less).unwrap_err().to_string().contains("idle_timeout_s"));
}

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bigsec_collect::source::Running;

use crate::rig::{Rig, connect, exchange, relp, reset, until};

/// A sender that has opened a session.
fn open(running: &Running) -> (TcpStream, BufReader<TcpStream>) {
    let mut stream = connect(running);
    let offers = "relp_version=0\nrelp_software=test\ncommands=syslog";
    stream.write_all(format!("1 open {} {offers}\n", offers.len()).as_bytes()).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let lines: Vec<String> = (0..4).map(|_| line(&mut answers)).collect();
    assert!(lines[0].starts_with("1 rsp ") && lines[0].ends_with(" 200 OK"), "{lines:?}");
    let length: usize = lines[0].split(' ').nth(2).unwrap().parse().unwrap();
    assert_eq!(lines.join("\n").len(), lines[0].find("200").unwrap() + length);
    assert_eq!(lines[3], "commands=syslog");
    (stream, answers)
}

fn line(answers: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    answers.read_line(&mut line).unwrap();
    assert!(line.ends_with('\n'), "{line:?}");
    line.trim_end().to_owned()
}

fn message(transaction: u32, text: &str) -> String {
    format!("{transaction} syslog {} {text}\n", text.len())
}

#[test]
fn pipelined_messages_are_answered_in_order_when_they_are_durable() {
    let rig = Rig::new();
    let running = rig.start(relp());
    let (mut stream, mut answers) = open(&running);
    rig.stalled.store(true, Ordering::Relaxed);
    let all: String =
        (2..502).map(|number| message(number, &format!("<13>n{number}\nx"))).collect();
    stream.write_all(all.as_bytes()).unwrap();
    answers.get_ref().set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(answers.fill_buf().is_err(), "nothing is answered before it is durable");
    rig.stalled.store(false, Ordering::Relaxed);
    answers.get_ref().set_read_timeout(None).unwrap();
    for number in 2..502 {
        assert_eq!(line(&mut answers), format!("{number} rsp 6 200 OK"));
        assert!(rig.count() >= number - 1, "answered only when kept");
    }
    stream.write_all(b"502 close 0\n").unwrap();
    assert_eq!(line(&mut answers), "502 rsp 0");
    assert_eq!(line(&mut answers), "0 serverclose 0");
    let kept = rig.wait_for(500);
    assert_eq!((kept[0].text.as_str(), kept[499].text.as_str()), ("<13>n2\nx", "<13>n501\nx"));
    rig.stop(running);
}

#[test]
fn t4_hostile_frames_close_the_session_with_an_answer() {
    let rig = Rig::new();
    let running = rig.start(relp());
    let cases = [
        ("x\n", "0 rsp "),
        ("2 syslog 4 <1>a\n", "2 rsp "),
        ("2 open 8 commands\n", "2 rsp "),
        ("3 bogus 0\n", "3 rsp "),
        ("2 syslog 999999999 a", "2 rsp "),
        ("2147483648 open 0\n", "0 rsp "),
        ("2 open 999999 a", "2 rsp "),
    ];
    for (input, answer) in cases {
        let words = exchange(connect(&running), input.as_bytes());
        assert!(words.starts_with(answer) && words.contains(" 500 "), "{input:?}: {words:?}");
        assert!(words.ends_with("0 serverclose 0\n"), "{words:?}");
    }
    until("the errors to be counted", || rig.reading().errors == cases.len() as u64);
    assert_eq!(rig.count(), 0);
    rig.stop(running);
}

#[test]
fn p12_resets_inside_a_message_lose_nothing_that_was_answered() {
    let rig = Rig::new();
    let running = rig.start(relp());
    let (mut next, mut round) = (0_u32, 0);
    while next < 300 {
        round += 1;
        let (mut stream, mut answers) = open(&running);
        for number in next..next + 20 {
            stream.write_all(message(number + 2, &format!("number {number}")).as_bytes()).unwrap();
        }
        if round % 3 == 0 {
            stream.write_all(b"999 syslog 100 half of a mess").unwrap();
        }
        for _ in 0..10 {
            assert!(line(&mut answers).ends_with("200 OK"));
            next += 1;
        }
        reset(stream);
    }
    let texts = rig.texts();
    for number in 0..300 {
        assert!(texts.contains(&format!("number {number}")), "{number} was answered and is lost");
    }
    assert!(!texts.iter().any(|text| text.starts_with("half")), "what is not whole is sent again");
    rig.stop(running);
}

#[test]
fn p12_one_byte_segments() {
    let rig = Rig::new();
    let running = rig.start(relp());
    let (mut stream, mut answers) = open(&running);
    for byte in message(2, "<13>slow").bytes() {
        stream.write_all(&[byte]).unwrap();
    }
    assert_eq!(line(&mut answers), "2 rsp 6 200 OK");
    rig.stop(running);
    assert_eq!(rig.texts(), ["<13>slow"]);
}

#[test]
fn p9_a_stop_answers_what_came_and_says_goodbye() {
    let rig = Rig::new();
    let running = rig.start(relp());
    let (mut stream, mut answers) = open(&running);
    stream.write_all(message(2, "last words").as_bytes()).unwrap();
    rig.wait_for(1);
    rig.stop(running);
    let mut rest = String::new();
    answers.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "2 rsp 6 200 OK\n0 serverclose 0\n");
}

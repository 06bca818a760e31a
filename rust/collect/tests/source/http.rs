use std::collections::HashMap;
use std::io::Write;
use std::sync::atomic::Ordering;

use crate::rig::{Rig, connect, exchange, http, until};
use bigsec_collect::source::Running;
use bigsec_evidence::Flags;

/// Posts a body; the status and the answer's JSON.
fn post(running: &Running, head: &str, body: &[u8]) -> (u16, serde_json::Value) {
    let mut request = format!(
        "POST /in HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {}\r\n{head}\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    parse(&exchange(connect(running), &request))
}

fn parse(answer: &str) -> (u16, serde_json::Value) {
    let status = answer.get(9..12).and_then(|code| code.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let json = serde_json::from_str(body).unwrap_or_default();
    (status.unwrap_or_else(|| panic!("no HTTP: {answer:?}")), json)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn bodies_are_answered_when_their_records_are_durable() {
    let rig = Rig::new();
    let running = rig.start(http());
    let lines: String = (0..5_000).map(|number| format!("{{\"n\":{number}}}\n")).collect();
    let zstd = zstd::encode_all(lines.as_bytes(), 3).unwrap();
    let cases = [
        ("", lines.clone().into_bytes()),
        ("Content-Encoding: gzip\r\n", gzip(lines.as_bytes())),
        ("Content-Encoding: zstd\r\n", zstd),
    ];
    for (round, (head, body)) in cases.into_iter().enumerate() {
        let (status, answer) = post(&running, head, &body);
        assert_eq!(status, 200);
        let end = (round as u64 + 1) * 5_000;
        assert_eq!(answer, serde_json::json!({"records": 5_000, "end": end}));
        let kept = rig.wait_for(end as usize);
        assert_eq!(kept[end as usize - 1].text, "{\"n\":4999}");
        // The same lines again, from the same address.
        assert_eq!(kept[end as usize - 1].flags.has(Flags::DOUBLE), round > 0);
    }
    let (status, answer) = post(&running, "", b"a line\r\n\nwithout an end");
    assert_eq!((status, answer["records"].as_u64()), (200, Some(2)));
    assert_eq!(post(&running, "", b"").1, serde_json::json!({"records": 0, "end": null}));
    rig.stop(running);
}

#[test]
fn a_chunked_body_and_several_requests_on_one_connection() {
    let rig = Rig::new();
    let running = rig.start(http());
    let chunked = "POST /in HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab\n\r\n2\r\ncd\r\n0\r\n\r\n";
    let last = "POST /in HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\nef";
    let answer = exchange(connect(&running), format!("{chunked}{last}").as_bytes());
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    assert_eq!(rig.texts(), ["ab", "cd", "ef"]);
    rig.stop(running);
}

#[test]
fn t6_bombs_and_bodies_too_large_are_refused() {
    let rig = Rig::new();
    let running = rig.start(http());
    let zeros = vec![b'0'; 64 * 1024 * 1024];
    let head = "Content-Encoding: gzip\r\n";
    let (status, answer) = post(&running, head, &gzip(&zeros));
    assert_eq!(status, 413, "{answer}");
    let zstd = zstd::encode_all(zeros.as_slice(), 1).unwrap();
    assert_eq!(post(&running, "Content-Encoding: zstd\r\n", &zstd).0, 413);
    // Exactly as large as it may be, and one more.
    let line = |length: usize| [vec![b'x'; length - 1], vec![b'\n']].concat();
    assert_eq!(post(&running, "", &line(8_388_608)).0, 200);
    let (status, answer) = post(&running, "", &line(8_388_609));
    assert_eq!(status, 413);
    assert!(answer["detail"].as_str().unwrap().contains("8388608 bytes"), "{answer}");
    rig.stop(running);
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let rig = Rig::new();
    let running = rig.start(http());
    let head = "Content-Encoding: gzip\r\n";
    assert_eq!(post(&running, head, b"not gzip at all").0, 400);
    assert_eq!(post(&running, "Content-Encoding: br\r\n", b"x").0, 415);
    let ask = |request: &str| parse(&exchange(connect(&running), request.as_bytes())).0;
    assert_eq!(ask("GET /in HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), 405);
    assert_eq!(ask("POST /other HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), 404);
    assert_eq!(rig.count(), 0);
    let broken = "POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\none\ntwo\nthr";
    exchange(connect(&running), broken.as_bytes());
    // What came is kept, though nobody was told that it was.
    let kept = rig.wait_for(3);
    assert_eq!((kept[2].text.as_str(), kept[2].flags), ("thr", Flags::CUT));
    rig.stop(running);
}

#[test]
fn a_token_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "s3cret\n").unwrap();
    let rig = Rig::new();
    let mut settings = http();
    settings["token_file"] = path.to_str().unwrap().into();
    let running = rig.start(settings.clone());
    assert_eq!(post(&running, "", b"x").0, 401);
    assert_eq!(post(&running, "Authorization: Bearer s3creT\r\n", b"x").0, 401);
    assert_eq!(post(&running, "Authorization: Basic s3cret\r\n", b"x").0, 401);
    assert_eq!(post(&running, "Authorization: bearer s3cret\r\n", b"x").0, 200);
    assert_eq!((rig.count(), rig.reading().refused_token), (1, 3));
    rig.stop(running);
    std::fs::write(&path, "\n").unwrap();
    let settings = serde_json::from_value(settings).unwrap();
    let error = bigsec_collect::source::start(&settings, rig.context(HashMap::new()));
    assert!(error.unwrap_err().to_string().contains("the token is empty"));
}

#[test]
fn a_log_that_does_not_answer_in_time_is_a_503_and_the_sender_tries_again() {
    let rig = Rig::new();
    let mut settings = http();
    settings["answer_timeout_s"] = 1.into();
    let running = rig.start(settings);
    rig.stalled.store(true, Ordering::Relaxed);
    let (status, answer) = post(&running, "", b"x\n");
    assert_eq!((status, answer["records"].as_u64()), (503, Some(1)));
    rig.stalled.store(false, Ordering::Relaxed);
    assert_eq!(post(&running, "", b"x\n").0, 200);
    rig.stop(running);
}

#[test]
fn p12_a_head_and_a_body_that_never_end_are_given_up() {
    let rig = Rig::new();
    let mut settings = http();
    settings["limits"]["header_timeout_s"] = 1.into();
    settings["body_timeout_s"] = 1.into();
    let running = rig.start(settings);
    let mut head = connect(&running);
    head.write_all(b"POST /in HT").unwrap();
    let mut body = connect(&running);
    body.write_all(b"POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab\n").unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut body, &mut answer).unwrap();
    assert_eq!(parse(&answer).0, 408);
    std::io::Read::read_to_string(&mut head, &mut String::new()).unwrap();
    until("both to be gone", || rig.reading().connections == 0);
    rig.stop(running);
}

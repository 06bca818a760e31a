//! Signed checkpoints, and the second keeper that they go to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use bigsec_collect::storage::Disk;
use bigsec_evidence::keys::Signer;
use bigsec_evidence::note::Note;
use serde_json::{Value, json};

use crate::relay::{PATIENCE, Relay, document, lines, tcp};

/// A document with a key, a checkpoint a second and a keeper.
fn signed(data: &Path, keeper: &str) -> (Value, Signer) {
    let key = data.join("key.pem");
    let signer = Signer::generate("relay.example").expect("random numbers");
    signer.save(&Disk, &key).expect("a new file");
    let mut settings = document(data, &json!({"app": tcp()}));
    settings["log"]["key_file"] = json!(key);
    settings["log"]["checkpoint_s"] = json!(1);
    settings["log"]["keeper"] = json!(keeper);
    (settings, signer)
}

/// Answers each post with a status and gives what was posted.
fn http_keeper(statuses: &'static [u16]) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it has one");
    let (sender, posts) = channel();
    std::thread::spawn(move || {
        for (index, stream) in listener.incoming().enumerate() {
            let mut stream = stream.expect("a connection");
            let body = read_post(&mut stream);
            let status = statuses.get(index).copied().unwrap_or(204);
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).expect("it listens");
            if sender.send(body).is_err() {
                return;
            }
        }
    });
    (format!("http://{address}/checkpoints"), posts)
}

fn read_post(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).expect("a request");
        text.push_str(std::str::from_utf8(&buffer[..read]).expect("it is text"));
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "))
                .and_then(|length| length.parse().ok())
                .expect("a length");
            if body.len() == length {
                assert!(head.starts_with("POST /checkpoints HTTP/1.1\r\n"), "{head}");
                return body.to_owned();
            }
        }
    }
}

fn note_of(body: &str) -> Note {
    let line: Value = serde_json::from_str(body.trim_end()).expect("a line of JSON");
    Note::parse(line["checkpoint"].as_str().expect("a text").as_bytes()).expect("a note")
}

#[test]
fn t1_checkpoints_leave_the_host_signed_and_a_failed_one_is_sent_again() {
    let data = tempfile::tempdir().expect("a folder");
    let (url, posts) = http_keeper(&[500]);
    let (settings, signer) = signed(data.path(), &url);
    let relay = Relay::start(&settings, None);
    relay.send("app", &lines(0, 10));
    let refused = note_of(&posts.recv_timeout(PATIENCE).expect("a first try"));
    relay.wait_for("the keeper's refusal", |status| {
        status["health"]["reasons"][0]["part"] == "keeper"
    });
    let taken = note_of(&posts.recv_timeout(PATIENCE).expect("a second try"));
    assert_eq!(refused, taken, "the same one again");
    assert!(taken.verify(&[signer.verifier().clone()]).is_ok());
    let status =
        relay.wait_for("the keeper's state", |status| status["log"]["keeper"]["size"] == 10);
    assert_eq!(status["log"]["keeper"]["error"], Value::Null);
    relay.wait_for("good health", |status| status["health"]["state"] == "ok");
}

#[test]
fn t1_a_folder_keeps_each_checkpoint_as_the_log_does() {
    let data = tempfile::tempdir().expect("a folder");
    let keeper = tempfile::tempdir().expect("a folder");
    let (settings, _) = signed(data.path(), keeper.path().to_str().expect("it is text"));
    let relay = Relay::start(&settings, None);
    relay.send("app", &lines(0, 10));
    relay.wait_for("the first", |status| status["log"]["keeper"]["size"] == 10);
    relay.send("app", &lines(10, 20));
    relay.chunks_to(20);
    // A stop signs what came since, and what is signed still leaves.
    relay.daemon.stop(Duration::from_secs(5));
    assert_eq!(relay.daemon.status()["log"]["keeper"]["size"], 20);
    let kept = std::fs::read(keeper.path().join("relay.example.checkpoints")).expect("a file");
    let own = std::fs::read(data.path().join("log/checkpoints")).expect("a file");
    let (kept, own) = (String::from_utf8_lossy(&kept), String::from_utf8_lossy(&own));
    // The note over no records at all, which each log begins with, proves nothing elsewhere.
    let begun = own.strip_suffix(&*kept).expect("what was kept is the end of the log's own");
    assert!(begun.starts_with("relay.example\n0\n") && begun.matches("time ").count() == 1);
    assert_eq!(kept.matches("time ").count(), 2);
}

#[test]
fn a_keeper_that_cannot_be_used_is_refused_at_the_start() {
    let data = tempfile::tempdir().expect("a folder");
    let (settings, _) = signed(data.path(), "ftp://keeper.example/");
    let daemon = bigsec_collect::daemon::Daemon::open(
        crate::relay::settings(&settings),
        crate::relay::packs(),
        None,
        crate::relay::doors(std::sync::Arc::new(Disk)),
    );
    let problem = daemon.err().expect("no such protocol");
    assert_eq!(problem.code.name, "config.invalid");
}

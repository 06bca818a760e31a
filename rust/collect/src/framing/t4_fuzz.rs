//! T4: no stream makes a framer panic, hold more than its window, or go round without end.

use super::relp::RelpFramer;
use super::syslog::{FramingRule, StreamFramer};

#[path = "../../../parse/tests/support/mutate.rs"]
mod mutate;

const LIMIT: usize = 64;

fn seeds() -> Vec<Vec<u8>> {
    let streams: [&[u8]; 6] = [
        b"12 <34>1 - a\nb5 <1>xy7 <2>abcd",
        b"<34>Oct 11 22:14:15 host app: one\n<34>Oct 11 22:14:16 host app: two\r\n",
        b"<1>a\n b\0<2>c\0",
        b"1 open 30 relp_version=0\ncommands=syslog\n2 syslog 5 <1>ab\n3 close 0\n",
        b"7 syslog 70 a line of a RELP message that is longer than what one record may hold, and goes on\n",
        b"999999999 syslog 999999999 x",
    ];
    streams.map(<[u8]>::to_vec).to_vec()
}

#[test]
fn t4_no_syslog_stream_breaks_its_framer() {
    use FramingRule::{Auto, Lines, Nul, OctetCounting};
    for rule in [Auto, OctetCounting, Lines, Nul] {
        mutate::fuzz(&format!("t4-syslog-{rule:?}"), &seeds(), |input| {
            let step = 1 + input.len() % 9;
            let (mut framer, mut held) = (StreamFramer::new(rule, LIMIT), Vec::new());
            for bytes in input.chunks(step) {
                held.extend_from_slice(bytes);
                while let Some(piece) = framer.next(&held) {
                    assert!(piece.taken > 0 && piece.end - piece.begin <= LIMIT);
                    held.drain(..piece.taken);
                }
                assert!(held.len() <= framer.window());
            }
            let _ = framer.finish(&held, true);
        });
    }
}

#[test]
fn t4_no_relp_stream_breaks_its_framer() {
    mutate::fuzz("t4-relp", &seeds(), |input| {
        let step = 1 + input.len() % 9;
        let (mut framer, mut held) = (RelpFramer::new(LIMIT), Vec::new());
        for bytes in input.chunks(step) {
            held.extend_from_slice(bytes);
            loop {
                match framer.next(&held) {
                    Ok(Some(part)) => {
                        assert!(part.taken > 0);
                        held.drain(..part.taken);
                    }
                    Ok(None) => break,
                    Err(_) => return,
                }
            }
            assert!(held.len() <= framer.window());
        }
    });
}

//! nginx's error log.
//!
//! ```text
//! 2026/01/09 11:04:05 [error] 7#8: *9 open() "/x" failed (2: No such file or directory), client: 192.0.2.7, server: www.example.net, request: "GET /x HTTP/1.1", host: "www.example.net"
//! ```
//!
//! Fields: `time`, `level`, `pid`, `tid`, `connection`, `message`, and of what follows it
//! `client_ip`, `server`, `request`, `upstream`, `subrequest`, `host`, `referrer`.
//!
//! Both the message and the request hold what a stranger sent, and nginx escapes neither. So the
//! part behind the message begins where everything up to the end has its form: an address, a name
//! without blanks, then quoted values. Where two places fit, neither is believed, and all of it is
//! the message: nobody shall be able to log in the name of another address.

use std::net::IpAddr;

use bigsec_event::{Fields, codes};

use super::{DecodeError, Decoded, Decoder};

/// Reads one line of an error log.
#[derive(Debug, Default)]
pub struct NginxError;

const CLIENT: &str = ", client: ";
/// Places at which the part behind the message is looked for.
const MAX_TRIES: usize = 16;
/// What may follow the server, each quoted.
const QUOTED: [&str; 5] = ["request", "subrequest", "upstream", "host", "referrer"];

impl Decoder for NginxError {
    fn claims(&self, text: &str) -> bool {
        head(text).is_some()
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let malformed = DecodeError { code: codes::PARSE_MALFORMED, offset: 0 };
        let [time, level, pid, tid, mut rest] = head(text).ok_or(malformed)?;
        for (name, value) in [("time", time), ("level", level), ("pid", pid), ("tid", tid)] {
            out.push_str(name, value);
        }
        if let Some((number, behind)) = rest.strip_prefix('*').and_then(|rest| rest.split_once(' '))
            && is_digits(number)
        {
            out.push_str("connection", number);
            rest = behind;
        }
        let before = out.len();
        let behind =
            |(at, _): (usize, &str)| Some(at).filter(|at| tail(&rest[*at..], out).is_some());
        let mut places = rest.match_indices(CLIENT).take(MAX_TRIES).filter_map(behind);
        let (first, second) = (places.next(), places.next());
        out.truncate(before);
        if let (Some(at), None) = (first, second) {
            out.push_str("message", &rest[..at]);
            tail(&rest[at..], out);
            return Ok(Decoded::Event);
        }
        out.push_str("message", rest);
        Ok(Decoded::Event)
    }
}

/// Time, level, process, thread, and the rest.
fn head(text: &str) -> Option<[&str; 5]> {
    let (time, rest) = text.split_at_checked("2026/01/09 11:04:05".len())?;
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'/',
        10 => byte == b' ',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    };
    let (level, rest) = rest.strip_prefix(" [")?.split_once("] ")?;
    let (ids, rest) = rest.split_once(": ")?;
    let (pid, tid) = ids.split_once('#')?;
    let is_level =
        (3..8).contains(&level.len()) && level.bytes().all(|byte| byte.is_ascii_lowercase());
    let fits = time.bytes().enumerate().all(shape) && is_level && is_digits(pid) && is_digits(tid);
    fits.then_some([time, level, pid, tid, rest])
}

/// What follows the message: nothing where it is not all of the form.
fn tail(text: &str, out: &mut Fields) -> Option<()> {
    let text = text.strip_prefix(CLIENT)?;
    let (client, rest) = text.split_once(", server: ").unwrap_or((text, ""));
    let address = client.strip_prefix("unix:").map_or(client.parse::<IpAddr>().is_ok(), |_| true);
    if !address {
        return None;
    }
    out.push_str("client_ip", client);
    let (server, mut rest) = rest.split_once(", ").unwrap_or((rest, ""));
    if server.contains([' ', '"']) {
        return None;
    }
    if !server.is_empty() {
        out.push_str("server", server);
    }
    while !rest.is_empty() {
        let (name, value) = rest.split_once(": \"")?;
        if !QUOTED.contains(&name) {
            return None;
        }
        let ends = QUOTED.iter().filter_map(|next| value.rfind(&format!("\", {next}: \"")));
        // The value ends before the nearest name that may follow; a request may imitate one.
        let end = ends.min().or_else(|| value.strip_suffix('"').map(str::len))?;
        out.push_str(name, &value[..end]);
        rest = value[end + 1..].trim_start_matches(", ");
    }
    Some(())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.len() < 21 && text.bytes().all(|byte| byte.is_ascii_digit())
}

//! Apache's error log.
//!
//! ```text
//! [Fri Jan 09 11:04:05.123456 2026] [auth_basic:error] [pid 7:tid 8] [client 192.0.2.7:4711] AH01618: …
//! ```
//!
//! In the message of a syslog record the time is left out.
//!
//! Fields: `time`, `module`, `level`, `pid`, `tid`, `client_ip`, `client_port`, `error_code`,
//! `message` (with its code), `referer`. Brackets that are none of these stay in the message.

use bigsec_event::{Fields, codes};

use super::{DecodeError, Decoded, Decoder};

/// Reads one line of an error log.
#[derive(Debug, Default)]
pub struct ApacheError;

const LEVELS: [&str; 9] =
    ["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug", "trace"];
const DAYS: &str = "MonTueWedThuFriSatSun";
/// Bytes that a bracket may have.
const MAX_BRACKET: usize = 256;

impl Decoder for ApacheError {
    fn claims(&self, text: &str) -> bool {
        timed(text).is_some() || without_time(text)
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let mut rest = text;
        if let Some((time, behind)) = timed(text) {
            out.push_str("time", time);
            rest = behind;
        } else if !without_time(text) {
            return Err(DecodeError { code: codes::PARSE_MALFORMED, offset: 0 });
        }
        while let Some((inside, behind)) = bracket(rest) {
            if !known(inside, out) {
                break;
            }
            rest = behind;
        }
        let code = rest.split(": ").find(|part| is_code(part));
        push_some("error_code", code.unwrap_or_default(), out);
        let (message, referer) = rest.rsplit_once(", referer: ").unwrap_or((rest, ""));
        push_some("message", message, out);
        push_some("referer", referer, out);
        Ok(Decoded::Event)
    }
}

/// The time in the first bracket and what follows it.
fn timed(text: &str) -> Option<(&str, &str)> {
    let day = text.strip_prefix('[')?.get(..3)?;
    let is_day = DAYS.find(day).is_some_and(|at| at % 3 == 0);
    bracket(text).filter(|(time, rest)| is_day && time.contains(':') && rest.starts_with('['))
}

/// True for what Apache sends to syslog, which writes the time itself.
fn without_time(text: &str) -> bool {
    bracket(text).is_some_and(|(inside, rest)| {
        let level = inside.rsplit_once(':').map_or(inside, |(_, level)| level);
        let level = level.trim_end_matches(|digit: char| digit.is_ascii_digit());
        let follows = ["[pid ", "[client ", "[remote "];
        LEVELS.contains(&level) && follows.iter().any(|start| rest.starts_with(start))
    })
}

/// What stands in the brackets at the start, and what follows them.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('[')?;
    // An IPv6 address with a port has brackets of its own.
    let end = inside.bytes().take(MAX_BRACKET).enumerate().position(|(at, byte)| {
        byte == b']' && matches!(inside.as_bytes().get(at + 1), None | Some(b' '))
    })?;
    Some((&inside[..end], inside[end + 1..].trim_start_matches(' ')))
}

/// Adds what a bracket says; false where it is part of the message.
fn known(inside: &str, out: &mut Fields) -> bool {
    let is_word =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if let Some(address) = inside.strip_prefix("client ").or(inside.strip_prefix("remote ")) {
        client(address, out);
    } else if let Some(ids) = inside.strip_prefix("pid ") {
        let (pid, tid) = ids.split_once(":tid ").unwrap_or((ids, ""));
        push_some("pid", pid, out);
        push_some("tid", tid, out);
    } else if let Some((module, level)) = inside.split_once(':')
        && is_word(module)
        && is_word(level)
    {
        push_some("module", module, out);
        push_some("level", level, out);
    } else if !inside.is_empty() && is_word(inside) {
        out.push_str("level", inside);
    } else {
        return false;
    }
    true
}

/// `192.0.2.7:4711`, `[2001:db8::1]:4711`, or the address alone.
fn client(text: &str, out: &mut Fields) {
    let (address, port) = match text.rsplit_once(':') {
        Some((address, port)) if address.ends_with(']') || !address.contains(':') => {
            (address, port)
        }
        _ => (text, ""),
    };
    push_some("client_ip", address.trim_matches(['[', ']']), out);
    push_some("client_port", port, out);
}

/// `AH01618`.
fn is_code(part: &str) -> bool {
    part.strip_prefix("AH")
        .is_some_and(|digits| digits.len() == 5 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn push_some(name: &str, value: &str, out: &mut Fields) {
    if !value.is_empty() {
        out.push_str(name, value);
    }
}

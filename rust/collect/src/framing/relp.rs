//! Cuts a stream of RELP into its transactions: `TXNR SP COMMAND SP DATALEN [SP DATA] LF`.

use bigsec_evidence::Flags;

use super::syslog::trim_end;

/// The longest head: nine digits, a command of 32 letters, nine digits, and what parts them.
const HEAD_MAX: usize = 9 + 1 + 32 + 1 + 9 + 1;
/// The longest message: what is longer is refused, not cut.
const DATA_MAX: usize = 64 * 1024 * 1024;
/// The longest data of any other command.
const OFFER_MAX: usize = 16 * 1024;

/// A part of the stream: `begin..end` of the bytes that were given, of which `taken` are done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub begin: usize,
    pub end: usize,
    pub taken: usize,
    pub what: What,
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A session is opened; the part is what the sender offers.
    Open(u32),
    /// The session is closed.
    Close(u32),
    /// A message, or a part of one that is longer than a record; with the last part the number of
    /// the transaction to be answered.
    Message(Option<u32>, Flags),
}

/// The stream is not RELP; nothing after this can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The transaction, where its number could be read.
    pub transaction: u32,
    /// What is wrong.
    pub what: &'static str,
}

/// Frames one session.
pub(crate) struct RelpFramer {
    limit: usize,
    transaction: u32,
    /// Octets of the message that have not been given out; `None` between transactions.
    left: Option<usize>,
    continued: bool,
}

struct Head<'a> {
    transaction: u32,
    command: &'a [u8],
    length: usize,
    /// Octets of the head, the space before the data included.
    size: usize,
}

impl RelpFramer {
    /// Frames a session; a record has at most `limit` bytes in one piece.
    pub fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), transaction: 0, left: None, continued: false }
    }

    /// Bytes that must be held at once for every part to be found.
    pub fn window(&self) -> usize {
        self.limit.max(OFFER_MAX) + HEAD_MAX + 1
    }

    /// The next part; `None` asks for more bytes behind these.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Option<Part>, Fault> {
        if let Some(left) = self.left {
            return self.message(bytes, 0, left);
        }
        let Some(head) = head(bytes)? else { return Ok(None) };
        let fault = |what| Fault { transaction: head.transaction, what };
        self.transaction = head.transaction;
        if head.command == b"syslog" {
            if head.length > DATA_MAX {
                return Err(fault("the message is too long"));
            }
            return self.message(bytes, head.size, head.length);
        }
        let what = match head.command {
            b"open" => What::Open(head.transaction),
            b"close" => What::Close(head.transaction),
            _ => return Err(fault("unknown command")),
        };
        if head.length > OFFER_MAX {
            return Err(fault("the data of the command are too long"));
        }
        let end = head.size + head.length;
        match bytes.get(end) {
            None => Ok(None),
            Some(b'\n') => Ok(Some(Part { begin: head.size, end, taken: end + 1, what })),
            Some(_) => Err(fault("no line end after the data")),
        }
    }

    fn message(&mut self, bytes: &[u8], begin: usize, left: usize) -> Result<Option<Part>, Fault> {
        let flags = if self.continued { Flags::CONTINUED } else { Flags::default() };
        if left > self.limit {
            let end = begin + self.limit;
            if bytes.len() < end {
                return Ok(None);
            }
            (self.left, self.continued) = (Some(left - self.limit), true);
            return Ok(Some(Part { begin, end, taken: end, what: What::Message(None, flags) }));
        }
        let end = begin + left;
        match bytes.get(end) {
            None => return Ok(None),
            Some(b'\n') => {}
            Some(_) => {
                let what = "no line end after the message";
                return Err(Fault { transaction: self.transaction, what });
            }
        }
        (self.left, self.continued) = (None, false);
        let what = What::Message(Some(self.transaction), flags);
        let taken = end + 1;
        Ok(Some(Part { begin, end: begin + trim_end(&bytes[begin..end]), taken, what }))
    }
}

/// Reads a head; `None` where it is not whole yet.
fn head(bytes: &[u8]) -> Result<Option<Head<'_>>, Fault> {
    let fault = |transaction, what| Err(Fault { transaction, what });
    let known = &bytes[..bytes.len().min(HEAD_MAX)];
    let Some((transaction, rest)) = number(known) else {
        return fault(0, "no number of a transaction");
    };
    let transaction = transaction as u32;
    let Some(rest) = after_space(rest) else {
        return if rest.is_empty() { Ok(None) } else { fault(0, "no number of a transaction") };
    };
    let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (command, rest) = rest.split_at(letters);
    if letters > 32 || (letters == 0 && !rest.is_empty()) {
        return fault(transaction, "no command");
    }
    let Some(rest) = after_space(rest) else {
        return if rest.is_empty() { Ok(None) } else { fault(transaction, "no command") };
    };
    let no_length = "no length of the data";
    let Some((length, rest)) = number(rest) else { return fault(transaction, no_length) };
    let size = known.len() - rest.len();
    match rest.first() {
        None => Ok(None),
        Some(b' ') => Ok(Some(Head { transaction, command, length, size: size + 1 })),
        Some(b'\n') if length == 0 => Ok(Some(Head { transaction, command, length, size })),
        Some(_) => fault(transaction, no_length),
    }
}

fn after_space(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(b" ")
}

/// A number of at most nine digits; an empty rest may yet become one.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 9 || (digits == 0 && !bytes.is_empty()) {
        return None;
    }
    let value = bytes[..digits].iter().fold(0, |sum, byte| sum * 10 + usize::from(byte - b'0'));
    Some((value, &bytes[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Parts = (Vec<(Vec<u8>, What)>, Option<Fault>);

    fn parts(limit: usize, input: &[u8], step: usize) -> Parts {
        let mut framer = RelpFramer::new(limit);
        let (mut parts, mut held) = (Vec::new(), Vec::new());
        for bytes in input.chunks(step) {
            held.extend_from_slice(bytes);
            let mut start = 0;
            loop {
                match framer.next(&held[start..]) {
                    Ok(Some(part)) => {
                        parts
                            .push((held[start + part.begin..start + part.end].to_vec(), part.what));
                        start += part.taken;
                    }
                    Ok(None) => break,
                    Err(fault) => return (parts, Some(fault)),
                }
            }
            held.drain(..start);
            assert!(held.len() <= framer.window());
        }
        (parts, None)
    }

    #[test]
    fn a_session_is_read() {
        let input = b"1 open 10 commands=x\n2 syslog 4 <1>a\n3 syslog 5 <1>b\n\n4 close 0\n";
        let none = Flags::default();
        for step in [1, 3, 1_000] {
            let (parts, fault) = parts(100, input, step);
            assert_eq!(fault, None);
            assert_eq!(
                parts,
                [
                    (b"commands=x".to_vec(), What::Open(1)),
                    (b"<1>a".to_vec(), What::Message(Some(2), none)),
                    (b"<1>b".to_vec(), What::Message(Some(3), none)),
                    (Vec::new(), What::Close(4)),
                ]
            );
        }
    }

    #[test]
    fn a_message_beyond_the_limit_goes_on() {
        let (parts, fault) = parts(4, b"7 syslog 6 abc\nef\n", 2);
        assert_eq!(fault, None);
        assert_eq!(
            parts,
            [
                (b"abc\n".to_vec(), What::Message(None, Flags::default())),
                (b"ef".to_vec(), What::Message(Some(7), Flags::CONTINUED)),
            ]
        );
    }

    #[test]
    fn t4_hostile_heads_are_faults_in_bounded_space() {
        let long = [b"1 ".as_slice(), &[b'a'; 90]].concat();
        let cases: [&[u8]; 12] = [
            b"x",
            b"-1 syslog 0\n",
            b"1234567890 syslog 0\n",
            b"1  syslog",
            b"1 sys log",
            &long,
            b"1 syslog -1 a",
            b"1 syslog 9999999999 a",
            b"1 syslog 999999999 a",
            b"1 syslog 1\n",
            b"1 syslog 1 ab",
            b"1 drop 0\n",
        ];
        for case in cases {
            for step in [1, 1_000] {
                let (parts, fault) = parts(10, case, step);
                assert!(parts.is_empty() && fault.is_some(), "{}", String::from_utf8_lossy(case));
            }
        }
    }

    proptest! {
        #[test]
        fn p12_how_the_bytes_arrive_changes_nothing(
            input in "([0-9]{1,3} (syslog|open|close) [0-9] ?[a-z\n]{0,9}\n?){0,5}",
            step in 1_usize..9,
            limit in 1_usize..9,
        ) {
            let whole = parts(limit, input.as_bytes(), usize::MAX);
            prop_assert_eq!(parts(limit, input.as_bytes(), step), whole);
        }
    }
}

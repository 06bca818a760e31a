//! The Linux audit log, as auditd, its dispatcher and the kernel write it.
//!
//! ```text
//! type=USER_LOGIN msg=audit(1767927845.123:456): pid=1 uid=0 msg='op=login acct="root" res=failed'
//! node=web1 type=SYSCALL msg=audit(1767927845.123:457): syscall=59 exe="/bin/ls"<GS>SYSCALL=execve
//! audit: type=1400 audit(1767927845.123:458): apparmor="DENIED" operation="exec"
//! ```
//!
//! Fields: `node`, `type` (by name, with `type_id` where it was a number), `msg` (`audit(…)`),
//! `audit_time`, `audit_serial`, and all pairs under their own names: those within `msg='…'` too,
//! and those that auditd adds in capitals (`ENRICHED` format), of which the two accounts stand under
//! `auid_name` and `uid_name` as well: `AUID` is to rules the same name as `auid`. What the kernel
//! writes as hexadecimal digits because somebody else chose it (`proctitle`, `exe`, arguments of
//! `EXECVE` and the like) is text here, with the digits beside it as `…_hex`; the arguments of
//! `proctitle` are separated by blanks. Words that stand before the pairs are `text`; of a decision
//! of `SELinux`, `seresult` and `seperms`.
//!
//! The records of one kernel event share `audit_serial`; each is an event of its own here.

use bigsec_event::{Fields, Kind, codes};

use super::escape::push_escaped;
use super::pairs::{Pair, Pairs, Separator};
use super::{DecodeError, Decoded, Decoder, MAX_FIELDS};

/// Reads one record of the audit log. Holds buffers only.
#[derive(Debug, Default)]
pub struct Auditd {
    name: String,
    bytes: Vec<u8>,
    text: String,
}

/// What begins the part that auditd adds; relays write it as the second.
const ENRICHED: [&str; 2] = ["\u{1d}", "#035"];

/// What stands between the keys of a rule, and how many of them are followed.
const KEYS_END: char = '\u{1}';
const MAX_KEYS: usize = 16;

/// Fields whose value is hexadecimal where it could not be quoted (`escaped` in the audit project's
/// dictionary of fields).
const ENCODED: [&str; 20] = [
    "acct",
    "cmd",
    "comm",
    "cwd",
    "data",
    "device",
    "dir",
    "exe",
    "file",
    "key",
    "name",
    "new-disk",
    "new-fs",
    "ocomm",
    "old-disk",
    "old-fs",
    "path",
    "proctitle",
    "root_dir",
    "sw",
];

/// Accounts that auditd adds, and their second names.
const ACCOUNTS: [(&str, &str); 2] = [("AUID", "auid_name"), ("UID", "uid_name")];

/// Types by the number under which the kernel prints them itself.
const TYPES: [(&str, &str); 12] = [
    ("1300", "SYSCALL"),
    ("1302", "PATH"),
    ("1305", "CONFIG_CHANGE"),
    ("1307", "CWD"),
    ("1309", "EXECVE"),
    ("1325", "NETFILTER_CFG"),
    ("1326", "SECCOMP"),
    ("1327", "PROCTITLE"),
    ("1400", "AVC"),
    ("1401", "SELINUX_ERR"),
    ("1700", "ANOM_PROMISCUOUS"),
    ("1701", "ANOM_ABEND"),
];

/// The start of a record.
struct Head<'t> {
    node: &'t str,
    kind: &'t str,
    /// `audit(time:serial)` and what follows, which may have been cut off.
    stamp: &'t str,
}

impl Decoder for Auditd {
    fn claims(&self, text: &str) -> bool {
        head(text).is_some()
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let truncated = DecodeError { code: codes::PARSE_TRUNCATED, offset: text.len() };
        let head = head(text).ok_or(DecodeError { code: codes::PARSE_MALFORMED, offset: 0 })?;
        let (stamp, rest) = head.stamp.split_once(')').ok_or(truncated)?;
        let at = text.len() - head.stamp.len();
        let (time, serial) = stamp["audit(".len()..]
            .split_once(':')
            .ok_or(DecodeError { code: codes::PARSE_MALFORMED, offset: at })?;
        if !head.node.is_empty() {
            out.push_str("node", head.node);
        }
        let known = TYPES.iter().find(|(number, _)| *number == head.kind);
        out.push_str("type", known.map_or(head.kind, |(_, name)| name));
        if head.kind.bytes().all(|byte| byte.is_ascii_digit()) {
            out.push("type_id", head.kind, Kind::Number);
        }
        out.push_str("msg", &head.stamp[..=stamp.len()]);
        out.push("audit_time", time, Kind::Number);
        out.push("audit_serial", serial, Kind::Number);
        let is_execve = known.map_or(head.kind, |(_, name)| name) == "EXECVE";
        self.body(rest.strip_prefix(':').unwrap_or(rest), is_execve, out)
            .map_err(|code| DecodeError { code, offset: at })?;
        Ok(Decoded::Event)
    }
}

/// Takes a record's start apart; nothing where it is none.
fn head(text: &str) -> Option<Head<'_>> {
    let mut rest = text.trim_start();
    // The kernel's own log has the seconds since boot before it.
    if let Some((clock, behind)) = rest.strip_prefix('[').and_then(|clock| clock.split_once("] "))
        && clock.bytes().all(|byte| byte.is_ascii_digit() || b". ".contains(&byte))
    {
        rest = behind;
    }
    let mut node = "";
    if let Some(behind) = rest.strip_prefix("node=") {
        (node, rest) = behind.split_once(' ')?;
    }
    rest = rest.strip_prefix("audit: ").unwrap_or(rest);
    let behind = rest.strip_prefix("type")?.trim_start_matches(' ').strip_prefix('=')?;
    let (kind, behind) = behind.split_once(' ')?;
    let is_kind = |byte: u8| byte.is_ascii_alphanumeric() || b"_[]".contains(&byte);
    let stamp = behind.strip_prefix("msg=").unwrap_or(behind);
    let fits = stamp.starts_with("audit(") && !kind.is_empty() && kind.bytes().all(is_kind);
    fits.then_some(Head { node, kind, stamp })
}

impl Auditd {
    /// The pairs behind the head.
    fn body(
        &mut self,
        text: &str,
        is_execve: bool,
        out: &mut Fields,
    ) -> Result<(), &'static bigsec_event::Code> {
        let cut = ENRICHED.iter().filter_map(|mark| Some((text.find(mark)?, mark.len()))).min();
        let (own, added) = cut.map_or((text, ""), |(at, mark)| (&text[..at], &text[at + mark..]));
        for part in [own, added] {
            let mut pairs = Pairs::quoted(part, Separator::Blank);
            prose(pairs.take_prose(), out);
            for pair in pairs {
                if out.len() + MAX_KEYS > MAX_FIELDS {
                    return Err(codes::PARSE_TOO_MANY_FIELDS);
                }
                // Without its second quote the message was cut off.
                let cut_off = pair.value.strip_prefix('\'').filter(|_| pair.quote.is_none());
                if pair.key == "msg" && (pair.quote == Some(b'\'') || cut_off.is_some()) {
                    self.message(cut_off.unwrap_or(pair.value), out)?;
                } else {
                    self.pair(&pair, is_execve, out);
                }
                if !pair.behind.is_empty() {
                    out.push_str("text", pair.behind);
                }
            }
        }
        Ok(())
    }

    /// What a program in user space sent: pairs within `msg='…'`.
    fn message(&mut self, text: &str, out: &mut Fields) -> Result<(), &'static bigsec_event::Code> {
        let mut pairs = Pairs::quoted(text, Separator::Blank);
        prose(pairs.take_prose(), out);
        for pair in pairs {
            if out.len() + MAX_KEYS > MAX_FIELDS {
                return Err(codes::PARSE_TOO_MANY_FIELDS);
            }
            self.pair(&pair, false, out);
        }
        Ok(())
    }

    fn pair(&mut self, pair: &Pair<'_>, is_execve: bool, out: &mut Fields) {
        let encoded = ENCODED.contains(&pair.key) || (is_execve && is_argument(pair.key));
        if let Some((_, name)) = ACCOUNTS.iter().find(|(added, _)| *added == pair.key) {
            out.push_str(name, pair.value);
        }
        if pair.quote.is_some() || !encoded || !self.decode_hex(pair.value) {
            // A list of a daemon's fields may have commas.
            let value =
                if pair.quote.is_some() { pair.value } else { pair.value.trim_end_matches(',') };
            out.push_str(pair.key, value);
            return;
        }
        let is_title = pair.key == "proctitle";
        for byte in self.bytes.iter_mut().filter(|byte| is_title && **byte == 0) {
            *byte = b' ';
        }
        self.text.clear();
        push_escaped(&self.bytes, &mut self.text);
        // A rule may have several keys; they come as one value.
        let values = self.text.trim_end_matches('\0').split(|c| pair.key == "key" && c == KEYS_END);
        values.take(MAX_KEYS).for_each(|value| out.push_str(pair.key, value));
        self.name.clear();
        self.name.extend([pair.key, "_hex"]);
        out.push_str(&self.name, pair.value);
    }

    /// Decodes hexadecimal digits into the buffer; false where the text is something else.
    fn decode_hex(&mut self, text: &str) -> bool {
        self.bytes.clear();
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let decoded = text.as_bytes().chunks(2).map(|pair| match pair {
            [high, low] => Some((digit(*high)? * 16 + digit(*low)?) as u8),
            _ => None,
        });
        for byte in decoded {
            let Some(byte) = byte else { return false };
            self.bytes.push(byte);
        }
        !text.is_empty()
    }
}

/// `a0`, `a12`, and parts of long ones, `a1[0]`.
fn is_argument(key: &str) -> bool {
    key.strip_prefix('a').is_some_and(|rest| {
        let number = rest.split_once('[').map_or(rest, |(number, _)| number);
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Words that are no pair: a decision of `SELinux` (`avc:  denied  { read } for`), or a sentence.
fn prose(text: &str, out: &mut Fields) {
    let Some(decision) = text.strip_prefix("avc:") else {
        let text = text.trim_end_matches(',');
        if !text.is_empty() {
            out.push_str("text", text);
        }
        return;
    };
    let (result, rest) = decision.split_once('{').unwrap_or((decision, ""));
    out.push_str("seresult", result.trim());
    if let Some((permissions, _)) = rest.split_once('}') {
        out.push_str("seperms", permissions.trim());
    }
}

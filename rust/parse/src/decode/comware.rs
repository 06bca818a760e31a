//! Messages of H3C's Comware and Huawei's VRP.
//!
//! ```text
//! %%10FILTER/6/ZONE_EXECUTION: -Slot=1; SrcIPAddr(1003)=192.0.2.7;SrcPort(1004)=4711;Event(1048)=Deny;
//! %%01POLICY/6/POLICYDENY(l)[7]:vsys=public, protocol=6, source-ip=192.0.2.7, rule-name=deny
//! %%01SHELL/4/LOGIN(l)[12]:User login succeeded. (UserName=admin, UserIP=192.0.2.7)
//! ```
//!
//! Fields: `module`, `level`, `mnemonic`, `message`, and the pairs of the message by their names
//! without the numbers in parentheses.

use bigsec_event::{Fields, codes};

use super::pairs::{Pairs, Separator};
use super::{DecodeError, Decoded, Decoder, MAX_FIELDS};

/// Reads one message a record.
#[derive(Debug, Default)]
pub struct Comware;

/// Bytes that the module, the mnemonic or a name may have.
const MAX_NAME: usize = 64;

impl Decoder for Comware {
    fn claims(&self, text: &str) -> bool {
        head(text).is_some()
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        let malformed = DecodeError { code: codes::PARSE_MALFORMED, offset: 0 };
        let [module, level, mnemonic, body] = head(text).ok_or(malformed)?;
        for (name, value) in
            [("module", module), ("level", level), ("mnemonic", mnemonic), ("message", body)]
        {
            if !value.is_empty() {
                out.push_str(name, value);
            }
        }
        let before = out.len();
        by_semicolons(body, out);
        if out.len() == before {
            let inside = body.rsplit_once('(').map_or(body, |(_, inside)| inside);
            let inside = if inside.contains('=') { inside } else { body };
            by_commas(inside.trim_end_matches(['.', ')']), out);
        }
        Ok(Decoded::Event)
    }
}

/// Module, level, mnemonic and what follows.
fn head(text: &str) -> Option<[&str; 4]> {
    let rest = text.trim_start().strip_prefix("%%")?;
    let (version, rest) = rest.split_at_checked(2)?;
    let (module, rest) = rest.split_once('/')?;
    let (level, rest) = rest.split_once('/')?;
    let end = rest.find([':', '(', '['])?;
    let (mnemonic, rest) = rest.split_at(end);
    // A mark of the kind and a number may stand before the colon.
    let (_, body) = rest.split_once(':')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_name = |text: &str| {
        (1..=MAX_NAME).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    (is_number(version) && is_number(level) && is_name(module) && is_name(mnemonic))
        .then(|| [module, level, mnemonic, body.trim_start()])
}

/// `Name(1003)=value;`, and `-Name=value` at the beginning.
fn by_semicolons(body: &str, out: &mut Fields) {
    if !body.contains(';') {
        return;
    }
    for part in body.split(';') {
        let Some((name, value)) = part.trim().split_once('=') else { continue };
        let name = name.trim_start_matches('-');
        let name = name.split_once('(').map_or(name, |(name, _)| name);
        let fits = (1..=MAX_NAME).contains(&name.len()) && !name.contains([' ', '.']);
        if fits && out.len() < MAX_FIELDS {
            out.push_str(name, value);
        }
    }
}

/// `name=value, name=value`.
fn by_commas(body: &str, out: &mut Fields) {
    for pair in Pairs::quoted(body, Separator::Text(",")) {
        if out.len() < MAX_FIELDS {
            out.push_str(pair.key, pair.value);
        }
    }
}

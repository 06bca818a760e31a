//! Approvals: signed texts by which people allow records to be deleted before their time.
//!
//! An approval is a signed note as a checkpoint is, but begins with words that no checkpoint may
//! begin with, so neither passes for the other.

use crate::envelope::{NoteError, NoteSignature, SignedText};
use crate::keys::{Signer, VerifierKey};
use crate::note::{APPROVAL_MARK, time_text};

/// How many people must agree.
pub const APPROVALS_NEEDED: usize = 2;
/// The longest reason, in bytes.
const REASON_BYTES_MAX: usize = 1024;

/// Allows the records of a log before `end` to be deleted, whatever their age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Name of the log.
    pub log: String,
    /// Its id, so that an approval is not good for another log of the same name.
    pub id: [u8; 16],
    /// One after the last record that may go.
    pub end: u64,
    /// When it was given, µs since 1970 UTC.
    pub time_us: i64,
    /// Why, in one line.
    pub reason: String,
    /// The signatures under it.
    pub signatures: Vec<NoteSignature>,
}

impl Approval {
    /// The lines that are signed.
    pub fn text(&self) -> String {
        format!(
            "{APPROVAL_MARK} to delete, 1\nlog {}\nid {:032x}\nend {}\ntime {}\nreason {}\n",
            self.log,
            u128::from_be_bytes(self.id),
            self.end,
            time_text(self.time_us),
            self.reason
        )
    }

    /// Adds a signature.
    pub fn sign(&mut self, signer: &Signer) {
        self.signatures.extend(SignedText::sign(self.text(), &[signer]).signatures);
    }

    /// The approval with its signatures, as it is kept and sent.
    pub fn encode(&self) -> String {
        self.signed().encode()
    }

    fn signed(&self) -> SignedText {
        SignedText { text: self.text(), signatures: self.signatures.clone() }
    }

    /// Reads an approval that fills `bytes`; only the form that [`encode`](Self::encode) writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let signed = SignedText::parse(bytes)?;
        let mut approval =
            parse_text(&signed.text).ok_or(NoteError::Malformed("it is no approval"))?;
        if approval.text() != signed.text {
            return Err(NoteError::Malformed("its lines are not in the form this program writes"));
        }
        approval.signatures = signed.signatures;
        Ok(approval)
    }

    /// Whether it is about this log, and about all records before `end`.
    pub fn covers(&self, log: &str, id: &[u8; 16], end: u64) -> bool {
        self.log == log && self.id == *id && self.end >= end
    }
}

fn parse_text(text: &str) -> Option<Approval> {
    let mut lines = text.lines();
    lines.next()?;
    let mut value = |key: &str| lines.next()?.strip_prefix(key);
    let log = value("log ")?.to_owned();
    let hex = value("id ")?;
    let id = u128::from_str_radix(hex, 16).ok()?.to_be_bytes();
    let end = value("end ")?.parse().ok()?;
    let time: jiff::Timestamp = value("time ")?.parse().ok()?;
    let reason = value("reason ")?.to_owned();
    if reason.is_empty() || reason.len() > REASON_BYTES_MAX {
        return None;
    }
    Some(Approval { log, id, end, time_us: time.as_microsecond(), reason, signatures: Vec::new() })
}

/// Those of `approvers` who approve that the records of a log before `end` go. Two names for one
/// key are one approver, and a key listed twice is, too. False approvals count for nothing.
pub fn approved_by<'k>(
    approvals: &[Approval],
    approvers: &'k [VerifierKey],
    log: &str,
    id: &[u8; 16],
    end: u64,
) -> Vec<&'k VerifierKey> {
    let mut found: Vec<&VerifierKey> = Vec::new();
    for approval in approvals.iter().filter(|approval| approval.covers(log, id, end)) {
        for key in approval.signed().verify(approvers).unwrap_or_default() {
            let same =
                |other: &&VerifierKey| other.public() == key.public() || other.name() == key.name();
            if !found.iter().any(same) {
                found.push(key);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Note;

    const ID: [u8; 16] = [0x0a; 16];

    fn signer(name: &str, seed: u8) -> Signer {
        Signer::from_seed(name, &[seed; 32]).unwrap()
    }

    fn approval(signers: &[&Signer]) -> Approval {
        let mut approval = Approval {
            log: "relay-1.example.gov".to_owned(),
            id: ID,
            end: 500,
            time_us: 1_795_572_000_000_000,
            reason: "court order 12".to_owned(),
            signatures: Vec::new(),
        };
        for signer in signers {
            approval.sign(signer);
        }
        approval
    }

    fn count(approvals: &[Approval], keys: &[&Signer], end: u64) -> usize {
        let keys: Vec<VerifierKey> = keys.iter().map(|key| key.verifier().clone()).collect();
        approved_by(approvals, &keys, "relay-1.example.gov", &ID, end).len()
    }

    #[test]
    fn an_approval_comes_back_and_is_no_checkpoint() {
        let given = approval(&[&signer("wang", 1)]);
        assert_eq!(Approval::parse(given.encode().as_bytes()), Ok(given.clone()));
        assert!(Note::parse(given.encode().as_bytes()).is_err());
    }

    #[test]
    fn t1_a_signature_under_a_checkpoint_approves_nothing() {
        let wang = signer("wang", 1);
        let mut forged = approval(&[]);
        let checkpoint = SignedText::sign("relay-1.example.gov\n500\n".to_owned(), &[&wang]);
        forged.signatures = checkpoint.signatures;
        assert_eq!(count(&[forged], &[&wang], 500), 0);
    }

    #[test]
    fn two_people_are_two_keys_of_two_names() {
        let (wang, li) = (signer("wang", 1), signer("li", 2));
        let (wang_again, wang_other) = (signer("wang-2", 1), signer("wang", 3));
        let both = [&wang, &li, &wang_again, &wang_other];
        assert_eq!(count(&[approval(&[&wang]), approval(&[&li])], &both, 500), 2);
        assert_eq!(count(&[approval(&[&wang, &li])], &both, 500), 2);
        assert_eq!(count(&[approval(&[&wang]), approval(&[&wang])], &both, 500), 1);
        assert_eq!(count(&[approval(&[&wang]), approval(&[&wang_again])], &both, 500), 1);
        assert_eq!(count(&[approval(&[&wang]), approval(&[&wang_other])], &both, 500), 1);
        assert_eq!(count(&[approval(&[&wang, &li])], &[&wang], 500), 1, "li is no approver");
        assert_eq!(count(&[approval(&[&wang, &li])], &both, 501), 0, "beyond what was approved");
        let mut changed = approval(&[&wang, &li]);
        changed.end = 10_000;
        assert_eq!(count(&[changed], &both, 500), 0, "the signatures are under another text");
    }

    #[test]
    fn hostile_approvals_are_refused() {
        let good = approval(&[&signer("wang", 1)]).encode();
        for (from, to) in [
            ("end 500", "end 0500"),
            ("end 500", "end +500"),
            ("id 0a", "id +a"),
            ("id 0a", "id 0A"),
            ("reason court order 12", "reason "),
            (", 1\n", ", 2\n"),
            ("\n\n", "\nmore\n\n"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good);
            assert!(Approval::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}

//! Checkpoints of a log: signed notes in the form of C2SP `tlog-checkpoint`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use crate::envelope::{NoteError, NoteSignature, SIGNATURE_MARK, SignedText};
use crate::keys::{Signer, VerifierKey};

/// What approvals begin with. No checkpoint may, so that a signature under the one never passes
/// for a signature under the other.
pub(crate) const APPROVAL_MARK: &str = "bigsec approval";

/// A signed statement: this log had so many records, under this root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Name of the log.
    pub origin: String,
    /// Number of records.
    pub size: u64,
    /// Root of the tree over them.
    pub root: [u8; 32],
    /// When it was made by the log's clock, µs since 1970 UTC.
    pub time_us: i64,
    /// Seconds during which the log is known to have aged.
    pub elapsed_s: u64,
    /// The first record still kept, if records were deleted.
    pub first: Option<u64>,
    /// The key that signs after this note.
    pub next_key: Option<VerifierKey>,
    /// Further lines, of later versions of this program.
    pub further: Vec<String>,
    /// The signatures under it.
    pub signatures: Vec<NoteSignature>,
}

impl Note {
    /// The lines that are signed.
    pub fn text(&self) -> String {
        let root = STANDARD.encode(self.root);
        let mut lines = vec![self.origin.clone(), self.size.to_string(), root];
        lines.push(format!("time {}", time_text(self.time_us)));
        lines.push(format!("elapsed {}", self.elapsed_s));
        lines.extend(self.first.map(|first| format!("first {first}")));
        lines.extend(self.next_key.as_ref().map(|key| format!("next-key {key}")));
        lines.extend_from_slice(&self.further);
        lines.push(String::new());
        lines.join("\n")
    }

    /// The note with its signatures, as it is kept and sent.
    pub fn encode(&self) -> String {
        self.signed().encode()
    }

    fn signed(&self) -> SignedText {
        SignedText { text: self.text(), signatures: self.signatures.clone() }
    }

    /// Puts the signatures of `signers` under the note, in place of those it has.
    pub fn sign(&mut self, signers: &[&Signer]) {
        self.signatures = SignedText::sign(self.text(), signers).signatures;
    }

    /// Reads one note that fills `bytes`. Only the very form that [`encode`](Self::encode) writes
    /// is accepted, so that what is verified is what was read.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let signed = SignedText::parse(bytes)?;
        let mut note = parse_text(&signed.text).map_err(NoteError::Malformed)?;
        if note.text() != signed.text {
            return Err(NoteError::Malformed("its lines are not in the form this program writes"));
        }
        note.signatures = signed.signatures;
        Ok(note)
    }

    /// Those of `keys` that signed the note; see [`SignedText::verify`]. That its origin is the
    /// log in question is for the caller to see to.
    pub fn verify<'k>(&self, keys: &'k [VerifierKey]) -> Result<Vec<&'k VerifierKey>, NoteError> {
        self.signed().verify(keys)
    }
}

fn parse_text(text: &str) -> Result<Note, &'static str> {
    let mut lines = text.lines().peekable();
    let origin = lines.next().filter(|line| is_origin(line)).ok_or("no name of a log")?;
    let size = lines.next().and_then(number).ok_or("no number of records")?;
    let root = lines.next().and_then(|line| STANDARD.decode(line).ok()).ok_or("no root")?;
    let root = root.try_into().map_err(|_| "a root of other than 32 bytes")?;
    let mut value =
        |key: &str| lines.next_if(|line| line.starts_with(key)).map(|l| &l[key.len()..]);
    let time = value("time ").and_then(|text| text.parse::<Timestamp>().ok()).ok_or("no time")?;
    let elapsed_s = value("elapsed ").and_then(number).ok_or("no elapsed time")?;
    let first = value("first ").map(|text| number(text).ok_or("no first record")).transpose()?;
    let next_key = value("next-key ")
        .map(|text| text.parse().map_err(|_| "a next key that is none"))
        .transpose()?;
    let further: Vec<String> = lines.map(str::to_owned).collect();
    if further.iter().any(String::is_empty) {
        return Err("an empty line");
    }
    Ok(Note {
        origin: origin.to_owned(),
        size,
        root,
        time_us: time.as_microsecond(),
        elapsed_s,
        first,
        next_key,
        further,
        signatures: Vec::new(),
    })
}

/// A decimal number without sign or leading zeros.
fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits && (text == "0" || !text.starts_with('0')))
}

fn is_origin(line: &str) -> bool {
    !line.is_empty() && !line.starts_with(SIGNATURE_MARK) && !line.starts_with(APPROVAL_MARK)
}

/// RFC 3339 in UTC with six decimals. Times that a calendar does not have become its first or last.
pub(crate) fn time_text(time_us: i64) -> String {
    let edge = if time_us < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let time = Timestamp::from_microsecond(time_us).unwrap_or(edge);
    DateTimePrinter::new().precision(Some(6)).timestamp_to_string(&time)
}

/// Makes of `note` the note by which the key of a log changes: it names the new key, and both sign.
#[must_use]
pub fn rotate(mut note: Note, old: &Signer, new: &Signer) -> Note {
    note.next_key = Some(new.verifier().clone());
    note.sign(&[old, new]);
    note
}

/// A key and the sizes of the log at which it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySpan {
    /// The key.
    pub key: VerifierKey,
    /// The size of the log from which on it signs.
    pub from: u64,
    /// The size at which another key took over, which this one signed as its last.
    pub until: Option<u64>,
}

/// Follows a log's notes in order, from pinned keys through each change of key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHistory {
    spans: Vec<KeySpan>,
    current: Vec<VerifierKey>,
}

impl KeyHistory {
    /// Begins with the keys that are believed from the outset.
    pub fn pinned(keys: &[VerifierKey]) -> Self {
        let spans = keys.iter().map(|key| KeySpan { key: key.clone(), from: 0, until: None });
        Self { spans: spans.collect(), current: keys.to_vec() }
    }

    /// Verifies the next note with the keys that are valid now, and follows the change of key that
    /// it may bring. A note that fails changes nothing.
    pub fn accept(&mut self, note: &Note) -> Result<(), NoteError> {
        let Some(next) = &note.next_key else {
            return note.verify(&self.current).map(|_| ());
        };
        let old: Vec<VerifierKey> = note.verify(&self.current)?.into_iter().cloned().collect();
        note.verify(std::slice::from_ref(next))
            .map_err(|_| NoteError::NextKeyMissing(next.to_string()))?;
        for span in &mut self.spans {
            if span.until.is_none() && span.key != *next && old.contains(&span.key) {
                span.until = Some(note.size);
            }
        }
        self.current.retain(|key| key == next || !old.contains(key));
        if !self.current.contains(next) {
            self.current.push(next.clone());
            self.spans.push(KeySpan { key: next.clone(), from: note.size, until: None });
        }
        Ok(())
    }

    /// The keys that sign now.
    pub fn current(&self) -> &[VerifierKey] {
        &self.current
    }

    /// Every key there was, with the sizes at which it signs.
    pub fn spans(&self) -> &[KeySpan] {
        &self.spans
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::envelope::SIGNED_BYTES_MAX;

    fn signer(seed: u8) -> Signer {
        Signer::from_seed("relay-1.example.gov", &[seed; 32]).unwrap()
    }

    fn note(size: u64) -> Note {
        Note {
            origin: "relay-1.example.gov".to_owned(),
            size,
            root: [7; 32],
            time_us: 1_795_572_000_000_000,
            elapsed_s: 86_400,
            first: None,
            next_key: None,
            further: Vec::new(),
            signatures: Vec::new(),
        }
    }

    fn signed(size: u64, seed: u8) -> Note {
        let mut note = note(size);
        note.sign(&[&signer(seed)]);
        note
    }

    #[test]
    fn a_note_has_the_lines_of_the_format_page() {
        let text = signed(345_678, 1).encode();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "relay-1.example.gov");
        assert_eq!(lines[1], "345678");
        assert_eq!(lines[2], "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
        assert_eq!(lines[3], "time 2026-11-25T02:00:00.000000Z");
        assert_eq!(lines[4], "elapsed 86400");
        assert_eq!(lines[5], "");
        assert!(lines[6].starts_with("— relay-1.example.gov "), "{}", lines[6]);
        assert_eq!(lines.len(), 7);
    }

    #[test]
    fn a_note_comes_back_as_it_was_written() {
        let mut full = note(9);
        full.first = Some(3);
        full.further = vec!["witness of a later version".to_owned()];
        let full = rotate(full, &signer(1), &signer(2));
        assert_eq!(Note::parse(full.encode().as_bytes()), Ok(full));
    }

    #[test]
    fn a_checkpoint_that_looks_like_an_approval_is_refused() {
        let mut forged = note(9);
        forged.origin = format!("{APPROVAL_MARK} to delete, 1");
        forged.sign(&[&signer(1)]);
        assert!(Note::parse(forged.encode().as_bytes()).is_err());
    }

    #[test]
    fn hostile_notes_are_refused() {
        let good = signed(12, 1).encode();
        for (from, to) in [
            ("\n12\n", "\n012\n"),
            ("\n12\n", "\n+12\n"),
            ("\n12\n", "\n18446744073709551616\n"),
            ("BwcHB", "Bwc"),
            (".000000Z", "Z"),
            (".000000Z", ".000000+00:00"),
            ("elapsed 86400", "elapsed -1"),
            ("elapsed 86400", "Elapsed 86400"),
            ("elapsed 86400\n", "first 1\nelapsed 86400\n"),
            ("elapsed 86400\n", "elapsed 86400\n\tx\n"),
            ("\n— ", "\n- "),
            ("— relay-1", "— relay 1"),
            ("— relay-1", "— relay+1"),
            ("relay-1.example.gov\n12", "\n12"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from:?}");
            assert!(Note::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Note::parse(&good.as_bytes()[..good.len() - 1]).is_err());
        let long = vec![b'a'; SIGNED_BYTES_MAX + 1];
        assert_eq!(Note::parse(&long), Err(NoteError::TooLong));
    }

    #[test]
    fn t1_only_the_pinned_key_counts_and_a_changed_note_is_found() {
        let note = signed(12, 1);
        let (own, other) = (signer(1).verifier().clone(), signer(2).verifier().clone());
        assert!(note.verify(std::slice::from_ref(&own)).is_ok());
        assert!(matches!(note.verify(&[other]), Err(NoteError::UnknownKey(_))));
        let mut changed = note.clone();
        changed.size += 1;
        assert!(matches!(changed.verify(&[own]), Err(NoteError::FalseSignature(_))));
    }

    #[test]
    fn a_change_of_key_is_followed_only_where_old_and_new_signed() {
        let (old, new, third) = (signer(1), signer(2), signer(3));
        let mut history = KeyHistory::pinned(&[old.verifier().clone()]);
        history.accept(&signed(5, 1)).unwrap();
        let mut alone = note(6);
        alone.next_key = Some(new.verifier().clone());
        alone.sign(&[&old]);
        assert!(matches!(history.accept(&alone), Err(NoteError::NextKeyMissing(_))));
        assert!(history.accept(&rotate(note(6), &third, &new)).is_err());
        history.accept(&rotate(note(6), &old, &new)).unwrap();
        assert!(history.accept(&signed(7, 1)).is_err(), "the old key has retired");
        history.accept(&signed(7, 2)).unwrap();
        assert_eq!(history.current(), std::slice::from_ref(new.verifier()));
        let spans: Vec<_> = history.spans().iter().map(|span| (span.from, span.until)).collect();
        assert_eq!(spans, [(0, Some(6)), (6, None)]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(note) = Note::parse(&bytes) {
                prop_assert_eq!(note.encode().into_bytes(), bytes);
            }
        }

        #[test]
        fn a_changed_byte_never_verifies(at in 0_usize..300, flip in 1_u8..) {
            let key = signer(1).verifier().clone();
            let mut bytes = rotate(note(77), &signer(1), &signer(2)).encode().into_bytes();
            let text_len = note(77).text().len();
            let at = at % text_len;
            bytes[at] ^= flip;
            let verified = Note::parse(&bytes).is_ok_and(|note| note.verify(&[key]).is_ok());
            prop_assert!(!verified);
        }
    }
}

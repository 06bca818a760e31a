//! Signed text in the form of C2SP `signed-note`: lines, an empty line, lines of signatures.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::keys::{Signer, VerifierKey, is_key_name};

/// The longest signed text with its signatures that is read or written, in bytes.
pub const SIGNED_BYTES_MAX: usize = 16 * 1024;
/// The most signatures that are read under one text.
pub const SIGNATURES_MAX: usize = 16;
/// What each line of a signature begins with.
pub(crate) const SIGNATURE_MARK: &str = "— ";

/// Why a signed text counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteError {
    /// It is longer than [`SIGNED_BYTES_MAX`].
    #[error("the signed text is longer than {SIGNED_BYTES_MAX} bytes")]
    TooLong,
    /// It is not of its form.
    #[error("the signed text is malformed: {0}")]
    Malformed(&'static str),
    /// None of the given keys signed it.
    #[error("none of the known keys signed it (signed by: {0})")]
    UnknownKey(String),
    /// It bears a signature in the name of a known key which that key did not make.
    #[error("the signature of key {0} is false: the text was changed, or another key made it")]
    FalseSignature(String),
    /// It names a next key that did not sign it, too.
    #[error("the next key {0} did not sign the note that names it")]
    NextKeyMissing(String),
}

/// One signature under a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// First 4 bytes of the key's hash.
    pub hash: [u8; 4],
    /// The signature itself; 64 bytes for Ed25519.
    pub bytes: Vec<u8>,
}

/// A text with the signatures under it. Nothing of it is to be believed before
/// [`verify`](Self::verify).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedText {
    /// The text, with its last line end.
    pub text: String,
    /// The signatures, in order.
    pub signatures: Vec<NoteSignature>,
}

impl SignedText {
    /// Signs a text, which must end with a line end.
    pub fn sign(text: String, signers: &[&Signer]) -> Self {
        let signatures = signers.iter().map(|signer| signer.sign(text.as_bytes())).collect();
        Self { text, signatures }
    }

    /// Reads one signed text that fills `bytes`.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > SIGNED_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed("not UTF-8"))?;
        if whole.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(NoteError::Malformed("a control character"));
        }
        let gap = whole.rfind("\n\n").ok_or(NoteError::Malformed("no empty line"))?;
        let (text, lines) = (&whole[..=gap], &whole[gap + 2..]);
        if text == "\n" {
            return Err(NoteError::Malformed("no text"));
        }
        let lines =
            lines.strip_suffix('\n').ok_or(NoteError::Malformed("no line end after the last"))?;
        let signatures = lines.split('\n').map(parse_signature).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::Malformed("too many signatures"));
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text with its signatures, as it is kept and sent.
    pub fn encode(&self) -> String {
        let mut out = self.text.clone();
        out.push('\n');
        for signature in &self.signatures {
            let mut blob = signature.hash.to_vec();
            blob.extend_from_slice(&signature.bytes);
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{SIGNATURE_MARK}{} {}", signature.name, STANDARD.encode(blob));
        }
        out
    }

    /// Those of `keys` that signed the text. Fails where none did, or where a signature in the
    /// name of one of them is false; signatures of other keys are passed over.
    pub fn verify<'k>(&self, keys: &'k [VerifierKey]) -> Result<Vec<&'k VerifierKey>, NoteError> {
        let mut signed: Vec<&VerifierKey> = Vec::new();
        for signature in &self.signatures {
            let matching =
                |key: &&VerifierKey| key.name() == signature.name && key.hash() == signature.hash;
            let Some(key) = keys.iter().find(matching) else { continue };
            if !key.has_signed(self.text.as_bytes(), &signature.bytes) {
                return Err(NoteError::FalseSignature(key.to_string()));
            }
            if !signed.contains(&key) {
                signed.push(key);
            }
        }
        if signed.is_empty() {
            let names: Vec<&str> = self.signatures.iter().map(|one| one.name.as_str()).collect();
            return Err(NoteError::UnknownKey(names.join(", ")));
        }
        Ok(signed)
    }
}

fn parse_signature(line: &str) -> Result<NoteSignature, NoteError> {
    const WRONG: NoteError = NoteError::Malformed("a line of signature that is none");
    let (name, blob) =
        line.strip_prefix(SIGNATURE_MARK).and_then(|rest| rest.split_once(' ')).ok_or(WRONG)?;
    if !is_key_name(name) {
        return Err(WRONG);
    }
    let blob = STANDARD.decode(blob).map_err(|_| WRONG)?;
    let (hash, bytes) = blob.split_first_chunk::<4>().ok_or(WRONG)?;
    if bytes.is_empty() {
        return Err(WRONG);
    }
    Ok(NoteSignature { name: name.to_owned(), hash: *hash, bytes: bytes.to_vec() })
}

//! Keys that sign checkpoints and approvals, and the verifier keys that others hold.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::envelope::NoteSignature;
use crate::storage::{Storage, read_full_at, write_all_at};

/// The type of an Ed25519 key in signed notes.
const ED25519: u8 = 1;
/// The longest name of a key, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// The longest key file that is read, in bytes.
const KEY_FILE_MAX: usize = 4096;
const VERIFIER_LINE: &str = "Verifier key: ";
const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";

/// Why a key cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file could not be read or written.
    #[error("key file {}: {source}", path.display())]
    Io {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others than its owner may read the file.
    #[error("key file {} may be read by others than its owner; chmod 600 it, or make a new key if somebody may have read it", path.display())]
    Open {
        /// The key file.
        path: PathBuf,
    },
    /// The file holds no key of this program.
    #[error("key file {}: {what}", path.display())]
    Malformed {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A name that signed notes cannot carry.
    #[error("{0:?} is no name for a key: 1 to 255 bytes without blank, control character or `+`")]
    Name(String),
    /// A text that is no verifier key.
    #[error("{text:?} is no verifier key: {what}")]
    Verifier {
        /// The text.
        text: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The system gave no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Whether signed notes can carry this name of a key.
pub fn is_key_name(name: &str) -> bool {
    let fits = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(fits)
}

/// The public half of a key: whom to believe.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
}

impl VerifierKey {
    /// Name of the key: that of the log, or of the person who approves.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first 4 bytes of the key's hash in signed notes, which covers its name.
    pub fn hash(&self) -> [u8; 4] {
        let mut hash = Sha256::new();
        hash.update(self.name.as_bytes());
        hash.update([b'\n', ED25519]);
        hash.update(self.key.as_bytes());
        first(&hash.finalize())
    }

    /// The key's id in segment headers, which covers the public key alone.
    pub fn id(&self) -> [u8; 8] {
        first(&Sha256::digest(self.key.as_bytes()))
    }

    /// The public key.
    pub fn public(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    pub(crate) fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(text, &signature).is_ok())
    }
}

/// The leading bytes of a hash.
fn first<const N: usize>(hash: &[u8]) -> [u8; N] {
    *hash.first_chunk().expect("SHA-256 gives 32 bytes, of which at most 8 are asked for")
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}", self.name, u32::from_be_bytes(self.hash()))?;
        let mut blob = vec![ED25519];
        blob.extend_from_slice(self.key.as_bytes());
        write!(f, "+{}", STANDARD.encode(blob))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        parse_verifier(text)
            .map_err(|what| KeyError::Verifier { text: text.chars().take(200).collect(), what })
    }
}

fn parse_verifier(text: &str) -> Result<VerifierKey, &'static str> {
    // Base64 may hold a `+`; name and hash may not.
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(hash), Some(blob)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("it has not the form name+hash+base64");
    };
    if !is_key_name(name) {
        return Err("its name is empty, too long, or has a blank or control character");
    }
    let blob = STANDARD.decode(blob).map_err(|_| "its last part is not base64")?;
    let [ED25519, public @ ..] = blob.as_slice() else {
        return Err("it is not an Ed25519 key");
    };
    let public: &[u8; 32] = public.try_into().map_err(|_| "an Ed25519 key has 32 bytes")?;
    let key = VerifyingKey::from_bytes(public).map_err(|_| "its bytes are no Ed25519 key")?;
    if key.is_weak() {
        return Err("it is a weak key, for which anybody can make signatures");
    }
    let key = VerifierKey { name: name.to_owned(), key };
    let wanted = format!("{:08x}", u32::from_be_bytes(key.hash()));
    if hash == wanted { Ok(key) } else { Err("its hash does not fit its name and key") }
}

/// A key that signs. Its secret is wiped from memory when it is dropped, and never shown.
#[derive(Clone)]
pub struct Signer {
    secret: SigningKey,
    verifier: VerifierKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("verifier", &self.verifier).field("secret", &"***").finish()
    }
}

impl Signer {
    /// Makes a new key from the system's random numbers.
    pub fn generate(name: &str) -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(KeyError::Random)?;
        let signer = Self::from_seed(name, &seed);
        seed.fill(0);
        signer
    }

    /// The key that a seed of 32 secret bytes makes.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        Self::new(name, SigningKey::from_bytes(seed))
    }

    fn new(name: &str, secret: SigningKey) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name(name.chars().take(300).collect()));
        }
        let verifier = VerifierKey { name: name.to_owned(), key: secret.verifying_key() };
        Ok(Self { secret, verifier })
    }

    /// Reads a key file; refuses one that others than its owner may read.
    pub fn load(storage: &dyn Storage, path: &Path) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io { path: path.to_owned(), source };
        if !storage.is_private(path).map_err(io)? {
            return Err(KeyError::Open { path: path.to_owned() });
        }
        let file = storage.open_read(path).map_err(io)?;
        let mut bytes = vec![0; KEY_FILE_MAX];
        let len = read_full_at(file.as_ref(), &mut bytes, 0).map_err(io)?;
        let signer = parse_key_file(&bytes[..len])
            .map_err(|what| KeyError::Malformed { path: path.to_owned(), what });
        bytes.fill(0);
        signer
    }

    /// Writes the key to a new file that only its owner may read, and flushes it.
    ///
    /// The file is PKCS#8 in PEM, after a line with the verifier key.
    pub fn save(&self, storage: &dyn Storage, path: &Path) -> Result<(), KeyError> {
        let io = |source| KeyError::Io { path: path.to_owned(), source };
        // Without the public key in it, because older OpenSSL reads only that form.
        let pair = KeypairBytes { secret_key: self.secret.to_bytes(), public_key: None };
        let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::Malformed {
            path: path.to_owned(),
            what: "the key cannot be encoded",
        })?;
        let head = format!("{VERIFIER_LINE}{}\n", self.verifier);
        let file = storage.create(path).map_err(io)?;
        let written = write_all_at(file.as_ref(), head.as_bytes(), 0)
            .and_then(|()| write_all_at(file.as_ref(), pem.as_bytes(), head.len() as u64))
            .and_then(|()| file.sync());
        if written.is_err() {
            // Half a key is none; where even this fails, it will not be read.
            let _ = storage.remove(path);
        }
        written.map_err(io)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        storage.sync_folder(folder.unwrap_or(Path::new("."))).map_err(io)
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The public half as text: `name+hash+base64`.
    pub fn vkey(&self) -> String {
        self.verifier.to_string()
    }

    /// Name of the key.
    pub fn name(&self) -> &str {
        &self.verifier.name
    }

    /// Signs bytes.
    pub(crate) fn sign(&self, text: &[u8]) -> NoteSignature {
        NoteSignature {
            name: self.verifier.name.clone(),
            hash: self.verifier.hash(),
            bytes: self.secret.sign(text).to_bytes().to_vec(),
        }
    }
}

fn parse_key_file(bytes: &[u8]) -> Result<Signer, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text")?;
    let begin = text.find(PEM_BEGIN).ok_or("it has no `BEGIN PRIVATE KEY`")?;
    let head = text[..begin]
        .lines()
        .find_map(|line| line.strip_prefix(VERIFIER_LINE))
        .ok_or("it has no line `Verifier key: …` before the private key")?;
    let verifier: VerifierKey =
        head.trim().parse().map_err(|_| "its verifier key cannot be read")?;
    let secret =
        SigningKey::from_pkcs8_pem(&text[begin..]).map_err(|_| "its private key cannot be read")?;
    if secret.verifying_key() != verifier.key {
        return Err("its verifier key is not that of its private key");
    }
    Signer::new(&verifier.name, secret).map_err(|_| "its name is not that of a key")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;

    #[test]
    fn a_key_file_comes_back_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.key");
        let signer = Signer::generate("relay-1.example.gov").unwrap();
        signer.save(&Disk, &path).unwrap();
        assert!(signer.save(&Disk, &path).is_err(), "a key is never overwritten");
        let read = Signer::load(&Disk, &path).unwrap();
        assert_eq!(read.vkey(), signer.vkey());
        assert_eq!(read.sign(b"x"), signer.sign(b"x"));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.key");
        Signer::generate("a").unwrap().save(&Disk, &path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Signer::load(&Disk, &path), Err(KeyError::Open { .. })));
    }

    #[test]
    fn a_damaged_key_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.key");
        Signer::from_seed("a", &[1; 32]).unwrap().save(&Disk, &path).unwrap();
        let good = std::fs::read_to_string(&path).unwrap();
        let other = Signer::from_seed("a", &[2; 32]).unwrap().vkey();
        for bad in [
            good.replace(&Signer::from_seed("a", &[1; 32]).unwrap().vkey(), &other),
            good.replace(VERIFIER_LINE, ""),
            good.replace("-----END", "----END"),
            String::new(),
        ] {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(Signer::load(&Disk, &path), Err(KeyError::Malformed { .. })));
        }
    }

    #[test]
    fn t19_the_secret_is_never_shown() {
        let signer = Signer::from_seed("a", &[0x41; 32]).unwrap();
        let shown = format!("{signer:?}");
        assert!(shown.contains("***"));
        assert!(!shown.contains("65, 65") && !shown.contains("4141") && !shown.contains("AAAA"));
    }

    #[test]
    fn a_verifier_key_comes_back_and_a_false_one_is_refused() {
        let key = Signer::from_seed("relay-1.example.gov", &[1; 32]).unwrap().verifier().clone();
        let text = key.to_string();
        assert_eq!(text.parse::<VerifierKey>().unwrap(), key);
        let weak = VerifierKey { name: "a".to_owned(), key: VerifyingKey::default() };
        for bad in [
            text.replace("relay-1", "relay-2"),
            text.replace("+A", "+B"),
            text[..text.len() - 4].to_owned(),
            weak.to_string(),
            "a+b".to_owned(),
            String::new(),
        ] {
            assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
        }
        for name in ["", "two words", "a+b", "a\nb", &"x".repeat(256)] {
            assert!(Signer::from_seed(name, &[1; 32]).is_err(), "{name}");
        }
    }

    #[test]
    fn the_hash_of_a_key_covers_its_name_type_and_bytes() {
        // A key whose hash was worked out by hand from its parts, to hold the form fast.
        let key = Signer::from_seed("example.gov", &[3; 32]).unwrap().verifier().clone();
        let mut hashed = b"example.gov\n\x01".to_vec();
        hashed.extend_from_slice(key.public());
        assert_eq!(key.hash(), Sha256::digest(&hashed)[..4]);
    }
}

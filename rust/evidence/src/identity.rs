//! Which log a folder holds.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{At as _, LogError};
use crate::header::{FORMAT_VERSION, HeaderFault, is_log_name};
use crate::options::LogOptions;
use crate::segment::{LOG_FILE, SegmentInfo, WATERMARK_FILE};
use crate::storage::{Storage, read_full_at, write_all_at};
use crate::tail::read_header;
use crate::watermark::{SLOT_BYTES, Watermark};

const LOG_FILE_BYTES_MAX: usize = 4096;

/// The content of `log.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LogFile {
    format: u64,
    name: String,
    id: String,
    /// CRC-32C of the three before, in their order, a line each. The first logs have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crc32c: Option<u32>,
}

impl LogFile {
    fn new(name: &str, id: &[u8; 16]) -> Self {
        let id = id.map(|byte| format!("{byte:02x}")).concat();
        let mut made =
            Self { format: u64::from(FORMAT_VERSION), name: name.to_owned(), id, crc32c: None };
        made.crc32c = Some(made.checksum());
        made
    }

    fn checksum(&self) -> u32 {
        crc32c::crc32c(format!("{}\n{}\n{}\n", self.format, self.name, self.id).as_bytes())
    }

    /// Reads the content; nothing where it is damaged.
    fn read(bytes: &[u8]) -> Option<Self> {
        let content: Self = serde_json::from_slice(bytes).ok()?;
        content.crc32c.is_none_or(|told| told == content.checksum()).then_some(content)
    }
}

/// Name and id that the bytes of a `log.json` tell; nothing where they are damaged.
pub(crate) fn parse_log_file(
    path: &Path,
    bytes: &[u8],
) -> Result<Option<(String, [u8; 16])>, LogError> {
    let Some(content) = LogFile::read(bytes) else { return Ok(None) };
    if content.format > u64::from(FORMAT_VERSION) {
        return Err(LogError::Newer { path: path.to_owned(), version: content.format });
    }
    let id = parse_id(&content.id).filter(|_| is_log_name(&content.name) && content.format > 0);
    Ok(id.map(|id| (content.name, id)))
}

/// What is known of `log.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFileState {
    /// It says the same as the segments.
    Good,
    /// There is none.
    Absent,
    /// It cannot be read, or says something else.
    Garbled,
}

/// Which log it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: [u8; 16],
    /// The folder held no trace of a log.
    pub created: bool,
    /// What is known of `log.json`.
    pub log_file: LogFileState,
}

/// Finds out which log the folder holds. Changes nothing.
pub(crate) fn identify(
    storage: &dyn Storage,
    dir: &Path,
    segments: &[SegmentInfo],
    options: &LogOptions,
) -> Result<Identity, LogError> {
    let told = tell(storage, dir, segments)?;
    let log_file = told.log_file;
    let Some((name, id)) = told.found else {
        let id = match options.new_id {
            Some(id) => id,
            None => random_id().at(dir)?,
        };
        return Ok(Identity { name: options.name.clone(), id, created: true, log_file });
    };
    // A log whose name only its writer knows is taken at the writer's word.
    let name = name.unwrap_or_else(|| options.name.clone());
    if name != options.name {
        let (path, wanted) = (dir.to_owned(), options.name.clone());
        return Err(LogError::OtherLog { path, wanted, found: name });
    }
    Ok(Identity { name, id, created: false, log_file })
}

/// Name, if it is known, and id of a log.
pub(crate) type NameAndId = (Option<String>, [u8; 16]);

/// Name, if it is known, and id of the log in a folder.
pub(crate) fn log_in(
    storage: &dyn Storage,
    dir: &Path,
    segments: &[SegmentInfo],
) -> Result<Option<NameAndId>, LogError> {
    Ok(tell(storage, dir, segments)?.found)
}

struct Told {
    found: Option<NameAndId>,
    log_file: LogFileState,
}

fn tell(storage: &dyn Storage, dir: &Path, segments: &[SegmentInfo]) -> Result<Told, LogError> {
    let cache = read_log_file(storage, dir)?;
    let mark = read_mark_id(storage, dir)?;
    let mut header = None;
    for segment in segments.iter().rev() {
        let told = match read_header(storage, &segment.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            told => told.at(&segment.path)?,
        };
        match told {
            Ok((told, _)) => {
                // A segment of another log, which all else contradicts, tells nothing of this one.
                let cached = cache.as_ref().ok().map(|(_, id)| *id);
                if cached.is_some() && cached == mark && cached != Some(told.id) {
                    continue;
                }
                header = Some((told.name, told.id));
                break;
            }
            Err(HeaderFault::Newer(version)) => {
                let (path, version) = (segment.path.clone(), u64::from(version));
                return Err(LogError::Newer { path, version });
            }
            Err(HeaderFault::Damaged) => {}
        }
    }
    let found = match (header, &cache, mark) {
        (Some((name, id)), ..) => Some((Some(name), id)),
        (None, Ok((name, id)), _) => Some((Some(name.clone()), *id)),
        (None, Err(_), Some(id)) => Some((None, id)),
        (None, Err(_), None) => None,
    };
    let log_file = match (&cache, &found) {
        (Ok((name, id)), Some((found, found_id)))
            if found_id == id && found.as_ref() == Some(name) =>
        {
            LogFileState::Good
        }
        (Err(LogFileState::Absent), _) => LogFileState::Absent,
        _ => LogFileState::Garbled,
    };
    Ok(Told { found, log_file })
}

fn read_log_file(
    storage: &dyn Storage,
    dir: &Path,
) -> Result<Result<(String, [u8; 16]), LogFileState>, LogError> {
    let path = dir.join(LOG_FILE);
    let file = match storage.open_read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Err(LogFileState::Absent));
        }
        opened => opened.at(&path)?,
    };
    let mut bytes = [0; LOG_FILE_BYTES_MAX];
    let len = read_full_at(file.as_ref(), &mut bytes, 0).at(&path)?;
    Ok(parse_log_file(&path, &bytes[..len])?.ok_or(LogFileState::Garbled))
}

/// The id in either slot of the watermark.
fn read_mark_id(storage: &dyn Storage, dir: &Path) -> Result<Option<[u8; 16]>, LogError> {
    let path = dir.join(WATERMARK_FILE);
    let file = match storage.open_read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.at(&path)?,
    };
    let mut bytes = [0; 2 * SLOT_BYTES];
    let len = read_full_at(file.as_ref(), &mut bytes, 0).at(&path)?;
    Ok(Watermark::decode(&bytes[..len], None).map(|mark| mark.id))
}

/// Writes `log.json` anew.
pub(crate) fn write_log_file(
    storage: &dyn Storage,
    dir: &Path,
    identity: &Identity,
) -> io::Result<()> {
    let mut text = serde_json::to_vec(&LogFile::new(&identity.name, &identity.id))?;
    text.push(b'\n');
    let made = dir.join(format!("{LOG_FILE}.new"));
    match storage.remove(&made) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = storage.create(&made)?;
    write_all_at(file.as_ref(), &text, 0)?;
    file.sync()?;
    storage.rename(&made, &dir.join(LOG_FILE))?;
    storage.sync_folder(dir)
}

fn parse_id(text: &str) -> Option<[u8; 16]> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u128::from_str_radix(text, 16).ok())?.map(u128::to_be_bytes)
}

fn random_id() -> io::Result<[u8; 16]> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(id)
}

/// Key of a log in event ids: the first 47 bits of `BLAKE3(id ‖ name)`.
pub fn log_key(id: &[u8; 16], name: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(id);
    hasher.update(name.as_bytes());
    let mut key = [0; 8];
    key.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_be_bytes(key) >> 17
}

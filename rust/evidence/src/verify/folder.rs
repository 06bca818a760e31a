//! What lies in a log's folder, and what the headers of its segments say.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::report::{Finding, Kind, Severity};
use crate::error::{At as _, LogError};
use crate::header::{HEADER_BYTES, Header, HeaderFault};
use crate::identity::parse_log_file;
use crate::segment::{
    CHECKPOINTS_FILE, DAMAGED_FOLDER, LOCK_FILE, LOG_FILE, RESERVE_FILE, WATERMARK_FILE,
    parse_segment_name,
};
use crate::storage::{Storage, read_full_at};

/// The longest `log.json` that is read.
const LOG_FILE_MAX: usize = 4096;

/// A segment's file.
pub(crate) struct SegmentFile {
    pub path: PathBuf,
    pub name: String,
    pub sealed: bool,
    pub len: u64,
    /// `None` where neither copy can be read.
    pub header: Option<Header>,
}

/// A segment: as written, sealed, or both.
pub(crate) struct Segment {
    pub number: u64,
    pub first: u64,
    pub files: Vec<SegmentFile>,
}

impl Segment {
    /// The header of the file that counts.
    pub fn header(&self) -> Option<&Header> {
        self.files.iter().find_map(|file| file.header.as_ref())
    }
}

/// A log's folder.
pub(crate) struct Folder {
    pub segments: Vec<Segment>,
    /// Numbers of the segments in `damaged/`.
    pub set_aside: Vec<u64>,
    pub id: [u8; 16],
    pub name: String,
    pub findings: Vec<Finding>,
}

impl Folder {
    /// Looks at the folder.
    pub fn read(storage: &dyn Storage, dir: &Path) -> Result<Self, LogError> {
        let mut found = BTreeMap::new();
        let mut folder = Self {
            segments: Vec::new(),
            set_aside: Vec::new(),
            id: [0; 16],
            name: String::new(),
            findings: Vec::new(),
        };
        for path in storage.list(dir).at(dir)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some((number, first, sealed)) = parse_segment_name(&name) {
                let (len, header) = folder.open_segment(storage, &path, &name, number)?;
                let file = SegmentFile { path, name, sealed, len, header };
                found.entry((number, first)).or_insert_with(Vec::new).push(file);
            } else if name == DAMAGED_FOLDER {
                folder.read_damaged(storage, &path);
            } else if ![WATERMARK_FILE, CHECKPOINTS_FILE, LOG_FILE, LOCK_FILE, RESERVE_FILE]
                .contains(&name.as_str())
            {
                folder.notice(Kind::StrangeFile, &name, "it is no part of a log".to_owned());
            }
        }
        folder.segments = found
            .into_iter()
            .map(|((number, first), files)| Segment { number, first, files })
            .collect();
        let told = folder.read_log_file(storage, dir)?;
        folder.identify(dir, told)?;
        folder.check_headers();
        Ok(folder)
    }

    fn open_segment(
        &mut self,
        storage: &dyn Storage,
        path: &Path,
        name: &str,
        number: u64,
    ) -> Result<(u64, Option<Header>), LogError> {
        let mut bytes = [0; HEADER_BYTES];
        let read = storage.open_read(path).and_then(|file| {
            let read = read_full_at(file.as_ref(), &mut bytes, 0)?;
            Ok((read, file.size()?))
        });
        let (read, len) = match read {
            Ok(read) => read,
            Err(error) => {
                let what = format!("the file cannot be read: {error}");
                self.damage(Kind::Unreadable, name, Some(number), what);
                return Ok((0, None));
            }
        };
        match Header::decode(&bytes[..read]) {
            Ok((header, true)) => Ok((len, Some(header))),
            Ok((header, false)) => {
                let what = "one of the two copies of the header is damaged; the other counts";
                self.damage(Kind::Header, name, Some(number), what.to_owned());
                Ok((len, Some(header)))
            }
            Err(HeaderFault::Newer(version)) => {
                Err(LogError::Newer { path: path.to_owned(), version: version.into() })
            }
            Err(HeaderFault::Damaged) => {
                let what = "the header is damaged; its number and first record are taken from the \
                            name of the file";
                self.damage(Kind::Header, name, Some(number), what.to_owned());
                Ok((len, None))
            }
        }
    }

    fn read_damaged(&mut self, storage: &dyn Storage, path: &Path) {
        let paths = storage.list(path).unwrap_or_default();
        if paths.is_empty() {
            return;
        }
        let number = |path: &PathBuf| {
            let (number, _) = path.file_name()?.to_str()?.split_once('-')?;
            number.parse().ok()
        };
        self.set_aside = paths.iter().filter_map(number).collect();
        let what = format!("{} files were set aside by an earlier start", paths.len());
        self.notice(Kind::SetAside, DAMAGED_FOLDER, what);
    }

    /// The name and id that `log.json` tells.
    fn read_log_file(
        &mut self,
        storage: &dyn Storage,
        dir: &Path,
    ) -> Result<Option<(String, [u8; 16])>, LogError> {
        let path = dir.join(LOG_FILE);
        let mut bytes = vec![0; LOG_FILE_MAX];
        let read = storage.open_read(&path).and_then(|file| {
            let read = read_full_at(file.as_ref(), &mut bytes, 0)?;
            Ok(read)
        });
        let told = match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err("it is missing"),
            Err(_) => Err("it cannot be read"),
            Ok(read) => parse_log_file(&path, &bytes[..read])?.ok_or("it is damaged"),
        };
        match told {
            Ok(told) => Ok(Some(told)),
            Err(what) => {
                let what = format!("{what}; the next start writes it anew from the segments");
                self.notice(Kind::LogFile, LOG_FILE, what);
                Ok(None)
            }
        }
    }

    /// Which log this is: the one that most headers name.
    fn identify(&mut self, dir: &Path, told: Option<(String, [u8; 16])>) -> Result<(), LogError> {
        let mut votes: BTreeMap<([u8; 16], &str), usize> = BTreeMap::new();
        for header in self.segments.iter().filter_map(Segment::header) {
            *votes.entry((header.id, &header.name)).or_default() += 1;
        }
        let is_told = |id: &[u8; 16]| told.as_ref().is_some_and(|told| told.1 == *id);
        let most = votes.iter().max_by_key(|((id, _), count)| (**count, is_told(id)));
        let found = most.map(|((id, name), _)| ((*name).to_owned(), *id));
        if let (Some(told), Some(found)) = (&told, &found)
            && told != found
        {
            // The first logs have no checksum in it; where name or id fit, it is the right file.
            let is_fault = told.0 == found.0 || told.1 == found.1;
            let what = format!("it tells of another log, {:?}, id {}", told.0, hex(&told.1));
            let (severity, kind) = if is_fault {
                (Severity::Notice, Kind::LogFile)
            } else {
                (Severity::Tamper, Kind::OtherLog)
            };
            self.find(severity, kind, LOG_FILE, None, what);
        }
        let what = "there are no segments of a log".to_owned();
        let none = || LogError::NotALog { path: dir.to_owned(), what };
        (self.name, self.id) = found.or(told).ok_or_else(none)?;
        Ok(())
    }

    fn check_headers(&mut self) {
        let mut findings = Vec::new();
        for (at, segment) in self.segments.iter().enumerate() {
            let next = self.segments.get(at + 1).map_or(segment.first, |next| next.first);
            for file in &segment.files {
                let Some(header) = &file.header else { continue };
                let (offset, kind, what) = if header.id != self.id || header.name != self.name {
                    (16, Kind::OtherLog, format!("it is a segment of the log {:?}", header.name))
                } else if (header.number, header.first()) != (segment.number, segment.first) {
                    let (number, first) = (header.number, header.first());
                    let what = format!("its header says segment {number}, first record {first}");
                    (32, Kind::Chain, what)
                } else if header.sealed != file.sealed {
                    let what = "header and name differ about whether it is sealed".to_owned();
                    (13, Kind::Chain, what)
                } else {
                    continue;
                };
                findings.push(Finding {
                    kind,
                    severity: Severity::Tamper,
                    segment: Some(segment.number),
                    file: file.name.clone(),
                    offset: Some(offset),
                    first: segment.first,
                    end: next.max(segment.first),
                    what,
                    mend: "find out who put it there",
                });
            }
        }
        self.findings.append(&mut findings);
    }

    fn notice(&mut self, kind: Kind, file: &str, what: String) {
        self.find(Severity::Notice, kind, file, None, what);
    }

    fn damage(&mut self, kind: Kind, file: &str, segment: Option<u64>, what: String) {
        self.find(Severity::Damage, kind, file, segment, what);
    }

    fn find(
        &mut self,
        severity: Severity,
        kind: Kind,
        file: &str,
        segment: Option<u64>,
        what: String,
    ) {
        let first = segment.and(parse_segment_name(file)).map_or(0, |(_, first, _)| first);
        let mend = if severity == Severity::Notice { "" } else { "check the disk" };
        let (file, offset) = (file.to_owned(), segment.map(|_| 0));
        self.findings.push(Finding {
            kind,
            severity,
            segment,
            file,
            offset,
            first,
            end: first,
            what,
            mend,
        });
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

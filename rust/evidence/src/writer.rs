//! The one writer of a log.
//!
//! It has no thread of its own: every operation on files happens inside a call, so that a
//! simulator can stop it after each.

mod notes;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::checkpoint::Checkpoints;
use crate::clock::Clock;
use crate::damage::Recovery;
use crate::error::{At as _, LogError};
use crate::frame::{
    BODY_BYTES_MAX, FRAME_HEADER_BYTES, FrameKind, Salt, begin_frame, end_frame, put_commit,
    put_long_record, put_record,
};
use crate::hash::{Hash, leaf_hash};
use crate::header::{HEADER_BYTES, Header, is_log_name};
use crate::identity::log_key;
use crate::live::{AppendError, Live};
use crate::mark::MarkFile;
use crate::options::LogOptions;
use crate::record::{Flags, Record};
use crate::records::RECORD_BYTES_MAX;
use crate::recovery::{Recovered, recover};
use crate::segment::{LOCK_FILE, SegmentInfo, drop_void, list_segments, segment_name};
use crate::storage::{Held, Storage};
use crate::tree::{Frontier, Growing};
use crate::watermark::Watermark;

/// A commit brings the peaks when so many records have come since the last that did.
const PEAKS_EVERY: u64 = 1024;
/// Room for what a record has beside its payload.
const ENVELOPE_BYTES_MAX: usize = 2 + 8 + 1 + 255 + 18 + 16 + 16;
/// A buffer for a group that has grown beyond this is given back after the commit.
const PENDING_KEPT_BYTES: usize = 16 << 20;

/// What is flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durable {
    /// Number of records.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

/// Appends records to a log, and makes them durable in groups.
pub struct LogWriter {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    dir: PathBuf,
    options: LogOptions,
    id: [u8; 16],
    salt: Salt,
    segments: Vec<SegmentInfo>,
    next_number: u64,
    live: Option<Live>,
    mark: MarkFile,
    checkpoints: Checkpoints,
    durable: Frontier,
    /// The tree starts anew with the next segment.
    anew: bool,
    /// The tree over all records, those pending included.
    tree: Growing,
    /// Frames of the group that is pending.
    pending: Vec<u8>,
    since_peaks: u64,
    /// Since when the watermark has been behind what is flushed.
    unmarked_since: Option<Duration>,
    _lock: Box<dyn Held>,
}

impl LogWriter {
    /// Opens the log in `dir`, or makes one; tells what it found.
    pub fn open(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        dir: &Path,
        mut options: LogOptions,
    ) -> Result<(Self, Recovery), LogError> {
        if !is_log_name(&options.name) {
            return Err(LogError::Name { name: options.name });
        }
        options.record_bytes_max =
            options.record_bytes_max.min(RECORD_BYTES_MAX - ENVELOPE_BYTES_MAX);
        let lock = take_lock(storage.as_ref(), dir)?;
        let recovered = recover(&storage, clock.as_ref(), dir, &options)?;
        let Recovered {
            recovery,
            id,
            segments,
            next_number,
            live,
            mark,
            flushed,
            checkpoints,
            state,
        } = recovered;
        let mut writer = Self {
            mark: MarkFile::open(storage.clone(), dir, mark.as_ref()),
            storage,
            clock,
            dir: dir.to_owned(),
            options,
            id,
            salt: Salt::new(&id),
            segments,
            next_number,
            live,
            checkpoints,
            durable: state.durable,
            anew: state.anew,
            tree: Growing::new(state.tree),
            pending: state.pending,
            since_peaks: PEAKS_EVERY,
            unmarked_since: None,
            _lock: lock,
        };
        let marked = mark.map(|mark| mark.tree.size());
        let unmarked = (marked != Some(writer.durable.size())).then_some(flushed);
        match writer.settle(unmarked) {
            // What was adopted stays pending, and the next commit has it.
            Ok(()) => Ok((writer, recovery)),
            Err(LogError::Full { .. }) if !writer.segments.is_empty() => Ok((writer, recovery)),
            Err(error) => Err(error),
        }
    }

    /// Makes durable what recovery kept, before anything new comes. `unmarked` is how much of the
    /// last segment is flushed, where the watermark does not say so.
    fn settle(&mut self, unmarked: Option<u64>) -> Result<(), LogError> {
        let is_adopted = !self.pending.is_empty();
        if let Some(flushed) = unmarked.filter(|_| !is_adopted) {
            // A new log has its watermark before its first segment, so that one without is known
            // to have lost it.
            let last = self.segments.last();
            let (number, bytes) = last.map_or((0, 0), |last| (last.number, flushed));
            self.write_mark(number, bytes, self.durable.clone())?;
        }
        // A log that signs has a note before its first signed segment, for the same reason.
        if self.options.signer.is_some() && self.checkpoints.last().is_none() {
            self.checkpoint()?;
        }
        if is_adopted {
            self.commit()?;
        }
        Ok(())
    }

    /// Name of the log.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// Its id.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Its key in event ids, 47 bits.
    pub fn key(&self) -> u64 {
        log_key(&self.id, &self.options.name)
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its files.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// Its clock.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// How it is written.
    pub fn options(&self) -> &LogOptions {
        &self.options
    }

    /// Takes a record into the group that is pending; gives its sequence. Nothing is written.
    pub fn append(&mut self, record: &Record<'_>) -> u64 {
        let mut record = *record;
        if record.payload.len() > self.options.record_bytes_max {
            record.payload = &record.payload[..self.options.record_bytes_max];
            record.flags = record.flags.with(Flags::CUT);
        }
        let sequence = self.tree.size();
        if record.payload.len() + ENVELOPE_BYTES_MAX <= BODY_BYTES_MAX {
            let start = begin_frame(&mut self.pending, sequence, FrameKind::Whole);
            record.encode(&mut self.pending);
            end_frame(&mut self.pending, start, self.salt);
            self.tree.push_record(&self.pending[start + FRAME_HEADER_BYTES..]);
        } else {
            let leaf = self.put_long(&record, sequence);
            self.tree.settled().push(leaf);
        }
        sequence
    }

    /// Appends a record that may need several frames; gives its leaf.
    fn put_long(&mut self, record: &Record<'_>, sequence: u64) -> Hash {
        let mut head = Vec::with_capacity(ENVELOPE_BYTES_MAX);
        Record { payload: &[], ..*record }.encode(&mut head);
        let leaf = leaf_hash(&[&head, record.payload]);
        if head.len() + record.payload.len() > BODY_BYTES_MAX {
            put_long_record(&mut self.pending, self.salt, sequence, &head, record.payload);
        } else {
            head.extend_from_slice(record.payload);
            put_record(&mut self.pending, self.salt, sequence, &head);
        }
        leaf
    }

    /// How many records are pending, and how many bytes they take.
    pub fn pending(&self) -> (u64, usize) {
        (self.tree.size() - self.durable.size(), self.pending.len())
    }

    /// What is flushed.
    pub fn durable(&self) -> Durable {
        Durable { size: self.durable.size(), root: self.durable.root() }
    }

    /// Number of records, those pending included.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// First record that is still kept; the number of records where none is.
    pub fn first(&self) -> u64 {
        self.segments.first().map_or(self.durable.size(), |segment| segment.first)
    }

    /// The segments that hold flushed records, by number. The last may still be written to.
    pub fn segments(&self) -> &[SegmentInfo] {
        &self.segments
    }

    /// Looks at the folder anew, after segments were sealed or deleted.
    pub fn relist(&mut self) -> Result<(), LogError> {
        let mut segments = list_segments(self.storage.as_ref(), &self.dir).at(&self.dir)?;
        // A segment without a flushed record does not count yet.
        if let Some(live) = self.live.as_ref().filter(|live| live.bytes == 0) {
            segments.retain(|segment| segment.number != live.number);
        }
        drop_void(&mut segments);
        self.segments = segments;
        Ok(())
    }

    /// Number of the segment that is written to, if one is.
    pub fn live_segment(&self) -> Option<u64> {
        self.live.as_ref().map(|live| live.number)
    }

    /// Makes the pending group durable: writes it with its commit frame and flushes it. Where it is
    /// the first of its segment, or the watermark would be behind for too long, writes and flushes
    /// that, too.
    ///
    /// After an error nothing of the group counts; it stays pending, and a later call may succeed.
    /// What a failed write left is cut off. A segment whose flush failed is never written to again:
    /// the group goes to a new one with the same sequences.
    pub fn commit(&mut self) -> Result<Durable, LogError> {
        if self.mark_due_in() == Some(Duration::ZERO) {
            self.mark()?;
        }
        if self.is_due() {
            self.roll()?;
        }
        if !self.pending.is_empty() {
            self.open_live()?;
            self.write_group()?;
        }
        Ok(self.durable())
    }

    /// Writes and flushes the watermark where it is behind.
    pub fn settle_mark(&mut self) -> Result<(), LogError> {
        if self.unmarked_since.is_some() { self.mark() } else { Ok(()) }
    }

    /// When the watermark is to be written; `None` while it is not behind.
    pub fn mark_due_in(&self) -> Option<Duration> {
        let behind = self.clock.elapsed().saturating_sub(self.unmarked_since?);
        Some(self.options.mark_interval.saturating_sub(behind))
    }

    /// Ends the segment. The next commit opens another.
    pub fn roll(&mut self) -> Result<(), LogError> {
        let Some(live) = self.live.as_ref().filter(|live| live.bytes > 0) else { return Ok(()) };
        let mut frame = Vec::new();
        put_commit(&mut frame, self.salt, FrameKind::End, &self.durable, self.clock.now_us(), true);
        let (number, written) = (live.number, live.bytes + frame.len() as u64);
        self.write_live(&frame)?;
        self.live = None;
        self.note_segment(number, written);
        Ok(())
    }

    /// Whether the segment is large or old enough to be ended.
    fn is_due(&self) -> bool {
        let Some(live) = self.live.as_ref().filter(|live| live.bytes > 0) else { return false };
        let age = self.clock.elapsed().saturating_sub(live.opened);
        let age_max = Duration::from_micros(self.options.segment_age_us.max(0).unsigned_abs());
        live.bytes >= self.options.segment_bytes || age >= age_max
    }

    /// Makes the file of the next segment, unless one is open.
    fn open_live(&mut self) -> Result<(), LogError> {
        if self.live.is_some() {
            return Ok(());
        }
        let number = self.next_number;
        let path = self.dir.join(segment_name(number, self.durable.size(), false));
        self.next_number += 1;
        let opened = self.clock.elapsed();
        self.live = Some(Live::create(self.storage.as_ref(), path, number, opened)?);
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), LogError> {
        let Some(live) = &self.live else { return Ok(()) };
        let (number, begins) = (live.number, live.bytes == 0);
        let records = self.tree.size() - self.durable.size();
        let with_peaks = begins || self.since_peaks + records >= PEAKS_EVERY;
        let group = self.pending.len();
        if begins {
            self.pending.splice(..0, self.header(number).encode().iter().copied());
        }
        put_commit(
            &mut self.pending,
            self.salt,
            FrameKind::Commit,
            self.tree.settled(),
            self.clock.now_us(),
            with_peaks,
        );
        let frames = std::mem::take(&mut self.pending);
        let written = self.write_live(&frames);
        self.pending = frames;
        let marked = written.and_then(|bytes| {
            // The first group of a segment counts only with its watermark: recovery takes one that
            // was begun under an earlier segment's for never acknowledged.
            if begins || self.options.mark_interval.is_zero() {
                let tree = self.tree.settled().clone();
                self.write_mark(number, bytes, tree).inspect_err(|_| self.live = None)?;
            } else {
                self.unmarked_since.get_or_insert(self.clock.elapsed());
            }
            Ok(bytes)
        });
        match marked {
            Ok(bytes) => self.settle_group(number, bytes, records, with_peaks),
            Err(error) => {
                if begins {
                    self.pending.drain(..HEADER_BYTES);
                }
                self.pending.truncate(group);
                return Err(error);
            }
        }
        Ok(())
    }

    fn settle_group(&mut self, number: u64, bytes: u64, records: u64, with_peaks: bool) {
        self.note_segment(number, bytes);
        self.durable.clone_from(self.tree.settled());
        self.anew = false;
        self.since_peaks = if with_peaks { 0 } else { self.since_peaks + records };
        self.pending.clear();
        if self.pending.capacity() > PENDING_KEPT_BYTES {
            self.pending = Vec::new();
        }
    }

    fn header(&self, number: u64) -> Header {
        Header {
            name: self.options.name.clone(),
            id: self.id,
            number,
            time_us: self.clock.now_us(),
            key: self.options.key_id(),
            sealed: false,
            anew: self.anew,
            tree: self.durable.clone(),
        }
    }

    /// Appends bytes to the open segment and flushes them; gives its new length. After a failed
    /// cut or flush the segment is given up.
    fn write_live(&mut self, bytes: &[u8]) -> Result<u64, LogError> {
        let Some(live) = &mut self.live else {
            return Err(LogError::io(&self.dir, io::ErrorKind::NotFound.into()));
        };
        live.append(self.storage.as_ref(), &self.dir, bytes).map_err(|error| match error {
            AppendError::CutBack(error) => error,
            AppendError::Lost(error) => {
                self.give_up_live();
                error
            }
        })
    }

    /// Never writes to the segment again. One that never had a durable record is removed, so that
    /// a disk that fails for long is not filled with them; where that fails it stays, and is void.
    fn give_up_live(&mut self) {
        if let Some(live) = self.live.take()
            && live.bytes == 0
        {
            let _ = self.storage.remove(&live.path);
        }
    }

    /// Writes the watermark of what is flushed.
    fn mark(&mut self) -> Result<(), LogError> {
        let last = self.segments.last();
        let (number, bytes) = last.map_or((0, 0), |last| (last.number, last.bytes));
        self.write_mark(number, bytes, self.durable.clone())
    }

    fn write_mark(&mut self, segment: u64, bytes: u64, tree: Frontier) -> Result<(), LogError> {
        self.mark.write(Watermark {
            generation: 0,
            id: self.id,
            segment,
            segment_bytes: bytes,
            time_us: self.clock.now_us(),
            tree,
        })?;
        self.unmarked_since = None;
        Ok(())
    }

    /// Keeps the list of segments up with a flushed length.
    fn note_segment(&mut self, number: u64, bytes: u64) {
        match self.segments.last_mut() {
            Some(last) if last.number == number => last.bytes = bytes,
            _ => {
                let first = self.durable.size();
                let path = self.dir.join(segment_name(number, first, false));
                self.segments.push(SegmentInfo { number, first, sealed: false, bytes, path });
                drop_void(&mut self.segments);
            }
        }
    }
}

fn take_lock(storage: &dyn Storage, dir: &Path) -> Result<Box<dyn Held>, LogError> {
    make_folder(storage, dir)?;
    let path = dir.join(LOCK_FILE);
    storage.lock(&path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => LogError::Locked { path },
        _ => LogError::io(&path, error),
    })
}

/// Makes the folder, and flushes the names in it and those of the folders it lies in: if they were
/// lost, the log would be. Where the folder stands already, an earlier process may have been stopped
/// before it came to that; and a file it removed must not come back once recovery has not seen it.
fn make_folder(storage: &dyn Storage, dir: &Path) -> Result<(), LogError> {
    storage.create_folder(dir).at(dir)?;
    for folder in dir.ancestors() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        match storage.sync_folder(folder) {
            // Whoever may not open a folder, or not write there, has made none in it.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) => {}
            synced => synced.at(folder)?,
        }
    }
    Ok(())
}

//! Streams of gzip, zstd and xz, told by their first bytes, never by the file's name.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;

/// Bytes that may come out whatever went in: below this a bomb does no harm to a stream.
const RATIO_FREE: u64 = 16 * 1024 * 1024;
/// How many times larger than its compressed form a stream may be. Bodies sent to us have the
/// configured 100; a file was put there by its owner, and an honest log of a line that repeats for
/// hours shrinks more than that: real logs reach 30 to 200, equal lines 400. A bomb of gzip reaches
/// 1,030, those of the others thousands.
const RATIO_LIMIT: u64 = 500;
/// Compressed bytes read ahead. They count as taken: more of them would let a bomb go on for longer.
const READ_AHEAD: usize = 32 * 1024;
/// Memory a zstd frame may ask for: 2^27, the format's own recommended limit for decoders.
const ZSTD_WINDOW_LOG: u32 = 27;
/// Memory an xz stream may ask for, in bytes.
const XZ_MEMORY: u64 = 256 * 1024 * 1024;

/// The stream grew more than [`RATIO_LIMIT`] allows.
#[derive(Debug, thiserror::Error)]
#[error("the stream grows more than {RATIO_LIMIT} times when decompressed")]
pub(crate) struct RatioExceeded;

/// Counts the bytes read from below.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Stops a stream that grows beyond the ratio.
struct Bounded<R> {
    inner: R,
    taken: Arc<AtomicU64>,
    start: u64,
    given: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.given += read as u64;
        let taken = self.taken.load(Ordering::Relaxed).saturating_sub(self.start).max(1);
        if self.given > RATIO_FREE && self.given / taken > RATIO_LIMIT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, RatioExceeded));
        }
        Ok(read)
    }
}

/// A stream that is decompressed where it needs to be.
pub(crate) struct Plain {
    /// The decompressed bytes.
    pub reader: Box<dyn Read + Send>,
    /// True where they were compressed.
    pub compressed: bool,
}

/// Wraps a stream; bytes read from below are added to `count`.
pub(crate) fn decompress(inner: Box<dyn Read + Send>, count: &Arc<AtomicU64>) -> io::Result<Plain> {
    let start = count.load(Ordering::Relaxed);
    let counted = Counted { inner, count: Arc::clone(count) };
    let mut reader = BufReader::with_capacity(READ_AHEAD, counted);
    let magic = peek(&mut reader)?;
    let decoder: Box<dyn Read + Send> = if magic.starts_with(&[0x1f, 0x8b]) {
        Box::new(MultiGzDecoder::new(reader))
    } else if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG)?;
        Box::new(decoder)
    } else if magic.starts_with(&[0xfd, b'7', b'z', b'X', b'Z', 0]) {
        let stream =
            liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)
                .map_err(io::Error::other)?;
        Box::new(XzDecoder::new_stream(reader, stream))
    } else {
        return Ok(Plain { reader: Box::new(reader), compressed: false });
    };
    let bounded = Bounded { inner: decoder, taken: Arc::clone(count), start, given: 0 };
    Ok(Plain { reader: Box::new(bounded), compressed: true })
}

/// The first bytes of a stream. A pipe may give them one by one, and a file may have fewer.
fn peek<R: Read>(reader: &mut BufReader<R>) -> io::Result<[u8; 6]> {
    let mut magic = [0; 6];
    let have = reader.fill_buf()?;
    let length = have.len().min(magic.len());
    magic[..length].copy_from_slice(&have[..length]);
    Ok(magic)
}

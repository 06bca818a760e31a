//! Decompresses the body of a request as it comes, under a limit of bytes and of growth.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use zstd::stream::raw::{DParameter, Decoder as RawZstd, InBuffer, Operation, OutBuffer};

/// Memory that a zstd body may ask for: 8 MiB, what RFC 8878 tells receivers to support.
const WINDOW_LOG: u32 = 23;
/// Bytes that may come out whatever went in.
const RATIO_FREE: u64 = 1024 * 1024;
/// Compressed bytes that are worked on before what came out is taken.
const STEP: usize = 4 * 1024;
/// Bytes that zstd gives at a time.
const ZSTD_ROOM: usize = 128 * 1024;

/// Why a body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is larger than it may be.
    TooLarge,
    /// It grows more than it may.
    Ratio,
    /// It is not what `Content-Encoding` says.
    Damaged,
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    /// The encoding that a header names.
    pub fn named(name: &[u8]) -> Option<Self> {
        let name = name.trim_ascii();
        if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
            Some(Self::Identity)
        } else if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") {
            Some(Self::Gzip)
        } else if name.eq_ignore_ascii_case(b"zstd") {
            Some(Self::Zstd)
        } else {
            None
        }
    }
}

/// What came out and was not taken yet, and how much may still come.
struct Bounded {
    bytes: Vec<u8>,
    given: u64,
    taken: u64,
    max: u64,
    ratio: u64,
    trouble: Option<Trouble>,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.given += bytes.len() as u64;
        if self.given > self.max {
            self.trouble = Some(Trouble::TooLarge);
        } else if self.given > RATIO_FREE + self.taken.saturating_mul(self.ratio) {
            self.trouble = Some(Trouble::Ratio);
        }
        if self.trouble.is_some() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Decoder {
    Plain(Bounded),
    Gzip(Box<MultiGzDecoder<Bounded>>),
    Zstd(Box<Zstd>),
}

/// Frames of zstd, and whether the last one is whole: the crate's own writer takes one that breaks
/// off for a whole one, and its sender would be told that all of it is kept.
struct Zstd {
    decoder: RawZstd<'static>,
    room: Vec<u8>,
    is_within_frame: bool,
    bounded: Bounded,
}

impl Zstd {
    fn new(bounded: Bounded) -> io::Result<Self> {
        let mut decoder = RawZstd::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
        Ok(Self { decoder, room: vec![0; ZSTD_ROOM], is_within_frame: false, bounded })
    }

    fn write_all(&mut self, part: &[u8]) -> io::Result<()> {
        let mut input = InBuffer::around(part);
        let mut is_held_back = false;
        while input.pos() < part.len() || is_held_back {
            let mut output = OutBuffer::around(&mut self.room[..]);
            self.is_within_frame = self.decoder.run(&mut input, &mut output)? != 0;
            let given = output.as_slice();
            is_held_back = self.is_within_frame && given.len() == ZSTD_ROOM;
            self.bounded.write_all(given)?;
        }
        Ok(())
    }

    fn end(&self) -> io::Result<()> {
        if self.is_within_frame { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// A body on its way.
pub(crate) struct Body {
    decoder: Decoder,
}

impl Body {
    /// A body of at most `max` bytes that grows at most `ratio` times.
    pub fn new(encoding: Encoding, max: u64, ratio: u64) -> io::Result<Self> {
        let bounded = Bounded { bytes: Vec::new(), given: 0, taken: 0, max, ratio, trouble: None };
        let decoder = match encoding {
            Encoding::Identity => Decoder::Plain(bounded),
            Encoding::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(bounded))),
            Encoding::Zstd => Decoder::Zstd(Box::new(Zstd::new(bounded)?)),
        };
        Ok(Self { decoder })
    }

    /// Puts compressed bytes in, a part at a time, and gives what comes out to `each`.
    pub fn put(&mut self, input: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), Trouble> {
        for part in input.chunks(STEP) {
            self.bounded().taken += part.len() as u64;
            let written = match &mut self.decoder {
                Decoder::Plain(bounded) => bounded.write_all(part),
                Decoder::Gzip(decoder) => decoder.write_all(part),
                Decoder::Zstd(zstd) => zstd.write_all(part),
            };
            self.give(written, &mut each)?;
        }
        Ok(())
    }

    /// Ends the body: fails where it breaks off.
    pub fn end(&mut self, mut each: impl FnMut(&[u8])) -> Result<(), Trouble> {
        let ended = match &mut self.decoder {
            Decoder::Plain(_) => Ok(()),
            Decoder::Gzip(decoder) => decoder.try_finish(),
            Decoder::Zstd(zstd) => zstd.end(),
        };
        self.give(ended, &mut each)
    }

    fn give(&mut self, done: io::Result<()>, each: &mut impl FnMut(&[u8])) -> Result<(), Trouble> {
        let bounded = self.bounded();
        each(&bounded.bytes);
        bounded.bytes.clear();
        match (done, bounded.trouble) {
            (_, Some(trouble)) => Err(trouble),
            (Err(_), None) => Err(Trouble::Damaged),
            (Ok(()), None) => Ok(()),
        }
    }

    fn bounded(&mut self) -> &mut Bounded {
        match &mut self.decoder {
            Decoder::Plain(bounded) => bounded,
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Zstd(zstd) => &mut zstd.bounded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate(
        encoding: Encoding,
        input: &[u8],
        max: u64,
        step: usize,
    ) -> Result<Vec<u8>, Trouble> {
        let mut body = Body::new(encoding, max, 100).unwrap();
        let (mut out, mut peak) = (Vec::new(), 0);
        let mut each = |bytes: &[u8]| {
            peak = peak.max(bytes.len());
            out.extend_from_slice(bytes);
        };
        for part in input.chunks(step) {
            body.put(part, &mut each)?;
        }
        body.end(&mut each)?;
        assert!(peak < 4 * 1024 * 1024, "{peak} bytes came at once");
        Ok(out)
    }

    #[test]
    fn bodies_come_out_as_they_went_in() {
        let text: Vec<u8> =
            (0..50_000_u32).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let cases = [
            (Encoding::Identity, text.clone()),
            (Encoding::Gzip, gzip(&text)),
            (Encoding::Zstd, zstd::encode_all(text.as_slice(), 3).unwrap()),
        ];
        for (encoding, input) in cases {
            for step in [1_000, usize::MAX] {
                assert_eq!(inflate(encoding, &input, 1 << 30, step).unwrap(), text);
            }
            assert_eq!(inflate(encoding, &input, 9_999, 1_000), Err(Trouble::TooLarge));
            let exactly = text.len() as u64;
            assert!(inflate(encoding, &input, exactly, 1_000).is_ok());
            assert_eq!(inflate(encoding, &input, exactly - 1, 1_000), Err(Trouble::TooLarge));
        }
    }

    #[test]
    fn t6_bombs_are_stopped_early() {
        let zeros = vec![0; 64 * 1024 * 1024];
        assert_eq!(inflate(Encoding::Gzip, &gzip(&zeros), u64::MAX, 9_999), Err(Trouble::Ratio));
        let bomb = zstd::encode_all(zeros.as_slice(), 1).unwrap();
        assert_eq!(inflate(Encoding::Zstd, &bomb, u64::MAX, 9_999), Err(Trouble::Ratio));
    }

    #[test]
    fn damage_is_told() {
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            assert_eq!(inflate(encoding, b"this is text\n", 1_000, 7), Err(Trouble::Damaged));
        }
        let text: Vec<u8> =
            (0..3_000_u32).flat_map(|n| format!("{n} cut\n").into_bytes()).collect();
        let wholes = [
            (Encoding::Gzip, gzip(&text)),
            (Encoding::Zstd, zstd::encode_all(text.as_slice(), 3).unwrap()),
        ];
        for (encoding, whole) in wholes {
            for cut in 1..whole.len() {
                for step in [7, usize::MAX] {
                    let ended = inflate(encoding, &whole[..cut], 1 << 20, step);
                    assert_eq!(ended, Err(Trouble::Damaged), "{encoding:?} cut after {cut}");
                }
            }
            let twice = [whole.clone(), whole].concat();
            assert_eq!(inflate(encoding, &twice, 1 << 20, 7).unwrap().len(), 2 * text.len());
        }
    }
}

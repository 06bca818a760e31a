//! Cuts a stream of syslog into records: by octet counts (RFC 6587, 3.4.1) or by line ends (3.4.2).
//!
//! What a frame is, is decided anew for each frame, by its first bytes alone, and never by what
//! stands inside it: a line end in a counted frame stays in its record. How the bytes arrive
//! changes nothing.

use bigsec_evidence::Flags;
use serde::Deserialize;

/// How the records of a stream are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FramingRule {
    /// Digits, a space and `<` begin a counted frame; whatever else begins, is a line. A stream
    /// whose first line ends in NUL has lines that end in NUL or in `\n`.
    Auto,
    /// Every frame is counted. What is not is kept as a line and counted as an error.
    OctetCounting,
    /// Every frame is a line; ends are `\n` and `\r\n`.
    Lines,
    /// Every frame ends in NUL and may hold line ends.
    Nul,
}

/// The longest count that is believed: longer ones are text.
const COUNT_MAX: usize = 64 * 1024 * 1024;
/// Bytes that a count and the octets that show it to be one can take.
pub(crate) const HEAD_MAX: usize = 16;

/// A record, or a part of one, in the bytes that were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where it begins.
    pub begin: usize,
    /// Where it ends.
    pub end: usize,
    /// How many of the bytes are done with.
    pub taken: usize,
    /// Whether it goes on with the record before, or is not whole.
    pub flags: Flags,
}

/// What the first bytes of a frame say.
enum Head {
    Counted { head: usize, count: usize },
    Line,
    More,
}

/// What ends a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Undecided,
    Newline,
    Nul,
    Both,
}

/// Frames one stream.
pub(crate) struct StreamFramer {
    rule: FramingRule,
    limit: usize,
    /// Octets of the counted frame that have not been given out.
    left: usize,
    in_line: bool,
    continued: bool,
    /// How far no line end stands in the bytes given before.
    searched: usize,
    line_end: LineEnd,
    strays: u64,
}

impl StreamFramer {
    /// Frames a stream; a record has at most `limit` bytes in one piece.
    pub fn new(rule: FramingRule, limit: usize) -> Self {
        let line_end = match rule {
            FramingRule::Auto => LineEnd::Undecided,
            FramingRule::Nul => LineEnd::Nul,
            FramingRule::OctetCounting | FramingRule::Lines => LineEnd::Newline,
        };
        let limit = limit.max(1);
        Self {
            rule,
            limit,
            left: 0,
            in_line: false,
            continued: false,
            searched: 0,
            line_end,
            strays: 0,
        }
    }

    /// Bytes that must be held at once for every record to be found.
    pub fn window(&self) -> usize {
        self.limit + HEAD_MAX
    }

    /// Frames that should have been counted and were not, since the last call.
    pub fn take_strays(&mut self) -> u64 {
        std::mem::take(&mut self.strays)
    }

    /// The next piece of the stream, of which `bytes` is what has not been taken yet.
    ///
    /// `None` asks for more bytes behind these. An empty piece (`begin == end`) is no record: its
    /// bytes only have to be taken.
    pub fn next(&mut self, bytes: &[u8]) -> Option<Piece> {
        if self.left > 0 {
            return self.counted(bytes, 0);
        }
        if !self.in_line {
            match self.head(bytes) {
                Head::More => return None,
                Head::Counted { head, count } => {
                    self.left = count;
                    let piece = self.counted(bytes, head);
                    if piece.is_none() {
                        // The head is read again together with the frame.
                        self.left = 0;
                    }
                    return piece;
                }
                Head::Line => {
                    self.in_line = true;
                    self.strays += u64::from(self.rule == FramingRule::OctetCounting);
                }
            }
        }
        self.line(bytes)
    }

    /// The last piece of a stream that has ended, if there is one. `broken` says that it did not
    /// end by its sender's will.
    pub fn finish(&mut self, bytes: &[u8], broken: bool) -> Option<Piece> {
        let counted = self.left > 0 || matches!(self.head(bytes), Head::Counted { .. });
        let (mut begin, mut flags) = (0, self.flags());
        if let (0, false, Head::Counted { head, .. }) = (self.left, self.in_line, self.head(bytes))
        {
            begin = head;
        }
        if broken || (counted && !self.in_line) {
            flags = flags.with(Flags::CUT);
        }
        let end = if counted { bytes.len() } else { strip_return(bytes, begin, bytes.len()) };
        (self.left, self.in_line, self.continued, self.searched) = (0, false, false, 0);
        (end > begin).then_some(Piece { begin, end, taken: bytes.len(), flags })
    }

    fn flags(&self) -> Flags {
        if self.continued { Flags::CONTINUED } else { Flags::default() }
    }

    /// What a frame is. Only digits keep the question open, and only a few of them.
    fn head(&self, bytes: &[u8]) -> Head {
        if matches!(self.rule, FramingRule::Lines | FramingRule::Nul) {
            return Head::Line;
        }
        let digits = bytes.iter().take(HEAD_MAX).take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return if bytes.is_empty() { Head::More } else { Head::Line };
        }
        // The longest believable count has eight digits.
        if digits > 8 || bytes[0] == b'0' {
            return Head::Line;
        }
        let count = bytes[..digits].iter().fold(0, |sum, byte| sum * 10 + usize::from(byte - b'0'));
        let shown = self.rule == FramingRule::OctetCounting;
        match (bytes.get(digits), bytes.get(digits + 1)) {
            (None, _) => Head::More,
            (Some(b' '), None) if !shown => Head::More,
            (Some(b' '), next) if (shown || next == Some(&b'<')) && count <= COUNT_MAX => {
                Head::Counted { head: digits + 1, count }
            }
            _ => Head::Line,
        }
    }

    fn counted(&mut self, bytes: &[u8], begin: usize) -> Option<Piece> {
        let size = self.left.min(self.limit);
        let end = begin + size;
        if bytes.len() < end {
            return None;
        }
        let flags = self.flags();
        self.left -= size;
        self.continued = self.left > 0;
        let taken = end;
        let end = if self.continued { end } else { begin + trim_end(&bytes[begin..end]) };
        Some(Piece { begin, end, taken, flags })
    }

    fn line(&mut self, bytes: &[u8]) -> Option<Piece> {
        let found = self.find_end(bytes).filter(|at| *at <= self.limit);
        let flags = self.flags();
        if let Some(at) = found {
            if self.line_end == LineEnd::Undecided {
                self.line_end = if bytes[at] == 0 { LineEnd::Both } else { LineEnd::Newline };
            }
            let end = if bytes[at] == 0 { at } else { strip_return(bytes, 0, at) };
            (self.searched, self.continued, self.in_line) = (0, false, false);
            return Some(Piece { begin: 0, end, taken: at + 1, flags });
        }
        if bytes.len() > self.limit {
            (self.searched, self.continued) = (0, true);
            return Some(Piece { begin: 0, end: self.limit, taken: self.limit, flags });
        }
        self.searched = bytes.len();
        None
    }

    fn find_end(&self, bytes: &[u8]) -> Option<usize> {
        let rest = &bytes[self.searched..];
        let at = match self.line_end {
            LineEnd::Newline => memchr::memchr(b'\n', rest),
            LineEnd::Nul => memchr::memchr(0, rest),
            LineEnd::Undecided | LineEnd::Both => memchr::memchr2(b'\n', 0, rest),
        };
        at.map(|at| self.searched + at)
    }
}

/// The end of a framed message without the line end or NUL that its sender puts there out of habit.
pub(crate) fn trim_end(message: &[u8]) -> usize {
    let message = message.strip_suffix(b"\0").unwrap_or(message);
    let message = message.strip_suffix(b"\n").unwrap_or(message);
    message.strip_suffix(b"\r").unwrap_or(message).len()
}

/// The end of a line without the carriage return before its line end.
fn strip_return(bytes: &[u8], begin: usize, end: usize) -> usize {
    if end > begin && bytes[end - 1] == b'\r' { end - 1 } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Records = Vec<(Vec<u8>, u16)>;

    /// Frames `input` as it arrives in steps of `step` bytes.
    fn frame(rule: FramingRule, limit: usize, input: &[u8], step: usize) -> Records {
        let mut framer = StreamFramer::new(rule, limit);
        let (mut records, mut held) = (Vec::new(), Vec::new());
        for bytes in input.chunks(step) {
            held.extend_from_slice(bytes);
            let mut start = 0;
            while let Some(piece) = framer.next(&held[start..]) {
                let record = &held[start + piece.begin..start + piece.end];
                if !record.is_empty() {
                    records.push((record.to_vec(), piece.flags.0));
                }
                assert!(piece.taken > 0, "a piece takes something");
                start += piece.taken;
            }
            held.drain(..start);
            assert!(held.len() <= framer.window(), "{} bytes are held", held.len());
        }
        if let Some(piece) = framer.finish(&held, false) {
            records.push((held[piece.begin..piece.end].to_vec(), piece.flags.0));
        }
        records
    }

    fn texts(rule: FramingRule, input: &[u8]) -> Vec<String> {
        let whole = frame(rule, 1_000, input, usize::MAX);
        assert_eq!(whole, frame(rule, 1_000, input, 1), "one byte at a time");
        whole.into_iter().map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }

    #[test]
    fn t4_a_digit_is_a_count_only_where_a_message_follows() {
        use FramingRule::Auto;
        assert_eq!(texts(Auto, b"5 <1>ab6 <2>abc"), ["<1>ab", "<2>abc"]);
        assert_eq!(
            texts(Auto, b"123 not a count\n5 <1>ab<3>x\n"),
            ["123 not a count", "<1>ab", "<3>x"]
        );
        for count in ["0", "-1", "99999999999999999999", "2147483647", "2147483649"] {
            let input = format!("{count} <1>a\n<2>b\n");
            assert_eq!(texts(Auto, input.as_bytes()), [format!("{count} <1>a"), "<2>b".into()]);
        }
        assert_eq!(texts(Auto, b"18446744073709551616 <1>a\n"), ["18446744073709551616 <1>a"]);
        assert_eq!(texts(Auto, b"5<1>ab\n"), ["5<1>ab"]);
        assert_eq!(texts(Auto, b"123"), ["123"]);
    }

    #[test]
    fn t17_what_stands_in_a_frame_never_ends_it() {
        use FramingRule::{Auto, Nul, OctetCounting};
        assert_eq!(texts(Auto, b"12 <1>a\n<34>b\0c\n<2>c\n"), ["<1>a\n<34>b\0c", "<2>c"]);
        assert_eq!(texts(Nul, b"<1>a\n b\0<2>c\0"), ["<1>a\n b", "<2>c"]);
        assert_eq!(texts(OctetCounting, b"3 a\nb4 5 <c"), ["a\nb", "5 <c"]);
        // A stream of lines keeps the NUL inside a line, one that began with NUL ends lines by it.
        assert_eq!(texts(Auto, b"<1>a\n<2>b\0c\n"), ["<1>a", "<2>b\0c"]);
        assert_eq!(texts(Auto, b"<1>a\0<2>b\0"), ["<1>a", "<2>b"]);
    }

    #[test]
    fn a_record_beyond_the_limit_goes_on_and_loses_nothing() {
        let continued = Flags::CONTINUED.0;
        assert_eq!(
            frame(FramingRule::Lines, 4, b"abcd\nabcdefghi\r\nx\n", 1),
            [
                (b"abcd".to_vec(), 0),
                (b"abcd".to_vec(), 0),
                (b"efgh".to_vec(), continued),
                (b"i".to_vec(), continued),
                (b"x".to_vec(), 0)
            ]
        );
        assert_eq!(
            frame(FramingRule::Auto, 4, b"6 <1>abc3 <2>", 2),
            [(b"<1>a".to_vec(), 0), (b"bc".to_vec(), continued), (b"<2>".to_vec(), 0)]
        );
    }

    #[test]
    fn a_frame_that_the_stream_breaks_off_is_kept_as_cut() {
        let cut = Flags::CUT.0;
        assert_eq!(frame(FramingRule::Auto, 99, b"9 <1>ab", 3), [(b"<1>ab".to_vec(), cut)]);
        assert_eq!(frame(FramingRule::Auto, 99, b"<1>ab", 3), [(b"<1>ab".to_vec(), 0)]);
        assert_eq!(
            frame(FramingRule::Auto, 3, b"9 <1>abcd", 3),
            [
                (b"<1>".to_vec(), 0),
                (b"abc".to_vec(), Flags::CONTINUED.0),
                (b"d".to_vec(), Flags::CONTINUED.0 | cut)
            ]
        );
    }

    proptest! {
        #[test]
        fn p12_how_the_bytes_arrive_changes_nothing(
            input in prop::collection::vec(
                prop_oneof![
                    4 => prop::sample::select(b"0123 <>\n\r\0ab".to_vec()),
                    1 => any::<u8>(),
                ],
                0..80,
            ),
            step in 1_usize..9,
            limit in 1_usize..12,
        ) {
            use FramingRule::{Auto, Lines, Nul, OctetCounting};
            for rule in [Auto, OctetCounting, Lines, Nul] {
                let whole = frame(rule, limit, &input, usize::MAX);
                prop_assert_eq!(&frame(rule, limit, &input, step), &whole);
                let kept: usize = whole
                    .iter()
                    .map(|(bytes, _)| memchr::memchr_iter(b'a', bytes).count())
                    .sum();
                prop_assert_eq!(kept, memchr::memchr_iter(b'a', &input).count());
            }
        }

        #[test]
        fn counted_records_come_out_as_they_went_in(
            records in prop::collection::vec("<[0-9]{1,3}>[\\x00-\\x7f]{0,30}x", 0..20),
            step in 1_usize..40,
        ) {
            let mut input = Vec::new();
            for record in &records {
                input.extend_from_slice(format!("{} {record}", record.len()).as_bytes());
            }
            let out = frame(FramingRule::Auto, 1_000, &input, step);
            let expected: Records =
                records.iter().map(|record| (record.clone().into_bytes(), 0)).collect();
            prop_assert_eq!(out, expected);
        }
    }
}

//! Joins lines into records: a line that fits the pattern begins one.

use std::time::Duration;

use bigsec_evidence::Flags;
use regex::bytes::{Regex, RegexBuilder};

use super::super::context::StartError;

/// Memory that the pattern may take when it is compiled.
const PATTERN_BYTES: usize = 1024 * 1024;

/// How lines are joined.
#[derive(Debug, Clone)]
pub(crate) struct Joining {
    start: Regex,
    lines_max: usize,
    bytes_max: usize,
    wait: Duration,
}

impl Joining {
    pub fn new(
        pattern: &str,
        lines_max: usize,
        bytes_max: usize,
        wait: Duration,
    ) -> Result<Self, StartError> {
        let start =
            RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).build().map_err(|error| {
                StartError::Pattern { pattern: pattern.to_owned(), what: error.to_string() }
            })?;
        Ok(Self { start, lines_max: lines_max.max(1), bytes_max, wait })
    }
}

/// A record of several lines that may go on.
pub(crate) struct Joined {
    joining: Joining,
    text: Vec<u8>,
    flags: Flags,
    lines: usize,
    /// Offset after its last line.
    end: u64,
    /// When its last line came.
    since: Duration,
}

impl Joined {
    pub fn new(joining: Joining) -> Self {
        Self {
            joining,
            text: Vec::new(),
            flags: Flags::default(),
            lines: 0,
            end: 0,
            since: Duration::ZERO,
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// Takes a line that ends at `end`; gives what it shows to be complete to `each`.
    pub fn push(
        &mut self,
        line: &[u8],
        flags: Flags,
        end: u64,
        now: Duration,
        each: &mut impl FnMut(&[u8], Flags, u64),
    ) {
        let goes_on = flags.has(Flags::CONTINUED);
        let joining = &self.joining;
        let begins = !goes_on && joining.start.is_match(line);
        let is_full =
            self.lines >= joining.lines_max || self.text.len() + line.len() >= joining.bytes_max;
        if self.lines > 0 && (begins || is_full) {
            self.give(each);
            self.flags = if begins { Flags::default() } else { Flags::CONTINUED };
        } else if self.lines == 0 {
            self.flags = flags;
        }
        if self.lines > 0 && !goes_on {
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(line);
        self.lines += 1;
        (self.end, self.since) = (end, now);
    }

    /// Gives a record that has waited long enough for its next line.
    pub fn give_waiting(&mut self, now: Duration, each: &mut impl FnMut(&[u8], Flags, u64)) {
        if now.saturating_sub(self.since) >= self.joining.wait {
            self.give(each);
        }
    }

    /// Gives what there is.
    pub fn give(&mut self, each: &mut impl FnMut(&[u8], Flags, u64)) {
        if self.lines > 0 {
            each(&self.text, self.flags, self.end);
            self.text.clear();
            self.lines = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Given = Vec<(String, u16, u64)>;

    fn join(lines: &[&str], lines_max: usize, bytes_max: usize) -> Given {
        let joining =
            Joining::new(r"^\d{4}-", lines_max, bytes_max, Duration::from_secs(1)).unwrap();
        let mut joined = Joined::new(joining);
        let (mut given, mut end) = (Vec::new(), 0);
        let mut each = |text: &[u8], flags: Flags, end: u64| {
            given.push((String::from_utf8(text.to_vec()).unwrap(), flags.0, end));
        };
        for line in lines {
            end += line.len() as u64 + 1;
            joined.push(line.as_bytes(), Flags::default(), end, Duration::ZERO, &mut each);
        }
        joined.give_waiting(Duration::from_millis(999), &mut each);
        joined.give_waiting(Duration::from_secs(1), &mut each);
        given
    }

    #[test]
    fn lines_that_begin_nothing_belong_to_the_record_before() {
        assert_eq!(
            join(&["stray", "2026-1 a", "  at b", "  at c", "2026-2 d"], 10, 100),
            [
                ("stray".into(), 0, 6),
                ("2026-1 a\n  at b\n  at c".into(), 0, 29),
                ("2026-2 d".into(), 0, 38)
            ]
        );
    }

    #[test]
    fn a_record_with_too_many_lines_goes_on_in_another() {
        assert_eq!(
            join(&["2026-1 a", "b", "c", "d"], 2, 100),
            [("2026-1 a\nb".into(), 0, 11), ("c\nd".into(), Flags::CONTINUED.0, 15)]
        );
        assert_eq!(join(&["2026-1 a", "b", "2026-2"], 9, 9).len(), 3);
        assert!(Joining::new("(", 1, 1, Duration::ZERO).is_err());
    }
}

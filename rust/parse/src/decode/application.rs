//! Lines of programs: a time, what stands between it and the message, and the message.
//!
//! ```text
//! 2026-01-09 11:04:05,678 ERROR [main] com.example.Login: no such user
//! 2026-01-09 11:04:05,678 - WARN  [worker-3:Pool@774] - pool is empty
//! 01-09 11:04:05.678  1702  2395 D WindowManager: acquire lock
//! 20260109-11:04:05:678|Login|30002312|no such user
//! 2026-01-09T11:04:05.678901Z 0 [Warning] [MY-010068] [Server] certificate is self signed
//! I0109 11:04:05.678901   28133 server.go:70] listening
//! ```
//!
//! Fields: `timestamp`, `level`, `pid`, `tid`, `thread` (what stands in the first brackets),
//! `context` (in further ones), `logger`, `file`, `line`, `message`. The level may stand before the time; the
//! time may stand in brackets; the name of the file, as `grep` and collectors put it, before all.
//!
//! Such a line has a level, brackets, or columns between bars. Without one it is
//! [`Timed`]: a time and a message, asked when no other decoder knows the text.

use bigsec_event::{Fields, codes};

use super::{DecodeError, Decoded, Decoder, json_tail};
use crate::time::length_of_any;

/// Reads one line of a program.
#[derive(Debug, Default)]
pub struct Application;

/// Reads a time and what follows it.
#[derive(Debug, Default)]
pub struct Timed;

const MALFORMED: DecodeError = DecodeError { code: codes::PARSE_MALFORMED, offset: 0 };
/// Parts that may stand before the message.
const MAX_PARTS: usize = 12;
/// Bytes that brackets or the name of a logger may have.
const MAX_PART: usize = 200;
const LEVELS: [&str; 33] = [
    "trace",
    "debug",
    "debug1",
    "debug2",
    "debug3",
    "debug4",
    "debug5",
    "verbose",
    "fine",
    "finer",
    "finest",
    "config",
    "info",
    "information",
    "informational",
    "notice",
    "note",
    "log",
    "warn",
    "warning",
    "err",
    "error",
    "severe",
    "crit",
    "critical",
    "alert",
    "emerg",
    "emergency",
    "fatal",
    "panic",
    "statement",
    "detail",
    "hint",
];
const LETTERS: &[u8] = b"TVDINWEFC";

impl Decoder for Application {
    fn claims(&self, text: &str) -> bool {
        read(text).is_some_and(|line| line.is_structured()) && !json_tail::is_one(text)
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        read(text).ok_or(MALFORMED)?.put(out);
        Ok(Decoded::Event)
    }
}

impl Decoder for Timed {
    fn claims(&self, text: &str) -> bool {
        read(text).is_some()
    }

    fn decode(&mut self, text: &str, out: &mut Fields) -> Result<Decoded, DecodeError> {
        Application.decode(text, out)
    }
}

/// The parts of a line; empty where it has none.
#[derive(Debug, Default)]
struct Line<'a> {
    file: &'a str,
    timestamp: &'a str,
    level: &'a str,
    numbers: [&'a str; 2],
    brackets: Brackets<'a>,
    logger: &'a str,
    row: &'a str,
    message: &'a str,
    /// Its parts stand between bars.
    is_barred: bool,
}

/// What stood in brackets.
#[derive(Debug, Default)]
struct Brackets<'a> {
    texts: [&'a str; MAX_PARTS],
    count: usize,
}

impl<'a> Brackets<'a> {
    fn push(&mut self, text: &'a str) {
        if let Some(free) = self.texts.get_mut(self.count) {
            *free = text;
            self.count += 1;
        }
    }

    fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn split_first(&self) -> (&'a str, &[&'a str]) {
        let (first, further) = self.texts[..self.count].split_first().unwrap_or((&"", &[]));
        (first, further)
    }
}

impl Line<'_> {
    fn is_structured(&self) -> bool {
        !self.level.is_empty() || !self.brackets.is_empty() || self.is_barred
    }

    fn put(&self, out: &mut Fields) {
        let [pid, tid] = self.numbers;
        let (thread, context) = self.brackets.split_first();
        for (name, value) in [
            ("timestamp", self.timestamp),
            ("level", self.level),
            ("pid", pid),
            ("tid", tid),
            ("thread", thread),
            ("logger", self.logger),
            ("file", self.file),
            ("line", self.row),
            ("message", self.message),
        ] {
            if !value.is_empty() {
                out.push_str(name, value);
            }
        }
        for value in context {
            out.push_str("context", value);
        }
    }
}

fn read(text: &str) -> Option<Line<'_>> {
    let text = text.trim_start_matches('\u{feff}');
    if let Some(line) = klog(text) {
        return Some(line);
    }
    let mut line = Line::default();
    let rest = before_time(text, &mut line);
    let (inside, opened) = match rest.strip_prefix(['[', '(']) {
        Some(inside) => (inside, true),
        None => (rest, false),
    };
    let length = length_of_any(inside)?;
    line.timestamp = &inside[..length];
    let mut rest = &inside[length..];
    if opened {
        rest = rest.trim_start_matches(' ').strip_prefix([']', ')'])?;
    }
    // Values between commas are a table's.
    if rest.starts_with(',') && rest.as_bytes().get(1) != Some(&b' ') {
        return None;
    }
    if rest.starts_with('|') {
        barred(rest, &mut line);
    } else {
        line.message = separated(rest);
        parts(rest, &mut line);
    }
    Some(line)
}

/// Reads what may stand before the time: the file's name, and the level.
fn before_time<'a>(text: &'a str, line: &mut Line<'a>) -> &'a str {
    let mut rest = text;
    if !rest.starts_with(|first: char| first.is_ascii_digit() || first == '[')
        && let Some(end) = rest.bytes().take(MAX_PART).position(|byte| byte == b' ')
        && rest[..end].contains(".log")
    {
        line.file = rest[..end].trim_end_matches(':');
        rest = &rest[end + 1..];
    }
    if let Some((level, behind)) = level_at(rest)
        && level.len() > 1
    {
        line.level = level;
        return behind.trim_start_matches([' ', ':', ',', '-', '\t']);
    }
    if let Some((inside, behind)) = bracket(rest)
        && is_level(inside)
    {
        line.level = inside;
        return behind.trim_start_matches([' ', ':', ',', '-', '\t']);
    }
    rest
}

/// `I0109 11:04:05.678901   28133 server.go:70] listening`: Go's and Kubernetes' klog.
fn klog(text: &str) -> Option<Line<'_>> {
    let (level, rest) = text.split_at_checked(1).filter(|(one, _)| "IWEF".contains(one))?;
    let (day, clock) = rest.split_at_checked(4)?;
    let (timestamp, rest) = clock
        .strip_prefix(' ')?
        .split_at_checked("11:04:05.678901".len())
        .map(|(_, behind)| (&rest[..rest.len() - behind.len()], behind))?;
    let is_clock = timestamp.as_bytes()[5..].iter().enumerate().all(|(at, byte)| match at {
        2 | 5 => *byte == b':',
        8 => *byte == b'.',
        _ => byte.is_ascii_digit(),
    });
    let (tid, rest) = rest.strip_prefix(' ')?.trim_start_matches(' ').split_once(' ')?;
    let (position, message) = rest.split_once(']')?;
    let (file, row) = position.rsplit_once(':')?;
    let fits = is_digits(day) && is_clock && is_digits(tid) && is_digits(row) && is_name(file);
    fits.then(|| Line {
        level,
        timestamp,
        numbers: ["", tid],
        logger: file,
        row,
        message: message.trim_start_matches(' '),
        ..Line::default()
    })
}

/// Columns between bars, of which the last is the message.
fn barred<'a>(rest: &'a str, line: &mut Line<'a>) {
    let mut rest = &rest[1..];
    for _ in 0..MAX_PARTS {
        let Some((column, behind)) = rest.split_once('|') else { break };
        let value = column.trim();
        if is_level(value) && line.level.is_empty() {
            line.level = value;
        } else if is_digits(value) && line.numbers[1].is_empty() {
            number(value, line);
        } else if line.logger.is_empty() && is_name(value) {
            line.logger = value;
        } else if !value.is_empty() && value.len() < MAX_PART && !value.contains(' ') {
            line.brackets.push(value);
        } else if !value.is_empty() {
            break;
        }
        line.is_barred = true;
        rest = behind;
    }
    line.message = rest.trim_start();
}

/// Reads the parts before the message; leaves what is none as the message.
fn parts<'a>(text: &'a str, line: &mut Line<'a>) {
    let mut rest = text;
    let (mut numbers, before_numbers) = ([""; 2], separated(rest));
    for _ in 0..MAX_PARTS {
        rest = separated(rest);
        if line.level.is_empty()
            && let Some((level, behind)) = level_at(rest)
        {
            line.level = level;
            if is_in_sentence(level, behind) {
                line.message = rest;
                break;
            }
            rest = behind;
        } else if let Some((inside, behind)) = bracket(rest) {
            put_bracket(inside, line);
            rest = behind;
        } else if line.level.is_empty()
            && numbers[1].is_empty()
            && let Some((digits, behind)) = digits_at(rest)
        {
            numbers[usize::from(!numbers[0].is_empty())] = digits;
            rest = behind;
        } else if line.level.is_empty()
            && line.logger.is_empty()
            && let Some((name, behind)) = before_level(rest)
        {
            line.logger = name;
            rest = behind;
        } else {
            break;
        }
        line.message = separated(rest);
    }
    if line.level.is_empty() && line.brackets.is_empty() {
        // Numbers before no level are the message's own.
        line.message = before_numbers;
        return;
    }
    for digits in numbers.iter().filter(|digits| !digits.is_empty()) {
        number(digits, line);
    }
    if !line.level.is_empty() && line.message.len() == separated(rest).len() {
        logger(separated(rest), line);
    }
}

/// True for a level in lower case that may be a word of the sentence: it stays in the message too.
fn is_in_sentence(level: &str, behind: &str) -> bool {
    let Some(rest) = behind.strip_prefix(' ') else { return false };
    let next = rest.split(' ').next().unwrap_or_default();
    let is_head = next.is_empty() || next.ends_with(':') || next.contains('[');
    level.starts_with(|first: char| first.is_ascii_lowercase()) && !is_head
}

fn number<'a>(digits: &'a str, line: &mut Line<'a>) {
    if let Some(free) = line.numbers.iter_mut().find(|free| free.is_empty()) {
        *free = digits;
    }
}

/// `[main]`, `[ERROR]`, `[1234]`, `[worker-3:Pool@774]`.
fn put_bracket<'a>(inside: &'a str, line: &mut Line<'a>) {
    let inside = inside.trim();
    if line.level.is_empty() && is_level(inside) {
        line.level = inside;
    } else if is_digits(inside) && line.numbers[1].is_empty() {
        number(inside, line);
    } else if let Some((behind, digits)) = inside.rsplit_once('@')
        && is_digits(digits)
        && let Some((thread, class)) = behind.rsplit_once(':')
    {
        line.brackets.push(thread);
        line.row = digits;
        if line.logger.is_empty() {
            line.logger = class;
        }
    } else if !inside.is_empty() {
        line.brackets.push(inside);
    }
}

/// Takes the name of the logger from the beginning of the message.
fn logger<'a>(text: &'a str, line: &mut Line<'a>) {
    let end = text.find([' ', '\t']).unwrap_or(text.len());
    let (word, behind) = text.split_at(end);
    let aligned = behind.trim_start_matches([' ', '\t']);
    let (name, rest) = if let Some(name) = word.strip_suffix(':') {
        (name, aligned)
    } else if let Some((name, pid)) = with_pid(word) {
        number(pid, line);
        (name, aligned)
    } else if let Some(rest) = aligned.strip_prefix(": ") {
        (word, rest)
    } else if behind.len() > aligned.len() + 1 || behind.starts_with('\t') {
        (word, aligned)
    } else if word.contains('.') && aligned.starts_with("- ") {
        (word, &aligned[2..])
    } else if word.contains('.') && aligned.starts_with('[') {
        (word, aligned)
    } else {
        return;
    };
    if !line.logger.is_empty() || !is_name(name) {
        return;
    }
    line.logger = name;
    line.message = rest;
    if !word.ends_with(':')
        && let Some((inside, behind)) = bracket(rest)
    {
        put_bracket(inside, line);
        line.message = separated(behind);
    }
}

/// `vpxd[45715]`.
fn with_pid(word: &str) -> Option<(&str, &str)> {
    let (name, pid) = word.strip_suffix(']')?.split_once('[')?;
    is_digits(pid).then_some((name, pid))
}

/// A word between the time and the level: the program, the logger, or `user@database`.
fn before_level(text: &str) -> Option<(&str, &str)> {
    let (word, behind) = text.split_once(' ')?;
    let (level, _) = level_at(behind.trim_start_matches(' '))?;
    let fits = is_name(word) && level.starts_with(|first: char| first.is_ascii_uppercase());
    (fits && level.len() > 1).then_some((word, behind))
}

/// The level with which a text begins: a word of the list, or a capital letter for one.
fn level_at(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().take(16).position(|byte| !byte.is_ascii_alphanumeric());
    let (word, behind) = text.split_at(end.unwrap_or(text.len().min(16)));
    let goes_on = |next: char| !matches!(next, ' ' | '\t' | ':' | ',' | '|' | ']' | '-' | '/');
    (is_level(word) && !behind.starts_with(goes_on)).then_some((word, behind))
}

/// True for a level's name or letter.
pub(super) fn is_level(word: &str) -> bool {
    match word.as_bytes() {
        [letter] => LETTERS.contains(letter),
        _ => word.len() < 16 && LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word)),
    }
}

/// Digits before a blank.
fn digits_at(text: &str) -> Option<(&str, &str)> {
    let (digits, behind) = text.split_at(text.find([' ', '\t'])?);
    (is_digits(digits) && digits.len() < 11).then_some((digits, behind))
}

/// What stands in the brackets with which a text begins, and what follows them.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('[')?;
    let mut depth = 1;
    for (at, byte) in inside.bytes().take(MAX_PART).enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&inside[..at], &inside[at + 1..]));
        }
    }
    None
}

/// The text behind separators.
fn separated(text: &str) -> &str {
    let trimmed = text.trim_start_matches([' ', '\t', ':', ',']);
    match trimmed.strip_prefix("- ").or_else(|| trimmed.strip_prefix("-- ")) {
        Some(rest) => rest.trim_start_matches([' ', '\t', ':']),
        None => trimmed,
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a program, a class or a file may be called.
fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._-$/#@*()<>+~".contains(&byte);
    (1..MAX_PART).contains(&text.len())
        && text.bytes().all(is_part)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

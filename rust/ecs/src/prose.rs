//! What stands in a sentence: addresses, ports, names, mail addresses, URLs, hashes, paths,
//! accounts, `key=value`, and what is quoted or in brackets.
//!
//! For messages that no pack takes apart. The time is linear in the text.

use crate::shape::{self, Shape};

/// Bytes of a text that are looked at.
const MAX_TEXT: usize = 16 * 1024;
/// Bytes of a quoted text or a value that are told.
const MAX_VALUE: usize = 256;
/// Findings of one text.
const MAX_FINDINGS: usize = 256;

/// What was found, and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding<'a> {
    /// A value with a shape, as a whole.
    Value(Shape, &'a str),
    /// `key=value` or `key: value`.
    Pair(&'a str, &'a str),
    /// Between quotes or brackets.
    Marked(&'a str),
    /// What follows a word such as `user`.
    User(&'a str),
}

/// Words after which the name of an account stands.
const BEFORE_USER: [&str; 8] =
    ["user", "username", "account", "login", "acct", "用户", "账号", "帐号"];
/// What stands there too and is no account.
const NO_USER: [&str; 16] = [
    "unknown",
    "not",
    "is",
    "was",
    "has",
    "from",
    "name",
    "with",
    "by",
    "the",
    "and",
    "failed",
    "logged",
    "agent",
    "authentication",
    "for",
];

/// Everything found in the text, in its order.
pub(crate) fn find(text: &str) -> Vec<Finding<'_>> {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let mut found = Vec::new();
    words(text, &mut found);
    marked(text, &mut found);
    found.truncate(MAX_FINDINGS);
    found
}

/// Looks at each run of what is neither a blank nor a separator.
fn words<'a>(text: &'a str, found: &mut Vec<Finding<'a>>) {
    let mut before = "";
    for run in text.split([' ', '\t', '\n', '\r', ',', ';', '"', '<', '>', '|']) {
        if run.is_empty() || found.len() >= MAX_FINDINGS {
            continue;
        }
        let key = before.trim_end_matches([':', '=']);
        let word = bare(run);
        pair(before, run, found);
        value(word, found);
        let follows = BEFORE_USER.iter().any(|name| name.eq_ignore_ascii_case(key));
        let is_name = !NO_USER.iter().any(|name| name.eq_ignore_ascii_case(word))
            && word.len() < 105
            && !word.contains(['=', '(', ')', '/']);
        if follows && is_name && !word.is_empty() {
            found.push(Finding::User(word));
        }
        before = run;
    }
}

/// The word without what only stands around it.
fn bare(run: &str) -> &str {
    run.trim_matches(['\'', '(', ')', '{', '}', '`']).trim_end_matches(['.', ':', '!', '?'])
}

/// A word with a shape: all of it, or what stands in its brackets, before or behind a `=`.
fn value<'a>(word: &'a str, found: &mut Vec<Finding<'a>>) {
    if let Some(shape) = shape::of(word) {
        found.push(Finding::Value(shape, word));
        return;
    }
    let inner =
        |byte: char| matches!(byte, '=' | '[' | ']' | '(' | ')' | '\'' | '/' | '#' | '@' | ':');
    if word.len() > MAX_VALUE || !word.contains(inner) {
        return;
    }
    for part in word.split(['=', '[', ']', '(', ')', '\'']).flat_map(sides) {
        if part.len() < word.len()
            && let Some(shape) = shape::of(part)
        {
            found.push(Finding::Value(shape, part));
        }
    }
}

/// `inside:192.0.2.7/443`, `192.0.2.7#53`: the address without what a device puts around it.
fn sides(part: &str) -> impl Iterator<Item = &str> {
    let whole = shape::of(part).is_some();
    let inner: &[char] = if whole { &[] } else { &['/', '#', ':'] };
    part.split(inner)
}

/// `key=value` in one word; `key:` and the word behind it.
fn pair<'a>(before: &'a str, run: &'a str, found: &mut Vec<Finding<'a>>) {
    let is_key = |key: &str| {
        (1..64).contains(&key.len())
            && key.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && key.chars().all(|one| one.is_alphanumeric() || "_-.".contains(one))
    };
    let run = run.trim_matches(['(', ')', '[', ']', '{', '}']);
    if let Some((key, value)) = run.split_once(['=', ':'])
        && is_key(key)
    {
        let value = value.trim_matches(['\'', '(', ')', '[', ']']);
        if !value.is_empty() && value.len() < MAX_VALUE && !value.starts_with("//") {
            found.push(Finding::Pair(key, value));
        }
        return;
    }
    let key = before.trim_matches(['(', ')', '[', ']']).strip_suffix([':', '=']);
    if let Some(key) = key.filter(|key| is_key(key)) {
        let value = bare(run);
        if !value.is_empty() && value.len() < MAX_VALUE {
            found.push(Finding::Pair(key, value));
        }
    }
}

/// What stands between quotes or in brackets on one line.
fn marked<'a>(text: &'a str, found: &mut Vec<Finding<'a>>) {
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'', '[', '(']) {
        if found.len() >= MAX_FINDINGS {
            return;
        }
        let bytes = rest.as_bytes();
        let close = match bytes[at] {
            b'[' => b']',
            b'(' => b')',
            quote => quote,
        };
        // An apostrophe within a word opens nothing.
        let opens = bytes[at] != b'\'' || at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let inside = &rest[at + 1..];
        let end = inside.bytes().take(MAX_VALUE).position(|byte| byte == close || byte == b'\n');
        match end.filter(|end| opens && inside.as_bytes()[*end] == close) {
            Some(end) => {
                let value = inside[..end].trim();
                if !value.is_empty() {
                    found.push(Finding::Marked(value));
                }
                // Brackets may hold more of them.
                rest = if matches!(close, b']' | b')') { inside } else { &inside[end + 1..] };
            }
            None => rest = inside,
        }
    }
}

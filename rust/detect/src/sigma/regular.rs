//! Regular expressions of rules, which are written for Python or PCRE, in the syntax of `regex`.
//!
//! The engine runs in linear time; look-around and back-references have no such form and are
//! refused. Three spellings differ in meaning and are rewritten: `[` and doubled operators inside
//! a class are literals, `{` that begins no repetition is a literal, and `$` also matches before
//! a final line break.

use std::fmt::Write as _;

use regex::{Regex, RegexBuilder};

/// Compiled size of one expression: `\w{1,64}` over all of Unicode takes about 4 MiB.
const MAX_COMPILED: usize = 10 << 20;
/// Nesting of one expression.
const MAX_NESTING: u32 = 64;

/// The flags that Sigma's modifiers set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    pub ignore_case: bool,
    pub multi_line: bool,
    pub dot_all: bool,
}

/// Compiles a rule's expression; the error is what is wrong and the mend, for the rule's author.
pub(crate) fn compile(pattern: &str, flags: Flags) -> Result<Regex, (String, &'static str)> {
    let translated = translate(pattern, flags).ok_or_else(|| {
        let reason = "possessive repetition is not supported";
        (format!("the expression {pattern:?} cannot be used: {reason}"), "remove the second `+`")
    })?;
    RegexBuilder::new(&translated)
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .size_limit(MAX_COMPILED)
        .nest_limit(MAX_NESTING)
        .build()
        .map_err(|error| explain(pattern, &error))
}

fn explain(pattern: &str, error: &regex::Error) -> (String, &'static str) {
    if let regex::Error::CompiledTooBig(_) = error {
        let message = format!("the expression {pattern:?} is too large when compiled");
        return (message, "make its repetitions smaller");
    }
    // The library draws the pattern and a pointer above the sentence that says what is wrong.
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    let reason = last.trim_start_matches("error: ");
    let mend = if reason.ends_with("not supported") {
        "write it without, or as wildcards and further selections"
    } else {
        "mend the expression, or write the value with wildcards"
    };
    (format!("the expression {pattern:?} cannot be used: {reason}"), mend)
}

/// The pattern in the engine's syntax; nothing where it has a possessive repetition (`a++`),
/// which the engine would take for a repeated repetition.
fn translate(pattern: &str, flags: Flags) -> Option<String> {
    let multi_line = flags.multi_line || sets_multi_line(pattern);
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    let (mut in_repetition, mut after_repetition) = (false, false);
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c == '+' && after_repetition {
            return None;
        }
        let closes = c == '}' && std::mem::take(&mut in_repetition);
        after_repetition = closes || matches!(c, '+' | '*' | '?') && !out.ends_with(['(', '|']);
        match c {
            '\\' => rest = escape(rest, &mut out),
            '[' => rest = class(rest, &mut out),
            '{' if !begins_repetition(rest) => out.push_str("\\{"),
            '{' => {
                in_repetition = true;
                out.push(c);
            }
            '$' if !multi_line => out.push_str("(?:\\n?\\z)"),
            _ => out.push(c),
        }
    }
    Some(out)
}

/// True where an inline group such as `(?im)` sets the flag.
fn sets_multi_line(pattern: &str) -> bool {
    pattern.split("(?").skip(1).any(|group| {
        let flags = group.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        flags.contains('m')
    })
}

/// Copies what follows a backslash; what only Python knows is rewritten.
fn escape<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let Some(c) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    match c {
        'Z' => out.push_str("\\z"),
        // The engine refuses these two escapes because other engines give them a meaning.
        '<' | '>' => out.push(c),
        _ if c.is_ascii_alphanumeric() || c.is_ascii_punctuation() => {
            out.push('\\');
            out.push(c);
        }
        _ => {
            let _ = write!(out, "\\x{{{:x}}}", u32::from(c));
        }
    }
    &rest[c.len_utf8()..]
}

/// Copies a class up to its `]`, with everything literal in it that Python takes literally.
fn class<'a>(mut rest: &'a str, out: &mut String) -> &'a str {
    out.push('[');
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    if let Some(after) = rest.strip_prefix(']') {
        out.push_str("\\]");
        rest = after;
    }
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            ']' => {
                out.push(']');
                break;
            }
            '\\' => rest = escape(rest, out),
            '[' | '&' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '-' if rest.starts_with('-') => out.push_str("\\-"),
            _ => out.push(c),
        }
    }
    rest
}

fn begins_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else { return false };
    let (low, high) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !low.is_empty() && digits(low) && digits(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(pattern: &str, text: &str) -> bool {
        compile(pattern, Flags::default()).unwrap().is_match(text)
    }

    #[test]
    fn python_spellings_keep_their_meaning() {
        for (pattern, text, expected) in [
            (r"a\.txt$", "a.txt", true),
            (r"a\.txt$", "a.txt\n", true),
            (r"a\.txt$", "a.txt\nb", false),
            (r"[[]x[&&]", "[x&", true),
            (r"[]a]+", "]a", true),
            (r"[^]]", "]", false),
            (r"\$\{?x", "${x", true),
            (r"a{b", "a{b", true),
            (r"a}+", "a}}", true),
            (r"(?:a{2})+?b", "aaaab", true),
            (r"a{2}", "aa", true),
            (r"a{,2}", "a{,2}", true),
            (r"x\Z", "x", true),
            (r"\<b\>", "<b>", true),
            (r"(?i)ABC", "xabcx", true),
            (r"\d{1,3}", "12", true),
            (r"[a\-z]", "-", true),
            (r"é\é", "éé", true),
        ] {
            assert_eq!(is_match(pattern, text), expected, "{pattern} on {text:?}");
        }
    }

    #[test]
    fn flags_are_those_of_the_modifiers() {
        let with = |flags, pattern, text| compile(pattern, flags).unwrap().is_match(text);
        let none = Flags::default();
        assert!(with(Flags { ignore_case: true, ..none }, "AB", "ab"));
        assert!(with(Flags { multi_line: true, ..none }, "a$", "a\nb"));
        assert!(with(Flags { dot_all: true, ..none }, "a.b", "a\nb"));
        assert!(!with(none, "a.b", "a\nb"));
    }

    #[test]
    fn what_has_no_linear_form_is_refused_with_a_reason() {
        for pattern in ["(?=a)", "(?<!a)b", r"(a)\1", "(", "a++b", "a{2}+", "x{4000}{4000}", "\\"] {
            let (reason, _) = compile(pattern, Flags::default()).unwrap_err();
            assert!(reason.starts_with("the expression"), "{reason}");
            assert!(!reason.contains('\n'), "{reason}");
        }
    }
}

//! Fitting a pattern to a text in one pass.

use std::net::IpAddr;
use std::ops::Range;

use bigsec_event::Kind;
use memchr::memmem::{Finder, FinderRev};

use super::syntax::{self, CaptureType, Element};
use super::{Capture, PatternError};

/// One pattern, ready to be fitted.
#[derive(Debug)]
pub struct Pattern {
    text: String,
    names: Vec<String>,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Literal(Box<str>),
    Capture { name: usize, end: End },
    Optional(Vec<Step>),
}

/// Where a value ends.
#[derive(Debug)]
enum End {
    /// Before the first of these texts, or at the end of the text where `or_end`.
    First { stops: Vec<Finder<'static>>, or_end: bool },
    /// Before the last of these texts behind which the rest fits.
    Last { stops: Vec<FinderRev<'static>>, or_end: bool },
    /// Where its type says.
    Typed(CaptureType),
}

/// What can follow the part at hand.
#[derive(Clone, Default)]
struct Follow {
    texts: Vec<String>,
    end: bool,
}

impl Pattern {
    /// Reads a pattern.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let elements = syntax::read(text)?;
        let mut names = Vec::new();
        let steps = compile(&elements, &Follow { texts: Vec::new(), end: true }, &mut names);
        Ok(Self { text: text.to_owned(), names, steps })
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of its values, in the order of first mention.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The byte that every text it fits begins with, if there is one.
    pub(super) fn first_byte(&self) -> Option<u8> {
        match self.steps.first() {
            Some(Step::Literal(literal)) => literal.bytes().next(),
            _ => None,
        }
    }

    /// True where the pattern fits the whole text, whose values are then in `captures`.
    pub fn fits(&self, text: &str, captures: &mut Vec<Capture>) -> bool {
        captures.clear();
        let end = text.trim_end().len();
        let text = &text[..end];
        let start = end - text.trim_start().len();
        run(&self.steps, text, start, true, captures) == Some(end)
    }
}

/// Compiles a sequence behind which `follow` can stand.
fn compile(elements: &[Element], follow: &Follow, names: &mut Vec<String>) -> Vec<Step> {
    let step = |(at, element): (usize, &Element)| match element {
        Element::Literal(literal) => Step::Literal(literal.as_str().into()),
        Element::Optional(inside) => {
            Step::Optional(compile(inside, &follow_of(&elements[at + 1..], follow), names))
        }
        Element::Capture { name, capture_type } => {
            let known = names.iter().position(|known| known == name);
            let index = known.unwrap_or_else(|| {
                names.push(name.clone());
                names.len() - 1
            });
            let follow = follow_of(&elements[at + 1..], follow);
            Step::Capture { name: index, end: End::new(*capture_type, &follow) }
        }
    };
    elements.iter().enumerate().map(step).collect()
}

/// What can stand first in the text of `rest`, behind which `follow` can stand.
fn follow_of(rest: &[Element], follow: &Follow) -> Follow {
    let mut texts = Vec::new();
    for element in rest {
        match element {
            Element::Literal(literal) => {
                texts.push(literal.clone());
                return Follow { texts, end: false };
            }
            Element::Optional(inside) => {
                if let Some(Element::Literal(literal)) = inside.first() {
                    texts.push(literal.clone());
                }
            }
            // Only behind a value that knows its own end; nothing to look for.
            Element::Capture { .. } => return Follow { texts, end: false },
        }
    }
    texts.extend(follow.texts.iter().cloned());
    Follow { texts, end: follow.end }
}

impl End {
    fn new(capture_type: CaptureType, follow: &Follow) -> Self {
        let texts = follow.texts.iter().map(String::as_bytes);
        match capture_type {
            CaptureType::Lazy => Self::First {
                stops: texts.map(|text| Finder::new(text).into_owned()).collect(),
                or_end: follow.end,
            },
            CaptureType::ToLast => Self::Last {
                stops: texts.map(|text| FinderRev::new(text).into_owned()).collect(),
                or_end: follow.end,
            },
            typed => Self::Typed(typed),
        }
    }

    /// The length of the value at the start of `text`; of those that may be tried again, the one
    /// that is shorter than `below`.
    fn find(&self, text: &str, below: usize) -> Option<usize> {
        let bytes = text.as_bytes();
        match self {
            Self::First { stops, or_end } => {
                let stop = stops.iter().filter_map(|stop| stop.find(bytes)).min();
                stop.or(or_end.then_some(text.len()))
            }
            Self::Last { stops, .. } => {
                let before = |stop: &FinderRev<'static>| {
                    let end = below.saturating_add(stop.needle().len()).saturating_sub(1);
                    stop.rfind(&bytes[..end.min(bytes.len())])
                };
                stops.iter().filter_map(before).max()
            }
            Self::Typed(capture_type) => typed_length(*capture_type, text),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Typed(CaptureType::Int) => Kind::Number,
            _ => Kind::String,
        }
    }
}

/// Places that a value which reaches to the last one is tried at.
const MAX_TRIES: usize = 8;

/// Where the steps end in the text, if they fit from `at`; where `whole`, only its end counts.
fn run(
    steps: &[Step],
    text: &str,
    mut at: usize,
    whole: bool,
    captures: &mut Vec<Capture>,
) -> Option<usize> {
    for (index, step) in steps.iter().enumerate() {
        match step {
            Step::Literal(literal) => {
                text[at..].starts_with(&**literal).then_some(())?;
                at += literal.len();
            }
            Step::Capture { name, end: end @ End::Last { or_end, .. } } => {
                let rest = &steps[index + 1..];
                let mut below = usize::MAX;
                let before = captures.len();
                for _ in 0..MAX_TRIES {
                    let Some(length) = end.find(&text[at..], below) else { break };
                    below = length;
                    push(*name, at..at + length, Kind::String, captures);
                    if let Some(end) = run(rest, text, at + length, whole, captures) {
                        return Some(end);
                    }
                    captures.truncate(before);
                }
                or_end.then_some(())?;
                push(*name, at..text.len(), Kind::String, captures);
                return Some(text.len());
            }
            Step::Capture { name, end } => {
                let range = at..at + end.find(&text[at..], usize::MAX)?;
                at = range.end;
                push(*name, range, end.kind(), captures);
            }
            Step::Optional(inside) => {
                let before = captures.len();
                match run(inside, text, at, false, captures) {
                    Some(end) => at = end,
                    None => captures.truncate(before),
                }
            }
        }
    }
    (!whole || at == text.len()).then_some(at)
}

/// A value that turns out empty adds nothing.
fn push(name: usize, range: Range<usize>, kind: Kind, captures: &mut Vec<Capture>) {
    if !range.is_empty() {
        captures.push(Capture { name, range, kind });
    }
}

fn typed_length(capture_type: CaptureType, text: &str) -> Option<usize> {
    let length = match capture_type {
        CaptureType::Int => {
            let sign = usize::from(text.starts_with(['-', '+']));
            let digits = run_length(&text[sign..], |byte| byte.is_ascii_digit());
            if digits == 0 { 0 } else { sign + digits }
        }
        CaptureType::Name => {
            run_length(text, |byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte))
        }
        CaptureType::Ip => return ip_length(text),
        CaptureType::Host => host_length(text),
        _ => text.find(char::is_whitespace).unwrap_or(text.len()),
    };
    (length > 0).then_some(length)
}

fn run_length(text: &str, belongs: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !belongs(byte)).unwrap_or(text.len())
}

/// Punctuation that ends the sentence and not the name is left out.
fn host_length(text: &str) -> usize {
    let run = run_length(text, |byte| byte.is_ascii_alphanumeric() || b"._-:%".contains(&byte));
    text[..run].trim_end_matches(['.', ':', '-']).len()
}

fn ip_length(text: &str) -> Option<usize> {
    // No address is longer than an IPv6 one with an IPv4 tail: 45 characters.
    let run = run_length(text, |byte| byte.is_ascii_hexdigit() || b".:".contains(&byte)).min(46);
    let address = &text[..run];
    [address, address.trim_end_matches(['.', ':'])]
        .into_iter()
        .find(|address| address.parse::<IpAddr>().is_ok())
        .map(str::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs = Vec<(String, String)>;

    fn fit(pattern: &str, text: &str) -> Option<Pairs> {
        let pattern = Pattern::new(pattern).unwrap();
        let mut captures = Vec::new();
        pattern.fits(text, &mut captures).then(|| {
            let pair = |capture: &Capture| {
                (pattern.names()[capture.name].clone(), text[capture.range.clone()].to_owned())
            };
            captures.iter().map(pair).collect()
        })
    }

    fn pairs(expected: &[(&str, &str)]) -> Pairs {
        expected.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    const FAILED: &str = "Failed password for [invalid user ]{user:to_last} from {ip:ip} port {port:int}[ {protocol:word}]";

    #[test]
    fn optional_parts_may_be_there_or_not() {
        assert_eq!(
            fit(FAILED, "Failed password for invalid user oracle from 192.0.2.7 port 40022 ssh2"),
            Some(pairs(&[
                ("user", "oracle"),
                ("ip", "192.0.2.7"),
                ("port", "40022"),
                ("protocol", "ssh2")
            ]))
        );
        assert_eq!(
            fit(FAILED, "Failed password for root from 2001:db8::1 port 1"),
            Some(pairs(&[("user", "root"), ("ip", "2001:db8::1"), ("port", "1")]))
        );
    }

    #[test]
    fn a_user_name_cannot_forge_the_address() {
        let text = "Failed password for invalid user a from 10.0.0.1 port 22 ssh2 from 192.0.2.7 port 9 ssh2";
        assert_eq!(
            fit(FAILED, text),
            Some(pairs(&[
                ("user", "a from 10.0.0.1 port 22 ssh2"),
                ("ip", "192.0.2.7"),
                ("port", "9"),
                ("protocol", "ssh2")
            ]))
        );
    }

    #[test]
    fn what_is_behind_the_last_place_must_fit_too() {
        let pattern = "closed by user {user:to_last} {ip:ip} port {port:int}[ \\[preauth\\]]";
        assert_eq!(
            fit(pattern, "closed by user a 127.0.0.1 port 1 192.0.2.7 port 9 [preauth]"),
            Some(pairs(&[("user", "a 127.0.0.1 port 1"), ("ip", "192.0.2.7"), ("port", "9")]))
        );
        assert_eq!(
            fit("{a:to_last} from {b:int}", "x from from 1"),
            Some(pairs(&[("a", "x from"), ("b", "1")]))
        );
        assert_eq!(fit("{a:to_last}[ x{b:int}]", "1 x2 x3y"), Some(pairs(&[("a", "1 x2 x3y")])));
        assert!(Pattern::new("{a:to_last} {b:to_last} {c:to_last}").is_err());
    }

    #[test]
    fn a_value_ends_at_the_first_thing_that_can_follow() {
        let pattern = "{by} : TTY={tty}[ ; GROUP={group}][ ; ENV={env}] ; COMMAND={command}";
        assert_eq!(
            fit(pattern, " ann : TTY=pts/0 ; ENV=A=1 ; COMMAND=/bin/sh ; COMMAND=x "),
            Some(pairs(&[
                ("by", "ann"),
                ("tty", "pts/0"),
                ("env", "A=1"),
                ("command", "/bin/sh ; COMMAND=x")
            ]))
        );
        assert_eq!(fit(pattern, "ann : TTY=pts/0 ; GROUP=x"), None);
    }

    #[test]
    fn empty_values_add_nothing_and_ends_are_whole() {
        assert_eq!(fit("logname={a} uid={b:int}", "logname= uid=0"), Some(pairs(&[("b", "0")])));
        assert_eq!(fit("logname={a} uid={b:int}", "logname= uid=0x"), None);
        assert_eq!(
            fit("from {ip:ip}: 11", "from 192.0.2.7: 11"),
            Some(pairs(&[("ip", "192.0.2.7")]))
        );
        assert_eq!(fit("from {ip:ip}", "from 192.0.2.777"), None);
        assert_eq!(fit(r"x[ \[preauth\]]", "x [preauth]"), Some(pairs(&[])));
    }

    #[test]
    fn bad_patterns_are_refused_with_their_place() {
        for (pattern, column) in [
            ("a{b", 3),
            ("{a}{b}", 7),
            ("[{a}]", 5),
            ("a]", 2),
            ("{a:nope}", 2),
            ("", 1),
            ("a\\n", 3),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap_err().column, column, "{pattern}");
        }
    }
}

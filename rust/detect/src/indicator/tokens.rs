//! Cuts a text into what can be looked up.
//!
//! Every name of a host, address, URL and mail address has a dot (or, in IPv6, colons) in it, and
//! every hash is a long run of hexadecimal digits: the text is searched for those, and read to both
//! sides from there. What stands between is not read.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use memchr::memmem::Finder;

use super::class::{ADDRESS, DIGIT, LETTER, MAILBOX, MARK, NAME, RUN, STOP, URL, WORD, is};
use super::clean::Clean;
use super::kind::{address, ip_port, is_ja4, is_word_with_dot};
use super::url::{self, URL_MAX};
use super::{IndicatorKind, IndicatorSet, international};

/// Longest name of a host or file that is looked up.
const NAME_MAX: usize = 255;
/// Labels of a name that are looked up, from its end.
const LABELS_MAX: usize = 16;
/// Groups of an IPv6 address.
const GROUPS: usize = 8;
/// The shortest address with all of them, one digit each; every hash is longer.
const RUN_MIN: usize = 2 * GROUPS - 1;

/// Takes what is found: the indicator, and the part of the text.
pub(super) type Found<'f> = &'f mut dyn FnMut(u32, &str);

/// What one thread needs to look things up, and keeps from one text to the next.
#[derive(Debug)]
pub(super) struct Workspace {
    buffer: String,
    pub clean: Clean,
    /// In a box: what it holds must lie at 32 bytes, and whoever holds us need not know.
    colons: Box<Finder<'static>>,
}

impl Default for Workspace {
    fn default() -> Self {
        Self { buffer: String::new(), clean: Clean::default(), colons: Box::new(Finder::new("::")) }
    }
}

/// Looks up everything in a text; gives the address that it is, where that counts only with a port
/// which does not stand there.
pub(super) fn scan(
    set: &IndicatorSet,
    text: &str,
    workspace: &mut Workspace,
    found: Found<'_>,
) -> Option<IpAddr> {
    let Workspace { buffer, clean, colons } = workspace;
    let bytes = text.as_bytes();
    let mut scan = Scan { set, text, bytes, buffer, clean, colons, found, open: None };
    scan.dots();
    if set.has_v6() {
        scan.shortened();
    }
    if set.has_v6() || set.has(IndicatorKind::Hash) || set.has(IndicatorKind::Ja3) {
        scan.runs();
    }
    scan.whole();
    if set.has(IndicatorKind::UrlPath) {
        scan.targets();
    }
    scan.open
}

struct Scan<'s, 'f> {
    set: &'s IndicatorSet,
    text: &'s str,
    bytes: &'s [u8],
    buffer: &'s mut String,
    clean: &'s mut Clean,
    colons: &'s Finder<'static>,
    found: Found<'f>,
    open: Option<IpAddr>,
}

impl Scan<'_, '_> {
    /// Names of hosts, files and mailboxes, IPv4 addresses, and URLs on them.
    fn dots(&mut self) {
        let mut from = 0;
        while let Some(at) = memchr::memchr(b'.', &self.bytes[from..]).map(|at| from + at) {
            let begin = at - run(self.bytes[from..at].iter().rev(), NAME);
            let end = at + run(self.bytes[at..].iter(), NAME);
            from = end;
            let begin = begin + run(self.bytes[begin..end].iter(), MARK);
            let end = end - run(self.bytes[begin..end].iter().rev(), MARK);
            if end - begin <= NAME_MAX && memchr::memchr(b'.', &self.bytes[begin..end]).is_some() {
                self.host(begin, end);
            }
        }
    }

    /// What has a dot in the middle: first what it is by itself, then with what stands beside it.
    fn host(&mut self, begin: usize, end: usize) {
        let Some(token) = self.text.get(begin..end) else { return };
        let key = self.clean.key(token);
        if !self.clean.has(key) {
            let is_number = token.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            let is_something = if is_number {
                let address = token.parse::<Ipv4Addr>().ok();
                address.is_some_and(|address| self.address(address.into(), begin..end))
            } else {
                self.name(begin..end)
            };
            if !is_something {
                self.clean.add(key);
            }
        }
        if begin > 0 && self.bytes[begin - 1] == b'@' {
            self.mailbox(begin, end);
        }
        self.resource(begin, end);
    }

    /// Whether the name of a host or file is an indicator.
    fn name(&mut self, part: Range<usize>) -> bool {
        lower(&self.text[part.clone()], self.buffer);
        let is_file = self.set.may_be(IndicatorKind::FileName, self.buffer.as_bytes())
            && self.look_up(IndicatorKind::FileName, part.clone());
        if self.set.has_international() && !self.buffer.is_ascii() {
            *self.buffer = international::host(self.buffer).into_owned();
        }
        let name = self.buffer.as_bytes();
        if !self.set.may_be(IndicatorKind::Domain, name) {
            return is_file;
        }
        let labels = memchr::memrchr_iter(b'.', name).skip(1);
        let starts = labels.map(|dot| dot + 1).take(LABELS_MAX).chain([0]);
        // The longest name says most.
        let found =
            starts.filter_map(|at| self.set.find(IndicatorKind::Domain, &name[at..])).last();
        if let Some(place) = found {
            (self.found)(place, &self.text[part]);
        }
        is_file || found.is_some()
    }

    /// Whether an address is an indicator, or could be one with a port.
    fn address(&mut self, address: IpAddr, part: Range<usize>) -> bool {
        let set = self.set;
        if !set.has_addresses() {
            return false;
        }
        spell(&address, self.buffer);
        let mut is_something = self.look_up(IndicatorKind::Ip, part.clone());
        for place in set.networks_of(address) {
            is_something = true;
            (self.found)(place, &self.text[part.clone()]);
        }
        if !set.is_with_port(address) {
            return is_something;
        }
        if part == (0..self.bytes.len()) {
            self.open = Some(address);
        }
        let bracket = usize::from(address.is_ipv6() && self.bytes.get(part.end) == Some(&b']'));
        if let Some((port, end)) = self.port(part.end + bracket) {
            spell(&ip_port(address, port), self.buffer);
            self.look_up(IndicatorKind::IpPort, part.start..end);
        }
        true
    }

    /// The port behind a host that ends there.
    fn port(&self, end: usize) -> Option<(u16, usize)> {
        if self.bytes.get(end) != Some(&b':') {
            return None;
        }
        let digits = run(self.bytes[end + 1..].iter(), DIGIT);
        let port_end = end + 1 + digits;
        Some((self.text.get(end + 1..port_end)?.parse().ok()?, port_end))
    }

    fn mailbox(&mut self, begin: usize, end: usize) {
        let local = run(self.bytes[..begin - 1].iter().rev(), MAILBOX);
        let part = begin - 1 - local..end;
        if let Some(token) = self.text.get(part.clone()) {
            lower(&token[..=local], self.buffer);
            self.buffer.push_str(&international::host(&token[local + 1..]));
            self.look_up(IndicatorKind::Email, part);
        }
    }

    /// The URL on a host.
    fn resource(&mut self, begin: usize, end: usize) {
        let set = self.set;
        let (urls, paths) = (set.has(IndicatorKind::Url), set.has(IndicatorKind::UrlPath));
        let after = self.port(end).map_or(end, |(_, port_end)| port_end);
        let has_more = matches!(self.bytes.get(after), Some(b'/' | b'?'));
        let is_url = has_more || self.bytes[..begin].ends_with(b"//");
        if !is_url || !urls && !paths {
            return;
        }
        let length = run(self.bytes[after..].iter(), URL);
        let stops = run(self.bytes[after..after + length].iter().rev(), STOP);
        let url_end = after + length - stops;
        if url_end - begin > URL_MAX {
            return;
        }
        // The scheme decides which port is its own.
        let before = self.bytes[..begin].strip_suffix(b"://").unwrap_or_default();
        let scheme = run(before.iter().rev(), LETTER);
        let scheme = if scheme > 0 { scheme + "://".len() } else { 0 };
        let Some(written) = self.text.get(begin - scheme..url_end) else { return };
        let Some(canonical) = url::canonical(written) else { return };
        let mut tried = url::wider(&canonical);
        let url = tried.find_map(|one| set.find(IndicatorKind::Url, one.as_bytes()));
        let path = set.find(IndicatorKind::UrlPath, url::path_of(&canonical).as_bytes());
        for place in url.into_iter().chain(path) {
            (self.found)(place, written);
        }
    }

    /// IPv6 addresses that leave groups out.
    fn shortened(&mut self) {
        let mut from = 0;
        while let Some(at) = self.colons.find(&self.bytes[from..]).map(|at| from + at) {
            let begin = at - run(self.bytes[from..at].iter().rev(), ADDRESS);
            let end = at + run(self.bytes[at..].iter(), ADDRESS);
            from = end;
            self.v6(begin..end);
        }
    }

    fn v6(&mut self, mut part: Range<usize>) {
        if self.is_word_before(part.start) {
            // The end of a word and a colon may stand before it: `addr:2001:db8::1`.
            let colon = memchr::memchr(b':', &self.bytes[part.clone()]).unwrap_or_default();
            part.start += colon + 1;
        }
        if self.is_word_at(part.end) {
            return;
        }
        if let Some(address) = self.text.get(part.clone()).and_then(address) {
            self.address(address, part);
        }
    }

    /// Hashes, and IPv6 addresses with all groups: long runs of hexadecimal digits and colons. A run
    /// so long has one at every multiple of the least length.
    fn runs(&mut self) {
        let mut at = RUN_MIN - 1;
        while at < self.bytes.len() {
            // Of so many, half are on one side.
            let half = RUN_MIN / 2;
            let is_one = |at: usize| self.bytes.get(at).is_some_and(|byte| is(*byte, RUN));
            if !is_one(at) || !is_one(at - half) && !is_one(at + half) {
                at += RUN_MIN;
                continue;
            }
            let begin = at - run(self.bytes[..at].iter().rev(), RUN);
            let end = at + run(self.bytes[at..].iter(), RUN);
            at = end + RUN_MIN;
            if end - begin >= RUN_MIN {
                self.long_run(begin, end);
            }
        }
    }

    fn long_run(&mut self, begin: usize, end: usize) {
        let bytes = self.bytes;
        let colons = memchr::memchr_iter(b':', &bytes[begin..end]).count();
        if colons >= GROUPS - 2 && self.set.has_v6() {
            // The last two groups may be written as IPv4.
            let end = begin + run(bytes[begin..].iter(), ADDRESS);
            self.v6(begin..end);
        }
        let mut from = begin;
        for part in bytes[begin..end].split(|byte| *byte == b':') {
            let part = from..from + part.len();
            from = part.end + 1;
            let is_whole = !self.is_word_before(part.start) && !self.is_word_at(part.end);
            if is_whole && matches!(part.len(), 32 | 40 | 56 | 64 | 96 | 128) {
                self.hash(part);
            }
        }
    }

    fn is_word_before(&self, at: usize) -> bool {
        at > 0 && is(self.bytes[at - 1], WORD)
    }

    fn is_word_at(&self, at: usize) -> bool {
        self.bytes.get(at).is_some_and(|byte| is(*byte, WORD))
    }

    fn hash(&mut self, part: Range<usize>) {
        let Some(token) = self.text.get(part.clone()) else { return };
        let key = self.clean.key(token);
        if self.clean.has(key) {
            return;
        }
        lower(token, self.buffer);
        let is_hash = self.look_up(IndicatorKind::Hash, part.clone());
        if !self.look_up(IndicatorKind::Ja3, part) && !is_hash {
            self.clean.add(key);
        }
    }

    /// What only the whole text can be: a name of a file with blanks or without a dot, a JA4.
    fn whole(&mut self) {
        let all = 0..self.bytes.len();
        if self.set.has(IndicatorKind::Ja4) && is_ja4(self.bytes) {
            lower(self.text, self.buffer);
            self.look_up(IndicatorKind::Ja4, all.clone());
        }
        if self.set.has_odd_names() {
            let name = self.text.rsplit(['/', '\\']).next().unwrap_or(self.text).trim();
            if name.len() <= NAME_MAX && !is_word_with_dot(name) {
                lower(name, self.buffer);
                self.look_up(IndicatorKind::FileName, all);
            }
        }
    }

    /// Paths of requests, where no host stands before them.
    fn targets(&mut self) {
        if self.bytes.first() == Some(&b'/') {
            self.target(0);
        }
        for at in memchr::memmem::find_iter(self.bytes, b" /") {
            self.target(at + 1);
        }
    }

    fn target(&mut self, begin: usize) {
        let end = begin + run(self.bytes[begin..].iter(), URL);
        let token = self.text.get(begin..end).filter(|token| token.len() <= URL_MAX);
        let found = token
            .map(url::path)
            .and_then(|path| self.set.find(IndicatorKind::UrlPath, path.as_bytes()));
        if let Some(place) = found {
            (self.found)(place, &self.text[begin..end]);
        }
    }

    /// Looks up what stands in the buffer; says whether it is an indicator.
    fn look_up(&mut self, kind: IndicatorKind, part: Range<usize>) -> bool {
        let set = self.set;
        let found = set.has(kind).then(|| set.find(kind, self.buffer.as_bytes())).flatten();
        if let Some(place) = found {
            (self.found)(place, &self.text[part]);
        }
        found.is_some()
    }
}

/// How many bytes from the start are of a class.
fn run<'b>(bytes: impl Iterator<Item = &'b u8>, class: u16) -> usize {
    bytes.take_while(|byte| is(**byte, class)).count()
}

/// Puts the text in lower case into the buffer; where it is not ASCII, by Unicode.
fn lower(text: &str, buffer: &mut String) {
    buffer.clear();
    if text.is_ascii() {
        buffer.push_str(text);
        buffer.make_ascii_lowercase();
    } else {
        buffer.push_str(&text.to_lowercase());
    }
}

/// Puts what something is written as into the buffer.
fn spell(what: &dyn std::fmt::Display, buffer: &mut String) {
    use std::fmt::Write as _;
    buffer.clear();
    // Writing to a string does not fail.
    let _ = write!(buffer, "{what}");
}

//! What a value looks like, and the parts that it has.
//!
//! A part is a piece of the value as it stands there. What is no more than likely is not told: a
//! name of two parts is a host only where its last part is a public suffix.

use std::net::IpAddr;

/// Bytes above which a value is not looked at: no name or URL is longer.
const MAX_LENGTH: usize = 8 * 1024;
/// Endings that are names of files far more often than of hosts, though they are public suffixes.
const FILE_ENDINGS: &[&str] = &[
    "sh", "py", "pl", "rs", "zip", "mov", "md", "so", "cab", "app", "bz", "ps", "cc", "gdn", "ml",
    "java", "pub", "name", "doc", "id", "map", "run", "exe", "dll", "log", "txt", "ini", "conf",
];

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Address,
    /// An address or a name, then a port.
    Endpoint,
    Host,
    Url,
    Email,
    /// `Li Wei <li.wei@example.net>`.
    Mailbox,
    /// `CORP\li.wei`.
    Account,
    Path,
    Hash,
    Agent,
}

/// A part's name, and its text.
pub(crate) type Part<'a> = (&'static str, &'a str);

/// What the text is as a whole, if it is any of these.
pub(crate) fn of(text: &str) -> Option<Shape> {
    if text.len() < 2 || text.len() > MAX_LENGTH {
        return None;
    }
    if text.contains(char::is_whitespace) {
        return with_blanks(text);
    }
    if text.parse::<IpAddr>().is_ok() {
        return Some(Shape::Address);
    }
    if scheme(text).is_some() {
        return Some(Shape::Url);
    }
    if endpoint(text).is_some() {
        return Some(Shape::Endpoint);
    }
    if is_hash(text) {
        return Some(Shape::Hash);
    }
    if is_email(text) {
        return Some(Shape::Email);
    }
    if is_path(text) {
        return Some(Shape::Path);
    }
    if account(text).is_some() {
        return Some(Shape::Account);
    }
    if is_host(text) {
        return Some(Shape::Host);
    }
    None
}

fn with_blanks(text: &str) -> Option<Shape> {
    if mailbox(text).is_some() {
        return Some(Shape::Mailbox);
    }
    if is_agent(text) {
        return Some(Shape::Agent);
    }
    // A blank in a path is usual where it has a drive, and rare elsewhere.
    (has_drive(text) && !text.contains(['\n', '\t', '"', '|'])).then_some(Shape::Path)
}

/// The parts of a value of this shape; a host within it has its own.
pub(crate) fn parts<'a>(shape: Shape, text: &'a str, put: &mut impl FnMut(Part<'a>)) {
    match shape {
        Shape::Address | Shape::Hash | Shape::Agent => {}
        Shape::Endpoint => {
            if let Some((host, port)) = endpoint(text) {
                put(("address", host));
                put(("port", port));
                host_parts(host, put);
            }
        }
        Shape::Host => host_parts(text, put),
        Shape::Url => url_parts(text, put),
        Shape::Email => {
            if let Some((local, domain)) = text.rsplit_once('@') {
                put(("local", local));
                put(("domain", domain));
                host_parts(domain, put);
            }
        }
        Shape::Mailbox => {
            if let Some((name, address)) = mailbox(text) {
                put(("display_name", name));
                put(("address", address));
                parts(Shape::Email, address, put);
            }
        }
        Shape::Account => {
            if let Some((domain, name)) = account(text) {
                put(("domain", domain));
                put(("name", name));
            }
        }
        Shape::Path => path_parts(text, put),
    }
}

/// `registered_domain`, `top_level_domain`, `subdomain` of a host's name.
pub(crate) fn host_parts<'a>(host: &'a str, put: &mut impl FnMut(Part<'a>)) {
    if host.parse::<IpAddr>().is_ok() || host.len() > 253 {
        return;
    }
    let bare = host.trim_end_matches('.');
    let Some(domain) = psl::domain(bare.as_bytes()) else { return };
    // The list gives a part of the name itself: its length says which.
    let length = domain.as_bytes().len();
    let suffix = domain.suffix().as_bytes().len();
    let (Some(registered), Some(top)) =
        (bare.get(bare.len() - length..), bare.get(bare.len() - suffix..))
    else {
        return;
    };
    put(("registered_domain", registered));
    put(("top_level_domain", top));
    let before = bare[..bare.len() - length].trim_end_matches('.');
    if !before.is_empty() {
        put(("subdomain", before));
        put(("hostname", before.split('.').next().unwrap_or(before)));
    }
}

/// `scheme`, `username`, `domain`, `port`, `path`, `query`, `fragment`, `extension`.
/// Source: RFC 3986, section 3.
pub(crate) fn url_parts<'a>(text: &'a str, put: &mut impl FnMut(Part<'a>)) {
    let Some((scheme, rest)) = scheme(text) else { return };
    put(("scheme", scheme));
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let host = match authority.rsplit_once('@') {
        Some((user, host)) => {
            put(("username", user.split(':').next().unwrap_or(user)));
            host
        }
        None => authority,
    };
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if is_port(port) => (host, Some(port)),
        _ => (host, None),
    };
    let host = host.trim_matches(['[', ']']);
    if !host.is_empty() {
        put(("domain", host));
        host_parts(host, put);
    }
    if let Some(port) = port {
        put(("port", port));
    }
    reference_parts(rest, put);
}

/// True for a URL whose scheme was left out: `www.example.net:8443/a?b`.
pub(crate) fn is_hosted(text: &str) -> bool {
    let host = text.split(['/', '?']).next().unwrap_or_default();
    host.len() < text.len() && (is_host(host) || endpoint(host).is_some())
}

/// `domain`, `port`, and the parts of what follows.
pub(crate) fn hosted_parts<'a>(text: &'a str, put: &mut impl FnMut(Part<'a>)) {
    let (host, rest) = text.split_at(text.find(['/', '?']).unwrap_or(text.len()));
    let (host, port) = endpoint(host).map_or((host, None), |(host, port)| (host, Some(port)));
    put(("domain", host));
    host_parts(host, put);
    if let Some(port) = port {
        put(("port", port));
    }
    reference_parts(rest, put);
}

/// `path`, `query`, `fragment` and `extension` of what follows a URL's host.
pub(crate) fn reference_parts<'a>(text: &'a str, put: &mut impl FnMut(Part<'a>)) {
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    for part in [("path", path), ("query", query), ("fragment", fragment)] {
        if !part.1.is_empty() {
            put(part);
        }
    }
    if let Some((_, extension)) = file_name(path).rsplit_once('.')
        && is_extension(extension)
    {
        put(("extension", extension));
    }
}

/// `directory`, `name` and `extension` of a path.
pub(crate) fn path_parts<'a>(text: &'a str, put: &mut impl FnMut(Part<'a>)) {
    let name = file_name(text);
    let directory = &text[..text.len() - name.len()];
    if directory.len() > 1 {
        put(("directory", &directory[..directory.len() - 1]));
    }
    if !name.is_empty() {
        put(("name", name));
    }
    if let Some((stem, extension)) = name.rsplit_once('.')
        && !stem.is_empty()
        && is_extension(extension)
    {
        put(("extension", extension));
    }
}

/// What follows the last separator.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// `CORP` and `li.wei` of `CORP\li.wei`.
pub(crate) fn account(text: &str) -> Option<(&str, &str)> {
    let (domain, name) = text.split_once('\\')?;
    let in_domain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let fits = !domain.is_empty()
        && domain.len() < 64
        && domain.bytes().all(in_domain)
        && !name.is_empty()
        && name.len() < 105
        && !name.contains(['\\', '/', ':', '"', '*', '?', '<', '>', '|']);
    fits.then_some((domain, name))
}

/// The name and the address of `Li Wei <li.wei@example.net>`.
pub(crate) fn mailbox(text: &str) -> Option<(&str, &str)> {
    let (name, address) = text.strip_suffix('>')?.rsplit_once('<')?;
    let name = name.trim().trim_matches(['"', '\'']);
    is_email(address).then_some((name, address))
}

/// Address or name, and port.
pub(crate) fn endpoint(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    if !is_port(port) {
        return None;
    }
    if let Some(inside) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return inside.parse::<IpAddr>().is_ok().then_some((inside, port));
    }
    (host.parse::<IpAddr>().is_ok() && !host.contains(':') || is_host(host)).then_some((host, port))
}

/// A scheme and what follows `://`.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let fits = (2..=16).contains(&scheme.len())
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(in_scheme)
        && !rest.is_empty();
    fits.then_some((scheme, rest))
}

/// A name with dots whose end is a public suffix, and no file's.
pub(crate) fn is_host(text: &str) -> bool {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if !(4..=253).contains(&text.len()) || !text.bytes().all(in_name) {
        return false;
    }
    let Some((front, last)) = text.trim_end_matches('.').rsplit_once('.') else { return false };
    let is_word = last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    let labels = || front.split('.').all(|label| !label.is_empty() && label.len() < 64);
    let is_file = FILE_ENDINGS.iter().any(|ending| ending.eq_ignore_ascii_case(last));
    is_word && !is_file && labels() && (is_public(last) || is_internal(last))
}

fn is_public(last: &str) -> bool {
    let lower = last.to_ascii_lowercase();
    psl::suffix(lower.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

/// Endings of networks that are not the Internet's. Source: RFC 6762, appendix G, and RFC 8375.
fn is_internal(last: &str) -> bool {
    const ENDINGS: [&str; 9] =
        ["local", "lan", "corp", "internal", "intranet", "localdomain", "home", "test", "example"];
    ENDINGS.iter().any(|ending| ending.eq_ignore_ascii_case(last))
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let in_domain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    (1..=128).contains(&local.len())
        && !local.contains(['@', '<', '>', '"', '(', ')', ',', ';', ':', '/', '\\'])
        && domain.len() > 2
        && domain.contains('.')
        && !domain.starts_with('.')
        && domain.bytes().all(in_domain)
}

fn is_path(text: &str) -> bool {
    if has_drive(text) || text.starts_with(r"\\") || text.starts_with(r"\Device\") {
        return true;
    }
    text.starts_with('/') && text.len() > 2 && !text.starts_with("//")
}

fn has_drive(text: &str) -> bool {
    matches!(text.as_bytes(), [drive, b':', b'\\' | b'/', _, ..] if drive.is_ascii_alphabetic())
}

/// MD5, SHA-1, SHA-256, SHA-512 by their lengths.
pub(crate) fn hash_kind(text: &str) -> Option<&'static str> {
    let kind = match text.len() {
        32 => "md5",
        40 => "sha1",
        64 => "sha256",
        128 => "sha512",
        _ => return None,
    };
    text.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(kind)
}

fn is_hash(text: &str) -> bool {
    hash_kind(text).is_some()
}

fn is_agent(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or_default();
    first.split_once('/').is_some_and(|(name, version)| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            && !name.is_empty()
            && version.starts_with(|first: char| first.is_ascii_digit())
            && text.contains('(')
    })
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<u16>().is_ok()
}

fn is_extension(text: &str) -> bool {
    (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

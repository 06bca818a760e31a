//! Splitting values into parts: the closed list of what `derive` can do.

use std::ops::Range;

/// The most parts that a split has.
pub(super) const MAX_PARTS: usize = 6;
/// Of a longer list the first so many become fields; the whole stays in its own.
pub(super) const MAX_ITEMS: usize = 256;

/// Where the parts stand in a value.
pub(super) type Parts = [Option<Range<usize>>; MAX_PARTS];

/// One way to split.
#[derive(Debug)]
pub(super) struct Split {
    pub id: &'static str,
    /// The names of the parts, in the order of the answer.
    pub parts: &'static [&'static str],
    pub way: Way,
}

/// How a split comes to its parts.
#[derive(Debug)]
pub(super) enum Way {
    /// Each part once.
    Parts(fn(&str) -> Parts),
    /// The only part again and again: what stands between separators, without blanks around it.
    Items(char),
}

impl Split {
    /// Gives the place of each part and where it stands; nothing that is empty.
    pub fn run(&self, value: &str, give: &mut dyn FnMut(usize, Range<usize>)) {
        match self.way {
            Way::Parts(run) => {
                let parts = run(value).into_iter().enumerate();
                parts.for_each(|(at, part)| {
                    if let Some(part) = part.filter(|part| !part.is_empty()) {
                        give(at, part);
                    }
                });
            }
            Way::Items(separator) => {
                for item in value.split(separator).map(str::trim).take(MAX_ITEMS) {
                    let begin = item.as_ptr() as usize - value.as_ptr() as usize;
                    if !item.is_empty() {
                        give(0, begin..begin + item.len());
                    }
                }
            }
        }
    }
}

/// All ways to split.
pub(super) const SPLITS: &[Split] = &[
    Split {
        id: "http_request",
        parts: &["method", "uri", "version", "path", "query", "version_number"],
        way: Way::Parts(http_request),
    },
    Split { id: "url", parts: &["scheme", "host", "port", "path", "query"], way: Way::Parts(url) },
    Split { id: "account", parts: &["domain", "user"], way: Way::Parts(account) },
    Split { id: "path", parts: &["folder", "name"], way: Way::Parts(path) },
    Split { id: "mailbox", parts: &["local", "domain"], way: Way::Parts(mailbox) },
    Split { id: "comma_list", parts: &["item"], way: Way::Items(',') },
    Split { id: "pipe_list", parts: &["item"], way: Way::Items('|') },
];

/// `GET /a?b HTTP/1.1`. White space within the address belongs to it: attacks have that. A request
/// without a method (a TLS hello sent to a plain port) has no parts.
fn http_request(value: &str) -> Parts {
    let mut parts = Parts::default();
    let Some(space) = value.find(' ') else { return parts };
    if space == 0 || !value[..space].bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
    {
        return parts;
    }
    let mut end = value.len();
    if let Some(last) = value.rfind(' ')
        && last > space
        && value[last + 1..].get(..5).is_some_and(|head| head.eq_ignore_ascii_case("HTTP/"))
    {
        parts[2] = Some(last + 1..value.len());
        parts[5] = Some(last + 6..value.len());
        end = last;
    }
    let uri = space + 1..end;
    parts[0] = Some(0..space);
    let [_, _, _, path, query, _] = url(&value[uri.clone()]);
    let shift = |range: Range<usize>| range.start + uri.start..range.end + uri.start;
    parts[3] = path.map(shift);
    parts[4] = query.map(shift);
    parts[1] = Some(uri);
    parts
}

/// A URL, or the path and query alone.
fn url(value: &str) -> Parts {
    let mut parts = Parts::default();
    let mut path_start = 0;
    if let Some(scheme) = value.find("://")
        && scheme > 0
        && value[..scheme]
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    {
        parts[0] = Some(0..scheme);
        let authority = scheme + 3;
        path_start =
            value[authority..].find(['/', '?', '#']).map_or(value.len(), |end| authority + end);
        let host =
            value[authority..path_start].rfind('@').map_or(authority, |at| authority + at + 1);
        let mut host_end = path_start;
        if let Some(colon) = value[host..path_start].rfind(':')
            && !value[host + colon..path_start].contains(']')
        {
            host_end = host + colon;
            parts[2] = Some(host_end + 1..path_start);
        }
        parts[1] = Some(host..host_end);
    }
    let path_end = value[path_start..].find('?').map_or(value.len(), |end| path_start + end);
    parts[3] = Some(path_start..path_end);
    if path_end < value.len() {
        parts[4] = Some(path_end + 1..value.len());
    }
    parts
}

/// `DOMAIN\user`, or the user alone.
fn account(value: &str) -> Parts {
    let mut parts = Parts::default();
    let user = value.find('\\').map_or(0, |slash| slash + 1);
    if user > 0 {
        parts[0] = Some(0..user - 1);
    }
    parts[1] = Some(user..value.len());
    parts
}

/// `local@domain`, with or without `<` and `>`; nothing where there is no domain.
fn mailbox(value: &str) -> Parts {
    let mut parts = Parts::default();
    let begin = usize::from(value.starts_with('<'));
    let end = value.len() - usize::from(begin == 1 && value.len() > 1 && value.ends_with('>'));
    if let Some(at) = value[begin..end].rfind('@').map(|at| begin + at) {
        parts[0] = Some(begin..at);
        parts[1] = Some(at + 1..end);
    }
    parts
}

/// A file's path, Windows or Unix.
fn path(value: &str) -> Parts {
    let mut parts = Parts::default();
    let name = value.rfind(['\\', '/']).map_or(0, |slash| slash + 1);
    if name > 0 {
        parts[0] = Some(0..name - 1);
    }
    parts[1] = Some(name..value.len());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(id: &str, value: &str) -> Vec<(&'static str, String)> {
        let split = SPLITS.iter().find(|split| split.id == id).unwrap();
        let mut named = Vec::new();
        split.run(value, &mut |at, part| named.push((split.parts[at], value[part].to_owned())));
        named
    }

    fn parts(expected: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        expected.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    #[test]
    fn requests_keep_the_blanks_of_their_address() {
        assert_eq!(
            split("http_request", "GET /a b?c=d e HTTP/1.1"),
            parts(&[
                ("method", "GET"),
                ("uri", "/a b?c=d e"),
                ("version", "HTTP/1.1"),
                ("path", "/a b"),
                ("query", "c=d e"),
                ("version_number", "1.1")
            ])
        );
        assert_eq!(
            split("http_request", "GET /"),
            parts(&[("method", "GET"), ("uri", "/"), ("path", "/")])
        );
        assert_eq!(split("http_request", "\u{16}\u{3}\u{1} x"), []);
        assert_eq!(split("http_request", ""), []);
    }

    #[test]
    fn addresses_have_their_parts() {
        assert_eq!(
            split("url", "http://u@[2001:db8::1]:8080/p?q"),
            parts(&[
                ("scheme", "http"),
                ("host", "[2001:db8::1]"),
                ("port", "8080"),
                ("path", "/p"),
                ("query", "q")
            ])
        );
        assert_eq!(
            split("url", "/p?u=http://x/?y"),
            parts(&[("path", "/p"), ("query", "u=http://x/?y")])
        );
        assert_eq!(split("url", "https://host"), parts(&[("scheme", "https"), ("host", "host")]));
    }

    #[test]
    fn mailboxes_have_a_domain() {
        let both = parts(&[("local", "a@b"), ("domain", "c.example")]);
        assert_eq!(split("mailbox", "a@b@c.example"), both);
        assert_eq!(split("mailbox", "<a@b@c.example>"), both);
        for nobody in ["", "<", "<>", "a", "@"] {
            assert_eq!(split("mailbox", nobody), [], "{nobody}");
        }
    }

    #[test]
    fn lists_have_items_without_blanks() {
        assert_eq!(
            split("comma_list", "a, b,,c "),
            parts(&[("item", "a"), ("item", "b"), ("item", "c")])
        );
        assert_eq!(split("pipe_list", "a, b|c"), parts(&[("item", "a, b"), ("item", "c")]));
        assert_eq!(split("comma_list", ""), []);
        assert_eq!(split("comma_list", &"x,".repeat(1_000)).len(), MAX_ITEMS);
    }

    #[test]
    fn accounts_and_paths() {
        assert_eq!(
            split("account", r"NT AUTHORITY\SYSTEM"),
            parts(&[("domain", "NT AUTHORITY"), ("user", "SYSTEM")])
        );
        assert_eq!(split("account", "root"), parts(&[("user", "root")]));
        assert_eq!(split("path", r"C:\a\b.exe"), parts(&[("folder", r"C:\a"), ("name", "b.exe")]));
        assert_eq!(split("path", "/bin/sh"), parts(&[("folder", "/bin"), ("name", "sh")]));
    }
}

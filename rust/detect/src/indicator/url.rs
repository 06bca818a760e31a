//! One spelling for addresses of web resources, so that they can be looked up.
//!
//! The scheme, the user and the fragment do not count, nor does a scheme's own port; the host is in
//! lower case and as DNS has it, the rest as it is (RFC 3986, section 6.2: what is safe for any scheme).

use super::international;

/// Longer ones are cut nowhere: they are no indicators.
pub(super) const URL_MAX: usize = 2048;

const SCHEMES: [(&str, &str); 3] = [("http", "80"), ("https", "443"), ("ftp", "21")];

/// The one spelling: `host[:port][/path][?query]`; `None` where there is no host.
pub(super) fn canonical(text: &str) -> Option<String> {
    if text.len() > URL_MAX || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let text = text.split('#').next().unwrap_or_default();
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let host_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, resource) = rest.split_at(host_end);
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let own_port = SCHEMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(scheme));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if own_port.is_none_or(|own| own.1 == port) && is_web(scheme, port) => {
            host
        }
        _ => authority,
    };
    let host = international::host_with_port(host).into_owned();
    let is_host = host.bytes().all(|b| super::kind::is_name_byte(b) || b":[]".contains(&b));
    if host.is_empty() || !is_host || !host.contains(['.', ':']) {
        return None;
    }
    let resource = if resource == "/" { "" } else { resource };
    Some(host + resource)
}

/// Whether the port is the usual one; without a scheme, that of the web.
fn is_web(scheme: &str, port: &str) -> bool {
    !scheme.is_empty() || port == "80" || port == "443"
}

/// The path of a request's target, without its query; the root only with it, for by itself it says
/// nothing.
pub(super) fn path(target: &str) -> &str {
    let whole = target.split('#').next().unwrap_or_default();
    let path = whole.split('?').next().unwrap_or_default();
    if path == "/" { whole } else { path }
}

/// The path in a canonical address; empty where it has none.
pub(super) fn path_of(canonical: &str) -> &str {
    canonical.find('/').map_or("", |at| path(&canonical[at..]))
}

/// The canonical addresses that stand for this one too: without its query, without its path.
pub(super) fn wider(canonical: &str) -> impl Iterator<Item = &str> {
    let resource = canonical.find(['/', '?']);
    let query = canonical.find('?').map(|at| &canonical[..at]);
    let host = resource.map(|at| &canonical[..at]);
    std::iter::once(canonical).chain(query.filter(|query| host != Some(*query))).chain(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_spelling() {
        for (text, spelt) in [
            ("http://evil.example", Some("evil.example")),
            ("https://Evil.Example:443/", Some("evil.example")),
            ("http://evil.example:443/x", Some("evil.example:443/x")),
            ("evil.example:80/x", Some("evil.example/x")),
            ("evil.example:8080/x?q#f", Some("evil.example:8080/x?q")),
            ("ftp://u:p@evil.example/f", Some("evil.example/f")),
            ("http://[2001:db8::1]/x", Some("[2001:db8::1]/x")),
            ("http:///x", None),
            ("a b.example/x", None),
        ] {
            assert_eq!(canonical(text).as_deref(), spelt, "{text}");
        }
    }

    #[test]
    fn an_address_stands_for_what_is_below_it() {
        let all: Vec<_> = wider("a.example/p?q").collect();
        assert_eq!(all, ["a.example/p?q", "a.example/p", "a.example"]);
        let all: Vec<_> = wider("a.example?q").collect();
        assert_eq!(all, ["a.example?q", "a.example"]);
        assert_eq!(wider("a.example").count(), 1);
        assert_eq!((path_of("a.example/p?q"), path_of("a.example?q")), ("/p", ""));
        assert_eq!((path_of("a.example/?q"), path_of("a.example/")), ("/?q", "/"));
    }
}

//! What an indicator can be, how feeds call it, and its one spelling.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::{international, url};
use crate::EntityKind;

/// Longest DNS name (RFC 1035).
const NAME_MAX: usize = 253;

/// What an indicator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum IndicatorKind {
    /// An IP address.
    Ip,
    /// A network in CIDR notation.
    Network,
    /// An IP address with a port.
    IpPort,
    /// A DNS name; stands for all names below it, too.
    Domain,
    /// The address of a web resource. Without a path it stands for every path there, without a query
    /// for every query.
    Url,
    /// The path of a web resource on any host.
    UrlPath,
    /// An e-mail address.
    Email,
    /// Hash of a file, in hexadecimal: MD5 to SHA-512.
    Hash,
    /// Name of a file, without its folder.
    FileName,
    /// Fingerprint of a TLS client or server: JA3, JA3S.
    Ja3,
    /// Fingerprint of a TLS client: JA4.
    Ja4,
}

impl IndicatorKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Ip,
        Self::Network,
        Self::IpPort,
        Self::Domain,
        Self::Url,
        Self::UrlPath,
        Self::Email,
        Self::Hash,
        Self::FileName,
        Self::Ja3,
        Self::Ja4,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Network => "network",
            Self::IpPort => "ip_port",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::UrlPath => "url_path",
            Self::Email => "email",
            Self::Hash => "hash",
            Self::FileName => "file_name",
            Self::Ja3 => "ja3",
            Self::Ja4 => "ja4",
        }
    }

    /// The kind that a feed calls so: our names, those of MISP's attributes, of STIX's objects, and
    /// the usual short ones. Case and the marks between words do not count.
    pub fn named(name: &str) -> Option<Self> {
        let name: String =
            name.trim().chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        Some(match name.to_ascii_lowercase().as_str() {
            "ip" | "ipv4" | "ipv6" | "ipsrc" | "ipdst" | "ipv4addr" | "ipv6addr" | "ipaddress"
            | "address" => Self::Ip,
            "network" | "cidr" | "iprange" | "netblock" | "subnet" => Self::Network,
            "ipport" | "ipsrcport" | "ipdstport" | "socket" => Self::IpPort,
            "domain" | "domainname" | "hostname" | "host" | "fqdn" => Self::Domain,
            "url" | "uri" | "link" => Self::Url,
            "urlpath" | "uripath" | "path" => Self::UrlPath,
            "email" | "emailaddr" | "emailaddress" | "emailsrc" | "emaildst" | "mail" => {
                Self::Email
            }
            "hash" | "filehash" | "md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512" => {
                Self::Hash
            }
            "filename" | "file" => Self::FileName,
            "ja3" | "ja3s" | "ja3fingerprintmd5" => Self::Ja3,
            "ja4" => Self::Ja4,
            _ => return None,
        })
    }

    /// The kind that a text has by its shape; a name of a file never has one.
    pub fn of_shape(text: &str) -> Option<Self> {
        let tried = [
            Self::Ip,
            Self::Network,
            Self::IpPort,
            Self::Hash,
            Self::Ja4,
            Self::Email,
            Self::UrlPath,
        ];
        if let Some(kind) = tried.into_iter().find(|kind| kind.normalise(text).is_some()) {
            return Some(kind);
        }
        let kind = if text.contains('/') { Self::Url } else { Self::Domain };
        // A name of a file could pass for an odd domain.
        let is_sound = |value: &String| kind == Self::Url || is_top_level(value.as_bytes());
        kind.normalise(text).filter(is_sound).map(|_| kind)
    }

    /// One spelling for one thing; `None` where the text cannot be such a thing.
    pub fn normalise(self, text: &str) -> Option<String> {
        match self {
            Self::Ip => address(text).map(|address| address.to_string()),
            Self::Network => network(text).map(|network| network.to_string()),
            Self::IpPort => split_port(text).map(|(address, port)| ip_port(address, port)),
            Self::Domain => domain(text),
            Self::Url => url::canonical(text).filter(|url| !url.starts_with('/')),
            Self::UrlPath => text.starts_with('/').then(|| url::path(text).to_owned()),
            Self::Email => {
                let (local, host) = text.rsplit_once('@')?;
                let sound = !local.is_empty() && !local.contains(char::is_whitespace);
                Some(format!("{}@{}", local.to_lowercase(), domain(host)?)).filter(|_| sound)
            }
            Self::Hash => {
                let sizes = [32, 40, 56, 64, 96, 128];
                hexadecimal(text, &sizes).then(|| text.to_ascii_lowercase())
            }
            Self::FileName => {
                let name = text.rsplit(['/', '\\']).next().unwrap_or(text).trim().to_lowercase();
                (!name.is_empty() && name.len() <= NAME_MAX).then_some(name)
            }
            Self::Ja3 => hexadecimal(text, &[32]).then(|| text.to_ascii_lowercase()),
            Self::Ja4 => is_ja4(text.as_bytes()).then(|| text.to_ascii_lowercase()),
        }
    }

    /// What a hit says the event is about.
    pub fn entity(self) -> Option<EntityKind> {
        Some(match self {
            Self::Ip | Self::Network | Self::IpPort => EntityKind::Ip,
            Self::Domain => EntityKind::Domain,
            Self::Url | Self::UrlPath => EntityKind::Url,
            Self::Hash => EntityKind::Hash,
            Self::FileName => EntityKind::File,
            Self::Email | Self::Ja3 | Self::Ja4 => return None,
        })
    }
}

/// An address, one that stands for IPv4 in IPv6 as IPv4.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// A network without bits behind its prefix.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.contains('/').then(|| text.parse::<IpNet>().ok().map(|net| net.trunc())).flatten()
}

/// An address and its port: `192.0.2.7:80`, `192.0.2.7|80`, `[2001:db8::1]:80`.
pub(super) fn split_port(text: &str) -> Option<(IpAddr, u16)> {
    let (host, port) = text.rsplit_once(['|', ':'])?;
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    // Without brackets, the end of an IPv6 address could pass for a port.
    let address = bracketed.or((!host.contains(':')).then_some(host)).and_then(address)?;
    Some((address, port.parse().ok()?))
}

/// The spelling of an address with a port (RFC 3986, section 3.2.2).
pub(super) fn ip_port(address: IpAddr, port: u16) -> String {
    match address {
        IpAddr::V4(address) => format!("{address}:{port}"),
        IpAddr::V6(address) => format!("[{address}]:{port}"),
    }
}

/// A DNS name with two labels or more, as DNS has it, in lower case and without the last dot.
fn domain(text: &str) -> Option<String> {
    let name = text.strip_prefix("*.").or(text.strip_prefix('.')).unwrap_or(text);
    let name = name.strip_suffix('.').unwrap_or(name);
    let sound = name.len() <= NAME_MAX
        && name.contains('.')
        && name.split('.').all(|label| !label.is_empty() && label.len() <= 63)
        && name.bytes().all(is_name_byte)
        && is_odd_top_level(name.as_bytes())
        && name.parse::<Ipv4Addr>().is_err();
    let spelt = sound.then(|| international::host(name))?;
    // In DNS it may be longer than it was.
    (spelt.len() <= NAME_MAX).then(|| spelt.into_owned())
}

/// Whether a byte may stand in a name of a host; what is not ASCII may.
pub(super) const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') || byte >= 0x80
}

/// Whether a text is cut out of a longer one as a whole: a word with a dot inside.
pub(super) fn is_word_with_dot(text: &str) -> bool {
    let inside = text.trim_matches(['.', '-', '_']);
    inside.len() == text.len() && text.contains('.') && text.bytes().all(is_name_byte)
}

/// Whether the last label can be that of a top level: letters, or the coding of other scripts.
pub(super) fn is_top_level(name: &[u8]) -> bool {
    let label = last_label(name);
    label.len() >= 2
        && (label.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
            || label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"xn--")))
}

/// The same for the names of other systems, and of malware that tells itself where they are:
/// `.i2p`, `.7ci`.
pub(super) fn is_odd_top_level(name: &[u8]) -> bool {
    let label = last_label(name);
    label.len() >= 2 && label.iter().any(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
}

fn last_label(name: &[u8]) -> &[u8] {
    name.rsplit(|byte| *byte == b'.').next().unwrap_or_default()
}

/// Whether it is a JA4 fingerprint: ten characters, twelve and twelve in hexadecimal.
pub(super) fn is_ja4(text: &[u8]) -> bool {
    text.len() == 36
        && text[10] == b'_'
        && text[23] == b'_'
        && text[..10].iter().all(u8::is_ascii_alphanumeric)
        && text[11..23].iter().chain(&text[24..]).all(u8::is_ascii_hexdigit)
}

fn hexadecimal(text: &str, sizes: &[usize]) -> bool {
    sizes.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_tells_what_it_is_and_has_one_spelling() {
        use IndicatorKind as K;
        for (text, kind, spelt) in [
            ("192.0.2.7", Some(K::Ip), "192.0.2.7"),
            ("::FFFF:192.0.2.7", Some(K::Ip), "192.0.2.7"),
            ("2001:DB8::1", Some(K::Ip), "2001:db8::1"),
            ("192.0.2.7/24", Some(K::Network), "192.0.2.0/24"),
            ("192.0.2.7:80", Some(K::IpPort), "192.0.2.7:80"),
            ("192.0.2.7|80", Some(K::IpPort), "192.0.2.7:80"),
            ("[2001:db8::1]:443", Some(K::IpPort), "[2001:db8::1]:443"),
            ("Evil.Example.", Some(K::Domain), "evil.example"),
            ("*.evil.example", Some(K::Domain), "evil.example"),
            ("xn--fiqs8s.xn--55qx5d", Some(K::Domain), "xn--fiqs8s.xn--55qx5d"),
            ("HTTP://Evil.example:80/A?b#c", Some(K::Url), "evil.example/A?b"),
            ("evil.example/a", Some(K::Url), "evil.example/a"),
            ("/gate.php?x", Some(K::UrlPath), "/gate.php"),
            ("Eve@Evil.example", Some(K::Email), "eve@evil.example"),
            ("D41D8CD98F00B204E9800998ECF8427E", Some(K::Hash), "d41d8cd98f00b204e9800998ecf8427e"),
            (
                "t13d1516h2_8daaf6152771_e5627efa2ab1",
                Some(K::Ja4),
                "t13d1516h2_8daaf6152771_e5627efa2ab1",
            ),
            ("localhost", None, ""),
            ("1.2.3", None, ""),
            ("a..b.example", None, ""),
            ("", None, ""),
            ("security[a-z]{3}\\.top", None, ""),
        ] {
            assert_eq!(K::of_shape(text), kind, "{text}");
            let normal = kind.and_then(|kind| kind.normalise(text)).unwrap_or_default();
            assert_eq!(normal, spelt, "{text}");
        }
        assert_eq!(K::FileName.normalise(r"C:\Temp\Evil.EXE").as_deref(), Some("evil.exe"));
    }

    #[test]
    fn feeds_call_kinds_by_many_names() {
        for kind in IndicatorKind::ALL {
            assert_eq!(IndicatorKind::named(kind.as_str()), Some(kind));
        }
        for (name, kind) in [
            ("ip:port", IndicatorKind::IpPort),
            ("ip-dst|port", IndicatorKind::IpPort),
            ("domain-name", IndicatorKind::Domain),
            ("SHA-256", IndicatorKind::Hash),
            ("ja3-fingerprint-md5", IndicatorKind::Ja3),
        ] {
            assert_eq!(IndicatorKind::named(name), Some(kind), "{name}");
        }
        assert_eq!(IndicatorKind::named("yara"), None);
    }
}

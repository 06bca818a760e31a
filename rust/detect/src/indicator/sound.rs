//! Refuses indicators that would hit everybody, or nobody but ourselves: a feed with one of them,
//! by mistake or on purpose, would bury every other signal.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::IndicatorKind;
use super::kind;

/// The widest networks that are taken: a registry's largest block, a provider's largest.
const V4_PREFIX_MIN: u8 = 8;
const V6_PREFIX_MIN: u8 = 19;

/// Private networks (RFC 1918, RFC 4193).
const PRIVATE: [IpNet; 4] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7)),
];

/// What is wrong with an indicator in its one spelling, and the mend.
pub(super) fn objection(kind: IndicatorKind, value: &str) -> Option<(&'static str, &'static str)> {
    match kind {
        IndicatorKind::Ip => kind::address(value).and_then(of_address),
        IndicatorKind::IpPort => of_address(kind::split_port(value)?.0),
        IndicatorKind::Network => kind::network(value).and_then(of_network),
        IndicatorKind::Domain => of_domain(value),
        IndicatorKind::Url => {
            let host = value.split(['/', '?', ':']).next().unwrap_or_default();
            match kind::address(host) {
                Some(address) => of_address(address),
                None => of_domain(host),
            }
        }
        IndicatorKind::Email => of_domain(value.rsplit('@').next()?),
        IndicatorKind::UrlPath if value.len() < 4 => {
            Some(("is the path of too many pages", "name the host, too"))
        }
        IndicatorKind::FileName if !value.contains('.') && value.len() < 4 => {
            Some(("is too short to be one file's name", "give the name with its extension"))
        }
        _ => None,
    }
}

fn of_address(address: IpAddr) -> Option<(&'static str, &'static str)> {
    let broadcast = IpAddr::V4(Ipv4Addr::BROADCAST);
    let nobody = address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address == broadcast;
    nobody.then_some(("is no address of one machine", "remove it"))
}

fn of_network(network: IpNet) -> Option<(&'static str, &'static str)> {
    let (is_v4, prefix) = (network.addr().is_ipv4(), network.prefix_len());
    if prefix < if is_v4 { V4_PREFIX_MIN } else { V6_PREFIX_MIN } {
        return Some(("is a large part of the Internet", "name smaller networks"));
    }
    if PRIVATE.iter().any(|private| network.contains(private)) {
        return Some(("is a whole range of private addresses", "name smaller networks"));
    }
    of_address(network.addr()).filter(|_| !network.addr().is_unspecified())
}

fn of_domain(name: &str) -> Option<(&'static str, &'static str)> {
    let suffix = psl::suffix(name.as_bytes())?;
    let is_registry =
        suffix.typ() != Some(psl::Type::Private) && suffix.as_bytes() == name.as_bytes();
    is_registry.then_some((
        "is a registry's domain, which everybody's names are below",
        "name the domain itself",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_hit_everybody_is_refused() {
        use IndicatorKind as K;
        for (kind, value, refused) in [
            (K::Ip, "0.0.0.0", true),
            (K::Ip, "127.0.0.1", true),
            (K::Ip, "255.255.255.255", true),
            (K::Ip, "10.0.0.7", false),
            (K::IpPort, "[::1]:80", true),
            (K::Network, "0.0.0.0/0", true),
            (K::Network, "2000::/3", true),
            (K::Network, "10.0.0.0/8", true),
            (K::Network, "192.168.0.0/16", true),
            (K::Network, "192.168.7.0/24", false),
            (K::Network, "198.51.100.0/24", false),
            (K::Domain, "gov.cn", true),
            (K::Domain, "unit.gov.cn", false),
            (K::Domain, "workers.dev", false),
            (K::Url, "gov.cn/x", true),
            (K::Url, "127.0.0.1:8080/x", true),
            (K::Url, "evil.example/x", false),
            (K::Email, "eve@com.cn", true),
            (K::UrlPath, "/", true),
            (K::UrlPath, "/gate.php", false),
            (K::FileName, "a", true),
            (K::FileName, "a.exe", false),
        ] {
            assert_eq!(objection(kind, value).is_some(), refused, "{value}");
        }
    }
}

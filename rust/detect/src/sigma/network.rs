//! Networks of rules, and the addresses of events in them.

use std::net::IpAddr;

use bigsec_event::{Problem, codes};
use ipnet::IpNet;

use super::draft::fault;

/// Reads a network as rules write it: with a prefix, with a mask, or as a single address.
pub(super) fn read(text: &str) -> Result<IpNet, Problem> {
    let network = match text.split_once('/') {
        Some((_, prefix)) if !prefix.contains(['.', ':']) => text.parse().ok(),
        Some((address, mask)) => match (address.parse(), mask.parse()) {
            (Ok(address), Ok(mask)) => IpNet::with_netmask(address, mask).ok(),
            _ => None,
        },
        None => text.parse::<IpAddr>().ok().map(IpNet::from),
    };
    let Some(network) = network else {
        let message = format!("{text:?} is no network");
        return Err(fault(codes::RULE_VALUE, message, "write it as in 192.0.2.0/24"));
    };
    if network.addr() != network.network() {
        let message = format!("{text:?} has bits set beyond its prefix");
        return Err(fault(codes::RULE_VALUE, message, format!("write {}", network.trunc())));
    }
    Ok(network)
}

/// True where the text is an address of the network. An address may have a zone, and an IPv4 one
/// may be written as IPv6.
pub(super) fn has(text: &str, network: &IpNet) -> bool {
    let text = text.trim();
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    let Ok(address) = text.parse::<IpAddr>() else { return false };
    network.contains(&address) || network.contains(&address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_as_rules_write_them() {
        for (text, expected) in [
            ("10.0.0.0/8", Some("10.0.0.0/8")),
            ("192.0.2.7", Some("192.0.2.7/32")),
            ("10.0.0.0/255.0.0.0", Some("10.0.0.0/8")),
            ("fe80::/10", Some("fe80::/10")),
            ("10.0.0.1/8", None),
            ("10.0.0.0/33", None),
            ("10.0.0", None),
            ("", None),
        ] {
            let network = read(text).ok().map(|network| network.to_string());
            assert_eq!(network.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn addresses_are_found_in_networks_however_written() {
        let network = |text: &str| text.parse::<IpNet>().unwrap();
        for (address, of, expected) in [
            ("192.0.2.7", "192.0.2.0/24", true),
            ("::ffff:192.0.2.7", "192.0.2.0/24", true),
            ("192.0.3.7", "192.0.2.0/24", false),
            ("fe80::1%12", "fe80::/10", true),
            ("192.0.2.7:80", "192.0.2.0/24", false),
            ("host", "0.0.0.0/0", false),
            ("::1", "0.0.0.0/0", false),
        ] {
            assert_eq!(has(address, &network(of)), expected, "{address} in {of}");
        }
    }
}

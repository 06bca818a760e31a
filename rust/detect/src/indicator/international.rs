//! Names of hosts in other scripts: their one spelling is that of DNS, `xn--…` (RFC 5891, UTS 46).

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

/// What a label in another script begins with in DNS.
pub(super) const CODED: &str = "xn--";

/// The name as DNS has it, in lower case; only in lower case where DNS cannot have it.
pub(super) fn host(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return Cow::Owned(name.to_ascii_lowercase());
    }
    let uts46 = Uts46::new();
    let (deny, hyphens) = (AsciiDenyList::EMPTY, Hyphens::Allow);
    uts46
        .to_ascii(name.as_bytes(), deny, hyphens, DnsLength::Ignore)
        .unwrap_or_else(|_| Cow::Owned(name.to_lowercase()))
}

/// The same with a port behind it.
pub(super) fn host_with_port(name: &str) -> Cow<'_, str> {
    match name.rsplit_once(':') {
        Some((before, port)) if !name.is_ascii() => Cow::Owned(format!("{}:{port}", host(before))),
        _ => host(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_another_script_is_spelt_as_in_dns() {
        for (name, spelt) in [
            ("EVIL.Example", "evil.example"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("政务.例子.中国", "xn--zfr164b.xn--fsqu00a.xn--fiqs8s"),
            ("Bücher.example", "xn--bcher-kva.example"),
            // Full width, and a letter beside the mark that stands above it.
            ("ｅｖｉｌ.bu\u{308}cher.example", "evil.xn--bcher-kva.example"),
            ("_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example"),
        ] {
            assert_eq!(host(name), spelt);
        }
        assert_eq!(host("\u{FFFD}É.example"), "\u{FFFD}é.example");
        assert_eq!(host_with_port("bücher.example:8080"), "xn--bcher-kva.example:8080");
    }
}

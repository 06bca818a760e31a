//! Tags: ATT&CK techniques and tactics, and vulnerabilities, out of `namespace.name`.

/// The tags of a rule.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tags {
    pub all: Vec<String>,
    pub techniques: Vec<String>,
    pub tactics: Vec<String>,
    pub cves: Vec<String>,
}

impl Tags {
    /// Adds a tag; false where it has no namespace.
    pub fn add(&mut self, tag: &str) -> bool {
        let Some((namespace, name)) = tag.split_once('.') else { return false };
        self.all.push(tag.to_owned());
        let name = name.to_lowercase();
        let (list, value) = match namespace.to_lowercase().as_str() {
            "attack" if numbered(&name, "t") => (&mut self.techniques, name.to_uppercase()),
            // Groups, software, data sources and mitigations are no tactics.
            "attack" if ["g", "s", "ds", "m", "c"].iter().any(|kind| numbered(&name, kind)) => {
                return true;
            }
            "attack" => (&mut self.tactics, name.replace('_', "-")),
            "cve" => match cve(&name) {
                Some(cve) => (&mut self.cves, cve),
                None => return true,
            },
            _ => return true,
        };
        if !list.contains(&value) {
            list.push(value);
        }
        true
    }
}

/// `prefix` and at least four digits, a sub-number allowed: `t1059.001`, `s0002`.
fn numbered(name: &str, prefix: &str) -> bool {
    let Some(number) = name.strip_prefix(prefix) else { return false };
    let (main, sub) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    main.len() == 4 && digits(main) && digits(sub)
}

/// `2021-44228`, `2021.44228` or `cve-2021-44228` as the number of a vulnerability.
fn cve(name: &str) -> Option<String> {
    let name = name.trim_start_matches("cve-").replace('.', "-");
    let (year, number) = name.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (year.len() == 4 && number.len() >= 4 && digits(year) && digits(number))
        .then(|| format!("CVE-{year}-{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_fall_into_their_kinds() {
        let mut tags = Tags::default();
        for tag in [
            "attack.t1059.001",
            "attack.T1059.001",
            "attack.privilege_escalation",
            "attack.command-and-control",
            "attack.g0032",
            "attack.s0154",
            "cve.2021-44228",
            "cve.2021.44228",
            "cve.soon",
            "detection.threat-hunting",
        ] {
            assert!(tags.add(tag), "{tag}");
        }
        assert!(!tags.add("attack"));
        assert_eq!(tags.techniques, ["T1059.001"]);
        assert_eq!(tags.tactics, ["privilege-escalation", "command-and-control"]);
        assert_eq!(tags.cves, ["CVE-2021-44228"]);
        assert_eq!(tags.all.len(), 10);
    }
}

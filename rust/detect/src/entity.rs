//! Who and what an event is about: entities from the vendor's fields, by a data file.

use std::net::IpAddr;
use std::path::Path;

use bigsec_event::{FieldName, FieldSource, Problem, codes};

use crate::yaml::{self, Node, Report};
use bigsec_event::suggest::did_you_mean;

/// An event with more entities than this keeps the first ones.
const MAX_ENTITIES: usize = 32;
/// Longer values are no names of anything.
const MAX_VALUE: usize = 1024;

/// What kind of thing an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntityKind {
    /// An IP address.
    Ip,
    /// An account.
    User,
    /// A machine.
    Host,
    /// A running program, by the path of its image.
    Process,
    /// A file, by its path.
    File,
    /// A DNS name.
    Domain,
    /// The hash of a file, in lower-case hexadecimal.
    Hash,
    /// An address of a web resource.
    Url,
}

impl EntityKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Ip,
        Self::User,
        Self::Host,
        Self::Process,
        Self::File,
        Self::Domain,
        Self::Hash,
        Self::Url,
    ];

    /// The name in the table and in signals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::User => "user",
            Self::Host => "host",
            Self::Process => "process",
            Self::File => "file",
            Self::Domain => "domain",
            Self::Hash => "hash",
            Self::Url => "url",
        }
    }

    /// One spelling for one thing; nothing where the value cannot be such a thing.
    ///
    /// Addresses are in their usual form; hosts, domains and hashes in lower case; the rest as the
    /// source wrote it.
    pub(crate) fn normalise(self, value: &str) -> Option<String> {
        match self {
            Self::Ip => address(value),
            Self::Host | Self::Domain => {
                let name = value.trim_end_matches('.').to_lowercase();
                (!name.is_empty() && name.parse::<IpAddr>().is_err()).then_some(name)
            }
            Self::Hash => {
                let sound = matches!(value.len(), 32 | 40 | 64 | 96 | 128)
                    && value.bytes().all(|byte| byte.is_ascii_hexdigit());
                sound.then(|| value.to_ascii_lowercase())
            }
            Self::User | Self::Process | Self::File | Self::Url => Some(value.to_owned()),
        }
    }
}

fn address(value: &str) -> Option<String> {
    let value = value.split_once('%').map_or(value, |(address, _)| address);
    let address = value.parse::<IpAddr>().ok()?.to_canonical();
    (!address.is_loopback() && !address.is_unspecified()).then(|| address.to_string())
}

/// An entity of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// What kind of thing it is.
    pub kind: EntityKind,
    /// Which one.
    pub value: String,
}

/// Which fields name entities, and which values name nobody.
#[derive(Debug, Clone, Default)]
pub struct Entities {
    kinds: Vec<Named>,
}

#[derive(Debug, Clone)]
struct Named {
    kind: EntityKind,
    fields: Vec<FieldName>,
    /// Lower case.
    skip: Vec<String>,
    /// Lower case.
    skip_endings: Vec<String>,
}

impl Entities {
    /// Reads the table. Any fault refuses the whole table.
    ///
    /// # Errors
    /// All faults of the file, with their places.
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        let file = path.display().to_string();
        match crate::files::read_text(path) {
            Ok(text) => Self::from_text(&file, &text),
            Err(problem) => Err(vec![problem.in_file(file)]),
        }
    }

    /// Reads the table from a text; `name` is what problems call it.
    ///
    /// # Errors
    /// All faults of the text, with their places.
    pub fn from_text(name: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let mut report = Report::new(name, text);
        let documents = yaml::parse(&mut report);
        let mut entities = Self::default();
        for entry in documents.iter().flat_map(Node::entries) {
            let known = EntityKind::ALL.map(EntityKind::as_str);
            let kind = EntityKind::ALL.into_iter().find(|kind| kind.as_str() == &*entry.key);
            if let Some(kind) = kind {
                entities.kinds.push(read_kind(kind, &entry.value, &mut report));
                continue;
            }
            let message = format!("{:?} is no kind of entity", entry.key);
            let mend = did_you_mean(&entry.key, known, known.join(", "));
            report.fault(entry.key_span, codes::RULE_STRUCTURE, message, mend);
        }
        if report.len() > 0 { Err(report.into_problems()) } else { Ok(entities) }
    }

    /// The entities of an event, each once, in the order of the table.
    pub fn of(&self, source: &dyn FieldSource) -> Vec<Entity> {
        let mut found: Vec<Entity> = Vec::new();
        for kind in &self.kinds {
            for field in &kind.fields {
                source.visit(field, &mut |value| {
                    if value.kind.has_text() && value.text.len() <= MAX_VALUE {
                        kind.collect(value.text, &mut found);
                    }
                    found.len() >= MAX_ENTITIES
                });
            }
        }
        found
    }
}

impl Named {
    fn collect(&self, text: &str, found: &mut Vec<Entity>) {
        // Sysmon writes several hashes into one field: `SHA256=…,IMPHASH=…`.
        let separator: &[char] = if self.kind == EntityKind::Hash { &[',', ';'] } else { &[] };
        for part in text.split(separator) {
            let part = match self.kind {
                EntityKind::Hash => part.rsplit('=').next().unwrap_or(part),
                _ => part,
            };
            let value = part.trim();
            if self.is_nobody(value) || found.len() >= MAX_ENTITIES {
                continue;
            }
            let Some(value) = self.kind.normalise(value) else { continue };
            let entity = Entity { kind: self.kind, value };
            if !found.contains(&entity) {
                found.push(entity);
            }
        }
    }

    /// True for what stands where there is nobody to name; a domain before the name does not count.
    fn is_nobody(&self, value: &str) -> bool {
        let value = value.to_lowercase();
        let name = value.rsplit('\\').next().unwrap_or(&value);
        value.is_empty()
            || self.skip.iter().any(|skip| skip == name || *skip == value)
            || self.skip_endings.iter().any(|ending| name.ends_with(ending.as_str()))
    }
}

fn read_kind(kind: EntityKind, node: &Node, report: &mut Report<'_>) -> Named {
    const KEYS: [&str; 3] = ["fields", "skip", "skip_endings"];
    for entry in node.entries().iter().filter(|entry| !KEYS.contains(&&*entry.key)) {
        let message = format!("the key {:?} is unknown here", entry.key);
        let mend = did_you_mean(&entry.key, KEYS, KEYS.join(", "));
        report.fault(entry.key_span, codes::RULE_STRUCTURE, message, mend);
    }
    let texts = |key| {
        let items = node.get(key).map_or(&[][..], Node::as_list);
        items.iter().filter_map(Node::scalar_text)
    };
    let fields: Vec<FieldName> = texts("fields").map(FieldName::new).collect();
    if fields.is_empty() {
        let message = format!("no field names a {}", kind.as_str());
        report.fault(node.span, codes::RULE_STRUCTURE, message, "add `fields`");
    }
    let lower = |key| texts(key).map(str::to_lowercase).collect();
    Named { kind, fields, skip: lower("skip"), skip_endings: lower("skip_endings") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bigsec_event::Record;

    const TABLE: &str = "
user: {fields: [User, Target User Name], skip: ['-', SYSTEM], skip_endings: ['$']}
ip: {fields: [IpAddress], skip: ['-']}
hash: {fields: [Hashes]}
host: {fields: [Computer]}
";

    #[test]
    fn entities_are_named_once_and_nobody_is_not_named() {
        let entities = Entities::from_text("t", TABLE).unwrap();
        let mut record = Record::new();
        for (name, value) in [
            ("TargetUserName", "alice"),
            ("User", r"NT AUTHORITY\SYSTEM"),
            ("User", r"CORP\alice"),
            ("User", "WS01$"),
            ("User", "alice"),
            ("IpAddress", "::ffff:192.0.2.7"),
            ("IpAddress", "127.0.0.1"),
            ("IpAddress", "fe80::1%4"),
            ("IpAddress", "-"),
            ("IpAddress", "not an address"),
            ("Hashes", "MD5=0123456789ABCDEF0123456789ABCDEF,IMPHASH=00"),
            ("Computer", "DC01.Example.COM."),
            ("Computer", "192.0.2.8"),
        ] {
            record.push(name, value, bigsec_event::Kind::String);
        }
        let found: Vec<_> = entities
            .of(&record)
            .into_iter()
            .map(|entity| format!("{} {}", entity.kind.as_str(), entity.value))
            .collect();
        let expected = [
            r"user CORP\alice",
            "user alice",
            "ip 192.0.2.7",
            "ip fe80::1",
            "hash 0123456789abcdef0123456789abcdef",
            "host dc01.example.com",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn faults_of_the_table_are_all_named() {
        let problems =
            Entities::from_text("t", "usr: {fields: [a]}\nip: {field: [a]}\n").unwrap_err();
        let mends: Vec<_> = problems.iter().map(|problem| problem.mend.as_str()).collect();
        assert_eq!(mends, ["did you mean \"user\"?", "add `fields`", "did you mean \"fields\"?"]);
    }
}

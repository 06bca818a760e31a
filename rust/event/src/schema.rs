//! The event schema: OCSF names and nesting as an Arrow schema, one table of leaves.
//!
//! What the lake partitions or prunes on stands at the top level; everything else nests as OCSF
//! has it. Changes are additive. No unsigned types: engines that read Parquet disagree on them.
//! `docs/reference/events.md` is generated from [`LEAVES`].

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

/// The version of this schema, stored in every file under `bigsec.schema_version`.
pub const SCHEMA_VERSION: u32 = 1;
/// The OCSF release whose names, classes and numbers are used.
pub const OCSF_VERSION: &str = "1.6.0";
/// Metadata key of the schema version.
pub const VERSION_KEY: &str = "bigsec.schema_version";
/// Metadata key of the OCSF version.
pub const OCSF_KEY: &str = "bigsec.ocsf_version";
/// Metadata key of one field map; its id follows.
pub const FIELD_MAP_KEY_PREFIX: &str = "bigsec.field_map.";

/// The type of a leaf, and who may fill it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeafType {
    /// An [`EventId`](crate::EventId), 16 bytes.
    Id,
    /// Several event ids.
    IdList,
    /// µs since 1970, UTC.
    Time,
    /// Small number of a closed list.
    Int8,
    /// Number.
    Int16,
    /// Number.
    Int32,
    /// Number.
    Int64,
    /// Text.
    Text,
    /// An IPv4 or IPv6 address in its canonical text form (RFC 5952 for IPv6).
    Ip,
    /// `true` or `false`.
    Boolean,
    /// What no column takes: name, value and kind in the record's order.
    Unmapped,
}

/// One leaf of the schema.
#[derive(Debug)]
pub struct Leaf {
    /// Dotted path, as filters and packs write it.
    pub path: &'static str,
    /// Type.
    pub leaf_type: LeafType,
    /// Filled by the platform itself: no pack may write it.
    pub own: bool,
    /// Top-level copy of this leaf that is filled with it (the first one wins).
    pub copied_to: Option<&'static str>,
    /// What it holds.
    pub about: &'static str,
}

const fn own(path: &'static str, leaf_type: LeafType, about: &'static str) -> Leaf {
    Leaf { path, leaf_type, own: true, copied_to: None, about }
}

const fn leaf(path: &'static str, leaf_type: LeafType, about: &'static str) -> Leaf {
    Leaf { path, leaf_type, own: false, copied_to: None, about }
}

const fn copied(
    path: &'static str,
    leaf_type: LeafType,
    to: &'static str,
    about: &'static str,
) -> Leaf {
    Leaf { path, leaf_type, own: false, copied_to: Some(to), about }
}

use LeafType::{Boolean, Id, IdList, Int8, Int16, Int32, Int64, Ip, Text, Time, Unmapped};

/// Every leaf in the order of the columns. Leaves of one struct stand together.
pub const LEAVES: &[Leaf] = &[
    own("event_id", Id, "Identity for ever: origin, key, position, sub-index."),
    own(
        "time",
        Time,
        "When it happened, by the device's own clock; null where the record has none.",
    ),
    own(
        "time_effective",
        Time,
        "`time` where it is believable, else `time_received`: sort and prune on this.",
    ),
    own(
        "time_received",
        Time,
        "When the record reached us; for a file read in place its time of change.",
    ),
    leaf("class_uid", Int32, "OCSF class; 0 where the record is of no known class."),
    leaf(
        "severity_id",
        Int8,
        "OCSF severity: 0 unknown, 1 informational, 2 low, 3 medium, 4 high, 5 critical, 6 fatal.",
    ),
    own("src_ip", Ip, "Copy of `src_endpoint.ip`, to prune on."),
    own("dst_ip", Ip, "Copy of `dst_endpoint.ip`, to prune on."),
    own("user_name", Text, "Copy of `user.name` or `actor.user.name`, to prune on."),
    own("source", Text, "Name of the source: the configured one, or the file's name."),
    own("parser", Text, "Id of the parser pack; `none` where nothing could read the record."),
    own(
        "field_map",
        Text,
        "Id of the field map that says which vendor field stands in which column.",
    ),
    own(
        "tz_offset_min",
        Int16,
        "The device's offset from UTC in minutes, where the record or the source says it.",
    ),
    leaf("activity_id", Int16, "OCSF activity within the class."),
    leaf("status_id", Int8, "OCSF status: 1 success, 2 failure."),
    leaf("disposition_id", Int16, "OCSF disposition: 1 allowed, 2 blocked."),
    leaf("status", Text, "Status in the device's own words."),
    leaf("status_code", Text, "Status in the device's own code."),
    leaf("status_detail", Text, "Why, in the device's own words."),
    leaf("message", Text, "The record's message for people."),
    leaf("metadata.event_code", Text, "The device's own id of this kind of event."),
    leaf("metadata.log_name", Text, "Channel, file or path the device wrote it to."),
    leaf("metadata.log_provider", Text, "The program or provider that wrote it."),
    leaf("metadata.original_time", Text, "The device's time as it wrote it."),
    leaf("metadata.uid", Text, "The device's own number of this record."),
    leaf(
        "metadata.product_name",
        Text,
        "Product that made the record (OCSF metadata.product.name).",
    ),
    leaf("metadata.product_vendor", Text, "Its vendor (OCSF metadata.product.vendor_name)."),
    leaf("metadata.version", Text, "Version of the record's own layout."),
    own("metadata.encoding", Text, "Encoding of the raw bytes where it was not UTF-8."),
    own(
        "metadata.continued",
        Boolean,
        "True where the record is the rest of one that exceeded the record limit.",
    ),
    leaf("device.hostname", Text, "Host that the event happened on."),
    leaf("device.ip", Ip, "Its address."),
    leaf("src_endpoint.hostname", Text, "Name of the host that acts."),
    copied("src_endpoint.ip", Ip, "src_ip", "Address of the host that acts."),
    leaf("src_endpoint.port", Int32, "Its port."),
    leaf("src_endpoint.mac", Text, "Its hardware address."),
    leaf("dst_endpoint.hostname", Text, "Name of the host acted on."),
    copied("dst_endpoint.ip", Ip, "dst_ip", "Address of the host acted on."),
    leaf("dst_endpoint.port", Int32, "Its port."),
    leaf("dst_endpoint.mac", Text, "Its hardware address."),
    leaf("proxy_endpoint.ip", Ip, "Address of the proxy in between."),
    copied("user.name", Text, "user_name", "Account the event is about."),
    leaf("user.uid", Text, "Its id (SID, uid)."),
    leaf("user.domain", Text, "Its domain."),
    copied("actor.user.name", Text, "user_name", "Account that acts."),
    leaf("actor.user.uid", Text, "Its id (SID, uid)."),
    leaf("actor.user.domain", Text, "Its domain."),
    leaf("actor.process.name", Text, "Program that acts."),
    leaf("actor.process.path", Text, "Its file (OCSF actor.process.file.path)."),
    leaf("actor.process.pid", Int64, "Its process id."),
    leaf("actor.process.uid", Text, "Its unique id."),
    leaf("actor.process.cmd_line", Text, "Its command line."),
    leaf("actor.session.uid", Text, "Log-on or terminal session it acts in."),
    leaf("process.name", Text, "Process the event is about."),
    leaf("process.path", Text, "Its file (OCSF process.file.path)."),
    leaf("process.pid", Int64, "Its process id."),
    leaf("process.uid", Text, "Its unique id."),
    leaf("process.cmd_line", Text, "Its command line."),
    leaf("process.working_directory", Text, "Folder it runs in."),
    leaf("process.integrity", Text, "Windows integrity level."),
    leaf("process.hashes", Text, "Hashes of its file as the device wrote them."),
    leaf("process.original_name", Text, "Name in the file's version resource."),
    leaf("process.parent_process.name", Text, "Its parent."),
    leaf("process.parent_process.path", Text, "File of the parent."),
    leaf("process.parent_process.pid", Int64, "Process id of the parent."),
    leaf("process.parent_process.uid", Text, "Unique id of the parent."),
    leaf("process.parent_process.cmd_line", Text, "Command line of the parent."),
    leaf("file.name", Text, "File the event is about."),
    leaf("file.path", Text, "Its full path."),
    leaf("file.size", Int64, "Its size in bytes."),
    leaf("file.hashes", Text, "Its hashes as the device wrote them."),
    leaf("file.mime_type", Text, "Its media type."),
    leaf("module.path", Text, "Library or driver that was loaded (OCSF module.file.path)."),
    leaf("module.hashes", Text, "Its hashes as the device wrote them."),
    leaf("registry.key", Text, "Windows registry key (OCSF reg_key.path)."),
    leaf("registry.value", Text, "Registry data written (OCSF reg_value.data)."),
    leaf("service.name", Text, "Service the event is about."),
    leaf("service.path", Text, "Command or file of the service."),
    leaf("job.name", Text, "Scheduled job the event is about."),
    leaf("job.cmd_line", Text, "What the job runs."),
    leaf("script.content", Text, "Script text (OCSF script.script_content)."),
    leaf("connection_info.protocol_name", Text, "Transport protocol, lower case."),
    leaf("connection_info.direction", Text, "Direction in the device's words."),
    leaf("connection_info.uid", Text, "The device's id of the connection."),
    leaf("connection_info.community_uid", Text, "Community ID of the flow."),
    leaf("connection_info.state", Text, "State of the connection in the device's words."),
    leaf("traffic.bytes_in", Int64, "Bytes from the acted-on host to the actor."),
    leaf("traffic.bytes_out", Int64, "Bytes from the actor to the acted-on host."),
    leaf("traffic.packets_in", Int64, "Packets from the acted-on host to the actor."),
    leaf("traffic.packets_out", Int64, "Packets from the actor to the acted-on host."),
    leaf("app_name", Text, "Application protocol or program in the device's words."),
    leaf("duration_us", Int64, "How long it took, in µs."),
    leaf("http_request.http_method", Text, "HTTP method."),
    leaf("http_request.url.text", Text, "URL as requested (OCSF url.url_string)."),
    leaf("http_request.url.hostname", Text, "Host part of the URL or the Host header."),
    leaf("http_request.url.path", Text, "Path part."),
    leaf("http_request.url.query", Text, "Query part (OCSF url.query_string)."),
    leaf("http_request.url.port", Int32, "Port part."),
    leaf("http_request.user_agent", Text, "User-Agent header."),
    leaf("http_request.referrer", Text, "Referer header."),
    leaf("http_request.version", Text, "HTTP version."),
    leaf("http_request.length", Int64, "Length of the request body in bytes."),
    leaf("http_request.x_forwarded_for", Text, "X-Forwarded-For header as sent."),
    leaf("http_response.code", Int32, "HTTP status code."),
    leaf("http_response.length", Int64, "Length of the response in bytes."),
    leaf("http_response.content_type", Text, "Media type of the response."),
    leaf("query.hostname", Text, "Name asked for (DNS)."),
    leaf("query.type", Text, "Record type asked for (DNS)."),
    leaf("query.class", Text, "Class asked for (DNS)."),
    leaf("answer.text", Text, "First answer (DNS); all of them stand in `unmapped`."),
    leaf("rcode", Text, "Response code (DNS)."),
    leaf("tls.version", Text, "TLS version."),
    leaf("tls.cipher", Text, "Cipher suite."),
    leaf("tls.sni", Text, "Server name asked for."),
    leaf("tls.ja3", Text, "JA3 hash of the client."),
    leaf("tls.ja3s", Text, "JA3S hash of the server."),
    leaf("certificate.subject", Text, "Subject of the certificate."),
    leaf("certificate.issuer", Text, "Issuer of the certificate."),
    leaf("certificate.serial_number", Text, "Serial number of the certificate."),
    leaf("certificate.fingerprint", Text, "Fingerprint of the certificate."),
    leaf("auth_protocol", Text, "How the account proved itself."),
    leaf("logon_type", Text, "Kind of log-on in the device's code."),
    leaf("finding.title", Text, "Title of the device's own finding (OCSF finding_info.title)."),
    leaf("finding.uid", Text, "Id of the signature behind it."),
    leaf("finding.category", Text, "Category in the device's words."),
    leaf("finding.severity", Text, "Severity in the device's words."),
    leaf("finding.action", Text, "What the device did about it."),
    leaf("email.from", Text, "Sender of the mail."),
    leaf("email.to", Text, "First recipient of the mail."),
    leaf("email.subject", Text, "Subject of the mail."),
    leaf("api.operation", Text, "API operation called."),
    leaf("api.service", Text, "API called (OCSF api.service.name)."),
    leaf("cloud.account", Text, "Cloud account (OCSF cloud.account.uid)."),
    leaf("cloud.region", Text, "Cloud region."),
    own("record_ids", IdList, "Ids of all records where several were joined into this event."),
    own("unmapped", Unmapped, "Everything no column takes, in the record's order."),
    own("raw_data", Text, "The record's text, where it is kept beside the event."),
];

/// Index of a leaf by its path.
pub fn leaf_index(path: &str) -> Option<u16> {
    static INDEX: LazyLock<HashMap<&'static str, u16>> = LazyLock::new(|| {
        LEAVES.iter().enumerate().map(|(i, leaf)| (leaf.path, i as u16)).collect()
    });
    INDEX.get(path).copied()
}

/// The Arrow fields of one element of `unmapped`.
pub fn unmapped_fields() -> Fields {
    Fields::from(vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, true),
        Field::new("kind", DataType::Int8, false),
    ])
}

/// The Arrow type of a leaf.
pub fn arrow_type(leaf_type: LeafType) -> DataType {
    match leaf_type {
        Id => DataType::FixedSizeBinary(16),
        IdList => {
            DataType::List(Arc::new(Field::new_list_field(DataType::FixedSizeBinary(16), false)))
        }
        Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Int8 => DataType::Int8,
        Int16 => DataType::Int16,
        Int32 => DataType::Int32,
        Int64 => DataType::Int64,
        Text | Ip => DataType::Utf8,
        Boolean => DataType::Boolean,
        Unmapped => DataType::List(Arc::new(Field::new_list_field(
            DataType::Struct(unmapped_fields()),
            false,
        ))),
    }
}

/// The Arrow schema of an event batch, without field maps in its metadata.
pub fn event_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let metadata = HashMap::from([
            (VERSION_KEY.to_owned(), SCHEMA_VERSION.to_string()),
            (OCSF_KEY.to_owned(), OCSF_VERSION.to_owned()),
        ]);
        Arc::new(Schema::new(fields_of(&tree())).with_metadata(metadata))
    });
    Arc::clone(&SCHEMA)
}

/// A column: a leaf, or a struct of columns.
#[derive(Debug)]
pub(crate) enum Node {
    Leaf(&'static str, u16),
    Struct(&'static str, Vec<Node>),
}

/// The leaves folded into nested columns, in their order.
pub(crate) fn tree() -> Vec<Node> {
    let mut roots = Vec::new();
    for (index, leaf) in LEAVES.iter().enumerate() {
        insert(&mut roots, leaf.path, index as u16);
    }
    roots
}

fn insert(nodes: &mut Vec<Node>, path: &'static str, index: u16) {
    let Some((head, rest)) = path.split_once('.') else {
        nodes.push(Node::Leaf(path, index));
        return;
    };
    for node in nodes.iter_mut() {
        if let Node::Struct(name, children) = node
            && *name == head
        {
            insert(children, rest, index);
            return;
        }
    }
    let mut children = Vec::new();
    insert(&mut children, rest, index);
    nodes.push(Node::Struct(head, children));
}

pub(crate) fn fields_of(nodes: &[Node]) -> Fields {
    nodes
        .iter()
        .map(|node| match node {
            Node::Leaf(name, index) => {
                let leaf = &LEAVES[*index as usize];
                let nullable =
                    !matches!(leaf.path, "event_id" | "time_effective" | "time_received");
                Field::new(*name, arrow_type(leaf.leaf_type), nullable)
            }
            Node::Struct(name, children) => {
                Field::new(*name, DataType::Struct(fields_of(children)), true)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_unique_and_copies_exist_and_are_own() {
        let mut seen = std::collections::HashSet::new();
        for leaf in LEAVES {
            assert!(seen.insert(leaf.path), "{} twice", leaf.path);
            if let Some(to) = leaf.copied_to {
                let target = &LEAVES[leaf_index(to).expect(to) as usize];
                assert!(target.own && target.leaf_type == leaf.leaf_type, "{to}");
            }
        }
    }

    #[test]
    fn what_the_lake_prunes_on_is_at_the_top_level() {
        let schema = event_schema();
        for name in [
            "event_id",
            "time",
            "time_effective",
            "time_received",
            "class_uid",
            "severity_id",
            "src_ip",
            "dst_ip",
            "user_name",
            "source",
            "parser",
            "field_map",
        ] {
            let field = schema.field_with_name(name).expect(name);
            assert!(!field.data_type().is_nested(), "{name}");
        }
    }

    #[test]
    fn no_column_is_unsigned() {
        fn check(fields: &Fields) {
            for field in fields {
                match field.data_type() {
                    DataType::Struct(inner) => check(inner),
                    DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
                        panic!("{} is unsigned", field.name())
                    }
                    _ => {}
                }
            }
        }
        check(event_schema().fields());
    }
}

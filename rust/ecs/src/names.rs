//! Which column of the event schema has which name in ECS.

/// Columns with one name in ECS, whatever else the event says.
pub(crate) const NAMES: &[(&str, &str)] = &[
    ("message", "message"),
    ("status_detail", "event.reason"),
    ("metadata.event_code", "event.code"),
    ("metadata.log_provider", "event.provider"),
    ("metadata.uid", "event.id"),
    ("metadata.product_name", "observer.product"),
    ("metadata.product_vendor", "observer.vendor"),
    ("metadata.version", "observer.version"),
    ("device.hostname", "host.name"),
    ("device.ip", "host.ip"),
    ("src_endpoint.hostname", "source.domain"),
    ("src_endpoint.ip", "source.ip"),
    ("src_endpoint.port", "source.port"),
    ("src_endpoint.mac", "source.mac"),
    ("dst_endpoint.hostname", "destination.domain"),
    ("dst_endpoint.ip", "destination.ip"),
    ("dst_endpoint.port", "destination.port"),
    ("dst_endpoint.mac", "destination.mac"),
    ("proxy_endpoint.ip", "observer.ip"),
    ("process.parent_process.name", "process.parent.name"),
    ("process.parent_process.path", "process.parent.executable"),
    ("process.parent_process.pid", "process.parent.pid"),
    ("process.parent_process.uid", "process.parent.entity_id"),
    ("process.parent_process.cmd_line", "process.parent.command_line"),
    ("process.working_directory", "process.working_directory"),
    ("process.original_name", "process.pe.original_file_name"),
    ("file.name", "file.name"),
    ("file.path", "file.path"),
    ("file.size", "file.size"),
    ("file.mime_type", "file.mime_type"),
    ("module.path", "dll.path"),
    ("registry.key", "registry.path"),
    ("registry.value", "registry.data.strings"),
    ("service.name", "service.name"),
    ("script.content", "powershell.file.script_block_text"),
    ("connection_info.direction", "network.direction"),
    ("connection_info.community_uid", "network.community_id"),
    ("traffic.bytes_in", "destination.bytes"),
    ("traffic.bytes_out", "source.bytes"),
    ("traffic.packets_in", "destination.packets"),
    ("traffic.packets_out", "source.packets"),
    ("app_name", "network.application"),
    ("http_request.http_method", "http.request.method"),
    ("http_request.url.text", "url.original"),
    ("http_request.url.hostname", "url.domain"),
    ("http_request.url.path", "url.path"),
    ("http_request.url.query", "url.query"),
    ("http_request.url.port", "url.port"),
    ("http_request.user_agent", "user_agent.original"),
    ("http_request.referrer", "http.request.referrer"),
    ("http_request.version", "http.version"),
    ("http_request.length", "http.request.body.bytes"),
    ("http_request.x_forwarded_for", "network.forwarded_ip"),
    ("http_response.code", "http.response.status_code"),
    ("http_response.length", "http.response.bytes"),
    ("http_response.content_type", "http.response.mime_type"),
    ("query.hostname", "dns.question.name"),
    ("query.type", "dns.question.type"),
    ("query.class", "dns.question.class"),
    ("answer.text", "dns.answers.data"),
    ("rcode", "dns.response_code"),
    ("tls.version", "tls.version"),
    ("tls.cipher", "tls.cipher"),
    ("tls.sni", "tls.client.server_name"),
    ("tls.ja3", "tls.client.ja3"),
    ("tls.ja3s", "tls.server.ja3s"),
    ("certificate.subject", "tls.server.subject"),
    ("certificate.issuer", "tls.server.issuer"),
    ("certificate.serial_number", "tls.server.x509.serial_number"),
    ("finding.title", "rule.name"),
    ("finding.uid", "rule.id"),
    ("finding.category", "rule.category"),
    ("finding.action", "event.action"),
    ("email.from", "email.from.address"),
    ("email.to", "email.to.address"),
    ("email.subject", "email.subject"),
    ("api.operation", "event.action"),
    ("api.service", "cloud.service.name"),
    ("cloud.account", "cloud.account.id"),
    ("cloud.region", "cloud.region"),
];

/// Columns of a process below `actor.process` and `process`, and its names below `process` or
/// `process.parent` in ECS.
pub(crate) const PROCESS: &[(&str, &str)] = &[
    ("name", "name"),
    ("path", "executable"),
    ("pid", "pid"),
    ("uid", "entity_id"),
    ("cmd_line", "command_line"),
];

/// Columns of hashes as the device wrote them, and whose they are.
pub(crate) const HASHES: &[(&str, &str)] = &[
    ("process.hashes", "process.hash"),
    ("file.hashes", "file.hash"),
    ("module.hashes", "dll.hash"),
];

/// Names whose value is a host's name, of which the registered domain is told.
pub(crate) const HOSTS: &[&str] = &[
    "source.domain",
    "destination.domain",
    "url.domain",
    "dns.question.name",
    "tls.client.server_name",
];

/// Application protocols: what a device calls its application is one of these, or a program.
pub(crate) const PROTOCOLS: &[&str] = &[
    "http", "https", "dns", "ssl", "tls", "ssh", "smtp", "smtps", "ftp", "ftps", "sftp", "tftp",
    "ldap", "ldaps", "kerberos", "rdp", "ms-rdp", "smb", "nfs", "ntp", "snmp", "imap", "imaps",
    "pop3", "pop3s", "sip", "telnet", "dhcp", "icmp", "ping", "mysql", "quic", "radius", "syslog",
    "modbus", "dnp3", "mqtt", "http/1.0", "http/1.1", "http/2", "http2",
];

/// `event.category` of an OCSF class. Source: ECS's categorization fields.
pub(crate) fn category(class_uid: i64) -> Option<&'static str> {
    Some(match class_uid {
        1001 | 1005 => "file",
        1006 | 1007 => "process",
        201_001 | 201_002 => "registry",
        2004 | 2001 | 2002 => "intrusion_detection",
        3001 | 3006 => "iam",
        3002 | 3003 => "authentication",
        4001 | 4003 | 4004 => "network",
        4002 => "web",
        4009 => "email",
        6003 | 6005 => "database",
        _ => return None,
    })
}

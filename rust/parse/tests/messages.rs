//! A message of its own format within a syslog record.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod support;

use bigsec_event::FieldName;
use bigsec_parse::{Outcome, Parsed};
use support::{RECEIVED_US, packs, parse_one, parser_of};

/// (message, pack, a field of it, its value)
const MESSAGES: [(&str, &str, &str, &str); 8] = [
    ("CEF:0|a|b|c|d|e|5|src=192.0.2.7", "cef", "src", "192.0.2.7"),
    ("LEEF:1.0|a|b|c|d|src=192.0.2.7", "leef", "src", "192.0.2.7"),
    ("a=1 b=2 c=3 hostname=inner", "key_value", "hostname", "inner"),
    (r#"{"message": "inner", "pid": 1}"#, "json", "message", "inner"),
    (r#"@cee: {"message": "inner"}"#, "json", "message", "inner"),
    (
        r#"{"timestamp": "2026-01-09T03:04:05+0000", "event_type": "dns", "flow_id": 1}"#,
        "suricata",
        "event_type",
        "dns",
    ),
    (
        r#"{"EventID": 1, "Channel": "Security", "Hostname": "inner"}"#,
        "windows_event",
        "Hostname",
        "inner",
    ),
    ("type=CWD msg=audit(1.2:3): cwd=\"/x\"", "auditd", "cwd", "/x"),
];

fn field(parsed: &Parsed, name: &str) -> Option<String> {
    parsed.record.get(&FieldName::new(name)).map(|value| value.text.to_owned())
}

#[test]
fn headers_of_every_kind_keep_their_fields_beside_those_of_the_message() {
    let packs = packs();
    for (message, pack, name, value) in MESSAGES {
        for header in [
            "<134>1 2026-01-09T03:04:05Z outer app 77 - - ",
            "<134>1 2026-01-09T03:04:05Z outer app 77 - [x@1 y=\"z\"] \u{feff}",
            "<134>Jan  9 03:04:05 outer app[77]: ",
            "Jan  9 03:04:05 outer ",
            "2026-01-09T03:04:05Z outer ",
        ] {
            let raw = format!("{header}{message}");
            let (outcome, parsed) = parse_one(&packs, raw.as_bytes());
            assert_eq!((outcome, &**parsed.record.parser_id()), (Outcome::Event, pack), "{raw}");
            assert_eq!(field(&parsed, name).as_deref(), Some(value), "{raw}");
            assert_eq!(field(&parsed, "syslog.hostname").as_deref(), Some("outer"), "{raw}");
            assert!(parsed.time_us.is_some(), "{raw}");
            if header.contains("77") {
                assert_eq!(field(&parsed, "syslog.pid").as_deref(), Some("77"), "{raw}");
            }
        }
    }
}

#[test]
fn without_host_or_time_the_message_is_found_too() {
    let packs = packs();
    for header in ["<134>", "<134>Jan  9 03:04:05 ", "Jan  9 03:04:05 ", "2026-01-09T03:04:05Z "] {
        for (message, pack, name, value) in &MESSAGES[..4] {
            let raw = format!("{header}{message}");
            let (_, parsed) = parse_one(&packs, raw.as_bytes());
            assert_eq!(&**parsed.record.parser_id(), *pack, "{raw}");
            assert_eq!(field(&parsed, name).as_deref(), Some(*value), "{raw}");
            assert_eq!(field(&parsed, "syslog.hostname"), None, "{raw}");
        }
    }
}

#[test]
fn an_access_log_is_a_message_too() {
    let line = "192.0.2.7 - - [09/Jan/2026:11:04:05 +0800] \"GET / HTTP/1.1\" 200 1";
    for header in ["<134>Jan  9 03:04:05 outer nginx: ", "<134>1 - outer httpd 77 - - "] {
        let (_, parsed) = parse_one(&packs(), format!("{header}{line}").as_bytes());
        assert_eq!(&**parsed.record.parser_id(), "apache_access");
        assert_eq!(field(&parsed, "c-ip").as_deref(), Some("192.0.2.7"));
        assert_eq!(parsed.column("device.hostname"), Some("outer"));
    }
}

#[test]
fn a_pack_that_knows_the_header_comes_before_the_message() {
    let (_, parsed) = parse_one(&packs(), b"Jan  9 03:04:05 h sudo: a=1 b=2 c=3");
    assert_eq!(&**parsed.record.parser_id(), "linux_auth");
    assert_eq!(field(&parsed, "message").as_deref(), Some("a=1 b=2 c=3"));
}

#[test]
fn a_broken_message_leaves_plain_syslog() {
    let packs = packs();
    for message in ["CEF:0|a|b", r#"{"cut": "#, "a=1 b=2", "LEEF:1.0|", "{}x", "type=A msg=audit(1"]
    {
        let (outcome, parsed) =
            parse_one(&packs, format!("<13>Jan  9 03:04:05 h {message}").as_bytes());
        assert_eq!(
            (outcome, &**parsed.record.parser_id()),
            (Outcome::Event, "syslog"),
            "{message}"
        );
        assert_eq!(field(&parsed, "message").as_deref(), Some(message));
        assert_eq!(field(&parsed, "hostname").as_deref(), Some("h"));
        assert_eq!(parsed.record.len(), 5, "{message}");
    }
}

#[test]
fn a_named_format_is_found_within_syslog_too() {
    let packs = packs();
    let mut parsed = Parsed::new();
    let line = b"<13>Jan  9 03:04:05 h a=1 b=2 c=3";
    for (format, raw) in [("key_value", &line[..]), ("fortigate", line), ("key_value", &line[22..])]
    {
        let outcome = parser_of(&packs, Some(format)).parse(raw, RECEIVED_US, &mut parsed);
        assert_eq!((outcome, &**parsed.record.parser_id()), (Outcome::Event, format));
        assert_eq!(field(&parsed, "b").as_deref(), Some("2"));
    }
}

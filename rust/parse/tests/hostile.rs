//! Bad records keep their text and get a reason; nothing stops, nothing takes for ever.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod support;

use std::time::Duration;

use bigsec_event::{FieldName, Kind, codes};
use bigsec_parse::{Outcome, ParseOptions, Parsed, Parser};
use support::{RECEIVED_US, fields, packs, parse_one, parser, parser_of};

/// The size of the longest records here.
const SIZE: usize = 50 * 1024 * 1024;
/// Far above what any of these needs, in a debug build under load.
const LONG: Duration = Duration::from_secs(40);

/// What this thread has had of a processor: other work on the machine does not count.
fn processor_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let ns = told.split(' ').next().and_then(|ns| ns.parse().ok());
    Duration::from_nanos(ns.expect("it begins with nanoseconds"))
}

#[test]
fn truncated_and_malformed_json_say_where() {
    let packs = packs();
    for (raw, code, offset) in [
        (r#"{"a": 1, "b": "tru"#, codes::PARSE_TRUNCATED, 18),
        (r#"{"a": 1, "b": }"#, codes::PARSE_MALFORMED, 14),
        (r#"{"a": 1} x"#, codes::PARSE_MALFORMED, 9),
        (r#"{"a": 01}"#, codes::PARSE_MALFORMED, 7),
        (r#"{"a": "\x"}"#, codes::PARSE_MALFORMED, 8),
        (r#"{"a" 1}"#, codes::PARSE_MALFORMED, 5),
        ("{", codes::PARSE_TRUNCATED, 1),
    ] {
        let (outcome, parsed) = parse_one(&packs, raw.as_bytes());
        assert_eq!(outcome, Outcome::Unparsed(code), "{raw}");
        assert_eq!(parsed.offset, Some(offset), "{raw}");
        assert_eq!(parsed.record.text(), raw);
    }
}

#[test]
fn nesting_and_fields_have_limits() {
    let packs = packs();
    let nested = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    assert_eq!(parse_one(&packs, nested(64).as_bytes()).0, Outcome::Event);
    let (outcome, _) = parse_one(&packs, nested(65).as_bytes());
    assert_eq!(outcome, Outcome::Unparsed(codes::PARSE_TOO_DEEP));
    let bomb = "{\"a\":".repeat(1_000_000);
    assert_eq!(parse_one(&packs, bomb.as_bytes()).0, Outcome::Unparsed(codes::PARSE_TOO_DEEP));
    let lists = format!("{{\"a\":{}", "[".repeat(1_000_000));
    assert_eq!(parse_one(&packs, lists.as_bytes()).0, Outcome::Unparsed(codes::PARSE_TOO_DEEP));

    let list = |count: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(count - 1));
    assert_eq!(parse_one(&packs, list(10_000).as_bytes()).0, Outcome::Event);
    let (outcome, _) = parse_one(&packs, list(10_001).as_bytes());
    assert_eq!(outcome, Outcome::Unparsed(codes::PARSE_TOO_MANY_FIELDS));
}

#[test]
fn duplicate_keys_and_number_texts_stay() {
    let (_, parsed) = parse_one(&packs(), br#"{"a": 1.50, "a": "x", "a": 1e400, "b": -0}"#);
    let expected = [
        ("a", "1.50", Kind::Number),
        ("a", "x", Kind::String),
        ("a", "1e400", Kind::Number),
        ("b", "-0", Kind::Number),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(name, text, kind)| ((*name).into(), (*text).into(), *kind)).collect();
    assert_eq!(fields(&parsed), expected);
}

#[test]
fn odd_bytes_are_read_and_said_to_be_odd() {
    let packs = packs();
    let (outcome, parsed) = parse_one(&packs, b"{\"user\": \"a\xFFb\"}");
    assert_eq!((outcome, parsed.reason), (Outcome::Event, Some(codes::PARSE_ENCODING)));
    assert_eq!(parsed.encoding, Some("unknown"));
    assert_eq!(parsed.record.get(&FieldName::new("user")).unwrap().text, "a\u{FFFD}b");

    // "用户登录失败" in GB18030.
    let chinese = b"{\"msg\": \"\xD3\xC3\xBB\xA7\xB5\xC7\xC2\xBC\xCA\xA7\xB0\xDC\"}";
    let (outcome, parsed) = parse_one(&packs, chinese);
    assert_eq!((outcome, parsed.reason), (Outcome::Event, None));
    assert_eq!(parsed.encoding, Some("GB18030"));
    assert_eq!(parsed.column("message"), Some("用户登录失败"));

    let (outcome, parsed) = parse_one(&packs, b"{\"a\": \"x\0y\", \"b\": \"1\t2\"}");
    assert_eq!(outcome, Outcome::Event);
    assert_eq!(parsed.record.field(0).1.text, "x\0y");
    let (outcome, _) = parse_one(&packs, b"\xEF\xBB\xBF{\"a\": 1}");
    assert_eq!(outcome, Outcome::Event);
}

#[test]
fn what_nothing_reads_is_its_text() {
    let packs = packs();
    for raw in ["", " ", "hello world", "[1,2]", "\0\0\0", "# comment", "GET / HTTP/1.1"] {
        let (outcome, parsed) = parse_one(&packs, raw.as_bytes());
        assert_eq!(outcome, Outcome::Unparsed(codes::PARSE_NO_DECODER), "{raw:?}");
        assert_eq!((parsed.record.text(), parsed.offset), (raw, None));
        assert_eq!(&**parsed.record.parser_id(), "none");
    }
}

#[test]
fn a_parser_does_not_carry_over_from_the_record_before() {
    let packs = packs();
    let (mut parser, mut parsed) = (parser(&packs), Parsed::new());
    let good = br#"{"EventID": 1, "Channel": "Security", "Level": 2, "SystemTime": "2026-01-09T03:04:05Z"}"#;
    parser.parse(good, RECEIVED_US, &mut parsed);
    assert!(parsed.time_us.is_some() && !parsed.derived.is_empty());
    let outcome = parser.parse(b"nothing", RECEIVED_US, &mut parsed);
    assert_eq!(outcome, Outcome::Unparsed(codes::PARSE_NO_DECODER));
    assert_eq!((parsed.time_us, parsed.tz_offset_min, parsed.derived.len()), (None, None, 0));
    assert_eq!(parsed.map.column_of(&FieldName::new("EventID")), None);
    assert!(parsed.record.is_empty());
}

#[test]
fn records_of_50_mb_take_linear_time() {
    let packs = packs();
    let filled = |head: &str, fill: &str, tail: &str| {
        format!("{head}{}{tail}", fill.repeat(SIZE / fill.len()))
    };
    let begin = processor_time();
    for raw in [
        filled("{\"a\": \"", "x", "\"}"),
        filled("{\"a\": \"", "\\n", "\"}"),
        filled("<13>Jan  9 03:04:05 host sudo: a : TTY=x ; PWD=/ ; USER=r ; COMMAND=", "a ; ", ""),
        filled("<13>1 - - - - - [a b=\"", "\\]", "\"] x"),
        filled("192.0.2.1 - - [09/Jan/2026:11:04:05 +0800] \"GET /", "\\x41", "\" 200 1"),
        filled("Jan  9 03:04:05 host sshd[1]: Failed password for ", " from ", ""),
        filled("", "[ ", ""),
    ] {
        let (outcome, parsed) = parse_one(&packs, raw.as_bytes());
        assert_eq!(parsed.record.text().len(), raw.len());
        let plain = outcome == Outcome::Unparsed(codes::PARSE_NO_DECODER);
        assert!(outcome == Outcome::Event || plain, "{outcome:?}");
    }
    let took = processor_time().saturating_sub(begin);
    assert!(took < LONG, "{took:?}");
    let too_long = vec![b'x'; 64 * 1024 * 1024 + 1];
    let (outcome, _) = parse_one(&packs, &too_long);
    assert_eq!(outcome, Outcome::Unparsed(codes::INPUT_RECORD_TOO_LONG));
}

#[test]
fn runs_of_pairs_take_linear_time() {
    let packs = packs();
    let filled = |head: &str, fill: &str| format!("{head}{}", fill.repeat(SIZE / 100 / fill.len()));
    let heads = [
        "CEF:0|a|b|c|d|e|5|x=",
        "LEEF:1.0|a|b|c|d|x=",
        "LEEF:2.0|a|b|c|d|;|x=",
        "a=1 b=2 c=",
        "a=1; b=2; c=",
        "a=\"1\", b='2', c=\"",
        "type=EXECVE msg=audit(1.2:3): a0=",
        "<13>Jan  9 03:04:05 h a=1 b=2 c=",
        "2026/01/09 03:04:05 [error] 7#8: *9 ",
        "[Fri Jan 09 03:04:05 2026] ",
    ];
    let fills = [
        "a",
        "=",
        "\\",
        "\"",
        "'",
        ";",
        "|",
        "\u{1d}",
        " a",
        " a=",
        "a=\"",
        " a='b",
        "=a\\",
        "b a;",
        ", client: ::1, server: a",
        "[a] ",
        " cs1Label=",
    ];
    for head in heads {
        for fill in fills {
            let begin = processor_time();
            let raw = filled(head, fill);
            let (_, parsed) = parse_one(&packs, raw.as_bytes());
            assert_eq!(parsed.record.text().len(), raw.len());
            let took = processor_time().saturating_sub(begin);
            assert!(took < LONG, "{head}{fill}: {took:?}");
        }
    }
}

#[test]
fn pairs_have_the_limit_of_fields() {
    let packs = packs();
    for (head, pair) in [
        ("CEF:0|a|b|c|d|e|5|", "k=v "),
        ("LEEF:2.0|a|b|c|d|;|", "k=v;"),
        ("", "k=v "),
        ("type=EXECVE msg=audit(1.2:3): ", "k=v "),
        ("type=USER msg=audit(1.2:3): msg='", "k=v "),
    ] {
        let few = format!("{head}{}", pair.repeat(9_900));
        assert_eq!(parse_one(&packs, few.as_bytes()).0, Outcome::Event, "{head}");
        let many = format!("{head}{}", pair.repeat(10_100));
        let (outcome, _) = parse_one(&packs, many.as_bytes());
        assert_eq!(outcome, Outcome::Unparsed(codes::PARSE_TOO_MANY_FIELDS), "{head}");
    }
}

#[test]
fn a_named_format_is_the_only_one_and_an_unknown_one_is_refused() {
    let packs = packs();
    let mut parsed = Parsed::new();
    let mut syslog = parser_of(&packs, Some("syslog"));
    let line = b"Jan  9 03:04:05 host sshd[1]: Invalid user a from 192.0.2.7";
    syslog.parse(line, RECEIVED_US, &mut parsed);
    assert_eq!(&**parsed.record.parser_id(), "syslog", "the pack, though another one is nearer");
    let outcome = syslog.parse(br#"{"a": 1}"#, RECEIVED_US, &mut parsed);
    assert_eq!(outcome, Outcome::Unparsed(codes::PARSE_MALFORMED));
    let mut json = parser_of(&packs, Some("windows_event"));
    assert_eq!(json.parse(br#"{"a": 1}"#, RECEIVED_US, &mut parsed), Outcome::Event);
    assert_eq!(&**parsed.record.parser_id(), "windows_event");
    let mut plain = parser_of(&packs, Some("plain"));
    let outcome = plain.parse(br#"{"a": 1}"#, RECEIVED_US, &mut parsed);
    assert_eq!(outcome, Outcome::Unparsed(codes::PARSE_NO_DECODER));

    let options = ParseOptions::new(Some("window_event".into()), "Asia/Shanghai").unwrap();
    let problem = Parser::new(packs, options).unwrap_err();
    assert_eq!(problem.code, codes::FORMAT_UNKNOWN);
    assert_eq!(problem.mend, "did you mean \"windows_event\"?");
    let problem = ParseOptions::new(None, "Asia/Peking").unwrap_err();
    assert_eq!(problem.code, codes::TIME_ZONE);
}

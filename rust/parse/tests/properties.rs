//! What must hold for any input: nothing panics, nothing is lost, JSON is read as others read it.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod support;

use std::sync::{Arc, LazyLock};

use bigsec_event::Kind;
use bigsec_parse::decode::DECODERS;
use bigsec_parse::{Outcome, PackSet, Parsed};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value;
use support::{RECEIVED_US, fields, packs, parser_of};

static PACKS: LazyLock<Arc<PackSet>> = LazyLock::new(packs);

/// One line or more of each syntax, to be cut and changed.
const SEEDS: [&str; 19] = [
    r#"{"a": {"b": [1, -2.5e3, "x\u00e9\ud83d\ude00\n", null, true, [], {}]}, "a": "\\\"", "": 0}"#,
    r##"{"Event": {"System": {"EventID": {"#text": 4625}, "Channel": "Security"}, "EventData": {"Data": {"#text": ["a", "b"]}}}}"##,
    "<34>1 2026-01-09T11:04:05.003+08:00 host app 77 ID47 [a@1 b=\"c\\\"d\\]\" e=\"\"][f] \u{feff}message",
    "Jan  9 03:04:05 host sshd[1]: Failed password for invalid user a b from 192.0.2.7 port 40022 ssh2",
    "Jan  9 2026 03:04:05.123 host sudo:   a : TTY=x ; PWD=/ ; USER=root ; ENV=A=1 ; COMMAND=/bin/sh -c 'x ; y'",
    "<189>123: *Mar  1 18:46:11: %SYS-5-CONFIG_I: Configured from console",
    r#"www.example.net:80 192.0.2.1 - a [09/Jan/2026:11:04:05 +0800] "GET /a\"b\x41?c HTTP/1.1" 200 12 "-" "ua" 0.1 "x""#,
    "#separator \\x09\n#set_separator\t,\n#path\tx\n#fields\ta\tb\tc\n#types\ttime\tset[string]\tbool\n1767927845.123456\ta\\x2c\\\\b,-\tT\n",
    "中文日志 用户 登录",
    r"CEF:0|a\|b|c\\d|1|2|n|5|src=192.0.2.7 msg=a\=b\nc cs1Label=Rule Name cs1=x y path=C:\new\z empty=",
    r"<134>Jan  9 11:04:05 gate1 ASM:CEF:0|a|b|c|d|e|5|msg=文件 已 拦截 act=deny",
    "LEEF:2.0|a|b|c|d|0x5E|src=192.0.2.7^Event Name=x^msg=a=b^^z=",
    "<13>Jan  9 11:04:05 h LEEF:1.0|a|b|c|d|src=192.0.2.7#011usrName=李 伟\tsev=5",
    r#"<134>id=tos time="2026-01-09 11:04:05" fw=出口墙 user= rule= pid:6689 msg="a \"b\" c=d" x='y z'"#,
    "Type=URL; Source=192.0.2.7:1; Show Name=a b; Url=/x;y=z; Time=;",
    "node=w type=SYSCALL msg=audit(1767927845.123:4): exe=2F78 key=6101 a0=1 msg='op=x acct=\"r\" res=1'\u{1d}UID=\"root\"",
    "<6>Jan  9 03:04:05 w kernel: [1.5] audit: type=1400 audit(1.2:3): avc:  denied  { read } for  pid=7",
    r"[Fri Jan 09 03:04:05.1 2026] [a:error] [pid 7:tid 8] [client [2001:db8::7]:1] AH01618: user z not found: /x, referer: y",
    r#"2026/01/09 03:04:05 [error] 7#8: *9 open() "/x" failed (2: No), client: 192.0.2.7, server: a, request: "GET /x", host: "b""#,
];

/// Parses lines with every decoder and by recognition.
fn parse_all(raw: &[u8]) {
    let formats = DECODERS.iter().map(|kind| Some(kind.id)).chain([None]);
    let mut parsed = Parsed::new();
    for format in formats {
        let mut parser = parser_of(&PACKS, format);
        for line in raw.split(|byte| *byte == b'\n') {
            let outcome = parser.parse(line, RECEIVED_US, &mut parsed);
            let reader_of = &**parsed.record.parser_id();
            if let Outcome::Unparsed(code) = outcome {
                assert_eq!((reader_of, parsed.reason), ("none", Some(code)));
                assert!(parsed.record.is_empty() && parsed.derived.is_empty());
            }
            if outcome == Outcome::Event {
                assert_ne!(reader_of, "none");
                let mut leaves: Vec<_> = parsed.derived().map(|(leaf, _)| leaf).collect();
                leaves.sort_unstable();
                assert!(leaves.windows(2).all(|pair| pair[0] < pair[1]), "a column twice");
            }
            assert!(parsed.offset.is_none_or(|offset| offset <= parsed.record.text().len()));
            assert_eq!(parsed.record.iter().count(), parsed.record.len());
        }
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no NaN", |f| f.is_finite()).prop_map(Value::from),
        ".*".prop_map(Value::from),
        "[ -~\\\\\"]{0,40}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(".{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    btree_map(".{0,8}", value, 0..6).prop_map(|map| Value::Object(map.into_iter().collect()))
}

fn leaves(value: &Value, path: Option<&str>, out: &mut Vec<(String, String, Kind)>) {
    let mut push = |text: &str, kind| {
        out.push((path.unwrap_or_default().to_owned(), text.to_owned(), kind));
    };
    match value {
        Value::Null => push("", Kind::Null),
        Value::Bool(yes) => push(if *yes { "true" } else { "false" }, Kind::Boolean),
        Value::Number(number) => push(&number.to_string(), Kind::Number),
        Value::String(text) => push(text, Kind::String),
        Value::Array(list) if list.is_empty() => push("", Kind::EmptyList),
        Value::Object(object) if object.is_empty() && path.is_some() => push("", Kind::EmptyObject),
        Value::Array(list) => list.iter().for_each(|element| leaves(element, path, out)),
        Value::Object(object) => {
            for (key, member) in object {
                // An empty name before it needs no dot.
                let path = match path {
                    None | Some("") => key.clone(),
                    Some(path) => format!("{path}.{key}"),
                };
                leaves(member, Some(&path), out);
            }
        }
    }
}

/// The fields that the JSON decoder alone finds; nothing where it refuses the text.
fn decoded(text: &str) -> Option<Vec<(String, String, Kind)>> {
    let kind = DECODERS.iter().find(|kind| kind.id == "json").unwrap();
    let mut parsed = Parsed::new();
    parsed.record.reset(text);
    let (text, fields_of) = parsed.record.split();
    (kind.make)().decode(text, fields_of).ok()?;
    Some(fields(&parsed))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(raw in vec(any::<u8>(), 0..300)) {
        parse_all(&raw);
    }

    #[test]
    fn no_change_of_a_good_record_panics(
        seed in 0..SEEDS.len(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut raw = SEEDS[seed].as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(raw.len());
            raw[at] = byte;
        }
        raw.truncate(cut.index(raw.len() + 1));
        parse_all(&raw);
    }

    #[test]
    fn json_is_read_as_serde_json_reads_it(value in json(), pretty: bool) {
        let text = if pretty {
            serde_json::to_string_pretty(&value).unwrap()
        } else {
            value.to_string()
        };
        let mut expected = Vec::new();
        leaves(&value, None, &mut expected);
        prop_assert_eq!(decoded(&text), Some(expected));
    }

    #[test]
    fn json_that_serde_json_refuses_is_refused(
        value in json(),
        at in any::<prop::sample::Index>(),
        byte in 0x20_u8..0x7f,
    ) {
        let mut raw = value.to_string().into_bytes();
        let at = at.index(raw.len());
        raw[at] = byte;
        let Ok(text) = String::from_utf8(raw) else { return Ok(()) };
        // Ours takes raw control characters, half surrogates and any size of number.
        let kinder = text.bytes().any(|byte| byte < 0x20) || text.contains("\\u") || text.contains(['e', 'E']);
        let theirs = serde_json::from_str::<Value>(&text);
        match (decoded(&text), theirs) {
            (None, Ok(value)) => prop_assert!(!value.is_object(), "refused {}", text),
            (Some(_), Err(error)) => prop_assert!(kinder, "{}: {}", error, text),
            _ => {}
        }
    }
}

#[test]
fn no_cut_of_a_good_record_panics_and_cut_json_is_truncated() {
    for seed in SEEDS {
        for end in 0..=seed.len() {
            parse_all(&seed.as_bytes()[..end]);
        }
    }
    let (json, packs) = (SEEDS[0], &*PACKS);
    for end in (1..json.len()).filter(|end| json.is_char_boundary(*end)) {
        let (outcome, parsed) = support::parse_one(packs, &json.as_bytes()[..end]);
        let Outcome::Unparsed(code) = outcome else { panic!("{}", &json[..end]) };
        assert_eq!((code.name, parsed.offset), ("parse.truncated", Some(end)), "{}", &json[..end]);
    }
}

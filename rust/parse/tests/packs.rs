//! The packs of the repository hold what they promise, and a bad pack is refused with its place.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod support;

use bigsec_event::{Problem, codes};
use bigsec_parse::{Outcome, PackSet};
use support::{RECEIVED_US, packs, parser};

#[test]
fn the_samples_of_all_packs_hold() {
    let problems = packs().check_samples();
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

#[test]
fn every_map_of_an_event_is_among_those_of_the_set() {
    let packs = packs();
    let known: Vec<_> = packs.maps().iter().map(|map| map.id().clone()).collect();
    for pack in packs.iter() {
        assert!(pack.maps().all(|map| known.contains(map.id())));
        assert!(!pack.title().is_empty() && !pack.about().is_empty());
    }
}

const HEAD: &str = "id: x\ntitle: t\nabout: a\ndecoder: json\n";

fn problems(body: &str) -> Vec<Problem> {
    PackSet::read_pack("folder/x.yaml", &format!("{HEAD}{body}")).err().unwrap_or_default()
}

/// (what stands below the head, code, line, column, a part of the message, a part of the mend)
type BadPack = (&'static str, &'static str, u32, u32, &'static str, &'static str);

const BAD_PACKS: [BadPack; 22] = [
    ("nope: 1", "BS2201", 5, 1, "unknown field `nope`", "keys of a pack"),
    ("title: again", "BS2201", 5, 1, "duplicate mapping key: title", ""),
    ("fields: [a", "BS2201", 5, 9, "", ""),
    ("fields: {a: {b: c}}", "BS2201", 5, 13, "", ""),
    ("fields: {user.nam: a}", "BS2202", 5, 10, "no column `user.nam`", "did you mean `user.name`?"),
    ("fields: {event_id: a}", "BS2202", 5, 10, "filled by the platform", ""),
    ("fields: {user.name: a, user.uid: A}", "BS2201", 1, 5, "mapped twice", ""),
    ("constants: {class_uid: high}", "BS2201", 5, 13, "`high` is no value of", "Int32"),
    ("constants: {severity_id: 999}", "BS2201", 5, 13, "`999` is no value of", "Int8"),
    (
        "constants: {message: m}\nfields: {message: a}",
        "BS2201",
        5,
        13,
        "`message` is filled here and by a field",
        "keep one",
    ),
    (
        "values: [{column: message, field: b, map: {c: d}}]\nfields: {message: a}",
        "BS2201",
        5,
        19,
        "`message` is filled here",
        "",
    ),
    (
        "variants: [{when: {a: 1}, set: {message: m}, fields: {message: a}}]",
        "BS2201",
        5,
        33,
        "`message` is filled here",
        "",
    ),
    ("variants: [{when: {}, set: {class_uid: 1}}]", "BS2201", 0, 0, "no condition", ""),
    ("variants: [{when: {a: {starts: b}}}]", "BS2201", 5, 24, "unknown field `starts`", ""),
    (
        "patterns: [{field: a, first_of: [{fits: 'x {a}{b}'}]}]",
        "BS2201",
        5,
        41,
        "`{a}` and `{b}` touch",
        "",
    ),
    (
        "derive: [{field: a, split: urll, into: {path: b}}]",
        "BS2201",
        5,
        28,
        "no split `urll`",
        "did you mean \"url\"?",
    ),
    (
        "derive: [{field: a, split: url, into: {pth: b}}]",
        "BS2201",
        5,
        40,
        "no part `pth`",
        "did you mean \"path\"?",
    ),
    ("rename: [{from: a.**.b, to: $1}]", "BS2201", 5, 17, "only at the end", ""),
    ("time: [{field: a, format: iso}]", "BS2201", 5, 27, "no format of times", "rfc3339"),
    ("samples: [{raw: a, received: yesterday}]", "BS2201", 5, 30, "", "RFC 3339"),
    ("samples: [{columns: {}}]", "BS2201", 5, 12, "missing field `raw`", ""),
    ("recognise: 3", "BS2201", 5, 12, "", ""),
];

#[test]
fn a_bad_pack_is_refused_with_its_place() {
    for (body, code, line, column, message, mend) in BAD_PACKS {
        let found = problems(body);
        assert_eq!(found.len(), 1, "{body}: {found:?}");
        let Problem { code: got, place, .. } = &found[0];
        let all = format!("{body}\n{}", found[0]);
        assert_eq!((got.number, place.line, place.column), (code, line, column), "{all}");
        assert!(found[0].message.contains(message), "{all}");
        assert!(found[0].mend.contains(mend), "{all}");
        assert_eq!(place.file, "folder/x.yaml");
    }
}

#[test]
fn every_fault_of_meaning_is_told_at_once() {
    let found = problems(
        "fields: {nope: a, nope2: b}\nconstants: {class_uid: x}\ntime: [{field: a, format: b}]",
    );
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(found[3].excerpt, "time: [{field: a, format: b}]");
}

#[test]
fn decoder_and_name_are_checked() {
    let text = "id: y\ntitle: t\nabout: a\ndecoder: jsn\n";
    let found = PackSet::read_pack("x.yaml", text).unwrap_err();
    let codes: Vec<_> = found.iter().map(|problem| problem.code.number).collect();
    assert_eq!(codes, ["BS2204", "BS2201"]);
    assert_eq!(found[0].mend, "did you mean \"json\"?");
    assert!(found[1].message.contains("not the file's name `x`"));
}

#[test]
fn a_yaml_bomb_is_refused() {
    let mut bomb = String::from("samples:\n- &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let alias = format!("*a{}, ", level - 1);
        bomb.extend(["- &a", &level.to_string(), " [", &alias.repeat(9), "]\n"]);
    }
    assert!(!problems(&bomb).is_empty());
    assert!(!problems(&format!("samples: {}", "[".repeat(100_000))).is_empty());
}

#[test]
fn a_missing_folder_is_said_to_be_missing() {
    let found = PackSet::load(std::path::Path::new("/no/such/folder")).unwrap_err();
    assert_eq!(
        (found[0].code, found[0].place.file.as_str()),
        (codes::INPUT_NOT_FOUND, "/no/such/folder")
    );
}

#[test]
fn a_sample_that_does_not_hold_is_told() {
    let body = "fields: {message: m}\nsamples:\n- {raw: '{\"m\": \"a\"}', columns: {message: b, class_uid: absent}, fields: {m: c}, time: x}\n";
    let pack = PackSet::read_pack("x.yaml", &format!("{HEAD}{body}")).unwrap();
    let mut set = PackSet::default();
    set.add(pack);
    let found = std::sync::Arc::new(set).check_samples();
    let messages: Vec<_> = found.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        messages,
        ["the time is `absent`, not `x`", "message is `a`, not `b`", "m is `a`, not `c`"]
    );
    assert_eq!((found[0].code, found[0].place.line), (codes::PACK_SAMPLE, 7));
}

#[test]
fn an_explanation_says_what_became_of_each_field() {
    let packs = packs();
    let raw = br##"{"Event":{"System":{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Provider":{"#attributes":{"Name":"P"}}},"EventData":{"Image":"C:\\a.exe","Other":"x"}}}"##;
    let explanation = parser(&packs).explain(raw, RECEIVED_US);
    assert_eq!((explanation.outcome, explanation.decoder), (Outcome::Event, Some("json")));
    assert_eq!(explanation.pack, "windows_event");
    let fields: Vec<_> = explanation
        .fields
        .iter()
        .map(|field| (field.source_name.as_deref(), field.name.as_str(), field.column))
        .collect();
    assert_eq!(
        fields,
        [
            (Some("Event.System.EventID"), "EventID", Some("metadata.event_code")),
            (Some("Event.System.Channel"), "Channel", Some("metadata.log_name")),
            (
                Some("Event.System.Provider.#attributes.Name"),
                "Provider_Name",
                Some("metadata.log_provider")
            ),
            (Some("Event.EventData.Image"), "Image", Some("process.path")),
            (Some("Event.EventData.Other"), "Other", None),
            (None, "Image_Name", Some("process.name")),
        ]
    );
    assert!(explanation.derived.contains(&("class_uid", "1007".to_owned())));

    let explanation = parser(&packs).explain(b"{\"a\":", RECEIVED_US);
    assert_eq!((explanation.decoder, explanation.pack.as_str()), (None, "none"));
    assert!(explanation.why.ends_with("(at byte 5)"), "{}", explanation.why);
    let explanation = parser(&packs).explain(b"#separator \\x09", RECEIVED_US);
    assert_eq!(explanation.outcome, Outcome::Directive);
}

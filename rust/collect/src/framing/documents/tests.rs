use proptest::prelude::*;

use super::super::drip::Drip;
use super::*;

fn all(bytes: &[u8], step: usize, limit: usize) -> Vec<(u64, u64, String, bool)> {
    let mut documents = Documents::with_limit(Drip(bytes, step), limit);
    let mut out = Vec::new();
    while let Some(Frame::Record { offset, number, bytes, continued, .. }) = documents.next_frame()
    {
        out.push((offset, number, String::from_utf8_lossy(bytes).into_owned(), continued));
    }
    assert_eq!(documents.offset(), bytes.len() as u64, "all was given out");
    out
}

fn texts(text: &str) -> Vec<String> {
    all(text.as_bytes(), 3, 1000).into_iter().map(|(_, _, text, _)| text).collect()
}

#[test]
fn documents_over_lines_and_behind_one_another_are_one_record_each() {
    let text = "{\n  \"a\": \"}\\\"{\"\n}\n{\"b\":[{}]}{\"c\":1}\r\n";
    let found = all(text.as_bytes(), 2, 1000);
    let places: Vec<_> = found.iter().map(|(offset, number, ..)| (*offset, *number)).collect();
    assert_eq!(places, [(0, 1), (18, 4), (28, 4)]);
    assert_eq!(found[0].2, "{\n  \"a\": \"}\\\"{\"\n}");
    assert_eq!((&*found[1].2, &*found[2].2), ("{\"b\":[{}]}", "{\"c\":1}"));
}

#[test]
fn elements_of_a_list_are_records() {
    assert_eq!(texts("[\n {\"a\":1},\n {\"b\":\n[2]}\n]\n"), ["{\"a\":1}", "{\"b\":\n[2]}"]);
    assert_eq!(texts("[{\"a\":1},{\"b\":2}][{\"c\":3}]"), ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"]);
}

#[test]
fn what_is_no_document_is_framed_by_lines() {
    assert_eq!(
        texts("{\n\"a\":1}\nplain text\n{\n\"b\":"),
        ["{\n\"a\":1}", "plain text", "{", "\"b\":"]
    );
    let long = all(b"{\n\"a\": 1234567}\n{}", 64, 8);
    let told: Vec<_> = long.iter().map(|(_, _, text, more)| (&**text, *more)).collect();
    assert_eq!(told, [("{", false), ("\"a\": 123", false), ("4567}", true), ("{}", false)]);
}

#[test]
fn only_what_does_not_stand_one_a_line_is_documents() {
    for (text, wanted) in [
        ("{\n  \"a\": 1}", true),
        (" \u{feff}{", false),
        ("\u{feff}[ {\"a\":1}]", true),
        ("{\"a\":1}{\"b\":2}\n", true),
        ("{\"a\":1}\n{\"b\":2}\n", false),
        ("{\"a\":\"{\"}\n{", false),
        ("{\"a\":1", false),
        ("[2026-01-01] text", false),
        ("{thread} text\n", false),
        ("", false),
    ] {
        assert_eq!(is_documents(text.as_bytes()), wanted, "{text:?}");
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_however_the_bytes_arrive(
        pieces in prop::collection::vec(
            prop::sample::select(vec!["{", "}", "[", "]", "\"", "\\", ",", "\n", "\r", " ", "a"]),
            0..60,
        ),
        step in 1_usize..9,
        limit in 1_usize..12,
    ) {
        let text = pieces.concat();
        let whole = all(text.as_bytes(), usize::MAX, limit);
        prop_assert_eq!(&all(text.as_bytes(), step, limit), &whole);
        let count = |text: &str| text.matches(['a', '{', '}', '"', '\\']).count();
        let kept: usize = whole.iter().map(|(_, _, text, _)| count(text)).sum();
        prop_assert_eq!(kept, count(&text));
    }
}

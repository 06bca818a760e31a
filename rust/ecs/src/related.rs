//! Who and what an event names, wherever it stands.

use crate::document::Document;
use crate::shape::{self, Shape};

pub(crate) fn relate(shape: Shape, text: &str, made: &mut Document) {
    match shape {
        Shape::Address => made.text("related.ip", text),
        Shape::Host => made.text("related.hosts", text),
        Shape::Hash => made.text("related.hash", text),
        _ => {}
    }
}

pub(crate) fn relate_host(text: &str, made: &mut Document) {
    match shape::of(text) {
        Some(Shape::Address) => made.text("related.ip", text),
        Some(Shape::Host) => made.text("related.hosts", text),
        _ => {}
    }
}

/// Who and what an event names, wherever it stands.
pub(crate) fn related(made: &mut Document) {
    for (list, names) in [
        ("related.ip", &["source.ip", "destination.ip", "host.ip", "observer.ip"] as &[&str]),
        (
            "related.hosts",
            &[
                "source.domain",
                "destination.domain",
                "host.name",
                "url.domain",
                "dns.question.name",
            ],
        ),
        ("related.user", &["user.name", "user.target.name", "user.effective.name"]),
    ] {
        for name in names {
            for value in made.get(name).to_vec() {
                made.put(list, value);
            }
        }
    }
    for whose in ["process.hash", "file.hash", "dll.hash"] {
        for kind in ["md5", "sha1", "sha256", "sha512"] {
            for value in made.get(&format!("{whose}.{kind}")).to_vec() {
                made.put("related.hash", value);
            }
        }
    }
}

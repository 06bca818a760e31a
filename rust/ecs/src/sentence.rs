//! What a sentence says, in a document.

use crate::document::Document;
use crate::fields::meant;
use crate::prose::{self, Finding};
use crate::related::{relate, relate_host};
use crate::shape::{self, Shape};
use crate::synonyms;

/// What a sentence says, under `prose`.
pub(crate) fn of_sentence(sentence: &str, made: &mut Document) {
    for finding in prose::find(sentence) {
        match finding {
            Finding::Value(shape, text) => {
                relate(shape, text, made);
                let mut parts = Vec::new();
                shape::parts(shape, text, &mut |part| parts.push(part));
                let name = match shape {
                    Shape::Address | Shape::Hash | Shape::Host => "",
                    Shape::Endpoint => "prose.endpoint",
                    Shape::Url => "prose.url",
                    Shape::Email | Shape::Mailbox => "prose.email",
                    Shape::Account => "prose.account",
                    Shape::Path => "prose.path",
                    Shape::Agent => "prose.agent",
                };
                if !name.is_empty() {
                    made.text(name, text);
                }
                if shape == Shape::Url && !is_namespace(text) && !made.has("url.original") {
                    made.text("url.original", text);
                    for (part, value) in &parts {
                        if !made.has(&format!("url.{part}")) {
                            made.text(format!("url.{part}"), value);
                        }
                    }
                }
                for (part, value) in parts {
                    let below = if name.is_empty() { "prose.host" } else { name };
                    made.text(format!("{below}.{part}"), value);
                    if part == "domain" || part == "address" {
                        relate_host(value, made);
                    }
                }
            }
            Finding::Pair(key, value) => {
                // A host that a sentence names need not be the one that wrote it.
                if !synonyms::of(key).contains(&"host.name") {
                    meant(key, value, made);
                }
                made.text(format!("prose.pair.{key}"), value);
            }
            Finding::Marked(text) => made.text("prose.marked", text),
            Finding::User(name) => made.text("related.user", name),
        }
    }
}

/// Names of XML's namespaces look like addresses, and nobody goes there.
fn is_namespace(url: &str) -> bool {
    ["http://www.w3.org/", "http://schemas."].iter().any(|start| url.starts_with(start))
}

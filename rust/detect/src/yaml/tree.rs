//! The nodes of a positioned YAML tree, and how a reader asks them for what it needs.

use std::sync::Arc;

/// Where a node stands in its file: line and column from 1, length in characters on that line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub line: u32,
    pub column: u32,
    pub length: u32,
}

/// One node and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub span: Span,
    pub data: Data,
}

/// What a node holds. Scalars are resolved by the core schema of YAML 1.2 and keep their spelling.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    Null,
    Bool(bool),
    Number(Arc<str>),
    Text(Arc<str>),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One member of a mapping.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub key: Arc<str>,
    pub key_span: Span,
    pub value: Node,
}

impl Node {
    /// The value under `key`, where this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| &*entry.key == key).map(|entry| &entry.value)
    }

    /// The members of a mapping; none where this is no mapping.
    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The elements of a list, or the node itself as the only one.
    pub fn as_list(&self) -> &[Node] {
        match &self.data {
            Data::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The text of a text node.
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of any scalar but null, as written (booleans in lower case).
    pub fn scalar_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) | Data::Number(text) => Some(text),
            Data::Bool(true) => Some("true"),
            Data::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// True for `null` and for a value left out.
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// What the node is, in words for a message.
    pub fn kind(&self) -> &'static str {
        match self.data {
            Data::Null => "empty",
            Data::Bool(_) => "a boolean",
            Data::Number(_) => "a number",
            Data::Text(_) => "text",
            Data::List(_) => "a list",
            Data::Map(_) => "a mapping",
        }
    }

    /// Writes the node in a form that spelling, comments and styles do not change.
    pub fn canonical(&self, out: &mut Vec<u8>) {
        let text = |out: &mut Vec<u8>, mark: u8, text: &str| {
            out.push(mark);
            out.extend_from_slice(&(text.len() as u64).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        };
        match &self.data {
            Data::Null => out.push(b'0'),
            Data::Bool(value) => out.push(if *value { b't' } else { b'f' }),
            Data::Number(number) => text(out, b'n', number),
            Data::Text(value) => text(out, b's', value),
            Data::List(items) => {
                out.push(b'[');
                for item in items {
                    item.canonical(out);
                }
                out.push(b']');
            }
            Data::Map(entries) => {
                out.push(b'{');
                for entry in entries {
                    text(out, b'k', &entry.key);
                    entry.value.canonical(out);
                }
                out.push(b'}');
            }
        }
    }
}

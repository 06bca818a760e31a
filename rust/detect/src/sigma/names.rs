//! What rules share: the table of field names and the table of keywords.

use std::collections::HashMap;

use bigsec_event::FieldName;
use regex::Regex;

use super::glob::Glob;

/// A field, by its place in the table.
pub(crate) type FieldId = u32;
/// A keyword, by its place in the table.
pub(crate) type KeywordId = u32;

/// The fields that rules and log sources speak of; each is looked up once an event.
#[derive(Debug, Clone, Default)]
pub(crate) struct FieldTable {
    names: Vec<FieldName>,
    ids: HashMap<FieldName, FieldId>,
}

impl FieldTable {
    /// The id of a name, new or known.
    pub fn id(&mut self, name: &str) -> FieldId {
        let name = FieldName::new(name);
        if let Some(id) = self.ids.get(&name) {
            return *id;
        }
        let id = self.names.len() as FieldId;
        self.names.push(name.clone());
        self.ids.insert(name, id);
        id
    }

    /// The names in order of their ids.
    pub fn names(&self) -> &[FieldName] {
        &self.names
    }
}

/// A text that a rule seeks anywhere in an event.
#[derive(Debug, Clone)]
pub(crate) enum Keyword {
    Text(Glob),
    Regex(Regex),
}

/// Everything that a reader of detections adds to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub fields: FieldTable,
    pub keywords: Vec<Keyword>,
}

impl Names {
    /// Adds a keyword.
    pub fn keyword(&mut self, keyword: Keyword) -> KeywordId {
        self.keywords.push(keyword);
        (self.keywords.len() - 1) as KeywordId
    }
}

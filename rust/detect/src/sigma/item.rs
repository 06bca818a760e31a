//! One line of a detection: key, modifiers and values.

use bigsec_event::{Problem, codes};

use super::draft::{Draft, Placeholders};
use super::modifier::{MODIFIERS, Modifier};
use super::names::Names;
use super::test::{FieldItem, KeywordItem, Node, Test, Written};
use crate::yaml::{self, Data, Report, Span};
use bigsec_event::suggest::did_you_mean;

/// What reading a detection needs besides the detection.
pub(crate) struct Reader<'r, 'a> {
    pub report: &'r mut Report<'a>,
    pub names: &'r mut Names,
    pub placeholders: &'r Placeholders,
}

/// The key of an item, taken apart.
struct Key<'k> {
    field: &'k str,
    modifiers: Vec<Modifier>,
}

impl Key<'_> {
    fn has(&self, modifier: Modifier) -> bool {
        self.modifiers.contains(&modifier)
    }

    /// Modifiers other than `all` and `neq`, which concern the item as a whole.
    fn of_values(&self) -> impl Iterator<Item = Modifier> {
        let whole = |modifier: &Modifier| matches!(modifier, Modifier::All | Modifier::Neq);
        self.modifiers.iter().copied().filter(move |modifier| !whole(modifier))
    }
}

impl Reader<'_, '_> {
    /// Reads `key: values`. What is wrong goes to the report, and the item is left out.
    pub fn item(&mut self, key: &str, span: Span, value: &yaml::Node) -> Option<Node> {
        let key = self.key(key, span)?;
        self.check_order(&key, span)?;
        let nothing = yaml::Node { span: value.span, data: Data::Null };
        let values = match value.as_list() {
            [] => std::slice::from_ref(&nothing),
            values => values,
        };
        let mut sound = true;
        let mut drafts = Vec::with_capacity(values.len());
        for value in values {
            match self.draft(&key, value) {
                Ok(draft) => drafts.push((value.span, draft)),
                Err(problem) => {
                    sound = false;
                    self.report.add(value.span, problem);
                }
            }
        }
        let written = written(&key, span, values);
        let node = if key.field.is_empty() {
            self.keywords(&key, drafts, written)
        } else {
            self.field(&key, drafts, written)
        };
        node.filter(|_| sound)
    }

    /// Reads values that stand without a key: keywords.
    pub fn plain_keywords(&mut self, span: Span, value: &yaml::Node) -> Option<Node> {
        self.item("", span, value)
    }

    fn key<'k>(&mut self, key: &'k str, span: Span) -> Option<Key<'k>> {
        let mut parts = key.split('|');
        let field = parts.next().unwrap_or_default().trim();
        let mut offset = key.split('|').next().map_or(0, |field| field.chars().count());
        let mut modifiers = Vec::new();
        let mut sound = true;
        for name in parts {
            let length = name.chars().count() as u32;
            let column = span.column + offset as u32 + 1;
            offset += name.chars().count() + 1;
            if let Some(modifier) = Modifier::named(name) {
                modifiers.push(modifier);
                continue;
            }
            sound = false;
            let known = MODIFIERS.iter().map(|(name, _)| *name);
            let mend = did_you_mean(name, known, "see the list of Sigma's modifiers");
            // A quoted key begins one column later, and a key in a block scalar somewhere else.
            let quoted = u32::from(span.length as usize == key.chars().count() + 2);
            let at = Span { column: column + quoted, length, ..span };
            let message = format!("the modifier `{name}` is unknown");
            self.report.fault(at, codes::RULE_UNKNOWN_MODIFIER, message, mend);
        }
        sound.then_some(Key { field, modifiers })
    }

    /// Modifiers that read the value in a way of their own must come first.
    fn check_order(&mut self, key: &Key<'_>, span: Span) -> Option<()> {
        let first = key.of_values().next();
        for modifier in [Modifier::Re, Modifier::Cidr, Modifier::Exists] {
            if key.has(modifier) && first != Some(modifier) {
                let name = modifier.name();
                let message = format!("`{name}` reads the value as it is written");
                let mend = format!("put `{name}` first");
                self.report.fault(span, codes::RULE_MODIFIER_USE, message, mend);
                return None;
            }
        }
        Some(())
    }

    fn draft(&self, key: &Key<'_>, value: &yaml::Node) -> Result<Draft, Problem> {
        let draft = Draft::new(value, key.has(Modifier::Re))?;
        key.of_values().try_fold(draft, |draft, modifier| draft.apply(modifier, self.placeholders))
    }

    fn field(
        &mut self,
        key: &Key<'_>,
        drafts: Vec<(Span, Draft)>,
        written: Written,
    ) -> Option<Node> {
        let field = self.names.fields.id(key.field);
        let mut values: Vec<Vec<Test>> = Vec::with_capacity(drafts.len());
        let mut sound = true;
        for (span, draft) in drafts {
            match draft.into_tests(&mut self.names.fields) {
                Ok(tests) => values.push(tests),
                Err(problem) => {
                    sound = false;
                    self.report.add(span, problem);
                }
            }
        }
        sound.then_some(Node::Field(FieldItem { field, values, written }))
    }

    fn keywords(
        &mut self,
        key: &Key<'_>,
        drafts: Vec<(Span, Draft)>,
        written: Written,
    ) -> Option<Node> {
        let anchored = key.has(Modifier::StartsWith) || key.has(Modifier::EndsWith);
        let mut values = Vec::with_capacity(drafts.len());
        let mut sound = true;
        for (span, draft) in drafts {
            match draft.into_keywords(anchored) {
                Ok(keywords) => values.push(
                    keywords.into_iter().map(|keyword| self.names.keyword(keyword)).collect(),
                ),
                Err(problem) => {
                    sound = false;
                    self.report.add(span, problem);
                }
            }
        }
        sound.then_some(Node::Keywords(KeywordItem { values, written }))
    }
}

fn written(key: &Key<'_>, span: Span, values: &[yaml::Node]) -> Written {
    let name = |modifier: &Modifier| format!("|{}", modifier.name());
    let modifiers: String = key.modifiers.iter().map(name).collect();
    Written {
        all: key.has(Modifier::All),
        negated: key.has(Modifier::Neq),
        line: span.line,
        key: format!("{}{modifiers}", key.field).into(),
        values: values.iter().map(|value| value.scalar_text().unwrap_or("null").into()).collect(),
    }
}

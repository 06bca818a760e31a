//! From drafts to correlations: names become places, chains are put into order.

use std::collections::{BTreeSet, HashMap};

use bigsec_event::suggest::closest;
use bigsec_event::{Problem, codes};

use super::super::names::FieldTable;
use super::read::{Alias, Draft};
use super::{Base, BaseRef, Correlation, ValueRef};
use crate::yaml::Span;

/// A rule as correlations may name it.
pub(in super::super) struct Referable<'r> {
    pub id: &'r str,
    pub name: &'r str,
}

/// Makes correlations of the drafts whose rules are there, those that others are made of first.
pub(in super::super) fn resolve(
    mut drafts: Vec<Draft>,
    rules: &[Referable<'_>],
    fields: &mut FieldTable,
    problems: &mut Vec<Problem>,
) -> Vec<Correlation> {
    let mut known: HashMap<String, BaseRef> = HashMap::new();
    for (at, rule) in rules.iter().enumerate() {
        for key in [rule.id, rule.name].into_iter().filter(|key| !key.is_empty()) {
            known.insert(key.to_owned(), BaseRef::Rule(at as u32));
        }
    }
    let mut made: Vec<Correlation> = Vec::new();
    // Each round makes those whose rules are all known: what is left is unknown, or a circle.
    loop {
        let (ready, waiting): (Vec<_>, Vec<_>) = drafts
            .into_iter()
            .partition(|draft| draft.rules.iter().all(|(name, _)| known.contains_key(name)));
        drafts = waiting;
        if ready.is_empty() {
            break;
        }
        for draft in ready {
            let place = BaseRef::Correlation(made.len() as u32);
            let (id, name) = (draft.metadata.id.clone(), draft.metadata.name.clone());
            if let Some(correlation) = finish(draft, &known, &made, fields, problems) {
                made.push(correlation);
                for key in [id, name].into_iter().filter(|key| !key.is_empty()) {
                    known.insert(key, place);
                }
            }
        }
    }
    let waiting: Vec<String> = drafts
        .iter()
        .flat_map(|draft| [draft.metadata.id.clone(), draft.metadata.name.clone()])
        .collect();
    for draft in &drafts {
        for (name, span) in draft.rules.iter().filter(|(name, _)| !known.contains_key(name)) {
            let (message, mend) = if waiting.contains(name) {
                let message = format!("the correlation {name:?} cannot be made itself");
                (message, "mend that one; correlations cannot be made of each other".to_owned())
            } else {
                let near = closest(name, known.keys().map(String::as_str));
                let mend = near.map_or_else(
                    || "load the rule too; one left out by its status has to be asked for".into(),
                    |near| format!("did you mean {near:?}?"),
                );
                (format!("there is no rule with the name or id {name:?}"), mend)
            };
            problems.push(
                Problem::new(codes::RULE_REFERENCE, message)
                    .mend(mend)
                    .at(span.line, span.column, span.length)
                    .in_file(&draft.path),
            );
        }
    }
    made
}

fn finish(
    draft: Draft,
    known: &HashMap<String, BaseRef>,
    made: &[Correlation],
    fields: &mut FieldTable,
    problems: &mut Vec<Problem>,
) -> Option<Correlation> {
    let before = problems.len();
    let mut fault = |span: Span, message: String, mend: &str| {
        problems.push(
            Problem::new(codes::RULE_REFERENCE, message)
                .mend(mend)
                .at(span.line, span.column, span.length)
                .in_file(&draft.path),
        );
    };
    for (rule, _, span) in draft.aliases.iter().flat_map(|alias| &alias.fields) {
        if !draft.rules.iter().any(|(name, _)| name == rule) {
            let message = format!("the alias speaks of {rule:?}, which is none of the rules");
            fault(*span, message, "write it as in `rules`");
        }
    }
    let mut bases = Vec::new();
    for (rule, span) in &draft.rules {
        let of = known[rule.as_str()];
        let mut value_of = |name: &str| {
            let name = field_of(name, rule, &draft.aliases);
            match of {
                BaseRef::Rule(_) => Some(ValueRef::Field(fields.id(name))),
                BaseRef::Correlation(at) => {
                    let groups = &made[at as usize].group_by;
                    let at = groups.iter().position(|group| group.eq_ignore_ascii_case(name));
                    if at.is_none() {
                        let message = format!("{rule:?} is not grouped by {name:?}");
                        fault(*span, message, "group that correlation by it, too, or use an alias");
                    }
                    at.map(ValueRef::Group)
                }
            }
        };
        let group = draft.group_by.iter().filter_map(|name| value_of(name)).collect();
        let value = draft.field.as_ref().and_then(|name| value_of(name));
        bases.push(Base { of, group, value });
    }
    if problems.len() > before {
        return None;
    }
    Some(Correlation {
        metadata: draft.metadata,
        path: draft.path,
        line: draft.line,
        hash: draft.hash,
        kind: draft.kind,
        bases,
        group_by: draft.group_by,
        timespan_us: draft.timespan_us,
        generate: draft.generate,
    })
}

/// What a field or alias is called in the events of a rule.
fn field_of<'a>(name: &'a str, rule: &str, aliases: &'a [Alias]) -> &'a str {
    let alias = aliases.iter().find(|alias| alias.name == name);
    let field = alias.and_then(|alias| alias.fields.iter().find(|(of, _, _)| of == rule));
    field.map_or(name, |(_, field, _)| field)
}

/// The rules that give no signals of their own: all that correlations are made of, but for those
/// that one of them says are to.
pub(in super::super) fn quiet_rules(made: &[Correlation]) -> Vec<u32> {
    parts(made, |of| if let BaseRef::Rule(at) = of { Some(at) } else { None })
}

/// The correlations that give no signals of their own, for the same reason.
pub(in super::super) fn quiet_correlations(made: &[Correlation]) -> Vec<u32> {
    parts(made, |of| if let BaseRef::Correlation(at) = of { Some(at) } else { None })
}

fn parts(made: &[Correlation], pick: impl Fn(BaseRef) -> Option<u32>) -> Vec<u32> {
    let of = |generate: bool| -> BTreeSet<u32> {
        let of_kind = made.iter().filter(|one| one.generate == generate);
        of_kind.flat_map(|one| &one.bases).filter_map(|base| pick(base.of)).collect()
    };
    of(false).difference(&of(true)).copied().collect()
}

//! What a correlation asks of a window: its type and condition.

use bigsec_event::suggest::did_you_mean;
use bigsec_event::{Problem, codes};

use super::super::super::condition::{self as expressions, Expression, Fault};
use super::super::condition::{Bounds, Need};
use super::super::sliding::HITS_MAX;
use super::super::{Kind, Measure};
use super::Reader;
use crate::yaml::{Data, Node, Span};

const TYPES: [&str; 10] = [
    "event_count",
    "value_count",
    "value_sum",
    "value_avg",
    "value_median",
    "value_min",
    "value_max",
    "value_percentile",
    "temporal",
    "temporal_ordered",
];
const BOUNDS: [&str; 5] = ["gt", "gte", "lt", "lte", "eq"];
/// Sets of rules that a condition may come to.
const SETS_MAX: usize = 256;

impl Reader<'_, '_> {
    pub(super) fn kind(
        &mut self,
        node: &Node,
        rules: &[(String, Span)],
    ) -> Option<(Kind, Option<String>)> {
        let named = self.needed(node, "type")?;
        let name = named.scalar_text().unwrap_or_default();
        let ordered = match name {
            "temporal" => Some(false),
            "temporal_ordered" => Some(true),
            _ => None,
        };
        if let Some(ordered) = ordered {
            let need = self.need(node.get("condition").filter(|one| !one.is_null()), rules)?;
            return Some((Kind::Temporal { ordered, need }, None));
        }
        if !TYPES.contains(&name) {
            let known = format!("one of {}", TYPES.join(", "));
            let mend = did_you_mean(name, TYPES, known);
            self.fault(named.span, format!("{name:?} is no type of correlation"), mend);
            return None;
        }
        let condition = self.needed(node, "condition")?;
        let bounds = self.bounds(condition)?;
        let counts = matches!(name, "event_count" | "value_count");
        if counts && bounds.least() > HITS_MAX as u64 && !bounds.has_upper() {
            let message = format!("a correlation counts to {HITS_MAX} at most");
            self.report.fault(condition.span, codes::RULE_BUDGET, message, "ask for less");
        }
        if name == "event_count" {
            return Some((Kind::EventCount(bounds), None));
        }
        let field = self.needed(condition, "field")?;
        let Some(field) = field.text().filter(|text| !text.trim().is_empty()) else {
            self.fault(field.span, "`field` must be the name of one field", "write one name");
            return None;
        };
        let kind = match name {
            "value_count" => Kind::ValueCount(bounds),
            "value_sum" => Kind::Number(Measure::Sum, bounds),
            "value_avg" => Kind::Number(Measure::Average, bounds),
            "value_median" => Kind::Number(Measure::Median, bounds),
            "value_min" => Kind::Number(Measure::Least, bounds),
            "value_max" => Kind::Number(Measure::Most, bounds),
            _ => Kind::Number(Measure::Percentile(self.percentile(condition)?), bounds),
        };
        Some((kind, Some(field.to_owned())))
    }

    fn percentile(&mut self, condition: &Node) -> Option<u8> {
        let node = self.needed(condition, "percentile")?;
        let share = node.scalar_text().and_then(|text| text.parse().ok());
        let share = share.filter(|share| (1..=99).contains(share));
        if share.is_none() {
            let mend = "write it as in `percentile: 95`";
            self.fault(node.span, "`percentile` must be a whole number from 1 to 99", mend);
        }
        share
    }

    fn bounds(&mut self, condition: &Node) -> Option<Bounds> {
        let Data::Map(entries) = &condition.data else {
            let message = format!("the condition must be a mapping, not {}", condition.kind());
            self.fault(condition.span, message, "write it as in `gte: 10`");
            return None;
        };
        let mut bounds = Bounds::default();
        let before = self.report.len();
        for entry in entries {
            let key = &*entry.key;
            if matches!(key, "field" | "percentile") {
                continue;
            }
            let number: Option<f64> = entry.value.scalar_text().and_then(|text| text.parse().ok());
            let Some(number) = number.filter(|number| number.is_finite()) else {
                let message = format!("`{key}` must be a number, not {}", entry.value.kind());
                self.fault(entry.value.span, message, "write it as in `gte: 10`");
                continue;
            };
            match key {
                "gt" => bounds.lower = Some((number, false)),
                "gte" => bounds.lower = Some((number, true)),
                "lt" => bounds.upper = Some((number, false)),
                "lte" => bounds.upper = Some((number, true)),
                "eq" => (bounds.lower, bounds.upper) = (Some((number, true)), Some((number, true))),
                _ => {
                    let mend = did_you_mean(key, BOUNDS, "use gt, gte, lt, lte or eq");
                    self.fault(entry.key_span, format!("{key:?} is no comparison"), mend);
                }
            }
        }
        if bounds == Bounds::default() && self.report.len() == before {
            self.fault(
                condition.span,
                "the condition compares nothing",
                "write it as in `gte: 10`",
            );
        }
        (self.report.len() == before).then_some(bounds)
    }

    /// What a temporal correlation asks for: all rules where it does not say.
    fn need(&mut self, condition: Option<&Node>, rules: &[(String, Span)]) -> Option<Need> {
        let all = || Need::Sets(vec![(0..rules.len().min(64)).fold(0, |all, at| all | 1 << at)]);
        let Some(condition) = condition else { return Some(all()) };
        let Some(text) = condition.text() else {
            return self.bounds(condition).map(Need::Count);
        };
        let sets = expressions::parse(text).and_then(|read| sets_of(&read, rules));
        match sets {
            Ok(sets) => Some(Need::Sets(sets)),
            Err(fault) => {
                let span = Span { length: 0, ..condition.span };
                self.report.add(span, *fault.problem);
                None
            }
        }
    }
}

/// The sets of rules, each of which is enough.
fn sets_of(expression: &Expression, rules: &[(String, Span)]) -> Result<Vec<u64>, Fault> {
    let unreadable = |at, message: String, mend: &str| {
        Fault::new(at, Problem::new(codes::RULE_CONDITION, message).mend(mend))
    };
    let mut sets = match expression {
        Expression::Name(name, at) => {
            let Some(found) = rules.iter().position(|(rule, _)| rule == name) else {
                let message = format!("{name:?} is none of the correlation's rules");
                return Err(unreadable(*at, message, "name a rule of `rules`"));
            };
            vec![1 << found.min(63)]
        }
        Expression::And(parts) => {
            let mut all = vec![0];
            for part in parts {
                let more = sets_of(part, rules)?;
                all = all.iter().flat_map(|one| more.iter().map(move |set| one | set)).collect();
                if all.len() > SETS_MAX {
                    let message = "the condition comes to too many sets of rules".to_owned();
                    return Err(unreadable(<_>::default(), message, "make it simpler"));
                }
            }
            all
        }
        Expression::Or(parts) => {
            let sets: Result<Vec<_>, _> = parts.iter().map(|part| sets_of(part, rules)).collect();
            sets?.concat()
        }
        Expression::Not(_) | Expression::Of(..) => {
            let message = "the condition of a correlation knows and, or and parentheses alone";
            let mend = "name the rules that must match; absence cannot be asked for";
            return Err(unreadable(<_>::default(), message.to_owned(), mend));
        }
    };
    sets.sort_unstable();
    sets.dedup();
    Ok(sets)
}

//! Kinds of record within one pack, and finding the right one quickly.

use std::sync::Arc;

use bigsec_event::{FieldMap, FieldName, FieldSource, Record};

use super::condition::Condition;
use super::value_map::compare;
use crate::parsed::DerivedText;

/// One kind of record.
#[derive(Debug)]
pub(super) struct Variant {
    pub when: Condition,
    pub set: Vec<(u16, DerivedText)>,
    pub map: Arc<FieldMap>,
}

/// The kinds in their order; the first whose condition holds wins.
#[derive(Debug, Default)]
pub(super) struct Variants {
    list: Vec<Variant>,
    /// The field that most conditions compare with given values: one look at it leaves few.
    key: Option<FieldName>,
    /// Sorted values of that field, each with the variants that can have it.
    by_value: Vec<(Box<str>, Vec<u16>)>,
    /// Variants that can have any other value.
    other: Vec<u16>,
}

impl Variants {
    pub fn new(list: Vec<Variant>) -> Self {
        let mut variants = Self { key: best_key(&list), list, ..Self::default() };
        let Some(key) = &variants.key else {
            variants.other = (0..variants.list.len() as u16).collect();
            return variants;
        };
        let demands: Vec<_> = variants.list.iter().map(|v| v.when.must_equal(key)).collect();
        let mut values: Vec<&str> = demands.iter().flatten().flatten().copied().collect();
        values.sort_by(|left, right| compare(left, right));
        values.dedup_by(|left, right| left.eq_ignore_ascii_case(right));
        let can_have = |at: usize, value: &str| match &demands[at] {
            None => true,
            Some(any_of) => any_of.iter().any(|one| one.eq_ignore_ascii_case(value)),
        };
        let with = |value: &str| {
            (0..demands.len()).filter(|at| can_have(*at, value)).map(|at| at as u16).collect()
        };
        variants.by_value = values.iter().map(|value| ((*value).into(), with(value))).collect();
        variants.other =
            (0..demands.len()).filter(|at| demands[*at].is_none()).map(|at| at as u16).collect();
        variants
    }

    /// The first kind whose condition holds.
    pub fn find(&self, record: &Record) -> Option<&Variant> {
        let mut best = self.first(&self.other, record);
        if let Some(key) = &self.key {
            record.visit(key, &mut |value| {
                let at = self.by_value.binary_search_by(|(known, _)| compare(known, value.text));
                if let Ok(at) = at {
                    let found = self.first(&self.by_value[at].1, record);
                    best = [best, found].into_iter().flatten().min();
                }
                false
            });
        }
        best.map(|at| &self.list[usize::from(at)])
    }

    fn first(&self, candidates: &[u16], record: &Record) -> Option<u16> {
        candidates.iter().copied().find(|at| self.list[usize::from(*at)].when.holds(record))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Variant> {
        self.list.iter()
    }
}

/// The field that the most conditions compare with given values.
fn best_key(list: &[Variant]) -> Option<FieldName> {
    let fields = list.iter().flat_map(|variant| variant.when.fields());
    let distinct = |field: &FieldName| {
        let demands = list.iter().filter_map(|variant| variant.when.must_equal(field));
        let mut values: Vec<_> = demands.flatten().collect();
        values.sort_unstable();
        values.dedup();
        values.len()
    };
    let counted = fields.map(|field| (distinct(field), field));
    // The first of equals, so that the choice does not hang on chance.
    let best = counted.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    (best.0 > 0).then(|| best.1.clone())
}

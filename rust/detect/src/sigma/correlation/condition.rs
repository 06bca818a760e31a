//! What a window must hold for a correlation to match.

/// Bounds of a number.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in super::super) struct Bounds {
    /// The bound, and whether it is itself within.
    pub lower: Option<(f64, bool)>,
    pub upper: Option<(f64, bool)>,
}

impl Bounds {
    pub fn has_upper(&self) -> bool {
        self.upper.is_some()
    }

    pub fn hold(&self, number: f64) -> bool {
        let above = self.lower.is_none_or(
            |(bound, within)| {
                if within { number >= bound } else { number > bound }
            },
        );
        let below = self.upper.is_none_or(
            |(bound, within)| {
                if within { number <= bound } else { number < bound }
            },
        );
        above && below
    }

    /// The least whole number that is not below the lower bound.
    #[expect(clippy::cast_sign_loss, reason = "none is below 0, and what is too large is capped")]
    pub fn least(&self) -> u64 {
        let least = match self.lower {
            None => 0.0,
            Some((bound, true)) => bound.ceil(),
            Some((bound, false)) => bound.floor() + 1.0,
        };
        least.max(0.0) as u64
    }

    /// Whether a count is within.
    pub fn hold_count(&self, count: usize) -> bool {
        self.hold(u32::try_from(count).map_or(f64::INFINITY, f64::from))
    }
}

/// Which of the rules must have matched.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Need {
    /// So many of them.
    Count(Bounds),
    /// All of any of these sets, a bit for each rule.
    Sets(Vec<u64>),
}

impl Need {
    pub fn has_upper(&self) -> bool {
        matches!(self, Self::Count(bounds) if bounds.has_upper())
    }

    /// Whether rules that matched, in any order, are enough.
    pub fn met_by(&self, matched: u64) -> bool {
        match self {
            Self::Count(bounds) => bounds.hold(f64::from(matched.count_ones())),
            Self::Sets(sets) => sets.iter().any(|set| matched & set == *set),
        }
    }

    /// Whether rules that matched in that order are enough, where each set must be met in the order
    /// of its bits.
    pub fn met_in_order(&self, matched: impl Iterator<Item = u8> + Clone) -> bool {
        match self {
            Self::Count(bounds) => bounds.hold_count(longest_chain(matched)),
            Self::Sets(_) => !self.picked_in_order(matched).is_empty(),
        }
    }

    /// The places of those that a match in order is made of: for a set the earliest of each rule
    /// after the one before it, for a count all.
    pub fn picked_in_order(&self, matched: impl Iterator<Item = u8> + Clone) -> Vec<usize> {
        let Self::Sets(sets) = self else { return matched.enumerate().map(|one| one.0).collect() };
        for set in sets {
            let (mut left, mut picked) = (*set, Vec::new());
            for (at, base) in matched.clone().enumerate() {
                if left.trailing_zeros() == u32::from(base) {
                    left &= left - 1;
                    picked.push(at);
                }
            }
            if left == 0 {
                return picked;
            }
        }
        Vec::new()
    }
}

/// How many rules, each later than the one before and named after it, can be picked.
fn longest_chain(matched: impl Iterator<Item = u8>) -> usize {
    // The least rule that a chain of each length ends with.
    let mut ends: Vec<u8> = Vec::new();
    for base in matched {
        let at = ends.partition_point(|end| *end < base);
        if at == ends.len() {
            ends.push(base);
        } else {
            ends[at] = base;
        }
    }
    ends.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_at_their_ends_as_they_say() {
        let over = Bounds { lower: Some((3.0, false)), upper: Some((5.0, true)) };
        assert_eq!([3.0, 3.5, 5.0, 5.1].map(|one| over.hold(one)), [false, true, true, false]);
        assert_eq!((over.least(), Bounds::default().least()), (4, 0));
        let from = Bounds { lower: Some((2.5, true)), upper: None };
        assert_eq!((from.least(), from.hold(2.5)), (3, true));
    }

    #[test]
    fn sets_are_met_in_their_order_only_where_it_counts() {
        let need = Need::Sets(vec![0b101]);
        assert!(need.met_by(0b111) && !need.met_by(0b011));
        assert!(need.met_in_order([0, 1, 2].into_iter()));
        assert!(!need.met_in_order([2, 1, 0].into_iter()));
        assert!(need.met_in_order([2, 0, 2].into_iter()));
    }

    #[test]
    fn a_chain_is_counted_by_its_longest() {
        assert_eq!(longest_chain([2, 0, 1, 0, 2].into_iter()), 3);
        assert_eq!(longest_chain([1, 1, 1].into_iter()), 1);
        assert_eq!(longest_chain(std::iter::empty()), 0);
    }
}

//! What each rule costs a matcher, and rules that are switched off for it.

use std::time::Instant;

/// One question in so many is timed: the clock costs more than most questions.
const TIMED_ONE_IN: u32 = 64;

/// What one rule has cost a matcher so far. What all rules share, finding those that can match at
/// all, is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RuleCost {
    /// Events about which the rule was asked.
    pub asked: u64,
    /// Events that it matched.
    pub matched: u64,
    /// Questions that were timed.
    pub timed: u64,
    /// Nanoseconds that those took.
    pub timed_ns: u64,
}

impl RuleCost {
    /// Nanoseconds that all questions took, as far as those timed show; 0 where none was.
    pub fn estimated_ns(&self) -> u64 {
        let all = u128::from(self.timed_ns) * u128::from(self.asked);
        let estimate = all.checked_div(u128::from(self.timed)).unwrap_or_default();
        u64::try_from(estimate).unwrap_or(u64::MAX)
    }
}

/// The costs of all rules.
#[derive(Debug)]
pub(super) struct Costs {
    pub rules: Vec<RuleCost>,
    /// Rules that are asked no more.
    off: Vec<bool>,
    until_timed: u32,
}

impl Costs {
    /// Of so many rules.
    pub fn new(rules: usize) -> Self {
        Self {
            rules: vec![RuleCost::default(); rules],
            off: vec![false; rules],
            until_timed: TIMED_ONE_IN,
        }
    }

    /// The answer to a question about a rule, which is counted; no where the rule is switched off.
    pub fn ask(&mut self, rule: u32, question: impl FnOnce() -> bool) -> bool {
        let rule = rule as usize;
        if self.off[rule] {
            return false;
        }
        let cost = &mut self.rules[rule];
        cost.asked += 1;
        self.until_timed -= 1;
        let matched = if self.until_timed == 0 {
            self.until_timed = TIMED_ONE_IN;
            let start = Instant::now();
            let matched = question();
            cost.timed += 1;
            let took = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
            cost.timed_ns = cost.timed_ns.saturating_add(took);
            matched
        } else {
            question()
        };
        cost.matched += u64::from(matched);
        matched
    }

    /// Asks a rule no more, or again.
    pub fn switch(&mut self, rule: u32, off: bool) {
        if let Some(own) = self.off.get_mut(rule as usize) {
            *own = off;
        }
    }

    /// True for a rule that is asked no more.
    pub fn is_off(&self, rule: u32) -> bool {
        self.off.get(rule as usize).is_some_and(|off| *off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_questions_are_timed_and_all_are_counted() {
        let mut costs = Costs::new(2);
        for number in 0..TIMED_ONE_IN * 3 {
            costs.ask(1, || number % 2 == 0);
        }
        let cost = costs.rules[1];
        assert_eq!((cost.asked, cost.matched, cost.timed), (192, 96, 3));
        assert_eq!(costs.rules[0], RuleCost::default());
    }

    #[test]
    fn the_estimate_is_for_all_questions() {
        let cost = RuleCost { asked: 640, matched: 0, timed: 10, timed_ns: 500 };
        assert_eq!(cost.estimated_ns(), 32_000);
        assert_eq!(RuleCost { asked: 3, ..RuleCost::default() }.estimated_ns(), 0);
    }

    #[test]
    fn a_rule_that_is_off_is_not_asked() {
        let mut costs = Costs::new(1);
        costs.switch(0, true);
        assert!(!costs.ask(0, || panic!("it is off")) && costs.is_off(0));
        costs.switch(0, false);
        assert!(costs.ask(0, || true));
        assert_eq!(costs.rules[0].asked, 1);
        costs.switch(7, true);
        assert!(!costs.is_off(7));
    }
}

//! A brake for rules that match too much: what one rule floods must not hold up the others.

/// How many signals of one rule are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brake {
    /// At once, and again each minute.
    pub signals_per_minute: u32,
}

/// Signals of a rule that were not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Braked {
    /// The rule's id.
    pub rule_id: String,
    /// The rule's title.
    pub rule_title: String,
    /// So many.
    pub signals: u64,
}

const MINUTE_US: i64 = 60_000_000;

/// What one rule may still give.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    left: f64,
    since_us: i64,
    pub braked: u64,
}

impl Allowance {
    pub fn new(brake: Option<Brake>) -> Self {
        let left = brake.map_or(f64::INFINITY, |brake| f64::from(brake.signals_per_minute));
        Self { left, since_us: i64::MIN, braked: 0 }
    }

    /// Whether one more signal may be given at that time of receipt.
    #[expect(clippy::cast_precision_loss, reason = "it is a minute at most")]
    pub fn take(&mut self, brake: Option<Brake>, now_us: i64) -> bool {
        let Some(brake) = brake else { return true };
        let most = f64::from(brake.signals_per_minute);
        let passed_us = now_us.saturating_sub(self.since_us).clamp(0, MINUTE_US);
        self.since_us = self.since_us.max(now_us);
        self.left = (self.left + most * passed_us as f64 / MINUTE_US as f64).min(most);
        let is_given = self.left >= 1.0;
        if is_given {
            self.left -= 1.0;
        } else {
            self.braked += 1;
        }
        is_given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_braked_and_passes_again_after_a_while() {
        let brake = Some(Brake { signals_per_minute: 60 });
        let mut one = Allowance::new(brake);
        let mut given =
            |at_us: i64, many: usize| (0..many).filter(|_| one.take(brake, at_us)).count();
        assert_eq!(given(0, 100), 60);
        assert_eq!(given(5_000_000, 100), 5);
        assert_eq!(given(4_000_000, 100), 0, "a clock that goes back gives nothing");
        assert_eq!(given(i64::MAX, 100), 60);
        assert_eq!(one.braked, 40 + 95 + 100 + 40);
    }

    #[test]
    fn without_a_brake_all_pass() {
        let mut one = Allowance::new(None);
        assert!((0..10_000).all(|_| one.take(None, 0)));
    }
}

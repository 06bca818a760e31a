//! Which time an event is sorted, pruned and judged by.

/// How far before its receipt an event's own time is believed: 30 days.
pub const EFFECTIVE_PAST_US: i64 = 30 * 24 * 3600 * 1_000_000;
/// How far after its receipt an event's own time is believed: 10 minutes.
pub const EFFECTIVE_FUTURE_US: i64 = 600 * 1_000_000;

/// Whether a source's own times are believed without bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeBound {
    /// Old files (`scan`) and declared backfills: every time is believed.
    None,
    /// A live source: only times within these distances of receipt, in µs, both inclusive.
    Within {
        /// How far before receipt.
        past_us: i64,
        /// How far after receipt.
        future_us: i64,
    },
}

impl TimeBound {
    /// The default of a live source.
    pub const LIVE: Self =
        Self::Within { past_us: EFFECTIVE_PAST_US, future_us: EFFECTIVE_FUTURE_US };
}

/// The event's own time where it is known and believable, else the time of receipt (µs, UTC).
pub fn time_effective(time_us: Option<i64>, received_us: i64, bound: TimeBound) -> i64 {
    match (time_us, bound) {
        (Some(time), TimeBound::None) => time,
        (Some(time), TimeBound::Within { past_us, future_us })
            if time >= received_us.saturating_sub(past_us)
                && time <= received_us.saturating_add(future_us) =>
        {
            time
        }
        _ => received_us,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_hold_exactly() {
        let received = 1_700_000_000_000_000;
        let at = |time| time_effective(Some(time), received, TimeBound::LIVE);
        assert_eq!(at(received - EFFECTIVE_PAST_US), received - EFFECTIVE_PAST_US);
        assert_eq!(at(received - EFFECTIVE_PAST_US - 1), received);
        assert_eq!(at(received + EFFECTIVE_FUTURE_US), received + EFFECTIVE_FUTURE_US);
        assert_eq!(at(received + EFFECTIVE_FUTURE_US + 1), received);
        assert_eq!(time_effective(None, received, TimeBound::None), received);
        assert_eq!(time_effective(Some(0), received, TimeBound::None), 0);
        assert_eq!(time_effective(Some(1), i64::MIN, TimeBound::LIVE), i64::MIN);
    }
}

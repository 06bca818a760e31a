//! Numbers made of the values of a window.

use super::Measure;

impl Measure {
    /// The number, of values in any order; nothing of no values, or for a measure that a summary
    /// knows.
    ///
    /// Percentiles are by nearest rank, so that they are values that were seen.
    pub(super) fn of(self, values: &mut [f64]) -> Option<f64> {
        let count = values.len();
        values.sort_by(f64::total_cmp);
        match self {
            _ if count == 0 => None,
            Self::Median => Some(f64::midpoint(values[(count - 1) / 2], values[count / 2])),
            Self::Percentile(share) => {
                let rank = (usize::from(share) * count).div_ceil(100);
                Some(values[rank.clamp(1, count) - 1])
            }
            Self::Sum | Self::Average | Self::Least | Self::Most => None,
        }
    }
}

/// What is known of numbers without keeping them.
#[derive(Debug, Default)]
pub(super) struct Summary {
    count: u32,
    sum: f64,
    least: f64,
    most: f64,
}

impl Summary {
    pub fn add(&mut self, number: f64) {
        let is_first = self.count == 0;
        self.count = self.count.saturating_add(1);
        self.sum += number;
        self.least = if is_first { number } else { self.least.min(number) };
        self.most = if is_first { number } else { self.most.max(number) };
    }

    /// A measure that needs no more than this.
    pub fn of(&self, measure: Measure) -> Option<f64> {
        let known = match measure {
            Measure::Sum => self.sum,
            Measure::Average => self.sum / f64::from(self.count),
            Measure::Least => self.least,
            Measure::Most => self.most,
            Measure::Median | Measure::Percentile(_) => return None,
        };
        (self.count > 0).then_some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_those_of_the_textbook() {
        let of = |measure: Measure| measure.of(&mut [15.0, 20.0, 50.0, 35.0, 40.0]);
        assert_eq!(of(Measure::Median), Some(35.0));
        assert_eq!(
            (of(Measure::Percentile(5)), of(Measure::Percentile(30))),
            (Some(15.0), Some(20.0))
        );
        assert_eq!(
            (of(Measure::Percentile(40)), of(Measure::Percentile(99))),
            (Some(20.0), Some(50.0))
        );
        assert_eq!(Measure::Median.of(&mut [1.0, 4.0]), Some(2.5));
        assert_eq!(Measure::Median.of(&mut []), None);
    }
}

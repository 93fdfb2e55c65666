//! Means over seeds, with their intervals.

/// Standard normal quantile of 97.5 %.
const NORMAL: f64 = 1.959_963_984_540_054;

/// A mean over seeds with a 95 % interval (Student's t).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Half the width of the interval; 0 for a single value.
    pub half_width: f64,
}

impl Estimate {
    /// The mean of these values, one per seed; zero for none.
    #[expect(clippy::cast_precision_loss, reason = "few values")]
    pub fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        if values.is_empty() {
            return Self {
                mean: 0.0,
                half_width: 0.0,
            };
        }
        let mean = values.iter().sum::<f64>() / count;
        if values.len() == 1 {
            return Self {
                mean,
                half_width: 0.0,
            };
        }
        let squares: f64 = values
            .iter()
            .map(|value| (value - mean) * (value - mean))
            .sum();
        let error = (squares / (count - 1.0) / count).sqrt();
        Self {
            mean,
            half_width: student(count - 1.0) * error,
        }
    }

    /// The lower end of the interval.
    pub fn low(&self) -> f64 {
        self.mean - self.half_width
    }

    /// The upper end of the interval.
    pub fn high(&self) -> f64 {
        self.mean + self.half_width
    }
}

/// The 97.5 % quantile of Student's t: the Cornish-Fisher series, within 1 % from three degrees of freedom on.
fn student(freedom: f64) -> f64 {
    let z = NORMAL;
    let (z3, z5, z7) = (z * z * z, z * z * z * z * z, z * z * z * z * z * z * z);
    let first = (z3 + z) / (4.0 * freedom);
    let second = (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * freedom * freedom);
    let third =
        (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * freedom * freedom * freedom);
    z + first + second + third
}

/// The value below which this share of the values lies; 0 for none. Sorts them.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a short list"
)]
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (share * values.len() as f64) as usize;
    values
        .get(place.min(values.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

/// The Gini coefficient of how often each agent was picked: 0 is evenly, towards 1 is always the same.
#[expect(clippy::cast_precision_loss, reason = "few agents")]
pub fn gini(counts: &[u64]) -> f64 {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let (mut weighted, mut sum) = (0.0, 0.0);
    for (place, count) in (1u64..).zip(&sorted) {
        weighted += place as f64 * *count as f64;
        sum += *count as f64;
    }
    if sum == 0.0 {
        return 0.0;
    }
    let agents = sorted.len() as f64;
    2.0 * weighted / (agents * sum) - (agents + 1.0) / agents
}

#[cfg(test)]
mod tests {
    use super::{Estimate, gini, quantile, student};

    #[test]
    fn an_interval_is_student_s() {
        // Quantiles from a printed table.
        for (freedom, printed) in [(5.0, 2.571), (30.0, 2.042), (99.0, 1.984)] {
            assert!((student(freedom) - printed).abs() < 0.01, "{freedom}");
        }
        let estimate = Estimate::of(&[1.0, 2.0, 3.0]);
        assert_eq!(estimate.mean, 2.0);
        assert!((estimate.half_width - 2.48).abs() < 0.1);
        assert_eq!(Estimate::of(&[]).mean, 0.0);
        assert_eq!(Estimate::of(&[7.0]).half_width, 0.0);
    }

    #[test]
    fn gini_and_quantile_of_known_lists() {
        assert_eq!(gini(&[4, 4, 4, 4]), 0.0);
        assert_eq!(gini(&[0, 0, 0, 8]), 0.75);
        let mut values: Vec<f64> = (0..100).rev().map(f64::from).collect();
        assert_eq!(quantile(&mut values, 0.95), 95.0);
        assert_eq!(quantile(&mut [], 0.5), 0.0);
    }
}

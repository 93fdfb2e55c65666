//! A scale: from numbers to places, with ticks at round numbers.

/// One axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    least: f64,
    most: f64,
    logarithmic: bool,
    from: f64,
    to: f64,
}

impl Axis {
    /// An axis over these values, drawn between two places; a tenth is left free at both ends.
    pub(super) fn over(
        values: impl Iterator<Item = f64>,
        logarithmic: bool,
        (from, to): (f64, f64),
    ) -> Self {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| value.is_finite()) {
            if logarithmic && value <= 0.0 {
                continue;
            }
            least = least.min(value);
            most = most.max(value);
        }
        if least > most {
            (least, most) = (0.0, 1.0);
        }
        let mut axis = Self {
            least,
            most,
            logarithmic,
            from,
            to,
        };
        let (low, high) = (axis.measure(least), axis.measure(most));
        let room = if high > low { 0.08 * (high - low) } else { 0.5 };
        if logarithmic {
            axis.least = 10f64.powf(low - room);
            axis.most = 10f64.powf(high + room);
        } else {
            let floor = if least >= 0.0 { 0.0 } else { f64::NEG_INFINITY };
            axis.least = (low - room).max(floor);
            axis.most = high + room;
        }
        axis
    }

    fn measure(&self, value: f64) -> f64 {
        if self.logarithmic {
            value.max(1e-300).log10()
        } else {
            value
        }
    }

    /// Where a value is drawn.
    pub(super) fn place(&self, value: f64) -> f64 {
        let (low, high) = (self.measure(self.least), self.measure(self.most));
        let share = (self.measure(value) - low) / (high - low);
        self.from + share * (self.to - self.from)
    }

    /// Round numbers on the axis, at most about this many.
    pub(super) fn ticks(&self, count: f64) -> Vec<(f64, String)> {
        if self.logarithmic {
            return self.decades();
        }
        let step = round_step((self.most - self.least) / count);
        let mut tick = (self.least / step).ceil() * step;
        let mut ticks = Vec::new();
        while tick <= self.most {
            ticks.push((tick, label(tick, step)));
            tick += step;
        }
        ticks
    }

    fn decades(&self) -> Vec<(f64, String)> {
        let mut ticks = Vec::new();
        let mut decade = 10f64.powf(self.least.log10().floor());
        while decade <= self.most {
            for tick in [decade, 3.0 * decade] {
                if tick >= self.least && tick <= self.most {
                    ticks.push((tick, label(tick, tick)));
                }
            }
            decade *= 10.0;
        }
        ticks
    }
}

/// 1, 2 or 5 times a power of ten.
fn round_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    let share = raw / power;
    let nice = if share <= 1.0 {
        1.0
    } else if share <= 2.0 {
        2.0
    } else if share <= 5.0 {
        5.0
    } else {
        10.0
    };
    nice * power
}

/// A number with as many digits as its step needs, and commas between thousands.
fn label(value: f64, step: f64) -> String {
    let digits = if step >= 1.0 {
        0
    } else {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "few digits"
        )]
        let digits = (-step.log10().floor()) as usize;
        digits.min(6)
    };
    let value = if value.abs() < step * 1e-6 {
        0.0
    } else {
        value
    };
    let plain = format!("{value:.digits$}");
    if value.abs() < 10_000.0 {
        return plain;
    }
    let mut with_commas = String::new();
    for (place, letter) in plain.chars().enumerate() {
        if place > 0 && (plain.len() - place).is_multiple_of(3) && digits == 0 {
            with_commas.push(',');
        }
        with_commas.push(letter);
    }
    with_commas
}

#[cfg(test)]
mod tests {
    use super::{Axis, label};

    #[test]
    fn ticks_are_round_and_on_the_axis() {
        let axis = Axis::over([0.31, 0.97].into_iter(), false, (0.0, 100.0));
        let ticks = axis.ticks(5.0);
        let texts: Vec<&str> = ticks.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["0.4", "0.6", "0.8", "1.0"]);
        assert!(
            ticks
                .iter()
                .all(|(tick, _)| (0.0..=100.0).contains(&axis.place(*tick)))
        );
        let decades = Axis::over([1.0, 500.0].into_iter(), true, (0.0, 100.0));
        assert!(decades.ticks(5.0).iter().any(|(_, text)| text == "100"));
        assert_eq!(label(1_234_567.0, 1.0), "1,234,567");
    }
}

//! Rows of figures, each beside its limit.

use std::time::Duration;

/// Some runs of one measurement.
#[derive(Debug, Clone)]
pub(crate) struct Runs(Vec<f64>);

impl Runs {
    /// Runs once without counting, then `runs` times.
    pub(crate) fn of(runs: usize, mut run: impl FnMut() -> f64) -> Self {
        run();
        let mut values: Vec<f64> = (0..runs).map(|_| run()).collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    pub(crate) fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    fn spread(&self) -> String {
        let (least, most) = (self.0[0], self.0[self.0.len() - 1]);
        format!("{} to {}", number(least), number(most))
    }
}

/// What is required of a figure.
pub(crate) enum Required {
    AtLeast(f64),
    AtMost(f64),
    Nothing,
}

struct Row {
    what: String,
    value: f64,
    unit: &'static str,
    spread: String,
    beside: String,
    required: Required,
}

/// All rows.
pub(crate) struct Table(Vec<Row>);

impl Table {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// A figure of some runs.
    pub(crate) fn row(
        &mut self,
        what: impl Into<String>,
        runs: &Runs,
        unit: &'static str,
        beside: impl Into<String>,
        required: Required,
    ) {
        self.0.push(Row {
            what: what.into(),
            value: runs.median(),
            unit,
            spread: runs.spread(),
            beside: beside.into(),
            required,
        });
    }

    /// A figure that has no spread.
    pub(crate) fn single(
        &mut self,
        what: impl Into<String>,
        value: f64,
        unit: &'static str,
        beside: impl Into<String>,
        required: Required,
    ) {
        self.0.push(Row {
            what: what.into(),
            value,
            unit,
            spread: String::new(),
            beside: beside.into(),
            required,
        });
    }

    pub(crate) fn print(&self, json: bool) {
        if json {
            for row in &self.0 {
                let holds = row.holds();
                println!(
                    "{}",
                    serde_json::json!({
                        "what": row.what, "value": row.value, "unit": row.unit, "spread": row.spread,
                        "beside": row.beside, "required": row.required(), "holds": holds,
                    })
                );
            }
            return;
        }
        println!("| what | median | least to most | beside | required | holds |");
        println!("|---|---|---|---|---|---|");
        for row in &self.0 {
            println!(
                "| {} | {} {} | {} | {} | {} | {} |",
                row.what,
                number(row.value),
                row.unit,
                row.spread,
                row.beside,
                row.required(),
                match row.holds() {
                    Some(true) => "yes",
                    Some(false) => "NO",
                    None => "",
                }
            );
        }
    }
}

impl Row {
    fn required(&self) -> String {
        match self.required {
            Required::AtLeast(least) => format!("≥ {}", number(least)),
            Required::AtMost(most) => format!("≤ {}", number(most)),
            Required::Nothing => String::new(),
        }
    }

    fn holds(&self) -> Option<bool> {
        match self.required {
            Required::AtLeast(least) => Some(self.value >= least),
            Required::AtMost(most) => Some(self.value <= most),
            Required::Nothing => None,
        }
    }
}

/// 1234567.8 → 1,234,568; 0.637 → 0.637.
pub(crate) fn number(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.3}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count as a number to divide.
#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// So many in this time, a second.
pub(crate) fn per_second(count: u64, time: Duration) -> f64 {
    float(count) / time.as_secs_f64()
}

//! Rows of figures, each beside what is required of it.

/// What is required of a figure.
pub(crate) enum Required {
    AtMost(f64),
    Exactly(f64),
    Nothing,
}

/// All rows.
#[derive(Default)]
pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    pub(crate) fn row(&mut self, what: &str, value: f64, unit: &str, required: Required) {
        let (text, holds) = match required {
            Required::AtMost(most) => (format!("≤ {}", number(most)), Some(value <= most)),
            Required::Exactly(exact) => (number(exact), Some(value == exact)),
            Required::Nothing => (String::new(), None),
        };
        let holds = holds.map_or("", |holds| if holds { "yes" } else { "NO" });
        let value = format!("{} {unit}", number(value));
        self.0
            .push(vec![what.to_owned(), value, text, holds.to_owned()]);
    }

    pub(crate) fn print(&self) {
        println!("| what | figure | required | holds |");
        println!("|---|---|---|---|");
        for row in &self.0 {
            println!("| {} |", row.join(" | "));
        }
    }
}

/// 1234567.8 → 1,234,568; 0.637 → 0.637.
fn number(value: f64) -> String {
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

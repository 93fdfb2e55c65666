//! One field of a chart.

use super::{
    axis::Axis,
    drawing::{Anchor, Drawing, GREY, GRID, Style},
};
use crate::experiments::statistics::Estimate;

/// One field of a chart.
#[derive(Clone, Debug)]
pub enum Panel {
    /// A value with its interval for each row.
    Dots(Dots),
    /// Curves.
    Lines(Lines),
}

/// A value with its interval for each row.
#[derive(Clone, Debug)]
pub struct Dots {
    /// What is measured, with its unit.
    pub title: String,
    /// The rows, from the top.
    pub rows: Vec<Row>,
    /// A value to reach, with its name.
    pub target: Option<(f64, String)>,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Name.
    pub name: String,
    /// Value; what is not finite is not drawn.
    pub value: Estimate,
    /// Colour.
    pub colour: &'static str,
}

/// Curves.
#[derive(Clone, Debug)]
pub struct Lines {
    /// What is seen.
    pub title: String,
    /// Label of the horizontal axis.
    pub x: String,
    /// Label of the vertical axis.
    pub y: String,
    /// Whether the axes are logarithmic: horizontal, vertical.
    pub logarithmic: (bool, bool),
    /// The curves.
    pub series: Vec<Series>,
    /// Moments on the horizontal axis, with names.
    pub marks: Vec<(f64, String)>,
    /// A value to reach on the vertical axis, with its name.
    pub target: Option<(f64, String)>,
}

/// One curve.
#[derive(Clone, Debug)]
pub struct Series {
    /// Name.
    pub name: String,
    /// Colour.
    pub colour: &'static str,
    /// Whether the line is broken.
    pub dashed: bool,
    /// Places, and values with their intervals.
    pub points: Vec<(f64, Estimate)>,
}

/// Where a panel is drawn: left, top, width, height.
pub(super) type Frame = (f64, f64, f64, f64);

impl Panel {
    pub(super) fn title(&self) -> &str {
        match self {
            Self::Dots(dots) => &dots.title,
            Self::Lines(lines) => &lines.title,
        }
    }

    pub(super) fn draw(&self, drawing: &mut Drawing, frame: Frame, names: bool) {
        match self {
            Self::Dots(dots) => dots.draw(drawing, frame, names),
            Self::Lines(lines) => lines.draw(drawing, frame),
        }
    }
}

impl Dots {
    #[expect(clippy::cast_precision_loss, reason = "few rows")]
    fn draw(&self, drawing: &mut Drawing, (left, top, width, height): Frame, names: bool) {
        let ends = self
            .rows
            .iter()
            .flat_map(|row| [row.value.low(), row.value.high()]);
        let target = self.target.as_ref().map(|(value, _)| *value);
        let axis = Axis::over(ends.chain(target), false, (left, left + width));
        let bottom = top + height;
        for (tick, label) in axis.ticks(4.0) {
            let x = axis.place(tick);
            drawing.line((x, top), (x, bottom), GRID, (1.0, None));
            drawing.text(
                (x, bottom + 16.0),
                &label,
                Style::new(11.0, Anchor::Middle).grey(),
            );
        }
        if let Some((value, name)) = &self.target {
            let x = axis.place(*value);
            drawing.line(
                (x, top - 4.0),
                (x, bottom),
                "#b00020",
                (1.4, Some((5.0, 3.0))),
            );
            let style = Style::new(10.5, Anchor::Middle).colour("#b00020");
            drawing.text((x, top - 8.0), name, style);
        }
        let step = height / self.rows.len().max(1) as f64;
        for (place, row) in self.rows.iter().enumerate() {
            let y = top + step * (place as f64 + 0.5);
            if names {
                let style = Style::new(12.5, Anchor::End);
                drawing.text((left - 12.0, y + 4.0), &row.name, style);
            }
            if !row.value.mean.is_finite() {
                continue;
            }
            let (low, high) = (axis.place(row.value.low()), axis.place(row.value.high()));
            drawing.line((low, y), (high, y), row.colour, (2.4, None));
            drawing.circle((axis.place(row.value.mean), y), 4.8, row.colour);
        }
    }
}

impl Lines {
    fn draw(&self, drawing: &mut Drawing, (left, top, width, height): Frame) {
        let bottom = top + height;
        let points = || self.series.iter().flat_map(|series| &series.points);
        let x_axis = Axis::over(
            points().map(|(x, _)| *x),
            self.logarithmic.0,
            (left, left + width),
        );
        let y_axis = Axis::over(
            points()
                .flat_map(|(_, y)| [y.low(), y.high()])
                .chain(self.target.as_ref().map(|(value, _)| *value)),
            self.logarithmic.1,
            (bottom, top),
        );
        for (tick, label) in y_axis.ticks(5.0) {
            let y = y_axis.place(tick);
            drawing.line((left, y), (left + width, y), GRID, (1.0, None));
            drawing.text(
                (left - 8.0, y + 4.0),
                &label,
                Style::new(11.0, Anchor::End).grey(),
            );
        }
        for (tick, label) in x_axis.ticks(6.0) {
            let x = x_axis.place(tick);
            drawing.line((x, bottom), (x, bottom + 4.0), GREY, (1.0, None));
            drawing.text(
                (x, bottom + 17.0),
                &label,
                Style::new(11.0, Anchor::Middle).grey(),
            );
        }
        drawing.line((left, bottom), (left + width, bottom), GREY, (1.0, None));
        drawing.text(
            (left + width / 2.0, bottom + 34.0),
            &self.x,
            Style::new(11.5, Anchor::Middle).grey(),
        );
        drawing.text_upwards(
            (left - 48.0, top + height / 2.0),
            &self.y,
            Style::new(11.5, Anchor::Middle).grey(),
        );
        for (value, name) in &self.marks {
            let x = x_axis.place(*value);
            drawing.line((x, top), (x, bottom), GREY, (1.2, Some((4.0, 3.0))));
            drawing.text(
                (x + 5.0, top + 11.0),
                name,
                Style::new(10.5, Anchor::Start).grey(),
            );
        }
        if let Some((value, name)) = &self.target {
            let y = y_axis.place(*value);
            drawing.line(
                (left, y),
                (left + width, y),
                "#b00020",
                (1.4, Some((5.0, 3.0))),
            );
            let style = Style::new(10.5, Anchor::Start).colour("#b00020");
            drawing.text((left + 4.0, y - 5.0), name, style);
        }
        for series in &self.series {
            series.draw(drawing, &x_axis, &y_axis);
        }
    }
}

impl Series {
    fn draw(&self, drawing: &mut Drawing, x_axis: &Axis, y_axis: &Axis) {
        let at = |x: f64, y: f64| (x_axis.place(x), y_axis.place(y));
        let upper = self.points.iter().map(|(x, y)| at(*x, y.high()));
        let lower = self.points.iter().rev().map(|(x, y)| at(*x, y.low()));
        let band: Vec<(f64, f64)> = upper.chain(lower).collect();
        drawing.area(band, self.colour);
        let middle: Vec<(f64, f64)> = self.points.iter().map(|(x, y)| at(*x, y.mean)).collect();
        drawing.polyline(
            middle.clone(),
            self.colour,
            (2.0, self.dashed.then_some((6.0, 4.0))),
        );
        if self.points.len() <= 12 {
            for point in middle {
                drawing.circle(point, 3.8, self.colour);
            }
        }
    }
}

//! A whole chart: title, note, panels in a grid, legend.

use super::{
    drawing::{Anchor, Drawing, Style},
    panel::Panel,
    png::Painter,
    svg::svg,
};
use crate::experiments::ExperimentError;

const WIDTH: f64 = 1080.0;
const MARGIN: f64 = 28.0;
const HEAD: f64 = 78.0;
const NAMES: f64 = 172.0;
const LABELS: f64 = 66.0;
const GAP: f64 = 34.0;

/// A whole chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What is seen, as a sentence.
    pub title: String,
    /// How it was measured.
    pub note: String,
    /// The panels.
    pub panels: Vec<Panel>,
    /// Panels side by side.
    pub columns: usize,
    /// Height of a panel, in pixels.
    pub height: f64,
}

impl Chart {
    /// The chart as an SVG document.
    pub fn svg(&self) -> String {
        let (drawing, size) = self.draw();
        svg(&drawing, size)
    }

    /// The chart as a PNG.
    ///
    /// # Errors
    /// [`ExperimentError::Picture`], a defect of this program.
    pub fn png(&self, painter: &Painter) -> Result<Vec<u8>, ExperimentError> {
        let (drawing, size) = self.draw();
        painter.png(&drawing, size)
    }

    /// The drawing, its width and its height.
    #[expect(clippy::cast_precision_loss, reason = "few panels")]
    fn draw(&self) -> (Drawing, (f64, f64)) {
        let mut drawing = Drawing::default();
        drawing.text(
            (MARGIN, 34.0),
            &self.title,
            Style::new(18.0, Anchor::Start).bold(),
        );
        drawing.text(
            (MARGIN, 56.0),
            &self.note,
            Style::new(12.0, Anchor::Start).grey(),
        );
        let columns = self.columns.max(1);
        let dots = self
            .panels
            .iter()
            .any(|panel| matches!(panel, Panel::Dots(_)));
        let before = if dots { NAMES } else { LABELS };
        let between = if dots { GAP } else { LABELS + 14.0 };
        let free = WIDTH - 2.0 * MARGIN - before - between * (columns as f64 - 1.0);
        let width = free / columns as f64;
        let legend = self.legend();
        let below = if dots { 52.0 } else { 64.0 };
        let top = HEAD + if legend.is_empty() { 0.0 } else { 26.0 };
        self.draw_legend(&mut drawing, &legend);
        for (number, panel) in self.panels.iter().enumerate() {
            let (row, column) = (number / columns, number % columns);
            let left = MARGIN + before + column as f64 * (width + between);
            let y = top + row as f64 * (self.height + below + 30.0) + 30.0;
            let title = Style::new(13.0, Anchor::Start).bold();
            drawing.text((left, y - 22.0), panel.title(), title);
            panel.draw(&mut drawing, (left, y, width, self.height), column == 0);
        }
        let rows = self.panels.len().div_ceil(columns) as f64;
        let height = top + rows * (self.height + below + 30.0) + 6.0;
        (drawing, (WIDTH, height))
    }

    fn legend(&self) -> Vec<(String, &'static str, bool)> {
        let mut legend: Vec<(String, &'static str, bool)> = Vec::new();
        for panel in &self.panels {
            let Panel::Lines(lines) = panel else { continue };
            for series in &lines.series {
                if !legend.iter().any(|(name, ..)| *name == series.name) {
                    legend.push((series.name.clone(), series.colour, series.dashed));
                }
            }
        }
        legend
    }

    #[expect(clippy::cast_precision_loss, reason = "short names")]
    fn draw_legend(&self, drawing: &mut Drawing, legend: &[(String, &'static str, bool)]) {
        let mut x = MARGIN;
        for (name, colour, dashed) in legend {
            let dash = dashed.then_some((6.0, 4.0));
            drawing.line((x, HEAD + 2.0), (x + 24.0, HEAD + 2.0), colour, (3.0, dash));
            drawing.text(
                (x + 31.0, HEAD + 6.0),
                name,
                Style::new(12.0, Anchor::Start),
            );
            x += 54.0 + 7.3 * name.chars().count() as f64;
        }
    }
}

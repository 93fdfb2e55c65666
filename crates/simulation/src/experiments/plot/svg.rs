//! The few shapes that charts are made of.

use std::fmt::Write as _;

/// Grows an SVG document.
#[derive(Clone, Debug, Default)]
pub(super) struct Svg {
    body: String,
}

/// Where a text stands on its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style<'a> {
    pub(super) size: f64,
    pub(super) colour: &'a str,
    pub(super) anchor: Anchor,
    pub(super) bold: bool,
}

/// Darkest grey: of text.
pub(super) const INK: &str = "#222222";
/// Grey of axes and notes.
pub(super) const GREY: &str = "#666666";
/// Grey of the grid.
pub(super) const GRID: &str = "#e4e4e4";

impl<'a> Style<'a> {
    pub(super) fn new(size: f64, anchor: Anchor) -> Self {
        Self {
            size,
            colour: INK,
            anchor,
            bold: false,
        }
    }

    pub(super) fn grey(self) -> Self {
        Self {
            colour: GREY,
            ..self
        }
    }

    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) fn colour(self, colour: &'a str) -> Self {
        Self { colour, ..self }
    }
}

impl Svg {
    pub(super) fn text(&mut self, (x, y): (f64, f64), text: &str, style: Style<'_>) {
        let anchor = match style.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let weight = if style.bold {
            " font-weight=\"bold\""
        } else {
            ""
        };
        let _ = writeln!(
            self.body,
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{:.1}" fill="{}" text-anchor="{anchor}"{weight}>{}</text>"#,
            style.size,
            style.colour,
            escape(text)
        );
    }

    /// A text that reads upwards.
    pub(super) fn text_upwards(&mut self, (x, y): (f64, f64), text: &str, style: Style<'_>) {
        let _ = writeln!(
            self.body,
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{:.1}" fill="{}" text-anchor="middle" transform="rotate(-90 {x:.1} {y:.1})">{}</text>"#,
            style.size,
            style.colour,
            escape(text)
        );
    }

    pub(super) fn line(
        &mut self,
        (x1, y1): (f64, f64),
        (x2, y2): (f64, f64),
        colour: &str,
        (width, dash): (f64, &str),
    ) {
        let dash = if dash.is_empty() {
            String::new()
        } else {
            format!(r#" stroke-dasharray="{dash}""#)
        };
        let _ = writeln!(
            self.body,
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}" stroke-width="{width:.1}"{dash}/>"#
        );
    }

    pub(super) fn circle(&mut self, (x, y): (f64, f64), radius: f64, colour: &str) {
        let _ = writeln!(
            self.body,
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius:.1}" fill="{colour}" stroke="white" stroke-width="1"/>"#
        );
    }

    pub(super) fn polyline(
        &mut self,
        points: &[(f64, f64)],
        colour: &str,
        (width, dash): (f64, &str),
    ) {
        let dash = if dash.is_empty() {
            String::new()
        } else {
            format!(r#" stroke-dasharray="{dash}""#)
        };
        let _ = writeln!(
            self.body,
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="{width:.1}" stroke-linejoin="round"{dash}/>"#,
            list(points)
        );
    }

    pub(super) fn area(&mut self, points: &[(f64, f64)], colour: &str) {
        let _ = writeln!(
            self.body,
            r#"<polygon points="{}" fill="{colour}" fill-opacity="0.15"/>"#,
            list(points)
        );
    }

    /// The whole document.
    pub(super) fn document(self, width: f64, height: f64) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"DejaVu Sans, Verdana, sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{}</svg>\n",
            self.body
        )
    }
}

fn list(points: &[(f64, f64)]) -> String {
    let texts: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    texts.join(" ")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

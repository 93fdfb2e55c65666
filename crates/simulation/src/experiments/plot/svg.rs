//! A drawing as SVG.

use std::fmt::Write as _;

use super::drawing::{AREA_OPACITY, Anchor, Dash, Drawing, EDGE, Place, Shape, Style};

/// The whole document.
pub(super) fn svg(drawing: &Drawing, (width, height): (f64, f64)) -> String {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"DejaVu Sans, Verdana, sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for shape in &drawing.shapes {
        write_shape(&mut text, shape);
    }
    text.push_str("</svg>\n");
    text
}

fn write_shape(out: &mut String, shape: &Shape) {
    let _ = match shape {
        Shape::Text {
            at,
            text,
            style,
            upwards,
        } => write_text(out, (*at, *upwards), text, *style),
        Shape::Line {
            points,
            colour,
            width,
            dash,
        } => match points.as_slice() {
            [(x1, y1), (x2, y2)] => writeln!(
                out,
                r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}" stroke-width="{width:.1}"{}/>"#,
                dashes(*dash)
            ),
            points => writeln!(
                out,
                r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="{width:.1}" stroke-linejoin="round"{}/>"#,
                list(points),
                dashes(*dash)
            ),
        },
        Shape::Circle {
            at: (x, y),
            radius,
            colour,
        } => writeln!(
            out,
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius:.1}" fill="{colour}" stroke="white" stroke-width="{EDGE:.0}"/>"#
        ),
        Shape::Area { points, colour } => writeln!(
            out,
            r#"<polygon points="{}" fill="{colour}" fill-opacity="{AREA_OPACITY:.2}"/>"#,
            list(points)
        ),
    };
}

fn write_text(
    out: &mut String,
    ((x, y), upwards): (Place, bool),
    text: &str,
    style: Style,
) -> std::fmt::Result {
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
    let turn = if upwards {
        format!(r#" transform="rotate(-90 {x:.1} {y:.1})""#)
    } else {
        String::new()
    };
    writeln!(
        out,
        r#"<text x="{x:.1}" y="{y:.1}" font-size="{:.1}" fill="{}" text-anchor="{anchor}"{weight}{turn}>{}</text>"#,
        style.size,
        style.colour,
        escape(text)
    )
}

fn dashes(dash: Dash) -> String {
    dash.map_or(String::new(), |(stroke, gap)| {
        format!(r#" stroke-dasharray="{stroke:.0} {gap:.0}""#)
    })
}

fn list(points: &[Place]) -> String {
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

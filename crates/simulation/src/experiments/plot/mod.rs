//! Charts as SVG and PNG: a title that says what is seen, axes with units, and direct labels.

mod axis;
mod chart;
mod drawing;
mod panel;
mod png;
mod svg;

pub use chart::Chart;
pub use panel::{Dots, Lines, Panel, Row, Series};
pub use png::Painter;

/// Colours that the colour-blind can tell apart (Okabe and Ito), the first for what the reader came for.
pub const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a7a", "#000000",
];
/// Colour of what exists in the simulation alone.
pub const MUTED: &str = "#9a9a9a";

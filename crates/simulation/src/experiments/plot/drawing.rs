//! The few shapes that charts are made of. Each chart is drawn once, as a list of them, and written out twice.

/// A place: pixels from the left, pixels from the top.
pub(super) type Place = (f64, f64);

/// Shapes, the last on top.
#[derive(Clone, Debug, Default)]
pub(super) struct Drawing {
    pub(super) shapes: Vec<Shape>,
}

/// One shape. Colours are `#rrggbb`; lengths are pixels; a dash is the length of a stroke and of the gap behind it.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Text {
        at: Place,
        text: String,
        style: Style,
        upwards: bool,
    },
    Line {
        points: Vec<Place>,
        colour: &'static str,
        width: f64,
        dash: Dash,
    },
    /// Filled, with a white edge.
    Circle {
        at: Place,
        radius: f64,
        colour: &'static str,
    },
    /// Filled, nearly transparent.
    Area {
        points: Vec<Place>,
        colour: &'static str,
    },
}

/// Whether a line is broken.
pub(super) type Dash = Option<(f64, f64)>;

/// Where a text stands on its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) size: f64,
    pub(super) colour: &'static str,
    pub(super) anchor: Anchor,
    pub(super) bold: bool,
}

/// Darkest grey: of text.
pub(super) const INK: &str = "#222222";
/// Grey of axes and notes.
pub(super) const GREY: &str = "#666666";
/// Grey of the grid.
pub(super) const GRID: &str = "#e4e4e4";
/// How much of an area's colour is seen.
pub(super) const AREA_OPACITY: f64 = 0.15;
/// Width of a circle's white edge.
pub(super) const EDGE: f64 = 1.0;

impl Style {
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

    pub(super) fn colour(self, colour: &'static str) -> Self {
        Self { colour, ..self }
    }
}

impl Drawing {
    pub(super) fn text(&mut self, at: Place, text: &str, style: Style) {
        self.shapes.push(Shape::Text {
            at,
            text: text.to_owned(),
            style,
            upwards: false,
        });
    }

    /// A text that reads upwards.
    pub(super) fn text_upwards(&mut self, at: Place, text: &str, style: Style) {
        self.shapes.push(Shape::Text {
            at,
            text: text.to_owned(),
            style,
            upwards: true,
        });
    }

    pub(super) fn line(&mut self, from: Place, to: Place, colour: &'static str, look: (f64, Dash)) {
        self.polyline(vec![from, to], colour, look);
    }

    pub(super) fn polyline(
        &mut self,
        points: Vec<Place>,
        colour: &'static str,
        (width, dash): (f64, Dash),
    ) {
        self.shapes.push(Shape::Line {
            points,
            colour,
            width,
            dash,
        });
    }

    pub(super) fn circle(&mut self, at: Place, radius: f64, colour: &'static str) {
        self.shapes.push(Shape::Circle { at, radius, colour });
    }

    pub(super) fn area(&mut self, points: Vec<Place>, colour: &'static str) {
        self.shapes.push(Shape::Area { points, colour });
    }
}

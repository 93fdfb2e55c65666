//! A drawing as pixels.

use std::collections::BTreeMap;

use tiny_skia::{
    FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform,
};
use ttf_parser::{Face, OutlineBuilder};

use super::drawing::{AREA_OPACITY, Anchor, Dash, Drawing, EDGE, Place, Shape, Style};
use crate::experiments::ExperimentError;

/// Pixels of the picture for one of the drawing: small text stays sharp, and the picture small.
const SCALE: f32 = 1.5;
/// Colours of a picture, at most: the palette of an indexed PNG.
const COLOURS_MAX: usize = 256;

type Colour = [u8; 3];

/// Paints drawings. The fonts are its own, so that the same chart gives the same pixels wherever it is painted.
pub struct Painter {
    regular: Face<'static>,
    bold: Face<'static>,
}

impl Painter {
    /// A painter with DejaVu Sans, the font that the SVG names first.
    ///
    /// # Errors
    /// [`ExperimentError::Picture`], if a font is none: a defect of this program.
    pub fn new() -> Result<Self, ExperimentError> {
        Ok(Self {
            regular: Face::parse(dejavu::sans::regular(), 0).map_err(|error| defect(&error))?,
            bold: Face::parse(dejavu::sans::bold(), 0).map_err(|error| defect(&error))?,
        })
    }

    /// An indexed PNG.
    pub(super) fn png(
        &self,
        drawing: &Drawing,
        (width, height): (f64, f64),
    ) -> Result<Vec<u8>, ExperimentError> {
        let pixels_of = |length: f64| whole(length * f64::from(SCALE));
        let mut canvas = Pixmap::new(pixels_of(width), pixels_of(height))
            .ok_or_else(|| defect(&"no such size"))?;
        canvas.fill(tiny_skia::Color::WHITE);
        for shape in &drawing.shapes {
            self.paint(&mut canvas, shape);
        }
        let pixels: Vec<Colour> = canvas
            .pixels()
            .iter()
            .map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
            .collect();
        encode(&pixels, (canvas.width(), canvas.height())).map_err(|error| defect(&error))
    }

    fn paint(&self, canvas: &mut Pixmap, shape: &Shape) {
        let scale = Transform::from_scale(SCALE, SCALE);
        match shape {
            Shape::Text {
                at,
                text,
                style,
                upwards,
            } => {
                let turned = if *upwards {
                    scale.pre_concat(Transform::from_rotate_at(-90.0, single(at.0), single(at.1)))
                } else {
                    scale
                };
                if let Some(path) = self.letters(*at, text, *style) {
                    let paint = paint(style.colour, 1.0);
                    canvas.fill_path(&path, &paint, FillRule::Winding, turned, None);
                }
            }
            Shape::Line {
                points,
                colour,
                width,
                dash,
            } => {
                if let Some(path) = path(points, false) {
                    let stroke = stroke(*width, *dash);
                    canvas.stroke_path(&path, &paint(colour, 1.0), &stroke, scale, None);
                }
            }
            Shape::Circle { at, radius, colour } => {
                let circle = PathBuilder::from_circle(single(at.0), single(at.1), single(*radius));
                if let Some(path) = circle {
                    canvas.fill_path(&path, &paint(colour, 1.0), FillRule::Winding, scale, None);
                    let edge = stroke(EDGE, None);
                    canvas.stroke_path(&path, &paint("#ffffff", 1.0), &edge, scale, None);
                }
            }
            Shape::Area { points, colour } => {
                if let Some(path) = path(points, true) {
                    let paint = paint(colour, AREA_OPACITY);
                    canvas.fill_path(&path, &paint, FillRule::Winding, scale, None);
                }
            }
        }
    }

    /// The outlines of a text; nothing for one without ink.
    fn letters(&self, (x, y): Place, text: &str, style: Style) -> Option<Path> {
        let face = if style.bold {
            &self.bold
        } else {
            &self.regular
        };
        let unit = single(style.size) / f32::from(face.units_per_em());
        let glyphs: Vec<_> = text
            .chars()
            .map(|letter| face.glyph_index(letter).unwrap_or_default())
            .collect();
        let advance =
            |glyph: &_| unit * f32::from(face.glyph_hor_advance(*glyph).unwrap_or_default());
        let length: f32 = glyphs.iter().map(advance).sum();
        let before = match style.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5 * length,
            Anchor::End => length,
        };
        let mut outline = Outline {
            builder: PathBuilder::new(),
            at: (single(x) - before, single(y)),
            unit,
        };
        for glyph in &glyphs {
            let _ = face.outline_glyph(*glyph, &mut outline);
            outline.at.0 += advance(glyph);
        }
        outline.builder.finish()
    }
}

/// Letters in a font's units, that grow upwards, become a path in pixels, that grow downwards.
struct Outline {
    builder: PathBuilder,
    at: (f32, f32),
    unit: f32,
}

impl Outline {
    fn x(&self, x: f32) -> f32 {
        self.at.0 + self.unit * x
    }

    fn y(&self, y: f32) -> f32 {
        self.at.1 - self.unit * y
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.builder.move_to(self.x(x), self.y(y));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.builder.line_to(self.x(x), self.y(y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (x1, y1, x, y) = (self.x(x1), self.y(y1), self.x(x), self.y(y));
        self.builder.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (x1, y1, x2, y2) = (self.x(x1), self.y(y1), self.x(x2), self.y(y2));
        let (x, y) = (self.x(x), self.y(y));
        self.builder.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}

fn path(points: &[Place], closed: bool) -> Option<Path> {
    let ((x, y), rest) = points.split_first()?;
    let mut builder = PathBuilder::new();
    builder.move_to(single(*x), single(*y));
    for (x, y) in rest {
        builder.line_to(single(*x), single(*y));
    }
    if closed {
        builder.close();
    }
    builder.finish()
}

fn stroke(width: f64, dash: Dash) -> Stroke {
    Stroke {
        width: single(width),
        line_join: LineJoin::Round,
        dash: dash
            .and_then(|(stroke, gap)| StrokeDash::new(vec![single(stroke), single(gap)], 0.0)),
        ..Stroke::default()
    }
}

fn paint(colour: &str, opacity: f64) -> Paint<'static> {
    let part = |place: usize| {
        colour
            .get(place..place + 2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .unwrap_or(0)
    };
    let mut paint = Paint::default();
    let alpha = u8::try_from(whole(255.0 * opacity)).unwrap_or(u8::MAX);
    paint.set_color_rgba8(part(1), part(3), part(5), alpha);
    paint
}

#[expect(clippy::cast_possible_truncation, reason = "a place in a picture")]
fn single(number: f64) -> f32 {
    number as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size in pixels, or a share of 255"
)]
fn whole(number: f64) -> u32 {
    number.round() as u32
}

fn defect(error: &dyn std::fmt::Display) -> ExperimentError {
    ExperimentError::Picture(error.to_string())
}

/// The most frequent colours are kept as they are; the few that are left over, of the edges of letters, take the nearest of these.
fn encode(pixels: &[Colour], (width, height): (u32, u32)) -> Result<Vec<u8>, png::EncodingError> {
    let mut counts: BTreeMap<Colour, u64> = BTreeMap::new();
    for colour in pixels {
        *counts.entry(*colour).or_default() += 1;
    }
    let mut by_count: Vec<(Colour, u64)> =
        counts.iter().map(|(one, count)| (*one, *count)).collect();
    by_count.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(&right.0)));
    let palette: Vec<Colour> = by_count
        .into_iter()
        .take(COLOURS_MAX)
        .map(|(colour, _)| colour)
        .collect();
    let places: BTreeMap<Colour, u8> = counts
        .into_keys()
        .map(|colour| (colour, nearest(&palette, colour)))
        .collect();
    let indices: Vec<u8> = pixels
        .iter()
        .map(|colour| places.get(colour).copied().unwrap_or(0))
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&indices)?;
    writer.finish()?;
    Ok(bytes)
}

fn nearest(palette: &[Colour], colour: Colour) -> u8 {
    let distance = |other: &Colour| -> u32 {
        let differences = other.iter().zip(colour).map(|(one, two)| one.abs_diff(two));
        differences.map(|one| u32::from(one) * u32::from(one)).sum()
    };
    let place = (0..palette.len()).min_by_key(|place| distance(&palette[*place]));
    place
        .and_then(|place| u8::try_from(place).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Painter, encode};
    use crate::experiments::plot::drawing::{Anchor, Drawing, Style};

    fn pixels(bytes: &[u8]) -> (u32, u32, Vec<[u8; 3]>) {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().expect("a picture");
        let mut buffer = vec![0; reader.output_buffer_size().expect("small")];
        let frame = reader.next_frame(&mut buffer).expect("a picture");
        let colours = buffer[..frame.buffer_size()]
            .chunks(3)
            .map(|colour| [colour[0], colour[1], colour[2]])
            .collect();
        (frame.width, frame.height, colours)
    }

    fn painted(draw: impl Fn(&mut Drawing)) -> Vec<[u8; 3]> {
        let mut drawing = Drawing::default();
        draw(&mut drawing);
        let paint = || {
            let painter = Painter::new().expect("fonts");
            painter.png(&drawing, (80.0, 40.0)).expect("a drawing")
        };
        let bytes = paint();
        assert_eq!(paint(), bytes);
        let (width, height, colours) = pixels(&bytes);
        assert_eq!((width, height), (120, 60));
        colours
    }

    fn count(colours: &[[u8; 3]], colour: [u8; 3]) -> usize {
        colours.iter().filter(|one| **one == colour).count()
    }

    const BLUE: [u8; 3] = [0x00, 0x72, 0xb2];

    #[test]
    fn shapes_have_their_place_size_and_colour() {
        let line = painted(|drawing| {
            drawing.line((0.0, 20.0), (80.0, 20.0), "#0072b2", (4.0, None));
        });
        assert_eq!(count(&line, BLUE), 120 * 6);
        assert!((0..120).all(|x| line[30 * 120 + x] == BLUE));
        let broken = painted(|drawing| {
            drawing.line(
                (0.0, 20.0),
                (80.0, 20.0),
                "#0072b2",
                (4.0, Some((4.0, 4.0))),
            );
        });
        assert_eq!(count(&broken, BLUE), 120 * 6 / 2);
        let circle = painted(|drawing| drawing.circle((40.0, 20.0), 10.0, "#0072b2"));
        // A half pixel of the radius is under the white edge: 14.25² π.
        assert!(count(&circle, BLUE).abs_diff(638) < 60);
        assert_eq!(circle[30 * 120 + 60], BLUE);
        let area = painted(|drawing| {
            drawing.area(
                vec![(0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0)],
                "#0072b2",
            );
        });
        let [red, green, blue] = area[0];
        assert!((210..225).contains(&red) && (230..240).contains(&green) && blue > 240);
        assert_eq!(count(&area, area[0]), 60 * 60);
    }

    #[test]
    fn letters_stand_where_they_are_anchored_and_turn() {
        let text = |anchor, upwards| {
            painted(move |drawing: &mut Drawing| {
                let style = Style::new(16.0, anchor).colour("#0072b2").bold();
                let at = (40.0, 25.0);
                if upwards {
                    drawing.text_upwards(at, "±ε1", style);
                } else {
                    drawing.text(at, "±ε1", style);
                }
            })
        };
        let left = |colours: &[[u8; 3]]| {
            let of_left = colours
                .iter()
                .enumerate()
                .filter(|(place, _)| place % 120 < 60);
            of_left.filter(|(_, colour)| **colour == BLUE).count()
        };
        let (start, middle, end) = (
            text(Anchor::Start, false),
            text(Anchor::Middle, false),
            text(Anchor::End, false),
        );
        assert!(count(&start, BLUE) > 100);
        assert_eq!(left(&start), 0);
        assert_eq!(left(&end), count(&end, BLUE));
        assert!(left(&middle) > 20 && left(&middle) < count(&middle, BLUE) - 20);
        let turned = text(Anchor::Middle, true);
        let rows = |colours: &[[u8; 3]]| {
            (0..60)
                .filter(|row| colours[row * 120..(row + 1) * 120].contains(&BLUE))
                .count()
        };
        assert!(rows(&turned) > rows(&middle) + 10);
        // Every letter of the charts has a shape of its own.
        let painter = Painter::new().expect("fonts");
        for letter in "aZ09×±εαγ·≥≤%(),:–".chars() {
            assert!(painter.regular.glyph_index(letter).is_some(), "{letter}");
            assert!(painter.bold.glyph_index(letter).is_some(), "{letter}");
        }
    }
    #[test]
    fn of_too_many_colours_the_rare_ones_take_the_nearest() {
        let mut colours = vec![[0, 0, 0]; 10];
        for red in 0..=255 {
            colours.extend([[red, 200, 0], [red, 200, 0]]);
        }
        colours.push([0, 1, 0]);
        let size = u32::try_from(colours.len()).expect("few");
        let (.., shown) = pixels(&encode(&colours, (size, 1)).expect("encodes"));
        assert_eq!(shown.len(), colours.len());
        assert_eq!(shown.last(), Some(&[0, 0, 0]));
        let changed = shown.iter().zip(&colours).filter(|(one, two)| one != two);
        // 256 reds and black are one too many: one red is left over, twice, and the last colour.
        assert_eq!(changed.count(), 3);
    }
}

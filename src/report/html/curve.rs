//! A line chart over runs.

use std::fmt::Write as _;

use serde::Serialize;

/// Margin between the line and the edge of the drawing, in its units.
const EDGE: f64 = 6.0;

/// A line from the oldest to the newest run, with a gap where nothing was judged.
#[derive(Debug, Serialize)]
pub(super) struct Curve {
    width: u32,
    height: u32,
    /// The line as an SVG path.
    path: String,
    pub(super) points: Vec<Point>,
}

/// One run on the line.
#[derive(Debug, Serialize)]
pub(super) struct Point {
    x: String,
    pub(super) y: String,
    /// Index of its value.
    at: usize,
}

impl Curve {
    /// Draws these values, with `low` at the bottom and `high` at the top.
    pub(super) fn of(values: &[Option<f64>], (low, high): (f64, f64), (width, height): (u32, u32)) -> Self {
        let (across, down) = (f64::from(width) - 2.0 * EDGE, f64::from(height) - 2.0 * EDGE);
        let last = real(values.len().saturating_sub(1)).max(1.0);
        let (mut path, mut points, mut draws) = (String::new(), Vec::new(), false);
        for (at, value) in values.iter().enumerate() {
            let Some(value) = value.filter(|value| value.is_finite()) else {
                draws = false;
                continue;
            };
            let share = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 1.0 };
            let x = format!("{:.1}", EDGE + across * real(at) / last);
            let y = format!("{:.1}", EDGE + down * (1.0 - share));
            // Writing to a String cannot fail.
            let _ = write!(path, "{}{x} {y}", if draws { 'L' } else { 'M' });
            draws = true;
            points.push(Point { x, y, at });
        }
        Self { width, height, path, points }
    }
}

fn real(at: usize) -> f64 {
    u32::try_from(at).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_runs_from_edge_to_edge_and_breaks_at_gaps() {
        let values = [Some(0.5), Some(1.0), None, Some(0.75), Some(f64::NAN)];
        let curve = Curve::of(&values, (0.5, 1.0), (112, 52));
        assert_eq!(curve.path, "M6.0 46.0L31.0 6.0M81.0 26.0");
        assert_eq!(curve.points.iter().map(|point| point.at).collect::<Vec<_>>(), [0, 1, 3]);
        assert_eq!(Curve::of(&[Some(1.0)], (1.0, 1.0), (112, 52)).path, "M6.0 6.0");
        assert_eq!(Curve::of(&[], (0.0, 1.0), (112, 52)).path, "");
    }
}

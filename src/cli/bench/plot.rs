//! The plot of a sweep: hashrate and efficiency over threads.
//!
//! A kernel has its own marker, and a rule its own filling, so that the lines
//! are told apart without colour; the ideal, every thread as fast as one
//! alone, is dashed.

use anyhow::anyhow;
use fourzero::bench::{Report, Run};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::table;

/// Pixels.
const WIDTH: u32 = 1000;
const TITLE_HEIGHT: u32 = 44;
const LEGEND_ROW: u32 = 22;
/// Room for the longest names of a kernel and a rule.
const LEGEND_ENTRY: u32 = 196;
const PANEL_HEIGHT: u32 = 440;
const FONT: &str = "sans-serif";
const DASH: i32 = 6;
const GAP: i32 = 5;
const MARKER_RADIUS: f64 = 6.0;

/// Dark enough to be read in black and white; only the markers must differ.
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 0, 0),
    RGBColor(0, 80, 160),
    RGBColor(160, 40, 0),
    RGBColor(0, 110, 60),
    RGBColor(110, 40, 130),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The plot as SVG.
///
/// # Errors
/// If plotters refuses.
pub(super) fn svg(report: &Report) -> anyhow::Result<String> {
    let mut svg = String::new();
    draw(report, &mut svg).map_err(|error| anyhow!(error.to_string()))?;
    Ok(svg)
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw(report: &Report, svg: &mut String) -> Drawn {
    let lines = lines(&report.runs);
    // One more entry: the ideal.
    let legend_rows = (lines.len() as u32 + 1).div_ceil(WIDTH / LEGEND_ENTRY);
    let legend_height = legend_rows * LEGEND_ROW + 8;
    let size = (WIDTH, TITLE_HEIGHT + legend_height + PANEL_HEIGHT);
    let picture = SVGBackend::with_string(svg, size).into_drawing_area();
    picture.fill(&WHITE)?;
    picture.draw(&Text::new(
        table::machine(&report.machine),
        (16, 16),
        (FONT, 17).into_font(),
    ))?;
    legend(&picture, &lines)?;
    let (_, panels) = picture.split_vertically(TITLE_HEIGHT + legend_height);
    let (left, right) = panels.split_horizontally(WIDTH / 2);
    let hashrate = Axis {
        name: "hashrate [MH/s]",
        of: |run| run.best / 1e6,
        ideal: |threads, one| threads * one,
    };
    let efficiency = Axis {
        name: "efficiency [% of as many times one thread]",
        of: |run| 100.0 * run.efficiency,
        ideal: |_, one| one,
    };
    panel(&picture, &left, &lines, &hashrate)?;
    panel(&picture, &right, &lines, &efficiency)?;
    picture.present()?;
    Ok(())
}

fn legend(picture: &Area<'_>, lines: &[Line<'_>]) -> Drawn {
    for index in 0..=lines.len() {
        let columns = WIDTH / LEGEND_ENTRY;
        let (column, row) = (index as u32 % columns, index as u32 / columns);
        let x = (16 + column * LEGEND_ENTRY) as i32;
        let y = (TITLE_HEIGHT + row * LEGEND_ROW + LEGEND_ROW / 2) as i32;
        let name = match lines.get(index) {
            Some(line) => {
                picture.draw(&PathElement::new([(x, y), (x + 32, y)], line.stroke()))?;
                line.mark(picture, (x + 16, y))?;
                line.name()
            }
            None => {
                let points = [(x, y), (x + 32, y)].into_iter();
                picture.draw(&DashedPathElement::new(
                    points,
                    DASH,
                    GAP,
                    BLACK.stroke_width(1),
                ))?;
                "ideal".to_owned()
            }
        };
        picture.draw(&Text::new(name, (x + 40, y - 7), (FONT, 14).into_font()))?;
    }
    Ok(())
}

/// What a panel shows over threads.
struct Axis {
    name: &'static str,
    of: fn(&Run) -> f64,
    /// The ideal on so many threads, given the value on one.
    ideal: fn(f64, f64) -> f64,
}

fn panel(picture: &Area<'_>, panel: &Area<'_>, lines: &[Line<'_>], axis: &Axis) -> Drawn {
    let all = || lines.iter().flat_map(|line| &line.runs);
    let most_threads = all().map(|run| run.threads).max().unwrap_or(1) as f64;
    let ideals = lines.iter().map(|line| line.ideal(axis, most_threads));
    let most = all()
        .map(|run| (axis.of)(run))
        .chain(ideals)
        .fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(panel)
        .margin(14)
        .margin_right(24)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..most_threads * 1.08, 0.0..most * 1.08)?;
    chart
        .configure_mesh()
        .max_light_lines(0)
        .bold_line_style(BLACK.mix(0.15))
        .x_labels((most_threads as usize + 1).min(10))
        .y_labels(8)
        .x_label_formatter(&|threads| {
            // There are no half threads.
            if threads.fract().abs() < 1e-6 {
                format!("{threads:.0}")
            } else {
                String::new()
            }
        })
        .y_label_formatter(&|value| {
            if *value >= 10.0 {
                format!("{value:.0}")
            } else {
                table::significant(*value)
            }
        })
        .x_desc("threads")
        .y_desc(axis.name)
        .axis_desc_style((FONT, 15))
        .label_style((FONT, 13))
        .draw()?;
    for line in lines {
        let ideal = [1.0, most_threads].map(|threads| (threads, line.ideal(axis, threads)));
        chart.draw_series(DashedLineSeries::new(
            ideal,
            DASH,
            GAP,
            line.colour().stroke_width(1),
        ))?;
        let points: Vec<_> = line
            .runs
            .iter()
            .map(|run| (run.threads as f64, (axis.of)(run)))
            .collect();
        chart.draw_series(LineSeries::new(points.iter().copied(), line.stroke()))?;
        mark_all(picture, &chart, line, &points)?;
    }
    Ok(())
}

/// Markers are drawn in pixels, over the lines.
fn mark_all(
    picture: &Area<'_>,
    chart: &Chart<'_, '_>,
    line: &Line<'_>,
    points: &[(f64, f64)],
) -> Drawn {
    for point in points {
        line.mark(picture, chart.backend_coord(point))?;
    }
    Ok(())
}

/// The runs of one kernel under one rule, by threads.
struct Line<'a> {
    runs: Vec<&'a Run>,
    /// Which kernel, and which rule, in the order of the report.
    kernel: usize,
    rule: usize,
}

fn lines(runs: &[Run]) -> Vec<Line<'_>> {
    let (mut kernels, mut rules): (Vec<&str>, Vec<&str>) = Default::default();
    let place = |names: &mut Vec<&'_ str>, name: &'_ str| -> usize {
        names
            .iter()
            .position(|other| *other == name)
            .unwrap_or(names.len())
    };
    let mut lines: Vec<Line<'_>> = Vec::new();
    for run in runs {
        let kernel = place(&mut kernels, &run.kernel);
        if kernel == kernels.len() {
            kernels.push(&run.kernel);
        }
        let rule = place(&mut rules, &run.rule);
        if rule == rules.len() {
            rules.push(&run.rule);
        }
        match lines
            .iter_mut()
            .find(|line| (line.kernel, line.rule) == (kernel, rule))
        {
            Some(line) => line.runs.push(run),
            None => lines.push(Line {
                runs: vec![run],
                kernel,
                rule,
            }),
        }
    }
    lines
}

impl Line<'_> {
    fn name(&self) -> String {
        format!("{}, {}", self.runs[0].kernel, self.runs[0].rule)
    }

    fn colour(&self) -> RGBColor {
        COLOURS[self.kernel % COLOURS.len()]
    }

    /// The marker's outline around a point, in pixels.
    fn outline(&self) -> Vec<(i32, i32)> {
        // Corners and the angle of the first, in degrees from the right,
        // clockwise as pixels count.
        const SHAPES: [(u32, f64); 5] = [(24, 0.0), (4, 45.0), (3, -90.0), (4, 0.0), (3, 90.0)];
        let (corners, first) = SHAPES[self.kernel % SHAPES.len()];
        let corner = |number: u32| {
            let degrees = first + 360.0 * f64::from(number) / f64::from(corners);
            let (sine, cosine) = degrees.to_radians().sin_cos();
            let radius = MARKER_RADIUS * if corners < 5 { 1.2 } else { 1.0 };
            (
                (radius * cosine).round() as i32,
                (radius * sine).round() as i32,
            )
        };
        (0..=corners).map(corner).collect()
    }

    fn filling(&self) -> RGBColor {
        match self.rule % 3 {
            0 => self.colour(),
            1 => WHITE,
            _ => RGBColor(190, 190, 190),
        }
    }

    fn stroke(&self) -> ShapeStyle {
        self.colour().stroke_width(2)
    }

    /// The value on so many threads if each were as fast as one alone.
    fn ideal(&self, axis: &Axis, threads: f64) -> f64 {
        let one = self.runs.iter().find(|run| run.threads == 1);
        (axis.ideal)(threads, one.map_or(0.0, |run| (axis.of)(run)))
    }

    fn mark(&self, picture: &Area<'_>, (x, y): (i32, i32)) -> Drawn {
        let outline: Vec<_> = self
            .outline()
            .iter()
            .map(|(dx, dy)| (x + dx, y + dy))
            .collect();
        picture.draw(&Polygon::new(outline.clone(), self.filling().filled()))?;
        picture.draw(&PathElement::new(outline, self.stroke()))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use fourzero::bench::Machine;

    use super::*;

    fn run(kernel: &str, rule: &str, threads: usize) -> Run {
        let rate = 50e6 * threads as f64;
        Run {
            kernel: kernel.into(),
            rule: rule.into(),
            threads,
            hashes: 1,
            seconds: 1.0,
            hashrate: rate,
            best: rate,
            median: rate,
            speedup: threads as f64,
            efficiency: 1.0,
            blocks_per_second: None,
            zero_bits: None,
        }
    }

    #[test]
    fn every_line_has_a_marker_of_its_own() {
        let runs: Vec<_> = ["avx512", "sha-ni", "avx2", "portable", "sha2"]
            .into_iter()
            .flat_map(|kernel| ["last-proof", "last-hash"].map(|rule| run(kernel, rule, 1)))
            .collect();
        let lines = lines(&runs);
        assert_eq!(lines.len(), 10);
        for (index, line) in lines.iter().enumerate() {
            for other in &lines[..index] {
                assert_ne!(
                    (line.outline(), line.filling()),
                    (other.outline(), other.filling()),
                    "{} and {}",
                    line.name(),
                    other.name()
                );
            }
        }
    }

    #[test]
    fn names_are_text_and_are_escaped() {
        let mut machine = Machine::here();
        machine.cpu = "<CPU> & \"co\"".to_owned();
        let runs = vec![run("sha2", "last-proof", 1), run("sha2", "last-proof", 64)];
        let svg = svg(&Report {
            machine,
            runs,
            chosen: Vec::new(),
        })
        .unwrap();
        assert!(
            svg.contains("sha2, last-proof") && svg.contains("threads"),
            "{svg}"
        );
        assert!(
            svg.contains("&lt;CPU&gt; &amp;") && !svg.contains("<CPU>"),
            "{svg}"
        );
    }
}

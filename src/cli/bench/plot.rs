//! The plot of a sweep: hashrate and efficiency over threads.
//!
//! Each kernel has its own marker and each rule its own filling, so that the
//! curves differ without colour. The ideal is dashed: every thread as fast as
//! one alone.

use std::iter;

use anyhow::anyhow;
use fourzero::bench::{SweepReport, SweepRun};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::table;

const WIDTH: u32 = 1000;
const TITLE_HEIGHT: u32 = 44;
const LEGEND_ROW: u32 = 22;
/// Room for the longest names of a kernel and a rule.
const LEGEND_ENTRY: u32 = 196;
const LEGEND_COLUMNS: u32 = WIDTH / LEGEND_ENTRY;
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
type Pixel = (i32, i32);
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// The plot as SVG.
///
/// # Errors
/// If plotters fails.
pub(super) fn svg(report: &SweepReport) -> anyhow::Result<String> {
    let mut svg = String::new();
    draw(report, &mut svg).map_err(|error| anyhow!(error.to_string()))?;
    Ok(svg)
}

fn draw(report: &SweepReport, svg: &mut String) -> Drawn {
    let curves = curves(&report.runs);
    // One more entry: the ideal.
    let legend_rows = (curves.len() as u32 + 1).div_ceil(LEGEND_COLUMNS);
    let top = TITLE_HEIGHT + legend_rows * LEGEND_ROW + 8;
    let picture = SVGBackend::with_string(svg, (WIDTH, top + PANEL_HEIGHT)).into_drawing_area();
    picture.fill(&WHITE)?;
    let partial = report.partial.map(table::partial).into_iter();
    let title: Vec<_> = iter::once(table::machine(&report.machine))
        .chain(partial)
        .collect();
    let title = title.join(", ");
    picture.draw(&Text::new(title, (16, 16), (FONT, 17)))?;
    legend(&picture, &curves)?;
    let (_, panels) = picture.split_vertically(top);
    let (left, right) = panels.split_horizontally(WIDTH / 2);
    let hashrate = Axis {
        name: "hashrate [MH/s]",
        value: |run| run.best / 1e6,
        ideal: |threads, one| threads * one,
    };
    let efficiency = Axis {
        name: "efficiency [% of ideal]",
        value: |run| 100.0 * run.efficiency,
        ideal: |_, one| one,
    };
    panel(&left, &curves, &hashrate)?;
    panel(&right, &curves, &efficiency)?;
    Ok(picture.present()?)
}

fn legend(picture: &Area<'_>, curves: &[Curve<'_>]) -> Drawn {
    for index in 0..=curves.len() {
        let (column, row) = (index as u32 % LEGEND_COLUMNS, index as u32 / LEGEND_COLUMNS);
        let x = (16 + column * LEGEND_ENTRY) as i32;
        let y = (TITLE_HEIGHT + row * LEGEND_ROW + LEGEND_ROW / 2) as i32;
        let line = [(x, y), (x + 32, y)];
        let mut name = "ideal".to_owned();
        if let Some(curve) = curves.get(index) {
            picture.draw(&PathElement::new(line, curve.stroke()))?;
            let (area, edge) = curve.marker();
            picture.draw(&(EmptyElement::at((x + 16, y)) + area + edge))?;
            name = curve.name();
        } else {
            let style = BLACK.stroke_width(1);
            picture.draw(&DashedPathElement::new(line, DASH, GAP, style))?;
        }
        picture.draw(&Text::new(name, (x + 40, y - 7), (FONT, 14)))?;
    }
    Ok(())
}

/// The quantity that a panel shows over threads.
struct Axis {
    name: &'static str,
    value: fn(&SweepRun) -> f64,
    /// The ideal on a number of threads, given the value on one.
    ideal: fn(f64, f64) -> f64,
}

fn panel(panel: &Area<'_>, curves: &[Curve<'_>], axis: &Axis) -> Drawn {
    let runs = || curves.iter().flat_map(|curve| &curve.runs);
    let most_threads = runs().map(|run| run.threads).max().unwrap_or(1) as f64;
    let ideals = curves.iter().map(|curve| curve.ideal(axis, most_threads));
    let values = runs().map(|run| (axis.value)(run));
    let highest = values.chain(ideals).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(panel)
        .margin(14)
        .margin_right(24)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..most_threads * 1.08, 0.0..highest * 1.08)?;
    chart
        .configure_mesh()
        .max_light_lines(0)
        .bold_line_style(BLACK.mix(0.15))
        .x_labels((most_threads as usize + 1).min(10))
        .y_labels(8)
        .x_label_formatter(&|threads| match threads.fract().abs() < 1e-6 {
            true => format!("{threads:.0}"),
            false => String::new(),
        })
        .y_label_formatter(&|value| match *value >= 10.0 {
            true => format!("{value:.0}"),
            false => table::significant(*value),
        })
        .x_desc("threads")
        .y_desc(axis.name)
        .axis_desc_style((FONT, 15))
        .label_style((FONT, 13))
        .draw()?;
    for curve in curves {
        let ideal = [1.0, most_threads].map(|threads| (threads, curve.ideal(axis, threads)));
        let thin = curve.colour().stroke_width(1);
        chart.draw_series(DashedLineSeries::new(ideal, DASH, GAP, thin))?;
        let points = curve.runs.iter();
        let points = points.map(|run| (run.threads as f64, (axis.value)(run)));
        chart.draw_series(LineSeries::new(points.clone(), curve.stroke()))?;
        chart.draw_series(points.map(|point| {
            let (area, edge) = curve.marker();
            EmptyElement::at(point) + area + edge
        }))?;
    }
    Ok(())
}

/// The runs of one kernel under one rule, by threads.
struct Curve<'a> {
    runs: Vec<&'a SweepRun>,
    /// The number of the kernel, and of the rule, in the order of the report.
    kernel: usize,
    rule: usize,
}

fn curves(runs: &[SweepRun]) -> Vec<Curve<'_>> {
    fn number<'a>(names: &mut Vec<&'a str>, name: &'a str) -> usize {
        let known = names.iter().position(|other| *other == name);
        known.unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        })
    }
    let (mut kernels, mut rules) = (Vec::new(), Vec::new());
    let mut curves: Vec<Curve<'_>> = Vec::new();
    for run in runs {
        let kernel = number(&mut kernels, &run.kernel);
        let rule = number(&mut rules, &run.rule);
        let mut known = curves.iter_mut();
        match known.find(|curve| (curve.kernel, curve.rule) == (kernel, rule)) {
            Some(curve) => curve.runs.push(run),
            None => curves.push(Curve {
                runs: vec![run],
                kernel,
                rule,
            }),
        }
    }
    curves
}

impl Curve<'_> {
    fn name(&self) -> String {
        format!("{}, {}", self.runs[0].kernel, self.runs[0].rule)
    }

    fn colour(&self) -> RGBColor {
        COLOURS[self.kernel % COLOURS.len()]
    }

    fn stroke(&self) -> ShapeStyle {
        self.colour().stroke_width(2)
    }

    fn filling(&self) -> RGBColor {
        [self.colour(), WHITE, RGBColor(190, 190, 190)][self.rule % 3]
    }

    /// The marker's area and edge, in pixels from its point.
    fn marker(&self) -> (Polygon<Pixel>, PathElement<Pixel>) {
        let area = Polygon::new(self.outline(), self.filling().filled());
        (area, PathElement::new(self.outline(), self.stroke()))
    }

    fn outline(&self) -> Vec<Pixel> {
        // The number of corners and the angle of the first, in degrees from
        // the right, clockwise as pixels count.
        const SHAPES: [(u32, f64); 5] = [(24, 0.0), (4, 45.0), (3, -90.0), (4, 0.0), (3, 90.0)];
        let (corners, first) = SHAPES[self.kernel % SHAPES.len()];
        let radius = MARKER_RADIUS * if corners < 5 { 1.2 } else { 1.0 };
        let corner = |number: u32| {
            let degrees = first + 360.0 * f64::from(number) / f64::from(corners);
            let (sine, cosine) = degrees.to_radians().sin_cos();
            (
                (radius * cosine).round() as i32,
                (radius * sine).round() as i32,
            )
        };
        (0..=corners).map(corner).collect()
    }

    /// The value on `threads` threads if each were as fast as one alone.
    fn ideal(&self, axis: &Axis, threads: f64) -> f64 {
        let one = self.runs.iter().find(|run| run.threads == 1);
        (axis.ideal)(threads, one.map_or(0.0, |run| (axis.value)(run)))
    }
}

#[cfg(test)]
mod tests {
    use fourzero::bench::Machine;

    use super::*;

    fn run(kernel: &str, rule: &str, threads: usize) -> SweepRun {
        let rate = 50e6 * threads as f64;
        SweepRun {
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
    fn every_curve_has_its_own_marker() {
        let runs: Vec<_> = ["avx512", "sha-ni", "avx2", "portable", "sha2"]
            .into_iter()
            .flat_map(|kernel| ["last-proof", "last-hash"].map(|rule| run(kernel, rule, 1)))
            .collect();
        let curves = curves(&runs);
        assert_eq!(curves.len(), 10);
        for (index, curve) in curves.iter().enumerate() {
            for other in &curves[..index] {
                assert_ne!(
                    (curve.outline(), curve.filling()),
                    (other.outline(), other.filling()),
                    "{} and {}",
                    curve.name(),
                    other.name()
                );
            }
        }
    }

    #[test]
    fn names_are_escaped() {
        let mut machine = Machine::here();
        machine.cpu = "<CPU> & \"co\"".to_owned();
        let runs = vec![run("sha2", "last-proof", 1), run("sha2", "last-proof", 64)];
        let svg = svg(&SweepReport {
            machine,
            partial: None,
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

//! The picture for README: CPU for one login, bar beside bar.

use std::fmt::Write as _;

use crate::Pace;
use crate::report::{Line, Report};
use crate::servers::Kind;

const WIDTH: f64 = 780.0;
const LEFT: f64 = 270.0;
/// What the longest bar may take.
const LONGEST: f64 = 400.0;
const BAR: f64 = 13.0;
const GROUP: f64 = 3.0 * BAR + 16.0;
const TOP: f64 = 64.0;
const COLOURS: [&str; 3] = ["#1a7f5a", "#8a94a6", "#c3a05a"];

/// An SVG. Bars that a long CRL makes longer than the picture are cut, and say how long they are.
pub(crate) fn draw(report: &Report) -> String {
    let lines: Vec<&Line> = report.lines.iter().filter(|line| line.scenario.pace != Pace::Half).collect();
    let height = TOP + GROUP * lines.iter().map(|_| 1.0).sum::<f64>() + 34.0;
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" font-family="system-ui, sans-serif" font-size="12">"##
    );
    let _ = writeln!(svg, "<title>Server CPU for one login</title>");
    let _ = writeln!(svg, r##"<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>"##);
    text(
        &mut svg,
        16.0,
        24.0,
        "Server CPU for one EAP-TLS login, ms (shorter is better)",
        "font-size=\"15\" font-weight=\"600\"",
    );
    legend(&mut svg);
    let scale = LONGEST / longest(&lines);
    for (line, top) in lines.iter().zip((0_u16..).map(|number| TOP + GROUP * f64::from(number))) {
        group(&mut svg, line, top, scale);
    }
    text(&mut svg, 16.0, height - 12.0, &report.versions, "fill=\"#5b6472\" font-size=\"10\"");
    svg.push_str("</svg>\n");
    svg
}

/// Of those bars that decide the scale: with long CRLs the peers' would leave nothing to be seen of the others.
fn longest(lines: &[&Line]) -> f64 {
    let short = lines.iter().filter(|line| line.scenario.entries == 0).flat_map(|line| line.seen);
    let longest = short.map(|seen| seen.cpu).fold(0.0, f64::max);
    if longest > 0.0 {
        longest
    } else {
        lines.iter().flat_map(|line| line.seen).map(|seen| seen.cpu).fold(0.001, f64::max)
    }
}

fn legend(svg: &mut String) {
    for ((kind, colour), left) in Kind::ALL.iter().zip(COLOURS).zip([LEFT, LEFT + 90.0, LEFT + 200.0]) {
        let _ = writeln!(svg, r##"<rect x="{left}" y="38" width="10" height="10" fill="{colour}"/>"##);
        text(svg, left + 15.0, 47.0, kind.name(), "");
    }
}

fn group(svg: &mut String, line: &Line, top: f64, scale: f64) {
    let middle = top + 1.5 * BAR + 4.0;
    text(svg, LEFT - 10.0, middle, &line.scenario.name(), "text-anchor=\"end\"");
    for (index, colour) in COLOURS.iter().enumerate() {
        let cpu = line.seen[index].cpu;
        let y = top + BAR * f64::from(u8::try_from(index).unwrap_or(0));
        let (length, cut) = ((cpu * scale).min(LONGEST), cpu * scale > LONGEST * 1.001);
        let height = BAR - 2.0;
        let _ =
            writeln!(svg, r##"<rect x="{LEFT}" y="{y:.1}" width="{length:.1}" height="{height}" fill="{colour}"/>"##);
        if cut {
            // A gap in a bar that is longer than the picture.
            let x = LEFT + LONGEST - 24.0;
            let _ = writeln!(svg, r##"<path d="M{x:.1} {:.1} l6 {height} h5 l-6 -{height} z" fill="#ffffff"/>"##, y);
        }
        let times = if index == 0 { String::new() } else { format!("  ({:.1}×)", line.times(index)) };
        text(svg, LEFT + length + 5.0, y + BAR - 3.5, &format!("{cpu:.2}{times}"), "fill=\"#333b47\" font-size=\"11\"");
    }
}

fn text(svg: &mut String, x: f64, y: f64, text: &str, attributes: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, r##"<text x="{x:.1}" y="{y:.1}" {attributes}>{text}</text>"##);
}

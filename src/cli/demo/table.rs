//! The table of what was decided and why.

use std::fmt;

use super::Outcome;
use super::cases::Case;

/// What is known of one login: its row, and the sentence below it.
struct Row {
    cells: [String; 8],
    explanation: String,
}

/// Rows, printed with columns as wide as they need to be.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

const HEAD: [&str; 8] = ["", "who", "service", "TLS", "requests", "decided", "reason", "alert"];

impl Table {
    pub(super) fn add(&mut self, case: &Case, outcome: &Outcome) {
        let report = &outcome.report;
        let cells = [
            if outcome.right { "✓" } else { "✗" }.to_owned(),
            case.who.to_owned(),
            case.service.to_owned(),
            format!("{}{}", case.tls, if report.resumed { " resumed" } else { "" }),
            report.requests.to_string(),
            if report.logged_in { "accept" } else { "reject" }.to_owned(),
            outcome.field("reason").unwrap_or("?").to_owned(),
            report.alert_received.map(|alert| alert.to_string()).unwrap_or_default(),
        ];
        let explanation = outcome.field("explanation").unwrap_or_default().to_owned();
        self.rows.push(Row { cells, explanation });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = HEAD.map(|name| name.chars().count());
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(&row.cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
        write_cells(f, &HEAD.map(str::to_owned), widths)?;
        for row in &self.rows {
            write_cells(f, &row.cells, widths)?;
            if !row.explanation.is_empty() {
                writeln!(f, "     {}", row.explanation)?;
            }
        }
        Ok(())
    }
}

fn write_cells(f: &mut fmt::Formatter<'_>, cells: &[String; 8], widths: [usize; 8]) -> fmt::Result {
    let cells: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    writeln!(f, "{}", cells.join("  ").trim_end())
}

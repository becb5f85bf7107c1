//! What was decided and why, for a terminal of 80 columns: a sentence for each refusal, then the table of all.

use std::fmt;

use super::Outcome;
use super::cases::Case;
use crate::event::Method;

/// What is known of one login: its row, and why it was refused.
struct Row {
    cells: [String; 6],
    refusal: Option<String>,
}

/// Rows, printed with columns as wide as they need to be.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

const HEAD: [&str; 6] = ["", "who", "service", "how", "decided", "reason"];
/// Columns of a terminal.
const WIDTH: usize = 80;
/// Before each line of an explanation.
const INDENT: &str = "  ";

impl Table {
    pub(super) fn add(&mut self, case: &Case, outcome: &Outcome) {
        let cells = [
            if outcome.right { "✓" } else { "✗" }.to_owned(),
            case.who.to_owned(),
            case.service.to_owned(),
            how(case, outcome),
            if outcome.seen.accepted { "accept" } else { "reject" }.to_owned(),
            outcome.field("reason").unwrap_or("?").to_owned(),
        ];
        let alert = outcome.seen.alert.map(|alert| format!("TLS alert {alert}. ")).unwrap_or_default();
        let why = alert + outcome.field("explanation").unwrap_or_default();
        self.rows.push(Row { cells, refusal: (!outcome.seen.accepted).then_some(why) });
    }
}

fn how(case: &Case, outcome: &Outcome) -> String {
    match case.method {
        Method::EapTls if outcome.seen.resumed => format!("{} resumed", case.tls),
        Method::EapTls => format!("TLS {}", case.tls),
        Method::Authorize => "by name".to_owned(),
        Method::Otp => "by a code".to_owned(),
        Method::None => String::new(),
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            let Some(refusal) = &row.refusal else { continue };
            let [_, who, service, how, ..] = &row.cells;
            writeln!(f, "{who} ({service}, {how})")?;
            for line in lines(refusal, WIDTH - INDENT.len()) {
                writeln!(f, "{INDENT}{line}")?;
            }
        }
        writeln!(f)?;
        let mut widths = HEAD.map(|name| name.chars().count());
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(&row.cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
        write_cells(f, &HEAD.map(str::to_owned), widths)?;
        for row in &self.rows {
            write_cells(f, &row.cells, widths)?;
        }
        Ok(())
    }
}

fn write_cells(f: &mut fmt::Formatter<'_>, cells: &[String; 6], widths: [usize; 6]) -> fmt::Result {
    let cells: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    writeln!(f, "{}", cells.join("  ").trim_end())
}

/// The text in lines that are no wider, broken between words; a longer word has a line of its own.
fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_lose_none() {
        let text = "Revoked by its authority at 2026-11-22, /a/path/that/is/longer/than/that included.";
        let broken = lines(text, 20);
        assert_eq!(broken.join(" "), text);
        assert_eq!(broken[0], "Revoked by its");
        assert!(broken.iter().all(|line| line.len() <= 20 || !line.contains(' ')), "{broken:?}");
        assert!(lines("", 20).is_empty());
    }
}

//! Rows of CSV (RFC 4180) and TSV, strictly: what is ambiguous is refused, and never takes the lines after it along.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use super::super::lines::{LONGEST, Line, Lines};
use super::super::survey::{BOM, Form, Separator};

/// Most lines that a quoted field may go over.
const MOST_LINES: usize = 64;
/// Most columns.
const MOST_COLUMNS: usize = 1000;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Its first line, from 1 on.
    pub(super) line: u64,
    /// Its fields, or why there are none.
    pub(super) fields: Result<Vec<String>, &'static str>,
}

/// Reads row after row.
pub(super) struct Rows<R> {
    lines: Lines<R>,
    form: Form,
    /// Lines that were read to see where a quoted field ends, and are to be read again.
    ahead: VecDeque<Line>,
}

const OPEN: &str = "a quote is never closed";

impl<R: BufRead> Rows<R> {
    pub(super) fn new(reader: R, form: Form) -> Self {
        Self { lines: Lines::new(reader), form, ahead: VecDeque::new() }
    }

    /// The next row that isn't empty; `None` after the last.
    pub(super) fn next(&mut self) -> io::Result<Option<Row>> {
        loop {
            let Some(line) = self.line()? else { return Ok(None) };
            let number = line.number;
            let text = match self.text(&line) {
                Ok(text) if text.trim().is_empty() => continue,
                Ok(text) => text,
                Err(why) => return Ok(Some(Row { line: number, fields: Err(why) })),
            };
            let fields = match split(&text, self.form.separator.character()) {
                Split::Fields(fields) => Ok(fields),
                // Spreadsheets quote fields of a TSV, the CA doesn't, and none goes over several lines: these are ordinary characters.
                Split::Open | Split::Bad(_) if self.form.separator == Separator::Tab => {
                    Ok(text.split('\t').map(str::to_owned).collect())
                }
                Split::Bad(why) => Err(why),
                Split::Open => self.over_lines(text)?,
            };
            return Ok(Some(Row { line: number, fields }));
        }
    }

    /// The row that goes on after its first line; if it doesn't end well, the lines after the first count as rows of their own.
    fn over_lines(&mut self, mut text: String) -> io::Result<Result<Vec<String>, &'static str>> {
        let mut taken = Vec::new();
        let mut fields = Err(OPEN);
        while taken.len() < MOST_LINES && text.len() <= LONGEST {
            let Some(line) = self.line()? else { break };
            let more = self.text(&line);
            taken.push(line);
            let Ok(more) = more else { break };
            text.push('\n');
            text.push_str(&more);
            match split(&text, self.form.separator.character()) {
                Split::Fields(found) => {
                    fields = Ok(found);
                    break;
                }
                Split::Bad(why) => {
                    fields = Err(why);
                    break;
                }
                Split::Open => {}
            }
        }
        if fields.is_err() {
            for line in taken.into_iter().rev() {
                self.ahead.push_front(line);
            }
        }
        Ok(fields)
    }

    fn line(&mut self) -> io::Result<Option<Line>> {
        match self.ahead.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.lines.next(),
        }
    }

    fn text(&self, line: &Line) -> Result<String, &'static str> {
        let octets = line.octets.as_deref().ok_or("it is too long")?;
        let octets = if line.number == 1 { octets.strip_prefix(BOM).unwrap_or(octets) } else { octets };
        self.form.encoding.decode(octets).ok_or(match self.form.encoding.name() {
            "UTF-8" => "it is not UTF-8, as the other lines are",
            _ => "it is not Shift_JIS, as the other lines are",
        })
    }
}

/// What a text is as a row.
enum Split {
    Fields(Vec<String>),
    /// A quoted field has no end.
    Open,
    Bad(&'static str),
}

fn split(text: &str, separator: char) -> Split {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        if fields.len() == MOST_COLUMNS {
            return Split::Bad("it has too many columns");
        }
        let end;
        match rest.strip_prefix('"') {
            None => {
                end = rest.find(separator);
                fields.push(rest.get(..end.unwrap_or(rest.len())).unwrap_or_default().to_owned());
            }
            Some(quoted) => {
                let Some((field, after)) = unquoted(quoted) else { return Split::Open };
                if !after.is_empty() && !after.starts_with(separator) {
                    return Split::Bad("something stands behind a closing quote");
                }
                end = (!after.is_empty()).then_some(rest.len() - after.len());
                fields.push(field);
            }
        }
        match end.and_then(|end| rest.get(end + 1..)) {
            Some(after) => rest = after,
            None => return Split::Fields(fields),
        }
    }
}

/// What is inside of the quotes, and what follows the closing one.
fn unquoted(mut rest: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    loop {
        let (inside, after) = rest.split_once('"')?;
        field.push_str(inside);
        match after.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => return Some((field, after)),
        }
    }
}

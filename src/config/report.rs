//! What was found, and where.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The server starts all the same.
    Warning,
    /// It doesn't.
    Error,
}

/// One thing that is wrong or odd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// The file: the configuration, or one that it names.
    pub file: PathBuf,
    /// Line, from 1; 0: the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0: the line as a whole.
    pub column: usize,
    /// The key's path: `service[1].vlan`.
    pub key: String,
    /// What is wrong, what it leads to, what to do.
    pub text: String,
}

impl std::fmt::Display for Finding {
    /// `FILE:LINE:COLUMN: error: KEY: TEXT`, without what isn't known. Control characters are escaped.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut line = self.file.display().to_string();
        for number in [self.line, self.column].into_iter().take_while(|number| *number > 0) {
            line.push_str(&format!(":{number}"));
        }
        line.push_str(match self.severity {
            Severity::Warning => ": warning: ",
            Severity::Error => ": error: ",
        });
        if !self.key.is_empty() {
            line.push_str(&format!("{}: ", self.key));
        }
        line.push_str(&self.text);
        for character in line.chars() {
            match character.is_control() {
                true => write!(f, "{}", character.escape_default())?,
                false => write!(f, "{character}")?,
            }
        }
        Ok(())
    }
}

/// A place in the configuration file.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// The key's path.
    pub(super) key: String,
    /// Octets from the file's start.
    pub(super) offset: usize,
}

/// Where the configuration names files that are watched, or what is fetched.
#[derive(Clone, Debug)]
pub struct Named {
    /// What the table that names them is called.
    pub table: Arc<str>,
    /// Whether they are CRLs; else a group's users.
    pub is_crl: bool,
    /// The files and URLs, as [`crate::fetch::Problem`] has them.
    pub sources: Vec<Arc<str>>,
    line: usize,
    column: usize,
    key: String,
}

impl Named {
    /// A finding about these sources, at the place in the configuration `file` that names them.
    #[must_use]
    pub fn finding(&self, severity: Severity, file: &Path, text: String) -> Finding {
        Finding { severity, file: file.to_owned(), line: self.line, column: self.column, key: self.key.clone(), text }
    }
}

/// Nobody reads more; a file of nothing but mistakes must not cost more than its reading.
const MAX_FINDINGS: usize = 1000;

/// Collects the findings of one file.
#[derive(Debug)]
pub(super) struct Report<'a> {
    file: &'a Path,
    text: &'a str,
    /// Where each line starts.
    lines: Vec<usize>,
    findings: RefCell<Vec<Finding>>,
}

impl<'a> Report<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file, text, lines, findings: RefCell::default() }
    }

    /// The folder that relative paths start from.
    pub(super) fn folder(&self) -> &'a Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// The configuration file itself.
    pub(super) fn file(&self) -> &'a Path {
        self.file
    }

    pub(super) fn error(&self, place: &Place, text: impl Into<String>) {
        self.find(Severity::Error, place, text.into());
    }

    pub(super) fn warning(&self, place: &Place, text: impl Into<String>) {
        self.find(Severity::Warning, place, text.into());
    }

    pub(super) fn named(&self, table: Arc<str>, is_crl: bool, sources: Vec<Arc<str>>, place: &Place) -> Named {
        let (line, column) = self.position(place.offset);
        Named { table, is_crl, sources, line, column, key: place.key.clone() }
    }

    /// All findings, in the order of the file.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.findings.into_inner();
        findings.sort_by_key(|finding| (finding.line, finding.column));
        findings
    }

    fn find(&self, severity: Severity, place: &Place, text: String) {
        let (line, column) = self.position(place.offset);
        let finding = Finding { severity, file: self.file.to_owned(), line, column, key: place.key.clone(), text };
        let mut findings = self.findings.borrow_mut();
        if findings.len() < MAX_FINDINGS && !findings.contains(&finding) {
            findings.push(finding);
        }
    }

    /// Line and column, from 1.
    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let before = self.text.as_bytes().get(start..offset.min(self.text.len())).unwrap_or_default();
        (line, String::from_utf8_lossy(before).chars().count() + 1)
    }
}

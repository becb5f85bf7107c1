//! Which column is what.

use std::str::FromStr;

use super::{Asked, words};

/// What a column can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Column {
    Application,
    Subject,
    Mail,
    Serial,
    Authority,
    Status,
}

impl Column {
    const ALL: [Self; 6] = [Self::Application, Self::Subject, Self::Mail, Self::Serial, Self::Authority, Self::Status];

    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Subject => "subject",
            Self::Mail => "mail",
            Self::Serial => "serial",
            Self::Authority => "authority",
            Self::Status => "status",
        }
    }

    /// Where it is unless something else says so: `import-columns` of the reference configuration.
    fn default(self) -> usize {
        match self {
            Self::Subject => 4,
            Self::Mail => 15,
            _ => 0,
        }
    }

    fn headers(self) -> &'static [&'static str] {
        match self {
            Self::Application => words::APPLICATION,
            Self::Subject => words::SUBJECT,
            Self::Mail => words::MAIL,
            Self::Serial => words::SERIAL,
            Self::Authority => words::AUTHORITY,
            Self::Status => words::STATUS,
        }
    }
}

/// Highest column there may be.
const MAX: usize = 1000;

/// `--columns`: what was said of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Columns(Vec<(Column, usize)>);

impl FromStr for Columns {
    type Err = String;

    /// `subject=4,mail=15`
    fn from_str(text: &str) -> Result<Self, String> {
        let mut columns: Vec<(Column, usize)> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, number) = part.split_once('=').ok_or("write NAME=NUMBER, as in subject=4,mail=15")?;
            let column = Column::ALL.into_iter().find(|column| column.name() == name.trim()).ok_or_else(|| {
                format!("there is no column \"{name}\", but {}", Column::ALL.map(Column::name).join(", "))
            })?;
            let number = number.trim().parse().ok().filter(|number| *number <= MAX);
            let number = number.ok_or_else(|| format!("the number of column \"{name}\" is 0 (not there) to {MAX}"))?;
            if columns.iter().any(|(known, _)| *known == column) {
                return Err(format!("column \"{name}\" is named twice"));
            }
            columns.push((column, number));
        }
        Ok(Self(columns))
    }
}

impl Columns {
    /// As the API tells of them; what it doesn't say isn't known.
    pub(in super::super) fn told(mut number: impl FnMut(&str) -> Option<usize>) -> Self {
        let told = Column::ALL.into_iter().filter_map(|column| Some((column, number(column.name())?)));
        Self(told.filter(|(_, number)| *number <= MAX).collect())
    }

    /// Whether there is one of which nothing is said.
    pub(in super::super) fn lacks_some(&self) -> bool {
        Column::ALL.into_iter().any(|column| self.of(column).is_none())
    }

    fn of(&self, column: Column) -> Option<usize> {
        self.0.iter().find(|(known, _)| *known == column).map(|(_, number)| *number)
    }
}

/// Where everything is in one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// From 1 on; 0: nowhere.
    numbers: [usize; 6],
    /// Whether the header names serials, and nothing says whose they are.
    has_nameless_serials: bool,
}

impl Places {
    /// As was asked for, else as the header says, else as the server's configuration does, else as in the reference. The error: what is missing.
    pub(super) fn new(asked: &Asked, header: Option<&[String]>) -> Result<Self, String> {
        let by_header = |column: Column| header.and_then(|header| named(header, column));
        let numbers = Column::ALL.map(|column| {
            asked
                .columns
                .of(column)
                .or_else(|| by_header(column))
                .unwrap_or_else(|| asked.otherwise.of(column).unwrap_or_else(|| column.default()))
        });
        let mut places = Self { numbers, has_nameless_serials: false };
        let says_whose = asked.authority.is_some() || places.of(Column::Authority).is_some();
        if places.of(Column::Serial).is_some() && !says_whose {
            // Two authorities may have given the same.
            if asked.columns.of(Column::Serial).is_some() {
                return Err("whose serials are they? --authority NAME, or a column: --columns authority=N".to_owned());
            }
            places.numbers[Column::Serial as usize] = 0;
            places.has_nameless_serials = true;
        }
        if places.of(Column::Subject).is_none() {
            return Err("lists need a subject: --columns subject=N".to_owned());
        }
        if places.of(Column::Application).or(places.of(Column::Serial)).is_none() {
            return Err("nothing in it says which certificate a line is about: --columns application=N, or serial=N with --authority NAME".to_owned());
        }
        Ok(places)
    }

    /// From 1 on.
    pub(super) fn of(&self, column: Column) -> Option<usize> {
        self.numbers.get(column as usize).copied().filter(|number| *number > 0)
    }

    /// As `--columns` takes it, and what an administrator may miss.
    pub(super) fn text(&self) -> String {
        let there = Column::ALL.into_iter().filter_map(|column| Some((column, self.of(column)?)));
        there.map(|(column, number)| format!("{}={number}", column.name())).collect::<Vec<_>>().join(",")
            + self.left_out()
    }

    fn left_out(&self) -> &'static str {
        match self.has_nameless_serials {
            true => "; serials are left out: --authority NAME says whose they are",
            false => "",
        }
    }
}

/// The one column that a header calls so.
fn named(header: &[String], column: Column) -> Option<usize> {
    let is_it = |field: &&String| column.headers().iter().any(|name| name.eq_ignore_ascii_case(field.trim()));
    let mut found = header.iter().enumerate().filter(|(_, field)| is_it(field));
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Some(index + 1),
        _ => None,
    }
}

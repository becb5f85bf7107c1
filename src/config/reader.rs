//! A typed reader over TOML's tree with positions. Unlike a derived deserialiser it goes on after a mistake, so that an administrator sees every finding at once.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::{Place, Report};
use super::scalar;
use crate::now::Wall;

/// A value, and where it stands.
#[derive(Clone)]
pub(super) struct Item<'a> {
    pub(super) report: &'a Report<'a>,
    pub(super) place: Place,
    value: &'a DeValue<'a>,
}

impl<'a> Item<'a> {
    pub(super) fn error(&self, text: impl Into<String>) {
        self.report.error(&self.place, text);
    }

    pub(super) fn warning(&self, text: impl Into<String>) {
        self.report.warning(&self.place, text);
    }

    /// Says that the part of the server that this belongs to doesn't exist yet.
    pub(super) fn not_built(&self, what: &str) {
        self.error(format!("not built in this version: {what}; leave it out"));
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.wrong_type("a string");
        }
        text
    }

    /// A string that isn't empty and has no control characters: it becomes a label in metrics and log.
    pub(super) fn name(&self) -> Option<&'a str> {
        let text = self.text()?;
        if !is_name(text) {
            self.error("needs 1 to 253 octets without control characters");
            return None;
        }
        Some(text)
    }

    /// A string where somebody else complains if it is none.
    pub(super) fn text_quietly(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// A name where somebody else complains if it is none.
    pub(super) fn name_quietly(&self) -> Option<&'a str> {
        self.text_quietly().filter(|text| is_name(text))
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        let value = self.value.as_bool();
        if value.is_none() {
            self.wrong_type("true or false");
        }
        value
    }

    pub(super) fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let DeValue::Integer(number) = self.value else {
            self.wrong_type("a whole number");
            return None;
        };
        let value = u64::from_str_radix(number.as_str(), number.radix()).ok().filter(|value| range.contains(value));
        if value.is_none() {
            self.error(format!("must be from {} to {}", range.start(), range.end()));
        }
        value
    }

    pub(super) fn duration(&self) -> Option<Duration> {
        self.parsed(scalar::duration)
    }

    pub(super) fn size(&self) -> Option<u64> {
        self.parsed(scalar::size)
    }

    /// A string that `parse` understands.
    pub(super) fn parsed<T>(&self, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        parse(self.text()?).map_err(|text| self.error(text)).ok()
    }

    /// One of a closed list.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            let meant = scalar::did_you_mean(text, choices.iter().map(|(name, _)| *name));
            self.error(format!("\"{text}\" is none of what may stand here{meant}"));
        }
        found
    }

    /// A path, relative to the configuration's folder.
    pub(super) fn path(&self) -> Option<PathBuf> {
        let text = self.text()?;
        if text.is_empty() || text.contains('\0') {
            self.error("needs the path of a file");
            return None;
        }
        Some(self.report.folder().join(text))
    }

    /// An offset date-time.
    pub(super) fn time(&self) -> Option<Wall> {
        let Some(time) = self.value.as_datetime() else {
            self.wrong_type("a date and time with an offset, not in quotes: 2027-03-31T23:59:59+09:00");
            return None;
        };
        let timestamp = time.to_string().parse::<jiff::Timestamp>();
        if timestamp.is_err() || time.offset.is_none() {
            self.error("needs date, time and offset: 2027-03-31T23:59:59+09:00");
            return None;
        }
        timestamp.ok().map(|timestamp| Wall(timestamp.as_second()))
    }

    pub(super) fn items(&self) -> Vec<Item<'a>> {
        let Some(array) = self.value.as_array() else {
            self.wrong_type("a list");
            return Vec::new();
        };
        let place = |index: usize, offset| Place { key: format!("{}[{index}]", self.place.key), offset };
        array
            .iter()
            .enumerate()
            .map(|(index, value)| Item {
                report: self.report,
                place: place(index, value.span().start),
                value: value.get_ref(),
            })
            .collect()
    }

    /// A list, each of whose items `read` understands; those that it doesn't have been reported.
    pub(super) fn list<T>(&self, read: impl FnMut(Item<'a>) -> Option<T>) -> Vec<T> {
        self.items().into_iter().filter_map(read).collect()
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.list(|item| item.text().map(str::to_owned))
    }

    /// A list, or one value alone that stands for a list of it.
    pub(super) fn one_or_more<T>(&self, mut read: impl FnMut(Item<'a>) -> Option<T>) -> Vec<T> {
        match self.value {
            DeValue::Array(_) => self.list(read),
            _ => read(self.clone()).into_iter().collect(),
        }
    }

    pub(super) fn table(&self) -> Option<Table<'a>> {
        let table = self.value.as_table();
        if table.is_none() {
            self.wrong_type("a table");
        }
        table.map(|table| Table::new(self.report, self.place.clone(), table))
    }

    /// The tables of `[[key]]`.
    fn tables(&self) -> Vec<Table<'a>> {
        if self.value.is_table() {
            self.error(format!("there may be several: write [[{0}]], not [{0}]", self.place.key));
        }
        self.one_or_more_tables()
    }

    /// A list of tables, or one alone.
    pub(super) fn one_or_more_tables(&self) -> Vec<Table<'a>> {
        self.one_or_more(|item| item.table())
    }

    /// Whether nothing is wished: an empty string or list.
    pub(super) fn is_empty(&self) -> bool {
        match self.value {
            DeValue::String(text) => text.is_empty(),
            DeValue::Array(array) => array.is_empty(),
            _ => false,
        }
    }

    pub(super) fn is_integer(&self) -> bool {
        self.value.is_integer()
    }

    fn wrong_type(&self, wanted: &str) {
        let article = match self.value.type_str() {
            "integer" | "array" => "an",
            _ => "a",
        };
        self.error(format!("needs {wanted}; this is {article} {}", self.value.type_str()));
    }
}

/// A table that is being read. Whoever has taken all keys that mean something calls [`Table::finish`].
pub(super) struct Table<'a> {
    pub(super) report: &'a Report<'a>,
    pub(super) place: Place,
    /// `None`: it isn't in the file, and every key has its default.
    table: Option<&'a DeTable<'a>>,
    asked: Vec<&'static str>,
}

/// Where a table and its keys stand, for findings made later.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    table: Place,
    keys: Vec<Place>,
}

impl Places {
    /// The place of a key, of its `-file` twin, or of the table.
    pub(super) fn of(&self, key: &str) -> &Place {
        let path = join(&self.table.key, key);
        let file = format!("{path}-file");
        self.keys.iter().find(|place| place.key == path || place.key == file).unwrap_or(&self.table)
    }
}

impl<'a> Table<'a> {
    pub(super) fn new(report: &'a Report<'a>, place: Place, table: &'a DeTable<'a>) -> Self {
        Self { report, place, table: Some(table), asked: Vec::new() }
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<Item<'a>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let value = self.table?.get(key)?;
        Some(self.item(key, value))
    }

    /// A key that must be there; `why` says what for.
    pub(super) fn require(&mut self, key: &'static str, why: &str) -> Option<Item<'a>> {
        let item = self.take(key);
        if item.is_none() {
            self.missing(key, why);
        }
        item
    }

    /// Says that a key is missing.
    pub(super) fn missing(&self, key: &str, why: &str) {
        self.error(format!("`{key}` is missing: {why}"));
    }

    pub(super) fn error(&self, text: impl Into<String>) {
        self.report.error(&self.place, text);
    }

    pub(super) fn warning(&self, text: impl Into<String>) {
        self.report.warning(&self.place, text);
    }

    pub(super) fn boolean(&mut self, key: &'static str, default: bool) -> bool {
        self.take(key).and_then(|item| item.boolean()).unwrap_or(default)
    }

    pub(super) fn integer(&mut self, key: &'static str, range: RangeInclusive<u64>, default: u64) -> u64 {
        self.take(key).and_then(|item| item.integer(range)).unwrap_or(default)
    }

    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)], default: T) -> T {
        self.take(key).and_then(|item| item.choice(choices)).unwrap_or(default)
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.take(key).map(|item| item.texts())
    }

    /// The tables of `[[key]]`, or none.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Table<'a>> {
        self.take(key).map(|item| item.tables()).unwrap_or_default()
    }

    /// The table `[key]`, if it is there.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Table<'a>> {
        self.take(key).and_then(|item| item.table())
    }

    /// The table `[key]`, or one in which every key has its default.
    pub(super) fn section(&mut self, key: &'static str) -> Table<'a> {
        let place = Place { key: self.path(key), offset: self.place.offset };
        self.table(key).unwrap_or(Table { report: self.report, place, table: None, asked: Vec::new() })
    }

    /// All keys as they are, for tables whose keys are data.
    pub(super) fn entries(&self) -> Vec<(&'a str, Item<'a>)> {
        let entries = self.table.into_iter().flatten();
        entries.map(|(key, value)| (key.get_ref().as_ref(), self.item(key.get_ref(), value))).collect()
    }

    /// Says which keys mean nothing here, and gives the places of those that do.
    pub(super) fn finish(self) -> Places {
        for (key, _) in self.table.into_iter().flatten() {
            let name = key.get_ref().as_ref();
            if !self.asked.contains(&name) {
                let place = Place { key: self.path(name), offset: key.span().start };
                let meant = scalar::did_you_mean(name, self.asked.iter().copied());
                self.report.error(&place, format!("unknown key \"{name}\"{meant}"));
            }
        }
        let keys = self.entries().into_iter().map(|(_, item)| item.place).collect();
        Places { table: self.place, keys }
    }

    fn item(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Item<'a> {
        let place = Place { key: self.path(key), offset: value.span().start };
        Item { report: self.report, place, value: value.get_ref() }
    }

    fn path(&self, key: &str) -> String {
        join(&self.place.key, key)
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 253 && !text.chars().any(char::is_control)
}

fn join(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        _ => format!("{path}.{key}"),
    }
}

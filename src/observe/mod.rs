//! One [`Event`](crate::event::Event) → metrics and log. The core returns events and never calls this.

/// `[log].format`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// `[log].language`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Japanese.
    Ja,
    /// English.
    En,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// `format`
    pub format: Format,
    /// `level`, a `tracing` level's name.
    pub level: String,
    /// `language`
    pub language: Language,
    /// `timezone`, an IANA name that has been checked.
    pub timezone: String,
}

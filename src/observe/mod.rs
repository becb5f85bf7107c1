//! One [`Event`](crate::event::Event) → metrics and log. The core returns events and never calls this.
//!
//! [`Sink::record`] counts at once and hands the event to a thread that renders its line: [`explain`] tells why in words, `line` escapes and caps whatever came from outside.

pub mod explain;
mod grounds;
mod limiter;
mod line;
mod metrics;
#[expect(clippy::disallowed_methods, reason = "operational messages carry the time they are written at")]
mod operational;
mod render;
mod sink;
#[cfg(test)]
mod tests;

pub use explain::{Asked, Explainer, Explanation, Note, Standing, Unasked};
pub(crate) use grounds::{distrusted_from, revocation};
pub(crate) use line::capped;
pub use line::{escape_in_json, visible};
pub use metrics::Metrics;
pub use operational::{Tracing, init_tracing};
pub use render::certificate_id;
pub use sink::{Observer, Sink};

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

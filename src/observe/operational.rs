//! Operational messages (start, reload, warnings) through `tracing`, in the same form as decisions and to the same stderr.
//! A write there may wait for whoever reads the log: nothing that answers packets may say anything for each of them.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use jiff::tz::TimeZone;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{Interest, set_global_default};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

use super::line::Line;
use super::{Explainer, Format, LogSettings};

/// How lines are written, ready for use.
#[derive(Debug)]
pub(super) struct Style {
    pub(super) format: Format,
    pub(super) explainer: Explainer,
    level: LevelFilter,
}

impl Style {
    /// A level or time zone that nobody has checked counts as `info` and UTC.
    pub(super) fn new(settings: &LogSettings) -> Self {
        let zone = TimeZone::get(&settings.timezone).unwrap_or(TimeZone::UTC);
        Self {
            format: settings.format,
            explainer: Explainer { language: settings.language, zone },
            level: LevelFilter::from_str(&settings.level).unwrap_or(LevelFilter::INFO),
        }
    }

    /// Whether lines of this level are written.
    pub(super) fn writes(&self, level: Level) -> bool {
        level <= self.level
    }
}

/// Changes how operational messages are written.
#[derive(Clone, Debug)]
pub struct Tracing {
    style: Arc<ArcSwap<Style>>,
}

/// From now on `tracing` writes to stderr. A process has one subscriber: where another was set before, that one stays.
pub fn init_tracing(settings: &LogSettings) -> Tracing {
    let style = Arc::new(ArcSwap::from_pointee(Style::new(settings)));
    // An error means that there is one already.
    let _ = set_global_default(Registry::default().with(Lines { style: style.clone() }));
    Tracing { style }
}

impl Tracing {
    /// Writes in another way from now on.
    pub(crate) fn set_log(&self, settings: &LogSettings) {
        self.style.store(Arc::new(Style::new(settings)));
    }
}

/// Writes every event as a [`Line`].
pub(super) struct Lines {
    pub(super) style: Arc<ArcSwap<Style>>,
}

impl<S: Subscriber> Layer<S> for Lines {
    /// The level may change at any time.
    fn register_callsite(&self, _metadata: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        self.style.load().writes(*metadata.level())
    }

    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        let style = self.style.load();
        let line = line(event).render(style.format, &style.explainer.zone, None);
        // A log that can't be written can't be complained of in the log.
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }
}

pub(super) fn line(event: &tracing::Event<'_>) -> Line {
    // `tracing` brings no time along.
    let mut fields = Fields { line: Line::new(SystemTime::now().into(), *event.metadata().level(), "") };
    event.record(&mut fields);
    fields.line
}

struct Fields {
    line: Line,
}

impl Fields {
    fn record(&mut self, field: &Field, value: impl Into<Value>) {
        self.line.field(field.name(), Some(value));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // Writing to a String fails only where Debug itself does.
        let _ = write!(text, "{value:?}");
        if field.name() == "message" { self.line.headline = text } else { self.record(field, text) }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" { value.clone_into(&mut self.line.headline) } else { self.record(field, value) }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.record(field, value);
    }
}

//! One log line, as text or JSON: whatever came from outside stays on its line, shows what it is, and is short.

use std::borrow::Cow;
use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use tracing::Level;

use super::Format;
use crate::now::Wall;
use crate::policy::is_hidden;

/// Longest value of a field in characters.
pub(super) const MAX_VALUE: usize = 256;
/// Longest free text in characters: an explanation, an operational message.
const MAX_TEXT: usize = 2_048;

/// A line before it is written in either format.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) at: Wall,
    pub(super) level: Level,
    /// A few words: `reject revoked`.
    pub(super) headline: String,
    fields: Vec<Field>,
    /// Sentences for people, at the end of a text line.
    pub(super) explanation: Option<String>,
}

#[derive(Debug)]
struct Field {
    name: &'static str,
    value: Value,
    in_text: bool,
}

impl Line {
    pub(super) fn new(at: Wall, level: Level, headline: impl Into<String>) -> Self {
        Self { at, level, headline: headline.into(), fields: Vec::new(), explanation: None }
    }

    /// Adds a field; one without a value is left out.
    pub(super) fn field(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        self.push(name, value, true);
    }

    /// Adds a field that a text line says in other words.
    pub(super) fn json_field(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        self.push(name, value, false);
    }

    fn push(&mut self, name: &'static str, value: Option<impl Into<Value>>, in_text: bool) {
        if let Some(value) = value {
            self.fields.push(Field { name, value: capped_value(value.into()), in_text });
        }
    }

    /// The line with its line feed. `node`: this server's name, in JSON.
    pub(super) fn render(&self, format: Format, zone: &TimeZone, node: Option<&str>) -> String {
        let mut line = match format {
            Format::Text => self.text(zone),
            Format::Json => self.json(zone, node),
        };
        line.push('\n');
        line
    }

    fn text(&self, zone: &TimeZone) -> String {
        let mut line =
            format!("{} {:>5} {}", rfc3339(self.at, zone), self.level, visible(&capped(&self.headline, MAX_TEXT)));
        for field in self.fields.iter().filter(|field| field.in_text) {
            line.push(' ');
            line.push_str(field.name);
            line.push('=');
            push_text_value(&mut line, &field.value);
        }
        if let Some(explanation) = &self.explanation {
            line.push_str(" -- ");
            line.push_str(&visible(&capped(explanation, MAX_TEXT)));
        }
        line
    }

    fn json(&self, zone: &TimeZone, node: Option<&str>) -> String {
        let mut line = String::from("{");
        let mut push = |name: &str, value: &Value| {
            let comma = if line.len() > 1 { "," } else { "" };
            // Writing to a String can't fail.
            let _ = write!(line, "{comma}{}:{value}", Value::from(name));
        };
        push("time", &rfc3339(self.at, zone).into());
        push("level", &self.level.as_str().to_ascii_lowercase().into());
        if let Some(node) = node {
            push("node", &node.into());
        }
        push("message", &capped(&self.headline, MAX_TEXT).into());
        for field in &self.fields {
            push(field.name, &field.value);
        }
        if let Some(explanation) = &self.explanation {
            push("explanation", &capped(explanation, MAX_TEXT).into());
        }
        line.push('}');
        escape_in_json(&line)
    }
}

/// RFC 3339 with the zone's offset; years that it can't write as seconds since 1970.
pub(super) fn rfc3339(at: Wall, zone: &TimeZone) -> String {
    match Timestamp::from_second(at.0) {
        Ok(at) => at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        Err(_) => at.0.to_string(),
    }
}

/// Every character that shows nothing, or changes how others show, in a form that shows: `\n`, `\u{202e}`.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown.into()
}

/// At most so many characters; what was longer ends in `…`.
pub(crate) fn capped(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

fn capped_value(value: Value) -> Value {
    match value {
        Value::String(text) => capped(&text, MAX_VALUE).into(),
        Value::Array(values) => values.into_iter().take(16).map(capped_value).collect(),
        other => other,
    }
}

/// Bare where nothing in it could be taken for anything else; else quoted.
fn push_text_value(line: &mut String, value: &Value) {
    let text = match value {
        Value::String(text) => Cow::from(text),
        other => other.to_string().into(),
    };
    let is_plain = |c: char| c.is_alphanumeric() || "._:@/+-[]".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        line.push_str(&text);
        return;
    }
    line.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => line.extend(['\\', c]),
            c if is_hidden(c) => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line.push('"');
}

/// A JSON text with every character that does not show escaped, which JSON demands of few; it reads back the same.
#[must_use]
pub fn escape_in_json(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    for c in line.chars() {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

//! The CA's lists: a line for each application or certificate.

mod columns;
mod rows;
mod words;

use std::io::{self, BufRead};
use std::sync::Arc;

use super::item::{Entry, Flow, Found, Place, Record, Sink, What};
use super::survey::Form;
use columns::Places;
use rows::{Row, Rows};

pub(super) use columns::{Column, Columns};

/// Longest text of a field in characters: names and addresses are shorter, and the API takes no longer ones.
const LONGEST: usize = 1000;

/// What is asked for beside what a list itself says.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) columns: Columns,
    /// What counts of which neither they nor the list say anything: the server's `import-columns`.
    pub(super) otherwise: Columns,
    /// Whose the serials are.
    pub(super) authority: Option<String>,
    pub(super) decimal_serials: bool,
}

/// All lines of a list; what is to be known of the columns beforehand is handed to `note`.
pub(super) fn read(
    file: &Arc<str>,
    reader: impl BufRead,
    form: Form,
    asked: &Asked,
    sink: &mut Sink<'_>,
    note: &mut dyn FnMut(String),
) -> io::Result<Flow> {
    let mut rows = Rows::new(reader, form);
    let mut places = None;
    while let Some(Row { line, fields }) = rows.next()? {
        let place = Place::line(file, line);
        let flow = match fields {
            Err(why) => sink(Found::refused(place, why)),
            Ok(fields) if fields.iter().all(|field| field.trim().is_empty()) => Flow::Continue(()),
            Ok(fields) => {
                let is_first = places.is_none();
                let header = (is_first && !fields.iter().any(|field| is_subject(field))).then_some(fields.as_slice());
                let places = match &mut places {
                    Some(places) => places,
                    none => match Places::new(asked, header) {
                        Ok(found) => {
                            note(found.text());
                            none.insert(found)
                        }
                        Err(why) => return Ok(sink(Found::refused(Place::file(file), why))),
                    },
                };
                match header {
                    Some(_) => Flow::Continue(()),
                    None => sink(Found { place, what: what(&fields, places, asked) }),
                }
            }
        };
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(Flow::Continue(()))
}

fn what(fields: &[String], places: &Places, asked: &Asked) -> What {
    match record(fields, places, asked) {
        Ok(record) => What::Entry(Entry::Record(record)),
        Err(why) => What::Refused(why),
    }
}

/// What a line says, or why it can't be told.
fn record(fields: &[String], places: &Places, asked: &Asked) -> Result<Record, String> {
    let field = |column: Column| -> Result<String, String> {
        let Some(number) = places.of(column) else { return Ok(String::new()) };
        let text = fields.get(number.saturating_sub(1)).ok_or_else(|| {
            format!("it has {} columns, and the {} would be in column {number}", fields.len(), column.name())
        })?;
        let text = text.trim();
        if text.contains(crate::policy::is_hidden) {
            return Err(format!("the {} holds characters that don't show: {}", column.name(), quoted(text)));
        }
        if text.chars().nth(LONGEST).is_some() {
            return Err(format!("the {} is too long: {}", column.name(), quoted(text)));
        }
        Ok(text.to_owned())
    };
    let subject = field(Column::Subject)?;
    if !is_subject(&subject) {
        return Err(format!("column {} is no subject: {}", places.of(Column::Subject).unwrap_or(0), quoted(&subject)));
    }
    let mail = field(Column::Mail)?;
    if !mail.is_empty() && !is_mail(&mail) {
        return Err(format!("column {} is no mail address: {}", places.of(Column::Mail).unwrap_or(0), quoted(&mail)));
    }
    let serial = serial(&field(Column::Serial)?, asked.decimal_serials)?;
    let authority = match field(Column::Authority)? {
        _ if serial.is_empty() => String::new(),
        text if text.is_empty() => asked.authority.clone().unwrap_or_default(),
        text => text,
    };
    let application = field(Column::Application)?;
    if application.is_empty() && serial.is_empty() {
        return Err("neither an application's number nor a serial says which certificate it is".to_owned());
    }
    if !serial.is_empty() && authority.is_empty() {
        return Err("it has a serial and no authority: --authority says whose".to_owned());
    }
    let status = field(Column::Status)?;
    let status = match status.is_empty() {
        true => "",
        false => words::status(&status).ok_or_else(|| format!("{} is no known status", quoted(&status)))?,
    };
    Ok(Record { application, subject, mail, serial, authority, status: status.to_owned() })
}

/// Whether it begins as a distinguished name does: `CN=…`, `2.5.4.3 = …`, `/C=JP/…`.
fn is_subject(text: &str) -> bool {
    let text = text.trim().strip_prefix('/').unwrap_or(text.trim());
    let Some((kind, value)) = text.split_once('=') else { return false };
    let kind = kind.trim();
    let is_kind = kind.starts_with(|c: char| c.is_ascii_alphanumeric())
        && kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    is_kind && !value.trim().is_empty()
}

fn is_mail(text: &str) -> bool {
    match text.rsplit_once('@') {
        Some((local, domain)) => {
            let is_sound =
                |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || ",;<>".contains(c));
            is_sound(local) && is_sound(domain) && !local.starts_with(['=', '+', '-', '@'])
        }
        None => false,
    }
}

/// In hex; empty: not issued yet.
fn serial(text: &str, is_decimal: bool) -> Result<String, String> {
    if text.is_empty() || words::NOT_ISSUED.contains(&text) {
        return Ok(String::new());
    }
    let bad = |form: &str| Err(format!("{} is no {form} serial", quoted(text)));
    if is_decimal {
        return hex(text).map_or_else(|| bad("decimal"), Ok);
    }
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    let digits = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")).unwrap_or(&digits);
    let is_hex = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_hex { Ok(digits.to_ascii_lowercase()) } else { bad("hexadecimal") }
}

/// A decimal number of at most 20 octets (RFC 5280 section 4.1.2.2) in hex.
fn hex(decimal: &str) -> Option<String> {
    let mut octets = [0_u8; 20];
    for digit in decimal.chars() {
        let mut carry = digit.to_digit(10)?;
        for octet in octets.iter_mut().rev() {
            carry += u32::from(*octet) * 10;
            *octet = u8::try_from(carry & 0xff).ok()?;
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    let text = data_encoding::HEXLOWER.encode(&octets);
    let digits = text.trim_start_matches('0');
    (!digits.is_empty()).then(|| digits.to_owned())
}

/// A text of the file, as much of it as shows what is wrong.
fn quoted(text: &str) -> String {
    format!("\"{}\"", crate::observe::visible(&crate::observe::capped(text, 80)))
}

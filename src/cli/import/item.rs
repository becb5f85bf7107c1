//! What is found in a file: something to register, or something that can't be.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::observe::visible;

/// Where something stands, for whoever has to look it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The file, as it was named.
    pub(super) file: Arc<str>,
    /// Its line, from 1 on; of several that of the first. `None`: the file has no lines, or all of it is meant.
    pub(super) line: Option<u64>,
    /// Which certificate of several, from 1 on.
    pub(super) certificate: Option<u64>,
}

impl Place {
    pub(super) fn file(file: &Arc<str>) -> Self {
        Self { file: Arc::clone(file), line: None, certificate: None }
    }

    pub(super) fn line(file: &Arc<str>, line: u64) -> Self {
        Self { line: Some(line), ..Self::file(file) }
    }
}

/// `FILE:LINE: certificate N`, without what isn't known.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(&self.file))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(number) = self.certificate {
            write!(f, ": certificate {number}")?;
        }
        Ok(())
    }
}

/// What can be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A certificate in DER.
    Certificate(Vec<u8>),
    Record(Record),
}

/// What a list says of a certificate; empty: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) application: String,
    pub(super) subject: String,
    pub(super) mail: String,
    /// Hexadecimal.
    pub(super) serial: String,
    pub(super) authority: String,
    /// As the API names it.
    pub(super) status: String,
}

impl Entry {
    /// As the API takes it.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Certificate(der) => json!({ "pem": pem(der) }),
            Self::Record(record) => record.json(),
        }
    }
}

impl Record {
    fn json(&self) -> Value {
        let fields = [
            ("application", &self.application),
            ("subject", &self.subject),
            ("mail", &self.mail),
            ("serial", &self.serial),
            ("authority", &self.authority),
            ("status", &self.status),
        ];
        let said = fields.into_iter().filter(|(_, text)| !text.is_empty());
        Value::Object(said.map(|(name, text)| (name.to_owned(), Value::from(text.as_str()))).collect())
    }
}

/// As RFC 7468 section 5 has it.
fn pem(der: &[u8]) -> String {
    const LINE: usize = 64;
    let base64 = BASE64.encode(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in base64.as_bytes().chunks(LINE) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}

/// What stands somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Entry(Entry),
    /// It can't be registered: why.
    Refused(String),
    /// A certificate of a CA, which nobody logs in with: chains have them.
    Ca,
}

/// Something found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) what: What,
}

impl Found {
    pub(super) fn refused(place: Place, why: impl Into<String>) -> Self {
        Self { place, what: What::Refused(why.into()) }
    }
}

/// Whether anybody wants more of it.
pub(super) type Flow = ControlFlow<()>;

/// Who is handed what is found, one after the other.
pub(super) type Sink<'a> = dyn FnMut(Found) -> Flow + 'a;

//! Certificates in PEM, DER and PKCS#7 (RFC 2315, RFC 5652 section 5: only the certificates of SignedData), one at a time.

mod der;
mod pem;

use std::io;
use std::sync::Arc;

use x509_parser::prelude::{FromDer, X509Certificate};

use super::item::{Entry, Flow, Found, Place, What};

pub(super) use der::read as read_der;
pub(super) use pem::read as read_pem;

/// Longest certificate in octets. Those of people have about 1,500.
const LONGEST: u64 = 64 << 10;

const TOO_LONG: &str = "it is longer than any certificate";
const CUT_OFF: &str = "it ends before it should";
const NO_CERTIFICATE: &str = "it is no certificate";

/// What these octets are.
fn certificate(place: Place, der: &[u8]) -> Found {
    let Ok((rest, certificate)) = X509Certificate::from_der(der) else { return Found::refused(place, NO_CERTIFICATE) };
    let what = match certificate.is_ca() {
        true => What::Ca,
        // OpenSSL's TRUSTED CERTIFICATE says more behind the certificate.
        false => What::Entry(Entry::Certificate(der.get(..der.len() - rest.len()).unwrap_or(der).to_vec())),
    };
    Found { place, what }
}

/// Where in a file one is.
#[derive(Clone, Debug)]
struct Position {
    file: Arc<str>,
    line: Option<u64>,
}

impl Position {
    /// `number`: which certificate of several; `None`: of one.
    fn place(&self, number: Option<u64>) -> Place {
        Place { line: self.line, certificate: number, ..Place::file(&self.file) }
    }
}

/// Why reading stopped early.
#[derive(Debug)]
enum Stop {
    /// What is read can't go on: why.
    Broken(&'static str),
    /// Nobody wants more.
    Enough,
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Broken(CUT_OFF),
            io::ErrorKind::InvalidData => Self::Broken("it holds what is not base64"),
            _ => Self::Io(error),
        }
    }
}

/// Goes on unless nobody wants more.
fn on(flow: Flow) -> Result<(), Stop> {
    match flow {
        Flow::Continue(()) => Ok(()),
        Flow::Break(()) => Err(Stop::Enough),
    }
}

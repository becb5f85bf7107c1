//! What a certificate is called in a path.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use crate::admin::problem::Problem;
use crate::store::{Id, Known};

/// Longest name of an authority, number of an application.
const LONGEST: usize = 256;
/// Hex digits of the longest serial: 20 octets (RFC 5280 section 4.1.2.2), and one for a sign.
const LONGEST_SERIAL: usize = 42;

/// Reads one of the three forms.
pub(in crate::admin) fn parse(text: &str) -> Result<Id, Problem> {
    let bad = || {
        Problem::bad_request("the path can't be read")
            .field("id", "is neither SHA-256 in hex, nor AUTHORITY:SERIAL, nor application:NUMBER")
    };
    match text.rsplit_once(':') {
        None => {
            let octets = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| bad())?;
            Ok(Id::Fingerprint(octets.try_into().map_err(|_| bad())?))
        }
        Some(("application", number)) if !number.is_empty() && number.len() <= LONGEST => {
            Ok(Id::Application(number.to_owned()))
        }
        Some((authority, serial)) if !authority.is_empty() && authority.len() <= LONGEST => {
            Ok(Id::Name(authority.to_owned(), self::serial(serial).ok_or_else(bad)?))
        }
        Some(_) => Err(bad()),
    }
}

/// A serial as it is kept: whole octets in lower case, without leading zeros.
pub(super) fn serial(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    let is_hex = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hex {
        return None;
    }
    let digits = digits.trim_start_matches('0').to_ascii_lowercase();
    let digits = if digits.len().is_multiple_of(2) { digits } else { format!("0{digits}") };
    (!digits.is_empty() && digits.len() <= LONGEST_SERIAL).then_some(digits)
}

/// The octets of a serial.
pub(in crate::admin) fn octets(serial: &str) -> Vec<u8> {
    HEXLOWER.decode(serial.as_bytes()).unwrap_or_default()
}

/// The best of the names of a certificate.
pub(super) fn of(known: &Known) -> String {
    match (&known.fingerprint, &known.authority, &known.serial, &known.application) {
        (Some(fingerprint), ..) => HEXLOWER.encode(fingerprint),
        (None, Some(authority), Some(serial), _) => format!("{authority}:{serial}"),
        (None, _, _, Some(application)) => format!("application:{application}"),
        _ => String::new(),
    }
}

/// As somebody has asked for it.
pub(super) fn text(id: &Id) -> String {
    match id {
        Id::Fingerprint(fingerprint) => HEXLOWER.encode(fingerprint),
        Id::Name(authority, serial) => format!("{authority}:{serial}"),
        Id::Application(number) => format!("application:{number}"),
    }
}

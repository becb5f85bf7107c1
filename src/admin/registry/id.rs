//! What a certificate is called in a path.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use crate::admin::problem::Problem;
use crate::policy::is_hidden;
use crate::store::{Id, Known};

/// Longest name of an authority, number of an application.
const LONGEST: usize = 256;
/// Hex digits of the longest serial: 20 octets (RFC 5280 section 4.1.2.2), and one for a sign.
const LONGEST_SERIAL: usize = 42;

/// Reads one of the three forms, as people paste them: hex in either case, with colons, serials with leading zeros.
pub(in crate::admin) fn parse(text: &str) -> Result<Id, Problem> {
    let bad = || {
        Problem::bad_request("the path can't be read")
            .field("id", "is neither SHA-256 in hex, nor AUTHORITY:SERIAL, nor application:NUMBER")
    };
    if let Some(number) = text.strip_prefix("application:") {
        let is_good = !number.is_empty() && number.len() <= LONGEST && !number.contains(is_hidden);
        return if is_good { Ok(Id::Application(number.to_owned())) } else { Err(bad()) };
    }
    if let Some(fingerprint) = fingerprint(text) {
        return Ok(Id::Fingerprint(fingerprint));
    }
    // The first colon after which everything is a serial: both may hold some.
    let mut names = text.match_indices(':').filter_map(|(at, _)| {
        let (authority, serial) = (text.get(..at)?, text.get(at + 1..)?);
        Some((authority, self::serial(serial)?))
    });
    match names.next() {
        Some((authority, serial)) if !authority.is_empty() && authority.len() <= LONGEST => {
            Ok(Id::Name(authority.to_owned(), serial))
        }
        _ => Err(bad()),
    }
}

fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits = text.replace(':', "");
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?.try_into().ok()
}

/// A serial as it is kept: whole octets in lower case, without leading zeros.
pub(super) fn serial(text: &str) -> Option<String> {
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    let is_hex = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hex {
        return None;
    }
    let digits = digits.trim_start_matches('0').to_ascii_lowercase();
    let digits = if digits.len().is_multiple_of(2) { digits } else { format!("0{digits}") };
    (!digits.is_empty() && digits.len() <= LONGEST_SERIAL).then_some(digits)
}

/// The beginning of a serial with its octets apart, as it is looked for; `None`: it isn't written like one.
pub(super) fn beginning_of_serial(text: &str) -> Option<String> {
    let is_apart = text.contains(':') && text.bytes().all(|octet| octet == b':' || octet.is_ascii_hexdigit());
    let digits = text.strip_prefix("0x").unwrap_or(text).replace(':', "");
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let octets = digits.trim_start_matches("00");
    ((is_apart || text.starts_with("0x")) && is_hex).then(|| octets.to_owned())
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

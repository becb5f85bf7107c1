//! The file of ticket keys: one a line, hex or base64, `#` begins a comment.

use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use super::ticket::SHORTEST_SECRET;
use crate::secret::{Secret, random};

/// Reads the text of a `ticket-key-file`: the first key seals, all open. Each is at least 32 octets in hex or base64, on a line of its own.
///
/// # Errors
/// A sentence that names the line; never what stands on it.
pub fn ticket_keys(text: &str) -> Result<Vec<Secret>, String> {
    let mut keys = Vec::new();
    for (number, line) in (1_u32..).zip(text.lines()) {
        let line = line.split_once('#').map_or(line, |(before, _)| before).trim();
        if !line.is_empty() {
            keys.push(ticket_key(line).map_err(|text| format!("line {number}: {text}"))?);
        }
    }
    if keys.is_empty() {
        return Err("there is no key in it; `sekisho ticket-key rotate FILE` makes one".to_owned());
    }
    Ok(keys)
}

fn ticket_key(line: &str) -> Result<Secret, String> {
    let octets = decode(line).ok_or("neither hex nor base64")?;
    if octets.len() < SHORTEST_SECRET {
        return Err(format!("{} octets; a ticket key has at least {SHORTEST_SECRET}", octets.len()));
    }
    Ok(Secret::new(octets))
}

/// Hex where all of it is hex: base64 of a random key practically never is.
fn decode(line: &str) -> Option<Vec<u8>> {
    let line = line.as_bytes();
    let hex = HEXLOWER_PERMISSIVE.decode(line);
    hex.or_else(|_| BASE64.decode(line)).or_else(|_| BASE64_NOPAD.decode(line)).ok()
}

/// A new random key as a line for the file, line feed and all.
///
/// # Errors
/// The system has no randomness to give.
pub fn new_ticket_key_line() -> Result<Secret, String> {
    Ok(ticket_key_line(&random_ticket_key()?))
}

/// A key as a line for the file, line feed and all.
#[must_use]
pub fn ticket_key_line(key: &Secret) -> Secret {
    let mut line = Zeroizing::new(HEXLOWER.encode(key.expose()));
    line.push('\n');
    Secret::new(line.as_bytes())
}

/// A new random secret for tickets.
pub(super) fn random_ticket_key() -> Result<Secret, String> {
    let octets = Zeroizing::new(random::<SHORTEST_SECRET>().map_err(|error| error.to_string())?);
    Ok(Secret::new(octets.as_slice()))
}

//! The certificates that answer for a name.

use std::cmp::Reverse;
use std::sync::Arc;

use super::super::gate::Decided;
use super::super::lookup::Search;
use super::super::{Asked, Facts, Snapshot};
use crate::now::Wall;
use crate::policy::{ServiceIndex, ServiceSettings};
use crate::radius::dictionary::Place;

/// Certificates of one name that are judged; the registry gives the newest first.
pub(super) const MOST: usize = 32;

/// What to look for: the very certificate that the NAS names, where it is to name one; else all of the name.
pub(super) fn search(service: Option<&ServiceSettings>, asked: &Asked, name: &str) -> Result<Search, String> {
    match service.and_then(|service| service.authorize.as_ref()?.certificate) {
        Some(place) => named(place, asked),
        None => Ok(Search::Name(name.to_owned())),
    }
}

fn named(place: Place, asked: &Asked) -> Result<Search, String> {
    let attributes = asked.said.as_ref().map(|said| said.attributes.as_slice()).unwrap_or_default();
    let value = attributes.iter().find(|(found, _)| *found == place).map(|(_, value)| value.as_slice());
    let value = value.ok_or("the request lacks the attribute that names the certificate")?;
    read(value)
        .ok_or_else(|| "the attribute that names the certificate holds no serial number or fingerprint".to_owned())
}

/// A serial number or a SHA-256, as octets or in hexadecimal digits, which may stand apart.
fn read(value: &[u8]) -> Option<Search> {
    let digits: Vec<u8> = value.iter().copied().filter(|octet| !b": -".contains(octet)).collect();
    let digits = digits.strip_prefix(b"0x").unwrap_or(&digits);
    let is_text = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let octets = if is_text { hexadecimal(digits)? } else { value.to_vec() };
    if let Ok(fingerprint) = <[u8; 32]>::try_from(octets.as_slice()) {
        return Some(Search::Fingerprint(fingerprint));
    }
    let begin = octets.iter().position(|octet| *octet != 0)?;
    // RFC 5280 section 4.1.2.2: 20 octets at most, and one for those who go over.
    octets.get(begin..).filter(|serial| serial.len() <= 21).map(|serial| Search::Serial(serial.to_vec()))
}

fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let mut even = digits.to_ascii_lowercase();
    if even.len() % 2 == 1 {
        even.insert(0, b'0');
    }
    data_encoding::HEXLOWER.decode(&even).ok()
}

/// Those of the registry's certificates that bear the name, the last to end first.
pub(super) fn bearers(by: &Snapshot, service: ServiceIndex, name: &str, kept: &[Vec<u8>]) -> Vec<Arc<Facts>> {
    let facts = kept.iter().take(MOST).filter_map(|kept| Facts::decode(kept, &by.trust));
    let mut facts: Vec<_> = facts.filter(|facts| by.policy.bears(service, facts, name)).map(Arc::new).collect();
    facts.sort_by_key(|facts| Reverse(facts.not_after));
    facts
}

/// Whose certificates these are, where they are several people's: the name doesn't tell whom of them the NAS has seen, and one who is blocked would come in as his namesake.
/// One whose time is over has been refused by the NAS itself.
pub(super) fn namesakes(by: &Snapshot, decided: &[Decided], now: Wall) -> Option<Vec<String>> {
    let ours = decided.iter().filter_map(Decided::seen);
    let valid = ours.filter(|facts| (facts.not_before..=facts.not_after).contains(&now));
    let mut people: Vec<String> = Vec::new();
    for user in valid.filter_map(|facts| by.policy.user(&facts)) {
        if !people.iter().any(|known| known.eq_ignore_ascii_case(&user)) {
            people.push(user.to_string());
        }
    }
    (people.len() > 1).then_some(people)
}

/// The first that is let in, rather one about which nobody need be asked; else the first. `None`: there is none.
pub(super) fn best(decided: impl Iterator<Item = Decided>) -> Option<Decided> {
    let (mut doubtful, mut refused) = (None, None);
    for decided in decided {
        if decided.decision.accepts() && decided.questions.is_empty() {
            return Some(decided);
        }
        let kind = if decided.decision.accepts() { &mut doubtful } else { &mut refused };
        kind.get_or_insert(decided);
    }
    doubtful.or(refused)
}

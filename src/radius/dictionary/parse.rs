//! Values as people write them.

use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None if text.starts_with('+') => None,
        None => text.parse().ok(),
    }
}

/// `Attr-26.VENDOR.TYPE`; vendor 0 is none.
pub(super) fn vendor_numbers(text: &str) -> Option<(u32, u8)> {
    let (vendor, kind) = text.strip_prefix("Attr-26.")?.split_once('.')?;
    Some((number(vendor).filter(|vendor| *vendor != 0)?, u8::try_from(number(kind)?).ok()?))
}

pub(super) fn octets(text: &str) -> Option<Vec<u8>> {
    let Some(digits) = text.strip_prefix("0x") else { return Some(text.as_bytes().to_vec()) };
    let nibbles: Option<Vec<u8>> =
        digits.chars().map(|digit| digit.to_digit(16).and_then(|nibble| u8::try_from(nibble).ok())).collect();
    let (pairs, rest) = nibbles.as_deref()?.as_chunks::<2>();
    (rest.is_empty() && !pairs.is_empty()).then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

pub(super) fn address(text: &str) -> Option<Vec<u8>> {
    Some(text.parse::<Ipv4Addr>().ok()?.octets().to_vec())
}

pub(super) fn ipv6_address(text: &str) -> Option<Vec<u8>> {
    Some(text.parse::<Ipv6Addr>().ok()?.octets().to_vec())
}

/// RFC 3162 section 2.3: a reserved octet, the length in bits, the octets that the length covers; bits beyond it are zero.
pub(super) fn ipv6_prefix(text: &str) -> Option<Vec<u8>> {
    let (address, bits) = text.split_once('/')?;
    let address = address.parse::<Ipv6Addr>().ok()?;
    let bits: u8 = bits.parse().ok().filter(|bits| *bits <= 128)?;
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    let address = (address.to_bits() & mask).to_be_bytes();
    let covered = address.get(..usize::from(bits).div_ceil(8))?;
    Some([&[0, bits], covered].concat())
}

/// Four groups of hexadecimal digits.
pub(super) fn interface_id(text: &str) -> Option<Vec<u8>> {
    let groups: Option<Vec<u16>> = text.split(':').map(|group| u16::from_str_radix(group, 16).ok()).collect();
    let groups = groups.filter(|groups| groups.len() == 4)?;
    Some(groups.iter().flat_map(|group| group.to_be_bytes()).collect())
}

/// The name that is fewest changes away, unless that is more than a third of it.
pub(super) fn nearest(name: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // The number of changes costs as much as both lengths multiplied; no name in the table is that long.
    if name.len() > 100 {
        return None;
    }
    let wanted: Vec<u8> = name.bytes().map(|letter| letter.to_ascii_lowercase()).collect();
    names
        .map(|known| (changes(&wanted, known.to_ascii_lowercase().as_bytes()), known))
        .filter(|(changes, known)| *changes <= known.len().div_ceil(3))
        .min_by_key(|(changes, _)| *changes)
        .map(|(_, known)| known)
}

/// How many letters must be put in, taken out or exchanged to make one of the other (Levenshtein).
fn changes(from: &[u8], to: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, left) in from.iter().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(to) {
            let exchanged = diagonal + usize::from(left != right);
            diagonal = *cell;
            before = exchanged.min(diagonal + 1).min(before + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

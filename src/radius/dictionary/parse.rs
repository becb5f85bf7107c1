//! Values as people write them.

use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::HEXLOWER_PERMISSIVE;

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
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok().filter(|octets| !octets.is_empty())
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
    let wanted = Some(name).filter(|name| name.len() <= 100)?.to_ascii_lowercase();
    names
        .map(|known| (strsim::levenshtein(&wanted, &known.to_ascii_lowercase()), known))
        .filter(|(changes, known)| *changes <= known.len().div_ceil(3))
        .min_by_key(|(changes, _)| *changes)
        .map(|(_, known)| known)
}

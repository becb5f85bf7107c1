//! What is written as a string and means something else: durations, sizes, networks, digests.

use std::net::IpAddr;
use std::time::Duration;

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::exchange::Prefix;

/// "30s", "5m", "8h", "30d".
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("\"{text}\" is no duration; write a number and s, m, h or d: \"30s\", \"5m\", \"8h\", \"30d\"");
    let (number, unit) = number_and_unit(text).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    // A century is beyond every certificate, and keeps sums of times far from overflow.
    number
        .checked_mul(seconds)
        .filter(|seconds| *seconds <= 100 * 366 * 86_400)
        .map(Duration::from_secs)
        .ok_or_else(|| format!("\"{text}\" is longer than a hundred years"))
}

/// "512", "16KiB", "128MiB", "1GiB", in octets.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("\"{text}\" is no size; write a number and KiB, MiB or GiB: \"16KiB\"");
    let (number, unit) = number_and_unit(text).ok_or_else(wrong)?;
    let octets: u64 = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(octets).ok_or_else(|| format!("\"{text}\" is larger than any memory"))
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start()))
}

/// "10.1.0.0/16", "2001:db8::1". IPv4-mapped IPv6 becomes IPv4.
pub(super) fn prefix(text: &str) -> Result<Prefix, String> {
    let wrong =
        || format!("\"{text}\" is no network; write an address or ADDRESS/BITS: \"10.1.0.0/16\", \"2001:db8:1::/48\"");
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        None => width,
        Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) => digits.parse().map_err(|_| wrong())?,
        Some(_) => return Err(wrong()),
    };
    let network =
        Prefix::new(address, bits).ok_or_else(|| format!("\"{text}\": such an address has {width} bits only"))?;
    match [address, address.to_canonical()].contains(&network.address) {
        true => Ok(network),
        false => Err(format!(
            "\"{text}\" has bits beyond its prefix; is the network {network} meant, or the one address {address}?"
        )),
    }
}

/// A digest or key in hex, colons allowed between octets: exactly `N` octets.
pub(super) fn hex<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let wrong = || format!("needs {} hexadecimal digits, colons between octets allowed", 2 * N);
    let digits = text.replace(':', "");
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let octets = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok().and_then(|octets| octets.try_into().ok());
    octets.ok_or_else(|| format!("{}; these are {}", wrong(), digits.len()))
}

/// The candidate that `word` was probably meant to be.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance costs the product of both lengths, and no key that is known is that long.
    let lower = Some(word).filter(|word| word.len() <= 64)?.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count().max(3) / 2).min(6))
        .map(|(_, candidate)| candidate)
}

/// "; did you mean "x"?" where something is near, else what there is.
pub(super) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(word, candidates.clone()) {
        return format!("; did you mean \"{near}\"?");
    }
    let all: Vec<String> = candidates.into_iter().map(|candidate| format!("\"{candidate}\"")).collect();
    match all.is_empty() {
        true => String::new(),
        false => format!("; there are {}", all.join(", ")),
    }
}

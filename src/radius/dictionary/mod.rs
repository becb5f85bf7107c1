//! The table of attributes by name, for what an administrator writes into the configuration.
//!
//! The names are those that FreeRADIUS and the vendors use; case doesn't matter. Numbers are data, in `table.rs` and `values.rs`.

mod parse;
mod table;
mod values;

use table::{Row, TABLE};
use values::VALUES;

use super::{Attributes, MAX_VALUE, MAX_VENDOR_VALUE, TooLong, Type};

/// What the value of an attribute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    /// `0x` and hexadecimal digits; anything else is taken as it stands.
    Octets,
    /// A number, or the name of a value.
    Integer,
    Address,
    Ipv6Address,
    Ipv6Prefix,
    InterfaceId,
    TaggedText,
    TaggedInteger,
}

/// An attribute of the table.
#[derive(Clone, Copy, Debug)]
struct Known {
    name: &'static str,
    vendor: u32,
    kind: u8,
    form: Form,
}

/// Adds what `Name=value` says ("Aruba-User-Role=member", "Tunnel-Private-Group-ID:1=120"); the error is a sentence for an administrator, with the nearest known name.
///
/// A vendor whose attributes have no names here is written by numbers, `Attr-26.VENDOR.TYPE`.
/// Octets are `0x` and hexadecimal digits, or text; integers are decimal, `0x`, or the name of a value. What the server itself sets, what must be hidden
/// with a secret, and what belongs in requests only is refused.
pub fn push(text: &str, into: &mut Attributes) -> Result<(), String> {
    let (left, value) = text.split_once('=').ok_or_else(|| format!("\"{text}\" is not of the form Name=value"))?;
    let (name, tag) = split_tag(left.trim())?;
    let known = find(name)?;
    if let Some(why) = refusal(known.vendor, known.kind) {
        return Err(format!("{} can't be set here: {why}", known.name));
    }
    let tagged = matches!(known.form, Form::TaggedText | Form::TaggedInteger);
    if tag.is_some() && !tagged {
        return Err(format!("{} takes no tag", known.name));
    }
    let value = value.trim();
    if value.is_empty() {
        return Err(format!("{} has no value", known.name));
    }
    put(known, tag.unwrap_or(0), value, into)
}

/// Where an attribute stands in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Number of the vendor; 0: none's.
    pub vendor: u32,
    /// The attribute's, or the vendor's, type.
    pub kind: u8,
}

/// Where the attribute of a name stands; the error is a sentence for an administrator, with the nearest known name.
pub fn place(name: &str) -> Result<Place, String> {
    find(name.trim()).map(|Known { vendor, kind, .. }| Place { vendor, kind })
}

/// The number of a value of an integer attribute: `value("NAS-Port-Type", "Virtual")` is 5. Plain numbers, decimal or `0x`, are taken as they are.
/// The error is a sentence for an administrator, with the nearest known name.
pub fn value(attribute: &str, value: &str) -> Result<u32, String> {
    let known = find(attribute)?;
    match known.form {
        Form::Integer | Form::TaggedInteger => number(known.name, value.trim()),
        _ => Err(format!("the values of {} have no numbers", known.name)),
    }
}

/// The name of an integer attribute's value: `value_name("NAS-Port-Type", 19)` is "Wireless-802.11".
#[must_use]
pub fn value_name(attribute: &str, number: u32) -> Option<&'static str> {
    values_of(attribute).iter().find(|(_, known)| *known == number).map(|(name, _)| *name)
}

fn all() -> impl Iterator<Item = Known> {
    let known = |vendor: u32, (name, kind, form): Row| Known { name, vendor, kind, form };
    TABLE.iter().flat_map(move |(vendor, rows)| rows.iter().map(move |row| known(*vendor, *row)))
}

fn find(name: &str) -> Result<Known, String> {
    if let Some((vendor, kind)) = parse::vendor_numbers(name) {
        return Ok(Known { name: "the attribute by numbers", vendor, kind, form: Form::Octets });
    }
    all()
        .find(|known| known.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| unknown(&format!("no attribute is called \"{name}\""), name, all().map(|known| known.name)))
}

fn split_tag(left: &str) -> Result<(&str, Option<u8>), String> {
    let Some((name, tag)) = left.split_once(':') else { return Ok((left, None)) };
    match tag.parse() {
        Ok(tag @ 0..=31) => Ok((name, Some(tag))),
        _ => Err(format!("the tag of {name} is \"{tag}\"; it must be a number from 0 to 31")),
    }
}

/// Why a reply must not take an attribute from the configuration.
fn refusal(vendor: u32, kind: u8) -> Option<&'static str> {
    const OURS: &str = "the server itself sets it";
    const HIDDEN: &str = "it must be hidden with the NAS's secret, and nothing here is";
    const REQUEST: &str = "it belongs in requests, and replies don't carry it";
    const RAW: &str = "write the vendor's attribute by its name, or by numbers as Attr-26.VENDOR.TYPE";
    match (vendor, kind) {
        (0, 1) => Some("the server itself sets it, as `reply-username` says"),
        (0, 27 | 29) => Some("the server itself sets it, from `session-timeout` and the end of the certificate"),
        (0, 24 | 33 | 79 | 80 | 89 | 101 | 102) => Some(OURS),
        (311, 7 | 8 | 12 | 16 | 17) => {
            Some("the server itself sets the MS-MPPE attributes, from the keys of the login")
        }
        (0, 69) | (14823, 44) => Some(HIDDEN),
        (0, 26) => Some(RAW),
        (0, 2..=5 | 30..=32 | 40..=53 | 55 | 60 | 61 | 68 | 70 | 77 | 84 | 86 | 87 | 95 | 181..=190) => Some(REQUEST),
        (311, 1 | 11 | 25) => Some(REQUEST),
        _ => None,
    }
}

fn put(known: Known, tag: u8, text: &str, into: &mut Attributes) -> Result<(), String> {
    let kind = Type(known.kind);
    let done = match (known.vendor, known.form) {
        (0, Form::TaggedInteger) => into.push_tagged_integer(kind, tag, number(known.name, text)?),
        (0, Form::TaggedText) => into.push_tagged(kind, tag, text.as_bytes()),
        (0, _) => into.push(kind, &octets(known, text)?),
        (vendor, _) => into.push_vendor(vendor, known.kind, &octets(known, text)?),
    };
    done.map_err(|TooLong| too_long(known))
}

fn octets(known: Known, text: &str) -> Result<Vec<u8>, String> {
    let parsed = match known.form {
        Form::Integer | Form::TaggedInteger => return Ok(number(known.name, text)?.to_be_bytes().to_vec()),
        Form::Text | Form::TaggedText => Some(text.as_bytes().to_vec()),
        Form::Octets => parse::octets(text),
        Form::Address => parse::address(text),
        Form::Ipv6Address => parse::ipv6_address(text),
        Form::Ipv6Prefix => parse::ipv6_prefix(text),
        Form::InterfaceId => parse::interface_id(text),
    };
    parsed.ok_or_else(|| format!("{} is \"{text}\"; it must be {}", known.name, shape(known.form)))
}

fn shape(form: Form) -> &'static str {
    match form {
        Form::Text | Form::TaggedText => "a text",
        Form::Octets => "a text, or 0x and an even number of hexadecimal digits",
        Form::Integer | Form::TaggedInteger => "a number",
        Form::Address => "an IPv4 address",
        Form::Ipv6Address => "an IPv6 address",
        Form::Ipv6Prefix => "an IPv6 prefix like 2001:db8::/48",
        Form::InterfaceId => "an interface identifier like 0:0:0:1",
    }
}

fn too_long(known: Known) -> String {
    match (known.form, known.vendor) {
        (Form::TaggedInteger, _) => {
            format!("{} must be below 16777216: beside its tag it has three octets", known.name)
        }
        (_, 0) => format!("{} is longer than {MAX_VALUE} octets", known.name),
        _ => format!("{} is longer than {MAX_VENDOR_VALUE} octets", known.name),
    }
}

fn values_of(attribute: &str) -> &'static [(&'static str, u32)] {
    VALUES.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute)).map_or(&[], |(_, values)| values)
}

fn number(attribute: &str, text: &str) -> Result<u32, String> {
    if let Some(number) = parse::number(text) {
        return Ok(number);
    }
    let values = values_of(attribute);
    if let Some((_, number)) = values.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Ok(*number);
    }
    let sentence = format!("{attribute} is \"{text}\"; it must be a number from 0 to 4294967295");
    if values.is_empty() {
        return Err(sentence);
    }
    Err(unknown(&format!("{sentence} or the name of a value"), text, values.iter().map(|(name, _)| *name)))
}

/// A sentence, with the nearest name behind it where one is near.
fn unknown(sentence: &str, name: &str, names: impl Iterator<Item = &'static str>) -> String {
    match parse::nearest(name, names) {
        Some(nearest) => format!("{sentence}; did you mean {nearest}?"),
        None => sentence.to_owned(),
    }
}

#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    all().map(|known| known.name)
}

#[cfg(test)]
pub(super) fn names_with_values() -> impl Iterator<Item = &'static str> {
    VALUES.iter().map(|(name, _)| *name)
}

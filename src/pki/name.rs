//! Names as text: subjects by attribute, subjectAltNames, and the exact rules for their octets.
//!
//! A value of a name counts only if it can be read in one way: PrintableString, IA5String, NumericString, VisibleString and
//! TeletexString as ASCII, UTF8String as UTF-8, BMPString as UTF-16 without surrogates; 1 to 1,024 octets of UTF-8 afterwards;
//! no control characters (so no NUL) and none that turn the direction of writing (U+202A to U+202E, U+2066 to U+2069).
//! rfc822Name, dNSName and URI are visible ASCII without a space. Values are compared octet by octet, case included.
//! A value of any other type than a string stands for itself as `#` and hex digits (RFC 4514 section 2.4).

use data_encoding::HEXLOWER;
use x509_parser::der_parser::oid::Oid;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use super::AltName;
use super::der::{self, BadDer, CONTEXT_CONSTRUCTED, Reader, UTF8_STRING};
use super::digest::sha256;

/// Attributes of one name, and names in one subjectAltName.
pub(super) const MAX_VALUES: usize = 64;
/// Octets of one value.
pub(super) const MAX_VALUE: usize = 1024;
/// Octets of most OIDs as text.
const USUAL_OID: usize = 24;
/// Octets of an OID's encoding.
const MAX_OID: usize = 64;

const UPN: &str = "1.3.6.1.4.1.311.20.2.3";

/// Attribute types that have a short name, as RFC 4514 or else OpenSSL write it: that name, the OID, and the OID as it stands in DER.
/// A ticket refers to them by position: append only.
pub(super) const ATTRIBUTE_TYPES: &[(&str, &str, &[u8])] = &[
    ("CN", "2.5.4.3", &[0x55, 4, 3]),
    ("C", "2.5.4.6", &[0x55, 4, 6]),
    ("O", "2.5.4.10", &[0x55, 4, 10]),
    ("OU", "2.5.4.11", &[0x55, 4, 11]),
    ("L", "2.5.4.7", &[0x55, 4, 7]),
    ("ST", "2.5.4.8", &[0x55, 4, 8]),
    ("emailAddress", "1.2.840.113549.1.9.1", &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1]),
    ("serialNumber", "2.5.4.5", &[0x55, 4, 5]),
    ("DC", "0.9.2342.19200300.100.1.25", &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25]),
    ("UID", "0.9.2342.19200300.100.1.1", &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1]),
    ("STREET", "2.5.4.9", &[0x55, 4, 9]),
    ("surname", "2.5.4.4", &[0x55, 4, 4]),
    ("givenName", "2.5.4.42", &[0x55, 4, 42]),
    ("initials", "2.5.4.43", &[0x55, 4, 43]),
    ("title", "2.5.4.12", &[0x55, 4, 12]),
    ("postalCode", "2.5.4.17", &[0x55, 4, 17]),
    ("pseudonym", "2.5.4.65", &[0x55, 4, 65]),
    ("dnQualifier", "2.5.4.46", &[0x55, 4, 46]),
    ("organizationIdentifier", "2.5.4.97", &[0x55, 4, 97]),
];

/// Why a name is refused.
pub(super) type BadName = &'static str;

/// The short names of attribute types that have one.
pub fn short_names() -> impl Iterator<Item = &'static str> + Clone {
    ATTRIBUTE_TYPES.iter().map(|(short, ..)| *short)
}

/// The short name of an attribute type, else its dotted OID.
fn attribute_name(oid: &str) -> &str {
    ATTRIBUTE_TYPES.iter().find(|(_, known, _)| *known == oid).map_or(oid, |(short, ..)| short)
}

/// Whether this is a name that a subject rule can be about: a short name, or a dotted OID that has none.
#[must_use]
pub fn is_attribute_name(name: &str) -> bool {
    short_names().any(|short| short == name) || (is_dotted_oid(name) && attribute_name(name) == name)
}

pub(super) fn is_dotted_oid(text: &str) -> bool {
    let mut arcs = 0;
    let plain = text.split('.').all(|arc| {
        arcs += 1;
        !arc.is_empty() && arc.bytes().all(|digit| digit.is_ascii_digit()) && (arc == "0" || !arc.starts_with('0'))
    });
    plain && arcs >= 2
}

/// A dotted OID of bounded length.
pub(super) fn oid(oid: &Oid<'_>) -> Result<String, BadName> {
    if oid.as_bytes().len() > MAX_OID { Err("an object identifier is too long") } else { Ok(dotted(oid)) }
}

/// What [`Oid::to_id_string`] says, without a string and big integers for each arc.
fn dotted(oid: &Oid<'_>) -> String {
    let Some(arcs) = oid.iter() else { return oid.to_id_string() };
    let mut text = String::with_capacity(USUAL_OID);
    for arc in arcs {
        if !text.is_empty() {
            text.push('.');
        }
        push_number(&mut text, arc);
    }
    text
}

/// What `{number}` writes, at a fraction of the price: a certificate has about a hundred arcs.
fn push_number(text: &mut String, number: u64) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.extend(u32::try_from(number % 10).ok().and_then(|digit| char::from_digit(digit, 10)));
}

/// The name of an attribute's type, as [`attribute_name`] has it.
fn attribute_type(attribute: &Oid<'_>) -> Result<String, BadName> {
    match ATTRIBUTE_TYPES.iter().find(|(.., der)| *der == attribute.as_bytes()) {
        Some((short, ..)) => Ok((*short).to_owned()),
        None => oid(attribute),
    }
}

/// A name's attributes in the order of the DER. Values that break the rules of this module make the name bad.
pub(super) fn attributes(name: &X509Name<'_>) -> Result<Vec<(String, String)>, BadName> {
    if name.iter_attributes().nth(MAX_VALUES).is_some() {
        return Err("a name has too many attributes");
    }
    let mut attributes = Vec::with_capacity(name.iter_rdn().count());
    for attribute in name.iter_attributes() {
        let value = attribute.attr_value();
        attributes.push((attribute_type(attribute.attr_type())?, value_text(value.tag().0, value.data)?));
    }
    Ok(attributes)
}

/// The same for showing only: what breaks the rules is written in hex.
pub(super) fn attributes_lossy(name: &X509Name<'_>) -> Vec<(String, String)> {
    name.iter_attributes()
        .take(MAX_VALUES)
        .map(|attribute| {
            let value = attribute.attr_value();
            let text = value_text(value.tag().0, value.data).unwrap_or_else(|_| hex_value(value.data));
            (attribute_type(attribute.attr_type()).unwrap_or_default(), text)
        })
        .collect()
}

/// RFC 4514's text of a name, however odd it is.
pub(super) fn shown(name: &X509Name<'_>) -> String {
    text(&attributes_lossy(name))
}

/// What two spellings of one name have in common, for lists that one CA makes about another's certificates: the first eight octets of a SHA-256 over attributes and values, neither case nor white space nor the kind of string counted. `None`: `name` isn't a Name's DER.
pub(super) fn id(name: &[u8]) -> Option<u64> {
    der::well_formed(name).ok()?;
    let (rest, name) = X509Name::from_der(name).ok()?;
    if !rest.is_empty() || name.iter_attributes().count() > MAX_VALUES {
        return None;
    }
    let mut plain = Vec::new();
    for (attribute, value) in attributes_lossy(&name) {
        let value = value.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [attribute, value] {
            plain.extend_from_slice(&part.len().to_be_bytes());
            plain.extend_from_slice(part.as_bytes());
        }
    }
    sha256(&[&plain]).first_chunk().map(|octets| u64::from_be_bytes(*octets))
}

fn value_text(tag: u32, octets: &[u8]) -> Result<String, BadName> {
    const BAD: BadName = "a name's value isn't valid in its string type";
    if octets.len() > MAX_VALUE {
        return Err("a name's value is too long");
    }
    let text = match tag {
        // NumericString, PrintableString, TeletexString, IA5String, VisibleString
        18 | 19 | 20 | 22 | 26 => str::from_utf8(octets).ok().filter(|text| text.is_ascii()).ok_or(BAD)?.to_owned(),
        12 => str::from_utf8(octets).map_err(|_| BAD)?.to_owned(),
        30 => basic_multilingual_plane(octets).ok_or(BAD)?,
        28 => return Err("a name's value is a UniversalString"),
        _ => return Ok(hex_value(octets)),
    };
    plain(text)
}

/// UTF-16, big-endian, without surrogates.
fn basic_multilingual_plane(octets: &[u8]) -> Option<String> {
    let (units, rest) = octets.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    units.iter().map(|unit| char::from_u32(u32::from(u16::from_be_bytes(*unit)))).collect()
}

fn plain(text: String) -> Result<String, BadName> {
    if text.is_empty() {
        return Err("a name's value is empty");
    }
    if text.len() > MAX_VALUE {
        return Err("a name's value is too long");
    }
    if text.chars().any(misleads) {
        return Err("a name's value holds control characters");
    }
    Ok(text)
}

fn misleads(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn hex_value(octets: &[u8]) -> String {
    format!("#{}", HEXLOWER.encode(octets.get(..64).unwrap_or(octets)))
}

/// The kinds of names that count, in their order; the others are left out.
pub(super) fn alt_names(names: &[GeneralName<'_>]) -> Result<Vec<AltName>, BadName> {
    if names.len() > MAX_VALUES {
        return Err("subjectAltName has too many names");
    }
    names.iter().filter_map(|name| alt_name(name).transpose()).collect()
}

fn alt_name(name: &GeneralName<'_>) -> Result<Option<AltName>, BadName> {
    Ok(Some(match name {
        GeneralName::RFC822Name(text) => AltName::Email(visible(text)?),
        GeneralName::DNSName(text) => AltName::Dns(visible(text)?),
        GeneralName::URI(text) => AltName::Uri(visible(text)?),
        GeneralName::OtherName(kind, value) if oid(kind)? == UPN => {
            AltName::Upn(principal(value).map_err(|BadDer| "userPrincipalName isn't a UTF8String").and_then(plain)?)
        }
        GeneralName::Invalid(..) => return Err("subjectAltName holds a name that can't be read"),
        _ => return Ok(None),
    }))
}

fn visible(text: &str) -> Result<String, BadName> {
    let fits = (1..=MAX_VALUE).contains(&text.len());
    if fits && text.bytes().all(|octet| octet.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("a name in subjectAltName isn't visible ASCII of at most 1,024 octets")
    }
}

fn principal(value: &[u8]) -> Result<String, BadDer> {
    let mut outside = Reader::new(value);
    let mut reader = Reader::new(outside.expect(CONTEXT_CONSTRUCTED)?);
    outside.end()?;
    let octets = reader.expect(UTF8_STRING)?;
    reader.end()?;
    str::from_utf8(octets).map(str::to_owned).map_err(|_| BadDer)
}

/// RFC 4514's text of attributes: the last first, special characters escaped.
pub(super) fn text(attributes: &[(String, String)]) -> String {
    let octets = attributes.iter().map(|(name, value)| name.len().saturating_add(value.len()).saturating_add(2)).sum();
    let mut text = String::with_capacity(octets);
    for (name, value) in attributes.iter().rev() {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(name);
        text.push('=');
        escape(value, &mut text);
    }
    text
}

/// RFC 4514 section 2.4.
fn escape(value: &str, into: &mut String) {
    let special = |octet| matches!(octet, b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\');
    if !value.starts_with([' ', '#']) && !value.ends_with(' ') && !value.bytes().any(special) {
        return into.push_str(value);
    }
    let last = value.chars().count().saturating_sub(1);
    for (index, character) in value.chars().enumerate() {
        let escaped = match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => true,
            ' ' => index == 0 || index == last,
            // So a value that isn't a string is shown as `\#` and its digits; nobody reads this text back.
            '#' => index == 0,
            _ => false,
        };
        if escaped {
            into.push('\\');
        }
        into.push(character);
    }
}

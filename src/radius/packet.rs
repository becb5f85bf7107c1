//! The view of a packet's octets.

use std::fmt;

use super::dictionary::Place;
use super::{Code, HEADER, MAX_PACKET, Malformed, Type};

/// A checked view of a packet's octets: after [`Packet::parse`] no accessor can fail. Unknown attributes and their order are kept.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    code: Code,
    identifier: u8,
    authenticator: &'a [u8; 16],
    octets: &'a [u8],
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the octets: hidden values are among them.
        let Self { code, identifier, octets, .. } = self;
        write!(f, "Packet(code {}, identifier {identifier}, {} octets)", code.0, octets.len())
    }
}

/// One attribute in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its type.
    pub kind: Type,
    /// Its value, without type and length.
    pub value: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Checks header and attribute framing (RFC 2865 section 3: octets after Length are padding).
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let [code, identifier, high, low, after @ ..] = datagram else { return Err(Malformed::Length) };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if !(HEADER..=MAX_PACKET).contains(&length) {
            return Err(Malformed::Length);
        }
        let octets = datagram.get(..length).ok_or(Malformed::Length)?;
        let authenticator = after.first_chunk().ok_or(Malformed::Length)?;
        let packet = Self { code: Code(*code), identifier: *identifier, authenticator, octets };
        packet.check_attributes()?;
        Ok(packet)
    }

    fn check_attributes(&self) -> Result<(), Malformed> {
        let mut rest = self.attribute_octets();
        while !rest.is_empty() {
            let (attribute, after) = split(rest).ok_or(Malformed::Attribute)?;
            if attribute.kind == Type(0) {
                return Err(Malformed::Attribute);
            }
            rest = after;
        }
        Ok(())
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The Identifier.
    #[must_use]
    pub fn identifier(&self) -> u8 {
        self.identifier
    }

    /// The Request or Response Authenticator.
    #[must_use]
    pub fn authenticator(&self) -> &'a [u8; 16] {
        self.authenticator
    }

    /// The attributes in their order.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        Walk { rest: self.attribute_octets() }
    }

    /// The value of the first attribute of a type.
    #[must_use]
    pub fn first(&self, kind: Type) -> Option<&'a [u8]> {
        self.all(kind).next()
    }

    /// The values of all attributes of a type, in their order.
    pub fn all(&self, kind: Type) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.attributes().filter(move |attribute| attribute.kind == kind).map(|attribute| attribute.value)
    }

    /// The first attribute of a type as text; `None` where there is none, or it is no UTF-8. It may hold control characters.
    #[must_use]
    pub fn text(&self, kind: Type) -> Option<&'a str> {
        std::str::from_utf8(self.first(kind)?).ok()
    }

    /// The first attribute of a type as an integer (RFC 2865 section 5: four octets); `None` where there is none, or it has another length.
    #[must_use]
    pub fn integer(&self, kind: Type) -> Option<u32> {
        Some(u32::from_be_bytes(self.first(kind)?.try_into().ok()?))
    }

    /// The value of the first sub-attribute (RFC 2865 section 5.26) of a vendor.
    #[must_use]
    pub fn first_vendor(&self, vendor: u32, kind: u8) -> Option<&'a [u8]> {
        self.all_vendor(vendor, kind).next()
    }

    /// All values of a sub-attribute of a vendor. Where a Vendor-Specific isn't in the form of RFC 2865 section 5.26, what doesn't fit is passed over.
    pub fn all_vendor(&self, vendor: u32, kind: u8) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.all(Type::VENDOR_SPECIFIC)
            .filter_map(move |value| {
                let (number, rest) = value.split_first_chunk()?;
                (u32::from_be_bytes(*number) == vendor).then_some(Walk { rest })
            })
            .flatten()
            .filter(move |attribute| attribute.kind == Type(kind))
            .map(|attribute| attribute.value)
    }

    /// All values with where they stand, vendors' sub-attributes (RFC 2865 section 5.26) each by itself.
    pub fn places(&self) -> impl Iterator<Item = (Place, &'a [u8])> + use<'a> {
        self.attributes().flat_map(|Attribute { kind, value }| {
            let vendor = value.split_first_chunk().filter(|_| kind == Type::VENDOR_SPECIFIC);
            let vendor = vendor.map(|(number, rest)| (u32::from_be_bytes(*number), Walk { rest }));
            let own = vendor.is_none().then_some((Place { vendor: 0, kind: kind.0 }, value));
            let of_vendor = vendor.into_iter().flat_map(|(vendor, attributes)| {
                attributes.map(move |one| (Place { vendor, kind: one.kind.0 }, one.value))
            });
            own.into_iter().chain(of_vendor)
        })
    }

    /// The whole packet without padding.
    #[must_use]
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The EAP packet carried in EAP-Message attributes, joined into `into` (cleared first); `Ok(false)`: there are none.
    /// Attributes that are not consecutive are an error (RFC 3579 section 3.1), and so is an EAP packet that says it has another length.
    /// Empty EAP-Messages join to nothing: that is EAP-Start (RFC 3579 section 2.1).
    pub fn join_eap(&self, into: &mut Vec<u8>) -> Result<bool, Malformed> {
        into.clear();
        let mut rest = self.attributes().skip_while(|attribute| attribute.kind != Type::EAP_MESSAGE).peekable();
        if rest.peek().is_none() {
            return Ok(false);
        }
        // Once, instead of for each part: it is less than the packet.
        into.reserve(self.attribute_octets().len());
        while let Some(attribute) = rest.next_if(|attribute| attribute.kind == Type::EAP_MESSAGE) {
            into.extend_from_slice(attribute.value);
        }
        let scattered = rest.any(|attribute| attribute.kind == Type::EAP_MESSAGE);
        if scattered || !(into.is_empty() || says_its_length(into)) {
            return Err(Malformed::Attribute);
        }
        Ok(true)
    }

    /// Where the value of the one Message-Authenticator begins in [`Packet::octets`]. Two of them, or one of another length, are an error (RFC 3579 section 3.2).
    pub(super) fn message_authenticator_at(&self) -> Result<Option<usize>, Malformed> {
        let mut found = None;
        let mut at = HEADER;
        for attribute in self.attributes() {
            if attribute.kind == Type::MESSAGE_AUTHENTICATOR {
                if found.is_some() || attribute.value.len() != 16 {
                    return Err(Malformed::Attribute);
                }
                found = Some(at + 2);
            }
            at += 2 + attribute.value.len();
        }
        Ok(found)
    }

    fn attribute_octets(&self) -> &'a [u8] {
        self.octets.get(HEADER..).unwrap_or_default()
    }
}

/// Steps from attribute to attribute, and ends where one doesn't fit.
struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Walk<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (attribute, rest) = split(self.rest)?;
        self.rest = rest;
        Some(attribute)
    }
}

/// The first attribute, and what follows it.
fn split(octets: &[u8]) -> Option<(Attribute<'_>, &[u8])> {
    let [kind, length, after @ ..] = octets else { return None };
    let (value, rest) = after.split_at_checked(usize::from(*length).checked_sub(2)?)?;
    Some((Attribute { kind: Type(*kind), value }, rest))
}

/// Whether an EAP packet's Length (RFC 3748 section 4) is the number of its octets.
fn says_its_length(eap: &[u8]) -> bool {
    matches!(eap, [_, _, high, low, ..] if usize::from(u16::from_be_bytes([*high, *low])) == eap.len())
}

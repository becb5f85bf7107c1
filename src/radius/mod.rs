//! The bytes of one RADIUS packet (RFC 2865, 2868, 2869, 2548, 3579, 5176, 6929): a borrowed view, a writer, the authenticators, the hidden attributes, the table of attributes.
//!
//! It knows no peers, conversations, time or policy, and allocates nothing while reading.

use crate::secret::Secret;

/// Largest packet in octets (RFC 2865 section 3).
pub const MAX_PACKET: usize = 4096;

/// A packet's code (RFC 2865 section 4, RFC 5997, RFC 5176).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(pub u8);

impl Code {
    /// Access-Request
    pub const ACCESS_REQUEST: Self = Self(1);
    /// Access-Accept
    pub const ACCESS_ACCEPT: Self = Self(2);
    /// Access-Reject
    pub const ACCESS_REJECT: Self = Self(3);
    /// Accounting-Request
    pub const ACCOUNTING_REQUEST: Self = Self(4);
    /// Accounting-Response
    pub const ACCOUNTING_RESPONSE: Self = Self(5);
    /// Access-Challenge
    pub const ACCESS_CHALLENGE: Self = Self(11);
    /// Status-Server
    pub const STATUS_SERVER: Self = Self(12);
}

/// An attribute's type (RFC 2865 section 5 and others). The constants live here, the names in [`dictionary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Type(pub u8);

/// Why octets are no packet. One counter, no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// Fewer octets than a header, or a Length field that does not fit.
    Length,
    /// An attribute that does not fit.
    Attribute,
}

/// A checked view of a packet's octets: after [`Packet::parse`] no accessor can fail. Unknown attributes and their order are kept.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    octets: &'a [u8],
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
        todo!()
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        todo!()
    }

    /// The Identifier.
    #[must_use]
    pub fn identifier(&self) -> u8 {
        todo!()
    }

    /// The Request or Response Authenticator.
    #[must_use]
    pub fn authenticator(&self) -> &'a [u8; 16] {
        todo!()
    }

    /// The attributes in their order.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        std::iter::empty()
    }

    /// The value of the first attribute of a type.
    #[must_use]
    pub fn first(&self, kind: Type) -> Option<&'a [u8]> {
        todo!()
    }

    /// The value of the first sub-attribute (RFC 2865 section 5.26) of a vendor.
    #[must_use]
    pub fn first_vendor(&self, vendor: u32, kind: u8) -> Option<&'a [u8]> {
        todo!()
    }

    /// All values of a sub-attribute of a vendor.
    pub fn all_vendor(&self, vendor: u32, kind: u8) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        std::iter::empty()
    }

    /// The whole packet without padding.
    #[must_use]
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The EAP packet carried in EAP-Message attributes, joined into `into` (cleared first); `Ok(false)`: there are none.
    /// Attributes that are not consecutive are an error (RFC 3579 section 3.1).
    pub fn join_eap(&self, into: &mut Vec<u8>) -> Result<bool, Malformed> {
        todo!()
    }
}

/// Attributes in wire form, to be put into a packet. What must be hidden with the secret is not in here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    octets: Vec<u8>,
}

impl Attributes {
    /// Adds one; a value over 253 octets is an error.
    pub fn push(&mut self, kind: Type, value: &[u8]) -> Result<(), TooLong> {
        todo!()
    }

    /// Adds a vendor's (RFC 2865 section 5.26); a value over 247 octets is an error.
    pub fn push_vendor(&mut self, vendor: u32, kind: u8, value: &[u8]) -> Result<(), TooLong> {
        todo!()
    }

    /// Adds all of another list.
    pub fn extend(&mut self, other: &Self) {
        self.octets.extend_from_slice(&other.octets);
    }

    /// The VLAN by id or name (RFC 3580 section 3.31): Tunnel-Type VLAN, Tunnel-Medium-Type IEEE-802, Tunnel-Private-Group-ID, tag 0; integers three octets long (RFC 2868).
    pub fn push_vlan(&mut self, vlan: &str) -> Result<(), TooLong> {
        todo!()
    }

    /// The wire form.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

/// A value that does not fit into its attribute, or attributes that do not fit into a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// The table of attributes by name.
pub mod dictionary {
    use super::Attributes;

    /// Adds what `Name=value` says ("Aruba-User-Role=member", "Tunnel-Private-Group-ID:1=120"); the error is a sentence for an administrator, with the nearest known name.
    pub fn push(text: &str, into: &mut Attributes) -> Result<(), String> {
        todo!()
    }
}

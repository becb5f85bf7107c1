//! Attributes in wire form.

use super::{MAX_VALUE, MAX_VENDOR_VALUE, TooLong, Type};

/// Tunnel-Type VLAN (RFC 3580 section 3.31).
const VLAN: u32 = 13;
/// Tunnel-Medium-Type IEEE-802 (RFC 2868 section 3.2).
const IEEE_802: u32 = 6;
/// The largest octet that is a tag where a tagged text begins (RFC 2868 section 3.3).
const MAX_TAG: u8 = 0x1f;

/// Attributes in wire form, to be put into a packet. What must be hidden with the secret is not in here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    octets: Vec<u8>,
}

impl Attributes {
    /// None, with room for so many octets.
    #[must_use]
    pub fn with_capacity(octets: usize) -> Self {
        Self { octets: Vec::with_capacity(octets) }
    }

    /// Adds one; a value over 253 octets is an error.
    pub fn push(&mut self, kind: Type, value: &[u8]) -> Result<(), TooLong> {
        self.push_parts(kind, &[value])
    }

    /// Adds an integer (RFC 2865 section 5: four octets).
    pub fn push_integer(&mut self, kind: Type, value: u32) {
        let [a, b, c, d] = value.to_be_bytes();
        self.octets.extend_from_slice(&[kind.0, 6, a, b, c, d]);
    }

    /// Adds a vendor's (RFC 2865 section 5.26); a value over 247 octets is an error.
    pub fn push_vendor(&mut self, vendor: u32, kind: u8, value: &[u8]) -> Result<(), TooLong> {
        if value.len() > MAX_VENDOR_VALUE {
            return Err(TooLong);
        }
        let length = u8::try_from(value.len() + 2).map_err(|_| TooLong)?;
        self.push_parts(Type::VENDOR_SPECIFIC, &[&vendor.to_be_bytes(), &[kind, length], value])
    }

    /// Adds a tagged integer (RFC 2868 section 3.1): the tag, 0 to 31, and three octets.
    pub(crate) fn push_tagged_integer(&mut self, kind: Type, tag: u8, value: u32) -> Result<(), TooLong> {
        match value.to_be_bytes() {
            [0, b, c, d] if tag <= MAX_TAG => {
                self.octets.extend_from_slice(&[kind.0, 6, tag, b, c, d]);
                Ok(())
            }
            _ => Err(TooLong),
        }
    }

    /// Adds a tagged text (RFC 2868 section 3.3). Tag 0 is told by leaving the octet out, as equipment expects: a first octet above 0x1F is no tag.
    pub(crate) fn push_tagged(&mut self, kind: Type, tag: u8, value: &[u8]) -> Result<(), TooLong> {
        let looks_like_a_tag = value.first().is_some_and(|first| *first <= MAX_TAG);
        match tag {
            0 if !looks_like_a_tag => self.push(kind, value),
            0..=MAX_TAG => self.push_parts(kind, &[&[tag], value]),
            _ => Err(TooLong),
        }
    }

    /// Adds all of another list.
    pub fn extend(&mut self, other: &Self) {
        self.octets.extend_from_slice(&other.octets);
    }

    /// All but those of some types, in their order.
    #[must_use]
    pub fn without(&self, types: &[Type]) -> Self {
        let mut kept = Self::default();
        let mut rest = self.octets.as_slice();
        while let Some((attribute, after)) = split(rest) {
            if !attribute.first().is_some_and(|kind| types.contains(&Type(*kind))) {
                kept.octets.extend_from_slice(attribute);
            }
            rest = after;
        }
        kept
    }

    /// The first of a type as an integer; `None` where there is none, or it has another length than four octets.
    #[must_use]
    pub fn integer(&self, kind: Type) -> Option<u32> {
        let mut rest = self.octets.as_slice();
        while let Some((attribute, after)) = split(rest) {
            if let [found, _, value @ ..] = attribute
                && Type(*found) == kind
            {
                return Some(u32::from_be_bytes(value.try_into().ok()?));
            }
            rest = after;
        }
        None
    }

    /// The VLAN by id or name (RFC 3580 section 3.31): Tunnel-Type VLAN, Tunnel-Medium-Type IEEE-802, Tunnel-Private-Group-ID, tag 0; integers three octets long (RFC 2868).
    pub fn push_vlan(&mut self, vlan: &str) -> Result<(), TooLong> {
        let before = self.octets.len();
        self.push_tagged_integer(Type::TUNNEL_TYPE, 0, VLAN)?;
        self.push_tagged_integer(Type::TUNNEL_MEDIUM_TYPE, 0, IEEE_802)?;
        self.push_tagged(Type::TUNNEL_PRIVATE_GROUP_ID, 0, vlan.as_bytes())
            .inspect_err(|TooLong| self.octets.truncate(before))
    }

    /// The wire form.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Adds one whose value is written in parts; nothing is added where it doesn't fit.
    fn push_parts(&mut self, kind: Type, parts: &[&[u8]]) -> Result<(), TooLong> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if length > MAX_VALUE {
            return Err(TooLong);
        }
        let whole = u8::try_from(length + 2).map_err(|_| TooLong)?;
        self.octets.reserve(usize::from(whole));
        self.octets.extend_from_slice(&[kind.0, whole]);
        for part in parts {
            self.octets.extend_from_slice(part);
        }
        Ok(())
    }
}

/// The first attribute whole, and what follows it (RFC 2865 section 5).
fn split(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(*octets.get(1)?);
    octets.split_at_checked(length.max(2))
}

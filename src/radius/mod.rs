//! The bytes of one RADIUS packet (RFC 2865, 2868, 2869, 2548, 3579, 5176): a borrowed view, a writer, the authenticators, the hidden attributes, the table of attributes.
//!
//! It knows no peers, conversations, time or policy, and allocates nothing while reading.
//!
//! - [`Packet`] reads: checked once, then every accessor is certain; what it doesn't know it keeps as it stands.
//! - [`Attributes`] and [`Writer`] write.
//! - [`Key`] makes and checks authenticators; which rule holds for which code is one table, [`Rule`].
//! - [`hidden`] covers and uncovers passwords and keys.
//! - [`station`] gives a device one name.
//! - [`dictionary`] knows attributes and their values by name.
//!
//! Extended attributes (RFC 6929) and vendors' own formats stay opaque octets.

mod attributes;
mod authenticator;
pub mod dictionary;
pub mod hidden;
mod packet;
pub mod station;
mod types;
mod writer;

#[cfg(test)]
mod tests;

pub use attributes::Attributes;
pub use authenticator::{Key, Need, Rule, Unauthentic};
pub use packet::{Attribute, Packet};
pub use types::{Code, Type, vendor};
pub use writer::Writer;

/// Largest packet in octets (RFC 2865 section 3).
pub const MAX_PACKET: usize = 4096;

/// Octets before the first attribute (RFC 2865 section 3).
pub(crate) const HEADER: usize = 20;

/// Longest value of an attribute in octets (RFC 2865 section 5).
pub(crate) const MAX_VALUE: usize = 253;

/// Longest value of a vendor's sub-attribute in octets (RFC 2865 section 5.26).
pub(crate) const MAX_VENDOR_VALUE: usize = MAX_VALUE - 6;

/// Why octets are no packet. One counter, no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// Fewer octets than a header, or a Length field that does not fit.
    Length,
    /// An attribute that does not fit.
    Attribute,
}

/// A value that does not fit into its attribute, or attributes that do not fit into a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

//! One EAP packet's octets (RFC 3748 section 4) and the header that EAP-TLS puts before its data (RFC 5216 section 3.1).

use super::Fault;

/// Type of the Identity request and response (RFC 3748 section 5.1).
pub const TYPE_IDENTITY: u8 = 1;
/// Type of a Notification (RFC 3748 section 5.2).
pub(super) const TYPE_NOTIFICATION: u8 = 2;
/// Type of a Nak (RFC 3748 section 5.3.1).
pub const TYPE_NAK: u8 = 3;
/// EAP-TLS's type number.
pub const TYPE_TLS: u8 = 13;

pub(super) const REQUEST: u8 = 1;
pub(super) const RESPONSE: u8 = 2;
pub(super) const SUCCESS: u8 = 3;
pub(super) const FAILURE: u8 = 4;

pub(super) const FLAG_LENGTH: u8 = 0x80;
pub(super) const FLAG_MORE: u8 = 0x40;
pub(super) const FLAG_START: u8 = 0x20;

/// Code, Identifier and Length.
const HEADER: usize = 4;

/// A packet whose Length is that of its octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) code: u8,
    pub(super) identifier: u8,
    /// Type and what follows; `None`: the packet ends after its Length.
    pub(super) body: Option<(u8, &'a [u8])>,
}

impl<'a> Packet<'a> {
    /// The Length must be exactly that of `octets`: RFC 3748 lets a link pad, but RADIUS is no link and adds nothing.
    pub(super) fn parse(octets: &'a [u8]) -> Result<Self, Fault> {
        let Some((&[code, identifier, high, low], body)) = octets.split_first_chunk::<HEADER>() else {
            return Err(Fault::Malformed);
        };
        if usize::from(u16::from_be_bytes([high, low])) != octets.len() {
            return Err(Fault::Malformed);
        }
        let body = body.split_first().map(|(&kind, data)| (kind, data));
        Ok(Self { code, identifier, body })
    }
}

/// What an EAP-TLS packet carries after its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment<'a> {
    /// TLS Message Length, where flag L says that there is one.
    pub(super) length: Option<u32>,
    /// Flag M: more fragments follow.
    pub(super) more: bool,
    /// Flag S.
    pub(super) start: bool,
    pub(super) data: &'a [u8],
}

impl<'a> Fragment<'a> {
    pub(super) const EMPTY: Fragment<'static> = Fragment { length: None, more: false, start: false, data: &[] };
    pub(super) const START: Fragment<'static> = Fragment { length: None, more: false, start: true, data: &[] };

    /// Reads what follows the type. Without a flags octet it is an acknowledgement: RFC 5216 section 2.1.5 speaks of a packet "with no data". Reserved flags are ignored.
    pub(super) fn parse(octets: &'a [u8]) -> Result<Self, Fault> {
        let Some((&flags, rest)) = octets.split_first() else {
            return Ok(Fragment::EMPTY);
        };
        let (length, data) = if flags & FLAG_LENGTH == 0 {
            (None, rest)
        } else {
            let (length, data) = rest.split_first_chunk::<4>().ok_or(Fault::Length)?;
            (Some(u32::from_be_bytes(*length)), data)
        };
        Ok(Self { length, more: flags & FLAG_MORE != 0, start: flags & FLAG_START != 0, data })
    }

    /// The whole packet of type EAP-TLS.
    pub(super) fn write(self, code: u8, identifier: u8) -> Vec<u8> {
        let mut flags = 0;
        for (set, flag) in [(self.length.is_some(), FLAG_LENGTH), (self.more, FLAG_MORE), (self.start, FLAG_START)] {
            flags |= if set { flag } else { 0 };
        }
        let length = self.length.map(u32::to_be_bytes);
        let length = length.as_ref().map_or(&[][..], |octets| octets);
        write(code, identifier, TYPE_TLS, &[&[flags], length, self.data])
    }
}

/// Writes a packet with a type. `parts` must not be longer than a Length can say: fragments are far shorter.
pub(super) fn write(code: u8, identifier: u8, kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>().saturating_add(HEADER + 1);
    let mut octets = Vec::with_capacity(length);
    octets.extend([code, identifier]);
    octets.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
    octets.push(kind);
    parts.iter().for_each(|part| octets.extend_from_slice(part));
    octets
}

/// EAP-Success or EAP-Failure, which carry nothing (RFC 3748 section 4.2).
pub(super) fn write_bare(code: u8, identifier: u8) -> [u8; HEADER] {
    [code, identifier, 0, 4]
}

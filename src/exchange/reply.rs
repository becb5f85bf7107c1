//! Writes a reply: Message-Authenticator first, Proxy-State last, keys sealed.

use super::peers::Peer;
use super::{Keys, Reply};
use crate::radius::{Attributes, Code, Key, TooLong, Writer, hidden, vendor};

/// Of a request, what its reply is made with.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) identifier: u8,
    pub(super) authenticator: [u8; 16],
    /// Its Proxy-State attributes, in order.
    pub(super) proxy_states: Attributes,
}

/// Writes a reply into `octets`. Accounting-Responses carry no Message-Authenticator.
pub(super) fn write(octets: &mut Vec<u8>, peer: &Peer, asked: &Asked, reply: &Reply) -> Result<(), TooLong> {
    let mut writer = if reply.code == Code::ACCOUNTING_RESPONSE {
        Writer::without_message_authenticator(octets, reply.code, asked.identifier)
    } else {
        Writer::new(octets, reply.code, asked.identifier)
    };
    writer.push_eap(&reply.eap)?;
    writer.extend(&reply.attributes);
    if let Some(keys) = &reply.keys {
        writer.extend(&seal(&peer.key, asked, keys)?);
    }
    writer.extend(&asked.proxy_states);
    writer.finish(&peer.key, &asked.authenticator)
}

/// Writes an answer with nothing in it but Message-Authenticator and Proxy-State.
pub(super) fn write_bare(octets: &mut Vec<u8>, peer: &Peer, asked: &Asked, code: Code) -> Result<(), TooLong> {
    let mut writer = Writer::new(octets, code, asked.identifier);
    writer.extend(&asked.proxy_states);
    writer.finish(&peer.key, &asked.authenticator)
}

/// Octets of both keys' attributes.
const SEALED_KEYS: usize = 2 * 58;

/// MS-MPPE-Recv-Key and MS-MPPE-Send-Key, each under a salt of its own (RFC 2548 section 2.4). Without random octets nothing is sealed, which fails like what doesn't fit.
fn seal(key: &Key, asked: &Asked, keys: &Keys) -> Result<Attributes, TooLong> {
    let mut salts = hidden::Salts::random().ok_or(TooLong)?;
    let (receive, send) = keys.msk.expose().split_at_checked(32).ok_or(TooLong)?;
    let mut sealed = Attributes::with_capacity(SEALED_KEYS);
    for (kind, half) in [(vendor::MS_MPPE_RECV_KEY, receive), (vendor::MS_MPPE_SEND_KEY, send)] {
        let value = hidden::hide_salted(key.secret(), &asked.authenticator, salts.draw(), half)?;
        sealed.push_vendor(vendor::MICROSOFT, kind, &value)?;
    }
    Ok(sealed)
}

//! What a datagram must be before the table of exchanges is asked: from a NAS, a packet, through the right door, authentic.

use std::sync::Arc;

use super::peers::{Peer, Peers};
use super::{Hop, Received};
use crate::event::{Listener, MessageAuthenticator, Reason, RequestCode};
use crate::radius::{Code, Packet, Type, Unauthentic};

/// A request that its NAS has made.
pub(super) struct Admitted<'a, 'p> {
    pub(super) peer: &'p Arc<Peer>,
    pub(super) packet: Packet<'a>,
    /// The sixteen octets of its Message-Authenticator, right ones.
    pub(super) message_authenticator: Option<&'a [u8; 16]>,
}

/// Checks a datagram. `Err`: the [`Received::Dropped`] that it is.
pub(super) fn admit<'a, 'p>(peers: &'p Peers, hop: &Hop, datagram: &'a [u8]) -> Result<Admitted<'a, 'p>, Received<'a>> {
    let code = datagram.first().map_or(RequestCode::Other, |code| label(Code(*code)));
    let Some(peer) = peers.peer(hop.peer.ip()) else { return Err(dropped(Reason::UnknownNas, code, None, None)) };
    let refuse = |reason, looked_at| Err(dropped(reason, code, Some(peer), looked_at));
    let Ok(packet) = Packet::parse(datagram) else { return refuse(Reason::Malformed, None) };
    if !takes(hop.listener, packet.code()) {
        return refuse(Reason::Malformed, None);
    }
    match peer.key.check_request(&packet) {
        Ok(None) if needs_message_authenticator(peer, &packet) => {
            refuse(Reason::MissingAuthenticator, Some(MessageAuthenticator::Absent))
        }
        Ok(message_authenticator) => Ok(Admitted { peer, packet, message_authenticator }),
        Err(Unauthentic::Code) => refuse(Reason::Malformed, None),
        Err(Unauthentic::Malformed) => refuse(Reason::Malformed, Some(MessageAuthenticator::Bad)),
        Err(Unauthentic::Authenticator) => refuse(Reason::BadAuthenticator, None),
        Err(Unauthentic::MessageAuthenticator) => refuse(Reason::BadAuthenticator, Some(MessageAuthenticator::Bad)),
        Err(Unauthentic::Missing) => refuse(Reason::MissingAuthenticator, Some(MessageAuthenticator::Absent)),
    }
}

/// A datagram that nothing is answered to.
pub(super) fn dropped<'a>(
    reason: Reason,
    code: RequestCode,
    peer: Option<&Arc<Peer>>,
    message_authenticator: Option<MessageAuthenticator>,
) -> Received<'a> {
    let nas = peer.map(|peer| peer.nas.clone());
    Received::Dropped { reason, code, nas, message_authenticator, superseded: None }
}

/// A code as metrics name it.
pub(super) fn label(code: Code) -> RequestCode {
    match code {
        Code::ACCESS_REQUEST => RequestCode::AccessRequest,
        Code::ACCOUNTING_REQUEST => RequestCode::AccountingRequest,
        Code::STATUS_SERVER => RequestCode::StatusServer,
        _ => RequestCode::Other,
    }
}

/// Which codes come through which door: authentication and accounting have a port each (RFC 2865, 2866), RADIUS over TLS one for both (RFC 6614 section 2.2).
fn takes(listener: Listener, code: Code) -> bool {
    match code {
        Code::STATUS_SERVER => true,
        Code::ACCESS_REQUEST => listener != Listener::Accounting,
        Code::ACCOUNTING_REQUEST => listener != Listener::Auth,
        _ => false,
    }
}

/// Whether a request without Message-Authenticator is dropped: one with EAP-Message always (RFC 3579 section 3.2), an Access-Request by the NAS's settings (CVE-2024-3596).
/// An Accounting-Request is authentic by its Request Authenticator.
fn needs_message_authenticator(peer: &Peer, packet: &Packet<'_>) -> bool {
    let by_settings = packet.code() == Code::ACCESS_REQUEST
        && (peer.require_message_authenticator
            || (peer.limit_proxy_state && packet.first(Type::PROXY_STATE).is_some()));
    by_settings || packet.first(Type::EAP_MESSAGE).is_some()
}

//! The other side of a hop.

use crate::radius::{Attributes, Code, Key, Packet, TooLong, Type, Unauthentic, Writer, hidden, vendor};
use crate::secret::Secret;

/// The other side of a hop: for what we ask others, with their secret.
#[derive(Debug)]
pub struct Asker {
    key: Key,
}

impl Asker {
    /// With the secret shared with the server to be asked.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self { key: Key::new(secret) }
    }

    /// An Access-Request (or Status-Server) with Message-Authenticator first, EAP split, the given attributes after. `authenticator` must be random.
    pub fn request(
        &self,
        code: Code,
        identifier: u8,
        authenticator: [u8; 16],
        eap: &[u8],
        attributes: &Attributes,
    ) -> Result<Vec<u8>, TooLong> {
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets, code, identifier);
        writer.push_eap(eap)?;
        writer.extend(attributes);
        writer.finish(&self.key, &authenticator)?;
        Ok(octets)
    }

    /// A User-Password as it goes into a request with this Request Authenticator (RFC 2865 section 5.2). Over 128 octets is an error.
    pub fn push_password(
        &self,
        authenticator: &[u8; 16],
        password: &Secret,
        into: &mut Attributes,
    ) -> Result<(), TooLong> {
        into.push(Type::USER_PASSWORD, &hidden::hide_password(self.key.secret(), authenticator, password.expose())?)
    }

    /// Checks a reply: Identifier, Response Authenticator, Message-Authenticator (required, but in what answers Accounting-, Disconnect- and CoA-Request).
    pub fn reply<'a>(&self, request: &[u8], datagram: &'a [u8]) -> Result<Packet<'a>, BadReply> {
        let request = Packet::parse(request).map_err(|_| BadReply::Malformed)?;
        let reply = Packet::parse(datagram).map_err(|_| BadReply::Malformed)?;
        if reply.identifier() != request.identifier() || !answers(reply.code(), request.code()) {
            return Err(BadReply::NotOurs);
        }
        let found = self.key.check_reply(&reply, request.authenticator())?;
        if found.is_none() && reply.first(Type::EAP_MESSAGE).is_some() {
            return Err(BadReply::MissingMessageAuthenticator);
        }
        Ok(reply)
    }

    /// Opens MS-MPPE-Recv-Key and MS-MPPE-Send-Key (RFC 2548 section 2.4.2, 2.4.3): the first 64 octets of the MSK.
    #[must_use]
    pub fn keys(&self, request: &[u8], reply: &Packet<'_>) -> Option<Secret> {
        let request = Packet::parse(request).ok()?;
        let open = |kind| {
            let value = reply.first_vendor(vendor::MICROSOFT, kind)?;
            hidden::reveal_salted(self.key.secret(), request.authenticator(), value).filter(|key| key.len() == 32)
        };
        let (first, second) = (open(vendor::MS_MPPE_RECV_KEY)?, open(vendor::MS_MPPE_SEND_KEY)?);
        Some(Secret::new([first.expose(), second.expose()].concat()))
    }
}

/// Whether a code may answer a request's code (RFC 2865, 2866, 5176, 5997, 7930).
fn answers(reply: Code, request: Code) -> bool {
    reply == Code::PROTOCOL_ERROR
        || match request {
            Code::ACCESS_REQUEST => matches!(reply, Code::ACCESS_ACCEPT | Code::ACCESS_REJECT | Code::ACCESS_CHALLENGE),
            Code::ACCOUNTING_REQUEST => reply == Code::ACCOUNTING_RESPONSE,
            Code::STATUS_SERVER => matches!(reply, Code::ACCESS_ACCEPT | Code::ACCOUNTING_RESPONSE),
            Code::DISCONNECT_REQUEST => matches!(reply, Code::DISCONNECT_ACK | Code::DISCONNECT_NAK),
            Code::COA_REQUEST => matches!(reply, Code::COA_ACK | Code::COA_NAK),
            _ => false,
        }
}

/// Why a datagram is not the reply that was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadReply {
    /// No packet.
    Malformed,
    /// Another Identifier, or a code that answers something else.
    NotOurs,
    /// Response Authenticator is wrong: usually the secret.
    BadAuthenticator,
    /// Message-Authenticator is missing.
    MissingMessageAuthenticator,
    /// Message-Authenticator is wrong.
    BadMessageAuthenticator,
}

impl From<Unauthentic> for BadReply {
    fn from(unauthentic: Unauthentic) -> Self {
        match unauthentic {
            Unauthentic::Code => Self::NotOurs,
            Unauthentic::Malformed => Self::Malformed,
            Unauthentic::Authenticator => Self::BadAuthenticator,
            Unauthentic::MessageAuthenticator => Self::BadMessageAuthenticator,
            Unauthentic::Missing => Self::MissingMessageAuthenticator,
        }
    }
}

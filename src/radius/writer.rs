//! Writes one packet.

use super::{Attributes, Code, HEADER, Key, MAX_PACKET, MAX_VALUE, Rule, TooLong, Type};

/// Where the value of Message-Authenticator stands when it is the first attribute.
const FIRST_VALUE: usize = HEADER + 2;

/// Writes one packet into a buffer that can be used again: begun, filled, [finished](Writer::finish).
#[derive(Debug)]
pub struct Writer<'o> {
    octets: &'o mut Vec<u8>,
    code: Code,
    message_authenticator: bool,
}

impl<'o> Writer<'o> {
    /// Begins a packet with Message-Authenticator as its first attribute (CVE-2024-3596). The buffer is cleared.
    pub fn new(octets: &'o mut Vec<u8>, code: Code, identifier: u8) -> Self {
        let mut writer = Self::without_message_authenticator(octets, code, identifier);
        writer.octets.extend_from_slice(&[Type::MESSAGE_AUTHENTICATOR.0, 18]);
        writer.octets.resize(HEADER + 18, 0);
        writer.message_authenticator = true;
        writer
    }

    /// Begins a packet without Message-Authenticator. The buffer is cleared.
    pub fn without_message_authenticator(octets: &'o mut Vec<u8>, code: Code, identifier: u8) -> Self {
        octets.clear();
        octets.extend_from_slice(&[code.0, identifier]);
        octets.resize(HEADER, 0);
        Self { octets, code, message_authenticator: false }
    }

    /// Adds an attribute; a value over 253 octets is an error.
    pub fn push(&mut self, kind: Type, value: &[u8]) -> Result<(), TooLong> {
        let length = u8::try_from(value.len() + 2).ok().filter(|_| value.len() <= MAX_VALUE).ok_or(TooLong)?;
        self.octets.extend_from_slice(&[kind.0, length]);
        self.octets.extend_from_slice(value);
        Ok(())
    }

    /// Adds an EAP packet, split into EAP-Message attributes (RFC 3579 section 3.1); an empty one adds nothing.
    pub fn push_eap(&mut self, eap: &[u8]) -> Result<(), TooLong> {
        eap.chunks(MAX_VALUE).try_for_each(|part| self.push(Type::EAP_MESSAGE, part))
    }

    /// Adds attributes.
    pub fn extend(&mut self, attributes: &Attributes) {
        self.octets.extend_from_slice(attributes.octets());
    }

    /// Fills in length and authenticators by the rule of the code. `authenticator`: random octets in a request (a rule that wants a digest there takes none of them), the request's in a reply.
    /// More than 4,096 octets are an error; the buffer then holds no packet.
    pub fn finish(self, key: &Key, authenticator: &[u8; 16]) -> Result<(), TooLong> {
        let length =
            u16::try_from(self.octets.len()).ok().filter(|_| self.octets.len() <= MAX_PACKET).ok_or(TooLong)?;
        put(self.octets, 2, &length.to_be_bytes());
        let rule = Rule::of(self.code).map_or(Rule::Reply, |(rule, _)| rule);
        let field = if rule == Rule::Digest { &[0; 16] } else { authenticator };
        if self.message_authenticator {
            let mac = key.message_authenticator(self.octets, field, FIRST_VALUE);
            put(self.octets, FIRST_VALUE, &mac);
        }
        let field = if rule == Rule::Random { *field } else { key.digest(self.octets, field) };
        put(self.octets, 4, &field);
        Ok(())
    }
}

fn put(octets: &mut [u8], at: usize, value: &[u8]) {
    for (to, from) in octets.iter_mut().skip(at).zip(value) {
        *to = *from;
    }
}

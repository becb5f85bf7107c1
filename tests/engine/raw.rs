//! A NAS whose supplicant says whatever a test wants.

use sekisho::exchange::Asker;
use sekisho::radius::{Attributes, Code, Packet, Type};

use crate::world::{World, asker};

/// One conversation.
pub(crate) struct Raw {
    asker: std::sync::Arc<Asker>,
    port: u16,
    requests: u8,
    state: Option<Vec<u8>>,
    identifier: u8,
}

impl Raw {
    /// From a port of the NAS that nobody else uses.
    pub(crate) fn new(port: u16) -> Self {
        Self { asker: asker(), port, requests: 0, state: None, identifier: 0 }
    }

    /// Sends an EAP-Response of this type and data; the code of the answer, `None` where there is none.
    pub(crate) fn say(&mut self, world: &mut World, response: &[u8]) -> Option<Code> {
        let length = u16::try_from(response.len() + 4).expect("a short packet").to_be_bytes();
        let eap = [&[2, self.identifier], length.as_slice(), response].concat();
        let mut attributes = Attributes::default();
        attributes.push(Type::CALLED_STATION_ID, b"02-00-00-00-00-01:JAIST").expect("short");
        if let Some(state) = &self.state {
            attributes.push(Type::STATE, state).expect("short");
        }
        self.requests += 1;
        let (number, authenticator) = (self.requests, [self.requests; 16]);
        let request =
            self.asker.request(Code::ACCESS_REQUEST, number, authenticator, &eap, &attributes).expect("it fits");
        let answers = world.exchange(self.port, &request);
        let answer = Packet::parse(&answers.first()?.octets).expect("a packet");
        self.state = answer.first(Type::STATE).map(<[u8]>::to_vec);
        self.identifier = answer.first(Type::EAP_MESSAGE).map_or(self.identifier, |eap| eap[1]);
        Some(answer.code())
    }
}

//! Access points whose every octet the test decides, and logins that go on round by round.

use std::net::{IpAddr, SocketAddr};

use sekisho::exchange::Outgoing;
use sekisho::radius::{Attributes, Code, Key, Packet, Type, Writer};
use sekisho::secret::Secret;
use sekisho::supplicant::{Login, Next, Report, Station, Supplicant};

use crate::world::{NAS, SECRET, World, asker};

pub(crate) const MORE: u8 = 0x40;
pub(crate) const START: u8 = 0x20;
pub(crate) const SUCCESS: u8 = 3;
pub(crate) const FAILURE: u8 = 4;
/// EAP-TLS.
const TLS: u8 = 13;

/// A bare EAP packet with its right Length.
pub(crate) fn eap(code: u8, identifier: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 4).expect("a short packet").to_be_bytes();
    [&[code, identifier], &length[..], body].concat()
}

/// EAP-Response/Identity.
pub(crate) fn identity(identifier: u8, text: &[u8]) -> Vec<u8> {
    eap(2, identifier, &[&[1], text].concat())
}

/// An EAP-TLS response; a length sets flag L.
pub(crate) fn tls(identifier: u8, flags: u8, length: Option<u32>, data: &[u8]) -> Vec<u8> {
    let flags = flags | if length.is_some() { 0x80 } else { 0 };
    let length = length.map(u32::to_be_bytes);
    eap(2, identifier, &[&[TLS, flags][..], length.as_ref().map_or(&[][..], |octets| octets), data].concat())
}

/// The EAP packet in a request or reply.
pub(crate) fn eap_of(octets: &[u8]) -> Vec<u8> {
    let mut eap = Vec::new();
    Packet::parse(octets).expect("a packet").join_eap(&mut eap).expect("EAP-Messages in a row");
    eap
}

/// TLS octets of an EAP-TLS packet that is a whole message.
pub(crate) fn tls_of(eap: &[u8]) -> &[u8] {
    assert_eq!(eap[4], TLS);
    if eap[5] & 0x80 == 0 { &eap[6..] } else { &eap[10..] }
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) octets: Vec<u8>,
    pub(crate) code: Code,
    pub(crate) eap: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(octets: &[u8]) -> Self {
        let code = Packet::parse(octets).expect("a packet").code();
        Self { octets: octets.to_vec(), code, eap: eap_of(octets) }
    }

    pub(crate) fn packet(&self) -> Packet<'_> {
        Packet::parse(&self.octets).expect("a packet")
    }

    /// The Identifier that the next response must have.
    pub(crate) fn next(&self) -> u8 {
        self.eap[1]
    }

    /// Access-Reject with EAP-Failure.
    pub(crate) fn is_failure(&self) -> bool {
        self.code == Code::ACCESS_REJECT && self.eap.len() == 4 && self.eap[0] == FAILURE
    }
}

/// One conversation of an access point, by hand.
#[derive(Clone, Debug)]
pub(crate) struct Hand {
    pub(crate) peer: SocketAddr,
    pub(crate) identifier: u8,
    pub(crate) authenticator: u64,
    pub(crate) state: Option<Vec<u8>>,
    pub(crate) attributes: Attributes,
}

impl Hand {
    pub(crate) fn new(address: IpAddr, port: u16) -> Self {
        let mut attributes = Attributes::default();
        attributes.push(Type::CALLED_STATION_ID, b"02-00-00-00-00-01:JAIST").expect("short");
        let peer = SocketAddr::new(address, port);
        Self { peer, identifier: 0, authenticator: u64::from(port) << 32, state: None, attributes }
    }

    pub(crate) fn here() -> Self {
        Self::new(NAS, 1_645)
    }

    pub(crate) fn with(mut self, kind: Type, value: &[u8]) -> Self {
        self.attributes.push(kind, value).expect("short");
        self
    }

    pub(crate) fn of_station(self, mac: &str) -> Self {
        self.with(Type::CALLING_STATION_ID, mac.as_bytes())
    }

    /// A new request with this EAP packet, and the State of the last answer.
    pub(crate) fn request(&mut self, eap: &[u8]) -> Vec<u8> {
        self.identifier = self.identifier.wrapping_add(1);
        self.again(eap)
    }

    /// The same Identifier, another Request Authenticator.
    pub(crate) fn again(&mut self, eap: &[u8]) -> Vec<u8> {
        let mut octets = Vec::new();
        let writer = Writer::new(&mut octets, Code::ACCESS_REQUEST, self.identifier);
        self.finish(writer, eap);
        octets
    }

    pub(crate) fn without_message_authenticator(&mut self, eap: &[u8]) -> Vec<u8> {
        self.identifier = self.identifier.wrapping_add(1);
        let mut octets = Vec::new();
        let writer = Writer::without_message_authenticator(&mut octets, Code::ACCESS_REQUEST, self.identifier);
        self.finish(writer, eap);
        octets
    }

    fn finish(&mut self, mut writer: Writer<'_>, eap: &[u8]) {
        writer.push_eap(eap).expect("a short packet");
        writer.extend(&self.attributes);
        if let Some(state) = &self.state {
            writer.push(Type::STATE, state).expect("short");
        }
        self.authenticator += 1;
        let mut authenticator = [7; 16];
        authenticator[..8].copy_from_slice(&self.authenticator.to_be_bytes());
        writer.finish(&key(), &authenticator).expect("a short packet");
    }

    /// Everything that is sent because of this EAP packet.
    pub(crate) fn send(&mut self, world: &mut World, eap: &[u8]) -> Vec<Outgoing> {
        let request = self.request(eap);
        world.exchange_from(self.peer, &request)
    }

    /// The one answer to this EAP packet; the next request carries its State.
    pub(crate) fn ask(&mut self, world: &mut World, eap: &[u8]) -> Answer {
        let sent = self.send(world, eap);
        let [outgoing] = sent.as_slice() else { panic!("{} answers; {:?}", sent.len(), world.events.last()) };
        let answer = Answer::new(&outgoing.octets);
        self.state = answer.packet().first(Type::STATE).map(<[u8]>::to_vec);
        answer
    }

    /// Until EAP-TLS start.
    pub(crate) fn start(&mut self, world: &mut World) -> Answer {
        let start = self.ask(world, &identity(1, b"@jaist.ac.jp"));
        assert_eq!((start.code, start.eap[4], start.eap[5]), (Code::ACCESS_CHALLENGE, TLS, START));
        start
    }
}

pub(crate) fn key() -> Key {
    Key::new(Secret::new(SECRET))
}

/// A login that goes on round by round.
pub(crate) struct Walk {
    pub(crate) peer: SocketAddr,
    login: Login,
    /// What is to be sent next.
    pub(crate) request: Vec<u8>,
    /// All answers so far.
    pub(crate) answers: Vec<Vec<u8>>,
}

impl Walk {
    pub(crate) fn new(world: &World, who: &Supplicant, station: Station, resume: bool) -> Self {
        let mut login = who.login(asker(), station, resume, world.now.wall);
        let request = login.begin();
        Self { peer: SocketAddr::new(NAS, 1_646), login, request, answers: Vec::new() }
    }

    /// One round.
    pub(crate) fn round(&mut self, world: &mut World) -> Option<Report> {
        let sent = world.exchange_from(self.peer, &self.request);
        let [answer] = sent.as_slice() else { panic!("{} answers; {:?}", sent.len(), world.events.last()) };
        self.take(world, &answer.octets)
    }

    /// Takes an answer.
    pub(crate) fn take(&mut self, world: &World, octets: &[u8]) -> Option<Report> {
        self.answers.push(octets.to_vec());
        match self.login.handle(octets, world.now.wall) {
            Next::Send(next) => self.request = next,
            Next::Done(report) => return Some(*report),
            Next::Ignored => panic!("an answer that isn't ours: {:?}", world.events.last()),
        }
        None
    }

    /// So many rounds, none of them the last.
    pub(crate) fn rounds(mut self, world: &mut World, rounds: usize) -> Self {
        for _ in 0..rounds {
            assert!(self.round(world).is_none(), "{:?}", world.events.last());
        }
        self
    }

    pub(crate) fn finish(&mut self, world: &mut World) -> Report {
        loop {
            if let Some(report) = self.round(world) {
                return report;
            }
        }
    }
}

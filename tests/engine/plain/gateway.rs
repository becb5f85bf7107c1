//! A concentrator whose every octet the test decides, and a registry that knows what the test says.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use sekisho::engine::{Arrival, Facts, Found, Lookup};
use sekisho::event::{Authentication, Method, Outcome, Reason};
use sekisho::exchange::Outgoing;
use sekisho::policy::{Authorize, AuthorizePassword, OtpAfter, UsernameSource};
use sekisho::radius::{Attributes, Code, Packet, Type, Writer, hidden};
use sekisho::secret::Secret;
use sekisho::standing::{Block, BlockedCertificate, Blocks};

use crate::hand::key;
use crate::pki::Credential;
use crate::world::{NAS, Options, SECRET, World, chain};

pub(super) const TARO: &str = "taro@jaist.ac.jp";
pub(super) const COMMON: &[u8] = b"authorize, please";
pub(super) const CODE: &[u8] = b"123456";
pub(super) const SERVICE_TYPE: Type = Type::SERVICE_TYPE;
pub(super) const AUTHORIZE_ONLY: u32 = 17;

/// By name, with a common password.
pub(super) fn by_name() -> Options {
    let password = AuthorizePassword::Common(Secret::new(COMMON));
    let authorize = Authorize { name: UsernameSource::SanEmail, password, service_type: None, certificate: None };
    Options { methods: vec![Method::EapTls, Method::Authorize], authorize: Some(authorize), ..Options::default() }
}

/// By one-time password.
pub(super) fn by_code(after: OtpAfter) -> Options {
    Options { methods: vec![Method::EapTls, Method::Otp], otp: Some(after), ..Options::default() }
}

/// Both ways.
pub(super) fn by_both(after: OtpAfter) -> Options {
    let methods = vec![Method::EapTls, Method::Authorize, Method::Otp];
    Options { methods, otp: Some(after), ..by_name() }
}

pub(super) fn block() -> Block {
    Block { since: sekisho::now::Wall(0), until: None, reason: "lost".into(), by: "an operator".into() }
}

pub(super) fn person_blocked(name: &str) -> Arc<Blocks> {
    Arc::new(Blocks::new(Vec::new(), vec![(name.to_owned(), block())]))
}

pub(super) fn certificate_blocked(facts: &Facts) -> Arc<Blocks> {
    let blocked = BlockedCertificate { fingerprint: Some(facts.fingerprint), name: None, block: block() };
    Arc::new(Blocks::new(vec![blocked], Vec::new()))
}

/// What our judge has verified of a chain.
pub(super) fn facts(world: &World, credential: &Credential) -> Arc<Facts> {
    let chain = chain(credential);
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    world.trust.facts(&chain).expect("a chain of ours")
}

/// The registry finds these.
pub(super) fn found(world: &World, credentials: &[&Credential]) -> Found {
    Found::Certificates(credentials.iter().map(|credential| facts(world, credential).encode()).collect())
}

/// What is to be looked up is found to be so; what is sent then.
pub(super) fn answer(world: &mut World, found: Found) -> Vec<Outgoing> {
    let (ticket, _) = world.looks.last().expect("something is looked up").clone();
    world.engine.handle(world.now, Arrival::Found(ticket, found));
    world.sent()
}

pub(super) fn last_look(world: &World) -> &Lookup {
    &world.looks.last().expect("something is looked up").1
}

pub(super) fn reply(sent: &[Outgoing]) -> Packet<'_> {
    let [only] = sent else { panic!("{} answers", sent.len()) };
    Packet::parse(&only.octets).expect("a packet")
}

pub(super) fn authentication(world: &World) -> &Authentication {
    world.events.iter().rev().find_map(|event| event.authentication.as_deref()).expect("a decision")
}

#[track_caller]
pub(super) fn accepted(world: &World, sent: &[Outgoing]) {
    assert_eq!(world.decided().0, Outcome::Accept, "{:?}", world.events.last());
    assert_eq!((reply(sent).code(), world.engine.conversations()), (Code::ACCESS_ACCEPT, 0));
}

/// Refused for this reason, with nothing but Message-Authenticator, and nothing is left of it.
#[track_caller]
pub(super) fn refused(world: &World, sent: &[Outgoing], reason: Reason) {
    assert_eq!(world.decided(), (Outcome::Reject, reason), "{:?}", world.events.last());
    let reply = reply(sent);
    let kinds: Vec<Type> = reply.attributes().map(|attribute| attribute.kind).collect();
    assert_eq!((reply.code(), kinds), (Code::ACCESS_REJECT, vec![Type::MESSAGE_AUTHENTICATOR]));
    assert_eq!((world.engine.conversations(), world.engine.sessions().len()), (0, 0));
}

/// Nothing is sent, for this reason.
#[track_caller]
pub(super) fn dropped(world: &World, sent: &[Outgoing], reason: Reason) {
    let event = world.events.last().expect("an event");
    assert_eq!((sent.len(), event.outcome, event.reason), (0, Outcome::Drop, reason));
}

/// One concentrator.
#[derive(Clone, Debug)]
pub(super) struct Gateway {
    pub(super) peer: SocketAddr,
    pub(super) attributes: Attributes,
    pub(super) state: Option<Vec<u8>>,
    pub(super) signs: bool,
    pub(super) count: u8,
}

impl Gateway {
    pub(super) fn here() -> Self {
        Self::at(NAS)
    }

    pub(super) fn at(address: IpAddr) -> Self {
        let mut attributes = Attributes::default();
        attributes.push(Type::CALLED_STATION_ID, b"02-00-00-00-00-01:JAIST").expect("short");
        attributes.push(Type::CALLING_STATION_ID, b"203.0.113.9").expect("short");
        Self { peer: SocketAddr::new(address, 1_812), attributes, state: None, signs: true, count: 0 }
    }

    pub(super) fn with(mut self, kind: Type, value: &[u8]) -> Self {
        self.attributes.push(kind, value).expect("short");
        self
    }

    pub(super) fn request(&mut self, name: &str, password: Option<&[u8]>) -> Vec<u8> {
        self.request_of(name.as_bytes(), password)
    }

    /// Of a name that need be no text.
    pub(super) fn request_of(&mut self, name: &[u8], password: Option<&[u8]>) -> Vec<u8> {
        self.count += 1;
        let mut authenticator = [7; 16];
        authenticator[0] = self.count;
        authenticator[1..3].copy_from_slice(&self.peer.port().to_be_bytes());
        let mut octets = Vec::new();
        let mut writer = if self.signs {
            Writer::new(&mut octets, Code::ACCESS_REQUEST, self.count)
        } else {
            Writer::without_message_authenticator(&mut octets, Code::ACCESS_REQUEST, self.count)
        };
        writer.push(Type::USER_NAME, name).expect("short");
        if let Some(password) = password {
            let hidden = hidden::hide_password(&Secret::new(SECRET), &authenticator, password).expect("short");
            writer.push(Type::USER_PASSWORD, &hidden).expect("short");
        }
        writer.extend(&self.attributes);
        if let Some(state) = &self.state {
            writer.push(Type::STATE, state).expect("short");
        }
        writer.finish(&key(), &authenticator).expect("short");
        octets
    }

    /// A new request; what is sent at once. A challenge's State goes with the next.
    pub(super) fn ask(&mut self, world: &mut World, name: &str, password: Option<&[u8]>) -> Vec<Outgoing> {
        let request = self.request(name, password);
        let sent = world.exchange_from(self.peer, &request);
        self.keep(&sent);
        sent
    }

    /// Takes over the State of a challenge.
    pub(super) fn keep(&mut self, sent: &[Outgoing]) {
        let packets = sent.iter().filter_map(|sent| Packet::parse(&sent.octets).ok());
        if let Some(state) = packets.filter_map(|packet| packet.first(Type::STATE).map(<[u8]>::to_vec)).next_back() {
            self.state = Some(state);
        }
    }

    /// By name, until the registry is asked.
    pub(super) fn look(&mut self, world: &mut World, name: &str) {
        let before = world.looks.len();
        assert!(self.ask(world, name, Some(COMMON)).is_empty());
        assert_eq!(world.looks.len(), before + 1, "{:?}", world.events.last());
    }
}

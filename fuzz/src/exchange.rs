//! The table of exchanges: datagrams of a NAS and of strangers, signed or not, repeated, answered or left.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use sekisho::event::Listener;
use sekisho::exchange::{Asker, Exchanges, Hop, Keys, Outgoing, Received, Reply, Settings};
use sekisho::now::{Mono, Now, Wall};
use sekisho::pki::Revocation;
use sekisho::radius::{Attributes, Code, Packet};
use sekisho::secret::Secret;
use sekisho::sessions::{self, Law, Record, Sessions};
use sekisho::standing::Standing;

use super::campus::{NAS, NOW, SECRET, campus, hop, sign};
use super::input::Input;

const STRANGER: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const MAX_EXCHANGES: usize = 8;
const MAX_SESSIONS: usize = 4;
const MAX_DATAGRAMS: usize = 64;

// What the first octet of a record asks for.
const SIGNED: u8 = 0x01;
const ACCOUNTING: u8 = 0x02;
const FROM_A_STRANGER: u8 = 0x04;
const OTHER_PORT: u8 = 0x08;
const FATE: u8 = 0x30;
const LATER: u8 = 0x40;
const AGAIN: u8 = 0x80;

struct Table {
    exchanges: Exchanges,
    asker: Asker,
    sessions: Sessions,
    now: Now,
    reached: bool,
}

/// Hands in datagrams, each a record of one octet of flags, two of length and its octets.
pub fn run(data: &[u8]) -> bool {
    let settings = Settings {
        keep_answer: Duration::from_secs(20),
        keep_unanswered: Duration::from_secs(60),
        max_exchanges: MAX_EXCHANGES,
    };
    let exchanges = Exchanges::new(settings);
    let sessions = Sessions::new(sessions::Settings { max_sessions: MAX_SESSIONS }, NOW);
    let mut table = Table { exchanges, asker: Asker::new(Secret::new(SECRET)), sessions, now: NOW, reached: false };
    let mut input = Input::new(data);
    let mut last = Vec::new();
    for _ in 0..MAX_DATAGRAMS {
        let (Some(flags), Some(octets)) = (input.octet(), input.record()) else { break };
        if flags & LATER != 0 {
            table.turn(Duration::from_secs(7));
        }
        if flags & AGAIN == 0 {
            last = if flags & SIGNED == 0 { octets.to_vec() } else { sign(octets) };
        }
        let listener = if flags & ACCOUNTING == 0 { Listener::Auth } else { Listener::Accounting };
        let peer = if flags & FROM_A_STRANGER == 0 { NAS } else { STRANGER };
        table.receive(hop(listener, peer, 1_645 + u16::from(flags & OTHER_PORT)), &last, (flags & FATE) >> 4, octets);
    }
    table.turn(Duration::from_secs(3_600));
    assert_eq!(table.exchanges.poll_timeout(), None, "nothing is left");
    table.reached
}

impl Table {
    fn turn(&mut self, time: Duration) {
        self.now = Now { mono: Mono(self.now.mono.0 + time), wall: Wall(self.now.wall.0 + 7) };
        self.exchanges.handle_timeout(self.now);
    }

    fn receive(&mut self, hop: Hop, datagram: &[u8], fate: u8, eap: &[u8]) {
        match self.exchanges.receive(self.now, &campus().peers, hop, datagram) {
            Received::Dropped { .. } => {}
            Received::Repeat { outgoing, .. } | Received::Status { outgoing, .. } => self.check(datagram, &outgoing),
            Received::Request { id, packet, .. } => {
                assert_eq!(hop.peer.ip(), NAS);
                let _ = self.exchanges.password(id, &packet);
                if packet.code() == Code::ACCOUNTING_REQUEST {
                    self.account(hop, &packet);
                }
                self.reached = true;
                match fate {
                    0 | 1 => {
                        let reply = reply(&packet, eap, fate == 1);
                        let outgoing = self.exchanges.answer(self.now, id, reply).expect("it waits");
                        self.check(datagram, &outgoing);
                    }
                    2 => self.exchanges.abandon(id),
                    _ => {}
                }
            }
        }
    }

    /// Whatever a record says, the table stays bounded and never fails.
    fn account(&mut self, hop: Hop, packet: &Packet<'_>) {
        let open = |class: &[u8], _: &[u8]| <[u8; 32]>::try_from(class).ok();
        let Ok(record) = Record::read(packet, &"nas".into(), hop.peer.ip(), self.now.wall, open) else { return };
        assert_eq!(record.key(), record.clone().key());
        let (trust, revocation, standing) = (&campus().trust, Revocation::default(), Standing::default());
        let law = Law { trust, revocation: &revocation, standing: &standing, policy: &campus().policy };
        for _ in 0..2 {
            self.sessions.account(self.now, &record, law);
            assert!(self.sessions.len() <= MAX_SESSIONS);
        }
        while self.sessions.poll_change().is_some() {}
    }

    /// Whatever is answered, whoever asked takes it.
    fn check(&self, request: &[u8], outgoing: &Outgoing) {
        if let Err(bad) = self.asker.reply(request, &outgoing.octets) {
            panic!("an answer that isn't one: {bad:?}: {:02x?}", outgoing.octets);
        }
    }
}

fn reply(request: &Packet<'_>, eap: &[u8], keys: bool) -> Reply {
    let code = match request.code() {
        Code::ACCOUNTING_REQUEST => Code::ACCOUNTING_RESPONSE,
        _ if keys => Code::ACCESS_ACCEPT,
        _ => Code::ACCESS_CHALLENGE,
    };
    let keys = keys.then(|| Keys { msk: Secret::new([7; 64]) });
    Reply { code, eap: eap.to_vec(), attributes: Attributes::default(), keys }
}

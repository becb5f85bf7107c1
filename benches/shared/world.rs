//! An engine as a campus configures it, and a NAS that measures it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use sekisho::access::{self, Handles};
use sekisho::engine::{self, Arrival, Engine, Order, Output, Settings, Snapshot, Step, Stepped, Ticket};
use sekisho::event::{Listener, Method, TlsVersion};
use sekisho::exchange::{self, Asker, Hop, NasSettings, Outgoing, Peers, Prefix};
use sekisho::now::{Mono, Now};
use sekisho::pki::{AuthoritySettings, Crl, Purpose, Revocation, RevocationSource, Trust};
use sekisho::policy::{Grants, Match, OtpAfter, Policy, ReplyUsername, ServiceSettings, UsernameRule, UsernameSource};
use sekisho::radius::{Attributes, Code, Type};
use sekisho::secret::Secret;
use sekisho::standing::{Block, BlockedCertificate, Blocks, Standing};
use sekisho::supplicant::{Login, Next, Station, Supplicant};
use sekisho::tls::{self, Group, IdentitySettings};
use sekisho::{eap, sessions};

use crate::campus::{Campus, wall};
use crate::crl;

pub(crate) const SECRET: &[u8] = b"a secret of the bench";
const NAS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
pub(crate) const NAME: &str = "campus";
/// How long answers are kept for repeats.
pub(crate) const KEEP_ANSWER: Duration = Duration::from_secs(10);

/// The engine and its clock.
pub(crate) struct World {
    engine: Engine,
    now: Now,
    tls: Arc<tls::Server>,
    peers: Arc<Peers>,
    blocks: Arc<Blocks>,
    port: u16,
}

/// What there is beside one login.
pub(crate) struct Around {
    /// NASes, the one that asks among them.
    pub(crate) nas: u32,
    /// Certificates that are blocked, none of them a member's.
    pub(crate) blocks: u32,
    /// Conversations left half-way.
    pub(crate) half_open: u32,
}

/// What a login was like.
#[derive(Default)]
pub(crate) struct Measured {
    /// The server's time, where that was measured.
    pub(crate) server: Duration,
    /// Octets of each request and its answer.
    pub(crate) packets: Vec<(usize, usize)>,
    pub(crate) resumed: bool,
}

impl World {
    pub(crate) fn new(campus: &Campus) -> Self {
        Self::among(campus, &Around { nas: 1, blocks: 0, half_open: 0 })
    }

    /// With all that around it; whoever leaves conversations half-open is `supplicant`.
    pub(crate) fn with(campus: &Campus, around: &Around, supplicant: &Supplicant) -> Self {
        let mut world = Self::among(campus, around);
        // Each from a station of its own, else one would make room for the next; and no more at once than answers are kept of.
        (0..around.half_open).for_each(|number| world.leave_half_open(supplicant, u32::MAX - number, 0));
        assert_eq!(world.conversations(), around.half_open as usize, "they are all alive");
        world
    }

    /// With the NASes and blocks of that around it.
    pub(crate) fn among(campus: &Campus, around: &Around) -> Self {
        let now = Now { mono: Mono::default(), wall: wall() };
        let tls = Arc::new(tls::Server::new(&tls_settings(campus), None).expect("a good identity"));
        let settings = Settings {
            exchange: exchange::Settings {
                keep_answer: KEEP_ANSWER,
                keep_unanswered: Duration::from_secs(30),
                max_exchanges: 100_000,
            },
            max_conversations: 20_000,
            conversation_timeout: Duration::from_secs(600),
            max_waiting: Duration::from_millis(500),
            ask_timeout: Duration::from_secs(2),
            max_asking: 4_096,
            nas_max_asking: 256,
            reserved_asking: 16,
            records: engine::Bounds { timeout: Duration::from_secs(2), most: 4_096, nas_most: 1_024, reserved: 0 },
            sessions: sessions::Settings { max_sessions: 100_000 },
        };
        let peers = Arc::new(Peers::new(&nases(around.nas)).expect("each has an address of its own"));
        let blocks = blocks(around.blocks);
        let engine = Engine::new(settings, snapshot(campus, &tls, &peers, &blocks, now)).expect("random octets");
        Self { engine, now, tls, peers, blocks, port: 1_024 }
    }

    /// Puts an equal configuration in force that has verified no chain yet. Who is online is judged by it at once, so that the next login isn't charged with that.
    pub(crate) fn forget_chains(&mut self, campus: &Campus) {
        let next = snapshot(campus, &self.tls, &self.peers, &self.blocks, self.now);
        self.engine.handle(self.now, Arrival::Order(Ticket(1), Order::Swap(next)));
        while self.engine.poll_timeout().is_some_and(|due| due <= self.now.mono) {
            self.engine.handle_timeout(self.now);
        }
        self.sent();
    }

    /// A login, the server's time measured.
    pub(crate) fn log_in(&mut self, supplicant: &Supplicant, member: u32, resume: bool) -> Measured {
        self.drive(supplicant, member, resume, |measured, serve| {
            let begun = cpu();
            let answer = serve();
            measured.server += cpu().saturating_sub(begun);
            answer
        })
    }

    /// Logins of all of them at once, as at saturation, when requests wait for the server: it answers everybody's, then everybody asks again. What is measured is each one's share; the packets are those of one.
    pub(crate) fn log_in_together(&mut self, supplicants: &[Supplicant], resume: bool) -> Measured {
        let stations = || (0..).map(station);
        let mut logins: Vec<Login> = supplicants
            .iter()
            .zip(stations())
            .map(|(supplicant, station)| supplicant.login(asker(), station, resume, self.now.wall))
            .collect();
        let hops: Vec<Hop> = supplicants.iter().map(|_| self.next_hop()).collect();
        let mut measured = Measured { resumed: true, ..Measured::default() };
        let mut requests: Vec<Option<Vec<u8>>> = logins.iter_mut().map(|login| Some(login.begin())).collect();
        let begun = cpu();
        self.wait(Duration::from_secs(1));
        measured.server += cpu().saturating_sub(begun);
        while requests.iter().any(Option::is_some) {
            let mut answers = Vec::with_capacity(requests.len());
            let begun = cpu();
            for (request, hop) in requests.iter().zip(&hops) {
                answers.push(request.as_ref().and_then(|request| self.serve(*hop, request)));
            }
            measured.server += cpu().saturating_sub(begun);
            for ((login, request), (answer, first)) in
                logins.iter_mut().zip(&mut requests).zip(answers.iter().zip((0..).map(|index| index == 0)))
            {
                let Some(asked) = request.take() else { continue };
                let answer = answer.as_ref().expect("an answer");
                if first {
                    measured.packets.push((asked.len(), answer.octets.len()));
                }
                match login.handle(&answer.octets, self.now.wall) {
                    Next::Send(next) => *request = Some(next),
                    Next::Done(report) => {
                        assert!(report.logged_in, "{report:?}");
                        measured.resumed &= report.resumed;
                    }
                    Next::Ignored => panic!("an answer that isn't ours"),
                }
            }
        }
        measured.server /= u32::try_from(supplicants.len()).expect("a small campus");
        measured
    }

    /// Logins of all of them at once, public-key work done by `run`, all that waits at a time.
    pub(crate) fn log_in_by(
        &mut self,
        supplicants: &[Supplicant],
        mut run: impl FnMut(Vec<Step>, Now) -> Vec<Stepped>,
    ) {
        self.wait(Duration::from_secs(1));
        let mut logins: Vec<(Hop, Login, Vec<u8>)> = Vec::new();
        for (supplicant, number) in supplicants.iter().zip(0..) {
            let mut login = supplicant.login(asker(), station(number), false, self.now.wall);
            let request = login.begin();
            logins.push((self.next_hop(), login, request));
        }
        while !logins.is_empty() {
            for (hop, _, request) in &logins {
                self.engine.handle(self.now, Arrival::Datagram { hop: *hop, octets: request });
            }
            let steps = std::iter::from_fn(|| self.engine.poll_step()).collect();
            for stepped in run(steps, self.now) {
                self.engine.resume(self.now, stepped, Duration::from_micros(300));
            }
            let mut answers = Vec::new();
            while let Some(output) = self.engine.poll_output() {
                if let Output::Send(outgoing) = output {
                    answers.push(outgoing);
                }
            }
            let now = self.now.wall;
            logins.retain_mut(|(hop, login, request)| {
                let answer = answers.iter().find(|answer| answer.hop == *hop).expect("an answer");
                match login.handle(&answer.octets, now) {
                    Next::Send(next) => {
                        *request = next;
                        true
                    }
                    Next::Done(report) => {
                        assert!(report.logged_in, "{report:?}");
                        false
                    }
                    Next::Ignored => panic!("an answer that isn't ours"),
                }
            });
        }
    }

    /// A login, each piece of the server's work done within `measured`.
    pub(crate) fn log_in_within(
        &mut self,
        supplicant: &Supplicant,
        member: u32,
        resume: bool,
        measured: impl Fn(&mut dyn FnMut() -> Option<Outgoing>) -> Option<Outgoing>,
    ) -> Measured {
        self.drive(supplicant, member, resume, |_, serve| measured(serve))
    }

    fn drive(
        &mut self,
        supplicant: &Supplicant,
        member: u32,
        resume: bool,
        measure: impl Fn(&mut Measured, &mut dyn FnMut() -> Option<Outgoing>) -> Option<Outgoing>,
    ) -> Measured {
        let hop = self.next_hop();
        let mut measured = Measured::default();
        // Answers of about ten logins are always kept; who forgets them is the server.
        measure(&mut measured, &mut || {
            self.wait(Duration::from_secs(1));
            None
        });
        let mut login = supplicant.login(asker(), station(member), resume, self.now.wall);
        let mut request = login.begin();
        loop {
            let answer = measure(&mut measured, &mut || self.serve(hop, &request)).expect("an answer");
            measured.packets.push((request.len(), answer.octets.len()));
            match login.handle(&answer.octets, self.now.wall) {
                Next::Send(next) => request = next,
                Next::Done(report) => {
                    assert!(report.logged_in, "{report:?}");
                    measured.resumed = report.resumed;
                    return measured;
                }
                Next::Ignored => panic!("an answer that isn't ours"),
            }
        }
    }

    /// Begins a login and leaves it in the middle of the server's first flight, so many fragments of which were acknowledged.
    pub(crate) fn leave_half_open(&mut self, supplicant: &Supplicant, member: u32, acknowledged: usize) {
        // The identity comes before the flight.
        let before = 1 + acknowledged;
        let hop = self.next_hop();
        let mut login = supplicant.login(asker(), station(member), false, self.now.wall);
        let mut request = login.begin();
        for _ in 0..before {
            let answer = self.serve(hop, &request).expect("an answer");
            let Next::Send(next) = login.handle(&answer.octets, self.now.wall) else { panic!("it goes on") };
            request = next;
        }
        assert!(self.serve(hop, &request).expect("an answer").octets.len() > 500, "the server's first flight");
    }

    /// A user whose password a concentrator has checked is asked for a code, and says nothing.
    pub(crate) fn leave_prompted(&mut self, user: u32) {
        let (hop, asker, mut attributes) = (self.next_hop(), asker(), Attributes::default());
        let [a, b, c, d] = user.to_be_bytes();
        let authenticator = [[a, b, c, d]; 4].concat().try_into().expect("16 octets");
        attributes.push(Type::USER_NAME, format!("member{user}@campus.example").as_bytes()).expect("short");
        attributes.push(Type::CALLED_STATION_ID, b"02-00-00-00-00-01:JAIST").expect("short");
        attributes.push(Type::CALLING_STATION_ID, format!("203.{b}.{c}.{d}").as_bytes()).expect("short");
        asker.push_password(&authenticator, &Secret::new(*b"her own password"), &mut attributes).expect("short");
        let request = asker.request(Code::ACCESS_REQUEST, 0, authenticator, &[], &attributes).expect("it fits");
        let answer = self.serve(hop, &request).expect("an answer");
        assert_eq!(answer.octets.first(), Some(&Code::ACCESS_CHALLENGE.0), "a code is asked for");
    }

    /// Turns the clock.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.now = Now { mono: self.now.mono + time, wall: self.now.wall + time };
        self.engine.handle_timeout(self.now);
    }

    pub(crate) fn conversations(&self) -> usize {
        self.engine.conversations()
    }

    /// All that a datagram causes; the answer. Never inlined: a profile is taken of what is below this.
    #[inline(never)]
    fn serve(&mut self, hop: Hop, octets: &[u8]) -> Option<Outgoing> {
        self.engine.handle(self.now, Arrival::Datagram { hop, octets });
        let mut answer = self.sent();
        while let Some(step) = self.engine.poll_step() {
            let stepped = step.run(self.now);
            self.engine.resume(self.now, stepped, Duration::from_micros(300));
            answer = self.sent().or(answer);
        }
        answer
    }

    /// What the engine wants sent; events are dropped.
    fn sent(&mut self) -> Option<Outgoing> {
        let mut answer = None;
        while let Some(output) = self.engine.poll_output() {
            if let Output::Send(outgoing) = output {
                answer = Some(outgoing);
            }
        }
        answer
    }

    fn next_hop(&mut self) -> Hop {
        self.port = self.port.checked_add(1).unwrap_or(1_024);
        Hop { listener: Listener::Auth, socket: 0, local: None, peer: SocketAddr::new(NAS, self.port) }
    }
}

/// What this thread has had of a processor: on a machine that does something else too, time says little.
pub(crate) fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("Linux").into()
}

pub(crate) fn asker() -> Arc<Asker> {
    Arc::new(Asker::new(Secret::new(SECRET)))
}

pub(crate) fn station(member: u32) -> Station {
    let [_, a, b, c] = member.to_be_bytes();
    Station {
        ssid: Some("JAIST".to_owned()),
        mac: format!("02-00-00-{a:02x}-{b:02x}-{c:02x}"),
        nas_identifier: Some("ap-building-3-floor-2".to_owned()),
        ..Station::default()
    }
}

fn tls_settings(campus: &Campus) -> tls::Settings {
    let identity =
        IdentitySettings { name: NAME.into(), chain: campus.server_chain.clone(), key: campus.server_key.clone() };
    tls::Settings {
        identities: vec![identity],
        versions: vec![TlsVersion::Tls13, TlsVersion::Tls12],
        groups: vec![Group::X25519, Group::Secp256r1, Group::Secp384r1],
        resumption: Duration::from_secs(8 * 3_600),
        ticket_keys: Vec::new(),
        max_session_ids: 10_000,
    }
}

fn snapshot(
    campus: &Campus,
    tls: &Arc<tls::Server>,
    peers: &Arc<Peers>,
    blocks: &Arc<Blocks>,
    now: Now,
) -> Arc<Snapshot> {
    let (trust, _) = Trust::new(&[authority(campus)], now.wall).expect("a good authority");
    let crl = Crl::load(&campus.crl, &NAME.into(), &"memory".into(), &trust).expect("a good CRL");
    let standing = Standing::new(&[("suspended".into(), "nobody\n".to_owned())]).with_blocks(Arc::clone(blocks));
    let access = access::Snapshot {
        eap: eap::Settings { fragment_size: 1_200, max_message: 16 * 1_024, max_idle_rounds: 50 },
        policy: Arc::new(policy()),
        trust: Arc::new(trust),
        revocation: Arc::new(Revocation::new(vec![Arc::new(crl)])),
        standing: Arc::new(standing),
        tls: tls.clone(),
        handles: Arc::new(Handles::new(Some(&Secret::new(*b"cui"))).expect("random octets")),
    };
    Arc::new(Snapshot { peers: Arc::clone(peers), access: Arc::new(access), disconnect: engine::Automatic::default() })
}

pub(crate) fn authority(campus: &Campus) -> AuthoritySettings {
    AuthoritySettings {
        name: NAME.into(),
        anchor: campus.anchor(),
        fingerprint_sha1: None,
        fingerprint_sha256: None,
        intermediates: Vec::new(),
        subject: vec![("C".to_owned(), "JP".to_owned())],
        purpose: Purpose { require: vec!["clientAuth".to_owned()], policies: Vec::new(), refuse_policies: Vec::new() },
        revocation: RevocationSource::Crl,
        grace: Duration::ZERO,
        distrust: None,
    }
}

/// One that asks, with its network, and others that never do.
fn nases(count: u32) -> Vec<NasSettings> {
    let others = (1..count).map(|number| {
        let address = IpAddr::V4(Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() + number));
        nas(&format!("ap-{number}"), Prefix { address, bits: 32 })
    });
    std::iter::once(nas("ap", Prefix { address: NAS, bits: 24 })).chain(others).collect()
}

fn blocks(count: u32) -> Arc<Blocks> {
    let block = Block { since: wall(), until: None, reason: "lost".into(), by: "the bench".into() };
    let blocked = |number: u32| BlockedCertificate {
        fingerprint: Some(fingerprint(number)),
        name: Some((NAME.into(), crl::revoked(number).to_vec())),
        block: block.clone(),
    };
    let people = (0..count / 10).map(|number| (format!("nobody{number}"), block.clone()));
    Arc::new(Blocks::new((0..count).map(blocked).collect(), people.collect()))
}

/// Random to the eye.
fn fingerprint(number: u32) -> [u8; 32] {
    let mut octets = [0; 32];
    octets.chunks_mut(8).zip(0..).for_each(|(part, index)| {
        part.copy_from_slice(&crl::mix(u64::from(number) * 4 + index).to_be_bytes());
    });
    octets
}

fn nas(name: &str, address: Prefix) -> NasSettings {
    let methods = vec![Method::EapTls, Method::Otp];
    NasSettings { methods, ..NasSettings::new(name, vec![address], Secret::new(SECRET)) }
}

fn policy() -> Policy {
    let service = ServiceSettings {
        name: NAME.into(),
        matches: vec![Match { ssid: Some(vec!["JAIST".to_owned()]), ..Match::default() }],
        authorities: vec![NAME.into()],
        identities: Vec::new(),
        realms: None,
        reply_username: ReplyUsername::Certificate,
        grants: Grants { vlan: Some("120".to_owned()), ..Grants::default() },
        rules: Vec::new(),
        authorize: None,
        otp: Some(OtpAfter::NasPassword),
    };
    let username = UsernameRule {
        authority: NAME.into(),
        sources: vec![UsernameSource::SanEmail, UsernameSource::Cn],
        lowercase: true,
        strip_realm: false,
    };
    Policy::new(vec![service], vec![username])
}

//! Whole conversations with the engine, of a supplicant whose packets a stranger on its side changes, leaves out or adds to, signed as the NAS would; and of a user without EAP, of whom the registry knows the supplicant's certificate.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sekisho::access::{self, Handles};
use sekisho::engine::{Arrival, Bounds, Checked, Engine, Found, Lookup, Output, Settings, Snapshot, Ticket};
use sekisho::event::{Listener, Reason, TlsVersion};
use sekisho::exchange::{self, Asker};
use sekisho::now::{Mono, Now, Wall};
use sekisho::pki::{AuthoritySettings, RevocationSource, Trust};
use sekisho::policy::{Grants, OtpAfter, Policy, Rule, ServiceSettings, When};
use sekisho::radius::{Code, Packet, Type, hidden, vendor};
use sekisho::secret::Secret;
use sekisho::standing::Standing;
use sekisho::supplicant::{self, Login, Next, Station, Supplicant};
use sekisho::tls::{self, Group, IdentitySettings};
use sekisho::{eap, sessions};

use super::campus::{
    COMMON, ISSUING, MEMBER, MEMBER_KEY, NAS, NOW, REVOKED, REVOKED_KEY, ROOT, SECRET, SERVER, SERVER_KEY, SERVICE,
    authority, campus, hop, service, sign,
};
use super::input::Input;

const MAX_REQUESTS: usize = 40;
const MAX_CONVERSATIONS: usize = 4;
/// Who asks without EAP: the two who have certificates, and others.
const NAMES: [&[u8]; 4] = [b"taro@campus.example", b"jiro@campus.example", b"nobody@campus.example", b"\xff"];

// What the first octet asks for.
const IS_REVOKED: u8 = 0x01;
const OLD_TLS: u8 = 0x02;
const SMALL_FRAGMENTS: u8 = 0x04;
/// A responder is asked first, who knows nothing; then the CRL decides.
const ASKS: u8 = 0x08;
/// Codes come after a password that the NAS has checked, else after a certificate.
const AFTER_PASSWORD: u8 = 0x10;
/// A rule wants a code of everybody.
const RULE: u8 = 0x20;

// What the octet of a request without EAP asks for, besides its name.
const WITH_STATE: u8 = 0x01;
const BY_NAME: u8 = 0x02;
const NO_PASSWORD: u8 = 0x10;
/// CHAP (RFC 2865 section 5.3).
const CHALLENGED: u8 = 0x20;
const IN_CAPITALS: u8 = 0x40;
/// EAP-Message besides.
const EAP_TOO: u8 = 0x80;

/// The first octet chooses the supplicant; then acts, each one octet that names it and what it needs.
pub fn run(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let Some(flags) = input.octet() else { return false };
    let mut scene = Scene::new(flags);
    for _ in 0..MAX_REQUESTS {
        if scene.act(&mut input).is_none() {
            break;
        }
    }
    scene.end();
    assert!(flags & IS_REVOKED == 0 || !scene.by_certificate, "a revoked certificate was let in");
    assert!(flags & ASKS == 0 || !scene.by_certificate || scene.has_asked, "nobody was asked");
    scene.accepted
}

struct Scene {
    engine: Engine,
    now: Now,
    supplicant: Supplicant,
    stations: u8,
    login: Login,
    /// The supplicant's next request.
    request: Vec<u8>,
    /// The last State that the server gave.
    state: Vec<u8>,
    /// The last datagram that was handed in.
    last: Vec<u8>,
    made_up: u8,
    /// What was asked last.
    asked: Option<Ticket>,
    has_asked: bool,
    /// What was to be looked up last.
    looked: Option<(Ticket, Lookup)>,
    has_looked: bool,
    /// The supplicant's certificate.
    certificate: &'static [u8],
    accepted: bool,
    /// By a certificate: Class seals which.
    by_certificate: bool,
    flags: u8,
    /// Conversations for which the registry knew a certificate that is good.
    vouched: HashSet<u64>,
    /// Whether somebody may be let in without EAP by what was done last.
    may_enter: bool,
    /// Somebody has been.
    has_entered: bool,
}

impl Scene {
    fn new(flags: u8) -> Self {
        let supplicant = supplicant(flags);
        let (login, request) = begin(&supplicant, 0, false, NOW);
        Self {
            engine: Engine::new(settings(), snapshot(flags)).expect("random octets"),
            now: NOW,
            supplicant,
            stations: 0,
            login,
            request,
            state: Vec::new(),
            last: Vec::new(),
            made_up: 0,
            asked: None,
            has_asked: false,
            looked: None,
            has_looked: false,
            certificate: credential(flags).0,
            accepted: false,
            by_certificate: false,
            flags,
            vouched: HashSet::new(),
            may_enter: false,
            has_entered: false,
        }
    }

    /// `None`: there are no more acts.
    fn act(&mut self, input: &mut Input<'_>) -> Option<()> {
        match input.octet()? % 10 {
            0 => self.hand_in(self.request.clone()),
            // Its EAP packet, some octets from somewhere on overwritten.
            1 => {
                let (at, over) = (input.pair()?, input.record()?);
                let mut eap = eap_of(&self.request)?;
                let at = usize::from(at) % (eap.len() + 1);
                eap.splice(at..eap.len().min(at + over.len()), over.iter().copied());
                self.hand_in(with_eap(&self.request, &eap));
            }
            // More attributes at its end.
            2 => self.hand_in(sign(&[&self.request, input.record()?].concat())),
            // An EAP packet of a stranger who has overheard the State.
            3 => {
                let eap = with_length(input.record()?);
                self.made_up = self.made_up.wrapping_add(1);
                self.hand_in(made_up(self.made_up, &self.state, &eap));
            }
            4 => self.hand_in(sign(input.record()?)),
            5 => match input.octet()? {
                0 => self.answer(),
                seconds => self.turn(Duration::from_secs(seconds.into())),
            },
            6 => {
                self.stations = self.stations.wrapping_add(1);
                let resume = input.octet()? % 2 == 1;
                (self.login, self.request) = begin(&self.supplicant, self.stations, resume, self.now);
            }
            7 => self.hand_in(self.last.clone()),
            // A request without EAP: its name, with the last State or without, its password.
            8 => {
                let (choice, password) = (input.octet()?, input.record()?);
                self.made_up = self.made_up.wrapping_add(1);
                let datagram = by_name(self.made_up, choice, &self.state, password);
                self.hand_in(datagram);
            }
            _ => {
                let choice = input.octet()?;
                self.found(choice);
            }
        }
        Some(())
    }

    /// The registry answers what was asked last, or something else.
    fn found(&mut self, choice: u8) {
        let Some((ticket, lookup)) = self.looked.clone() else { return };
        let was_vouched = self.vouched.contains(&ticket.0) || self.flags & AFTER_PASSWORD != 0;
        let known = |certificate: &[u8]| campus().trust.facts(&[certificate]).expect("of ours").encode();
        let found = match (choice % 8, &lookup) {
            (0, Lookup::Certificates(_)) | (1, _) => Found::Certificates(vec![known(self.certificate)]),
            (0, Lookup::Code(_)) | (2, _) => Found::Code(Checked::Right),
            (3, _) => Found::Code(Checked::Wrong),
            (4, _) => Found::Code(Checked::Throttled),
            (5, _) => Found::Certificates(vec![Vec::new(), known(REVOKED)]),
            _ => Found::Nothing,
        };
        let is_good = found == Found::Certificates(vec![known(MEMBER)]);
        self.may_enter = match (&lookup, &found) {
            (Lookup::Certificates(_), Found::Certificates(_)) => is_good && self.flags & RULE == 0,
            (Lookup::Code(_), Found::Code(Checked::Right)) => was_vouched,
            _ => false,
        };
        if is_good && matches!(lookup, Lookup::Certificates(_)) {
            self.vouched.insert(ticket.0);
        }
        self.engine.handle(self.now, Arrival::Found(ticket, found));
        self.decided();
    }

    fn turn(&mut self, time: Duration) {
        let wall = self.now.wall.0 + i64::try_from(time.as_secs()).expect("a short time");
        self.now = Now { mono: Mono(self.now.mono.0 + time), wall: Wall(wall) };
        self.may_enter = self.may_be_decided();
        self.engine.handle_timeout(self.now);
        self.decided();
    }

    /// The responder says that it knows nothing.
    fn answer(&mut self) {
        let Some(ticket) = self.asked else { return };
        self.may_enter = self.may_be_decided();
        self.engine.handle(self.now, Arrival::Answer(ticket));
        self.decided();
    }

    /// What a responder was asked about comes by name, and is let in then where no code is wanted.
    fn may_be_decided(&self) -> bool {
        !self.vouched.is_empty() && self.flags & (ASKS | RULE) == ASKS
    }

    /// What was held back is answered.
    fn decided(&mut self) {
        let answers = self.sent();
        assert!(answers.is_empty() || self.has_asked || self.has_looked, "nobody asked");
        assert!(answers.len() <= MAX_CONVERSATIONS);
        for answer in answers {
            self.answered(&answer);
        }
    }

    fn hand_in(&mut self, datagram: Vec<u8>) {
        // An answer that was given may be asked for again.
        self.may_enter = self.has_entered;
        let arrival = Arrival::Datagram { hop: hop(Listener::Auth, NAS, 1_645), octets: &datagram };
        self.engine.handle(self.now, arrival);
        while let Some(step) = self.engine.poll_step() {
            self.engine.resume(self.now, step.run(self.now), Duration::from_micros(300));
        }
        let answers = self.sent();
        assert!(answers.len() <= 1, "one request has one answer");
        assert!(self.engine.conversations() <= MAX_CONVERSATIONS);
        self.last = datagram;
        for answer in answers {
            self.answered(&answer);
        }
    }

    fn answered(&mut self, answer: &[u8]) {
        let packet = Packet::parse(answer).expect("a packet");
        self.accepted |= packet.code() == Code::ACCESS_ACCEPT;
        self.by_certificate |= packet.code() == Code::ACCESS_ACCEPT && packet.first(Type::CLASS).is_some();
        if packet.code() == Code::ACCESS_ACCEPT && packet.first(Type::EAP_MESSAGE).is_none() {
            self.entered(&packet);
        }
        if let Some(state) = packet.first(Type::STATE) {
            self.state = state.to_vec();
        }
        if let Next::Send(next) = self.login.handle(answer, self.now.wall) {
            self.request = next;
        }
    }

    /// Somebody was let in without EAP.
    fn entered(&mut self, accept: &Packet<'_>) {
        assert!(self.may_enter, "nobody had vouched for this, or no code was right");
        assert_eq!(accept.first_vendor(vendor::MICROSOFT, vendor::MS_MPPE_RECV_KEY), None, "keys of nothing");
        let name = accept.text(Type::USER_NAME).expect("an Accept names its user");
        let is_known = NAMES.contains(&name.as_bytes());
        assert!(is_known && (name.as_bytes() == NAMES[0] || self.flags & AFTER_PASSWORD != 0), "{name}");
        self.has_entered = true;
    }

    fn sent(&mut self) -> Vec<Vec<u8>> {
        let mut sent = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Send(outgoing) => sent.push(outgoing.octets.to_vec()),
                // A panic in a Step ends as an event.
                Output::Event(event) => assert_ne!(event.reason, Reason::Internal, "{event:?}"),
                Output::Ask(ticket, questions) => {
                    assert!(!questions.is_empty(), "a question about nothing");
                    self.asked = Some(ticket);
                    self.has_asked = true;
                }
                Output::Seen(facts) => assert_eq!(&*facts.authority, "root"),
                Output::Session(_) | Output::Done(..) | Output::Request(_) | Output::Notice(_) => {}
                Output::Look(ticket, lookup) => {
                    self.looked = Some((ticket, lookup));
                    self.has_looked = true;
                }
                Output::Record(..) => panic!("a record of no accounting"),
            }
        }
        sent
    }

    /// Nothing is left behind.
    fn end(&mut self) {
        self.turn(Duration::from_secs(3_600));
        // What was decided then is kept for a while.
        self.turn(Duration::from_secs(3_600));
        // Who was let in is thought to be online for as long as the service says.
        self.turn(Duration::from_secs(48 * 3_600));
        assert!(self.engine.sessions().is_empty());
        assert_eq!((self.engine.conversations(), self.engine.waiting_steps()), (0, 0));
        assert_eq!(self.engine.poll_timeout(), None);
    }
}

fn begin(supplicant: &Supplicant, station: u8, resume: bool, now: Now) -> (Login, Vec<u8>) {
    let mac = format!("02-00-00-00-00-{station:02x}");
    let station = Station { ssid: Some(SERVICE.to_owned()), mac, ..Station::default() };
    let mut login = supplicant.login(Arc::new(Asker::new(Secret::new(SECRET))), station, resume, now.wall);
    let request = login.begin();
    (login, request)
}

fn credential(flags: u8) -> (&'static [u8], &'static [u8]) {
    if flags & IS_REVOKED == 0 { (MEMBER, MEMBER_KEY) } else { (REVOKED, REVOKED_KEY) }
}

fn supplicant(flags: u8) -> Supplicant {
    let (certificate, key) = credential(flags);
    let settings = supplicant::Settings {
        identity: "@campus.example".to_owned(),
        chain: vec![certificate.to_vec()],
        key: Some(Secret::new(key)),
        anchors: vec![ROOT.to_vec()],
        version: (flags & OLD_TLS != 0).then_some(TlsVersion::Tls12),
        fragment_size: if flags & SMALL_FRAGMENTS == 0 { 1_200 } else { 200 },
        always_length: false,
        server_names: Vec::new(),
    };
    Supplicant::new(settings).expect("a good credential")
}

fn settings() -> Settings {
    Settings {
        exchange: exchange::Settings {
            keep_answer: Duration::from_secs(20),
            keep_unanswered: Duration::from_secs(60),
            max_exchanges: 8,
        },
        max_conversations: MAX_CONVERSATIONS,
        conversation_timeout: Duration::from_secs(60),
        max_waiting: Duration::from_millis(500),
        ask_timeout: Duration::from_secs(2),
        max_asking: 4_096,
        nas_max_asking: 256,
        reserved_asking: 16,
        records: Bounds { timeout: Duration::from_secs(2), most: 4_096, nas_most: 1_024, reserved: 0 },
        sessions: sessions::Settings { max_sessions: 64 },
    }
}

fn snapshot(flags: u8) -> Arc<Snapshot> {
    const WAYS: u8 = ASKS | AFTER_PASSWORD | RULE;
    static SNAPSHOTS: LazyLock<Vec<Arc<Snapshot>>> =
        LazyLock::new(|| (0..=WAYS / ASKS).map(|ways| make_snapshot(ways * ASKS)).collect());
    SNAPSHOTS[usize::from((flags & WAYS) / ASKS)].clone()
}

/// The campus' service, with codes as the flags say.
fn policy(flags: u8) -> Policy {
    let otp = if flags & AFTER_PASSWORD == 0 { OtpAfter::Certificate } else { OtpAfter::NasPassword };
    let everybody = Rule { when: When::default(), grants: Grants::default(), deny: false, otp: true };
    let rules = if flags & RULE == 0 { Vec::new() } else { vec![everybody] };
    Policy::new(vec![ServiceSettings { otp: Some(otp), rules, ..service() }], Vec::new())
}

fn make_snapshot(flags: u8) -> Arc<Snapshot> {
    let revocation = if flags & ASKS == 0 { RevocationSource::Crl } else { RevocationSource::OcspThenCrl };
    let campus = campus();
    let authority = |name, intermediates| AuthoritySettings { revocation, ..authority(name, ROOT, intermediates) };
    let authorities = [authority("root", &[]), authority("issuing", &[ISSUING])];
    let (trust, _) = Trust::new(&authorities, NOW.wall).expect("good authorities");
    let identity =
        IdentitySettings { name: "campus".into(), chain: vec![SERVER.to_vec()], key: Secret::new(SERVER_KEY) };
    let tls = tls::Settings {
        identities: vec![identity],
        versions: vec![TlsVersion::Tls13, TlsVersion::Tls12],
        groups: vec![Group::X25519, Group::Secp256r1],
        resumption: Duration::from_secs(8 * 3_600),
        ticket_keys: Vec::new(),
        max_session_ids: 100,
    };
    let access = access::Snapshot {
        eap: eap::Settings { fragment_size: 1_000, max_message: 16 * 1_024, max_idle_rounds: 50 },
        policy: Arc::new(policy(flags)),
        trust: Arc::new(trust),
        revocation: campus.revocation.clone(),
        standing: Arc::new(Standing::new(&[])),
        tls: Arc::new(tls::Server::new(&tls, None).expect("a good identity")),
        handles: Arc::new(Handles::new(None).expect("random octets")),
    };
    Arc::new(Snapshot {
        peers: campus.peers.clone(),
        access: Arc::new(access),
        disconnect: sekisho::engine::Automatic::default(),
    })
}

fn eap_of(request: &[u8]) -> Option<Vec<u8>> {
    let mut eap = Vec::new();
    Packet::parse(request).ok()?.join_eap(&mut eap).ok()?.then_some(eap)
}

fn with_length(eap: &[u8]) -> Vec<u8> {
    let mut eap = eap.to_vec();
    let length = u16::try_from(eap.len()).unwrap_or(u16::MAX).to_be_bytes();
    if let Some(field) = eap.get_mut(2..4) {
        field.copy_from_slice(&length);
    }
    eap
}

/// A request with another EAP packet.
fn with_eap(request: &[u8], eap: &[u8]) -> Vec<u8> {
    let Ok(packet) = Packet::parse(request) else { return Vec::new() };
    let mut octets = request.get(..20).unwrap_or_default().to_vec();
    for attribute in packet.attributes().filter(|attribute| attribute.kind != Type::EAP_MESSAGE) {
        push(&mut octets, attribute.kind, attribute.value);
    }
    push_eap(&mut octets, eap);
    sign(&octets)
}

fn made_up(number: u8, state: &[u8], eap: &[u8]) -> Vec<u8> {
    let mut octets = vec![Code::ACCESS_REQUEST.0, number, 0, 0];
    octets.extend([number; 16]);
    if !state.is_empty() {
        push(&mut octets, Type::STATE, state);
    }
    push_eap(&mut octets, eap);
    sign(&octets)
}

/// A request without EAP, as its octet says.
fn by_name(number: u8, choice: u8, state: &[u8], password: &[u8]) -> Vec<u8> {
    let authenticator = [number; 16];
    let mut octets = [&[Code::ACCESS_REQUEST.0, number, 0, 0][..], &authenticator].concat();
    if choice & WITH_STATE != 0 && !state.is_empty() {
        push(&mut octets, Type::STATE, state);
    }
    let mut name = NAMES[usize::from(choice >> 2) % NAMES.len()].to_vec();
    if choice & IN_CAPITALS != 0 {
        name.make_ascii_uppercase();
    }
    push(&mut octets, Type::USER_NAME, &name);
    let password = if choice & BY_NAME == 0 { password } else { COMMON };
    let covered = hidden::hide_password(&Secret::new(SECRET), &authenticator, password);
    if let Some(covered) = covered.ok().filter(|_| choice & NO_PASSWORD == 0) {
        push(&mut octets, Type::USER_PASSWORD, &covered);
    }
    if choice & CHALLENGED != 0 {
        push(&mut octets, Type(3), &[number; 17]);
    }
    if choice & EAP_TOO != 0 {
        push_eap(&mut octets, &[2, number, 0, 5, 1]);
    }
    sign(&octets)
}

fn push_eap(octets: &mut Vec<u8>, eap: &[u8]) {
    eap.chunks(253).for_each(|part| push(octets, Type::EAP_MESSAGE, part));
}

fn push(octets: &mut Vec<u8>, kind: Type, value: &[u8]) {
    octets.extend([kind.0, u8::try_from(value.len() + 2).unwrap_or(u8::MAX)]);
    octets.extend(value);
}

//! An engine with the look-alike campus' configuration, and what drives it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sekisho::access::{self, Handles};
use sekisho::engine::{
    Arrival, Automatic, Bounds, Change, Datagram, Done, Engine, Facts, Kept, Lookup, Notice, Order, Output, Past,
    Question, Record, Settings, Snapshot, Ticket,
};
use sekisho::event::{Event, Listener, Method, OcspStatus, Outcome, Reason, TlsVersion};
use sekisho::exchange::{self, Asker, DisconnectSettings, Hop, NasSettings, Outgoing, Peers, Prefix};
use sekisho::now::{Mono, Now, Wall};
use sekisho::pki::{
    Answers, AuthoritySettings, Crl, Distrust, OcspAnswer, Origin, Purpose, Revocation, RevocationSource, Trust,
};
use sekisho::policy::{
    Authorize, Grants, Match, OtpAfter, Policy, ReplyUsername, Rule, ServiceSettings, UsernameRule, UsernameSource,
    When,
};
use sekisho::secret::Secret;
use sekisho::standing::{Blocks, Standing};
use sekisho::supplicant::{Next, Report, Station, Supplicant};
use sekisho::tls::{self, Group, IdentitySettings};
use sekisho::{eap, sessions, supplicant};

use crate::ocsp;
use crate::pki::{self, CAMPUS, Credential, crl, pki};

pub(crate) const SECRET: &[u8] = b"a secret of the tests";
pub(crate) const NAS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// Another NAS: needs Message-Authenticator only with Proxy-State or EAP, gets no Class, and its users another VLAN.
pub(crate) const OTHER_NAS: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
pub(crate) const OTHER_NAS_VLAN: &str = "140";

/// What the tests vary.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) max_conversations: usize,
    pub(crate) nas_max_conversations: usize,
    pub(crate) conversation_timeout: Duration,
    pub(crate) max_waiting: Duration,
    pub(crate) resumption: Duration,
    pub(crate) vlan: &'static str,
    pub(crate) realms: Option<Vec<String>>,
    pub(crate) suspended: &'static str,
    pub(crate) methods: Vec<Method>,
    pub(crate) nas_services: Option<Vec<Arc<str>>>,
    pub(crate) fragment_size: usize,
    pub(crate) filter_id: Option<&'static str>,
    pub(crate) session_timeout: Option<Duration>,
    pub(crate) reply_username: ReplyUsername,
    /// Where the authority "silent" has revocation data from.
    pub(crate) sources: RevocationSource,
    /// Its `grace`.
    pub(crate) grace: Duration,
    /// Its CRL: the number, and who is on it.
    pub(crate) silent_crl: Option<(u64, Vec<&'static Credential>)>,
    /// How many conversations may wait for a responder, in all and of one NAS.
    pub(crate) max_asking: (usize, usize),
    /// How many accounting records may wait.
    pub(crate) max_records: usize,
    /// How many sessions may be live.
    pub(crate) max_sessions: usize,
    /// How NAS are told to end sessions, and how many sessions go by themselves.
    pub(crate) disconnect: Option<DisconnectSettings>,
    pub(crate) automatic: Automatic,
    /// The access points' network is a NAS.
    pub(crate) is_nas: bool,
    /// What is blocked here.
    pub(crate) blocks: Arc<Blocks>,
    /// The services that there are.
    pub(crate) services: Vec<&'static str>,
    /// Their ways in without EAP.
    pub(crate) authorize: Option<Authorize>,
    pub(crate) otp: Option<OtpAfter>,
    /// A rule that wants a code of everybody.
    pub(crate) otp_rule: bool,
    /// Authorities of the services.
    pub(crate) authorities: Vec<&'static str>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_conversations: 1_000,
            nas_max_conversations: 0,
            conversation_timeout: Duration::from_secs(60),
            max_waiting: Duration::from_millis(500),
            resumption: Duration::from_secs(8 * 3_600),
            vlan: "120",
            realms: None,
            suspended: "",
            methods: vec![Method::EapTls],
            nas_services: None,
            fragment_size: 1_200,
            filter_id: None,
            session_timeout: None,
            reply_username: ReplyUsername::Certificate,
            sources: RevocationSource::Crl,
            grace: Duration::ZERO,
            silent_crl: None,
            max_asking: (4_096, 256),
            max_records: 4_096,
            max_sessions: 10_000,
            disconnect: None,
            automatic: Automatic::default(),
            is_nas: true,
            blocks: Arc::default(),
            services: vec!["JAIST", "eduroam"],
            authorize: None,
            otp: None,
            otp_rule: false,
            authorities: vec!["ca16", "pub-ca8", "odca-g4", "silent"],
        }
    }
}

/// The engine, its clock, and what it said.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) now: Now,
    pub(crate) options: Options,
    pub(crate) trust: Arc<Trust>,
    pub(crate) tls: Arc<tls::Server>,
    pub(crate) handles: Arc<Handles>,
    pub(crate) events: Vec<Event>,
    /// Orders that have been carried out.
    pub(crate) done: Vec<Ticket>,
    /// What came of them.
    pub(crate) results: Vec<Done>,
    /// What is asked of NAS.
    pub(crate) requests: Vec<Datagram>,
    pub(crate) notices: Vec<Notice>,
    /// Steps that were run.
    pub(crate) steps: usize,
    /// Who is asked about certificates.
    pub(crate) responder: Responder,
    /// What was asked.
    pub(crate) asked: Vec<(Ticket, Vec<Question>)>,
    /// What is to be looked up.
    pub(crate) looks: Vec<(Ticket, Lookup)>,
    /// What was shown.
    pub(crate) seen: Vec<Arc<Facts>>,
    /// Accounting records that nobody has written yet.
    pub(crate) records: Vec<(Ticket, Record)>,
    /// What has become of sessions.
    pub(crate) changes: Vec<Change>,
    answers: Arc<Answers>,
    /// What the responder will say, and when.
    due: Vec<(Mono, Ticket, Vec<Question>, Says)>,
    next_ticket: u64,
}

fn der(pem: &str) -> Vec<Vec<u8>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).map(|one| one.expect("PEM").to_vec()).collect()
}

pub(crate) fn key(credential: &Credential) -> Secret {
    Secret::new(PrivateKeyDer::from_pem_slice(credential.key.as_bytes()).expect("PEM").secret_der())
}

pub(crate) fn chain(credential: &Credential) -> Vec<Vec<u8>> {
    der(&credential.chain)
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        Self::restarted(options, Vec::new())
    }

    /// A new process, whose database has kept these sessions.
    pub(crate) fn restarted(options: Options, kept: Vec<Kept>) -> Self {
        Self::restored(options, kept, Past::default())
    }

    /// One whose database has kept what had been decided about those that have to go, too.
    pub(crate) fn restored(options: Options, kept: Vec<Kept>, past: Past) -> Self {
        let now = Now { mono: Mono::default(), wall: Wall(pki::now()) };
        let (trust, _) = Trust::new(&authorities(&options), now.wall).expect("good authorities");
        let trust = Arc::new(trust);
        let tls = Arc::new(tls::Server::new(&tls_settings(&options), None).expect("good identities"));
        let handles = Arc::new(Handles::new(Some(&Secret::new(*b"cui"))).expect("random octets"));
        let answers = Arc::new(Answers::default());
        let first = snapshot(&options, &trust, &tls, &handles, &answers, &[(1, &[&pki().revoked])]);
        let settings = Settings {
            exchange: exchange::Settings {
                keep_answer: Duration::from_secs(20),
                keep_unanswered: Duration::from_secs(60),
                max_exchanges: 100_000,
            },
            max_conversations: options.max_conversations,
            conversation_timeout: options.conversation_timeout,
            max_waiting: options.max_waiting,
            ask_timeout: Duration::from_secs(2),
            max_asking: options.max_asking.0,
            nas_max_asking: options.max_asking.1,
            reserved_asking: 0,
            records: Bounds {
                timeout: Duration::from_secs(2),
                most: options.max_records,
                nas_most: options.max_records,
                reserved: 0,
            },
            sessions: sessions::Settings { max_sessions: options.max_sessions },
        };
        let engine = Engine::restored(now, settings, first, kept, past).expect("random octets");
        Self {
            engine,
            now,
            options,
            trust,
            tls,
            handles,
            events: Vec::new(),
            done: Vec::new(),
            results: Vec::new(),
            requests: Vec::new(),
            notices: Vec::new(),
            steps: 0,
            responder: Responder::silent(),
            asked: Vec::new(),
            looks: Vec::new(),
            seen: Vec::new(),
            records: Vec::new(),
            changes: Vec::new(),
            answers,
            due: Vec::new(),
            next_ticket: 1,
        }
    }

    /// From now on CA16's CRL has this number and lists these.
    pub(crate) fn publish(&mut self, number: u64, revoked: &[&Credential]) {
        let next = snapshot(&self.options, &self.trust, &self.tls, &self.handles, &self.answers, &[(number, revoked)]);
        self.order(Order::Swap(next));
    }

    /// From now on these options are in force.
    pub(crate) fn reload(&mut self, change: impl FnOnce(&mut Options)) {
        change(&mut self.options);
        self.publish(1, &[&pki().revoked]);
    }

    pub(crate) fn order(&mut self, order: Order) -> Ticket {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.engine.handle(self.now, Arrival::Order(ticket, order));
        ticket
    }

    /// Turns the clock.
    pub(crate) fn wait(&mut self, time: Duration) {
        let until = self.now.mono + time;
        while let Some(at) = self.next_answer().filter(|at| *at <= until) {
            self.turn_to(at);
            self.engine.handle_timeout(self.now);
            self.deliver();
        }
        self.turn_to(until);
        self.engine.handle_timeout(self.now);
    }

    fn turn_to(&mut self, mono: Mono) {
        let time = mono.since(self.now.mono);
        self.now = Now { mono, wall: self.now.wall + time };
    }

    /// When the responder says something next.
    fn next_answer(&self) -> Option<Mono> {
        self.due.iter().map(|(at, ..)| *at).min()
    }

    /// What the responder says by now.
    fn deliver(&mut self) {
        let now = self.now.mono;
        let (said, due) = std::mem::take(&mut self.due).into_iter().partition(|(at, ..)| *at <= now);
        self.due = due;
        let said: Vec<_> = said;
        for (_, ticket, questions, says) in said {
            for question in questions {
                self.learn(&question, says);
            }
            self.engine.handle(self.now, Arrival::Answer(ticket));
        }
    }

    /// A responder's answer is known from now on.
    pub(crate) fn learn(&mut self, question: &Question, says: Says) {
        let Says::Status(status, good_for) = says else { return };
        let request = question.request(&self.trust, None).expect("an issuer of ours");
        let dates = (self.now.wall, self.now.wall + good_for);
        let octets = ocsp::respond(&request, pki().silent.key(), status, dates);
        let source = "http://ocsp.invalid/".into();
        let answer =
            OcspAnswer::load(&octets, question, &source, Origin::Fetched { nonce: None }, &self.trust, self.now.wall);
        self.answers.insert(Arc::new(answer.expect("a good answer")));
    }

    /// No responder is well from now on.
    pub(crate) fn nobody_answers(&self) {
        let issuers = self.trust.authorities().flat_map(|authority| {
            let issuers = self.trust.consulted(&authority.name);
            issuers.iter().map(|issuer| (Arc::clone(&authority.name), *issuer)).collect::<Vec<_>>()
        });
        self.answers.nobody_answers(issuers.collect());
    }

    pub(crate) fn somebody_answers(&self) {
        self.answers.nobody_answers(Vec::new());
    }

    /// Turns the clock to what is due next, and says what is sent then.
    pub(crate) fn until_next(&mut self) -> Vec<Outgoing> {
        let due = self.next_answer().into_iter().chain(self.engine.poll_timeout()).min().expect("something is due");
        self.wait(due.since(self.now.mono));
        self.sent()
    }

    /// A datagram from a port of the NAS; what the engine sends at once.
    pub(crate) fn hand_in(&mut self, port: u16, octets: &[u8]) -> Vec<Outgoing> {
        self.hand_in_from(SocketAddr::new(NAS, port), octets)
    }

    pub(crate) fn hand_in_from(&mut self, peer: SocketAddr, octets: &[u8]) -> Vec<Outgoing> {
        let hop = Hop { listener: Listener::Auth, socket: 0, local: None, peer };
        self.engine.handle(self.now, Arrival::Datagram { hop, octets });
        self.sent()
    }

    /// Runs one waiting Step; `None`: there was none.
    pub(crate) fn step(&mut self) -> Option<Vec<Outgoing>> {
        let step = self.engine.poll_step()?;
        self.steps += 1;
        self.engine.resume(self.now, step.run(self.now), Duration::from_micros(300));
        Some(self.sent())
    }

    /// What the engine wants sent; events are kept.
    pub(crate) fn sent(&mut self) -> Vec<Outgoing> {
        let mut sent = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Send(outgoing) => sent.push(outgoing),
                Output::Event(event) => self.events.push(event),
                Output::Done(ticket, result) => {
                    self.done.push(ticket);
                    self.results.push(result);
                }
                Output::Request(datagram) => self.requests.push(datagram),
                Output::Notice(notice) => self.notices.push(notice),
                Output::Ask(ticket, questions) => self.ask(ticket, questions),
                Output::Look(ticket, lookup) => self.looks.push((ticket, lookup)),
                Output::Seen(facts) => self.seen.push(facts),
                Output::Record(ticket, record) => self.records.push((ticket, *record)),
                Output::Session(change) => self.changes.push(change),
            }
        }
        sent
    }

    fn ask(&mut self, ticket: Ticket, questions: Vec<Question>) {
        self.asked.push((ticket, questions.clone()));
        if let Some((after, says)) = self.responder.0 {
            self.due.push((self.now.mono + after, ticket, questions, says));
            if after.is_zero() {
                self.deliver();
            }
        }
    }

    /// A datagram, and all the work that it causes.
    pub(crate) fn exchange(&mut self, port: u16, octets: &[u8]) -> Vec<Outgoing> {
        self.exchange_from(SocketAddr::new(NAS, port), octets)
    }

    pub(crate) fn exchange_from(&mut self, peer: SocketAddr, octets: &[u8]) -> Vec<Outgoing> {
        let mut sent = self.hand_in_from(peer, octets);
        while let Some(more) = self.step() {
            sent.extend(more);
        }
        sent
    }

    /// A whole login over a network that loses nothing.
    pub(crate) fn log_in(&mut self, supplicant: &Supplicant, station: &Station, resume: bool) -> Report {
        let mut login = supplicant.login(asker(), station.clone(), resume, self.now.wall);
        let mut request = login.begin();
        loop {
            let mut sent = self.exchange(1_645, &request);
            if sent.is_empty() {
                sent = self.until_next();
            }
            let [answer] = sent.as_slice() else { panic!("{} answers; {:?}", sent.len(), self.events.last()) };
            match login.handle(&answer.octets, self.now.wall) {
                Next::Send(next) => request = next,
                Next::Done(report) => return *report,
                Next::Ignored => panic!("an answer that isn't ours: {:?}", self.events.last()),
            }
        }
    }

    /// The last decision: outcome and reason.
    pub(crate) fn decided(&self) -> (Outcome, Reason) {
        let event = self.events.iter().rev().find(|event| event.authentication.is_some()).expect("a decision");
        (event.outcome, event.reason)
    }

    pub(crate) fn count(&self, outcome: Outcome, reason: Reason) -> usize {
        self.events.iter().filter(|event| (event.outcome, event.reason) == (outcome, reason)).count()
    }
}

/// Who is asked about certificates, by whoever turns the clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Responder(Option<(Duration, Says)>);

/// What a responder says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    /// This, which is good from then on for so long.
    Status(OcspStatus, Duration),
    /// Nothing: there is nobody to ask.
    Nothing,
}

impl Responder {
    pub(crate) fn silent() -> Self {
        Self(None)
    }

    pub(crate) fn after(time: Duration, says: Says) -> Self {
        Self(Some((time, says)))
    }

    pub(crate) fn at_once(says: Says) -> Self {
        Self::after(Duration::ZERO, says)
    }
}

pub(crate) fn asker() -> Arc<Asker> {
    Arc::new(Asker::new(Secret::new(SECRET)))
}

/// A station on an SSID; `number` makes its address.
pub(crate) fn station(ssid: &str, number: u32) -> Station {
    let [_, a, b, c] = number.to_be_bytes();
    Station { ssid: Some(ssid.to_owned()), mac: format!("02-00-00-{a:02x}-{b:02x}-{c:02x}"), ..Station::default() }
}

/// Who logs in with a credential.
pub(crate) fn supplicant(credential: &Credential, version: Option<TlsVersion>) -> Supplicant {
    Supplicant::new(supplicant_settings(credential, version)).expect("a good credential")
}

pub(crate) fn supplicant_settings(credential: &Credential, version: Option<TlsVersion>) -> supplicant::Settings {
    supplicant::Settings {
        identity: "@jaist.ac.jp".to_owned(),
        chain: chain(credential),
        key: Some(key(credential)),
        anchors: der(&pki().server_ca.pem()),
        version,
        fragment_size: 1_200,
        always_length: false,
        server_names: Vec::new(),
    }
}

fn authorities(options: &Options) -> Vec<AuthoritySettings> {
    let authority = |name: &str, anchor: String, intermediates: Vec<String>| AuthoritySettings {
        name: name.into(),
        anchor: der(&anchor).remove(0),
        fingerprint_sha1: None,
        fingerprint_sha256: None,
        intermediates: intermediates.iter().map(|pem| der(pem).remove(0)).collect(),
        subject: vec![("O".to_owned(), CAMPUS.to_owned()), ("C".to_owned(), "JP".to_owned())],
        purpose: Purpose { require: vec!["clientAuth".to_owned()], policies: Vec::new(), refuse_policies: Vec::new() },
        revocation: RevocationSource::Crl,
        grace: Duration::ZERO,
        distrust: None,
    };
    let pki = pki();
    let mut retired = authority("odca-g4", pki.root_ca2.pem(), vec![pki.retired.pem()]);
    retired.distrust =
        Some(Distrust { from: Wall(1_642_345_200), issued_before: Some(Wall(1_608_822_000)), issued_after: None });
    let silent = authority("silent", pki.silent.pem(), Vec::new());
    vec![
        authority("ca16", pki.ca16.pem(), Vec::new()),
        authority("pub-ca8", pki.root_ca2.pem(), vec![pki.pub_ca8.pem()]),
        retired,
        AuthoritySettings { revocation: options.sources, grace: options.grace, ..silent },
    ]
}

fn tls_settings(options: &Options) -> tls::Settings {
    let identity = |name: &str, credential: &Credential| IdentitySettings {
        name: name.into(),
        chain: chain(credential),
        key: key(credential),
    };
    tls::Settings {
        identities: vec![identity("ecdsa", &pki().server_p256), identity("rsa", &pki().server_rsa)],
        versions: vec![TlsVersion::Tls13, TlsVersion::Tls12],
        groups: vec![Group::X25519, Group::Secp256r1],
        resumption: options.resumption,
        ticket_keys: Vec::new(),
        max_session_ids: 1_000,
    }
}

fn snapshot(
    options: &Options,
    trust: &Arc<Trust>,
    tls: &Arc<tls::Server>,
    handles: &Arc<Handles>,
    answers: &Arc<Answers>,
    ca16: &[(u64, &[&Credential])],
) -> Arc<Snapshot> {
    let load = |name: &str, octets: Vec<u8>| {
        Arc::new(Crl::load(&octets, &name.into(), &"memory".into(), trust).expect("a good CRL"))
    };
    let pki = pki();
    let mut crls = vec![
        load("pub-ca8", crl(&pki.root_ca2, 1, &[])),
        load("pub-ca8", crl(&pki.pub_ca8, 1, &[])),
        load("odca-g4", crl(&pki.retired, 1, &[])),
    ];
    crls.extend(ca16.iter().map(|(number, revoked)| load("ca16", crl(&pki.ca16, *number, revoked))));
    crls.extend(options.silent_crl.iter().map(|(number, revoked)| load("silent", crl(&pki.silent, *number, revoked))));
    let network = |a, b, c, bits| Prefix { address: IpAddr::V4(Ipv4Addr::new(a, b, c, 0)), bits };
    let nas = NasSettings {
        name: "ap".into(),
        address: if options.is_nas { vec![network(192, 0, 2, 24), network(10, 0, 0, 8)] } else { Vec::new() },
        secret: Secret::new(SECRET),
        services: options.nas_services.clone(),
        methods: options.methods.clone(),
        require_message_authenticator: true,
        limit_proxy_state: true,
        max_conversations: options.nas_max_conversations,
        class: true,
        federation: false,
        disconnect: options.disconnect.clone(),
    };
    let other = NasSettings {
        name: "other".into(),
        address: vec![network(198, 51, 100, 24)],
        require_message_authenticator: false,
        class: false,
        ..nas.clone()
    };
    let access = access::Snapshot {
        eap: eap::Settings { fragment_size: options.fragment_size, max_message: 16 * 1_024, max_idle_rounds: 50 },
        policy: Arc::new(policy(options)),
        trust: trust.clone(),
        revocation: Arc::new(Revocation::new(crls).with_answers(answers.clone())),
        standing: Arc::new(
            Standing::new(&[("suspended".into(), options.suspended.to_owned())])
                .with_blocks(Arc::clone(&options.blocks)),
        ),
        tls: tls.clone(),
        handles: handles.clone(),
    };
    Arc::new(Snapshot {
        peers: Arc::new(Peers::new(&[nas, other]).expect("two NAS")),
        access: Arc::new(access),
        disconnect: options.automatic,
    })
}

fn policy(options: &Options) -> Policy {
    let service = |name: &str, vlan: &str| ServiceSettings {
        name: name.into(),
        matches: vec![Match { ssid: Some(vec![name.to_owned()]), ..Match::default() }],
        authorities: options.authorities.iter().copied().map(Into::into).collect(),
        identities: Vec::new(),
        realms: options.realms.clone(),
        reply_username: options.reply_username,
        grants: Grants {
            vlan: Some(vlan.to_owned()),
            filter_id: options.filter_id.map(str::to_owned),
            session_timeout: options.session_timeout,
            ..Grants::default()
        },
        rules: vec![
            Rule {
                when: When { group: Some(vec!["suspended".into()]), ..When::default() },
                grants: Grants::default(),
                deny: true,
                otp: false,
            },
            Rule {
                when: When { nas: Some(vec!["other".into()]), ..When::default() },
                grants: Grants { vlan: Some(OTHER_NAS_VLAN.to_owned()), ..Grants::default() },
                deny: false,
                otp: false,
            },
            Rule {
                when: When { group: (!options.otp_rule).then(Vec::new), ..When::default() },
                grants: Grants::default(),
                deny: false,
                otp: true,
            },
        ],
        authorize: options.authorize.clone(),
        otp: options.otp,
    };
    let username = |authority: &str| UsernameRule {
        authority: authority.into(),
        sources: vec![UsernameSource::SanEmail, UsernameSource::Cn],
        lowercase: true,
        strip_realm: false,
    };
    let usernames = ["ca16", "pub-ca8", "odca-g4", "silent"].map(username).to_vec();
    let vlan = |name| if name == "JAIST" { options.vlan } else { "130" };
    Policy::new(options.services.iter().map(|name| service(name, vlan(*name))).collect(), usernames)
}

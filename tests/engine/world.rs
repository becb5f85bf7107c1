//! An engine with the look-alike campus' configuration, and what drives it.

mod configuration;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sekisho::access::Handles;
use sekisho::engine::{
    Arrival, Change, Datagram, Done, Engine, Facts, Kept, Lookup, Notice, Order, Output, Past, Question, Record, Ticket,
};
use sekisho::event::{Event, Listener, OcspStatus, Outcome, Reason, TlsVersion};
use sekisho::exchange::{Asker, Hop, Outgoing};
use sekisho::now::{Mono, Now, Wall};
use sekisho::pki::{Answers, OcspAnswer, Origin, Trust};
use sekisho::secret::Secret;
use sekisho::supplicant::{self, Next, Report, Station, Supplicant};
use sekisho::tls;

use crate::ocsp;
use crate::pki::{self, Credential, pki};
use configuration::{authorities, der, settings, snapshot, tls_settings};

pub(crate) use configuration::{NAS, OTHER_NAS, OTHER_NAS_VLAN, Options, SECRET, chain, key};

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
        let engine = Engine::restored(now, settings(&options), first, kept, past).expect("random octets");
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

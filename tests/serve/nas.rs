//! A NAS with stations, played over real UDP: it asks, accounts, and is told to end sessions.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rcgen::DnType;
use sekisho::exchange::Asker;
use sekisho::now::Wall;
use sekisho::radius::{Attributes, Code, Key, Packet, Type, Writer};
use sekisho::secret::Secret;
use sekisho::supplicant::{Next, Report, Settings, Station, Supplicant};

use super::support::certificates::{self, client};
use super::{Campus, Serving};

pub(super) const SECRET: &str = "a secret that is long enough";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the NAS asks again.
const AGAIN: Duration = Duration::from_secs(3);

/// Somebody with a certificate.
pub(super) struct Person {
    supplicant: Supplicant,
}

impl Person {
    /// `name`@example.ac.jp with this serial.
    pub(super) fn new(campus: &Campus, name: &str, serial: u64) -> Self {
        let key = certificates::Key::P256.make();
        let mail = format!("{name}@example.ac.jp");
        let mut params = client(&[(DnType::OrganizationName, "Example University")], &mail);
        params.serial_number = Some(serial.into());
        let certificate = params.signed_by(&key, &campus.ca).expect("a certificate");
        let settings = Settings {
            identity: "@example.ac.jp".into(),
            chain: vec![certificate.der().to_vec()],
            key: Some(Secret::new(key.serialize_der())),
            anchors: vec![campus.ca.der().to_vec()],
            version: None,
            fragment_size: 1_200,
            always_length: false,
            server_names: Vec::new(),
        };
        Self { supplicant: Supplicant::new(settings).expect("a good credential") }
    }
}

/// What a NAS says when it is told to end a session.
#[derive(Clone, Copy, Debug)]
pub(super) enum Says {
    Ack,
    Nak(u32),
    Nothing,
}

/// What it was told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Told {
    pub(super) session: String,
    pub(super) station: String,
    pub(super) user: String,
}

#[derive(Debug)]
struct Shared {
    says: Mutex<Says>,
    told: Mutex<Vec<Told>>,
    ends: AtomicBool,
}

/// A NAS at an address of loopback.
pub(super) struct Nas {
    pub(super) name: &'static str,
    pub(super) address: Ipv4Addr,
    /// Where it is told to end sessions.
    port: u16,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

/// A session as its NAS knows it.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub(super) session: String,
    pub(super) station: String,
    user_name: Vec<u8>,
    class: Option<Vec<u8>>,
}

impl Nas {
    pub(super) fn new(name: &'static str, number: u8) -> Self {
        let address = Ipv4Addr::new(127, 0, 0, number);
        let socket = UdpSocket::bind((address, 0)).expect("loopback can be bound");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a time-out can be set");
        let port = socket.local_addr().expect("it is bound").port();
        let shared =
            Arc::new(Shared { says: Mutex::new(Says::Ack), told: Mutex::default(), ends: AtomicBool::default() });
        let listening = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || listen(&socket, &shared))
        };
        Self { name, address, port, shared, listening: Some(listening) }
    }

    /// Its table of the configuration.
    pub(super) fn table(&self, disconnect: Option<&str>) -> String {
        let Self { name, address, port, .. } = self;
        let disconnect = disconnect.map(|more| format!("disconnect = {{ port = {port}{more} }}\n"));
        let disconnect = disconnect.unwrap_or_default();
        format!("[[nas]]\nname = \"{name}\"\naddress = [\"{address}\"]\nsecret = \"{SECRET}\"\n{disconnect}")
    }

    pub(super) fn says(&self, says: Says) {
        *self.shared.says.lock().expect("no panic") = says;
    }

    /// What it was told of so far, each once.
    pub(super) fn told(&self) -> Vec<Told> {
        self.shared.told.lock().expect("no panic").clone()
    }

    fn socket(&self, port: u16) -> UdpSocket {
        let socket = UdpSocket::bind((self.address, 0)).expect("loopback can be bound");
        socket.connect(("127.0.0.1", port)).expect("loopback can be reached");
        socket.set_read_timeout(Some(AGAIN)).expect("a time-out can be set");
        socket
    }

    /// A login of a station, whose session has this name; what came of it.
    pub(super) fn try_login(&self, serving: &Serving, person: &Person, station: &str, session: &str) -> Report {
        let socket = self.socket(serving.listening("auth"));
        let mut attributes = Attributes::default();
        attributes.push(Type::ACCT_SESSION_ID, session.as_bytes()).expect("it is short");
        let place = Station { ssid: Some("campus".into()), mac: station.to_owned(), attributes, ..Station::default() };
        let asker = Arc::new(Asker::new(Secret::new(SECRET)));
        let mut login = person.supplicant.login(asker, place, false, now());
        let mut request = login.begin();
        let mut answer = [0; 4_096];
        loop {
            let length = exchange(&socket, &request, &mut answer);
            match login.handle(&answer[..length], now()) {
                Next::Send(next) => request = next,
                Next::Ignored => {}
                Next::Done(report) => return *report,
            }
        }
    }

    /// A login that must succeed.
    pub(super) fn login(&self, serving: &Serving, person: &Person, station: &str, session: &str) -> Seat {
        let report = self.try_login(serving, person, station, session);
        assert!(report.logged_in, "{report:?}");
        let accept = Packet::parse(&report.reply).expect("an answer");
        let value = |kind| accept.first(kind).map(<[u8]>::to_vec);
        Seat {
            session: session.to_owned(),
            station: station.to_owned(),
            user_name: value(Type::USER_NAME).expect("an Accept names the user"),
            class: value(Type::CLASS),
        }
    }

    /// Accounts for a session, and waits for the answer. `status`: 1 Start, 2 Stop, 3 Interim-Update.
    pub(super) fn account(&self, serving: &Serving, seat: &Seat, status: u32, octets: u32) {
        let socket = self.socket(serving.listening("accounting"));
        let mut attributes = Attributes::default();
        attributes.push_integer(Type::ACCT_STATUS_TYPE, status);
        let texts = [
            (Type::ACCT_SESSION_ID, Some(seat.session.as_bytes())),
            (Type::CALLING_STATION_ID, Some(seat.station.as_bytes())),
            (Type::USER_NAME, Some(seat.user_name.as_slice())),
            (Type::CLASS, seat.class.as_deref()),
        ];
        for (kind, value) in texts {
            if let Some(value) = value {
                attributes.push(kind, value).expect("it is short");
            }
        }
        attributes.push_integer(Type::ACCT_INPUT_OCTETS, octets);
        attributes.push_integer(Type::ACCT_OUTPUT_OCTETS, octets * 2);
        let asker = Asker::new(Secret::new(SECRET));
        let request = asker.request(Code::ACCOUNTING_REQUEST, 1, [0; 16], &[], &attributes);
        let request = request.expect("it fits");
        let mut answer = [0; 4_096];
        let length = exchange(&socket, &request, &mut answer);
        asker.reply(&request, &answer[..length]).expect("an Accounting-Response");
    }
}

impl Drop for Nas {
    fn drop(&mut self) {
        self.shared.ends.store(true, Relaxed);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

/// Asks again until something comes; how long that is.
fn exchange(socket: &UdpSocket, request: &[u8], answer: &mut [u8]) -> usize {
    for _ in 0..PATIENCE.as_secs() / AGAIN.as_secs() {
        socket.send(request).expect("loopback takes it");
        if let Ok(length) = socket.recv(answer) {
            return length;
        }
    }
    panic!("no answer")
}

#[expect(clippy::disallowed_methods, reason = "these tests are the other side")]
fn now() -> Wall {
    std::time::SystemTime::now().into()
}

/// Answers as it is told to.
fn listen(socket: &UdpSocket, shared: &Shared) {
    let key = Key::new(Secret::new(SECRET));
    let mut seen = BTreeSet::new();
    let mut octets = [0; 4_096];
    while !shared.ends.load(Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut octets) else { continue };
        let request = Packet::parse(&octets[..length]).expect("a packet");
        assert_eq!(request.code(), Code::DISCONNECT_REQUEST);
        assert!(key.check_request(&request).is_ok_and(|mac| mac.is_some()), "it isn't signed");
        if seen.insert(octets[..length].to_vec()) {
            let text = |kind| request.text(kind).unwrap_or_default().to_owned();
            shared.told.lock().expect("no panic").push(Told {
                session: text(Type::ACCT_SESSION_ID),
                station: text(Type::CALLING_STATION_ID),
                user: text(Type::USER_NAME),
            });
        }
        let says = *shared.says.lock().expect("no panic");
        let (code, cause) = match says {
            Says::Ack => (Code::DISCONNECT_ACK, None),
            Says::Nak(cause) => (Code::DISCONNECT_NAK, Some(cause)),
            Says::Nothing => continue,
        };
        let mut attributes = Attributes::default();
        if let Some(cause) = cause {
            attributes.push_integer(Type::ERROR_CAUSE, cause);
        }
        let mut answer = Vec::new();
        let mut writer = Writer::new(&mut answer, code, request.identifier());
        writer.extend(&attributes);
        writer.finish(&key, request.authenticator()).expect("it fits");
        socket.send_to(&answer, from).expect("loopback takes it");
    }
}

//! OCSP: the real program and OpenSSL's responder.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use rcgen::DnType;

use super::afar::{is_ready, login, login_at};
use super::support::certificates::{Key, client, names_responder};
use super::support::http::get_with;
use super::support::responder::{Responder, free_port, publish};
use super::{Campus, Serving, pause, said};

/// A campus that goes by OCSP alone, whose configuration names the responder.
fn campus(port: u16) -> Campus {
    campus_with(port, &format!("ocsp = [\"http://127.0.0.1:{port}/\"]\n"))
}

/// The same with these lines instead. Its member's certificate names the responder.
fn campus_with(port: u16, lines: &str) -> Campus {
    let campus = Campus::new();
    let text = fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    let lines = format!("{lines}crl-refresh = \"1s\"\n");
    let text = text.replace("crl = [\"ca.crl\"]\n", &lines).replace("revocation = \"crl\"", "revocation = \"ocsp\"");
    let text = text.replace(", \"[::1]:0\"", "") + "[fetch]\ntimeout = \"1s\"\nallow = [\"127.0.0.0/8\"]\n";
    campus.write("sekisho.toml", &text);
    campus.write("ca.key", &campus.ca.key().serialize_pem());
    let key = Key::P256.make();
    let mut params = client(&[(DnType::OrganizationName, "Example University")], "hanako@example.ac.jp");
    params.serial_number = Some(5_u64.into());
    params.custom_extensions = vec![names_responder(&format!("http://127.0.0.1:{port}/"))];
    campus.write("member.pem", &params.signed_by(&key, &campus.ca).expect("a certificate").pem());
    campus.write("member.key", &key.serialize_pem());
    status(&campus, "V\t491231000000Z\t\t05\tunknown\t/O=Example University\n");
    campus
}

/// What the CA says of the member.
fn status(campus: &Campus, line: &str) {
    publish(&campus.scratch, line);
}

fn outcome(campus: &Campus, serving: &Serving) -> (Option<i32>, String) {
    let output = login(campus, serving);
    (output.status.code(), format!("{}\n{}", said(&output), serving.log()))
}

fn answers(result: &str) -> String {
    format!("sekisho_revocation_fetches_total{{authority=\"ca\",kind=\"ocsp\",result=\"{result}\"}}")
}

#[test]
fn r16_r21_a_login_waits_for_its_first_answer_and_for_no_other_and_a_revocation_counts_within_a_refresh() {
    let port = free_port();
    let campus = campus(port);
    let responder = Responder::start(&campus.scratch, port);
    let mut serving = campus.start();
    assert!(is_ready(&serving.get("/readyz")), "{}", serving.get("/readyz"));
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(0), "{text}");
    serving.wait_for_metric(&answers("ok"));
    serving.wait_for_metric("sekisho_ocsp_answers 1");
    let up =
        format!("sekisho_ocsp_responder_up{{authority=\"ca\",responder=\"http://127.0.0.1:{}/\"}} 1", responder.port);
    serving.wait_for_metric(&up);
    // Nobody is there, and nobody waits.
    drop(responder);
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(0), "{text}");
    serving.signal("HUP");
    serving.wait_for("READY=1");
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(0), "after a reload: {text}");
    assert_eq!(serving.end(), Some(0));
    let mut again = campus.start();
    let (code, text) = outcome(&campus, &again);
    assert_eq!(code, Some(0), "after a restart: {text}");
    status(&campus, "R\t491231000000Z\t260601000000Z,keyCompromise\t05\tunknown\t/O=Example University\n");
    let responder = Responder::start(&campus.scratch, port);
    let (server, campus) = (again.listening("auth"), &campus);
    again.process.wait_until("the member is refused", |_| login_at(campus, server).status.code() == Some(1));
    again.wait_for_line("reject revoked");
    drop(responder);
    assert_eq!(again.end(), Some(0));
}

#[test]
fn r21_where_no_responder_answers_a_login_is_refused_as_unknown_and_the_server_goes_on() {
    let port = free_port();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("it was free");
    let campus = campus(port);
    let mut serving = campus.start();
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(1), "{text}");
    serving.wait_for_line("reject revocation-unknown");
    drop(silent);
    assert!(serving.get("/healthz").starts_with("HTTP/1.1 200"));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn r04_a_responder_that_only_members_name_is_asked_from_the_second_login_on_and_after_a_restart() {
    let port = free_port();
    let campus = campus_with(port, "");
    let responder = Responder::start(&campus.scratch, port);
    let mut serving = campus.start();
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(1), "{text}");
    serving.wait_for_line("names the OCSP responder");
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(serving.end(), Some(0));
    drop(responder);
    let again = campus.start();
    assert!(is_ready(&again.get("/readyz")), "{}", again.get("/readyz"));
    let (code, text) = outcome(&campus, &again);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(again.end(), Some(0));
}

/// Somebody between a NAS and the server who remembers what was said last. To the server all of it comes from one port.
struct Relay {
    server: UdpSocket,
    asked: Vec<u8>,
    answered: Vec<u8>,
}

const ACCESS_ACCEPT: u8 = 2;

impl Relay {
    fn new(server: u16) -> Self {
        let socket = bound();
        socket.connect((Ipv4Addr::LOCALHOST, server)).expect("an address");
        Self { server: socket, asked: Vec::new(), answered: Vec::new() }
    }

    /// Carries everything that is said while something is done with the port at which it listens.
    fn carry<T: Send>(&mut self, what: impl FnOnce(u16) -> T + Send) -> T {
        let (nas, over) = (bound(), AtomicBool::new(false));
        let port = nas.local_addr().expect("it is bound").port();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut who: Option<SocketAddr> = None;
                let mut octets = [0; 4_096];
                while !over.load(Ordering::Relaxed) {
                    if let Ok((length, from)) = nas.recv_from(&mut octets) {
                        (self.asked, who) = (octets[..length].to_vec(), Some(from));
                        self.server.send(&self.asked).expect("loopback");
                    }
                    if let (Ok(length), Some(who)) = (self.server.recv(&mut octets), who) {
                        self.answered = octets[..length].to_vec();
                        nas.send_to(&self.answered, who).expect("loopback");
                    }
                }
            });
            let done = what(port);
            over.store(true, Ordering::Relaxed);
            done
        })
    }

    /// Says again what was said last; what comes back.
    fn again(&self) -> Option<Vec<u8>> {
        self.server.send(&self.asked).expect("loopback");
        let mut octets = [0; 4_096];
        (0..100).find_map(|_| self.server.recv(&mut octets).ok()).map(|length| octets[..length].to_vec())
    }
}

fn bound() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    socket.set_read_timeout(Some(Duration::from_millis(5))).expect("a time-out can be set");
    socket
}

#[test]
fn r01_an_accept_that_is_kept_for_a_nas_that_asks_again_is_forgotten_when_a_responder_revokes() {
    let port = free_port();
    let campus = campus(port);
    let responder = Responder::start(&campus.scratch, port);
    let mut serving = campus.start();
    let mut relay = Relay::new(serving.listening("auth"));
    let output = relay.carry(|port| login_at(&campus, port));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(relay.answered.first(), Some(&ACCESS_ACCEPT));
    assert_eq!(relay.again().as_ref(), Some(&relay.answered), "a NAS that missed it gets it again");
    drop(responder);
    status(&campus, "R\t491231000000Z\t260601000000Z,keyCompromise\t05\tunknown\t/O=Example University\n");
    let _responder = Responder::start(&campus.scratch, port);
    // Asking keeps what is kept for longer.
    let is_forgotten = || relay.again().is_some_and(|answer| answer.first() != Some(&ACCESS_ACCEPT));
    serving.process.wait_until("past the Accept", |_| is_forgotten());
    serving.wait_for_line("is revoked");
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(1), "{text}");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn r01_r15_who_is_revoked_by_an_answer_stays_so_over_reloads_and_a_restart_while_old_good_answers_are_replayed() {
    let port = free_port();
    let campus = campus_with(port, &format!("ocsp = [\"http://127.0.0.1:{port}/\"]\nocsp-nonce = false\n"));
    let responder = Responder::start(&campus.scratch, port);
    let serving = campus.start();
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(serving.end(), Some(0));
    let good = kept(&campus);
    drop(responder);
    // Answers are dated to the second.
    for _ in 0..11 {
        pause();
    }
    status(&campus, "R\t491231000000Z\t260601000000Z,keyCompromise\t05\tunknown\t/O=Example University\n");
    let responder = Responder::start(&campus.scratch, port);
    let mut again = campus.start();
    again.wait_for_line("is revoked");
    let path = kept_path(&campus);
    again.process.wait_until("sure that it is on disk", |_| fs::read(&path).is_ok_and(|now| now != good));
    drop(responder);
    // Whoever is on the path has nothing but what was good once.
    let replayer =
        Replayer::start(port, good.split_at(good.iter().position(|it| *it == b'\n').expect("a header") + 1).1);
    for _ in 0..2 {
        again.signal("HUP");
        again.wait_for("READY=1");
        let (code, text) = outcome(&campus, &again);
        assert_eq!(code, Some(1), "{text}");
    }
    again.wait_for_metric(&answers("older"));
    assert_eq!(again.end(), Some(0));
    let mut restarted = campus.start();
    let (code, text) = outcome(&campus, &restarted);
    assert_eq!(code, Some(1), "{text}");
    restarted.wait_for_line("reject revoked");
    drop(replayer);
    assert_eq!(restarted.end(), Some(0));
}

/// The one answer on disk.
fn kept_path(campus: &Campus) -> PathBuf {
    let mut folder = fs::read_dir(campus.path("ocsp")).expect("something was kept");
    folder.next().expect("an answer").expect("it can be read").path()
}

fn kept(campus: &Campus) -> Vec<u8> {
    fs::read(kept_path(campus)).expect("it was kept")
}

/// Answers everything with the same octets.
struct Replayer {
    port: u16,
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Replayer {
    fn start(port: u16, response: &[u8]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("it is free again");
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: {}\r\n\r\n",
            response.len()
        );
        let octets = [head.as_bytes(), response].concat();
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let thread = thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                if told.load(Ordering::Relaxed) {
                    return;
                }
                let _ = stream.read(&mut [0; 4_096]);
                let _ = stream.write_all(&octets);
            }
        });
        Self { port, over, thread: Some(thread) }
    }
}

impl Drop for Replayer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

#[test]
fn what_only_a_responder_knows_shows_in_the_registry_at_once() {
    let port = free_port();
    let campus = campus(port);
    let hash = HEXLOWER.encode(digest(&SHA256, b"viewer").as_ref());
    let text = fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    // Nothing is fetched that would have everything looked at again.
    let text = text.replace("crl-refresh = \"1s\"", "crl-refresh = \"1h\"");
    let token = format!("[[admin.token]]\nname = \"viewer\"\nsha256 = \"{hash}\"\nrole = \"viewer\"\n");
    campus.write("sekisho.toml", &(text + &token));
    status(&campus, "R\t491231000000Z\t260101000000Z,keyCompromise\t05\tunknown\t/O=Example University\n");
    let _responder = Responder::start(&campus.scratch, port);
    let mut serving = campus.start();
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(1), "{text}");
    serving.wait_for_line("reject revoked");
    let admin = serving.admin;
    serving.process.wait_until("shown as revoked in the list", |_| {
        let path = "/api/v1/certificates?status=revoked";
        let list = get_with(admin, path, "Authorization: Bearer viewer\r\n").expect("an answer");
        list.contains("hanako@example.ac.jp") && list.contains("\"source\":\"http://127.0.0.1")
    });
    assert_eq!(serving.end(), Some(0));
}

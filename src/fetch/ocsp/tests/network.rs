//! Responders over loopback, of every kind.

use std::sync::atomic::{AtomicBool, Ordering};

use data_encoding::BASE64;
use tokio::io::AsyncReadExt;

use super::*;
use crate::event::OcspStatus;
use crate::fetch::http::tests::server::{Server, send};
use crate::pki::tests::ocsp_make::{bare, unknown};

/// What a responder does with a request.
type Behaviour = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

/// A responder of a CA.
type Making = Box<dyn FnOnce(&Arc<TestCa>) -> Behaviour>;

/// A request, as a responder reads it.
struct Request {
    method: String,
    serial: Vec<u8>,
    nonce: Option<Vec<u8>>,
}

/// What a responder sends, and how.
enum Reply {
    /// An OCSPResponse.
    Der(Vec<u8>),
    /// All that is sent.
    Raw(&'static str),
    /// This, after so long.
    Late(Duration, Vec<u8>),
    /// Nothing, and the connection stays.
    Silence,
    /// An octet, and again.
    Drip,
}

/// Reads what was posted, or is in the path.
fn parse(head: &str, posted: &[u8]) -> Request {
    let mut words = head.split(' ');
    let method = words.next().expect("a method").to_owned();
    let path = words.next().expect("a path");
    let text = path.rsplit('/').next().expect("a step");
    let text = text.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let der = if method == "POST" { posted.to_vec() } else { BASE64.decode(text.as_bytes()).expect("Base64") };
    // The serials of these tests have three octets and follow the hash of the issuer's key.
    let at = der.windows(3).rposition(|three| three == [0x02, 0x03, 0x01]).expect("a serial");
    let serial = der[at + 2..at + 5].to_vec();
    let oid = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02];
    let has_nonce = der.windows(oid.len()).any(|octets| octets == oid);
    let nonce = has_nonce.then(|| der[der.len() - 32..].to_vec());
    Request { method, serial, nonce }
}

async fn responder(behaviour: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
    let behaviour: Arc<Behaviour> = Arc::new(Box::new(behaviour));
    Server::handling(move |mut stream, head, _| {
        let behaviour = Arc::clone(&behaviour);
        Box::pin(async move {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let mut posted = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
            stream.read_exact(&mut posted).await.expect("all of it");
            let reply = behaviour(&parse(&head, &posted));
            if let Reply::Late(pause, _) = &reply {
                tokio::time::sleep(*pause).await;
            }
            match reply {
                Reply::Der(der) | Reply::Late(_, der) => {
                    send(&mut stream, format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", der.len()).as_bytes())
                        .await;
                    send(&mut stream, &der).await;
                }
                Reply::Raw(text) => send(&mut stream, text.as_bytes()).await,
                Reply::Silence => std::future::pending().await,
                Reply::Drip => {
                    send(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n").await;
                    loop {
                        send(&mut stream, b"x").await;
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            }
        })
    })
    .await
}

/// A responder of this CA that does all right.
fn sound(ca: &Arc<TestCa>) -> impl Fn(&Request) -> Reply + Send + Sync + use<> {
    let ca = Arc::clone(ca);
    move |request| Reply::Der(says(&ca, request, good(), request.nonce.as_deref()))
}

/// From now on for an hour.
fn says(ca: &TestCa, request: &Request, status: Vec<u8>, nonce: Option<&[u8]>) -> Vec<u8> {
    let single = Single::new(cert_id(ca, &request.serial), status).dated(NOW, at(3_600).wall);
    let draft = OcspDraft::new(&[single]);
    nonce.map_or(draft.clone(), |nonce| draft.nonce(nonce)).sign(ca)
}

/// The CA with which responders sign is there before the campus that they are of.
async fn served(behaviours: Vec<Making>) -> (Campus, Vec<Server>) {
    let mut campus = Campus::new(&[]);
    let ca = Arc::new(std::mem::replace(&mut campus.ca, campus::Campus::new().ca16));
    let mut servers = Vec::new();
    for behaviour in behaviours {
        servers.push(responder(behaviour(&ca)).await);
    }
    let url = |server: &Server| Url::parse(&format!("http://127.0.0.1:{}/o", server.port)).expect("a URL");
    campus.authority().responders = servers.iter().map(url).collect();
    (campus, servers)
}

/// One responder.
async fn one<F>(behaviour: impl FnOnce(&Arc<TestCa>) -> F + 'static) -> (Campus, Server)
where
    F: Fn(&Request) -> Reply + Send + Sync + 'static,
{
    let behaviour: Making = Box::new(move |ca| Box::new(behaviour(ca)));
    let (campus, mut servers) = served(vec![behaviour]).await;
    (campus, servers.remove(0))
}

/// One that answers every request in this way.
async fn always(reply: impl Fn(&TestCa, &Request) -> Reply + Send + Sync + 'static) -> (Campus, Server) {
    one(move |ca| {
        let ca = Arc::clone(ca);
        move |request: &Request| reply(&ca, request)
    })
    .await
}

/// Runs what a tick begins, and hands it back.
async fn run(campus: &Campus, desk: &mut Desk<u32>, seconds: u64) -> Finished<u32> {
    let mut all = Finished { ready: Vec::new(), results: Vec::new(), news: Vec::new(), changed: None };
    for job in campus.tick(desk, seconds).jobs {
        let finished = desk.finish(job.run().await, at(seconds));
        all.ready.extend(finished.ready);
        all.results.extend(finished.results);
        all.news.extend(finished.news);
        all.changed = all.changed.or(finished.changed);
    }
    all
}

/// Somebody asks about a certificate and is told; what it came to.
async fn ask(campus: &Campus, desk: &mut Desk<u32>, certificate: u16, seconds: u64) -> Vec<&'static str> {
    assert_eq!(desk.ask(at(seconds), 7, vec![campus.question(certificate)]), Asked::Waiting);
    let finished = run(campus, desk, seconds).await;
    assert_eq!(finished.ready, [7]);
    finished.results.into_iter().map(|(_, result)| result).collect()
}

fn status(campus: &Campus, desk: &Desk<u32>, certificate: u16) -> Option<OcspStatus> {
    campus.known(desk, certificate).map(|answer| answer.name().status)
}

fn methods(server: &Server) -> Vec<String> {
    server.heads().iter().map(|head| head.split(' ').next().expect("a method").to_owned()).collect()
}

/// Who gives up soon.
fn impatient(campus: &mut Campus) {
    let timeout = Duration::from_millis(200);
    let http = http::Settings { timeout, ..campus.settings.remote.http.clone() };
    campus.client = Arc::new(Client::new(http).expect("a client"));
}

#[tokio::test]
async fn r16_good_revoked_and_unknown_come_over_the_network_with_their_nonce() {
    let (campus, server) = always(|ca, request| {
        let status = match request.serial[2] {
            1 => good(),
            2 => revoked(NOW, Some(1)),
            _ => unknown(),
        };
        Reply::Der(says(ca, request, status, request.nonce.as_deref()))
    })
    .await;
    let mut desk = campus.desk(0, None);
    for (certificate, expected) in [(1, OcspStatus::Good), (2, OcspStatus::Revoked), (3, OcspStatus::Unknown)] {
        assert_eq!(ask(&campus, &mut desk, certificate, 0).await, ["ok"]);
        assert_eq!(status(&campus, &desk, certificate), Some(expected));
    }
    assert_eq!(methods(&server), ["POST"; 3]);
    run(&campus, &mut desk, 0).await;
    let again = campus.desk(0, None);
    assert!((1..=3).all(|certificate| status(&campus, &again, certificate) == status(&campus, &desk, certificate)));
}

#[tokio::test]
async fn r21_one_query_is_under_way_however_many_wait() {
    let (campus, server) = always(|ca, request| {
        Reply::Late(Duration::from_millis(50), says(ca, request, good(), request.nonce.as_deref()))
    })
    .await;
    let mut desk = campus.desk(0, None);
    for ticket in 0..50 {
        assert_eq!(desk.ask(at(0), ticket, vec![campus.question(1)]), Asked::Waiting);
    }
    let finished = run(&campus, &mut desk, 0).await;
    assert_eq!(finished.ready, (0..50).collect::<Vec<_>>());
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn r12_r21_silence_and_drips_end_and_open_the_breaker_until_it_answers() {
    for drips in [false, true] {
        let well = Arc::new(AtomicBool::new(false));
        let is_well = Arc::clone(&well);
        let (mut campus, _server) = always(move |ca, request| match (is_well.load(Ordering::Relaxed), drips) {
            (true, _) => Reply::Der(says(ca, request, good(), request.nonce.as_deref())),
            (false, true) => Reply::Drip,
            (false, false) => Reply::Silence,
        })
        .await;
        impatient(&mut campus);
        let mut desk = campus.desk(0, None);
        for certificate in 1..=3 {
            assert_eq!(ask(&campus, &mut desk, certificate, 0).await, ["timeout"]);
        }
        assert_eq!(desk.ask(at(1), 1, vec![campus.question(4)]), Asked::Nothing);
        well.store(true, Ordering::Relaxed);
        assert_eq!(run(&campus, &mut desk, 1).await.results, []);
        assert_eq!(run(&campus, &mut desk, 12).await.results, [("ca16".into(), "ok")]);
        assert_eq!(ask(&campus, &mut desk, 5, 12).await.first(), Some(&"ok"));
    }
}

#[tokio::test]
async fn r21_who_takes_long_is_in_time_for_the_next_login() {
    let (campus, _server) = always(|ca, request| {
        Reply::Late(Duration::from_millis(800), says(ca, request, good(), request.nonce.as_deref()))
    })
    .await;
    let mut desk = campus.desk(0, None);
    assert_eq!(desk.ask(at(0), 1, vec![campus.question(1)]), Asked::Waiting);
    let late = Now { mono: Mono(Duration::from_millis(1_900)), ..at(1) };
    let job = campus.tick_at(&mut desk, late).jobs.pop().expect("he still waits");
    let finished = desk.finish(job.run().await, at(2));
    assert_eq!((finished.ready, finished.results), (vec![1], vec![("ca16".into(), "timeout")]));
    assert_eq!(run(&campus, &mut desk, 15).await.results, [("ca16".into(), "ok")]);
    assert!(campus.known(&desk, 1).is_some());
}

#[tokio::test]
async fn r21_who_is_down_is_told_from_who_is_silent() {
    let mut campus = Campus::new(&[]);
    let port = crate::support::scratch::free_port();
    campus.authority().responders = vec![Url::parse(&format!("http://127.0.0.1:{port}/")).expect("a URL")];
    let mut desk = campus.desk(0, None);
    for certificate in 1..=3 {
        assert_eq!(ask(&campus, &mut desk, certificate, 0).await, ["connect"]);
    }
    assert_eq!(desk.ask(at(0), 1, vec![campus.question(4)]), Asked::Nothing);
}

#[tokio::test]
async fn r21_the_second_is_asked_within_the_same_query_when_the_first_is_silent() {
    let silent: Making = Box::new(|_| Box::new(|_| Reply::Silence));
    let well: Making = Box::new(|ca| Box::new(sound(ca)));
    let (mut campus, _servers) = served(vec![silent, well]).await;
    impatient(&mut campus);
    let mut desk = campus.desk(0, None);
    assert_eq!(ask(&campus, &mut desk, 1, 0).await, ["timeout", "ok"]);
    assert!(campus.known(&desk, 1).is_some());
    let healths = desk.health();
    let successes: Vec<_> = healths.iter().filter(|health| health.last_success == wall(0)).collect();
    assert_eq!((healths.len(), successes.len()), (2, 1));
}

#[tokio::test]
async fn r20_what_is_replayed_is_not_used() {
    let old = |ca: &TestCa, request: &Request, from: i64, to: Option<i64>| {
        let mut single = Single::new(cert_id(ca, &request.serial), good());
        (single.this_update, single.next_update) = (Wall(NOW.0 + from), to.map(|to| Wall(NOW.0 + to)));
        OcspDraft::new(&[single]).nonce(request.nonce.as_deref().expect("it has one")).sign(ca)
    };
    let (campus, _server) = always(move |ca, request| {
        let nonce = request.nonce.as_deref();
        Reply::Der(match request.serial[2] {
            1 => says(ca, request, good(), None),
            2 => says(ca, request, good(), Some(&[1; 32])),
            3 => old(ca, request, -7_200, Some(-3_600)),
            4 => old(ca, request, 3_600, Some(7_200)),
            5 => old(ca, request, -3_600, None),
            6 => says(ca, &Request { serial: vec![1, 0, 99], method: String::new(), nonce: None }, good(), nonce),
            _ => says(&campus::Campus::new().ca16, request, good(), nonce),
        })
    })
    .await;
    let mut desk = campus.desk(0, None);
    let expected = ["no-nonce", "other-nonce", "stale", "future", "no-next-update", "other-certificate"];
    for (certificate, label) in (1..).zip(expected) {
        // Three in a row about different certificates open the breaker: each has a desk of its own.
        let mut desk = campus.desk(0, None);
        assert_eq!(ask(&campus, &mut desk, certificate, 0).await, [label]);
        assert!(campus.known(&desk, certificate).is_none());
    }
    assert_ne!(ask(&campus, &mut desk, 7, 0).await, ["ok"], "another CA of the same name");
    assert_eq!(desk.answers().count(), 0);
    run(&campus, &mut desk, 0).await;
    assert_eq!(campus.kept().len(), 0);
}

#[tokio::test]
async fn r20_without_a_nonce_an_older_answer_does_not_replace_a_newer_one() {
    let first = AtomicBool::new(true);
    let (mut campus, server) = always(move |ca, request| {
        assert_eq!(request.nonce, None);
        let (status, from) =
            if first.swap(false, Ordering::Relaxed) { (revoked(NOW, Some(6)), 0) } else { (good(), -600) };
        let single = Single::new(cert_id(ca, &request.serial), status).dated(Wall(NOW.0 + from), at(3_600).wall);
        Reply::Der(OcspDraft::new(&[single]).sign(ca))
    })
    .await;
    campus.authority().nonce = false;
    let mut desk = campus.desk(0, None);
    assert_eq!(ask(&campus, &mut desk, 1, 0).await, ["ok"]);
    assert_eq!(ask(&campus, &mut desk, 1, 10).await, ["older"]);
    assert_eq!(status(&campus, &desk, 1), Some(OcspStatus::Revoked));
    assert_eq!(methods(&server), ["GET", "GET"], "it is short");
}

#[tokio::test]
async fn what_no_get_takes_is_posted_though_it_has_no_nonce() {
    let (mut campus, server) = one(sound).await;
    let long = format!("http://127.0.0.1:{}/{}", server.port, "x".repeat(200));
    let authority = campus.authority();
    (authority.nonce, authority.responders) = (false, vec![Url::parse(&long).expect("a URL")]);
    let mut desk = campus.desk(0, None);
    assert_eq!(ask(&campus, &mut desk, 1, 0).await, ["ok"]);
    assert_eq!(methods(&server), ["POST"]);
}

#[tokio::test]
async fn who_does_not_take_post_is_asked_by_get_at_once_and_from_then_on() {
    for status in [400, 405, 501] {
        let refusal: &'static str = match status {
            400 => "HTTP/1.1 400 Bad Request\r\n\r\n",
            405 => "HTTP/1.1 405 Method Not Allowed\r\n\r\n",
            _ => "HTTP/1.1 501 Not Implemented\r\n\r\n",
        };
        let (campus, server) = always(move |ca, request| match &*request.method {
            "POST" => Reply::Raw(refusal),
            _ => Reply::Der(says(ca, request, good(), request.nonce.as_deref())),
        })
        .await;
        let mut desk = campus.desk(0, None);
        assert_eq!(ask(&campus, &mut desk, 1, 0).await, ["status", "ok"]);
        assert_eq!(ask(&campus, &mut desk, 2, 0).await, ["ok"]);
        assert_eq!(methods(&server), ["POST", "GET", "GET"]);
    }
}

#[tokio::test]
async fn what_is_no_answer_counts_against_the_responder_and_unauthorized_does_not() {
    let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Please log in</html>";
    for (reply, label, opens) in [
        (Ok(html), "malformed", true),
        (Ok("HTTP/1.1 200 OK\r\n\r\n"), "malformed", true),
        (Ok("HTTP/1.1 503 Service Unavailable\r\n\r\n"), "status", true),
        (Ok("no HTTP at all\r\n\r\n"), "protocol", true),
        (Err(3), "try-later", true),
        (Err(2), "internal-error", true),
        (Err(6), "unauthorized", false),
    ] {
        let (campus, _server) = always(move |_, _| match reply {
            Ok(text) => Reply::Raw(text),
            Err(code) => Reply::Der(bare(code)),
        })
        .await;
        let mut desk = campus.desk(0, None);
        for certificate in 1..=3 {
            assert_eq!(ask(&campus, &mut desk, certificate, 0).await, [label]);
        }
        let expected = if opens { Asked::Nothing } else { Asked::Waiting };
        assert_eq!(desk.ask(at(0), 1, vec![campus.question(9)]), expected, "{label}");
        assert_eq!(desk.answers().count(), 0);
    }
}

#[tokio::test]
async fn r11_an_answer_beyond_the_bound_is_cut_off() {
    let endless = Server::endless("HTTP/1.1 200 OK\r\n\r\n", &[0; 4096]).await;
    let mut campus = Campus::new(&[]);
    campus.authority().responders = vec![Url::parse(&endless.url()).expect("a URL")];
    let mut desk = campus.desk(0, None);
    assert_eq!(ask(&campus, &mut desk, 1, 0).await, ["too-long"]);
    assert!(desk.health()[0].last_success.is_none());
}

#[tokio::test]
async fn r13_a_responder_leads_nowhere_that_is_not_allowed() {
    let away = "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/\r\n\r\n";
    let round = "HTTP/1.1 307 Temporary Redirect\r\nLocation: /\r\n\r\n";
    for (answer, label) in [(away, "forbidden-address"), (round, "redirect")] {
        let (campus, _server) = always(move |_, _| Reply::Raw(answer)).await;
        assert_eq!(ask(&campus, &mut campus.desk(0, None), 1, 0).await, [label]);
    }
    let (mut campus, server) = one(sound).await;
    let http = http::Settings { allow: Vec::new(), ..campus.settings.remote.http.clone() };
    campus.client = Arc::new(Client::new(http).expect("a client"));
    assert_eq!(ask(&campus, &mut campus.desk(0, None), 1, 0).await, ["forbidden-address"]);
    assert_eq!(server.heads().len(), 0);
}

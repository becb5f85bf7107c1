//! HTTP, over real sockets on loopback.
#![expect(clippy::disallowed_types, reason = "these tests are the client")]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::route::Access;
use super::*;
use crate::pki::{self, Revocation, Trust};
use crate::policy::Policy;

mod api;
mod ground;
mod readiness;
mod secure;

const NOW: Wall = Wall(1_800_000_000);

/// A server whose state tests make up.
#[derive(Debug)]
struct Made {
    ready: bool,
    time: AtomicI64,
    trust: Option<Trust>,
    revocation: Mutex<Revocation>,
    refusals: Mutex<Vec<Refusal>>,
}

impl Default for Made {
    fn default() -> Self {
        let (revocation, refusals) = (Mutex::new(Revocation::new(Vec::new())), Mutex::default());
        Self { ready: true, time: AtomicI64::new(NOW.0), trust: None, revocation, refusals }
    }
}

impl Made {
    fn admit(&self, facts: &Facts, authorities: &[Arc<str>]) -> Result<Arc<str>, Reason> {
        let revocation = self.revocation.lock().expect("no panic");
        let verdict = pki::verdict(self.trust.as_ref().ok_or(Reason::Internal)?, &revocation, facts, self.now());
        let policy = Policy::new(Vec::new(), Vec::new());
        policy
            .admit(authorities, facts, &verdict, &crate::standing::Standing::default(), self.now())
            .map_err(|refusal| refusal.reason())
    }
}

impl Status for Made {
    fn readiness(&self) -> Readiness {
        Readiness { ready: self.ready, degraded: vec!["authority pub-ca8: no CRL".into()] }
    }

    fn metrics(&self) -> String {
        "sekisho_conversations 7\n".into()
    }

    fn now(&self) -> Wall {
        Wall(self.time.load(Relaxed))
    }

    fn refused(&self, why: Refusal) {
        self.refusals.lock().expect("no panic").push(why);
    }

    fn authorities(&self) -> Vec<authorities::Authority> {
        (1..=3).map(|n| api::authority(&format!("ca{n}"))).collect()
    }

    fn explain(&self, question: Question) -> Later<'static, Result<serde_json::Value, Unexplained>> {
        Box::pin(std::future::ready(api::explained(question)))
    }

    fn peer(&self, chain: &[&[u8]], authorities: &[Arc<str>]) -> Result<Peer, Reason> {
        let trust = self.trust.as_ref().ok_or(Reason::Internal)?;
        let facts = trust.facts(chain).map_err(|refusal| refusal.reason)?;
        Ok(Peer { user: self.admit(&facts, authorities)?, facts })
    }

    fn peer_again(&self, peer: &Peer, authorities: &[Arc<str>]) -> Result<(), Reason> {
        self.admit(&peer.facts, authorities).map(drop)
    }
}

fn token(text: &str, role: Role, expires: Option<Wall>) -> Token {
    Token { name: text.into(), sha256: hash_token(text.as_bytes()), role, expires }
}

fn settings(open_metrics: bool) -> Settings {
    let tokens = vec![
        token("looks", Role::Viewer, Some(Wall(NOW.0 + 1))),
        token("sso", Role::Status, None),
        token("old", Role::Operator, Some(NOW)),
    ];
    let listen = vec!["127.0.0.1:0".parse().expect("an address")];
    Settings { listen, open_metrics, tokens, ..Settings::default() }
}

/// A running door.
struct Here {
    address: SocketAddr,
    made: Arc<Made>,
    shared: Shared,
    _running: Running,
}

fn door(open_metrics: bool, ready: bool) -> Here {
    opened(settings(open_metrics), Made { ready, ..Made::default() })
}

fn opened(settings: Settings, made: Made) -> Here {
    let door = Door::bind(&settings).expect("loopback can be bound").with_head_time(Duration::from_millis(300));
    let address = door.addresses().next().expect("one was bound");
    let made = Arc::new(made);
    let shared = Shared::new(settings, "radius1.campus.example".into(), Arc::clone(&made) as Arc<dyn Status>);
    Here { address, made, shared: shared.clone(), _running: door.spawn(shared).expect("a thread starts") }
}

impl Here {
    /// Sends octets and reads until the server closes.
    fn send(&self, octets: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out can be set");
        // The server may have refused, and closed, before all is written.
        let _ = stream.write_all(octets);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn ask(&self, method: &str, path: &str, headers: &str) -> String {
        let host = self.address;
        self.send(format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n").as_bytes())
    }

    fn get(&self, path: &str, token: Option<&str>) -> String {
        let header = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        self.ask("GET", path, &header)
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

fn described() -> serde_json::Map<String, serde_json::Value> {
    openapi::document(&routes::table())["paths"].as_object().expect("paths are an object").clone()
}

#[test]
fn health_and_readiness_are_open() {
    let here = door(true, true);
    assert_eq!(status(&here.get("/healthz", None)), 200);
    let ready = here.get("/readyz", None);
    assert_eq!(status(&ready), 200);
    assert!(ready.ends_with(r#"{"degraded":["authority pub-ca8: no CRL"],"ready":true}"#), "{ready}");
    assert_eq!(status(&door(true, false).get("/readyz", None)), 503);
}

#[test]
fn metrics_are_open_unless_the_configuration_says_otherwise() {
    let here = door(true, true);
    assert!(here.get("/metrics", None).ends_with("sekisho_conversations 7\n"));
    let here = door(false, true);
    assert_eq!(status(&here.get("/metrics", None)), 401);
    assert_eq!(status(&here.get("/metrics", Some("sso"))), 403);
    assert_eq!(status(&here.get("/metrics", Some("looks"))), 200);
}

#[test]
fn nothing_may_be_cached_and_no_cookie_is_set() {
    let here = door(true, true);
    for path in ["/", "/readyz", "/metrics", "/nothing"] {
        let answer = here.get(path, None).to_ascii_lowercase();
        assert!(answer.contains("cache-control: no-store"), "{answer}");
        assert!(!answer.contains("set-cookie"), "{answer}");
    }
}

#[test]
fn a01_a_request_without_a_right_token_is_refused() {
    let here = door(false, true);
    for token in [None, Some("wrong"), Some("old"), Some("")] {
        let answer = here.get("/api/v1/certificates", token);
        assert_eq!(status(&answer), 401, "{answer}");
        assert!(answer.contains("application/problem+json") && answer.contains("www-authenticate: Bearer"), "{answer}");
    }
    for header in
        ["Authorization: Basic bG9va3M6\r\n", "Authorization: Bearer looks\r\nAuthorization: Bearer looks\r\n"]
    {
        assert_eq!(status(&here.ask("GET", "/api/v1/audit", header)), 401, "{header}");
    }
}

#[test]
fn a01_a_right_token_finds_nothing_where_there_is_nothing() {
    let answer = door(false, true).get("/api/v1/nothing", Some("looks"));
    assert_eq!(status(&answer), 404);
    assert!(answer.contains("application/problem+json") && answer.contains(r#""status":404"#), "{answer}");
}

#[test]
fn a01_a_right_token_is_never_refused_while_others_guess() {
    let here = door(false, true);
    thread::scope(|scope| {
        let guess = |n: i32| status(&here.get("/metrics", Some(&format!("guess{n}"))));
        let guesses: Vec<_> = (0..40).map(|n| scope.spawn(move || guess(n))).collect();
        for _ in 0..20 {
            assert_eq!(status(&here.get("/metrics", Some("looks"))), 200);
        }
        let refused: BTreeSet<u16> = guesses.into_iter().map(|guess| guess.join().expect("no panic")).collect();
        assert!(refused.is_subset(&BTreeSet::from([401, 429])), "{refused:?}");
    });
}

#[test]
fn tokens_of_a_reload_count_at_once() {
    let here = door(false, true);
    here.shared.swap(Settings { tokens: vec![token("new", Role::Viewer, None)], ..settings(false) });
    assert_eq!(status(&here.get("/metrics", Some("looks"))), 401);
    assert_eq!(status(&here.get("/metrics", Some("new"))), 200);
}

#[test]
fn a01_a_token_expires_while_the_server_runs() {
    let here = door(false, true);
    assert_eq!(status(&here.get("/metrics", Some("looks"))), 200);
    here.made.time.fetch_add(1, Relaxed);
    let answer = here.get("/metrics", Some("looks"));
    assert_eq!(status(&answer), 401);
    assert!(answer.contains("expired"), "{answer}");
}

#[test]
fn a01_refusals_are_counted_by_why() {
    let here = door(false, true);
    for token in [None, Some("wrong"), Some("old"), Some("sso")] {
        here.get("/metrics", token);
    }
    let refusals = here.made.refusals.lock().expect("no panic").clone();
    assert_eq!(refusals, [Refusal::NoToken, Refusal::UnknownToken, Refusal::ExpiredToken, Refusal::Role]);
}

/// What CONTRACT.md has open to all, with `open-metrics = false`.
const OPEN: [&str; 4] = ["/", "/healthz", "/readyz", "/openapi.json"];

/// A path of a route that could be asked for.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn a02_nothing_but_the_open_paths_answers_without_a_token() {
    let here = door(false, true);
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
    let paths: BTreeSet<&str> = routes::table().iter().map(|route| route.path).collect();
    let requests: Vec<_> = paths.iter().flat_map(|path| methods.map(|method| (method, *path))).collect();
    // Some at once, since each wrong one waits.
    for some in requests.chunks(48) {
        thread::scope(|scope| {
            for (method, path) in some {
                let here = &here;
                scope.spawn(move || {
                    let answer =
                        here.ask(method, &filled(path), "Content-Type: application/json\r\nContent-Length: 0\r\n");
                    let open = OPEN.contains(path) && matches!(*method, "GET" | "HEAD");
                    assert_eq!((200..300).contains(&status(&answer)), open, "{method} {path}: {answer}");
                    assert!(open || matches!(status(&answer), 401 | 429), "{method} {path}: {answer}");
                });
            }
        });
    }
    for path in
        ["/healthz/", "//healthz", "/healthz/../metrics", "/%6detrics", "/metrics?open", "/METRICS", "/api/v1/audit"]
    {
        let code = status(&here.get(path, None));
        assert!(matches!(code, 400 | 401 | 429), "{path}: {code}");
    }
}

#[test]
fn a02_a_route_is_open_only_where_the_contract_says_so() {
    for route in routes::table() {
        let is_open = OPEN.contains(&route.path);
        assert_eq!(route.access.role(&settings(false)).is_none(), is_open, "{}", route.path);
        assert_eq!(matches!(route.access, Access::Role(_)), route.path.starts_with("/api/"), "{}", route.path);
    }
}

#[test]
fn the_description_and_the_router_agree() {
    let here = door(true, true);
    let described = described();
    let table = routes::table();
    assert_eq!(described.len(), table.iter().map(|route| route.path).collect::<BTreeSet<_>>().len());
    for route in &table {
        let operation = &described[route.path][route.verb.name()];
        assert!(operation["responses"].as_object().is_some_and(|all| all.len() > 1), "{}: {operation}", route.path);
        let answer = here.ask("OPTIONS", &filled(route.path), "Authorization: Bearer looks\r\n");
        let verb = route.verb.name().to_ascii_uppercase();
        let allowed = answer.lines().find_map(|line| line.strip_prefix("allow: ")).unwrap_or_default();
        assert!(allowed.split(',').any(|known| known == verb), "{} {verb}: {answer}", route.path);
        assert_eq!(
            allowed.split(',').filter(|known| *known != "HEAD").count(),
            described[route.path].as_object().map_or(0, serde_json::Map::len),
            "{answer}"
        );
    }
    let document = openapi::document(&table).to_string();
    for reference in document.split("\"#/components/").skip(1) {
        let place = format!("/components/{}", reference.split('"').next().expect("it ends"));
        assert!(openapi::document(&table).pointer(&place).is_some(), "{place}");
    }
}

#[test]
fn a03_a_foreign_host_is_refused() {
    let here = door(true, true);
    for (host, code) in [
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:9812", 421),
        ("[::1]evil.example", 421),
        ("[::1]:9812.evil.example", 421),
        ("localhost:evil", 421),
        ("localhost@evil.example", 421),
        ("[evil.example]", 421),
        ("]:1[", 421),
        ("localhost:9812", 200),
        ("[::1]:9812", 200),
        ("[::1]", 200),
        ("radius1.campus.example", 200),
    ] {
        let answer =
            here.send(format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes());
        assert_eq!(status(&answer), code, "{host}");
    }
    for (target, code) in [("http://evil.example/metrics", 421), ("http://localhost:9812/metrics", 200)] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost:9812\r\nConnection: close\r\n\r\n");
        assert_eq!(status(&here.send(request.as_bytes())), code, "{target}");
    }
    assert_eq!(status(&here.send(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")), 400);
    assert_eq!(status(&here.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n")), 400);
}

#[test]
fn a03_another_sites_page_is_refused() {
    let here = door(true, true);
    for origin in ["http://evil.example", "null", "https://localhost:1"] {
        assert_eq!(status(&here.ask("GET", "/metrics", &format!("Origin: {origin}\r\n"))), 403, "{origin}");
    }
    assert_eq!(status(&here.ask("GET", "/metrics", &format!("Origin: http://{}\r\n", here.address))), 200);
    assert_eq!(status(&here.ask("GET", "/metrics", "Sec-Fetch-Site: cross-site\r\n")), 403);
}

#[test]
fn a03_a_form_is_refused_even_with_a_token() {
    let here = door(true, true);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let headers = format!("Authorization: Bearer looks\r\nContent-Type: {kind}\r\nContent-Length: 0\r\n");
        assert_eq!(status(&here.ask("POST", "/api/v1/explain", &headers)), 415, "{kind}");
    }
}

#[test]
fn a04_a_body_of_three_gigabytes_is_refused_before_it_is_read() {
    let here = door(true, true);
    let headers = "Content-Type: application/json\r\nContent-Length: 3221225472\r\n";
    assert_eq!(status(&here.ask("POST", "/api/v1/explain", headers)), 413);
}

#[test]
fn a04_a_slow_body_of_a_stranger_keeps_nothing() {
    let here = door(true, true);
    let headers = "Content-Type: application/json\r\nContent-Length: 1000\r\n";
    assert_eq!(status(&here.ask("POST", "/api/v1/explain", headers)), 401);
}

#[test]
fn a04_ten_thousand_headers_are_refused() {
    let here = door(true, true);
    let many: String = (0..10_000).map(|n| format!("X-{n}: y\r\n")).collect();
    assert_eq!(status(&here.ask("GET", "/healthz", &many)), 431);
}

#[test]
fn a04_a_length_that_is_none_is_refused() {
    let here = door(true, true);
    for length in ["-1", "1e3", "0x10", "18446744073709551616", "5, 6"] {
        let answer =
            here.ask("POST", "/healthz", &format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"));
        assert_eq!(status(&answer), 400, "{length}: {answer}");
    }
}

#[test]
fn a04_two_lengths_that_contradict_each_other_smuggle_nothing() {
    let here = door(true, true);
    let smuggled = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for headers in
        ["Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"]
    {
        let host = here.address;
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n0\r\n\r\n{smuggled}");
        let answer = here.send(request.as_bytes());
        // One of the two lengths counts or the request is refused (RFC 9112 section 6.3): either way nothing after it is read.
        assert!(matches!(status(&answer), 200 | 400 | 415), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
}

#[test]
fn a04_a_client_that_says_nothing_is_let_go() {
    let here = door(true, true);
    for begun in ["", "GET /healthz HTT", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: "] {
        // Ends only because the server closes.
        let answer = here.send(begun.as_bytes());
        assert!(!(200..300).contains(&status(&answer)), "{answer}");
    }
}

#[test]
fn a04_those_who_say_nothing_keep_nobody_out() {
    let settings = settings(true);
    let door = Door::bind(&settings).expect("loopback can be bound").with_head_time(Duration::from_secs(3_600));
    let address = door.addresses().next().expect("one was bound");
    let made = Arc::new(Made::default());
    let shared = Shared::new(settings, "radius1.campus.example".into(), Arc::clone(&made) as Arc<dyn Status>);
    let here = Here { address, made, shared: shared.clone(), _running: door.spawn(shared).expect("a thread starts") };
    let begin = |begun: &str| {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.write_all(begun.as_bytes()).expect("it takes what is sent");
        stream
    };
    let wrong = format!("GET /api HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer wrong\r\n\r\n");
    let silent: Vec<_> = (0..600).map(|n| begin(["", "GET / HTTP/1.1\r\nHo", &wrong][n % 3])).collect();
    assert_eq!(status(&here.get("/healthz", None)), 200);
    drop(silent);
}

#[test]
fn a05_http_2_is_not_spoken() {
    let answer = door(true, true).send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    assert!(!answer.contains(" 200 "), "{answer}");
}

#[test]
fn a05_a_header_bomb_is_refused() {
    let here = door(true, true);
    let bomb = format!("X-Bomb: {}\r\n", "a".repeat(1 << 20));
    assert_eq!(status(&here.ask("GET", "/healthz", &bomb)), 431);
}

#[test]
fn a09_only_loopback_is_listened_on_without_tls() {
    assert!(Settings::default().listen.is_empty());
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
        let listen = vec![address.parse().expect("an address")];
        let error = Door::bind(&Settings { listen, ..Settings::default() }).expect_err(address);
        assert!(error.to_string().contains("only loopback"), "{error}");
    }
}

#[test]
fn a10_a_path_or_header_of_a_request_is_no_label() {
    let here = door(true, true);
    for n in 0..50 {
        here.get(&format!("/metrics/{n}"), Some("looks"));
    }
    assert_eq!(here.get("/metrics", None).matches("sekisho_").count(), 1);
}

#[test]
fn a_new_token_is_long_and_another_each_time() {
    let (one, other) = (make_token().expect("randomness"), make_token().expect("randomness"));
    assert_eq!(one.len(), 64);
    assert_ne!(one, other);
}

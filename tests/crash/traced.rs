//! Seen from below: between the octets that ask for a change and those that say that it is made, the registry's write-ahead log is brought to the disk. `kill -9` alone doesn't show it: what the kernel has survives that.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::api::{Api, Said};
use super::kills::pause;
use super::nas::{Nas, Record, Status, now};
use super::place::{Campus, Serving, is_let_in};

const CALLS: &str = "trace=fsync,fdatasync,read,readv,recvfrom,recvmsg,recvmmsg,write,writev,sendto,sendmsg,sendmmsg";

/// A server under strace, which it doesn't know: the process is the server's.
struct Traced {
    serving: Serving,
    trace: PathBuf,
    campus: Campus,
}

impl Traced {
    fn new() -> Self {
        let campus = Campus::new();
        let trace = campus.path("trace");
        let file = trace.to_str().expect("a plain path");
        let serving = campus.start_by(&["strace", "-D", "-f", "-q", "-y", "-x", "-s", "48", "-e", CALLS, "-o", file]);
        Self { campus, serving, trace }
    }

    /// Ends the server; what was seen, in its order.
    fn end(self) -> Vec<Seen> {
        let id = self.serving.process.id().to_string();
        let is_end = |line: &str| line.starts_with(&id) && line.ends_with("+++ exited with 0 +++");
        assert_eq!(self.serving.end(), Some(0));
        // The tracer writes it down a little later.
        for _ in 0..1_000 {
            let text = std::fs::read_to_string(&self.trace).expect("strace writes");
            if text.lines().any(is_end) {
                return text.lines().flat_map(Seen::read).collect();
            }
            pause(Duration::from_millis(10));
        }
        panic!("strace has not seen the end");
    }
}

/// A line of strace's.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// These octets came.
    Came(Vec<u8>),
    /// These are being sent.
    Sent(Vec<u8>),
    /// The write-ahead log is about to be brought to the disk, by this thread.
    Syncing(String),
    /// It is on the disk.
    Synced(String),
}

impl Seen {
    fn read(line: &str) -> Vec<Self> {
        let Some((thread, call)) = line.split_once(' ') else { return Vec::new() };
        let (thread, call) = (thread.to_owned(), call.trim_start());
        let is_second_half = call.starts_with("<... ");
        let name = call.strip_prefix("<... ").unwrap_or(call);
        if name.starts_with("fsync") || name.starts_with("fdatasync") {
            let is_wal = call.contains("registry.sqlite-wal>");
            let is_done = call.ends_with("= 0");
            return match (is_second_half, call.ends_with("<unfinished ...>")) {
                // Of which file it is, was said when it began.
                (true, _) if is_done => vec![Self::Synced(thread)],
                (false, true) if is_wal => vec![Self::Syncing(thread)],
                // Nothing else has happened meanwhile.
                (false, false) if is_wal && is_done => vec![Self::Syncing(thread.clone()), Self::Synced(thread)],
                _ => Vec::new(),
            };
        }
        let comes = ["read", "recv"].iter().any(|begin| name.starts_with(begin));
        buffers(call).map(if comes { Self::Came } else { Self::Sent }).collect()
    }
}

/// The first octets of each buffer: text as it is, everything else in hex.
fn buffers(call: &str) -> impl Iterator<Item = Vec<u8>> {
    let quoted = call.split('"').skip(1).step_by(2);
    quoted.filter_map(|text| match text.strip_prefix("\\x") {
        Some(hex) => HEXLOWER.decode(hex.replace("\\x", "").as_bytes()).ok(),
        None => Some(text.as_bytes().to_vec()),
    })
}

/// Whether the log was brought to the disk between two places, begun and ended.
fn is_synced(seen: &[Seen], from: usize, to: usize) -> bool {
    let mut begun = BTreeSet::new();
    seen[from..to].iter().any(|one| match one {
        Seen::Syncing(thread) => {
            begun.insert(thread);
            false
        }
        Seen::Synced(thread) => begun.contains(thread),
        _ => false,
    })
}

/// Asks for something.
type Ask = fn(&mut Asking<'_>) -> Said;

/// Something that changes, by what `/openapi.json` calls it; asked for in this order.
const CHANGES: [(&str, &str, Ask); 11] = [
    ("post", "/api/v1/certificates", |asking| {
        let pem = asking.pem.clone();
        let said = asking.ask("POST", "/api/v1/certificates", Some(json!({ "pem": pem })));
        asking.id = said.body["id"].as_str().expect("an id").to_owned();
        said
    }),
    ("post", "/api/v1/certificates/{id}/revocation", |asking| {
        asking.ask("POST", &format!("/api/v1/certificates/{}/revocation", asking.id), Some(json!({})))
    }),
    ("delete", "/api/v1/certificates/{id}/revocation", |asking| {
        asking.ask("DELETE", &format!("/api/v1/certificates/{}/revocation", asking.id), None)
    }),
    ("post", "/api/v1/users/{name}/block", |asking| {
        asking.ask("POST", "/api/v1/users/hanako@example.ac.jp/block", Some(json!({})))
    }),
    ("delete", "/api/v1/users/{name}/block", |asking| {
        asking.ask("DELETE", "/api/v1/users/hanako@example.ac.jp/block", None)
    }),
    ("post", "/api/v1/users/{name}/otp", |asking| {
        asking.ask("POST", "/api/v1/users/hanako@example.ac.jp/otp", Some(json!({})))
    }),
    ("delete", "/api/v1/users/{name}/otp", |asking| {
        asking.ask("DELETE", "/api/v1/users/hanako@example.ac.jp/otp", None)
    }),
    ("post", "/api/v1/sessions/{id}/disconnect", |asking| {
        let session = asking.ask("GET", "/api/v1/sessions", None).good()["items"][0]["id"].clone();
        asking.ask("POST", &format!("/api/v1/sessions/{}/disconnect", session.as_str().expect("an id")), None)
    }),
    ("post", "/api/v1/disconnects/{batch}/release", |asking| asking.decide("release")),
    ("post", "/api/v1/disconnects/{batch}/discard", |asking| asking.decide("discard")),
    // What isn't asked for to change anything, but is told in the audit.
    ("get", "/api/v1/certificates/{id}/authentications", |asking| {
        asking.ask("GET", &format!("/api/v1/certificates/{}/authentications", asking.id), None)
    }),
];

/// Methods other than GET that change nothing.
const CHANGE_NOTHING: [(&str, &str); 1] = [("post", "/api/v1/explain")];

struct Asking<'t> {
    traced: &'t Traced,
    api: Api,
    pem: String,
    id: String,
    /// What the CA has revoked so far.
    revoked: Vec<u64>,
}

impl Asking<'_> {
    /// Somebody comes in, the CA revokes him, and he waits to be thrown out until that is decided.
    fn decide(&mut self, what: &str) -> Said {
        let serial = 0x200 + self.revoked.len() as u64;
        let name = format!("late{serial}");
        self.traced.campus.issue(&name, serial);
        assert!(is_let_in(&self.traced.campus, &self.traced.serving, &name));
        self.revoked.push(serial);
        self.traced.campus.publish(serial, &self.revoked);
        for _ in 0..1_000 {
            let held = self.ask("GET", "/api/v1/disconnects", None).good();
            if let Some(batch) = held["items"][0]["id"].as_str() {
                return self.ask("POST", &format!("/api/v1/disconnects/{batch}/{what}"), None);
            }
            pause(Duration::from_millis(20));
        }
        panic!("nobody is held");
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<Value>) -> Said {
        self.api.ask(method, path, body, "").expect("it answers")
    }
}

#[test]
fn every_change_is_on_the_disk_between_the_question_and_the_answer() {
    let traced = Traced::new();
    let pem = traced.campus.issue("hanako", 0x77);
    let mut asking = Asking { traced: &traced, api: traced.serving.api(), pem, id: String::new(), revoked: vec![1] };
    // Somebody to disconnect, though his NAS can't be told.
    let mut nas = Nas::new(1, traced.serving.listening("accounting"));
    let start = Record { status: Status::Start, session: "s".into(), octets: 0, happened: now(), stamp: None };
    assert!(nas.once(&start, Duration::from_secs(20)).expect("loopback"));
    let known: BTreeSet<_> = CHANGES.iter().map(|(verb, path, _)| (*verb, *path)).chain(CHANGE_NOTHING).collect();
    let described = asking.ask("GET", "/openapi.json", None).good();
    for (path, methods) in described["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys().filter(|method| *method != "get") {
            assert!(known.contains(&(method, path)), "{method} {path} changes something and stands in no list here");
        }
    }
    // Twice: the second time no page of the file is new.
    for (verb, path, ask) in CHANGES.iter().chain(&CHANGES) {
        let said = ask(&mut asking);
        assert!(said.is_good(), "{verb} {path}: {} {}", said.status, said.text);
    }
    let seen = traced.end();
    let mut from = 0;
    for (verb, path, _) in CHANGES.iter().chain(&CHANGES) {
        let begin = format!("{} {}", verb.to_uppercase(), path.split('{').next().unwrap_or_default());
        let asked = find(&seen, from, |it| matches!(it, Seen::Came(octets) if octets.starts_with(begin.as_bytes())));
        let answer = |it: &Seen| matches!(it, Seen::Sent(octets) if octets.starts_with(b"HTTP/1.1 2"));
        let answered = find(&seen, asked, answer);
        assert!(is_synced(&seen, asked, answered), "{verb} {path} is answered before it is on the disk");
        from = answered;
    }
}

fn find(seen: &[Seen], from: usize, wanted: impl Fn(&Seen) -> bool) -> usize {
    let found = seen.iter().skip(from).position(wanted);
    from + found.unwrap_or_else(|| panic!("not among the {} that follow of {}", seen.len() - from, seen.len()))
}

#[test]
fn every_record_is_on_the_disk_between_the_request_and_its_response() {
    let traced = Traced::new();
    let port = traced.serving.listening("accounting");
    // Eight at once, told from each other by their Identifiers.
    let mut nases: Vec<_> = (0..8).map(|number| Nas::new(number + 1, port).beginning_at(number * 16)).collect();
    for (status, octets) in
        [(Status::On, 0), (Status::Start, 0), (Status::Interim, 5), (Status::Stop, 0), (Status::Off, 0)]
    {
        let session = if matches!(status, Status::On | Status::Off) { "" } else { "s" };
        let record = Record { status, session: session.into(), octets, happened: now(), stamp: None };
        let asked: Vec<_> = nases.iter_mut().map(|nas| nas.send(&record).expect("loopback")).collect();
        for (nas, asked) in nases.iter().zip(&asked) {
            assert!(nas.hears(asked, Duration::from_secs(20)).expect("loopback"), "{status:?} is answered");
        }
        // The same once more: it is there, and so it is told at once or after the next commit, but never before it is on the disk.
    }
    let seen = traced.end();
    let mut answers = 0;
    for (answered, one) in seen.iter().enumerate() {
        let Seen::Sent(octets) = one else { continue };
        let [5, identifier, ..] = octets[..] else { continue };
        let asked = seen[..answered].iter().rposition(|it| matches!(it, Seen::Came(it) if it[..2] == [4, identifier]));
        let asked = asked.expect("nobody answers what wasn't asked");
        assert!(is_synced(&seen, asked, answered), "{identifier} is answered before its record is on the disk");
        answers += 1;
    }
    assert_eq!(answers, 40);
}

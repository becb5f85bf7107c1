//! Sixteen callers change the same certificate and the same person at once: what each was told fits one order, which the audit has and the end shows.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::api::Api;
use super::chance::Chance;
use super::place::Campus;

const CALLERS: usize = 16;
const EACH: usize = 14;

/// A change that was told.
#[derive(Debug)]
struct Told {
    /// Of a block; `None`: it was lifted.
    tag: Option<String>,
    /// What the caller had seen, who wanted his change to count for that alone.
    seen: Option<Option<String>>,
    begun: usize,
    ended: usize,
}

/// Whoever changes things.
struct Caller<'a> {
    number: usize,
    api: Api,
    chance: Chance,
    /// Of the certificate, as a path.
    certificate: &'a str,
    clock: &'a AtomicUsize,
    stale: &'a AtomicUsize,
}

const USER: &str = "/api/v1/users/taro@example.ac.jp/block";

impl Caller<'_> {
    fn now(&self) -> usize {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// Blocks or lifts the certificate; `None`: that was refused.
    fn change_certificate(&mut self, turn: usize) -> Option<Told> {
        let is_careful = self.chance.percent(50);
        let (mut header, mut seen) = (String::new(), None);
        if is_careful {
            let shown = self.api.ask("GET", self.certificate, None, "").expect("it answers");
            header = format!("If-Match: {}\r\n", shown.etag.as_deref().expect("a version"));
            seen = Some(note(&shown.body));
        }
        let path = format!("{}/revocation", self.certificate);
        let tag = (self.chance.percent(60)).then(|| format!("{}-{turn}", self.number));
        let begun = self.now();
        let said = match &tag {
            Some(tag) => self.api.ask("POST", &path, Some(json!({ "note": tag })), &header),
            None => self.api.ask("DELETE", &path, None, &header),
        };
        let said = said.expect("it answers");
        let ended = self.now();
        match said.status {
            200 => {
                assert_eq!(note(&said.body), tag, "each is shown what he has made");
                Some(Told { tag, seen, begun, ended })
            }
            409 if tag.is_none() => None,
            412 if is_careful => {
                self.stale.fetch_add(1, Ordering::SeqCst);
                None
            }
            _ => panic!("{} {}", said.status, said.text),
        }
    }

    fn change_user(&mut self, turn: usize) -> Option<Told> {
        let tag = (self.chance.percent(60)).then(|| format!("{}-{turn}", self.number));
        let begun = self.now();
        let said = match &tag {
            Some(tag) => self.api.ask("POST", USER, Some(json!({ "reason": tag })), ""),
            None => self.api.ask("DELETE", USER, None, ""),
        };
        let said = said.expect("it answers");
        let ended = self.now();
        match said.status {
            200 | 204 => Some(Told { tag, seen: None, begun, ended }),
            404 if tag.is_none() => None,
            _ => panic!("{} {}", said.status, said.text),
        }
    }
}

fn note(certificate: &Value) -> Option<String> {
    certificate.pointer("/blocked/note").and_then(Value::as_str).map(str::to_owned)
}

#[test]
fn sixteen_who_change_the_same_at_once_do_not_lose_each_other() {
    let campus = Campus::new();
    let (pem, of_user) = (campus.issue("hanako", 0x77), campus.issue("taro", 0x78));
    let serving = campus.start();
    let id = serving.ask("POST", "/api/v1/certificates", Some(json!({ "pem": pem }))).good()["id"].clone();
    let id = id.as_str().expect("an id");
    let certificate = format!("/api/v1/certificates/{id}");
    let (clock, stale) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (of_certificate, of_person) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let mut chance = Chance::from_environment();
    thread::scope(|scope| {
        for number in 0..CALLERS {
            let chance = Chance::new(chance.next());
            let (clock, stale) = (&clock, &stale);
            let mut caller = Caller { number, api: serving.api(), chance, certificate: &certificate, clock, stale };
            let (of_certificate, of_person) = (&of_certificate, &of_person);
            scope.spawn(move || {
                for turn in 0..EACH {
                    let told = caller.change_certificate(turn);
                    of_certificate.lock().expect("no panic").extend(told);
                    let told = caller.change_user(turn);
                    of_person.lock().expect("no panic").extend(told);
                }
            });
        }
    });
    let audit = serving.ask("GET", "/api/v1/audit?limit=1000", None).good();
    let of_certificate = of_certificate.into_inner().expect("no panic");
    let end = replay(&audit, id, "note", &of_certificate);
    assert_eq!(note(&serving.ask("GET", &certificate, None).good()), end);
    assert_eq!(
        reason(&serving.ask("POST", "/api/v1/explain", Some(json!({ "pem": pem }))).good()),
        if end.is_some() { "blocked" } else { "ok" }
    );
    let end = replay(&audit, "taro@example.ac.jp", "reason", &of_person.into_inner().expect("no panic"));
    let explained = serving.ask("POST", "/api/v1/explain", Some(json!({ "pem": of_user }))).good();
    assert_eq!(reason(&explained), if end.is_some() { "user-blocked" } else { "ok" });
    let careful = of_certificate.iter().filter(|told| told.seen.is_some()).count();
    assert!(careful > 0 && stale.load(Ordering::SeqCst) > 0, "{careful} were in time, {stale:?} too late");
    assert_eq!(serving.end(), Some(0));
}

fn reason(explained: &Value) -> String {
    explained["decisions"][0]["reason"].as_str().expect("a reason").to_owned()
}

/// Goes through the audit's lines of a target in their order; why it is blocked at the end. Every change that was told has a line, no other has, and each line makes sense where it stands.
fn replay(audit: &Value, target: &str, why: &str, told: &[Told]) -> Option<String> {
    let lines = audit["items"].as_array().expect("a list").iter().rev();
    let lines: Vec<_> =
        lines.filter(|line| line["target"] == target && line["action"] != "register-certificate").collect();
    assert_eq!(lines.len(), told.len(), "one line for each that was told");
    let (mut state, mut latest) = (None, 0);
    for line in lines {
        let action = line["action"].as_str().expect("a text");
        if action.starts_with("lift") || action.starts_with("unblock") {
            assert!(state.is_some(), "there was nothing to lift");
            state = None;
            continue;
        }
        let tag = line["detail"][why].as_str().expect("a text").to_owned();
        let change = told.iter().find(|one| one.tag.as_deref() == Some(&tag)).expect("it was told");
        assert!(change.ended > latest, "{tag} was told before what comes before it was asked for");
        latest = latest.max(change.begun);
        if let Some(seen) = &change.seen {
            assert_eq!(*seen, state, "{tag} counts for what its caller had seen");
        }
        state = Some(tag);
    }
    state
}

//! Staples whose clock is turned by hand; in the last tests there are responders on loopback.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::super::http::tests::server::{Server, send};
use super::super::http::{self, Client};
use super::job::Brought;
use super::*;
use crate::exchange::Prefix;
use crate::now::Mono;
use crate::pki::tests::campus::{NOW, days, member};
use crate::pki::tests::make::{Draft, Key, TestCa, der, extension, name, oid};
use crate::pki::tests::ocsp_make::{INFORMATION_ACCESS, OcspDraft, Single, bare, cert_id, good, revoked, unknown};
use crate::support::scratch::Scratch;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const SERIAL: [u8; 3] = [0, 0xa5, 1];

/// A public CA, and a server's certificate of it.
struct World {
    ca: TestCa,
    settings: Settings,
    scratch: Scratch,
    client: Arc<Client>,
}

impl World {
    fn new(responders: &[&str]) -> Self {
        let ca = TestCa::root(name(&[("CN", "A public CA")]), days(-100), days(900));
        let settings = Settings { identities: vec![identity("p256", &ca, &SERIAL, responders)] };
        let allow = vec![Prefix::new([127, 0, 0, 0].into(), 8).expect("loopback")];
        let http = http::Settings { timeout: Duration::from_secs(10), max_size: 1 << 20, proxy: None, allow };
        let client = Arc::new(Client::new(http).expect("a client"));
        Self { ca, settings, scratch: Scratch::new(), client }
    }

    fn staples(&self, seconds: u64, previous: Option<&Staples>) -> Staples {
        Staples::new(&self.settings, self.scratch.path(), at(seconds), previous)
    }

    fn der(&self, status: Vec<u8>, life: std::ops::Range<u64>) -> Vec<u8> {
        self.draft(status, life).sign(&self.ca)
    }

    fn draft(&self, status: Vec<u8>, life: std::ops::Range<u64>) -> OcspDraft {
        let single = Single::new(cert_id(&self.ca, &SERIAL), status);
        OcspDraft::new(&[single.dated(at(life.start).wall, at(life.end).wall)])
    }

    fn begin(&self, staples: &mut Staples, seconds: u64) -> Vec<Job> {
        staples.begin(at(seconds), &self.client)
    }

    /// Whoever is due is asked, and answers with this; `Err`: the label of what is wrong with it.
    fn answer(&self, staples: &mut Staples, seconds: u64, der: Vec<u8>) -> Result<Vec<News>, &'static str> {
        let mut jobs = self.begin(staples, seconds);
        assert_eq!(jobs.len(), 1, "one is due: {jobs:?}");
        let job = jobs.remove(0);
        let brought = job.judge(der, &"http://one.example/".into());
        let label = brought.as_ref().err().map(|failure| failure.label);
        let brought = brought.map_err(|failure| failure.text);
        let news = finish(staples, job.identity, brought, seconds);
        label.map_or(Ok(news), Err)
    }

    fn fail(&self, staples: &mut Staples, seconds: u64) -> Vec<News> {
        let job = self.begin(staples, seconds).remove(0);
        finish(staples, job.identity, Err("nobody is there".into()), seconds)
    }

    /// The first time, to the second, at which somebody is due again.
    fn due(&self, staples: &Staples, from: u64) -> u64 {
        let is_due = |seconds: u64| !self.begin(&mut staples.clone(), seconds).is_empty();
        let (mut low, mut high) = (from, from + 1_000 * DAY);
        assert!(is_due(high), "never due");
        while low < high {
            let middle = low.midpoint(high);
            if is_due(middle) { high = middle } else { low = middle + 1 }
        }
        low
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.scratch.path().join("staple")).map_or(0, Iterator::count)
    }
}

/// A server's certificate that names these responders, with its issuer.
fn identity(called: &str, ca: &TestCa, serial: &[u8], responders: &[&str]) -> IdentitySettings {
    let describe = |url: &&str| der(0x30, &[&oid("1.3.6.1.5.5.7.48.1"), &der(0x86, &[url.as_bytes()])]);
    let access = der(0x30, &[&responders.iter().map(describe).collect::<Vec<_>>().concat()]);
    let leaf = Draft::new(name(&[("CN", "radius.test")]), serial, Key::p256().spki(), days(-9), days(900));
    let leaf = if responders.is_empty() { leaf } else { leaf.with(extension(INFORMATION_ACCESS, false, &access)) };
    IdentitySettings { name: called.into(), chain: vec![ca.issue(&leaf), ca.der.clone()] }
}

fn finish(staples: &mut Staples, identity: usize, brought: Result<Brought, String>, seconds: u64) -> Vec<News> {
    let outcome = Outcome { identity, results: vec!["ok"], brought };
    staples.finish(outcome, at(seconds)).expect("it is there").news
}

fn at(seconds: u64) -> Now {
    let passed = Duration::from_secs(seconds);
    Now { mono: Mono(passed), wall: NOW + passed }
}

/// What is handed over, if anything is.
fn handed(staples: &mut Staples, seconds: u64) -> Option<Option<Vec<u8>>> {
    let mut handed = staples.hand(at(seconds).wall);
    assert!(handed.len() < 2, "{handed:?}");
    handed.pop().map(|handed| handed.staple)
}

fn state(staples: &Staples, seconds: u64) -> State {
    staples.states(at(seconds).wall).remove(0)
}

#[test]
fn it_is_asked_at_once_and_again_when_half_of_the_answer_s_life_is_over() {
    let world = World::new(&["http://one.example/"]);
    let mut staples = world.staples(0, None);
    assert_eq!(handed(&mut staples, 0), Some(None), "whatever the server stapled before, it doesn't now");
    assert_eq!(handed(&mut staples, 1), None);
    let first = world.der(good(), 0..10 * HOUR);
    assert_eq!(world.answer(&mut staples, 0, first.clone()), Ok(vec![]));
    assert_eq!(handed(&mut staples, 0), Some(Some(first.clone())));
    assert_eq!(handed(&mut staples, 1), None);
    assert_eq!(state(&staples, 1).end, Some(at(10 * HOUR).wall));
    let due = world.due(&staples, 0);
    assert!((5 * HOUR - HOUR / 2..=5 * HOUR + HOUR / 2).contains(&due), "{due}");
    // A responder whose next answer isn't made yet is asked again in a while, and the answer stays.
    let at = 6 * HOUR;
    assert_eq!(world.answer(&mut staples, at, first), Ok(vec![]));
    assert_eq!(handed(&mut staples, at), None);
    let due = world.due(&staples, at) - at;
    assert!((HOUR * 9 / 10..=HOUR * 11 / 10).contains(&due), "a quarter of what is left: {due}");
}

#[test]
fn an_answer_that_lives_for_ages_is_renewed_daily_and_a_short_one_not_all_the_time() {
    for (life, rest) in [(300 * DAY, DAY), (8, 10)] {
        let world = World::new(&["http://one.example/"]);
        let mut staples = world.staples(0, None);
        world.answer(&mut staples, 0, world.der(good(), 0..life)).expect("a good one");
        let due = world.due(&staples, 0);
        assert!((rest * 9 / 10..=rest * 11 / 10 + 1).contains(&due), "{due}");
    }
}

#[test]
fn who_fails_is_asked_after_pauses_that_grow_to_an_hour_and_is_told_of_once() {
    let world = World::new(&["http://one.example/"]);
    let mut staples = world.staples(0, None);
    let (mut now, mut news) = (0, Vec::new());
    for pause in [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600] {
        news.extend(world.fail(&mut staples, now));
        let due = world.due(&staples, now) - now;
        assert!((pause * 9 / 10..=pause * 11 / 10 + 1).contains(&due), "{due} for {pause}");
        now += due;
    }
    assert_eq!(news, [News::Bad("identity p256: nobody is there".into())]);
    let complaints = state(&staples, now).complaints;
    assert_eq!(complaints, ["identity p256: no OCSP answer can be stapled: nobody is there"]);
    let news = world.answer(&mut staples, now, world.der(good(), now..now + DAY)).expect("a good one");
    assert_eq!(news, [News::Good("identity p256: http://one.example/ answers again".into())]);
    assert_eq!(state(&staples, now).complaints, [""; 0]);
}

#[test]
fn nothing_is_stapled_past_its_end() {
    let world = World::new(&["http://one.example/"]);
    let mut staples = world.staples(0, None);
    world.answer(&mut staples, 0, world.der(good(), 0..HOUR)).expect("a good one");
    assert!(matches!(handed(&mut staples, 0), Some(Some(_))));
    world.fail(&mut staples, HOUR / 2 + HOUR / 10);
    assert_eq!(handed(&mut staples, HOUR - 31), None);
    assert_eq!(state(&staples, HOUR - 31).complaints, [""; 0], "there is time yet");
    let taken_off = staples.hand(at(HOUR - 30).wall).remove(0);
    assert!(taken_off.staple.is_none() && matches!(taken_off.news, Some(News::Bad(_))), "{taken_off:?}");
    assert_eq!(state(&staples, HOUR - 30).end, None);
    assert!(state(&staples, HOUR - 30).complaints[0].contains("nobody is there"));
}

#[test]
fn an_answer_ends_with_its_signer_s_certificate() {
    let world = World::new(&["http://one.example/"]);
    let signs = extension("2.5.29.37", false, &der(0x30, &[&oid("1.3.6.1.5.5.7.3.9")]));
    let key = Key::p256();
    let draft = Draft::new(name(&[("CN", "Responder")]), &[9], key.spki(), days(-1), at(HOUR).wall).with(signs);
    let delegate = TestCa { der: world.ca.issue(&draft), key, ..TestCa::root(draft.subject.clone(), NOW, NOW) };
    let mut staples = world.staples(0, None);
    let der = world.draft(good(), 0..DAY).sign_delegated(&delegate);
    assert_eq!(world.answer(&mut staples, 0, der), Ok(vec![]));
    assert_eq!(state(&staples, 0).end, Some(at(HOUR).wall));
}

#[test]
fn after_a_restart_what_was_kept_is_stapled_while_it_is_good() {
    let world = World::new(&["http://one.example/"]);
    let mut staples = world.staples(0, None);
    let der = world.der(good(), 0..DAY);
    world.answer(&mut staples, 0, der.clone()).expect("a good one");
    let mut again = world.staples(HOUR, None);
    assert_eq!(handed(&mut again, HOUR), Some(Some(der)));
    assert_eq!(world.due(&again, HOUR), HOUR, "it is asked again all the same");
    let mut late = world.staples(2 * DAY, None);
    assert_eq!(handed(&mut late, 2 * DAY), Some(None));
}

#[test]
fn what_was_kept_is_verified_again_and_goes_with_its_certificate() {
    let mut world = World::new(&["http://one.example/"]);
    let mut staples = world.staples(0, None);
    world.answer(&mut staples, 0, world.der(good(), 0..DAY)).expect("a good one");
    let folder = world.scratch.path().join("staple");
    let file = std::fs::read_dir(&folder).expect("it was made").next().expect("a file").expect("it can be read").path();
    let mut octets = std::fs::read(&file).expect("it was written");
    *octets.last_mut().expect("some") ^= 1;
    std::fs::write(&file, octets).expect("ours");
    assert_eq!(handed(&mut world.staples(1, None), 1), Some(None));
    // A certificate that was renewed: its answer takes the place of the other's.
    world.settings.identities = vec![identity("p256", &world.ca, &[0, 0xa5, 2], &["http://one.example/"])];
    let mut staples = world.staples(1, None);
    assert_eq!(handed(&mut staples, 1), Some(None));
    let single = Single::new(cert_id(&world.ca, &[0, 0xa5, 2]), good()).dated(at(1).wall, at(DAY).wall);
    world.answer(&mut staples, 1, OcspDraft::new(&[single]).sign(&world.ca)).expect("a good one");
    assert_eq!((world.files(), file.exists()), (1, false));
}

#[test]
fn a_disk_that_takes_nothing_costs_the_restart_only() {
    let world = World::new(&["http://one.example/"]);
    world.scratch.write("staple", "not a folder");
    let mut staples = world.staples(0, None);
    let der = world.der(good(), 0..DAY);
    let news = world.answer(&mut staples, 0, der.clone()).expect("a good one");
    assert!(matches!(&news[..], [News::Bad(text)] if text.contains("cannot be kept")), "{news:?}");
    assert_eq!(handed(&mut staples, 0), Some(Some(der.clone())));
    assert!(state(&staples, 0).complaints[0].contains("cannot be kept"));
    std::fs::remove_file(world.scratch.path().join("staple")).expect("ours");
    assert_eq!(world.answer(&mut staples, DAY * 2 / 3, der), Ok(vec![]), "the same answer is written now");
    assert_eq!((world.files(), state(&staples, 0).complaints.len()), (1, 0));
}

#[test]
fn revoked_is_an_alarm_and_is_stapled_until_something_newer_says_otherwise() {
    let world = World::new(&["http://one.example/"]);
    let mut staples = world.staples(0, None);
    world.answer(&mut staples, 0, world.der(good(), 0..DAY)).expect("a good one");
    let (at, bad) = (14 * HOUR, world.der(revoked(NOW, None), 13 * HOUR..2 * DAY));
    let news = world.answer(&mut staples, at, bad.clone()).expect("an answer");
    assert!(matches!(&news[..], [News::Alarm(text)] if text.contains("REVOKED")), "{news:?}");
    assert_eq!(handed(&mut staples, at), Some(Some(bad.clone())));
    let shown = state(&staples, at);
    assert!(shown.revoked && shown.complaints[0].contains("REVOKED"), "{shown:?}");
    // It stays so after a restart and past its end, and an answer of before doesn't undo it.
    let restarted = state(&world.staples(3 * DAY, None), 3 * DAY);
    assert_eq!((restarted.revoked, restarted.end), (true, None));
    assert_eq!(world.answer(&mut staples, DAY + 12 * HOUR, world.der(good(), HOUR..3 * DAY)), Err("older"));
    assert_eq!(world.answer(&mut staples, DAY + 13 * HOUR, world.der(good(), 13 * HOUR..3 * DAY)), Err("older"));
    assert_eq!(handed(&mut staples, DAY + 13 * HOUR), None);
    let on = 2 * DAY;
    let news = world.answer(&mut staples, on, world.der(good(), on..3 * DAY)).expect("a good one");
    assert!(news.iter().any(|line| matches!(line, News::Good(text) if text.contains("isn't revoked any more"))));
    assert!(!state(&staples, on).revoked);
}

#[test]
fn unknown_is_no_answer_and_nothing_that_is_none_takes_the_place_of_a_good_one() {
    let world = World::new(&["http://one.example/"]);
    let mut staples = world.staples(0, None);
    let first = world.der(good(), 0..10 * DAY);
    world.answer(&mut staples, 0, first.clone()).expect("a good one");
    handed(&mut staples, 0);
    let stranger = TestCa::root(name(&[("CN", "A public CA")]), days(-100), days(900));
    let bad = [
        (world.der(unknown(), DAY..9 * DAY), "unknown"),
        (world.draft(good(), DAY..9 * DAY).sign(&stranger), "signature"),
        (world.der(good(), DAY..DAY + 1), "stale"),
        (bare(6), "unauthorized"),
        (b"<html>".to_vec(), "malformed"),
    ];
    for (number, (der, label)) in bad.into_iter().enumerate() {
        let at = (2 + number as u64) * DAY;
        assert_eq!(world.answer(&mut staples, at, der), Err(label));
        assert_eq!((handed(&mut staples, at), state(&staples, at).complaints.len()), (None, 0));
    }
    assert_eq!(handed(&mut world.staples(9 * DAY, None), 9 * DAY), Some(Some(first)));
}

#[test]
fn over_a_reload_an_answer_goes_with_its_certificate_and_new_ones_are_asked_about_at_once() {
    let mut world = World::new(&["http://one.example/"]);
    let mut staples = world.staples(0, None);
    let der = world.der(good(), 0..10 * DAY);
    world.answer(&mut staples, 0, der.clone()).expect("a good one");
    handed(&mut staples, 0);
    // Nothing on disk helps.
    std::fs::remove_dir_all(world.scratch.path().join("staple")).expect("it was made");
    world.settings.identities[0].name = "renamed".into();
    let other = identity("new", &world.ca, &[0, 0xa5, 2], &["http://one.example/"]);
    world.settings.identities.insert(0, other);
    let mut reloaded = world.staples(HOUR, Some(&staples));
    let all = reloaded.hand(at(HOUR).wall);
    let all: Vec<_> = all.into_iter().map(|handed| (handed.name.to_string(), handed.staple)).collect();
    assert_eq!(all, [("new".to_owned(), None), ("renamed".to_owned(), Some(der))]);
    assert_eq!(world.begin(&mut reloaded, HOUR).len(), 2);
    assert_eq!(world.begin(&mut reloaded, HOUR).len(), 0, "once at a time");
}

#[test]
fn where_nobody_can_be_asked_nobody_is_and_it_is_said_why() {
    let mut world = World::new(&[]);
    assert!(!world.settings.asks());
    let staples = world.staples(0, None);
    assert!(world.begin(&mut staples.clone(), 0).is_empty());
    let shown = state(&staples, 0);
    assert_eq!((shown.responders, shown.closed, shown.complaints.len()), (vec![], None, 0));
    let mut alone = identity("alone", &world.ca, &SERIAL, &["http://one.example/"]);
    alone.chain.truncate(1);
    let nowhere = identity("nowhere", &world.ca, &SERIAL, &["http:///"]);
    for (identity, why) in [(alone, "alone"), (nowhere, "no request can be sent")] {
        world.settings.identities = vec![identity];
        assert!(!world.settings.asks());
        let staples = world.staples(0, None);
        assert!(world.begin(&mut staples.clone(), 0).is_empty());
        let closed = state(&staples, 0).closed.expect("a sentence");
        assert!(closed.contains(why), "{closed}");
    }
    // One that isn't the server's own is read as little as any.
    world.settings.identities[0].chain = vec![world.ca.issue(&member(&[7])), b"x".to_vec()];
    assert_eq!(state(&world.staples(0, None), 0).responders, [""; 0]);
}

/// A responder that sends this, whatever it is asked.
async fn responder(status: &'static str, der: Vec<u8>) -> Server {
    Server::handling(move |mut stream, head, _| {
        let der = der.clone();
        Box::pin(async move {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let mut posted = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
            stream.read_exact(&mut posted).await.expect("all of it");
            let refused = status != "200" && head.starts_with("GET ");
            let (status, body) = if refused { (status, &[][..]) } else { ("200", &der[..]) };
            let head = format!("HTTP/1.1 {status} So\r\nContent-Length: {}\r\n\r\n", body.len());
            send(&mut stream, &[head.as_bytes(), body].concat()).await;
        })
    })
    .await
}

/// How asking these goes: what is counted, and what is stapled then.
async fn asked(world: &World, seconds: u64) -> (Vec<&'static str>, Option<Vec<u8>>) {
    let mut staples = world.staples(seconds, None);
    let job = world.begin(&mut staples, seconds).remove(0);
    let finished = staples.finish(job.run().await, at(seconds)).expect("it is there");
    (finished.results, handed(&mut staples, seconds).flatten())
}

#[tokio::test]
async fn r19_a_responder_is_asked_without_nonce_by_get_and_by_post_where_it_takes_no_get() {
    for (status, methods, results) in [
        ("200", &["GET"][..], vec!["ok"]),
        ("405", &["GET", "POST"], vec!["status", "ok"]),
        ("503", &["GET"], vec!["status"]),
    ] {
        let mut world = World::new(&[]);
        let der = world.der(good(), 0..DAY);
        let server = responder(status, der.clone()).await;
        let url = format!("http://127.0.0.1:{}/o", server.port);
        world.settings.identities = vec![identity("p256", &world.ca, &SERIAL, &[&url])];
        let (counted, stapled) = asked(&world, 1).await;
        assert_eq!((&counted, stapled), (&results, results.contains(&"ok").then_some(der)));
        let heads = server.heads();
        let asked: Vec<_> = heads.iter().map(|head| head.split(' ').next().expect("a method")).collect();
        assert_eq!(asked, methods);
    }
}

#[tokio::test]
async fn the_next_responder_is_asked_where_one_has_no_good_answer_and_none_at_a_forbidden_address() {
    let mut world = World::new(&[]);
    let der = world.der(good(), 0..DAY);
    let (odd, sound) = (responder("200", b"no DER".to_vec()).await, responder("200", der.clone()).await);
    let urls = [
        "http://10.0.0.1/".to_owned(),
        format!("http://127.0.0.1:{}/", odd.port),
        format!("http://127.0.0.1:{}/", sound.port),
    ];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    world.settings.identities = vec![identity("p256", &world.ca, &SERIAL, &urls)];
    assert_eq!(asked(&world, 1).await, (vec!["forbidden-address", "malformed", "ok"], Some(der)));
}

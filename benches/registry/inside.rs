//! What the server asks its registry by itself, and what it writes.

use std::path::Path;
use std::time::{Duration, Instant};

use sekisho::now::Wall;
use sekisho::store::{
    Audited, Certificates, Decided, Decisions, Device, Known, Sighting, Store, Trace, Wanted, serial_text,
};

use crate::campus::wall;

/// As the daemon compares with CRLs.
const PIECE: i64 = 5_000;
/// Decisions that are written at once: not more than may wait.
const WRITTEN: usize = 12_000;
/// Sightings.
const SEEN: usize = 4_000;
/// Rounds of forgetting.
const ROUNDS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(120);

/// What was measured, line by line.
pub(crate) type Lines = Vec<(String, String)>;

/// Opens it and closes it again.
pub(crate) fn open(state: &Path) {
    let (store, thread) = Store::open(state).expect("a thread");
    assert_eq!(store.health().fault, None);
    drop(store);
    thread.join().expect("it ends");
}

/// All of it, with the server away.
pub(crate) async fn measure(state: &Path) -> Lines {
    let begun = Instant::now();
    let (store, thread) = Store::open(state).expect("a thread");
    let mut lines = vec![("opened".to_owned(), millis(begun.elapsed()))];
    for listed in [false, true] {
        let (times, found) =
            repeat(9, async || store.blocked(listed).await.expect("what is blocked").certificates.len()).await;
        lines.push((
            format!("what is blocked, as read at each block (listed: {listed}), {found} certificates"),
            spread(times),
        ));
    }
    lines.push(sweep(&store).await);
    let wanted = || Wanted { most: 51, ..Wanted::default() };
    let (times, _) = repeat(50, async || store.sessions(wanted()).await.expect("sessions").len()).await;
    lines.push(("sessions, a page".to_owned(), spread(times)));
    let all = Wanted { most: 1_000_000, ..Wanted::default() };
    let begun = Instant::now();
    let found = store.sessions(all).await.expect("sessions").len();
    lines.push((format!("all {found} live sessions, as read at the start"), millis(begun.elapsed())));
    lines.push(("decisions written a second, nobody reads".to_owned(), decisions(&store).await));
    lines.push(("sightings written a second, nobody reads".to_owned(), sightings(&store).await));
    let reading = [tokio::spawn(read_on(store.clone())), tokio::spawn(read_on(store.clone()))];
    lines.push(("decisions written a second, two read lists".to_owned(), decisions(&store).await));
    lines.push(("sightings written a second, two read lists".to_owned(), sightings(&store).await));
    let (times, _) = repeat(50, async || store.audit(line()).await.is_ok()).await;
    lines.push(("one change, two read lists".to_owned(), spread(times)));
    for reader in reading {
        reader.abort();
    }
    let (times, _) = repeat(50, async || store.audit(line()).await.is_ok()).await;
    lines.push(("one change, nobody reads".to_owned(), spread(times)));
    lines.extend(forget(&store).await);
    store.close();
    drop(store);
    let begun = Instant::now();
    thread.join().expect("it ends");
    lines.push(("closed".to_owned(), millis(begun.elapsed())));
    lines
}

/// The whole comparison's walk along the names.
async fn sweep(store: &Store) -> (String, String) {
    let (begun, mut times, mut all) = (Instant::now(), Vec::new(), 0);
    for authority in store.named_authorities().await.expect("a look") {
        let mut after = Some(String::new());
        while let Some(last) = after {
            let page = Instant::now();
            let serials = store.serials(authority.clone(), last, PIECE).await.expect("a page");
            times.push(page.elapsed());
            (after, all) = (serials.last().cloned(), all + serials.len());
        }
    }
    (format!("names read to be compared with CRLs, {all}, in all {}", millis(begun.elapsed())), spread(times))
}

/// A second, until the last can be seen.
async fn decisions(store: &Store) -> String {
    let newest = store.decisions(Decisions::default(), None, 1).await.expect("a look");
    let mut model = newest.into_iter().next().unwrap_or_default();
    model.at = wall();
    let begun = Instant::now();
    for number in 0..WRITTEN {
        let mac = Some(format!("02:11:00:00:{:02x}:{:02x}", number >> 8 & 0xff, number & 0xff));
        let fingerprint = Some(scattered(number));
        let user = Some(format!("s{:07}", number * 97 % 250_000));
        store.trace(Trace::Decided(Box::new(Decided { mac, fingerprint, user, ..model.clone() })));
    }
    store.catch_up().await.expect("written");
    let which =
        || Decisions { fingerprint: Some(scattered(WRITTEN - 1)), since: Some(model.at), ..Decisions::default() };
    wait(async || !store.decisions(which(), None, 1).await.expect("a look").is_empty()).await;
    rate(WRITTEN, begun.elapsed())
}

/// Certificates that are known, from other devices.
async fn sightings(store: &Store) -> String {
    let records = store.fresh(0, Wall(i64::MAX), i64::try_from(SEEN).expect("few")).await.expect("a page");
    let known: Vec<_> = records.into_iter().filter(|record| record.known.fingerprint.is_some()).collect();
    let at = Wall(wall().0 + 1);
    let begun = Instant::now();
    for record in &known {
        // As a login tells it: without the DER and the facts.
        let Known { fingerprint, authority, serial, subject, user, not_after, .. } = record.known.clone();
        let known = Known { fingerprint, authority, serial, subject, user, not_after, ..Known::default() };
        let mac = format!("02:12:{}", serial_text(&record.row.to_be_bytes()[4..]));
        let device = Some(Device { mac, service: "campus".into(), nas: "ap".into(), last_seen: at });
        store.trace(Trace::Seen(Box::new(Sighting { known, at, device })));
    }
    store.catch_up().await.expect("written");
    let last: Vec<i64> = known.iter().rev().take(1).map(|record| record.row).collect();
    let devices = store.devices(last).await.expect("a look");
    assert!(devices.iter().any(|(_, device)| device.last_seen == at) || known.is_empty(), "it is there");
    rate(known.len(), begun.elapsed())
}

/// Lists as operators read them, without rest.
async fn read_on(store: Store) {
    loop {
        let _ = store.certificates(Certificates::default(), None, 51).await;
        let which = Decisions { outcome: Some("reject".to_owned()), ..Decisions::default() };
        let _ = store.decisions(which, None, 51).await;
    }
}

/// Rounds of forgetting, and what a change waits for meanwhile.
async fn forget(store: &Store) -> Lines {
    let oldest_days = Wall(wall().0 - 170 * 86_400);
    let (mut times, mut waits, mut more) = (Vec::new(), Vec::new(), true);
    while more && times.len() < ROUNDS {
        let begun = Instant::now();
        let waiting = tokio::spawn({
            let store = store.clone();
            async move { (store.audit(line()).await.is_ok(), begun.elapsed()).1 }
        });
        more = store.forget_decisions(oldest_days).await.expect("forgotten");
        times.push(begun.elapsed());
        waits.push(waiting.await.expect("no panic"));
    }
    let rounds = format!("{} rounds of forgetting old decisions", times.len());
    vec![(rounds, spread(times)), ("one change beside a round of it".to_owned(), spread(waits))]
}

fn line() -> Audited {
    let text = |text: &str| text.to_owned();
    Audited {
        row: 0,
        at: wall(),
        caller: text("bench"),
        role: text("operator"),
        action: text("bench"),
        target: text(""),
        detail: text("{}"),
    }
}

async fn wait(done: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !done().await {
        assert!(begun.elapsed() < PATIENCE, "what was written can't be seen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn repeat<T: Default>(times: usize, work: impl AsyncFn() -> T) -> (Vec<Duration>, T) {
    let (mut all, mut last) = (Vec::new(), T::default());
    for _ in 0..times {
        let begun = Instant::now();
        last = work().await;
        all.push(begun.elapsed());
    }
    (all, last)
}

/// A fingerprint that no other number has.
fn scattered(number: usize) -> [u8; 32] {
    let mut octets = [7; 32];
    let spread = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    octets[..8].copy_from_slice(&spread.to_be_bytes());
    octets
}

fn rate(number: usize, time: Duration) -> String {
    format!("{:.0}/s", number as f64 / time.as_secs_f64())
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let at =
        |part: f64| times.get(((times.len().max(1) - 1) as f64 * part).round() as usize).copied().unwrap_or_default();
    let [median, p99, most] = [0.5, 0.99, 1.0].map(|part| at(part).as_secs_f64() * 1e3);
    format!("{median:.2} / {p99:.2} / {most:.2} ms")
}

//! What is written is what judging each certificate would have written, whatever CRLs and OCSP answers come one after the other.

use std::collections::BTreeMap;
use std::sync::Mutex as Short;

use jiff::tz::TimeZone;

use super::*;
use crate::admin;
use crate::observe::{Explainer, Language};
use crate::pki::tests::campus::{Campus, NOW, days, facts, load, member, trust};
use crate::pki::tests::make::{CrlDraft, TestCa, der, extension, validity};
use crate::pki::tests::ocsp_make::{OcspDraft, Single, cert_id, good, load_answer, revoked};
use crate::pki::{Answers, Crl, Origin, Question, Revocation, RevocationSource, Trust};
use crate::policy::Policy;
use crate::store::{Audited, Known};
use crate::support::scratch::Scratch;

/// Serials of each CA's certificates.
const SERIALS: u8 = 24;
const ROUNDS: i64 = 60;

/// As scattered as a test needs, and the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn is(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let chosen = usize::try_from(self.below(all.len() as u64)).expect("few");
        all[chosen]
    }
}

struct World {
    campus: Campus,
    trust: Arc<Trust>,
    answers: Arc<Answers>,
    /// Of `ca16`, as a question has it.
    issuer: [u8; 32],
    dice: Dice,
    round: i64,
    /// What decides now.
    now: Arc<Short<(View, Wall)>>,
}

impl World {
    fn new(seed: u64) -> Self {
        let campus = Campus::new();
        let mut settings = campus.settings();
        settings[0].revocation = RevocationSource::CrlThenOcsp;
        let trust = Arc::new(trust(&settings));
        let issuer = facts(&trust, &campus.ca16.issue(&member(&[99]))).links[0].issuer;
        let now = Arc::new(Short::new((view(&trust, Revocation::default()), NOW)));
        Self { campus, trust, answers: Arc::default(), issuer, dice: Dice(seed), round: 0, now }
    }

    fn comparison(&self, store: &Store) -> Comparison {
        let now = Arc::clone(&self.now);
        let grounds = Box::new(move || {
            let now = now.lock().expect("no panic");
            (now.0.clone(), now.1)
        });
        Comparison::new(store.clone(), grounds, Clock::start())
    }

    /// Known by name alone, with its facts, with its octets alone; of an authority or none, ended long ago, lately, not yet.
    fn certificate(&mut self, serial: u8) -> Known {
        let ca = self.dice.one_of(&[0, 1]);
        let (name, ca) = [("ca16", &self.campus.ca16), ("pub-ca8", &self.campus.pub_ca8)][ca];
        let end = self.dice.one_of(&[days(-50), days(-20), days(15), days(300)]);
        let mut draft = member(&[serial]);
        draft.validity = validity(days(-100), end);
        let octets = ca.issue(&draft);
        let mut known = admin::known(&facts(&self.trust, &octets), &Policy::new(Vec::new(), Vec::new()));
        match self.dice.below(4) {
            0 => Known { facts: None, fingerprint: None, issuer: None, ..known },
            1 => Known { facts: None, der: Some(octets), ..known },
            2 => known,
            _ => {
                known.authority = Some(self.dice.one_of(&["nobody", name]).to_owned());
                known
            }
        }
    }

    fn draft(&mut self, next: Option<i64>) -> CrlDraft {
        let until = next.unwrap_or(self.dice.one_of(&[-1, 3, 30]));
        let number = u8::try_from(self.round + 1).expect("few");
        CrlDraft::new(number, days(self.round - 2), days(self.round + until))
    }

    fn crl(&mut self, which: impl Fn(&Campus) -> &TestCa) -> Arc<Crl> {
        let mut draft = self.draft(None);
        for serial in 1..=SERIALS {
            if self.dice.is(15) {
                let (at, reason) =
                    (self.dice.one_of(&[days(-9), days(-3)]), self.dice.one_of(&[None, Some(1), Some(6)]));
                draft = draft.revoke(&[serial], at, reason);
            }
        }
        load(&which(&self.campus).crl(&draft), &self.trust)
    }

    /// Over the complete one of this round, or of one that was.
    fn delta(&mut self) -> Arc<Crl> {
        let mut draft = self.draft(None).with(extension("2.5.29.27", true, &der(0x02, &[&[1]])));
        for serial in 1..=SERIALS {
            if self.dice.is(15) {
                let reason = self.dice.one_of(&[Some(8), Some(6), Some(1)]);
                draft = draft.revoke(&[serial], days(-3), reason);
            }
        }
        load(&self.campus.ca16.crl(&draft), &self.trust)
    }

    /// Of the root, which now and then revokes the intermediate.
    fn root(&mut self) -> Arc<Crl> {
        let draft = self.draft(Some(30));
        let draft = if self.dice.is(20) { draft.revoke(&[8], days(-5), Some(6)) } else { draft };
        load(&self.campus.root_ca2.crl(&draft), &self.trust)
    }

    fn answer(&mut self) {
        let serial = vec![u8::try_from(1 + self.dice.below(SERIALS.into())).expect("few")];
        let status = match self.dice.below(3) {
            0 => revoked(days(-4), Some(1)),
            1 => revoked(days(-4), Some(6)),
            _ => good(),
        };
        let now = days(self.round);
        let single = Single::new(cert_id(&self.campus.ca16, &serial), status).dated(now, days(self.round + 2));
        let octets = OcspDraft::new(&[single]).sign(&self.campus.ca16);
        let question = Question { authority: "ca16".into(), issuer: self.issuer, serial };
        let answer = load_answer(&octets, &question, Origin::Kept, &self.trust, now).expect("a sound answer");
        self.answers.insert(Arc::new(answer));
    }

    /// A day later something else decides.
    fn go_on(&mut self) {
        self.round += 1;
        let mut crls = Vec::new();
        if self.dice.is(80) {
            crls.push(self.crl(|campus| &campus.ca16));
        }
        if self.dice.is(30) {
            crls.push(self.delta());
        }
        if self.dice.is(80) {
            crls.push(self.crl(|campus| &campus.pub_ca8));
        }
        crls.push(self.root());
        while self.dice.is(50) {
            self.answer();
        }
        let mut now = self.now.lock().expect("no panic");
        let next = Revocation::new(crls).with_answers(Arc::clone(&self.answers));
        // A server that was started anew knows of none that has disappeared.
        let next = if self.round % 5 == 0 { next } else { next.succeed(&now.0.revocation, days(self.round)).0 };
        *now = (view(&self.trust, next), days(self.round));
    }
}

fn view(trust: &Arc<Trust>, revocation: Revocation) -> View {
    View {
        trust: Arc::clone(trust),
        revocation: Arc::new(revocation),
        policy: Arc::new(Policy::new(Vec::new(), Vec::new())),
        blocks: Arc::default(),
        disconnects: false,
        explainer: Explainer { language: Language::En, zone: TimeZone::UTC },
    }
}

fn line() -> Audited {
    let text = String::new;
    Audited { row: 0, at: NOW, caller: text(), role: text(), action: text(), target: text(), detail: "{}".into() }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

async fn all_of(store: &Store) -> BTreeMap<i64, Record> {
    let all = store.fresh(0, Wall(i64::MAX), 10_000).await.expect("a look");
    all.into_iter().map(|record| (record.row, record)).collect()
}

/// Whether what is written stays as it is, whatever anybody says.
fn is_over(record: &Record, now: Wall) -> bool {
    record.revoked.is_some() && record.known.not_after.is_some_and(|end| end.0 < now.0 - ENDED)
}

#[test]
fn what_is_written_is_what_judging_each_certificate_finds() {
    let (mut began, mut ended, mut changed, mut stayed, mut by_a_ca) = (0, 0, 0, 0, 0);
    for seed in 1..=3 {
        let scratch = Scratch::new();
        let (store, thread) = Store::open(scratch.path()).expect("a thread");
        let mut world = World::new(seed);
        run(async {
            for serial in (1..=SERIALS).flat_map(|serial| [serial; 2]) {
                let known = world.certificate(serial);
                store.register(known, "test", NOW, line()).await.expect("registered");
            }
            let comparison = world.comparison(&store);
            for _ in 0..ROUNDS / 3 {
                world.go_on();
                // Whom nobody has compared before: what is said of him may have disappeared already.
                let serial = u8::try_from(1 + world.dice.below(SERIALS.into())).expect("few");
                let known = world.certificate(serial);
                store.register(known, "test", NOW, line()).await.expect("registered");
                let before = all_of(&store).await;
                comparison.all().await.expect("compared");
                let after = all_of(&store).await;
                let (view, now) = (comparison.grounds)();
                by_a_ca += usize::from(view.revokes_a_ca(now));
                for (row, record) in &before {
                    let judged = view.revoked(record, now);
                    let wanted = if is_over(record, now) { record.revoked.clone() } else { judged };
                    assert_eq!(after[row].revoked, wanted, "round {} of {seed}, {record:?}", world.round);
                    match (&record.revoked, &wanted) {
                        (None, Some(_)) => began += 1,
                        (Some(_), None) => ended += 1,
                        (one, other) if one != other => changed += 1,
                        _ => stayed += 1,
                    }
                }
            }
        });
        drop(store);
        thread.join().expect("it ends");
    }
    assert!(began > 50 && ended > 20 && changed > 20 && stayed > 500, "{began} {ended} {changed} {stayed}");
    assert!(by_a_ca > 5, "{by_a_ca}");
}

#[test]
fn who_has_just_come_is_compared_at_once_and_those_before_him_are_not_read_again() {
    let scratch = Scratch::new();
    let (store, thread) = Store::open(scratch.path()).expect("a thread");
    let mut world = World::new(7);
    run(async {
        let comparison = world.comparison(&store);
        let named = |serial: u8| Known {
            authority: Some("ca16".into()),
            serial: Some(format!("{serial:02x}")),
            ..Known::default()
        };
        let applied = |number: i64| Known { application: Some(format!("a{number}")), ..Known::default() };
        let draft = world.draft(Some(30)).revoke(&[1], days(-1), None).revoke(&[2], days(-1), None);
        let crl = load(&world.campus.ca16.crl(&draft), &world.trust);
        world.now.lock().expect("no panic").0 = view(&world.trust, Revocation::new(vec![crl]));
        store.register(named(1), "test", NOW, line()).await.expect("registered");
        let mut last = store.last_row().await.expect("a look");
        // More than are read at once that aren't issued, and so hold nobody up who comes after them.
        for number in 0..PIECE * 2 {
            store.register(applied(number), "test", NOW, line()).await.expect("registered");
        }
        store.register(named(2), "test", NOW, line()).await.expect("registered");
        last = comparison.fresh(last).await.expect("compared");
        assert_eq!(last, store.last_row().await.expect("a look"));
        let revoked: Vec<_> = all_of(&store).await.into_values().map(|record| record.revoked.is_some()).collect();
        assert_eq!(revoked, [false, true], "the first is left to the comparison of all");
        for serial in 3..=10 {
            store.register(named(serial), "test", NOW, line()).await.expect("registered");
        }
        let next = comparison.fresh(last).await.expect("compared");
        assert_eq!(next, last + PIECE, "the others at the next beat");
        comparison.all().await.expect("compared");
        assert!(all_of(&store).await.into_values().take(2).all(|record| record.revoked.is_some()));
    });
    drop(store);
    thread.join().expect("it ends");
}

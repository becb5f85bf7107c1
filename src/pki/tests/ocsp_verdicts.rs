//! What answers mean for a certificate, and what is asked.

use std::sync::Arc;
use std::time::Duration;

use super::campus::*;
use super::make::*;
use super::ocsp_make::*;
use crate::event::{Evidence, Reason};
use crate::now::Wall;
use crate::pki::{Answers, Origin, Revocation, RevocationSource, Trust, Verdict, questions, verdict};

use RevocationSource::{Crl, CrlThenOcsp, Ocsp, OcspThenCrl, Off};

/// CA16 with this order of sources and an hour of grace; a certificate of it with serial 7.
struct Case {
    campus: Campus,
    trust: Trust,
    leaf: Vec<u8>,
    crls: Vec<Vec<u8>>,
    answers: Arc<Answers>,
}

impl Case {
    fn new(order: RevocationSource) -> Self {
        let campus = Campus::new();
        let mut tables = campus.settings();
        for table in &mut tables {
            table.revocation = order;
            table.grace = Duration::from_secs(3600);
        }
        let trust = trust(&tables);
        let leaf = campus.ca16.issue(&member(&[7]));
        Self { campus, trust, leaf, crls: Vec::new(), answers: Arc::default() }
    }

    fn crl(&mut self, draft: &CrlDraft) {
        self.crls.push(self.campus.ca16.crl(draft));
    }

    fn single(&self, status: Vec<u8>) -> Single {
        Single::new(cert_id(&self.campus.ca16, &[7]), status)
    }

    fn answer(&self, single: Single) {
        self.answer_with(OcspDraft::new(&[single]).sign(&self.campus.ca16));
    }

    fn answer_with(&self, octets: Vec<u8>) {
        let question = question_of(&facts(&self.trust, &self.leaf));
        let answer = load_answer(&octets, &question, Origin::Kept, &self.trust, NOW).expect("an answer");
        self.answers.insert(Arc::new(answer));
    }

    fn revocation(&self) -> Revocation {
        let crls = self.crls.iter().map(|crl| load(crl, &self.trust)).collect();
        Revocation::new(crls).with_answers(Arc::clone(&self.answers))
    }

    fn verdict(&self, now: Wall) -> Verdict {
        verdict(&self.trust, &self.revocation(), &facts(&self.trust, &self.leaf), now)
    }

    fn finding(&self, now: Wall) -> Reason {
        self.verdict(now).finding
    }

    fn asks(&self, now: Wall) -> usize {
        questions(&self.trust, &self.revocation(), &facts(&self.trust, &self.leaf), now).len()
    }
}

fn second(count: i64) -> Wall {
    Wall(NOW.0 + count)
}

/// How old a source's data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    Fresh,
    Grace,
    Stale,
    Absent,
}

use Age::{Absent, Fresh, Grace, Stale};

const AGES: [Age; 4] = [Fresh, Grace, Stale, Absent];

fn next_update(age: Age) -> Option<Wall> {
    match age {
        Fresh => Some(second(10)),
        Grace => Some(second(-10)),
        Stale => Some(second(-7200)),
        Absent => None,
    }
}

fn expected(age: Age) -> Reason {
    match age {
        Fresh => Reason::Ok,
        Grace => Reason::OkGrace,
        Stale => Reason::RevocationStale,
        Absent => Reason::RevocationUnknown,
    }
}

#[test]
fn r16_r20_the_first_fresh_source_decides_else_the_freshest() {
    for order in [Crl, Ocsp, CrlThenOcsp, OcspThenCrl, Off] {
        for crl in AGES {
            for ocsp in AGES {
                let mut case = Case::new(order);
                if let Some(next) = next_update(crl) {
                    case.crl(&CrlDraft::new(1, days(-2), next));
                }
                if let Some(next) = next_update(ocsp) {
                    case.answer(case.single(good()).dated(days(-2), next));
                }
                let (decides, asks) = match order {
                    Crl => (crl, false),
                    Ocsp => (ocsp, ocsp != Fresh),
                    CrlThenOcsp => (crl.min(ocsp), crl != Fresh && ocsp != Fresh),
                    OcspThenCrl => (crl.min(ocsp), ocsp != Fresh),
                    Off => (Fresh, false),
                };
                let text = format!("{order:?}: CRL {crl:?}, OCSP {ocsp:?}");
                let verdict = case.verdict(NOW);
                assert_eq!(verdict.finding, expected(decides), "{text}");
                assert_eq!(case.asks(NOW), usize::from(asks), "{text}");
                let by_ocsp = match order {
                    Ocsp => ocsp != Absent,
                    CrlThenOcsp => ocsp < crl,
                    OcspThenCrl => ocsp <= crl && ocsp != Absent,
                    Crl | Off => false,
                };
                let shows = |evidence: &Evidence| matches!(evidence, Evidence::Ocsp(_));
                assert_eq!(verdict.evidence.iter().any(shows), by_ocsp, "{text}: {verdict:?}");
            }
        }
    }
}

#[test]
fn r16_where_nothing_is_known_the_evidence_says_of_which_sources() {
    for (order, crl, ocsp) in
        [(Ocsp, false, true), (Crl, true, false), (CrlThenOcsp, true, true), (OcspThenCrl, true, true)]
    {
        let verdict = Case::new(order).verdict(NOW);
        assert_eq!(verdict.finding, Reason::RevocationUnknown);
        let has = |wanted: fn(&Evidence) -> bool| verdict.evidence.iter().any(wanted);
        assert_eq!(has(|evidence| matches!(evidence, Evidence::NoCrl(text) if text.contains("CA16"))), crl);
        assert_eq!(has(|evidence| matches!(evidence, Evidence::NoOcsp(text) if text.contains("CA16"))), ocsp);
    }
}

#[test]
fn r16_unknown_is_out_of_scope_and_the_next_source_is_consulted() {
    for (order, crl, finding, asks) in [
        (Ocsp, false, Reason::RevocationUnknown, 0),
        (CrlThenOcsp, false, Reason::RevocationUnknown, 0),
        (OcspThenCrl, false, Reason::RevocationUnknown, 0),
        (CrlThenOcsp, true, Reason::Ok, 0),
        (OcspThenCrl, true, Reason::Ok, 0),
    ] {
        let mut case = Case::new(order);
        case.answer(case.single(unknown()));
        if crl {
            case.crl(&fresh(1));
        }
        let verdict = case.verdict(NOW);
        assert_eq!(verdict.finding, finding, "{order:?}");
        assert_eq!(case.asks(NOW), asks, "it has been answered");
        let shown =
            verdict.evidence.iter().any(|one| matches!(one, Evidence::Ocsp(name) if name.status.name() == "unknown"));
        assert_eq!(shown, !crl);
        assert_eq!(
            case.asks(days(2)),
            usize::from(order != CrlThenOcsp || !crl),
            "past its nextUpdate it is asked again"
        );
    }
}

#[test]
fn r16_revoked_wins_in_any_order_however_old_it_is() {
    for order in [Crl, Ocsp, CrlThenOcsp, OcspThenCrl, Off] {
        let mut case = Case::new(order);
        case.crl(&fresh(1));
        case.answer(case.single(revoked(days(-3), Some(1))).dated(days(-90), days(-80)));
        let verdict = case.verdict(NOW);
        if order == Off {
            assert_eq!(verdict.finding, Reason::Ok);
            continue;
        }
        assert_eq!(verdict.finding, Reason::Revoked, "{order:?}");
        let [Evidence::Revoked { at, reason, intermediate }, Evidence::Ocsp(name)] = &verdict.evidence[..] else {
            panic!("{verdict:?}")
        };
        assert_eq!((*at, *reason, *intermediate), (days(-3), Some("keyCompromise"), false));
        assert_eq!(&*name.authority, "ca16");
        assert_eq!(case.asks(NOW), 0, "no answer could turn it");
    }
}

#[test]
fn r16_a_crl_that_revokes_wins_over_a_fresh_good_answer() {
    for order in [Crl, Ocsp, CrlThenOcsp, OcspThenCrl] {
        let mut case = Case::new(order);
        case.answer(case.single(good()));
        case.crl(&fresh(1).revoke(&[7], days(-2), None));
        assert_eq!(case.finding(NOW), Reason::Revoked, "{order:?}");
        assert_eq!(case.asks(NOW), 0);
    }
}

#[test]
fn r16_a_vanished_revocation_stays_with_its_evidence() {
    let case = Case::new(Ocsp);
    case.answer(case.single(revoked(days(-3), None)).dated(days(-2), days(1)));
    case.answer(case.single(good()).dated(days(-1), days(1)));
    let verdict = case.verdict(NOW);
    assert_eq!(verdict.finding, Reason::Revoked);
    let vanished = Evidence::Vanished { source: Arc::from("http://ocsp.example"), since: days(-1) };
    assert_eq!(verdict.evidence.last(), Some(&vanished), "{verdict:?}");
}

#[test]
fn r16_a_hold_that_ended_lets_the_certificate_in_again() {
    let case = Case::new(Ocsp);
    case.answer(case.single(revoked(days(-3), Some(6))).dated(days(-2), days(1)));
    assert_eq!(case.finding(NOW), Reason::Revoked);
    case.answer(case.single(good()).dated(days(-1), days(1)));
    assert_eq!(case.finding(NOW), Reason::Ok);
}

#[test]
fn r20_r26_an_answer_whose_time_hasnt_come_doesnt_count_after_the_clock_was_turned_back() {
    let case = Case::new(Ocsp);
    case.answer(case.single(good()).dated(days(-1), days(1)));
    assert_eq!(case.finding(Wall(days(-1).0 - 300)), Reason::Ok);
    assert_eq!(case.finding(Wall(days(-1).0 - 301)), Reason::RevocationUnknown);
    assert_eq!(case.asks(Wall(days(-1).0 - 301)), 1);
}

#[test]
fn r16_nothing_is_asked_where_no_answer_could_turn_a_refusal() {
    let mut case = Case::new(Ocsp);
    assert_eq!(case.asks(NOW), 1);
    assert_eq!(case.asks(days(301)), 0, "expired");
    assert_eq!(case.asks(days(-101)), 0, "not valid yet");
    case.leaf = case.campus.ca16.issue(&Draft { subject: name(&[("C", "JP"), ("O", "Another")]), ..member(&[7]) });
    assert_eq!(case.asks(NOW), 0, "of another organisation");
    case.leaf = case.campus.ca16.issue(&member(&[7]).without("2.5.29.37"));
    assert_eq!(case.asks(NOW), 0, "without the purpose");
}

#[test]
fn r02_every_certificate_of_the_path_is_asked_about_and_a_revoked_intermediate_ends_it() {
    let mut case = Case::new(Ocsp);
    case.leaf = case.campus.pub_ca8.issue(&member(&[7]));
    let facts = facts(&case.trust, &case.leaf);
    let asked = questions(&case.trust, &case.revocation(), &facts, NOW);
    let links: Vec<_> = facts.links.iter().map(|link| (link.issuer, link.serial.clone())).collect();
    assert_eq!(asked.iter().map(|one| (one.issuer, one.serial.clone())).collect::<Vec<_>>(), links);
    assert!(asked.iter().all(|one| &*one.authority == "pub-ca8"));
    let (ca8, root) = (&case.campus.pub_ca8, &case.campus.root_ca2);
    let about_leaf = OcspDraft::new(&[Single::new(cert_id(ca8, &[7]), good())]).sign(ca8);
    let about_ca = |status| OcspDraft::new(&[Single::new(cert_id(root, &[8]), status)]).sign(root);
    let take = |octets: &[u8], question| {
        case.answers.insert(Arc::new(load_answer(octets, question, Origin::Kept, &case.trust, NOW).unwrap()));
    };
    take(&about_leaf, &asked[0]);
    assert_eq!((case.finding(NOW), case.asks(NOW)), (Reason::RevocationUnknown, 1));
    take(&about_ca(good()), &asked[1]);
    assert_eq!((case.finding(NOW), case.asks(NOW)), (Reason::Ok, 0));
    take(
        &OcspDraft::new(&[Single::new(cert_id(root, &[8]), revoked(days(-1), None)).dated(NOW, days(1))]).sign(root),
        &asked[1],
    );
    let verdict = case.verdict(NOW);
    assert_eq!(verdict.finding, Reason::Revoked);
    assert!(matches!(verdict.evidence[0], Evidence::Revoked { intermediate: true, reason: None, .. }), "{verdict:?}");
}

/// A good answer by a delegate whose certificate was changed like this.
fn delegated(change: impl Fn(Draft) -> Draft, status: Vec<u8>) -> Case {
    let case = Case::new(Ocsp);
    let delegate = delegate(&case.campus.ca16, change);
    case.answer_with(OcspDraft::new(&[case.single(status).dated(days(-1), days(20))]).sign_delegated(&delegate));
    case
}

fn plain(draft: Draft) -> Draft {
    draft
}

fn with_points(draft: Draft) -> Draft {
    draft.with(distribution_points(&["http://crl.example/ca.crl"]))
}

fn with_access(draft: Draft) -> Draft {
    described(draft, "1.3.6.1.5.5.7.48.1")
}

/// With where the CA's certificate is, and nothing of revocation.
fn with_issuers(draft: Draft) -> Draft {
    described(draft, "1.3.6.1.5.5.7.48.2")
}

fn described(draft: Draft, method: &str) -> Draft {
    let description = der(0x30, &[&oid(method), &der(0x86, &[b"http://pki.example"])]);
    draft.with(extension(INFORMATION_ACCESS, false, &der(0x30, &[&description])))
}

fn no_check(draft: Draft) -> Draft {
    draft.with(extension(NO_CHECK, false, &[5, 0]))
}

#[test]
fn r19_a_delegate_that_has_expired_since_speaks_no_more() {
    let case = delegated(plain, good());
    assert_eq!((case.finding(days(10)), case.asks(days(10))), (Reason::Ok, 0));
    assert_eq!((case.finding(Wall(days(10).0 + 1)), case.asks(Wall(days(10).0 + 1))), (Reason::RevocationUnknown, 1));
    let case = delegated(plain, revoked(days(-3), None));
    assert_eq!(case.finding(days(11)), Reason::Revoked, "what it revoked stays revoked");
}

#[test]
fn r19_a_delegate_that_is_revoked_speaks_no_more() {
    for change in [plain, with_points, with_access, no_check] {
        for status in [good(), unknown(), revoked(days(-3), None)] {
            let mut case = delegated(change, status);
            case.crl(&fresh(1).revoke(&[0x77], days(-2), None));
            let verdict = case.verdict(NOW);
            assert_eq!(verdict.finding, Reason::RevocationUnknown);
            assert!(matches!(verdict.evidence[..], [Evidence::NoOcsp(_)]), "{verdict:?}");
            assert_eq!(case.asks(NOW), 1);
        }
    }
}

#[test]
fn r19_a_delegate_that_tells_where_its_crl_is_must_not_be_on_it() {
    for (change, is_covered, finding) in [
        (plain as fn(Draft) -> Draft, false, Reason::Ok),
        (no_check, false, Reason::Ok),
        (with_issuers, false, Reason::Ok),
        (|draft| no_check(with_points(draft)), false, Reason::Ok),
        (with_points, false, Reason::RevocationUnknown),
        (with_points, true, Reason::Ok),
        (with_access, false, Reason::RevocationUnknown),
        (with_access, true, Reason::Ok),
    ] {
        let mut case = delegated(change, good());
        if is_covered {
            case.crl(&fresh(1));
        }
        assert_eq!(case.finding(NOW), finding);
    }
}

#[test]
fn r19_an_answer_is_no_fresher_than_the_crl_about_its_delegate() {
    let mut case = delegated(with_points, good());
    case.crl(&CrlDraft::new(1, days(-1), days(2)));
    assert_eq!((case.finding(days(2)), case.asks(days(2))), (Reason::Ok, 0));
    assert_eq!((case.finding(Wall(days(2).0 + 3600)), case.asks(Wall(days(2).0 + 3600))), (Reason::OkGrace, 1));
    assert_eq!(case.finding(days(3)), Reason::RevocationStale);
}

#[test]
fn r04_facts_of_an_authority_that_is_gone_ask_nothing() {
    let case = Case::new(Ocsp);
    let facts = facts(&case.trust, &case.leaf);
    let other = trust(&[settings("other", &case.campus.root_ca2, &[])]);
    assert!(questions(&other, &case.revocation(), &facts, NOW).is_empty());
}

//! Responses: what is read, what is believed of their contents and dates.

use super::campus::*;
use super::make::*;
use super::ocsp_make::*;
use crate::event::OcspStatus;
use crate::now::Wall;
use crate::pki::{BadOcsp, OcspAnswer, Origin, Question, Trust};

/// CA16 and the question about its certificate with serial 7.
pub(super) struct Asked {
    pub(super) campus: Campus,
    pub(super) trust: Trust,
    pub(super) question: Question,
}

impl Asked {
    pub(super) fn new() -> Self {
        let campus = Campus::new();
        let trust = campus.trust();
        let question = question_of(&facts(&trust, &campus.ca16.issue(&member(&[7]))));
        Self { campus, trust, question }
    }

    pub(super) fn single(&self, status: Vec<u8>) -> Single {
        Single::new(cert_id(&self.campus.ca16, &[7]), status)
    }

    pub(super) fn good(&self) -> OcspDraft {
        OcspDraft::new(&[self.single(good())])
    }

    pub(super) fn load(&self, octets: &[u8]) -> Result<OcspAnswer, BadOcsp> {
        self.load_at(octets, FETCHED, NOW)
    }

    pub(super) fn load_at(&self, octets: &[u8], origin: Origin<'_>, now: Wall) -> Result<OcspAnswer, BadOcsp> {
        load_answer(octets, &self.question, origin, &self.trust, now)
    }

    /// What is said against it; empty: nothing.
    pub(super) fn label(&self, octets: &[u8]) -> &'static str {
        label(self.load(octets))
    }

    fn of(&self, draft: &OcspDraft) -> &'static str {
        self.label(&draft.sign(&self.campus.ca16))
    }

    fn status(&self, singles: &[Single]) -> Option<OcspStatus> {
        let octets = OcspDraft::new(singles).sign(&self.campus.ca16);
        self.load(&octets).ok().map(|answer| answer.name().status)
    }
}

pub(super) fn label(loaded: Result<OcspAnswer, BadOcsp>) -> &'static str {
    let Err(bad) = loaded else { return "" };
    assert!(BadOcsp::LABELS.contains(&bad.label), "{bad:?}");
    assert!(!bad.text.is_empty());
    bad.label
}

#[test]
fn r16_good_revoked_and_unknown_are_read() {
    let asked = Asked::new();
    for (status, expected, entry) in [
        (good(), OcspStatus::Good, None),
        (unknown(), OcspStatus::Unknown, None),
        (revoked(days(-3), None), OcspStatus::Revoked, Some((days(-3), None))),
        (revoked(days(-3), Some(1)), OcspStatus::Revoked, Some((days(-3), Some(1)))),
        (revoked(days(-3), Some(99)), OcspStatus::Revoked, Some((days(-3), Some(99)))),
    ] {
        let answer = asked.load(&OcspDraft::new(&[asked.single(status)]).sign(&asked.campus.ca16)).unwrap();
        let name = answer.name();
        assert_eq!((name.status, name.this_update, name.next_update), (expected, Wall(NOW.0 - 3600), days(1)));
        assert_eq!((&*name.authority, &*name.source), ("ca16", "http://ocsp.example"));
        assert_eq!(answer.revokes(), expected == OcspStatus::Revoked);
        assert_eq!(answer.question, asked.question);
        assert_eq!(answer.entry(), entry);
    }
}

#[test]
fn r16_a_status_that_is_cut_short_is_no_answer_and_nothing_crashes() {
    let asked = Asked::new();
    let time = general_time(days(-3));
    let cases: [Vec<u8>; 9] = [
        der(0xa1, &[]),
        der(0xa1, &[&der(0xa0, &[&der(0x0a, &[&[1]])])]),
        der(0xa1, &[&time, &der(0xa0, &[])]),
        der(0xa1, &[&time, &der(0xa0, &[&der(0x0a, &[&[0, 1]])])]),
        der(0xa1, &[&time, &time]),
        der(0xa1, &[&der(0x17, &[b"250601000000Z"])]),
        der(0x81, &[]),
        der(0x80, &[&[0]]),
        der(0x83, &[]),
    ];
    for status in cases {
        assert_eq!(asked.of(&OcspDraft::new(&[asked.single(status)])), "malformed");
    }
}

#[test]
fn what_isnt_successful_is_no_answer_each_with_its_own_text() {
    let asked = Asked::new();
    let labels = [
        (1, "malformed-request"),
        (2, "internal-error"),
        (3, "try-later"),
        (4, "unsupported"),
        (5, "signature-required"),
        (6, "unauthorized"),
        (7, "unsupported"),
        (255, "unsupported"),
    ];
    let mut texts = Vec::new();
    for (status, expected) in labels {
        assert_eq!(asked.label(&bare(status)), expected);
        let contradicting = OcspDraft { status, ..asked.good() };
        assert_eq!(asked.of(&contradicting), expected, "although a good answer comes with it");
        texts.push(asked.load(&bare(status)).unwrap_err().text);
    }
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), labels.len());
    assert_eq!(asked.label(&bare(0)), "malformed", "successful, and nothing in it");
}

#[test]
fn r20_what_isnt_a_basic_response_of_version_1_is_no_answer() {
    let asked = Asked::new();
    let version = |number: u8| der(0xa0, &[&der(0x02, &[&[number]])]);
    assert_eq!(asked.of(&asked.good()), "");
    assert_eq!(asked.of(&OcspDraft { version: version(0), ..asked.good() }), "", "the default written out");
    assert_eq!(asked.of(&OcspDraft { version: version(1), ..asked.good() }), "unsupported");
    assert_eq!(asked.of(&OcspDraft { kind: oid("1.3.6.1.5.5.7.48.1.99"), ..asked.good() }), "unsupported");
    for octets in [&b"<html><body>Service Unavailable</body></html>"[..], b"", b"\x30", b"\x30\x80\x00\x00"] {
        assert_eq!(asked.label(octets), "malformed");
    }
    let mut trailing = asked.good().sign(&asked.campus.ca16);
    trailing.push(0);
    assert_eq!(asked.label(&trailing), "malformed");
}

#[test]
fn p10_every_bound_of_a_response_is_kept() {
    let asked = Asked::new();
    let other = |number: u8| Single::new(cert_id(&asked.campus.ca16, &[8, number]), good());
    let singles = |count: u8| (1..count).map(other).chain([asked.single(good())]).collect::<Vec<_>>();
    assert_eq!(asked.of(&OcspDraft::new(&singles(32))), "");
    assert_eq!(asked.of(&OcspDraft::new(&singles(33))), "too-large");
    let certificates =
        |count| OcspDraft { certificates: vec![asked.campus.pub_ca8.der.clone(); count], ..asked.good() };
    assert_eq!(asked.of(&certificates(8)), "");
    assert_eq!(asked.of(&certificates(9)), "too-large");
    let extensions = |count: u8| {
        let extensions = (0..count).map(|number| extension(&format!("1.2.3.{number}"), false, &[5, 0])).collect();
        OcspDraft { extensions, ..asked.good() }
    };
    assert_eq!(asked.of(&extensions(16)), "");
    assert_eq!(asked.of(&extensions(17)), "too-large");
    let padded = |octets: usize| asked.good().with(extension("1.2.3", false, &vec![0; octets]));
    assert_eq!(asked.of(&padded(60 * 1024)), "");
    assert_eq!(asked.of(&padded(64 * 1024)), "too-large");
}

#[test]
fn r19_critical_extensions_must_be_known_and_none_stands_twice() {
    let asked = Asked::new();
    let in_single = |extensions: Vec<Vec<u8>>| OcspDraft::new(&[Single { extensions, ..asked.single(good()) }]);
    let null = [5, 0];
    assert_eq!(asked.of(&asked.good().with(extension("1.2.3", false, &null))), "");
    assert_eq!(asked.of(&asked.good().with(extension("1.2.3", true, &null))), "critical-extension");
    assert_eq!(asked.of(&asked.good().with(extension("1.3.6.1.5.5.7.48.1.9", true, &null))), "");
    assert_eq!(asked.of(&in_single(vec![extension("1.2.3", false, &null)])), "");
    assert_eq!(asked.of(&in_single(vec![extension("1.2.3", true, &null)])), "critical-extension");
    assert_eq!(asked.of(&in_single(vec![extension("2.5.29.21", true, &null)])), "", "reasonCode");
    assert_eq!(asked.of(&in_single(vec![extension("2.5.29.29", true, &null)])), "critical-extension");
    let twice = asked.good().with(extension("1.2.3", false, &null)).with(extension("1.2.3", false, &null));
    assert_eq!(asked.of(&twice), "malformed");
}

#[test]
fn r20_the_answer_must_be_about_the_certificate_that_was_asked_about() {
    let asked = Asked::new();
    let (ca16, pub_ca8) = (&asked.campus.ca16, &asked.campus.pub_ca8);
    let named = TestCa { name: pub_ca8.name.clone(), ..TestCa::root(ca16.name.clone(), days(-1), days(1)) };
    let other_key = TestCa { key: Key::p256(), name: ca16.name.clone(), der: Vec::new() };
    let about = |id: Vec<u8>| asked.of(&OcspDraft::new(&[Single::new(id, good())]));
    assert_eq!(about(cert_id(ca16, &[7])), "");
    assert_eq!(about(cert_id_sha256(ca16, &[7])), "");
    assert_eq!(about(cert_id(ca16, &[0, 7])), "", "the same number");
    for other in [
        cert_id(ca16, &[8]),
        cert_id(ca16, &[7, 0]),
        cert_id(pub_ca8, &[7]),
        cert_id(&named, &[7]),
        cert_id(&other_key, &[7]),
        cert_id_by("2.16.840.1.101.3.4.2.3", sha1, ca16, &[7]),
        cert_id_by("2.16.840.1.101.3.4.2.1", sha1, ca16, &[7]),
        cert_id(ca16, &[1; 40]),
    ] {
        assert_eq!(about(other), "other-certificate");
    }
    assert_eq!(asked.of(&OcspDraft::new(&[])), "other-certificate");
}

#[test]
fn r16_answers_about_others_are_ignored_and_of_several_about_ours_the_worst_counts() {
    let asked = Asked::new();
    let other = Single::new(cert_id(&asked.campus.ca16, &[8]), revoked(days(-3), None));
    assert_eq!(asked.status(&[other.clone(), asked.single(good())]), Some(OcspStatus::Good));
    assert_eq!(asked.status(&[other]), None);
    let all = [good(), unknown(), revoked(days(-3), Some(6)), revoked(days(-3), None)];
    let severity = [OcspStatus::Good, OcspStatus::Unknown, OcspStatus::Revoked, OcspStatus::Revoked];
    for (one, _) in all.iter().enumerate() {
        for (two, _) in all.iter().enumerate() {
            let singles = [asked.single(all[one].clone()), asked.single(all[two].clone())];
            assert_eq!(asked.status(&singles), Some(severity[one.max(two)]));
        }
    }
    let both = [asked.single(good()).dated(days(-1), days(5)), asked.single(good()).dated(days(-1), days(2))];
    let answer = asked.load(&OcspDraft::new(&both).sign(&asked.campus.ca16)).unwrap();
    assert_eq!(answer.name().next_update, days(2));
}

#[test]
fn r20_dates_decide_whether_a_fetched_answer_is_used() {
    let asked = Asked::new();
    let second = |count: i64| Wall(NOW.0 + count);
    let dated = |this, next| OcspDraft::new(&[asked.single(good()).dated(this, next)]);
    for (draft, expected) in [
        (dated(days(-9), second(0)), ""),
        (dated(days(-9), second(-1)), "stale"),
        (dated(second(300), days(1)), ""),
        (dated(second(301), days(1)), "future"),
        (dated(second(0), second(-1)), "stale"),
        (dated(second(200), second(100)), "stale"),
        (OcspDraft { produced_at: second(300), ..asked.good() }, ""),
        (OcspDraft { produced_at: second(301), ..asked.good() }, "future"),
        (OcspDraft::new(&[Single { next_update: None, ..asked.single(good()) }]), "no-next-update"),
        (OcspDraft::new(&[Single { next_update: None, ..asked.single(revoked(days(-1), None)) }]), "no-next-update"),
        (OcspDraft::new(&[asked.single(revoked(days(-9), None)).dated(days(-9), second(-1))]), "stale"),
    ] {
        assert_eq!(asked.of(&draft), expected);
    }
}

#[test]
fn r20_a_next_update_that_is_decades_away_is_cut_to_a_year() {
    let asked = Asked::new();
    let until = |next| {
        let draft = OcspDraft::new(&[asked.single(good()).dated(days(-1), next)]);
        asked.load(&draft.sign(&asked.campus.ca16)).unwrap().name().next_update
    };
    assert_eq!(until(days(365)), days(365));
    assert_eq!(until(days(366)), days(365));
    assert_eq!(until(days(365 * 20)), days(365));
}

#[test]
fn r20_what_the_disk_kept_may_be_old_and_revoked_counts_for_ever() {
    let asked = Asked::new();
    let load = |status, this, next, now| {
        let draft = OcspDraft::new(&[asked.single(status).dated(this, next)]);
        label(asked.load_at(&draft.sign(&asked.campus.ca16), Origin::Kept, now))
    };
    assert_eq!(load(good(), days(-9), days(-8), NOW), "");
    assert_eq!(load(good(), days(1), days(2), NOW), "future", "the clock was turned back");
    assert_eq!(load(revoked(days(-9), None), days(-9), days(-8), days(8000)), "");
    assert_eq!(load(revoked(days(-9), None), days(1), days(2), NOW), "");
}

#[test]
fn r20_a_nonce_that_was_sent_must_come_back() {
    let asked = Asked::new();
    let nonce = [9; 32];
    let load = |draft: &OcspDraft, origin| asked.load_at(&draft.sign(&asked.campus.ca16), origin, NOW);
    let sent = Origin::Fetched { nonce: Some(&nonce) };
    assert_eq!(label(load(&asked.good().nonce(&nonce), sent)), "");
    assert_eq!(label(load(&asked.good().nonce(&nonce), FETCHED)), "", "none was sent");
    assert_eq!(label(load(&asked.good().nonce(&nonce), Origin::Kept)), "");
    assert_eq!(label(load(&asked.good(), FETCHED)), "");
    for (draft, expected) in [
        (asked.good(), "no-nonce"),
        (asked.good().nonce(&[8; 32]), "other-nonce"),
        (asked.good().nonce(&nonce[..31]), "other-nonce"),
        (asked.good().nonce(&[]), "other-nonce"),
        (asked.good().with(extension(NONCE, false, &nonce)), "other-nonce"),
    ] {
        let bad = load(&draft, sent).unwrap_err();
        assert_eq!(bad.label, expected);
        assert!(bad.text.contains("ocsp-nonce = false"), "{}", bad.text);
    }
    let critical = asked.good().with(extension(NONCE, true, &der(0x04, &[&nonce])));
    assert_eq!(label(load(&critical, sent)), "");
}

#[test]
fn r19_the_issuer_must_be_configured() {
    let asked = Asked::new();
    let question = Question { issuer: [1; 32], ..asked.question.clone() };
    let octets = asked.good().sign(&asked.campus.ca16);
    assert_eq!(label(load_answer(&octets, &question, FETCHED, &asked.trust, NOW)), "unknown-issuer");
    assert_eq!(question.request(&asked.trust, None), None);
}

#[test]
fn r19_an_answer_with_any_octet_changed_is_never_believed_otherwise() {
    let asked = Asked::new();
    let octets = OcspDraft::new(&[asked.single(revoked(days(-3), Some(1)))]).sign(&asked.campus.ca16);
    for at in 0..octets.len() {
        for flip in [0x01, 0x80] {
            let mut changed = octets.clone();
            changed[at] ^= flip;
            // The tag of an absent part may change without harm; what is signed may not.
            if let Ok(answer) = asked.load(&changed) {
                assert!(answer.revokes(), "octet {at}");
            }
        }
        assert!(asked.load(&octets[..at]).is_err());
    }
}

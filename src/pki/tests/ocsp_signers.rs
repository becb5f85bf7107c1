//! Who may sign a response.

use super::campus::*;
use super::make::*;
use super::ocsp_make::*;
use super::ocsp_responses::{Asked, label};
use crate::now::Wall;
use crate::pki::Origin;

#[test]
fn r19_the_issuing_ca_may_sign_by_its_name_or_by_its_key() {
    let asked = Asked::new();
    let ca = &asked.campus.ca16;
    assert_eq!(asked.label(&asked.good().sign(ca)), "");
    assert_eq!(asked.label(&OcspDraft { responder: Some(by_key(ca)), ..asked.good() }.sign(ca)), "");
    let bringing_itself = OcspDraft { certificates: vec![ca.der.clone()], ..asked.good() };
    assert_eq!(asked.label(&bringing_itself.sign(ca)), "");
}

#[test]
fn r19_nobody_else_may_whatever_the_responder_is_called() {
    let asked = Asked::new();
    let (ca, other) = (&asked.campus.ca16, &asked.campus.root_ca2);
    let with = |responder: Vec<u8>, certificates: &[&[u8]]| {
        let certificates = certificates.iter().map(|der| der.to_vec()).collect();
        OcspDraft { responder: Some(responder), certificates, ..asked.good() }
    };
    let by_name = |ca: &TestCa| der(0xa1, &[&ca.name]);
    assert_eq!(asked.label(&asked.good().sign(other)), "signer", "configured, but not the issuer");
    assert_eq!(asked.label(&asked.good().sign_delegated(other)), "signer");
    assert_eq!(asked.label(&with(by_name(ca), &[]).sign(other)), "signature");
    assert_eq!(asked.label(&with(by_key(ca), &[]).sign(other)), "signature");
    assert_eq!(asked.label(&with(by_name(ca), &[&other.der]).sign(other)), "signature");
    assert_eq!(asked.label(&with(by_name(other), &[]).sign(ca)), "signer", "signed by the CA, which it doesn't say");
    assert_eq!(asked.label(&with(by_key(other), &[]).sign(ca)), "signer");
    let rolled = TestCa { name: ca.name.clone(), ..TestCa::root(ca.name.clone(), days(-1), days(1)) };
    assert_eq!(asked.label(&asked.good().sign_delegated(&rolled)), "signer", "its name with another key");
}

#[test]
fn r19_a_changed_answer_and_a_weak_algorithm_are_refused() {
    let asked = Asked::new();
    let good = asked.good().sign(&asked.campus.ca16);
    let mut changed = good.clone();
    let at = changed.len() - 1;
    changed[at] ^= 1;
    assert_eq!(asked.label(&changed), "signature");
    let status = good.windows(2).position(|pair| pair == [0x80, 0]).unwrap();
    let mut unknown = good.clone();
    unknown[status] = 0x82;
    assert_eq!(asked.label(&unknown), "signature");
    let sha1 = der(0x30, &[&oid("1.2.840.10045.4.1")]);
    let weak = OcspDraft { algorithm: Some(sha1), ..asked.good() };
    let bad = asked.load(&weak.sign(&asked.campus.ca16)).unwrap_err();
    assert_eq!((bad.label, bad.text.contains("algorithm")), ("signature", true));
}

#[test]
fn r19_a_delegate_that_the_ca_has_issued_may_sign() {
    let asked = Asked::new();
    let ca = &asked.campus.ca16;
    for delegate in [
        delegate(ca, |draft| draft),
        delegate(ca, |draft| draft.without("2.5.29.15")),
        delegate(ca, |draft| draft.with(extension(NO_CHECK, false, &[5, 0]))),
        delegate(ca, |draft| Draft { subject: ca.name.clone(), ..draft }),
    ] {
        assert_eq!(asked.label(&asked.good().sign_delegated(&delegate)), "");
        let by_key = OcspDraft { responder: Some(by_key(&delegate)), ..asked.good() };
        assert_eq!(asked.label(&by_key.sign_delegated(&delegate)), "");
        let among_others = OcspDraft {
            certificates: vec![vec![0x30, 0], asked.campus.pub_ca8.der.clone(), delegate.der.clone(), ca.der.clone()],
            ..asked.good()
        };
        assert_eq!(asked.label(&among_others.sign(&delegate)), "", "certificates of others are ignored");
        assert_eq!(
            asked.label(&asked.good().sign(&delegate)[..]),
            if delegate.name == ca.name { "signature" } else { "signer" }
        );
    }
}

#[test]
fn r19_a_delegate_that_may_not_sign_is_refused() {
    let asked = Asked::new();
    let ca = &asked.campus.ca16;
    let own_purposes = |oids: &'static [&'static str]| {
        move |draft: Draft| {
            let plain = draft.without("2.5.29.37");
            if oids.is_empty() { plain } else { plain.with(purposes(oids)) }
        }
    };
    let usage = |bits| move |draft: Draft| draft.without("2.5.29.15").with(key_usage(bits));
    let sha1 = der(0x30, &[&oid("1.2.840.10045.4.1")]);
    let refused: [(&str, TestCa); 10] = [
        ("no purposes", delegate(ca, own_purposes(&[]))),
        ("another purpose", delegate(ca, own_purposes(&[CLIENT_AUTH]))),
        ("any purpose", delegate(ca, own_purposes(&["2.5.29.37.0"]))),
        ("keyUsage", delegate(ca, usage(KEY_ENCIPHERMENT))),
        ("a CA", delegate(ca, |draft| draft.with(basic_constraints(None)))),
        ("an unknown critical extension", delegate(ca, |draft| draft.with(extension("1.2.3", true, &[5, 0])))),
        ("expired", delegate(ca, |draft| Draft { validity: validity(days(-9), Wall(NOW.0 - 1)), ..draft })),
        ("not valid yet", delegate(ca, |draft| Draft { validity: validity(Wall(NOW.0 + 1), days(9)), ..draft })),
        ("a weak signature", delegate(ca, |draft| Draft { algorithm: Some(sha1.clone()), ..draft })),
        ("of another CA that is configured", delegate(&asked.campus.pub_ca8, |draft| draft)),
    ];
    for (why, delegate) in &refused {
        assert_eq!(asked.label(&asked.good().sign_delegated(delegate)), "signer", "{why}");
    }
    let same_name = TestCa { name: ca.name.clone(), ..TestCa::root(ca.name.clone(), days(-1), days(1)) };
    let forged = delegate(&same_name, |draft| draft);
    assert_eq!(asked.label(&asked.good().sign_delegated(&forged)), "signer", "of a CA of the same name");
    let intermediate = ca.intermediate(name(&[("CN", "Between")]), &[9], days(-9), days(9));
    let below = delegate(&intermediate, |draft| draft);
    let chain = OcspDraft { certificates: vec![below.der.clone(), intermediate.der.clone()], ..asked.good() };
    assert_eq!(asked.label(&chain.sign(&below)), "signer", "not issued directly");
}

#[test]
fn r19_a_delegate_with_a_weak_key_is_refused() {
    let asked = Asked::new();
    let weak = delegate(&asked.campus.ca16, |draft| Draft { spki: hollow_rsa_spki(1024), ..draft });
    let bad = asked.load(&asked.good().sign_delegated(&weak)).unwrap_err();
    assert_eq!((bad.label, bad.text.contains("key that isn't accepted")), ("signer", true));
}

#[test]
fn r19_a_delegate_must_have_signed_the_answer_itself() {
    let asked = Asked::new();
    let ca = &asked.campus.ca16;
    let (one, two) = (delegate(ca, |draft| draft), delegate(ca, |draft| draft));
    let of_the_other = OcspDraft { certificates: vec![one.der.clone()], ..asked.good() };
    assert_eq!(asked.label(&of_the_other.sign(&two)), "signature");
    let both = OcspDraft { certificates: vec![one.der, two.der.clone()], ..asked.good() };
    assert_eq!(asked.label(&both.sign(&two)), "", "of two of one name the one that has signed");
}

#[test]
fn r19_what_the_disk_kept_was_signed_before_its_delegate_ended() {
    let asked = Asked::new();
    let delegate = delegate(&asked.campus.ca16, |draft| draft);
    let kept = |produced_at, now| {
        let draft = OcspDraft { produced_at, ..asked.good() };
        label(asked.load_at(&draft.sign_delegated(&delegate), Origin::Kept, now))
    };
    assert_eq!(kept(days(-1), days(30)), "");
    assert_eq!(kept(days(10), days(30)), "");
    assert_eq!(kept(days(11), days(30)), "signer");
}

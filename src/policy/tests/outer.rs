//! The name that somebody calls himself, where the NAS goes by it.

use super::*;

fn hints(outer: &str) -> Hints {
    Hints { outer: Some(outer.into()), told_by_name: true, ..Hints::default() }
}

fn going_by(reply_username: ReplyUsername) -> Policy {
    policy(vec![ServiceSettings { reply_username, ..service("ssl-vpn") }])
}

fn decided(policy: &Policy, facts: &Facts, hints: &Hints) -> Result<(), (Reason, Vec<Evidence>)> {
    let decision = decide(policy, facts, &Standing::default(), hints);
    if decision.accepts() { Ok(()) } else { Err((decision.reason(), decision.evidence().to_vec())) }
}

#[test]
fn it_is_one_of_the_certificates_names_without_case_or_nobody_is_let_in() {
    let policy = going_by(ReplyUsername::Outer);
    for name in ["hanako@jaist.ac.jp", "HANAKO@jaist.ac.jp", "Hokuriku Hanako", ""] {
        assert_eq!(decided(&policy, &facts(), &hints(name)), Ok(()), "{name}");
    }
    let names = texts(&["hanako@jaist.ac.jp", "Hokuriku Hanako"]);
    for name in [
        "taro@jaist.ac.jp",
        "hanako",
        "hanako@jaist.ac.jp.",
        "hanako@sub.jaist.ac.jp",
        " hanako@jaist.ac.jp",
        "@jaist.ac.jp",
        "anonymous@jaist.ac.jp",
        "anonymous",
        "Staff",
    ] {
        let refused = Err((Reason::BadIdentity, vec![Evidence::Outer(names.clone())]));
        assert_eq!(decided(&policy, &facts(), &hints(name)), refused, "{name}");
    }
}

#[test]
fn a_nas_that_goes_by_the_certificates_name_is_told_that_whatever_anybody_calls_himself() {
    let policy = going_by(ReplyUsername::Certificate);
    assert_eq!(decided(&policy, &facts(), &hints("taro@jaist.ac.jp")), Ok(()));
}

#[test]
fn where_sessions_go_by_more_than_names_one_may_be_nobodys_and_still_not_anothers() {
    let policy = going_by(ReplyUsername::Outer);
    let port = |kind| Hints { nas_port_type: Some(kind), told_by_name: true, ..Hints::default() };
    let eduroam = policy_of_federation();
    let abroad = Hints { federation: true, ..port(5) };
    let told_by_more = Hints { told_by_name: false, ..port(5) };
    let places = [(&policy, port(19)), (&policy, port(15)), (&policy, told_by_more), (&eduroam, abroad)];
    for (policy, place) in places {
        for (name, is_good) in [
            ("@jaist.ac.jp", true),
            ("Anonymous@jaist.ac.jp", true),
            ("taro@jaist.ac.jp", false),
            ("anonymous2@jaist.ac.jp", false),
        ] {
            let hints = Hints { outer: Some(name.into()), ..place.clone() };
            assert_eq!(decided(policy, &facts(), &hints).is_ok(), is_good, "{name} {hints:?}");
        }
    }
    // NAS-Port-Type of a VPN.
    assert!(decided(&policy, &facts(), &Hints { outer: Some("@jaist.ac.jp".into()), ..port(5) }).is_err());
}

fn policy_of_federation() -> Policy {
    policy(vec![ServiceSettings { reply_username: ReplyUsername::Outer, ..service("eduroam") }])
}

#[test]
fn a_part_of_the_certificate_that_does_not_name_users_gives_no_name() {
    let rule =
        UsernameRule { sources: vec![UsernameSource::SanEmail], strip_realm: true, ..UsernameRule::new("ca16".into()) };
    let service = ServiceSettings { reply_username: ReplyUsername::Outer, ..service("ssl-vpn") };
    let policy = Policy::new(vec![service], vec![rule]);
    for (name, is_good) in [("hanako", true), ("hanako@jaist.ac.jp", true), ("Hokuriku Hanako", false)] {
        assert_eq!(decided(&policy, &facts(), &hints(name)).is_ok(), is_good, "{name}");
    }
}

#[test]
fn what_else_stands_against_a_certificate_is_told_first() {
    let policy = going_by(ReplyUsername::Outer);
    let revoked = Verdict { finding: Reason::Revoked, evidence: Vec::new() };
    let hints = hints("taro@jaist.ac.jp");
    let decision = policy.decide(ServiceIndex(0), &facts(), &revoked, &Standing::default(), &hints, NOW);
    assert_eq!(decision.reason(), Reason::Revoked);
}

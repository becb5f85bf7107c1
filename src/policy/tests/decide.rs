use super::*;
use crate::radius::Type;

#[test]
fn every_verdict_that_refuses_refuses_with_its_own_reason() {
    let policy = policy(vec![service("JAIST")]);
    for finding in Reason::ALL.iter().copied() {
        let verdict = Verdict { finding, evidence: vec![Evidence::Rule(9)] };
        let decision = policy.decide(ServiceIndex(0), &facts(), &verdict, &Standing::default(), &Hints::default(), NOW);
        assert_eq!(decision.reason(), finding);
        assert_eq!(decision.evidence(), verdict.evidence);
        let good = matches!(finding, Reason::Ok | Reason::OkGrace);
        assert_eq!(decision.accepts(), good, "{finding}");
        assert_eq!(decision.grant().is_some(), good, "{finding}");
        let nobodys = matches!(finding, Reason::UntrustedIssuer | Reason::WrongOrganisation);
        assert_eq!(decision.user().is_none(), nobodys, "{finding}");
    }
}

#[test]
fn the_services_authorities_come_before_everything_else() {
    let settings = ServiceSettings { authorities: names(&["pub-ca8"]), ..service("ssl-vpn") };
    let verdict = Verdict { finding: Reason::Revoked, evidence: Vec::new() };
    let decision = policy(vec![settings]).decide(
        ServiceIndex(0),
        &facts(),
        &verdict,
        &Standing::default(),
        &Hints::default(),
        NOW,
    );
    assert_eq!(decision.reason(), Reason::UntrustedIssuer);
    assert_eq!(decision.evidence(), [Evidence::Issuer("ca16".into())]);
    assert_eq!(decision.user(), None);
}

#[test]
fn s03_a_session_never_outlives_the_certificates_path() {
    let ends_in = |seconds: u64| {
        let settings =
            ServiceSettings { grants: Grants { session_timeout: Some(DAY), ..Grants::default() }, ..service("JAIST") };
        let facts = Facts { path_not_after: NOW + Duration::from_secs(seconds), ..facts() };
        granted(settings, &facts).session_timeout.as_secs()
    };
    assert_eq!(ends_in(1_000_000), 86_400);
    assert_eq!(ends_in(600), 600);
    // notAfter is inclusive; 0 would mean "no limit" to many a NAS.
    assert_eq!(ends_in(0), 1);
}

#[test]
fn s03_a_path_that_has_ended_is_refused_whatever_the_verdict_says() {
    let facts = Facts { path_not_after: Wall(NOW.0 - 1), ..facts() };
    let policy = policy(vec![service("JAIST")]);
    let decision = decide(&policy, &facts, &Standing::default(), &Hints::default());
    assert_eq!(decision.reason(), Reason::Expired);
    assert!(matches!(decision.evidence(), [Evidence::Validity { .. }]));
}

#[test]
fn without_a_session_timeout_it_is_a_working_day() {
    assert_eq!(granted(service("JAIST"), &facts()).session_timeout, DEFAULT_SESSION_TIMEOUT);
}

#[test]
fn the_federation_gets_no_vlan_and_no_filter() {
    let settings = ServiceSettings {
        grants: vlan("120"),
        ..with_rules(vec![rule(When::default(), Grants { filter_id: Some("staff".into()), ..vlan("110") })])
    };
    let policy = policy(vec![settings]);
    let hints = Hints { federation: true, ..Hints::default() };
    let decision = decide(&policy, &facts(), &Standing::default(), &hints);
    let grant = decision.grant().expect("let in");
    assert_eq!((&grant.vlan, &grant.filter_id), (&None, &None));
}

#[test]
fn the_federation_gets_no_vlan_by_way_of_attributes_either() {
    let mut attributes = Attributes::default();
    attributes.push_vlan("120").expect("it fits");
    for kind in [11, 18, 56, 92] {
        attributes.push(Type(kind), b"x").expect("it fits");
    }
    attributes.push_vendor(14_823, 1, b"member").expect("it fits");
    let settings = ServiceSettings { grants: Grants { attributes, ..Grants::default() }, ..service("eduroam") };
    let policy = policy(vec![settings]);
    let hints = Hints { federation: true, ..Hints::default() };
    let decision = decide(&policy, &facts(), &Standing::default(), &hints);
    let mut wanted = Attributes::default();
    wanted.push(Type(18), b"x").expect("it fits");
    wanted.push_vendor(14_823, 1, b"member").expect("it fits");
    assert_eq!(decision.grant().map(|grant| &grant.attributes), Some(&wanted));
}

#[test]
fn no_refusal_can_bear_a_reason_that_lets_in() {
    for reason in Reason::ALL.iter().copied() {
        let decision = Decision::no_path(NoPath { reason, evidence: Vec::new(), claimed: None });
        assert!(!decision.accepts());
        assert!(!matches!(decision.reason(), Reason::Ok | Reason::OkGrace));
    }
}

use super::*;

#[test]
fn the_ssid_picks_the_service_and_its_case_counts() {
    let policy = policy(vec![service("JAIST"), service("eduroam")]);
    assert_eq!(routed(&policy, &ssid("eduroam")).as_deref(), Some("eduroam"));
    assert_eq!(routed(&policy, &ssid("JAIST")).as_deref(), Some("JAIST"));
    assert_eq!(routed(&policy, &ssid("jaist")), None);
    assert_eq!(routed(&policy, &Hints::default()), None);
}

#[test]
fn a_service_that_the_nas_may_not_ask_for_is_skipped() {
    let catch_all = ServiceSettings { matches: vec![Match::default()], ..service("open") };
    let policy = policy(vec![service("JAIST"), catch_all]);
    let hints = |allowed: &[&str]| Hints { allowed_services: Some(names(allowed)), ..ssid("JAIST") };
    assert_eq!(routed(&policy, &hints(&["JAIST", "open"])).as_deref(), Some("JAIST"));
    assert_eq!(routed(&policy, &hints(&["open"])).as_deref(), Some("open"));
    assert_eq!(routed(&policy, &hints(&[])), None);
}

#[test]
fn keys_must_all_hold_and_of_a_list_any() {
    let wanted = Match {
        nas: Some(names(&["vpn", "vpn2"])),
        nas_port_type: Some(vec![5, 15]),
        nas_identifier: Some(texts(&["gw"])),
        method: Some(vec![Method::EapTls]),
        ssid: None,
    };
    let policy = policy(vec![ServiceSettings { matches: vec![wanted], ..service("ssl-vpn") }]);
    let right = Hints {
        nas: "vpn2".into(),
        nas_port_type: Some(5),
        nas_identifier: Some("gw".into()),
        method: Some(Method::EapTls),
        ..Hints::default()
    };
    assert!(policy.route(&right).is_some());
    for wrong in [
        Hints { nas: "ap".into(), ..right.clone() },
        Hints { nas_port_type: Some(19), ..right.clone() },
        Hints { nas_port_type: None, ..right.clone() },
        Hints { nas_identifier: Some("GW".into()), ..right.clone() },
        Hints { method: Some(Method::Otp), ..right.clone() },
        Hints { method: None, ..right.clone() },
    ] {
        assert!(policy.route(&wrong).is_none(), "{wrong:?}");
    }
}

#[test]
fn a_service_without_any_match_is_never_asked_for() {
    let policy = policy(vec![ServiceSettings { matches: Vec::new(), ..service("JAIST") }]);
    assert_eq!(routed(&policy, &ssid("JAIST")), None);
}

#[test]
fn the_federation_asks_for_eduroam_whatever_the_ssid_says() {
    let policy = policy(vec![service("JAIST"), ServiceSettings { matches: Vec::new(), ..service("eduroam") }]);
    let hints = Hints { federation: true, ..ssid("JAIST") };
    assert_eq!(routed(&policy, &hints).as_deref(), Some("eduroam"));
    let barred = Hints { allowed_services: Some(names(&["JAIST"])), ..hints };
    assert_eq!(routed(&policy, &barred), None);
}

#[test]
fn an_index_of_another_policy_is_nobody() {
    let policy = policy(vec![service("JAIST")]);
    assert!(policy.service(ServiceIndex(1)).is_none());
    assert_eq!(policy.realm(ServiceIndex(1), None), Realm::NotOurs);
    let decision = policy.decide(ServiceIndex(1), &facts(), &good(), &Standing::default(), &Hints::default(), NOW);
    assert_eq!(decision.reason(), Reason::Internal);
    assert_eq!(policy.service_named("JAIST"), Some(ServiceIndex(0)));
    assert_eq!(policy.service_named("jaist"), None);
}

#[test]
fn realms_are_exact_without_case_or_below_or_none_at_all() {
    let takes = |wanted: &[&str], realm: Option<&str>| {
        let policy = policy(vec![ServiceSettings { realms: Some(texts(wanted)), ..service("JAIST") }]);
        policy.realm(ServiceIndex(0), realm) == Realm::Ours
    };
    assert!(takes(&["jaist.ac.jp"], Some("jaist.ac.jp")));
    assert!(takes(&["JAIST.ac.jp"], Some("jaist.ac.jp")));
    assert!(takes(&[".jaist.ac.jp"], Some("ms.jaist.ac.jp")));
    assert!(takes(&["a", ""], None));
    for (wanted, realm) in [
        (&["jaist.ac.jp"][..], Some("xjaist.ac.jp")),
        (&["jaist.ac.jp"], Some("ms.jaist.ac.jp")),
        (&["jaist.ac.jp"], None),
        (&[".jaist.ac.jp"], Some("jaist.ac.jp")),
        (&[".jaist.ac.jp"], Some(".jaist.ac.jp")),
        (&[".jaist.ac.jp"], Some("xjaist.ac.jp")),
        (&[".jaist.ac.jp"], Some("北jaist.ac.jp")),
        (&[".jaist.ac.jp"], None),
        (&[""], Some("")),
        (&[""], Some("jaist.ac.jp")),
        (&[], None),
    ] {
        assert!(!takes(wanted, realm), "{wanted:?} {realm:?}");
    }
    assert_eq!(policy(vec![service("JAIST")]).realm(ServiceIndex(0), Some("anything")), Realm::Ours);
}

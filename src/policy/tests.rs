use proptest::prelude::*;

use super::*;
use crate::event::Method;
use crate::pki::{AltName, NoPath};
use crate::radius::Attributes;

const NOW: Wall = Wall(1_800_000_000);
const DAY: Duration = Duration::from_secs(86_400);

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn names(list: &[&str]) -> Vec<Arc<str>> {
    list.iter().map(|name| Arc::from(*name)).collect()
}

fn facts() -> Facts {
    Facts {
        fingerprint: [7; 32],
        authority: "ca16".into(),
        serial: vec![0x4a],
        subject: vec![
            ("C".into(), "JP".into()),
            ("OU".into(), "Staff".into()),
            ("CN".into(), "Hokuriku Hanako".into()),
        ],
        alt_names: vec![AltName::Email("hanako@jaist.ac.jp".into())],
        not_before: Wall(NOW.0 - 1_000),
        not_after: NOW + DAY * 30,
        path_not_after: NOW + DAY * 30,
        purposes: None,
        policies: vec!["1.2.392.1".into()],
        links: Vec::new(),
    }
}

fn good() -> Verdict {
    Verdict { finding: Reason::Ok, evidence: Vec::new() }
}

fn service(name: &str) -> ServiceSettings {
    ServiceSettings {
        name: name.into(),
        matches: vec![Match { ssid: Some(texts(&[name])), ..Match::default() }],
        authorities: names(&["ca16", "pub-ca8"]),
        identities: Vec::new(),
        realms: None,
        reply_username: ReplyUsername::Certificate,
        grants: Grants::default(),
        rules: Vec::new(),
    }
}

fn policy(services: Vec<ServiceSettings>) -> Policy {
    Policy::new(services, Vec::new())
}

fn rule(when: When, grants: Grants) -> Rule {
    Rule { when, grants, deny: false }
}

fn vlan(vlan: &str) -> Grants {
    Grants { vlan: Some(vlan.into()), ..Grants::default() }
}

/// Decides for the first service.
fn decide(policy: &Policy, facts: &Facts, standing: &Standing, hints: &Hints) -> Decision {
    policy.decide(ServiceIndex(0), facts, &good(), standing, hints, NOW)
}

fn granted(settings: ServiceSettings, facts: &Facts) -> Grant {
    let decision = decide(&policy(vec![settings]), facts, &Standing::default(), &Hints::default());
    decision.grant().expect("let in").clone()
}

fn with_rules(rules: Vec<Rule>) -> ServiceSettings {
    ServiceSettings { rules, ..service("JAIST") }
}

fn routed(policy: &Policy, hints: &Hints) -> Option<String> {
    policy.route(hints).and_then(|index| policy.service(index)).map(|service| service.name.to_string())
}

fn ssid(ssid: &str) -> Hints {
    Hints { ssid: Some(ssid.into()), ..Hints::default() }
}

mod route {
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
}

mod username {
    use super::*;

    fn read(rule: UsernameRule, facts: &Facts) -> Result<String, Vec<String>> {
        let policy = Policy::new(vec![service("JAIST")], vec![rule]);
        let decision = decide(&policy, facts, &Standing::default(), &Hints::default());
        match decision.user() {
            Some(user) => Ok(user.to_string()),
            None => {
                assert_eq!(decision.reason(), Reason::IdentityAmbiguous);
                match decision.evidence() {
                    [Evidence::Names(names)] => Err(names.clone()),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    fn default_rule() -> UsernameRule {
        UsernameRule::new("ca16".into())
    }

    fn mails(mails: &[&str]) -> Facts {
        Facts { alt_names: mails.iter().map(|mail| AltName::Email((*mail).into())).collect(), ..facts() }
    }

    #[test]
    fn the_first_source_that_is_there_names_the_user() {
        let mut facts = facts();
        facts.alt_names.insert(0, AltName::Upn("upn@x".into()));
        assert_eq!(read(default_rule(), &facts), Ok("hanako@jaist.ac.jp".into()));
        facts.alt_names.pop();
        assert_eq!(read(default_rule(), &facts), Ok("upn@x".into()));
        facts.alt_names = vec![AltName::Dns("host.x".into()), AltName::Uri("urn:x".into())];
        assert_eq!(read(default_rule(), &facts), Ok("hokuriku hanako".into()));
        let by = |source| UsernameRule { sources: vec![source], ..default_rule() };
        assert_eq!(read(by(UsernameSource::SanDns), &facts), Ok("host.x".into()));
        assert_eq!(read(by(UsernameSource::SanUri), &facts), Ok("urn:x".into()));
    }

    #[test]
    fn an_authority_without_a_rule_of_its_own_is_read_by_the_default() {
        assert_eq!(read(UsernameRule::new("another".into()), &facts()), Ok("hanako@jaist.ac.jp".into()));
    }

    #[test]
    fn p08_two_names_in_one_source_are_ambiguous() {
        let found = read(default_rule(), &mails(&["hanako@jaist.ac.jp", "taro@jaist.ac.jp"]));
        assert_eq!(found, Err(texts(&["hanako@jaist.ac.jp", "taro@jaist.ac.jp"])));
        let two_cn = Facts {
            alt_names: Vec::new(),
            subject: vec![("CN".into(), "a".into()), ("CN".into(), "b".into())],
            ..facts()
        };
        assert_eq!(read(default_rule(), &two_cn), Err(texts(&["a", "b"])));
        let two_upn = Facts { alt_names: vec![AltName::Upn("a@x".into()), AltName::Upn("b@x".into())], ..facts() };
        assert_eq!(read(default_rule(), &two_upn), Err(texts(&["a@x", "b@x"])));
    }

    #[test]
    fn the_same_name_twice_is_one_name() {
        assert_eq!(read(default_rule(), &mails(&["a@x", "A@X"])), Ok("a@x".into()));
        let exact = UsernameRule { lowercase: false, ..default_rule() };
        assert_eq!(read(exact, &mails(&["a@x", "A@X"])), Err(texts(&["a@x", "A@X"])));
    }

    #[test]
    fn strip_realm_makes_no_one_person_of_two() {
        let strip = UsernameRule { strip_realm: true, ..default_rule() };
        assert_eq!(read(strip.clone(), &mails(&["a@x"])), Ok("a".into()));
        assert_eq!(read(strip.clone(), &mails(&["a@b@x"])), Ok("a@b".into()));
        assert_eq!(read(strip.clone(), &mails(&["a@x", "a@y"])), Err(texts(&["a@x", "a@y"])));
        assert_eq!(read(strip, &mails(&["@x"])), Err(texts(&["@x"])));
    }

    #[test]
    fn p08_a_name_that_shows_as_another_is_refused_and_never_falls_back() {
        let long = "a".repeat(254);
        for bad in [
            "",
            " ",
            " a",
            "a ",
            "a\0",
            "a\n",
            "\u{1b}[31ma",
            "a\u{7f}",
            "a\u{85}",
            "a\u{202e}b",
            "a\u{2028}",
            "a\u{200b}b",
            "\u{feff}a",
            "a\u{e0041}",
            "a\u{3164}",
            &long,
        ] {
            assert!(read(default_rule(), &mails(&[bad])).is_err(), "{bad:?}");
        }
        assert_eq!(read(default_rule(), &mails(&[&"a".repeat(253)])), Ok("a".repeat(253)));
    }

    #[test]
    fn p08_a_hundred_names_leave_little_evidence() {
        let many: Vec<_> = (0..100).map(|n| format!("user{n}@x")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(read(default_rule(), &mails(&many)).map_err(|names| names.len()), Err(8));
    }

    #[test]
    fn a_certificate_that_names_nobody_is_refused() {
        let nameless = Facts { alt_names: Vec::new(), subject: vec![("C".into(), "JP".into())], ..facts() };
        assert_eq!(read(default_rule(), &nameless), Err(Vec::new()));
        assert_eq!(read(UsernameRule { sources: Vec::new(), ..default_rule() }, &facts()), Err(Vec::new()));
    }

    #[test]
    fn p08_names_of_other_scripts_are_kept_as_they_are() {
        let cn =
            Facts { alt_names: Vec::new(), subject: vec![("CN".into(), "北陸\u{3000}花子".into())], ..facts() };
        assert_eq!(read(default_rule(), &cn), Ok("北陸\u{3000}花子".into()));
        // U+212A KELVIN SIGN must not become k.
        assert_eq!(read(default_rule(), &mails(&["\u{212a}@X"])), Ok("\u{212a}@x".into()));
    }
}

mod rules {
    use super::*;

    fn holds(when: When) -> bool {
        granted(with_rules(vec![rule(when, vlan("7"))]), &facts()).vlan.is_some()
    }

    #[test]
    fn an_empty_when_always_holds() {
        assert!(holds(When::default()));
    }

    #[test]
    fn a_later_rule_replaces_and_attributes_are_kept() {
        let settings = ServiceSettings {
            grants: Grants { filter_id: Some("all".into()), session_timeout: Some(DAY), ..vlan("120") },
            ..with_rules(vec![
                rule(When::default(), Grants { filter_id: Some("staff".into()), ..vlan("110") }),
                rule(When { group: Some(names(&["nobody"])), ..When::default() }, vlan("666")),
                rule(When::default(), Grants { session_timeout: Some(Duration::from_secs(60)), ..Grants::default() }),
            ])
        };
        let grant = granted(settings, &facts());
        assert_eq!((grant.vlan.as_deref(), grant.filter_id.as_deref()), (Some("110"), Some("staff")));
        assert_eq!(grant.session_timeout, Duration::from_secs(60));
        assert_eq!(grant.attributes, Attributes::default());
    }

    #[test]
    fn subject_rules_want_every_attribute_and_any_of_its_values() {
        let subject = |wanted: &[(&str, &[&str])]| When {
            subject: wanted.iter().map(|(kind, values)| ((*kind).to_owned(), texts(values))).collect(),
            ..When::default()
        };
        assert!(holds(subject(&[("OU", &["Student", "Staff"]), ("C", &["JP"])])));
        assert!(holds(subject(&[("ou", &["  STAFF "])])));
        assert!(holds(subject(&[("CN", &["hokuriku   hanako"])])));
        assert!(!holds(subject(&[("OU", &["Staff"]), ("C", &["US"])])));
        assert!(!holds(subject(&[("OU", &["Staffs"])])));
        assert!(!holds(subject(&[("CN", &["Hokuriku"])])));
        assert!(!holds(subject(&[("CN", &["Hokuriku Hanako x"])])));
        assert!(!holds(subject(&[("O", &["Staff"])])));
        assert!(!holds(subject(&[("OU", &[])])));
    }

    #[test]
    fn every_key_is_looked_at() {
        assert!(holds(When { san: Some(texts(&["x", "*@JAIST.ac.jp"])), ..When::default() }));
        assert!(!holds(When { san: Some(texts(&["*@jaist.ac"])), ..When::default() }));
        assert!(holds(When { authority: Some(names(&["ca16"])), ..When::default() }));
        assert!(!holds(When { authority: Some(names(&["pub-ca8"])), ..When::default() }));
        assert!(holds(When { policy_oid: Some(texts(&["1.2.392.1"])), ..When::default() }));
        assert!(!holds(When { policy_oid: Some(texts(&["1.2.392"])), ..When::default() }));
        let settings = with_rules(vec![rule(
            When {
                nas: Some(names(&["ap"])),
                nas_port_type: Some(vec![19]),
                method: Some(vec![Method::EapTls]),
                ..When::default()
            },
            vlan("7"),
        )]);
        let policy = policy(vec![settings]);
        let right =
            Hints { nas: "ap".into(), nas_port_type: Some(19), method: Some(Method::EapTls), ..Hints::default() };
        let has_vlan = |hints: &Hints| {
            decide(&policy, &facts(), &Standing::default(), hints).grant().is_some_and(|grant| grant.vlan.is_some())
        };
        assert!(has_vlan(&right));
        assert!(!has_vlan(&Hints { nas: "vpn".into(), ..right.clone() }));
        assert!(!has_vlan(&Hints { nas_port_type: None, ..right.clone() }));
        assert!(!has_vlan(&Hints { method: Some(Method::Otp), ..right }));
    }

    #[test]
    fn s06_groups_are_looked_up_anew_at_every_decision() {
        let group = |name| When { group: Some(names(&[name])), ..When::default() };
        let deny = Rule { when: group("suspended"), grants: Grants::default(), deny: true };
        let policy = policy(vec![with_rules(vec![rule(group("guests"), vlan("130")), deny])]);
        let decide = |files: &[(&str, &str)]| {
            let files: Vec<_> = files.iter().map(|(name, text)| (Arc::from(*name), (*text).to_owned())).collect();
            decide(&policy, &facts(), &Standing::new(&files), &Hints::default())
        };
        let before = decide(&[("guests", "hanako@jaist.ac.jp"), ("suspended", "")]);
        assert_eq!(before.grant().and_then(|grant| grant.vlan.as_deref()), Some("130"));
        assert_eq!(before.evidence(), [Evidence::Groups(names(&["guests"]))]);

        let after = decide(&[("guests", "hanako@jaist.ac.jp"), ("suspended", "HANAKO@jaist.ac.jp")]);
        assert_eq!(after.reason(), Reason::Policy);
        assert_eq!(after.user().map(|user| &**user), Some("hanako@jaist.ac.jp"));
        assert_eq!(after.evidence(), [Evidence::Groups(names(&["guests", "suspended"])), Evidence::Rule(2)]);
    }

    #[test]
    fn globs() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "abc"),
            ("a*", "a"),
            ("*c", "abc"),
            ("a*c", "ac"),
            ("a*b*c", "aXbYbZc"),
            ("?", "北"),
            ("a?c", "abc"),
            ("**a", "ba"),
            ("*?", "x"),
            ("*@JAIST.ac.jp", "a@jaist.AC.jp"),
        ] {
            assert!(super::super::glob::matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("?", ""),
            ("a", ""),
            ("a*", "b"),
            ("*c", "abcd"),
            ("a*c", "ab"),
            ("*?", ""),
            ("a?c", "ac"),
            ("a*b*c", "acb"),
            ("[a]", "a"),
        ] {
            assert!(!super::super::glob::matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_glob_made_to_backtrack_ends() {
        // A matcher that tries every star again takes more than 2^50 steps.
        assert!(!super::super::glob::matches(&format!("{}b", "a*".repeat(50)), &"a".repeat(60_000)));
    }

    proptest! {
        #[test]
        fn globs_are_as_the_plain_definition(pattern in "[ab*?]{0,7}", text in "[ab]{0,7}") {
            prop_assert_eq!(super::super::glob::matches(&pattern, &text), plain(pattern.as_bytes(), text.as_bytes()));
        }
    }

    /// A glob's meaning, word for word.
    fn plain(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|skipped| plain(rest, &text[skipped..])),
            Some((b'?', rest)) => !text.is_empty() && plain(rest, &text[1..]),
            Some((c, rest)) => text.first() == Some(c) && plain(rest, &text[1..]),
        }
    }
}

mod decide {
    use super::*;

    #[test]
    fn every_verdict_that_refuses_refuses_with_its_own_reason() {
        let policy = policy(vec![service("JAIST")]);
        for finding in Reason::ALL.iter().copied() {
            let verdict = Verdict { finding, evidence: vec![Evidence::Rule(9)] };
            let decision =
                policy.decide(ServiceIndex(0), &facts(), &verdict, &Standing::default(), &Hints::default(), NOW);
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
            let settings = ServiceSettings {
                grants: Grants { session_timeout: Some(DAY), ..Grants::default() },
                ..service("JAIST")
            };
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
    fn no_refusal_can_bear_a_reason_that_lets_in() {
        for reason in Reason::ALL.iter().copied() {
            let decision = Decision::no_path(NoPath { reason, evidence: Vec::new(), claimed: None });
            assert!(!decision.accepts());
            assert!(!matches!(decision.reason(), Reason::Ok | Reason::OkGrace));
        }
    }
}

use proptest::prelude::*;

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
    let right = Hints { nas: "ap".into(), nas_port_type: Some(19), method: Some(Method::EapTls), ..Hints::default() };
    let has_vlan = |hints: &Hints| {
        decide(&policy, &facts(), &Standing::default(), hints).grant().is_some_and(|grant| grant.vlan.is_some())
    };
    assert!(has_vlan(&right));
    assert!(!has_vlan(&Hints { nas: "vpn".into(), ..right.clone() }));
    assert!(!has_vlan(&Hints { nas_port_type: None, ..right.clone() }));
    assert!(!has_vlan(&Hints { method: Some(Method::Otp), ..right }));
}

#[test]
fn where_nobody_can_be_asked_for_a_code_the_rule_that_wants_one_refuses_and_says_so() {
    let code = Rule { otp: true, ..rule(When::default(), vlan("7")) };
    let policy = policy(vec![with_rules(vec![rule(When::default(), vlan("6")), code])]);
    let by = |method| {
        let hints = Hints { method: Some(method), ..Hints::default() };
        decide(&policy, &facts(), &Standing::default(), &hints)
    };
    let refused = by(Method::EapTls);
    assert_eq!((refused.reason(), refused.evidence()), (Reason::Policy, [Evidence::RuleWantsCode(2)].as_slice()));
    assert_eq!(by(Method::Authorize).grant().map(|grant| grant.otp), Some(true));
}

#[test]
fn s06_groups_are_looked_up_anew_at_every_decision() {
    let group = |name| When { group: Some(names(&[name])), ..When::default() };
    let deny = Rule { when: group("suspended"), grants: Grants::default(), deny: true, otp: false };
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
        assert!(glob::matches(pattern, text), "{pattern} {text}");
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
        assert!(!glob::matches(pattern, text), "{pattern} {text}");
    }
}

#[test]
fn a_glob_made_to_backtrack_ends() {
    // A matcher that tries every star again takes more than 2^50 steps.
    assert!(!glob::matches(&format!("{}b", "a*".repeat(50)), &"a".repeat(60_000)));
}

proptest! {
    #[test]
    fn globs_are_as_the_plain_definition(pattern in "[ab*?]{0,7}", text in "[ab]{0,7}") {
        prop_assert_eq!(glob::matches(&pattern, &text), plain(pattern.as_bytes(), text.as_bytes()));
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

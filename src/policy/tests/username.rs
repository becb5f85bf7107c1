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
    let two_cn =
        Facts { alt_names: Vec::new(), subject: vec![("CN".into(), "a".into()), ("CN".into(), "b".into())], ..facts() };
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
    let cn = Facts { alt_names: Vec::new(), subject: vec![("CN".into(), "北陸\u{3000}花子".into())], ..facts() };
    assert_eq!(read(default_rule(), &cn), Ok("北陸\u{3000}花子".into()));
    // U+212A KELVIN SIGN must not become k.
    assert_eq!(read(default_rule(), &mails(&["\u{212a}@X"])), Ok("\u{212a}@x".into()));
}

//! One name of several users, and several names of one.

use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, DnType};
use sekisho::engine::{Checked, Found, Lookup};
use sekisho::event::{Evidence, Reason};
use sekisho::pki::Facts;
use sekisho::policy::{Authorize, OtpAfter, ReplyUsername, UsernameSource};
use sekisho::radius::{Code, Type};
use sekisho::sessions::State;

use super::gateway::{
    CODE, COMMON, Gateway, TARO, accepted, answer, authentication, by_code, by_name, certificate_blocked, last_look,
    person_blocked, refused, reply,
};
use crate::certificates::{Made, mail};
use crate::pki::pki;
use crate::world::{Options, World};

fn by_cn() -> Options {
    let options = by_name();
    let authorize = options.authorize.clone().map(|authorize| Authorize { name: UsernameSource::Cn, ..authorize });
    Options { authorize, ..options }
}

/// A member whose CN is "jiro", by the certificate.
fn jiro(world: &World, address: &str, change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let made = Made::member(&pki().ca16, |params| {
        params.subject_alt_names = vec![mail(address)];
        change(params);
    });
    let chain: Vec<&[u8]> = made.chain.iter().map(Vec::as_slice).collect();
    world.trust.facts(&chain).expect("a chain of ours").encode()
}

fn look(world: &mut World, kept: Vec<Vec<u8>>) -> Vec<sekisho::exchange::Outgoing> {
    Gateway::here().look(world, "jiro");
    answer(world, Found::Certificates(kept))
}

#[test]
fn p08_a_name_of_two_users_lets_neither_in_whichever_of_them_is_blocked() {
    for blocked in [None, Some("jiro@jaist.ac.jp"), Some("jiro2@jaist.ac.jp")] {
        let blocks = blocked.map(person_blocked).unwrap_or_default();
        let mut world = World::with(Options { blocks, ..by_cn() });
        let kept = vec![jiro(&world, "jiro@jaist.ac.jp", |_| {}), jiro(&world, "jiro2@jaist.ac.jp", |_| {})];
        let sent = look(&mut world, kept);
        refused(&world, &sent, Reason::IdentityAmbiguous);
        let evidence = &authentication(&world).evidence;
        assert!(matches!(&evidence[..], [Evidence::Names(names)] if names.len() == 2), "{evidence:?}");
    }
    let facts = |kept: &[u8], world: &World| Facts::decode(kept, &world.trust).expect("kept by us");
    let other = World::with(by_cn());
    let blocks = certificate_blocked(&facts(&jiro(&other, "jiro2@jaist.ac.jp", |_| {}), &other));
    let mut world = World::with(Options { blocks, ..by_cn() });
    let kept = vec![jiro(&world, "jiro@jaist.ac.jp", |_| {}), jiro(&world, "jiro2@jaist.ac.jp", |_| {})];
    let sent = look(&mut world, kept);
    refused(&world, &sent, Reason::IdentityAmbiguous);
}

#[test]
fn several_certificates_of_one_user_and_those_of_others_that_nobody_can_have_shown_are_no_doubt() {
    let mut world = World::with(by_cn());
    let another = |params: &mut CertificateParams| {
        let mut name = DistinguishedName::new();
        name.push(DnType::CountryName, "JP");
        name.push(DnType::OrganizationName, "Another customer of the same CA");
        name.push(DnType::CommonName, "jiro");
        params.distinguished_name = name;
    };
    let kept = vec![
        jiro(&world, "jiro@jaist.ac.jp", |_| {}),
        jiro(&world, "JIRO@jaist.ac.jp", |_| {}),
        jiro(&world, "left@jaist.ac.jp", |params| params.not_after = rcgen::date_time_ymd(2024, 1, 1)),
        jiro(&world, "next@jaist.ac.jp", |params| params.not_before = rcgen::date_time_ymd(2089, 1, 1)),
        jiro(&world, "jiro@other.example", another),
    ];
    let sent = look(&mut world, kept);
    accepted(&world, &sent);
    assert_eq!(authentication(&world).user.as_deref(), Some("jiro@jaist.ac.jp"));
}

fn of_realm(realms: &[&str]) -> Options {
    let realms = Some(realms.iter().map(ToString::to_string).collect());
    Options { realms, reply_username: ReplyUsername::Outer, ..by_code(OtpAfter::NasPassword) }
}

#[test]
fn a_bare_name_is_the_user_whom_the_realm_makes_of_it_for_codes_and_blocks_and_the_session() {
    let mut world = World::with(of_realm(&["jaist.ac.jp", ""]));
    assert!(Gateway::here().ask(&mut world, "Taro", Some(CODE)).is_empty(), "{:?}", world.events.last());
    let Lookup::Code(attempt) = last_look(&world) else { panic!("a code") };
    assert_eq!(&*attempt.user, TARO);
    let sent = answer(&mut world, Found::Code(Checked::Right));
    accepted(&world, &sent);
    assert_eq!(reply(&sent).text(Type::USER_NAME), Some("Taro"), "as the gateway knows him");
    assert_eq!(authentication(&world).user.as_deref(), Some(TARO));

    for name in ["taro", "TARO", TARO] {
        let mut world = World::with(Options { blocks: person_blocked(TARO), ..of_realm(&["jaist.ac.jp", ""]) });
        let sent = Gateway::here().ask(&mut world, name, Some(CODE));
        refused(&world, &sent, Reason::UserBlocked);
    }
}

#[test]
fn a_bare_name_that_may_be_anybodys_is_refused_and_the_log_says_what_is_missing() {
    let mut world = World::with(of_realm(&["jaist.ac.jp", "b.example", ""]));
    let sent = Gateway::here().ask(&mut world, "taro", Some(CODE));
    refused(&world, &sent, Reason::BadIdentity);
    let evidence = &authentication(&world).evidence;
    assert!(matches!(&evidence[..], [Evidence::Protocol(text)] if text.contains("`realms`")), "{evidence:?}");
}

#[test]
fn where_nothing_tells_a_realm_a_bare_name_is_a_users_own_and_whoever_is_blocked_with_a_realm_is_blocked_without() {
    for options in [of_realm(&[""]), by_code(OtpAfter::NasPassword)] {
        let mut world = World::with(Options { blocks: person_blocked("jiro@jaist.ac.jp"), ..options });
        let sent = Gateway::here().ask(&mut world, "Jiro", Some(CODE));
        refused(&world, &sent, Reason::UserBlocked);
        assert!(Gateway::here().ask(&mut world, "taro", Some(CODE)).is_empty());
        let Lookup::Code(attempt) = last_look(&world) else { panic!("a code") };
        assert_eq!(&*attempt.user, "taro");
        let sent = answer(&mut world, Found::Code(Checked::Right));
        accepted(&world, &sent);
        // Who is in goes too.
        assert!(world.engine.sessions().iter().all(|it| it.state == State::Good));
        world.reload(|options| options.blocks = person_blocked(TARO));
        world.wait(Duration::ZERO);
        assert!(world.engine.sessions().iter().all(|it| it.state != State::Good));
        assert_eq!(world.engine.sessions().len(), 1);
    }
}

#[test]
fn who_is_not_enrolled_is_told_by_which_name() {
    let mut world = World::with(of_realm(&["jaist.ac.jp", ""]));
    Gateway::here().ask(&mut world, "taro", Some(CODE));
    let sent = answer(&mut world, Found::Code(Checked::NotEnrolled));
    refused(&world, &sent, Reason::OtpWrong);
    let evidence = &authentication(&world).evidence;
    assert!(matches!(&evidence[..], [Evidence::NotEnrolled(user)] if **user == *TARO), "{evidence:?}");
    let told = authentication(&world);
    assert_eq!((told.user.as_deref(), told.outer_identity.as_deref()), (Some(TARO), Some("taro")));
}

/// Who changes his name half-way is asked for nobody's code.
#[test]
fn between_the_question_and_the_code_the_service_may_come_to_know_him_by_another_name() {
    let mut world = World::with(of_realm(&["jaist.ac.jp", ""]));
    let mut gateway = Gateway::here();
    let sent = gateway.ask(&mut world, "taro", Some(COMMON));
    assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE);
    world.reload(|options| options.realms = Some(vec!["b.example".to_owned(), String::new()]));
    gateway.ask(&mut world, "taro", Some(CODE));
    let Lookup::Code(attempt) = last_look(&world) else { panic!("a code") };
    assert_eq!(&*attempt.user, "taro@b.example");
}

//! Nobody gets round the code, nor round what comes before it.

use sekisho::engine::{Checked, Found, Lookup};
use sekisho::event::Reason;
use sekisho::now::Wall;
use sekisho::otp::{Key, PERIOD};
use sekisho::policy::{AuthorizePassword, OtpAfter};
use sekisho::radius::{Attributes, Code, Type, Writer};

use super::gateway::{
    AUTHORIZE_ONLY, CODE, COMMON, Gateway, SERVICE_TYPE, TARO, accepted, answer, by_both, by_code, by_name,
    certificate_blocked, facts, found, last_look, refused, reply,
};
use crate::hand;
use crate::pki::pki;
use crate::world::{Options, World};

fn prompted(world: &mut World) -> Gateway {
    let mut gateway = Gateway::here();
    let sent = gateway.ask(world, TARO, Some(b"hunter2"));
    assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE);
    gateway
}

/// A packet of these attributes, signed.
fn signed(gateway: &mut Gateway, attributes: &Attributes) -> Vec<u8> {
    gateway.count += 1;
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets, Code::ACCESS_REQUEST, gateway.count);
    writer.extend(attributes);
    writer.finish(&hand::key(), &[gateway.count; 16]).expect("short");
    octets
}

/// A request of this name with what comes instead of a password that can be uncovered.
fn odd(gateway: &mut Gateway, instead: &[(Type, &[u8])]) -> Vec<u8> {
    let mut attributes = Attributes::default();
    attributes.push(Type::USER_NAME, TARO.as_bytes()).expect("short");
    attributes.extend(&gateway.attributes);
    if let Some(state) = &gateway.state {
        attributes.push(Type::STATE, state).expect("short");
    }
    for (kind, value) in instead {
        attributes.push(*kind, value).expect("short");
    }
    signed(gateway, &attributes)
}

/// What is no User-Password that says something: CHAP (RFC 2865 section 5.3), one of 144 octets, of no whole block, none.
const INSTEAD: [&[(Type, &[u8])]; 6] = [
    &[],
    &[(Type::USER_PASSWORD, &[7; 144])],
    &[(Type::USER_PASSWORD, &[7; 15])],
    &[(Type::USER_PASSWORD, &[])],
    &[(Type(3), &[7; 17]), (Type(60), &[7; 16])],
    &[(Type(26), &[0, 0, 1, 55, 1, 4, 7, 7])],
];

#[test]
fn what_is_no_password_answers_no_question_and_asks_for_nothing_by_name() {
    for instead in INSTEAD {
        let mut world = World::with(by_code(OtpAfter::NasPassword));
        let mut gateway = prompted(&mut world);
        let request = odd(&mut gateway, instead);
        let sent = world.exchange_from(gateway.peer, &request);
        refused(&world, &sent, Reason::OtpWrong);
        assert!(world.looks.is_empty(), "{instead:?}");
        for common in [AuthorizePassword::Username, by_name().authorize.expect("there").password] {
            let mut options = by_name();
            options.authorize.as_mut().expect("there").password = common;
            let mut world = World::with(options);
            let mut gateway = Gateway::here();
            let request = odd(&mut gateway, instead);
            let sent = world.exchange_from(gateway.peer, &request);
            refused(&world, &sent, Reason::PasswordWrong);
            assert!(world.looks.is_empty(), "{instead:?}");
        }
    }
}

#[test]
fn who_shows_no_code_is_asked_for_one_and_never_let_in() {
    for instead in INSTEAD {
        for after in [OtpAfter::NasPassword, OtpAfter::Certificate] {
            let mut world = World::with(by_code(after));
            let mut gateway = Gateway::here();
            let request = odd(&mut gateway, instead);
            let mut sent = world.exchange_from(gateway.peer, &request);
            if after == OtpAfter::Certificate {
                let found = found(&world, &[&pki().member_p256]);
                sent = answer(&mut world, found);
            }
            assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE, "{instead:?}");
            assert!(!world.looks.iter().any(|(_, look)| matches!(look, Lookup::Code(_))));
        }
    }
}

/// The longest that there is room for is looked at as it is; nothing is cut off by which it would become right.
#[test]
fn a_code_is_what_was_typed_and_no_part_of_it() {
    let long = [CODE, &b"x".repeat(122)].concat();
    for typed in [&long[..], b"123456 ", b" 123456", b"123456\n", b"1234567", b"123456123456"] {
        let mut world = World::with(by_code(OtpAfter::NasPassword));
        let mut gateway = prompted(&mut world);
        assert!(gateway.ask(&mut world, TARO, Some(typed)).is_empty());
        let Lookup::Code(attempt) = last_look(&world) else { panic!("a code") };
        assert_eq!(attempt.code.expose(), typed);
    }
}

/// Whoever types the password that stands for authorisation by name where codes are asked for: the Service-Type is the NAS's, and tells them apart.
#[test]
fn where_service_type_tells_them_apart_no_password_of_a_user_skips_the_code() {
    for password in [AuthorizePassword::None, AuthorizePassword::Username, by_name().authorize.expect("there").password]
    {
        let mut options = by_both(OtpAfter::NasPassword);
        let authorize = options.authorize.as_mut().expect("there");
        (authorize.service_type, authorize.password) = (Some(AUTHORIZE_ONLY), password);
        for typed in [Some(COMMON), Some(TARO.as_bytes()), Some(b""), None] {
            for service_type in [None, Some(1_u32), Some(2), Some(5), Some(8)] {
                let mut world = World::with(options.clone());
                let mut gateway = Gateway::here();
                if let Some(kind) = service_type {
                    gateway = gateway.with(SERVICE_TYPE, &kind.to_be_bytes());
                }
                let sent = gateway.ask(&mut world, TARO, typed);
                assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE, "{typed:?} {service_type:?}");
                assert!(world.looks.is_empty());
            }
        }
    }
}

/// The other way round: what asks by name is not taken for somebody whose password the NAS has checked.
#[test]
fn where_service_type_says_that_it_is_asked_by_name_a_wrong_password_asks_for_no_code() {
    let mut options = by_both(OtpAfter::NasPassword);
    options.authorize.as_mut().expect("there").service_type = Some(AUTHORIZE_ONLY);
    for typed in [Some(&b"a wrong one"[..]), Some(CODE), Some(TARO.as_bytes()), Some(b""), None] {
        let mut world = World::with(options.clone());
        let mut gateway = Gateway::here().with(SERVICE_TYPE, &AUTHORIZE_ONLY.to_be_bytes());
        let sent = gateway.ask(&mut world, TARO, typed);
        refused(&world, &sent, Reason::PasswordWrong);
        assert!(world.looks.is_empty());
    }
}

/// A second one, for whoever reads another than we do.
#[test]
fn of_an_attribute_that_comes_twice_the_first_counts() {
    let mut options = by_both(OtpAfter::NasPassword);
    options.authorize.as_mut().expect("there").service_type = Some(AUTHORIZE_ONLY);
    let mut world = World::with(options);
    let mut gateway = Gateway::here()
        .with(SERVICE_TYPE, &8_u32.to_be_bytes())
        .with(SERVICE_TYPE, &AUTHORIZE_ONLY.to_be_bytes())
        .with(Type::USER_NAME, b"hanako@jaist.ac.jp");
    let sent = gateway.ask(&mut world, TARO, Some(COMMON));
    assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE);
    assert!(gateway.ask(&mut world, TARO, Some(CODE)).is_empty());
    let Lookup::Code(attempt) = last_look(&world) else { panic!("a code") };
    assert_eq!(&*attempt.user, TARO);
}

/// Whatever stands against a certificate, no code is looked at, and so none is used up or guessed at.
#[test]
fn before_a_code_is_looked_at_all_else_is_good() {
    let cases: [(&str, &crate::pki::Credential); 8] = [
        ("revoked@jaist.ac.jp", &pki().revoked),
        ("expired@jaist.ac.jp", &pki().expired),
        ("early@jaist.ac.jp", &pki().not_yet_valid),
        ("other@jaist.ac.jp", &pki().other_customer),
        ("mail@jaist.ac.jp", &pki().smime),
        ("retired@jaist.ac.jp", &pki().of_retired),
        ("silent@jaist.ac.jp", &pki().of_silent),
        (TARO, &pki().member_rsa),
    ];
    let by_rule = Options { otp_rule: true, ..by_name() };
    for (name, credential) in cases {
        for (options, password) in [(by_code(OtpAfter::Certificate), CODE), (by_rule.clone(), COMMON)] {
            let mut world = World::with(options);
            assert!(Gateway::here().ask(&mut world, name, Some(password)).is_empty());
            let found = found(&world, &[credential]);
            let sent = answer(&mut world, found);
            assert_eq!(reply(&sent).code(), Code::ACCESS_REJECT, "{name}");
            assert_eq!((world.looks.len(), world.engine.conversations()), (1, 0), "{name}");
        }
    }
}

/// A rule wants a code of everybody who comes by name: it is wanted whichever certificate is the best by then, and of the one that is let in.
#[test]
fn a_better_certificate_in_between_skips_no_code() {
    let mut world = World::with(Options { otp_rule: true, ..by_name() });
    let mut gateway = Gateway::here();
    gateway.look(&mut world, "hanako@jaist.ac.jp");
    let both = found(&world, &[&pki().member_rsa, &pki().member_rsa_again]);
    let sent = answer(&mut world, both);
    gateway.keep(&sent);
    assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE);
    // The one that was chosen is blocked while the code is typed: its owner comes again, and is asked again.
    let blocks = certificate_blocked(&facts(&world, &pki().member_rsa));
    let other = certificate_blocked(&facts(&world, &pki().member_rsa_again));
    for blocks in [blocks, other] {
        let mut world = World::with(Options { otp_rule: true, ..by_name() });
        let mut gateway = Gateway::here();
        gateway.look(&mut world, "hanako@jaist.ac.jp");
        let both = found(&world, &[&pki().member_rsa, &pki().member_rsa_again]);
        let sent = answer(&mut world, both);
        gateway.keep(&sent);
        world.reload(|options| options.blocks = blocks);
        let sent = gateway.ask(&mut world, "hanako@jaist.ac.jp", Some(CODE));
        if sent.is_empty() {
            let sent = answer(&mut world, Found::Code(Checked::Right));
            accepted(&world, &sent);
        } else {
            refused(&world, &sent, Reason::Blocked);
            assert_eq!(world.looks.len(), 1);
        }
    }
}

/// What the registry says in the wrong place, or twice, is no right code.
#[test]
fn no_other_answer_of_the_registry_is_a_right_code() {
    let mut world = World::with(by_code(OtpAfter::Certificate));
    let mut gateway = Gateway::here();
    assert!(gateway.ask(&mut world, TARO, Some(CODE)).is_empty());
    assert!(answer(&mut world, Found::Code(Checked::Right)).is_empty(), "certificates are looked for");
    let good = found(&world, &[&pki().member_p256]);
    assert!(answer(&mut world, good.clone()).is_empty());
    assert!(matches!(last_look(&world), Lookup::Code(_)));
    assert!(answer(&mut world, good).is_empty(), "a code is looked at");
    let sent = answer(&mut world, Found::Code(Checked::Wrong));
    refused(&world, &sent, Reason::OtpWrong);
    assert!(answer(&mut world, Found::Code(Checked::Right)).is_empty());
    assert_eq!(world.engine.sessions().len(), 0);
}

/// A clock that is set back, or forth and back: what was used up stays so, and what came before it too.
#[test]
fn r26_no_clock_makes_a_used_code_good_again() {
    let key = Key::random().expect("random octets");
    let at = |step: i64| Wall(step * PERIOD + 3);
    let codes: Vec<_> = (900..=1_100).map(|step| (step, key.code(step))).collect();
    for last in [1_000, 1_050] {
        for now in [0, 1, 950, 999, 1_000, 1_001, 1_050] {
            for (step, code) in &codes {
                let found = key.step(code, at(now), 10, Some(last));
                // Another step's code may be the same, by chance.
                assert!(
                    found.is_none_or(|found| found > last && found.abs_diff(now.unsigned_abs()) <= 10),
                    "{step} at {now}"
                );
            }
        }
    }
    assert_eq!(key.step(&key.code(0), Wall(-1), 10, None), None, "before 1970 there are no steps");
    assert_eq!(key.step(&key.code(0), Wall(i64::MIN), 10, None), None);
    let end = u64::try_from(i64::MAX / PERIOD).expect("positive");
    assert_eq!(key.step(&key.code(end), Wall(i64::MAX), 10, None), Some(end));
}

/// The rule wants a code, whatever says that somebody comes by name; what says so is none.
#[test]
fn a_rule_wants_a_code_whatever_password_says_by_name() {
    for (password, said) in [
        (AuthorizePassword::None, None),
        (AuthorizePassword::None, Some(&b""[..])),
        (AuthorizePassword::Username, Some(TARO.as_bytes())),
        (by_name().authorize.expect("there").password, Some(COMMON)),
    ] {
        let mut options = Options { otp_rule: true, ..by_name() };
        options.authorize.as_mut().expect("there").password = password;
        let mut world = World::with(options);
        let mut gateway = Gateway::here();
        assert!(gateway.ask(&mut world, TARO, said).is_empty());
        let found = found(&world, &[&pki().member_p256]);
        let sent = answer(&mut world, found);
        gateway.keep(&sent);
        assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE);
        // The same again, as the code.
        let sent = gateway.ask(&mut world, TARO, said);
        if said.is_some_and(|said| !said.is_empty()) {
            let sent = answer(&mut world, Found::Code(Checked::Wrong));
            refused(&world, &sent, Reason::OtpWrong);
        } else {
            refused(&world, &sent, Reason::OtpWrong);
        }
    }
}

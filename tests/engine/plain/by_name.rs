//! Authorisation by name: the concentrator has checked the certificate.

use std::time::Duration;

use sekisho::engine::{Arrival, Found, Lookup, Search, Ticket};
use sekisho::event::OcspStatus::{Good, Revoked};
use sekisho::event::{Method, Outcome, Reason};
use sekisho::pki::RevocationSource;
use sekisho::policy::{AuthorizePassword, OtpAfter, ReplyUsername};
use sekisho::radius::dictionary::Place;
use sekisho::radius::{Code, Type, vendor};

use super::gateway::{
    AUTHORIZE_ONLY, COMMON, Gateway, SERVICE_TYPE, TARO, accepted, answer, authentication, by_both, by_name,
    certificate_blocked, dropped, facts, found, last_look, person_blocked, refused, reply,
};
use crate::hand::Hand;
use crate::pki::{Credential, pki};
use crate::world::{OTHER_NAS, Options, Responder, Says, World};

const HOUR: Duration = Duration::from_secs(3_600);

/// By this name, of whom the registry knows these.
fn let_see(world: &mut World, name: &str, credentials: &[&Credential]) -> Vec<sekisho::exchange::Outgoing> {
    Gateway::here().look(world, name);
    let found = found(world, credentials);
    answer(world, found)
}

#[test]
fn a_member_is_let_in_and_the_accept_has_what_a_concentrator_needs_and_no_keys() {
    let mut world = World::with(Options { session_timeout: Some(HOUR), ..by_name() });
    let sent = let_see(&mut world, "Taro@JAIST.ac.jp", &[&pki().member_p256]);
    accepted(&world, &sent);
    let reply = reply(&sent);
    let kinds: Vec<Type> = reply.attributes().map(|attribute| attribute.kind).collect();
    assert_eq!(kinds[0], Type::MESSAGE_AUTHENTICATOR);
    assert_eq!(reply.text(Type::USER_NAME), Some(TARO));
    assert_eq!(reply.integer(Type::SESSION_TIMEOUT), Some(3_600));
    assert!(!kinds.contains(&Type::EAP_MESSAGE) && !kinds.contains(&Type::STATE));
    assert_eq!(reply.first_vendor(vendor::MICROSOFT, vendor::MS_MPPE_SEND_KEY), None);
    assert_eq!(reply.first_vendor(vendor::MICROSOFT, vendor::MS_MPPE_RECV_KEY), None);
    let class = reply.first(Type::CLASS).expect("Class");
    let fingerprint = facts(&world, &pki().member_p256).fingerprint;
    assert_eq!(world.handles.open_class(class, "ap", b"203.0.113.9"), Some(fingerprint));
    let told = authentication(&world);
    assert_eq!((told.method, told.user.as_deref()), (Method::Authorize, Some(TARO)));
    assert_eq!(told.outer_identity.as_deref(), Some("Taro@JAIST.ac.jp"));
    assert_eq!(told.certificate.as_ref().map(|name| name.fingerprint), Some(fingerprint));
    // Its key was proved to the concentrator, not to us.
    assert!(world.seen.is_empty());
    assert_eq!(world.engine.sessions().len(), 1);
    let Lookup::Certificates(Search::Name(name)) = last_look(&world) else { panic!("by name") };
    assert_eq!(name, "Taro@JAIST.ac.jp");
}

#[test]
fn the_reply_bears_the_name_that_the_concentrator_knows_where_the_service_says_so() {
    let mut world = World::with(Options { reply_username: ReplyUsername::Outer, ..by_name() });
    let sent = let_see(&mut world, "TARO@jaist.ac.jp", &[&pki().member_p256]);
    assert_eq!(reply(&sent).text(Type::USER_NAME), Some("TARO@jaist.ac.jp"));
}

#[test]
fn no_session_lasts_longer_than_its_certificate() {
    let mut world = World::with(Options { session_timeout: Some(HOUR * 24 * 365 * 200), ..by_name() });
    let ends = facts(&world, &pki().member_p256).path_not_after;
    let sent = let_see(&mut world, TARO, &[&pki().member_p256]);
    let left = u32::try_from(world.now.wall.until(ends).as_secs()).expect("not so long");
    assert_eq!(reply(&sent).integer(Type::SESSION_TIMEOUT), Some(left));
}

#[test]
fn it_is_refused_for_the_reasons_of_the_wi_fi() {
    let cases: [(&Credential, &str, Reason); 7] = [
        (&pki().revoked, "revoked@jaist.ac.jp", Reason::Revoked),
        (&pki().expired, "expired@jaist.ac.jp", Reason::Expired),
        (&pki().not_yet_valid, "early@jaist.ac.jp", Reason::NotYetValid),
        (&pki().other_customer, "other@jaist.ac.jp", Reason::WrongOrganisation),
        (&pki().smime, "mail@jaist.ac.jp", Reason::WrongPurpose),
        (&pki().of_retired, "retired@jaist.ac.jp", Reason::DistrustedAuthority),
        (&pki().of_silent, "silent@jaist.ac.jp", Reason::RevocationUnknown),
    ];
    for (credential, name, reason) in cases {
        let mut world = World::with(by_name());
        let sent = let_see(&mut world, name, &[credential]);
        refused(&world, &sent, reason);
        assert!(authentication(&world).certificate.is_some(), "the log names the certificate");
    }
}

#[test]
fn a_stale_crl_opens_nothing_beyond_its_grace() {
    for (grace, expected) in
        [(HOUR * 48, (Outcome::Accept, Reason::OkGrace)), (Duration::ZERO, (Outcome::Reject, Reason::RevocationStale))]
    {
        let options = Options { silent_crl: Some((1, Vec::new())), grace, ..by_name() };
        let mut world = World::with(options);
        world.wait(HOUR * 30);
        let_see(&mut world, "silent@jaist.ac.jp", &[&pki().of_silent]);
        assert_eq!(world.decided(), expected);
    }
}

#[test]
fn who_or_what_is_blocked_is_refused() {
    let mut world = World::with(Options { blocks: person_blocked(TARO), ..by_name() });
    let sent = let_see(&mut world, "TARO@jaist.ac.jp", &[&pki().member_p256]);
    refused(&world, &sent, Reason::UserBlocked);
    let blocks = certificate_blocked(&facts(&world, &pki().member_p256));
    let mut world = World::with(Options { blocks, ..by_name() });
    let sent = let_see(&mut world, TARO, &[&pki().member_p256]);
    refused(&world, &sent, Reason::Blocked);
    let mut world = World::with(Options { suspended: TARO, ..by_name() });
    let sent = let_see(&mut world, TARO, &[&pki().member_p256]);
    refused(&world, &sent, Reason::Policy);
}

#[test]
fn of_two_certificates_a_good_one_is_enough_whatever_their_order() {
    let (blocked, good) = (&pki().member_rsa, &pki().member_rsa_again);
    for both in [[blocked, good], [good, blocked]] {
        let mut world = World::with(by_name());
        let blocks = certificate_blocked(&facts(&world, blocked));
        world.reload(|options| options.blocks = blocks);
        let sent = let_see(&mut world, "hanako@jaist.ac.jp", &both);
        accepted(&world, &sent);
        let named = authentication(&world).certificate.as_ref().map(|name| name.fingerprint);
        assert_eq!(named, Some(facts(&world, good).fingerprint));
    }
}

#[test]
fn nobody_is_let_in_without_a_certificate_that_bears_the_name() {
    for found in [Found::Certificates(Vec::new()), Found::Certificates(vec![Vec::new(), vec![1; 400]]), Found::Nothing]
    {
        let mut world = World::with(by_name());
        Gateway::here().look(&mut world, TARO);
        let sent = answer(&mut world, found);
        refused(&world, &sent, Reason::NoGoodCertificate);
    }
    for name in ["hanako@jaist.ac.jp", "taro", "taro@jaist.ac.jp ", "taro@jaist.ac.jp\0", "*", " "] {
        let mut world = World::with(by_name());
        let sent = let_see(&mut world, name, &[&pki().member_p256]);
        refused(&world, &sent, Reason::NoGoodCertificate);
    }
    // An authority that the service doesn't take.
    let mut world = World::with(Options { authorities: vec!["pub-ca8"], ..by_name() });
    let sent = let_see(&mut world, TARO, &[&pki().member_p256]);
    refused(&world, &sent, Reason::UntrustedIssuer);
}

#[test]
fn without_a_name_or_of_another_realm_nobody_is_looked_for() {
    let mut world = World::with(Options { realms: Some(vec!["jaist.ac.jp".to_owned()]), ..by_name() });
    for (name, reason) in [("", Reason::BadIdentity), ("taro@example.org", Reason::RealmNotOurs)] {
        let sent = Gateway::here().ask(&mut world, name, Some(COMMON));
        refused(&world, &sent, reason);
        world.wait(HOUR);
    }
    assert!(world.looks.is_empty());
    Gateway::here().look(&mut world, "taro@JAIST.AC.JP");
}

#[test]
fn any_other_password_is_no_authorisation() {
    for password in
        [None, Some(&b""[..]), Some(b"authorize, pleasf"), Some(b"authorize, please!"), Some(TARO.as_bytes())]
    {
        let mut world = World::with(by_name());
        let sent = Gateway::here().ask(&mut world, TARO, password);
        refused(&world, &sent, Reason::PasswordWrong);
        assert!(world.looks.is_empty());
    }
}

#[test]
fn the_password_is_what_the_service_says() {
    let with = |password| {
        let mut options = by_name();
        options.authorize.as_mut().expect("there").password = password;
        World::with(options)
    };
    let cases: [(AuthorizePassword, Option<&[u8]>, bool); 6] = [
        (AuthorizePassword::Username, Some(TARO.as_bytes()), true),
        (AuthorizePassword::Username, Some(b"TARO@jaist.ac.jp"), false),
        (AuthorizePassword::Username, None, false),
        (AuthorizePassword::None, None, true),
        (AuthorizePassword::None, Some(b""), true),
        (AuthorizePassword::None, Some(b"x"), false),
    ];
    for (kind, password, looks) in cases {
        let mut world = with(kind);
        let sent = Gateway::here().ask(&mut world, TARO, password);
        assert_eq!((world.looks.len(), sent.is_empty()), (usize::from(looks), looks), "{password:?}");
    }
    // CHAP, and a password that can't be uncovered, are passwords too.
    for (kind, octets) in [(3, &[1; 17][..]), (2, &[1; 15]), (70, &[1; 16])] {
        let mut world = with(AuthorizePassword::None);
        let sent = Gateway::here().with(Type(kind), octets).ask(&mut world, TARO, None);
        assert!(world.looks.is_empty(), "{kind}");
        assert!(sent.is_empty() || world.decided() == (Outcome::Reject, Reason::PasswordWrong), "{kind}");
    }
}

#[test]
fn service_type_tells_authorisation_from_the_rest() {
    let mut options = by_name();
    let authorize = options.authorize.as_mut().expect("there");
    (authorize.service_type, authorize.password) = (Some(AUTHORIZE_ONLY), AuthorizePassword::None);
    for (kind, looks) in [(None, 0), (Some(8), 0), (Some(AUTHORIZE_ONLY), 1)] {
        let mut world = World::with(options.clone());
        let mut gateway = Gateway::here();
        if let Some(kind) = kind {
            gateway = gateway.with(SERVICE_TYPE, &kind.to_be_bytes());
        }
        let sent = gateway.ask(&mut world, TARO, None);
        assert_eq!(world.looks.len(), looks);
        if looks == 0 {
            refused(&world, &sent, Reason::MethodNotAllowed);
        }
    }
}

#[test]
fn a_nas_or_service_without_the_method_refuses_at_once() {
    let wi_fi = Options { methods: vec![Method::EapTls], ..by_both(OtpAfter::NasPassword) };
    let no_service = Options { methods: vec![Method::Authorize, Method::Otp], ..Options::default() };
    for options in [wi_fi, no_service] {
        let mut world = World::with(options);
        let sent = Gateway::here().ask(&mut world, TARO, Some(COMMON));
        refused(&world, &sent, Reason::MethodNotAllowed);
        assert!(world.looks.is_empty());
    }
    let mut world = World::with(Options { services: vec!["eduroam"], ..by_name() });
    let sent = Gateway::here().ask(&mut world, TARO, Some(COMMON));
    refused(&world, &sent, Reason::NoService);
}

#[test]
fn without_message_authenticator_nothing_is_answered_even_where_it_is_not_required() {
    let mut world = World::with(by_name());
    let mut gateway = Gateway::at(OTHER_NAS);
    gateway.signs = false;
    let sent = gateway.ask(&mut world, TARO, Some(COMMON));
    dropped(&world, &sent, Reason::MissingAuthenticator);
    assert_eq!((world.looks.len(), world.engine.conversations()), (0, 0));
    gateway.signs = true;
    gateway.look(&mut world, TARO);
}

fn names_certificates() -> Options {
    let mut options = by_name();
    let certificate = Some(Place { vendor: 0, kind: Type::CONNECT_INFO.0 });
    options.authorize.as_mut().expect("there").certificate = certificate;
    options
}

#[test]
fn the_very_certificate_that_the_concentrator_names_is_judged() {
    let probe = World::with(names_certificates());
    let facts = facts(&probe, &pki().member_p256);
    let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>();
    let (fingerprint, serial) = (Search::Fingerprint(facts.fingerprint), Search::Serial(facts.serial.clone()));
    let cases: [(Vec<u8>, &Search); 7] = [
        (facts.fingerprint.to_vec(), &fingerprint),
        (hex(&facts.fingerprint).concat().into_bytes(), &fingerprint),
        (hex(&facts.fingerprint).join(":").to_lowercase().into_bytes(), &fingerprint),
        (hex(&facts.serial).join(" ").into_bytes(), &serial),
        (hex(&facts.serial).join("-").into_bytes(), &serial),
        (format!("0x{}", hex(&facts.serial).concat()).into_bytes(), &serial),
        (format!("0000{}", hex(&facts.serial).concat()).into_bytes(), &serial),
    ];
    for (value, wanted) in cases {
        let mut world = World::with(names_certificates());
        Gateway::here().with(Type::CONNECT_INFO, &value).look(&mut world, TARO);
        let Lookup::Certificates(search) = last_look(&world) else { panic!("certificates") };
        assert_eq!(search, wanted);
        let found = found(&world, &[&pki().member_p256]);
        let sent = answer(&mut world, found);
        accepted(&world, &sent);
    }
}

#[test]
fn a_certificate_that_is_named_must_be_named_well_and_bear_the_name() {
    for value in [None, Some(&b"nonsense that is no certificate's number at all"[..]), Some(b"00"), Some(&[0; 4])] {
        let mut world = World::with(names_certificates());
        let mut gateway = Gateway::here();
        if let Some(value) = value {
            gateway = gateway.with(Type::CONNECT_INFO, value);
        }
        let sent = gateway.ask(&mut world, TARO, Some(COMMON));
        refused(&world, &sent, Reason::NoGoodCertificate);
        assert!(world.looks.is_empty());
    }
    // Somebody else's.
    let mut world = World::with(names_certificates());
    Gateway::here().with(Type::CONNECT_INFO, b"0102").look(&mut world, TARO);
    let found = found(&world, &[&pki().member_rsa]);
    let sent = answer(&mut world, found);
    refused(&world, &sent, Reason::NoGoodCertificate);
}

#[test]
fn of_a_silent_registry_two_seconds_are_waited_for_and_the_late_answer_finds_nobody() {
    let mut world = World::with(by_name());
    Gateway::here().look(&mut world, TARO);
    world.wait(Duration::from_millis(1_999));
    assert!(world.sent().is_empty());
    world.wait(Duration::from_millis(1));
    let sent = world.sent();
    refused(&world, &sent, Reason::NoGoodCertificate);
    let (events, late) = (world.events.len(), found(&world, &[&pki().member_p256]));
    assert!(answer(&mut world, late).is_empty());
    assert_eq!((world.events.len(), world.engine.sessions().len()), (events, 0));
}

#[test]
fn what_nobody_asked_for_is_nothing() {
    let mut world = World::with(by_name());
    Gateway::here().look(&mut world, TARO);
    let found = found(&world, &[&pki().member_p256]);
    world.engine.handle(world.now, Arrival::Found(Ticket(u64::MAX), found));
    let (ticket, _) = world.looks[0].clone();
    world.engine.handle(world.now, Arrival::Answer(ticket));
    let code = Found::Code(sekisho::engine::Checked::Right);
    world.engine.handle(world.now, Arrival::Found(ticket, code));
    assert!(world.sent().is_empty());
    assert_eq!(world.engine.conversations(), 1);
}

#[test]
fn what_is_in_force_when_the_registry_answers_decides() {
    type Change = fn(&mut Options);
    let changes: [(Change, Reason); 6] = [
        (|options| options.blocks = person_blocked(TARO), Reason::UserBlocked),
        (|options| options.methods = vec![Method::EapTls], Reason::MethodNotAllowed),
        (|options| options.authorize = None, Reason::MethodNotAllowed),
        (|options| options.services = vec!["eduroam"], Reason::NoService),
        (|options| options.nas_services = Some(vec!["eduroam".into()]), Reason::NoService),
        (|options| options.suspended = TARO, Reason::Policy),
    ];
    for (change, reason) in changes {
        let mut world = World::with(by_name());
        Gateway::here().look(&mut world, TARO);
        world.reload(change);
        let found = found(&world, &[&pki().member_p256]);
        let sent = answer(&mut world, found);
        refused(&world, &sent, reason);
    }
    let mut world = World::with(by_name());
    Gateway::here().look(&mut world, TARO);
    world.publish(2, &[&pki().revoked, &pki().member_p256]);
    let found = found(&world, &[&pki().member_p256]);
    let sent = answer(&mut world, found);
    refused(&world, &sent, Reason::Revoked);
}

fn asks() -> Options {
    Options { sources: RevocationSource::Ocsp, ..by_name() }
}

#[test]
fn a_responder_is_asked_in_between_and_decides() {
    for (says, reason) in [
        (Says::Status(Good, HOUR), Reason::Ok),
        (Says::Status(Revoked, HOUR), Reason::Revoked),
        (Says::Nothing, Reason::RevocationUnknown),
    ] {
        let mut world = World::with(asks());
        world.responder = Responder::after(Duration::from_millis(300), says);
        Gateway::here().look(&mut world, "silent@jaist.ac.jp");
        let found = found(&world, &[&pki().of_silent]);
        assert!(answer(&mut world, found).is_empty());
        assert_eq!((world.asked.len(), world.engine.conversations()), (1, 1));
        let sent = world.until_next();
        match reason {
            Reason::Ok => accepted(&world, &sent),
            reason => refused(&world, &sent, reason),
        }
    }
}

#[test]
fn nobody_is_let_in_who_is_blocked_while_a_responder_is_asked() {
    let mut world = World::with(asks());
    world.responder = Responder::after(Duration::from_millis(300), Says::Status(Good, HOUR));
    Gateway::here().look(&mut world, "silent@jaist.ac.jp");
    let found = found(&world, &[&pki().of_silent]);
    answer(&mut world, found);
    world.reload(|options| options.blocks = person_blocked("silent@jaist.ac.jp"));
    let sent = world.until_next();
    refused(&world, &sent, Reason::UserBlocked);
}

#[test]
fn beyond_so_many_that_wait_nobody_is_looked_for_and_no_answer_is_given() {
    for max_asking in [(1, 256), (4_096, 1)] {
        let mut world = World::with(Options { max_asking, ..by_name() });
        Gateway::here().look(&mut world, TARO);
        let mut other = Gateway::here();
        other.peer.set_port(1_813);
        let sent = other.ask(&mut world, "hanako@jaist.ac.jp", Some(COMMON));
        dropped(&world, &sent, Reason::Overload);
        assert_eq!(world.looks.len(), 1);
        let found = found(&world, &[&pki().member_p256]);
        let sent = answer(&mut world, found);
        accepted(&world, &sent);
    }
}

#[test]
fn repeats_get_the_same_octets_and_look_nothing_up() {
    let mut world = World::with(by_name());
    let mut gateway = Gateway::here();
    let request = gateway.request(TARO, Some(COMMON));
    for _ in 0..3 {
        assert!(world.exchange_from(gateway.peer, &request).is_empty());
    }
    assert_eq!((world.looks.len(), world.count(Outcome::Drop, Reason::Duplicate)), (1, 2));
    let found = found(&world, &[&pki().member_p256]);
    let sent = answer(&mut world, found);
    accepted(&world, &sent);
    for _ in 0..3 {
        let again = world.exchange_from(gateway.peer, &request);
        assert_eq!(again[0].octets, sent[0].octets);
    }
    assert_eq!((world.looks.len(), world.engine.sessions().len()), (1, 1));
}

#[test]
fn e11_a_flood_of_names_ends_nothing_that_has_begun() {
    let mut world = World::with(Options { max_conversations: 8, ..by_name() });
    let mut kept = Hand::new(crate::world::NAS, 2_000);
    let start = kept.start(&mut world);
    let begun = crate::hand::tls(start.next(), crate::hand::MORE, Some(100), &[22, 3, 1, 0, 95]);
    let go_on = kept.ask(&mut world, &begun);
    for port in 3_000..3_200 {
        let mut gateway = Gateway::here();
        gateway.peer.set_port(port);
        gateway.look(&mut world, &format!("user{port}@jaist.ac.jp"));
    }
    assert!(world.engine.conversations() <= 8);
    let more = kept.ask(&mut world, &crate::hand::tls(go_on.next(), crate::hand::MORE, None, &[1; 10]));
    assert_eq!(more.code, Code::ACCESS_CHALLENGE, "it goes on");
    // Those that had to go are told nothing, and leave nothing behind.
    world.wait(HOUR);
    assert_eq!(world.engine.conversations(), 0);
}

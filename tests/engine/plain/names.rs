//! Somebody else's certificate, code or block is reached by no other way of writing the name.

use sekisho::engine::{Lookup, Search};
use sekisho::event::Reason;
use sekisho::policy::{OtpAfter, UsernameSource};
use sekisho::radius::Code;

use super::gateway::{
    CODE, COMMON, Gateway, TARO, answer, authentication, by_code, by_name, found, last_look, person_blocked, refused,
    reply,
};
use crate::pki::pki;
use crate::world::{Options, World};

/// What databases, file systems, mail servers and directories elsewhere take for `taro@jaist.ac.jp`.
const ALIKE: [&str; 24] = [
    "taro@jaist.ac.jp.",
    "taro@jaist.ac.jp ",
    " taro@jaist.ac.jp",
    "taro@jaist.ac.jp\0",
    "taro@jaist.ac.jp\0@x",
    "taro@jaist.ac.jp\n",
    "taro@jaist.ac.jp\u{200b}",
    "\u{feff}taro@jaist.ac.jp",
    "\u{202e}pj.ca.tsiaj@orat",
    // Patterns of SQL, LDAP and shells, and what would end a question.
    "%",
    "taro@%",
    "t_ro@jaist.ac.jp",
    "*",
    "taro@jaist.ac.jp' OR '1'='1",
    "taro@jaist.ac.jp)(cn=*",
    // Unicode's lower case, its compatible forms, its composed ones.
    "taro@jai\u{17f}t.ac.jp",
    "ＴＡＲＯ@jaist.ac.jp",
    "taro＠jaist.ac.jp",
    "taro@jaist\u{3002}ac.jp",
    "ta\u{301}ro@jaist.ac.jp",
    // Whatever else is put around a name.
    "mailto:taro@jaist.ac.jp",
    "\"taro\"@jaist.ac.jp",
    "<taro@jaist.ac.jp>",
    "JAIST\\taro@jaist.ac.jp",
];

#[test]
fn p08_no_other_spelling_of_a_name_opens_what_a_registry_finds_for_it() {
    for name in ALIKE {
        for (options, password) in [(by_name(), COMMON), (by_code(OtpAfter::Certificate), CODE)] {
            let mut world = World::with(options);
            let sent = Gateway::here().ask(&mut world, name, Some(password));
            assert!(sent.is_empty(), "{name:?}");
            let found = found(&world, &[&pki().member_p256]);
            let sent = answer(&mut world, found);
            refused(&world, &sent, Reason::NoGoodCertificate);
            assert_eq!(world.looks.len(), 1, "no code is looked at: {name:?}");
        }
    }
}

/// The registry compares by Unicode's lower case, where the Kelvin sign is a k.
#[test]
fn p08_letters_that_only_unicode_folds_together_stay_different_people() {
    let mut world = World::with(by_name());
    Gateway::here().look(&mut world, "hana\u{212a}o@jaist.ac.jp");
    let found = found(&world, &[&pki().member_rsa]);
    let sent = answer(&mut world, found);
    refused(&world, &sent, Reason::NoGoodCertificate);
}

#[test]
fn who_types_codes_by_another_spelling_is_another_user_or_none() {
    for name in ALIKE {
        let mut world = World::with(by_code(OtpAfter::NasPassword));
        let sent = Gateway::here().ask(&mut world, name, Some(CODE));
        match world.looks.last() {
            Some((_, Lookup::Code(attempt))) => assert_ne!(&*attempt.user, TARO, "{name:?}"),
            Some(other) => panic!("{other:?}"),
            None => assert_eq!(reply(&sent).code(), Code::ACCESS_REJECT, "{name:?}"),
        }
    }
}

/// Only the case of ASCII doesn't count: every other spelling would need a key of its own.
#[test]
fn a_block_holds_in_every_case_of_its_name() {
    for name in [TARO, "TARO@JAIST.AC.JP", "tArO@jAiSt.Ac.Jp"] {
        let blocks = person_blocked("Taro@Jaist.ac.jp");
        let mut world = World::with(Options { blocks: blocks.clone(), ..by_code(OtpAfter::NasPassword) });
        let sent = Gateway::here().ask(&mut world, name, Some(CODE));
        refused(&world, &sent, Reason::UserBlocked);
        let mut world = World::with(Options { blocks, ..by_name() });
        Gateway::here().look(&mut world, name);
        let found = found(&world, &[&pki().member_p256]);
        let sent = answer(&mut world, found);
        refused(&world, &sent, Reason::UserBlocked);
    }
}

#[test]
fn a_name_counts_only_where_the_service_looks_for_it() {
    // Its CN is "taro", its one mail address his.
    let cases = [
        (UsernameSource::SanEmail, TARO, true),
        (UsernameSource::SanUpn, TARO, false),
        (UsernameSource::SanDns, TARO, false),
        (UsernameSource::SanUri, TARO, false),
        (UsernameSource::Cn, TARO, false),
        (UsernameSource::Cn, "taro", true),
        (UsernameSource::SanEmail, "taro", false),
    ];
    for (source, name, opens) in cases {
        let mut options = by_name();
        options.authorize.as_mut().expect("there").name = source;
        let mut world = World::with(options);
        Gateway::here().look(&mut world, name);
        let found = found(&world, &[&pki().member_p256]);
        let sent = answer(&mut world, found);
        let code = if opens { Code::ACCESS_ACCEPT } else { Code::ACCESS_REJECT };
        assert_eq!(reply(&sent).code(), code, "{source:?} {name}");
    }
}

/// Whoever gets one more name into his certificate is nobody by either.
#[test]
fn p08_a_certificate_of_two_names_opens_by_neither() {
    for name in ["two@jaist.ac.jp", "second@jaist.ac.jp"] {
        for (options, password) in [(by_name(), COMMON), (by_code(OtpAfter::Certificate), CODE)] {
            let is_by_name = options.authorize.is_some();
            let mut world = World::with(options);
            Gateway::here().ask(&mut world, name, Some(password));
            let found = found(&world, &[&pki().ambiguous]);
            let sent = answer(&mut world, found);
            // Without `authorize` it is the user that has to be of this name, and there is none.
            let reason = if is_by_name { Reason::IdentityAmbiguous } else { Reason::NoGoodCertificate };
            refused(&world, &sent, reason);
        }
    }
}

#[test]
fn a_realm_is_what_follows_the_last_at_sign_and_nothing_else() {
    let ours = || Some(vec!["jaist.ac.jp".to_owned()]);
    for name in [
        "taro@jaist.ac.jp@example.org",
        "taro@example.org",
        "taro@jaist.ac.jp.",
        "taro@jaist.ac.jp\0",
        "taro@x.jaist.ac.jp",
        "taro@",
        "taro",
        "taro%jaist.ac.jp",
        "example.org!taro",
        "taro@ｊａｉｓｔ.ac.jp",
    ] {
        for options in [by_name(), by_code(OtpAfter::NasPassword)] {
            let password = if options.otp.is_some() { CODE } else { COMMON };
            let mut world = World::with(Options { realms: ours(), ..options });
            let sent = Gateway::here().ask(&mut world, name, Some(password));
            refused(&world, &sent, Reason::RealmNotOurs);
            assert!(world.looks.is_empty(), "{name:?}");
        }
    }
    for name in ["a@x@jaist.ac.jp", "@jaist.ac.jp", "taro@example.org@jaist.ac.jp", "/taro@jaist.ac.jp"] {
        let mut world = World::with(Options { realms: ours(), ..by_name() });
        Gateway::here().look(&mut world, name);
        let Lookup::Certificates(Search::Name(searched)) = last_look(&world) else { panic!("by name") };
        assert_eq!(searched, name, "nothing is cut off");
        let found = found(&world, &[&pki().member_p256]);
        let sent = answer(&mut world, found);
        refused(&world, &sent, Reason::NoGoodCertificate);
    }
}

/// Two different ones would become one in what takes the place of what is no text.
#[test]
fn e17_a_name_that_is_no_text_is_nobodys() {
    for name in [&b"\xff"[..], b"taro\xff@jaist.ac.jp", b"\xc0\xaftaro@jaist.ac.jp", b"taro@jaist.ac.jp\xed\xa0\x80"] {
        for options in [by_name(), by_code(OtpAfter::NasPassword), by_code(OtpAfter::Certificate)] {
            let password = if options.otp.is_some() { CODE } else { COMMON };
            let mut world = World::with(options);
            let mut gateway = Gateway::here();
            let request = gateway.request_of(name, Some(password));
            let sent = world.exchange_from(gateway.peer, &request);
            refused(&world, &sent, Reason::BadIdentity);
            assert!(world.looks.is_empty(), "{name:?}");
        }
    }
}

#[test]
fn e17_the_longest_name_is_looked_for_whole() {
    let name = format!("{}@jaist.ac.jp", "x".repeat(253 - "@jaist.ac.jp".len()));
    let mut world = World::with(by_name());
    Gateway::here().look(&mut world, &name);
    let Lookup::Certificates(Search::Name(searched)) = last_look(&world) else { panic!("by name") };
    assert_eq!(*searched, name);
    let found = found(&world, &[&pki().member_p256]);
    let sent = answer(&mut world, found);
    refused(&world, &sent, Reason::NoGoodCertificate);
    assert_eq!(authentication(&world).outer_identity.as_deref(), Some(name.as_str()));
}

/// Where a search brings too much.
#[test]
fn of_all_that_is_found_only_the_bearers_own_counts() {
    let all = [&pki().member_rsa, &pki().member_p256, &pki().other_customer, &pki().smime];
    let cases = [
        ("hanako@jaist.ac.jp", Reason::Ok),
        ("stranger@jaist.ac.jp", Reason::NoGoodCertificate),
        ("other@jaist.ac.jp", Reason::WrongOrganisation),
        ("mail@jaist.ac.jp", Reason::WrongPurpose),
    ];
    for (name, reason) in cases {
        let mut world = World::with(by_name());
        Gateway::here().look(&mut world, name);
        let found = found(&world, &all);
        let sent = answer(&mut world, found);
        assert_eq!(world.decided().1, reason, "{name}");
        let code = if reason == Reason::Ok { Code::ACCESS_ACCEPT } else { Code::ACCESS_REJECT };
        assert_eq!(reply(&sent).code(), code, "{name}");
    }
}

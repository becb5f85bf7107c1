use std::time::Duration;

use super::*;
use crate::now::{Mono, Wall};
use crate::secret::Secret;

fn rfc_key() -> Key {
    Key::new(Secret::new(*b"12345678901234567890")).unwrap()
}

/// RFC 4226 appendix D.
#[test]
fn codes_are_those_of_rfc_4226() {
    let codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
    for (counter, code) in (0..).zip(codes) {
        assert_eq!(rfc_key().code(counter), code.as_bytes(), "{counter}");
    }
}

/// RFC 6238 appendix B for SHA-1: the last six of its eight digits.
#[test]
fn times_are_those_of_rfc_6238() {
    let times = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];
    for (time, code) in times {
        assert_eq!(rfc_key().step(code.as_bytes(), Wall(time), 0, None), Some(time as u64 / 30), "{time}");
    }
}

#[test]
fn an_app_that_has_read_the_uri_shows_codes_that_are_right() {
    let uri = rfc_key().uri("Campus SSL-VPN", "hanako@campus.example");
    let uri = String::from_utf8_lossy(uri.expose()).into_owned();
    let app = Key::read(&uri).unwrap();
    assert_eq!(app, rfc_key());
    assert_eq!(app.shown(Wall(59)), *b"287082");
    let others = [
        "https://totp/a?secret=GEZDGNBV",
        "otpauth://totp/a",
        "otpauth://totp/a?secret=",
        "otpauth://totp/a?secret=0189",
    ];
    assert!(others.into_iter().all(|other| Key::read(other).is_none()));
}

#[test]
fn the_window_is_kept_and_no_code_is_good_twice() {
    let (key, now) = (rfc_key(), Wall(30 * 100 + 7));
    let step = |counter: u64, window, last| key.step(&key.code(counter), now, window, last);
    assert_eq!([step(98, 1, None), step(99, 1, None), step(100, 1, None)], [None, Some(99), Some(100)]);
    assert_eq!([step(101, 1, None), step(102, 1, None), step(99, 0, None)], [Some(101), None, None]);
    assert_eq!([step(100, 1, Some(100)), step(99, 1, Some(100)), step(101, 1, Some(100))], [None, None, Some(101)]);
    for typed in [&b""[..], b"12345", b"1234567", b"abcdef"] {
        assert_eq!(key.step(typed, now, 1, None), None);
    }
}

#[test]
fn a_code_is_read_as_people_type_it_and_is_right_only_as_a_whole() {
    let (key, now) = (rfc_key(), Wall(1_111_111_109));
    let step = |typed: &str| key.step(typed.as_bytes(), now, 0, None).is_some();
    for typed in ["081804", "081 804", " 08 18 04 ", "０８１８０４", "０８１\u{3000}８０４", "081\u{a0}804"]
    {
        assert!(step(typed), "{typed}");
    }
    // Eight digits are another code, though they end with the same six (RFC 6238 appendix B).
    for typed in ["81804", "07081804", "0818040", "081804\n", "081-804", "081804x", "٠٨١٨٠٤", "", " "] {
        assert!(!step(typed), "{typed:?}");
    }
    assert_eq!(key.step(b"081804\xff", now, 0, None), None);
}

#[test]
fn a_sealed_key_is_of_its_user_and_its_seal_alone() {
    let sealer = Sealer::new(&Secret::new("one")).unwrap();
    let sealed = sealer.seal("Member@jaist.ac.jp", &rfc_key()).unwrap();
    assert_eq!(sealer.open("member@JAIST.ac.jp", &sealed), Ok(rfc_key()));
    assert_eq!(sealer.open("other@jaist.ac.jp", &sealed), Err(BadSeal));
    assert_eq!(Sealer::new(&Secret::new("two")).unwrap().open("member@jaist.ac.jp", &sealed), Err(BadSeal));
    for cut in 0..sealed.len() {
        assert_eq!(sealer.open("member@jaist.ac.jp", &sealed[..cut]), Err(BadSeal));
    }
    assert!(Sealer::new(&Secret::new("")).is_none());
}

#[test]
fn the_first_seal_key_seals_and_all_open() {
    let with = |keys: &[&str]| Sealer::with(&keys.iter().map(|key| Secret::new(*key)).collect::<Vec<_>>()).unwrap();
    let (old, both, new) = (with(&["old"]), with(&["new", "old"]), with(&["new"]));
    let sealed = old.seal("member", &rfc_key()).unwrap();
    assert_eq!(both.open("member", &sealed), Ok(rfc_key()));
    assert_eq!(new.open("member", &sealed), Err(BadSeal));
    assert_eq!(new.reseal("member", &sealed), Ok(Resealed::Never));
    assert_eq!(both.reseal("other", &sealed), Ok(Resealed::Never), "of its user alone");
    let Ok(Resealed::Anew(anew)) = both.reseal("member", &sealed) else { panic!("it is under the old one") };
    assert_eq!((new.open("member", &anew), old.open("member", &anew)), (Ok(rfc_key()), Err(BadSeal)));
    assert_eq!(both.reseal("member", &anew), Ok(Resealed::Already));
    assert!(Sealer::with(&[]).is_none() && Sealer::with(&[Secret::new("one"), Secret::new("")]).is_none());
}

#[test]
fn a_file_of_one_line_is_one_key_and_of_several_each_line() {
    let keys = |text: &[u8]| seal_keys(Secret::new(text));
    let (one, two) = ("0123456789abcdef", "# not a comment, but a key");
    assert_eq!(keys(one.as_bytes()), Ok(vec![Secret::new(one)]));
    assert_eq!(keys(two.as_bytes()), Ok(vec![Secret::new(two)]));
    let octets = *b"\x00\x01\n\xff0123456789abcdef";
    assert_eq!(keys(&octets), Ok(vec![Secret::new(octets)]), "octets aren't lines");
    let text = format!("{one}\r\n\n# the old one\nfedcba9876543210");
    let file = keys(text.as_bytes());
    assert_eq!(file, Ok(vec![Secret::new(one), Secret::new("fedcba9876543210"), Secret::new(text.as_str())]));
    for (text, says) in [
        ("hunter2", "7 octets"),
        ("0123456789abcdef\nhunter2", "line 2: the key has 7 octets"),
        ("# one\n# two", "no key"),
        (&"0123456789abcdef\n".repeat(9), "holds 9 keys, and 8 are the most"),
    ] {
        let wrong = keys(text.as_bytes()).unwrap_err();
        assert!(wrong.contains(says) && !wrong.contains("hunter2"), "{wrong}");
    }
}

#[test]
fn the_uri_is_what_apps_read() {
    let uri = rfc_key().uri("JAIST SSL-VPN", "member1@jaist.ac.jp");
    assert_eq!(
        std::str::from_utf8(uri.expose()).unwrap(),
        "otpauth://totp/JAIST%20SSL-VPN:member1%40jaist.ac.jp?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=JAIST%20SSL-VPN&algorithm=SHA1&digits=6&period=30"
    );
}

fn who(station: &str) -> Who {
    Who { user: "member".into(), nas: "vpn".into(), station: station.into() }
}

#[test]
fn a_place_is_the_same_by_every_port_and_case_and_in_all_of_a_networks_addresses() {
    let station = |text: &str| Who::new("Member", "vpn", text.as_bytes()).station;
    for (one, other) in [
        ("203.0.113.5[4500]", "203.0.113.5[1024]"),
        ("203.0.113.5", "203.0.113.5:51234"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2::3[4500]", "2001:DB8:1:2:ffff::9[500]"),
        ("[2001:db8:1:2::3]:4500", "2001:db8:1:2::4"),
        ("02-00-00-00-00-AB", "02-00-00-00-00-ab"),
    ] {
        assert_eq!(station(one), station(other), "{one} {other}");
    }
    for (one, other) in [
        ("203.0.113.5[4500]", "203.0.113.6[4500]"),
        ("2001:db8:1:2::3", "2001:db8:1:3::3"),
        ("host[1]", "host[2]x"),
        ("203.0.113.5[x]", "203.0.113.5"),
    ] {
        assert_ne!(station(one), station(other), "{one} {other}");
    }
    assert_eq!(Who::new("MEMBER", "vpn", b"\xff").user, "member");
    assert_eq!(Who::new("x", "vpn", b"\xff").station, b"\xff");
}

const ATTEMPTS: Attempts = Attempts { each: 5, per: Duration::from_secs(300) };
const NOW: Mono = Mono(Duration::from_secs(1_000));

#[test]
fn guessing_is_slowed_for_a_station_and_nobody_else_is_locked_out() {
    let mut guesses = Guesses::new(ATTEMPTS);
    assert_eq!((0..20).filter(|_| guesses.may_try(NOW, &who("attacker"))).count(), 5);
    assert!(guesses.may_try(NOW, &who("home")));
    assert!(!guesses.may_try(NOW + Duration::from_secs(59), &who("attacker")));
    assert!(guesses.may_try(NOW + Duration::from_secs(61), &who("attacker")), "slowed, not locked");
    assert_eq!((0..20).filter(|_| guesses.may_try(NOW + Duration::from_secs(400), &who("attacker"))).count(), 5);
}

#[test]
fn nobody_gains_by_calling_himself_many_and_where_the_user_got_in_he_still_does() {
    let mut guesses = Guesses::new(ATTEMPTS);
    assert!(guesses.may_try(NOW, &who("home")));
    guesses.right(&who("home"));
    let tries = (0..1_000).filter(|number| guesses.may_try(NOW, &who(&format!("bot {number}")))).count();
    assert_eq!(tries, 49, "one was the user's own");
    assert!(guesses.may_try(NOW, &who("home")));
    // All day, from as many places: what one station could try, and what all may at once.
    let day = (1..=24 * 60).map(|minute| Duration::from_secs(minute * 60));
    let tries = day.flat_map(|at| (0..20).map(move |number| (at, format!("bot {number} {at:?}"))));
    let tries = tries.filter(|(at, bot)| guesses.may_try(NOW + *at, &who(bot))).count();
    assert!((1_430..=1_440).contains(&tries), "{tries} in a day, by 5 in 5 minutes");
}

#[test]
fn what_could_not_be_looked_at_does_not_count() {
    let mut guesses = Guesses::new(ATTEMPTS);
    for _ in 0..100 {
        assert!(guesses.may_try(NOW, &who("home")));
        guesses.forgive(&who("home"));
    }
    assert_eq!((0..20).filter(|_| guesses.may_try(NOW, &who("home"))).count(), 5);
    guesses.forgive(&who("nobody"));
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut guesses = Guesses::new(ATTEMPTS);
    for number in 0..40_000 {
        let who = Who { user: format!("user {number}"), ..who("one") };
        assert!(guesses.may_try(NOW, &who));
        guesses.right(&who);
    }
    assert_eq!(guesses.remembered(), [0, 16_384, 16_384], "whoever got in has tried nothing");
}

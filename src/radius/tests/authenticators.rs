use proptest::prelude::*;

use super::{key, packet, parse};
use crate::radius::{Code, Key, Need, Packet, Rule, Type, Unauthentic, Writer};
use crate::secret::Secret;

const REQUESTS: [u8; 5] = [1, 4, 12, 40, 43];
const REPLIES: [u8; 9] = [2, 3, 5, 11, 41, 42, 44, 45, 52];
const ASKED: [u8; 16] = [9; 16];

fn write(code: u8, with_message_authenticator: bool) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = if with_message_authenticator {
        Writer::new(&mut octets, Code(code), 1)
    } else {
        Writer::without_message_authenticator(&mut octets, Code(code), 1)
    };
    writer.push(Type::PROXY_STATE, b"p").unwrap();
    writer.finish(&key(), &ASKED).unwrap();
    octets
}

fn check<'a>(key: &Key, packet: &Packet<'a>) -> Result<Option<&'a [u8; 16]>, Unauthentic> {
    match Rule::of(packet.code()) {
        Some((Rule::Reply, _)) => key.check_reply(packet, &ASKED),
        _ => key.check_request(packet),
    }
}

#[test]
fn each_code_is_made_and_checked_by_its_rule() {
    for code in REQUESTS.into_iter().chain(REPLIES) {
        let octets = write(code, true);
        assert!(check(&key(), &parse(&octets)).is_ok_and(|found| found.is_some()), "code {code}");
    }
}

#[test]
fn codes_that_always_need_message_authenticator_are_refused_without() {
    for code in REQUESTS.into_iter().chain(REPLIES) {
        let octets = write(code, false);
        let always = matches!(Rule::of(Code(code)), Some((_, Need::Always)));
        assert_eq!(always, matches!(code, 2 | 3 | 11 | 12 | 52), "code {code}");
        assert_eq!(
            check(&key(), &parse(&octets)),
            if always { Err(Unauthentic::Missing) } else { Ok(None) },
            "code {code}"
        );
    }
}

#[test]
fn a_reply_is_no_request_and_unknown_codes_are_neither() {
    for code in (0..=255).filter(|code| !REQUESTS.contains(code)) {
        assert_eq!(key().check_request(&parse(&packet(code, &[]))), Err(Unauthentic::Code), "code {code}");
    }
    for code in (0..=255).filter(|code| !REPLIES.contains(code)) {
        assert_eq!(key().check_reply(&parse(&packet(code, &[])), &ASKED), Err(Unauthentic::Code), "code {code}");
    }
}

#[test]
fn w04_another_secret_is_noticed_for_every_code() {
    let other = Key::new(Secret::new("xyzzy5462"));
    for code in REQUESTS.into_iter().chain(REPLIES) {
        let octets = write(code, true);
        let wrong = if matches!(code, 1 | 12) { Unauthentic::MessageAuthenticator } else { Unauthentic::Authenticator };
        assert_eq!(check(&other, &parse(&octets)), Err(wrong), "code {code}");
    }
}

#[test]
fn w04_message_authenticator_of_a_digest_request_is_checked_beside_the_digest() {
    let mut octets = write(4, true);
    octets[22] ^= 1;
    let digest = key().digest(&octets, &[0; 16]);
    octets[4..20].copy_from_slice(&digest);
    assert_eq!(key().check_request(&parse(&octets)), Err(Unauthentic::MessageAuthenticator));
}

#[test]
fn w05_two_message_authenticators_or_another_length_are_malformed() {
    let two = [[&[80, 18][..], &[0; 16]].concat(), [&[80, 18][..], &[0; 16]].concat()].concat();
    let short = [&[80, 17][..], &[0; 15]].concat();
    let long = [&[80, 19][..], &[0; 17]].concat();
    for attributes in [two, short, long, vec![80, 2]] {
        assert_eq!(key().check_request(&parse(&packet(1, &attributes))), Err(Unauthentic::Malformed), "{attributes:?}");
    }
}

#[test]
fn w05_message_authenticator_is_taken_in_any_place() {
    for before in 0..3 {
        let around = [1, 3, b'a'].repeat(before);
        let after = [24, 3, 0].repeat(2 - before);
        let mut octets = packet(1, &[&around[..], &[80, 18], &[0; 16], &after].concat());
        let at = 20 + around.len() + 2;
        let mac = key().message_authenticator(&octets, &[7; 16], at);
        octets[at..at + 16].copy_from_slice(&mac);
        assert_eq!(key().check_request(&parse(&octets)), Ok(Some(&mac)), "{before} before");
    }
}

#[test]
fn w19_secrets_of_64_octets_and_more_work() {
    for length in [1, 12, 32, 63, 64, 65, 200] {
        let key = Key::new(Secret::new(vec![b's'; length]));
        let mut octets = Vec::new();
        Writer::new(&mut octets, Code::ACCESS_REQUEST, 1).finish(&key, &ASKED).unwrap();
        assert!(key.check_request(&parse(&octets)).is_ok());
        let hmac = {
            use hmac::{KeyInit, Mac};
            let mut zeroed = octets.clone();
            zeroed[22..38].fill(0);
            hmac::Hmac::<md5::Md5>::new_from_slice(&vec![b's'; length])
                .unwrap()
                .chain_update(&zeroed)
                .finalize()
                .into_bytes()
        };
        assert_eq!(octets[22..38], hmac[..], "{length} octets, against the library's own treatment of keys");
    }
}

#[test]
fn o02_nothing_of_a_secret_or_a_packet_is_in_debug() {
    assert_eq!(format!("{:?}", key()), "Key(..)");
    let octets = packet(1, &[2, 4, 0xab, 0xcd]);
    assert_eq!(format!("{:?}", parse(&octets)), "Packet(code 1, identifier 42, 24 octets)");
}

proptest! {
    #[test]
    fn w04_any_changed_octet_is_noticed(code in proptest::sample::select(vec![1_u8, 2, 4, 11, 12, 40]), at in 0..41_usize, bit in 0..8_u32) {
        let mut octets = write(code, true);
        octets[at] ^= 1 << bit;
        if let Ok(changed) = Packet::parse(&octets) {
            let checked = match Rule::of(Code(code)) {
                Some((Rule::Reply, _)) => key().check_reply(&changed, &ASKED),
                _ => key().check_request(&changed),
            };
            // Where Message-Authenticator is no longer called so, it is absent: whoever requires it sees that.
            prop_assert!(!matches!(checked, Ok(Some(_))));
        }
    }
}

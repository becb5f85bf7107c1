use std::collections::HashSet;

use proptest::prelude::*;

use crate::radius::TooLong;
use crate::radius::hidden::{Salts, hide_password, hide_salted, reveal_password, reveal_salted};
use crate::secret::Secret;

const REQUEST: [u8; 16] =
    [0x0f, 0x40, 0x3f, 0x94, 0x73, 0x97, 0x80, 0x57, 0xbd, 0x83, 0xd5, 0xcb, 0x98, 0xf4, 0x22, 0x7a];

fn secret() -> Secret {
    Secret::new("xyzzy5461")
}

#[test]
fn user_password_of_rfc_2865_section_7_1() {
    let covered = [0x0d, 0xbe, 0x70, 0x8d, 0x93, 0xd4, 0x13, 0xce, 0x31, 0x96, 0xe4, 0x3f, 0x78, 0x2a, 0x0a, 0xee];
    assert_eq!(hide_password(&secret(), &REQUEST, b"arctangent").unwrap(), covered);
    assert_eq!(reveal_password(&secret(), &REQUEST, &covered).unwrap().expose(), b"arctangent");
}

#[test]
fn passwords_are_of_whole_blocks_and_at_most_128_octets() {
    for length in [0, 1, 15, 17, 127, 129, 144] {
        assert_eq!(reveal_password(&secret(), &REQUEST, &vec![0; length]), None, "{length} octets");
    }
    assert_eq!(hide_password(&secret(), &REQUEST, &[b'p'; 128]).map(|covered| covered.len()), Ok(128));
    assert_eq!(hide_password(&secret(), &REQUEST, &[b'p'; 129]), Err(TooLong));
    assert_eq!(hide_password(&secret(), &REQUEST, b"").map(|covered| covered.len()), Ok(16));
}

#[test]
fn w14_a_salted_value_without_salt_or_of_broken_blocks_is_not_opened() {
    for length in [0, 1, 2, 3, 17, 19, 33, 253] {
        assert_eq!(reveal_salted(&secret(), &REQUEST, &vec![0x80; length]), None, "{length} octets");
    }
}

#[test]
fn w14_a_salted_value_whose_length_octet_lies_is_not_opened() {
    let mut covered = hide_salted(&secret(), &REQUEST, [0x80, 1], b"fifteen octets.").unwrap();
    assert_eq!(covered.len(), 18);
    covered[2] ^= 15 ^ 16;
    assert_eq!(reveal_salted(&secret(), &REQUEST, &covered), None);
}

#[test]
fn salts_have_the_highest_bit_and_never_come_twice() {
    let mut salts = Salts::random().unwrap();
    let drawn: HashSet<_> = (0..32768).map(|_| salts.draw()).collect();
    assert_eq!(drawn.len(), 32768);
    assert!(drawn.iter().all(|[high, _]| high & 0x80 != 0));
}

#[test]
fn what_does_not_fit_is_not_hidden() {
    assert_eq!(hide_salted(&secret(), &REQUEST, [0x80, 1], &[0; 239]).map(|covered| covered.len()), Ok(242));
    assert_eq!(hide_salted(&secret(), &REQUEST, [0x80, 1], &[0; 240]), Err(TooLong));
}

proptest! {
    #[test]
    fn hidden_passwords_come_back(secret in proptest::collection::vec(any::<u8>(), 1..80), request: [u8; 16], password in "[^\0]{0,32}") {
        let secret = Secret::new(secret);
        let covered = hide_password(&secret, &request, password.as_bytes()).unwrap();
        let opened = reveal_password(&secret, &request, &covered).unwrap();
        prop_assert_eq!(opened.expose(), password.as_bytes());
    }

    #[test]
    fn salted_values_come_back(secret in proptest::collection::vec(any::<u8>(), 1..80), request: [u8; 16], salt: [u8; 2], value in proptest::collection::vec(any::<u8>(), 0..=239)) {
        let secret = Secret::new(secret);
        let covered = hide_salted(&secret, &request, salt, &value).unwrap();
        prop_assert_eq!(&covered[..2], &salt[..]);
        prop_assert_eq!(covered.len() % 16, 2);
        let opened = reveal_salted(&secret, &request, &covered).unwrap();
        prop_assert_eq!(opened.expose(), value);
    }
}

use proptest::prelude::*;

use super::{Bench, SECRET, key, request};
use crate::exchange::{Asker, BadReply, Received};
use crate::radius::{Attributes, Code, Packet, Type, Writer, hidden};
use crate::secret::Secret;

const RANDOM: [u8; 16] = [3; 16];

fn asker() -> Asker {
    Asker::new(Secret::new(SECRET))
}

/// A reply to a request with [`RANDOM`].
fn reply(code: Code, identifier: u8, with_message_authenticator: bool) -> Vec<u8> {
    let mut octets = Vec::new();
    let writer = if with_message_authenticator {
        Writer::new(&mut octets, code, identifier)
    } else {
        Writer::without_message_authenticator(&mut octets, code, identifier)
    };
    writer.finish(&key(), &RANDOM).unwrap();
    octets
}

#[test]
fn a_request_has_message_authenticator_first_then_eap_then_the_rest() {
    let mut attributes = Attributes::default();
    attributes.push(Type::USER_NAME, b"a").unwrap();
    let eap = [&[2, 1, 1, 44][..], &[0; 296]].concat();
    let datagram = asker().request(Code::ACCESS_REQUEST, 7, RANDOM, &eap, &attributes).unwrap();
    let sent = Packet::parse(&datagram).unwrap();
    assert_eq!(sent.attributes().map(|a| a.kind.0).collect::<Vec<_>>(), [80, 79, 79, 1]);
    assert!(key().check_request(&sent).is_ok());
    let mut bench = Bench::new();
    assert!(matches!(bench.receive(0, &datagram), Received::Request { .. }));
}

#[test]
fn a_password_is_hidden_with_the_secret() {
    let mut attributes = Attributes::default();
    asker().push_password(&RANDOM, &Secret::new("arctangent"), &mut attributes).unwrap();
    let datagram = asker().request(Code::ACCESS_REQUEST, 7, RANDOM, &[], &attributes).unwrap();
    let value = Packet::parse(&datagram).unwrap().first(Type::USER_PASSWORD).unwrap();
    assert_eq!(hidden::reveal_password(key().secret(), &RANDOM, value), Some(Secret::new("arctangent")));
}

#[test]
fn w08_a_reply_without_message_authenticator_is_not_taken_although_its_authenticator_is_right() {
    let datagram = asker().request(Code::ACCESS_REQUEST, 7, RANDOM, &[], &Attributes::default()).unwrap();
    for code in [Code::ACCESS_ACCEPT, Code::ACCESS_REJECT, Code::ACCESS_CHALLENGE, Code::PROTOCOL_ERROR] {
        assert_eq!(
            asker().reply(&datagram, &reply(code, 7, false)).err(),
            Some(BadReply::MissingMessageAuthenticator),
            "{code:?}"
        );
        assert!(asker().reply(&datagram, &reply(code, 7, true)).is_ok(), "{code:?}");
    }
}

#[test]
fn each_way_in_which_a_reply_is_wrong_has_its_name() {
    let datagram = asker().request(Code::ACCESS_REQUEST, 7, RANDOM, &[], &Attributes::default()).unwrap();
    let good = reply(Code::ACCESS_ACCEPT, 7, true);
    let check = |octets: &[u8]| asker().reply(&datagram, octets).err();
    assert_eq!(check(&good), None);
    assert_eq!(check(&good[..30]), Some(BadReply::Malformed));
    assert_eq!(check(&reply(Code::ACCESS_ACCEPT, 8, true)), Some(BadReply::NotOurs));
    assert_eq!(check(&reply(Code::ACCOUNTING_RESPONSE, 7, true)), Some(BadReply::NotOurs));
    assert_eq!(check(&request(Code::ACCESS_REQUEST, 7, 3, &[])), Some(BadReply::NotOurs));
    let mut wrong = good.clone();
    wrong[4] ^= 1;
    assert_eq!(check(&wrong), Some(BadReply::BadAuthenticator));
    let mut wrong = good.clone();
    wrong[25] ^= 1;
    let digest = {
        use md5::Digest;
        let asked = [&wrong[..4], &RANDOM, &wrong[20..], SECRET.as_bytes()].concat();
        <[u8; 16]>::from(md5::Md5::digest(asked))
    };
    wrong[4..20].copy_from_slice(&digest);
    assert_eq!(check(&wrong), Some(BadReply::BadMessageAuthenticator));
    let other = Asker::new(Secret::new("another"));
    assert_eq!(other.reply(&datagram, &good).err(), Some(BadReply::BadAuthenticator));
}

#[test]
fn a_request_that_does_not_fit_is_an_error() {
    let asked = asker().request(Code::ACCESS_REQUEST, 7, RANDOM, &[0; 4096], &Attributes::default());
    assert!(asked.is_err());
}

proptest! {
    #[test]
    fn no_mangled_datagram_makes_a_hop_panic(code in proptest::sample::select(vec![1_u8, 4, 12]), at in 0..60_usize, octet: u8, cut in 0..60_usize) {
        let eap: (Type, &[u8]) = (Type::EAP_MESSAGE, &[2, 1, 0, 4]);
        let mut datagram = request(Code(code), 1, 1, &[eap, (Type::PROXY_STATE, b"p")]);
        let good = datagram.clone();
        if let Some(place) = datagram.get_mut(at) {
            *place = octet;
        }
        datagram.truncate(datagram.len().saturating_sub(cut % 7));
        let mut bench = Bench::new();
        if let Received::Request { packet, .. } = bench.receive(0, &datagram) {
            prop_assert_eq!(packet.octets(), good.as_slice());
        }
        let _ = asker().reply(&good, &datagram);
    }
}

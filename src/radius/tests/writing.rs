use proptest::prelude::*;

use super::{key, parse};
use crate::radius::{Attributes, Code, MAX_PACKET, TooLong, Type, Writer};

#[test]
fn w07_message_authenticator_is_the_first_attribute_of_every_packet_begun_with_it() {
    for code in [1, 2, 3, 4, 5, 11, 12, 40, 43, 52] {
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets, Code(code), 1);
        writer.push(Type::REPLY_MESSAGE, b"hello").unwrap();
        writer.finish(&key(), &[9; 16]).unwrap();
        let first = parse(&octets).attributes().next().unwrap();
        assert_eq!((first.kind, first.value.len()), (Type::MESSAGE_AUTHENTICATOR, 16), "code {code}");
        assert_ne!(first.value, [0; 16]);
    }
}

#[test]
fn a_packet_over_4096_octets_is_not_written() {
    let mut octets = Vec::new();
    let fill = |octets: &mut Vec<u8>, last: usize| {
        let mut writer = Writer::new(octets, Code::ACCESS_ACCEPT, 1);
        writer.push_eap(&[0; 15 * 253]).unwrap();
        writer.push(Type::CLASS, &vec![0; last]).unwrap();
        writer.finish(&key(), &[9; 16])
    };
    let rest = MAX_PACKET - 38 - 15 * 255 - 2;
    assert_eq!(fill(&mut octets, rest), Ok(()));
    assert_eq!(parse(&octets).octets().len(), MAX_PACKET);
    assert_eq!(fill(&mut octets, rest + 1), Err(TooLong));
}

#[test]
fn eap_is_split_into_attributes_of_253_octets() {
    let eap = [&[1, 1, 0x02, 0x58][..], &[5; 596]].concat();
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets, Code::ACCESS_CHALLENGE, 1);
    writer.push_eap(&eap).unwrap();
    writer.finish(&key(), &[9; 16]).unwrap();
    let lengths: Vec<_> = parse(&octets).all(Type::EAP_MESSAGE).map(<[u8]>::len).collect();
    assert_eq!(lengths, [253, 253, 94]);
    let mut joined = Vec::new();
    assert_eq!(parse(&octets).join_eap(&mut joined), Ok(true));
    assert_eq!(joined, eap);
}

#[test]
fn values_that_do_not_fit_are_refused_and_leave_nothing_behind() {
    let mut attributes = Attributes::default();
    assert_eq!(attributes.push(Type::CLASS, &[0; 254]), Err(TooLong));
    assert_eq!(attributes.push_vendor(9, 1, &[0; 248]), Err(TooLong));
    assert_eq!(attributes.push_vlan(&"v".repeat(254)), Err(TooLong));
    assert_eq!(attributes.push_tagged_integer(Type::TUNNEL_TYPE, 0, 0x0100_0000), Err(TooLong));
    assert_eq!(attributes.push_tagged_integer(Type::TUNNEL_TYPE, 32, 1), Err(TooLong));
    assert_eq!(attributes.push_tagged(Type::TUNNEL_PRIVATE_GROUP_ID, 32, b"1"), Err(TooLong));
    assert_eq!(attributes, Attributes::default());
    assert_eq!(attributes.push(Type::CLASS, &[0; 253]), Ok(()));
    assert_eq!(attributes.push_vendor(9, 1, &[0; 247]), Ok(()));
}

#[test]
fn a_vlan_is_three_attributes_with_integers_of_three_octets() {
    let mut attributes = Attributes::default();
    attributes.push_vlan("120").unwrap();
    assert_eq!(attributes.octets(), [64, 6, 0, 0, 0, 13, 65, 6, 0, 0, 0, 6, 81, 5, b'1', b'2', b'0']);
}

#[test]
fn a_text_that_begins_like_a_tag_gets_one() {
    let mut attributes = Attributes::default();
    attributes.push_tagged(Type::TUNNEL_PRIVATE_GROUP_ID, 0, b"\x01a").unwrap();
    attributes.push_tagged(Type::TUNNEL_PRIVATE_GROUP_ID, 31, b"a").unwrap();
    assert_eq!(attributes.octets(), [81, 5, 0, 1, b'a', 81, 4, 31, b'a']);
}

proptest! {
    #[test]
    fn what_is_written_is_read(values in proptest::collection::vec((1_u8..=255, proptest::collection::vec(any::<u8>(), 0..=253)), 0..12)) {
        let values: Vec<_> = values.into_iter().filter(|(kind, _)| *kind != 80).collect();
        let mut attributes = Attributes::default();
        for (kind, value) in &values {
            attributes.push(Type(*kind), value).unwrap();
        }
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets, Code::ACCESS_REQUEST, 3);
        writer.extend(&attributes);
        prop_assert_eq!(writer.finish(&key(), &[9; 16]), Ok(()));
        let read = parse(&octets);
        prop_assert!(key().check_request(&read).is_ok_and(|found| found.is_some()));
        let back: Vec<_> = read.attributes().skip(1).map(|a| (a.kind.0, a.value.to_vec())).collect();
        prop_assert_eq!(back, values);
    }

    #[test]
    fn vendor_values_that_are_written_are_read(vendor in 1..0x00ff_ffff_u32, kind: u8, value in proptest::collection::vec(any::<u8>(), 0..=247)) {
        let mut attributes = Attributes::default();
        attributes.push_vendor(vendor, kind, &value).unwrap();
        let octets = super::packet(2, attributes.octets());
        prop_assert_eq!(parse(&octets).first_vendor(vendor, kind), Some(value.as_slice()));
    }
}

#[test]
fn attributes_without_some_types_keep_their_order_and_octets() {
    let mut all = Attributes::default();
    for (kind, value) in
        [(Type::CLASS, &b"a"[..]), (Type::REPLY_MESSAGE, b"b"), (Type::CLASS, b""), (Type::STATE, b"c")]
    {
        all.push(kind, value).unwrap();
    }
    assert_eq!(all.without(&[Type::REPLY_MESSAGE, Type::STATE]).octets(), [25, 3, b'a', 25, 2]);
    assert_eq!(all.without(&[]), all);
}

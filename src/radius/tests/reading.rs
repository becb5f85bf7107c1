use proptest::prelude::*;

use super::{packet, parse};
use crate::radius::{Code, MAX_PACKET, Malformed, Packet, Type};

fn refusal(datagram: &[u8]) -> Malformed {
    Packet::parse(datagram).expect_err("a malformed datagram")
}

#[test]
fn w01_datagram_and_length_must_agree() {
    let good = packet(1, &[]);
    for short in 0..20 {
        assert_eq!(refusal(&good[..short]), Malformed::Length, "{short} octets");
    }
    for length in [0, 1, 19, 21, 4096, 4097, 65535_u16] {
        let mut wrong = good.clone();
        wrong[2..4].copy_from_slice(&length.to_be_bytes());
        assert_eq!(refusal(&wrong), Malformed::Length, "Length {length}");
    }
}

#[test]
fn w01_more_than_4096_octets_are_no_packet_and_4096_are() {
    let filler: Vec<u8> = [25, 254].into_iter().chain([0; 252]).collect();
    let mut attributes = filler.repeat(16);
    attributes.extend([25, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(parse(&packet(1, &attributes)).octets().len(), MAX_PACKET);
    attributes.extend([25, 2]);
    assert_eq!(refusal(&packet(1, &attributes)), Malformed::Length);
}

#[test]
fn w01_octets_after_length_are_padding() {
    let mut datagram = packet(1, &[1, 3, b'a']);
    datagram.extend([0xff; 9]);
    let read = parse(&datagram);
    assert_eq!(read.octets(), &datagram[..23]);
    assert_eq!(read.attributes().count(), 1);
}

#[test]
fn w02_attributes_must_fill_the_packet() {
    for attributes in
        [&[1, 0][..], &[1, 1], &[1], &[1, 4, 0], &[1, 3, 0, 1], &[0, 3, 0], &[1, 255, 0, 0], &[1, 2, 0, 2]]
    {
        assert_eq!(refusal(&packet(1, attributes)), Malformed::Attribute, "{attributes:?}");
    }
}

#[test]
fn w14_what_is_malformed_inside_an_attribute_stays_opaque() {
    let vendors = [
        &[
            0x1a, 0x0a, 0x00, 0x00, 0x60, 0xb5, 0x2c, 0x04, 0x80, 0x00, 0x1a, 0x09, 0x00, 0x00, 0x60, 0xb5, 0x2c, 0xfa,
            0x00,
        ][..],
        &[26, 2],
        &[26, 5, 0, 0, 9],
        &[26, 6, 0, 0, 0, 9],
        &[26, 7, 0, 0, 0, 9, 1],
        &[26, 8, 0, 0, 0, 9, 1, 0],
        &[26, 8, 0, 0, 0, 9, 1, 1],
        &[241, 3, 1],
        &[245, 2],
        &[69, 2],
        &[69, 6, 0, 0x80, 0, 1],
        &[255, 4, 1, 2],
    ];
    for octets in vendors {
        let whole = packet(1, octets);
        let read = parse(&whole);
        let back: Vec<u8> = read
            .attributes()
            .flat_map(|attribute| {
                [&[attribute.kind.0, u8::try_from(attribute.value.len() + 2).unwrap()], attribute.value].concat()
            })
            .collect();
        assert_eq!(back, octets);
        assert_eq!(read.all_vendor(9, 1).count(), 0);
        assert_eq!(
            read.all_vendor(24757, 44).count(),
            usize::from(octets.len() == 19),
            "the first of the vector's two is whole"
        );
    }
}

#[test]
fn typed_readers_take_what_has_the_right_form_only() {
    let octets = packet(1, &[1, 6, b'n', b'e', b'm', b'o', 12, 6, 0, 0, 5, 120, 61, 5, 0, 0, 19, 32, 3, 0xff]);
    let read = parse(&octets);
    assert_eq!((read.code(), read.identifier(), read.authenticator()), (Code::ACCESS_REQUEST, 42, &[7; 16]));
    assert_eq!(read.text(Type::USER_NAME), Some("nemo"));
    assert_eq!(read.text(Type::NAS_IDENTIFIER), None, "no UTF-8");
    assert_eq!(read.integer(Type::FRAMED_MTU), Some(1400));
    assert_eq!(read.integer(Type::NAS_PORT_TYPE), None, "three octets");
    assert_eq!(read.first(Type::STATE), None);
}

#[test]
fn vendor_attributes_are_found_in_any_vendor_specific_and_any_place_in_it() {
    let octets = packet(
        1,
        &[
            26, 14, 0, 0, 0, 9, 2, 3, b'x', 1, 5, b'a', b'b', b'c', 26, 9, 0, 0, 1, 55, 1, 3, b'm', 26, 9, 0, 0, 0, 9,
            1, 3, b'd',
        ],
    );
    let read = parse(&octets);
    assert_eq!(read.first_vendor(9, 1), Some(&b"abc"[..]));
    assert_eq!(read.all_vendor(9, 1).collect::<Vec<_>>(), [&b"abc"[..], b"d"]);
    assert_eq!(read.first_vendor(311, 1), Some(&b"m"[..]));
    assert_eq!(read.first_vendor(311, 2), None);
}

/// EAP-Message attributes, one for each part.
fn eap(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().flat_map(|part| [&[79, u8::try_from(part.len() + 2).unwrap()], *part].concat()).collect()
}

#[test]
fn w18_eap_messages_must_be_consecutive() {
    let mut joined = Vec::new();
    let together = [eap(&[&[2, 1, 0, 6, 1], b"a"]), vec![24, 3, 0]].concat();
    assert_eq!(parse(&packet(1, &together)).join_eap(&mut joined), Ok(true));
    assert_eq!(joined, [2, 1, 0, 6, 1, b'a']);
    let split = [eap(&[&[2, 1, 0, 6, 1]]), vec![24, 3, 0], eap(&[b"a"])].concat();
    assert_eq!(parse(&packet(1, &split)).join_eap(&mut joined), Err(Malformed::Attribute));
}

#[test]
fn w18_eap_must_be_as_long_as_it_says() {
    let mut joined = Vec::new();
    for wrong in [&[2][..], &[2, 1, 0], &[2, 1, 0, 3], &[2, 1, 0, 5], &[2, 1, 0, 4, 1], &[2, 1, 0xff, 0xff, 1]] {
        assert_eq!(parse(&packet(1, &eap(&[wrong]))).join_eap(&mut joined), Err(Malformed::Attribute), "{wrong:?}");
    }
}

#[test]
fn no_eap_and_eap_start_differ() {
    let mut joined = vec![1];
    assert_eq!(parse(&packet(1, &[])).join_eap(&mut joined), Ok(false));
    assert!(joined.is_empty());
    assert_eq!(parse(&packet(1, &[79, 2])).join_eap(&mut joined), Ok(true));
    assert!(joined.is_empty());
}

proptest! {
    #[test]
    fn w02_no_octets_make_reading_panic_or_loop(
        header in any::<[u8; 20]>(), mut rest in proptest::collection::vec(any::<u8>(), 0..300), right_length in any::<bool>(),
    ) {
        let mut datagram = header.to_vec();
        datagram.append(&mut rest);
        if right_length {
            let length = u16::try_from(datagram.len()).unwrap();
            datagram[2..4].copy_from_slice(&length.to_be_bytes());
        }
        if let Ok(read) = Packet::parse(&datagram) {
            prop_assert!(read.attributes().count() <= datagram.len() / 2);
            prop_assert_eq!(20 + read.attributes().map(|a| a.value.len() + 2).sum::<usize>(), read.octets().len());
            let _ = read.join_eap(&mut Vec::new());
            for kind in 0..=255 {
                let _ = (read.text(Type(kind)), read.integer(Type(kind)), read.all_vendor(9, kind).count());
            }
        }
    }
}

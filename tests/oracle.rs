//! Our packets against radius-rs, an independent reader and writer. Where it is right both agree; each place where it isn't is a test that says so,
//! and that fails when a later version differs from what we know of it.

use proptest::prelude::*;
use radius::core::avp::AVP;
use radius::core::code::Code as TheirCode;
use radius::core::packet::Packet as Theirs;
use radius::core::tag::Tag;
use radius::core::vsa::{StringVSA, VSA};
use radius::core::{rfc2865, rfc2866, rfc2868, rfc2869};
use sekisho::radius::{Attributes, Code, Key, Packet, TooLong, Type, Unauthentic, Writer, dictionary, hidden, vendor};
use sekisho::secret::Secret;

const SECRET: &[u8] = b"xyzzy5461";

fn key() -> Key {
    Key::new(Secret::new(SECRET))
}

/// A request of ours, in which their reader is to find `attributes`.
fn ours(code: Code, authenticator: [u8; 16], attributes: &Attributes) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets, code, 7);
    writer.extend(attributes);
    writer.finish(&key(), &authenticator).expect("it fits");
    octets
}

fn attributes_of(packet: &Packet<'_>) -> Vec<(u8, Vec<u8>)> {
    packet.attributes().map(|attribute| (attribute.kind.0, attribute.value.to_vec())).collect()
}

/// A datagram that is often a packet: a header with a right Length, attributes, then a few octets changed.
fn datagrams() -> impl Strategy<Value = Vec<u8>> {
    let attribute = (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..40));
    let changes = proptest::collection::vec((0..300_usize, any::<u8>()), 0..3);
    (any::<[u8; 20]>(), proptest::collection::vec(attribute, 0..8), changes).prop_map(
        |(header, attributes, changes)| {
            let mut octets = header.to_vec();
            for (kind, value) in attributes {
                octets.extend([kind, value.len() as u8 + 2]);
                octets.extend(value);
            }
            let length = octets.len() as u16;
            octets[2..4].copy_from_slice(&length.to_be_bytes());
            for (at, octet) in changes {
                if let Some(place) = octets.get_mut(at) {
                    *place = octet;
                }
            }
            octets
        },
    )
}

proptest! {
    #[test]
    fn both_take_the_same_datagrams_and_find_the_same_values(datagram in datagrams()) {
        let theirs = Theirs::decode(&datagram, SECRET);
        match Packet::parse(&datagram) {
            Ok(packet) => {
                let theirs = theirs.expect("they take what we take");
                prop_assert_eq!(packet.identifier(), theirs.get_identifier());
                prop_assert_eq!(&packet.authenticator()[..], &theirs.get_authenticator()[..]);
                for kind in 0..=255 {
                    let found: Vec<_> = theirs.lookup_all(kind).iter().map(|value| value.encode_bytes()).collect();
                    prop_assert_eq!(packet.all(Type(kind)).collect::<Vec<_>>(), found);
                }
            }
            // Type 0 is the one thing that we refuse and they don't.
            Err(_) => prop_assert!(theirs.is_err() || theirs.is_ok_and(|packet| packet.lookup(0).is_some())),
        }
    }

    #[test]
    fn both_hide_user_password_alike(password in "[^\0]{1,32}", authenticator: [u8; 16]) {
        let theirs = AVP::from_user_password(2, password.as_bytes(), SECRET, &authenticator).unwrap();
        let covered = hidden::hide_password(&Secret::new(SECRET), &authenticator, password.as_bytes()).unwrap();
        prop_assert_eq!(&covered, &theirs.encode_bytes());
        prop_assert_eq!(theirs.encode_user_password(SECRET, &authenticator).unwrap(), password.as_bytes());
    }

    #[test]
    fn both_split_and_join_eap_alike(body in proptest::collection::vec(any::<u8>(), 0..1500), identifier: u8) {
        let length = (body.len() as u16 + 4).to_be_bytes();
        let eap = [&[1, identifier, length[0], length[1]][..], &body].concat();
        let mut theirs = Theirs::new_with_identifier(TheirCode::AccessChallenge, SECRET, 7);
        rfc2869::add_eap_message(&mut theirs, &eap);
        let octets = theirs.encode().unwrap();
        let mut joined = Vec::new();
        prop_assert_eq!(Packet::parse(&octets).unwrap().join_eap(&mut joined), Ok(true));
        prop_assert_eq!(&joined, &eap);

        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets, Code::ACCESS_CHALLENGE, 7);
        writer.push_eap(&eap).unwrap();
        writer.finish(&key(), &[1; 16]).unwrap();
        prop_assert_eq!(rfc2869::lookup_eap_message(&Theirs::decode(&octets, SECRET).unwrap()), Some(eap));
    }

    #[test]
    fn both_make_and_check_response_authenticators_alike(code in proptest::sample::select(vec![2_u8, 3, 5, 11, 41, 42, 44, 45]), authenticator: [u8; 16], text in "[a-z]{0,20}") {
        let mut attributes = Attributes::default();
        attributes.push(Type::REPLY_MESSAGE, text.as_bytes()).unwrap();
        let request = ours(Code::ACCESS_REQUEST, authenticator, &Attributes::default());
        let reply = ours(Code(code), authenticator, &attributes);
        prop_assert!(Theirs::is_authentic_response(&reply, &request, SECRET));
        prop_assert!(!Theirs::is_authentic_response(&reply, &request, b"other"));

        let mut theirs = Theirs::decode(&request, SECRET).unwrap().make_response_packet(TheirCode::AccountingResponse);
        rfc2865::add_reply_message(&mut theirs, &text);
        let octets = theirs.encode().unwrap();
        prop_assert_eq!(key().check_reply(&Packet::parse(&octets).unwrap(), &authenticator), Ok(None));
    }

    #[test]
    fn both_make_and_check_request_authenticators_of_accounting_and_coa_alike(code in proptest::sample::select(vec![4_u8, 40, 43]), session in "[a-z]{1,20}") {
        let mut attributes = Attributes::default();
        attributes.push(Type::ACCT_SESSION_ID, session.as_bytes()).unwrap();
        let request = ours(Code(code), [0; 16], &attributes);
        prop_assert!(Theirs::is_authentic_request(&request, SECRET));
        prop_assert!(!Theirs::is_authentic_request(&request, b"other"));

        let mut theirs = Theirs::new(TheirCode::from(code), SECRET);
        rfc2866::add_acct_session_id(&mut theirs, &session);
        let octets = theirs.encode().unwrap();
        prop_assert_eq!(key().check_request(&Packet::parse(&octets).unwrap()), Ok(None));
        prop_assert_eq!(Key::new(Secret::new("other")).check_request(&Packet::parse(&octets).unwrap()), Err(Unauthentic::Authenticator));
    }

    #[test]
    fn both_write_plain_attributes_alike(timeout: u32, filter in "[a-z]{1,60}", address: [u8; 4]) {
        let mut attributes = Attributes::default();
        dictionary::push(&format!("Idle-Timeout={timeout}"), &mut attributes).unwrap();
        dictionary::push(&format!("Filter-Id={filter}"), &mut attributes).unwrap();
        dictionary::push(&format!("Framed-IP-Address={}", std::net::Ipv4Addr::from(address)), &mut attributes).unwrap();
        dictionary::push(&format!("Aruba-User-Role={filter}"), &mut attributes).unwrap();
        dictionary::push(&format!("Tunnel-Private-Group-Id={filter}"), &mut attributes).unwrap();
        dictionary::push(&format!("Tunnel-Private-Group-Id:3={filter}"), &mut attributes).unwrap();
        let mut theirs = Theirs::new(TheirCode::AccessAccept, SECRET);
        rfc2865::add_idle_timeout(&mut theirs, timeout);
        rfc2865::add_filter_id(&mut theirs, &filter);
        rfc2865::add_framed_ip_address(&mut theirs, &address.into());
        theirs.add(AVP::from_bytes(26, &StringVSA::new(14823, 1, &filter).message()));
        rfc2868::add_tunnel_private_group_id(&mut theirs, None, &filter);
        rfc2868::add_tunnel_private_group_id(&mut theirs, Some(&Tag::new(3)), &filter);
        let encoded = theirs.encode().unwrap();
        prop_assert_eq!(&encoded[20..], attributes.octets());
    }
}

#[test]
fn they_take_any_access_request_for_authentic() {
    let mut request = ours(Code::ACCESS_REQUEST, [3; 16], &Attributes::default());
    request[30] ^= 1;
    assert!(Theirs::is_authentic_request(&request, SECRET), "they don't look at Message-Authenticator");
    assert!(Theirs::is_authentic_request(&request, b"another secret"));
    assert_eq!(key().check_request(&Packet::parse(&request).unwrap()), Err(Unauthentic::MessageAuthenticator));
}

#[test]
fn they_take_status_server_without_message_authenticator_for_authentic() {
    let request = Theirs::new(TheirCode::StatusServer, SECRET).encode().unwrap();
    assert!(Theirs::is_authentic_request(&request, SECRET));
    assert_eq!(key().check_request(&Packet::parse(&request).unwrap()), Err(Unauthentic::Missing));
}

#[test]
fn they_make_no_message_authenticator() {
    let mut theirs = Theirs::new(TheirCode::AccessRequest, SECRET);
    rfc2869::add_message_authenticator(&mut theirs, &[0; 16]);
    let octets = theirs.encode().unwrap();
    let packet = Packet::parse(&octets).unwrap();
    assert_eq!(packet.first(Type::MESSAGE_AUTHENTICATOR), Some(&[0; 16][..]), "what is put in stays as it is");
    assert_eq!(key().check_request(&packet), Err(Unauthentic::MessageAuthenticator));
    let octets = ours(Code::ACCESS_REQUEST, [3; 16], &Attributes::default());
    assert!(key().check_request(&Packet::parse(&octets).unwrap()).is_ok());
}

#[test]
fn their_tagged_integers_have_four_octets_and_rfc_2868_says_three() {
    let mut theirs = Theirs::new(TheirCode::AccessAccept, SECRET);
    rfc2868::add_tunnel_type(&mut theirs, Some(&Tag::new(1)), 13);
    let octets = theirs.encode().unwrap();
    let theirs = Packet::parse(&octets).unwrap();
    assert_eq!(theirs.first(Type::TUNNEL_TYPE), Some(&[1, 0, 0, 0, 13][..]));

    let mut attributes = Attributes::default();
    dictionary::push("Tunnel-Type:1=VLAN", &mut attributes).unwrap();
    assert_eq!(attributes.octets(), [64, 6, 1, 0, 0, 13]);
    let octets = ours(Code::ACCESS_ACCEPT, [3; 16], &attributes);
    let read = rfc2868::lookup_tunnel_type(&Theirs::decode(&octets, SECRET).unwrap());
    assert!(read.unwrap().is_err(), "they can't read what the RFC says");
}

#[test]
fn their_tunnel_password_lacks_its_length_octet() {
    let request = [3; 16];
    let theirs = AVP::from_tunnel_password(69, Some(&Tag::new(1)), b"fifteen octets.", SECRET, &request).unwrap();
    let value = theirs.encode_bytes();
    let opened = hidden::reveal_salted(&Secret::new(SECRET), &request, &value[1..]);
    assert_eq!(opened, None, "the first letter stands where the length should: 102 octets are not there");

    let covered = hidden::hide_salted(&Secret::new(SECRET), &request, [0x80, 1], b"fifteen octets.").unwrap();
    let value = AVP::from_bytes(69, &[&[1][..], &covered].concat());
    let (opened, _) = value.encode_tunnel_password(SECRET, &request).unwrap();
    assert_eq!(opened, b"\x0ffifteen octets.", "they take the length for a letter; the cipher is the same");
}

#[test]
fn their_passwords_end_at_the_first_zero_octet() {
    let request = [3; 16];
    let covered = hidden::hide_password(&Secret::new(SECRET), &request, b"one\0two").unwrap();
    assert_eq!(AVP::from_bytes(2, &covered).encode_user_password(SECRET, &request).unwrap(), b"one");
    let opened = hidden::reveal_password(&Secret::new(SECRET), &request, &covered).unwrap();
    assert_eq!(opened.expose(), b"one\0two");
}

#[test]
fn they_read_no_vendor_attributes() {
    let mut attributes = Attributes::default();
    attributes.push_vendor(vendor::CISCO, vendor::CISCO_AVPAIR, b"ssid=JAIST").unwrap();
    let octets = ours(Code::ACCESS_REQUEST, [3; 16], &attributes);
    let theirs = Theirs::decode(&octets, SECRET).unwrap();
    let whole = theirs.lookup(26).unwrap().encode_bytes();
    assert_eq!(whole, [&[0, 0, 0, 9, 1, 12][..], b"ssid=JAIST"].concat(), "all that they have is the octets");
    let packet = Packet::parse(&octets).unwrap();
    assert_eq!(packet.first_vendor(vendor::CISCO, vendor::CISCO_AVPAIR), Some(&b"ssid=JAIST"[..]));
}

#[test]
fn their_vendor_attributes_are_texts_so_they_make_no_ms_mppe_keys() {
    // The one way to a vendor attribute is a text, and a salt's highest bit is set: no text begins like that.
    let salted = hidden::hide_salted(&Secret::new(SECRET), &[3; 16], [0x80, 1], &[5; 32]).unwrap();
    assert!(std::str::from_utf8(&salted).is_err());
    let mut attributes = Attributes::default();
    attributes.push_vendor(vendor::MICROSOFT, vendor::MS_MPPE_RECV_KEY, &salted).unwrap();
    assert_eq!(attributes.octets().len(), 58);
}

#[test]
fn their_packets_over_64_kib_get_a_wrong_length() {
    let mut theirs = Theirs::new(TheirCode::AccessAccept, SECRET);
    for _ in 0..256 {
        theirs.add(AVP::from_bytes(25, &[0; 253]));
    }
    theirs.add(AVP::from_bytes(25, &[0; 253]));
    theirs.add(AVP::from_bytes(25, &[]));
    let octets = theirs.encode().expect("they write it");
    assert_eq!(octets.len(), 20 + 257 * 255 + 2);
    assert_eq!(u16::from_be_bytes([octets[2], octets[3]]), 21, "65,537 octets of attributes are one to them");

    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets, Code::ACCESS_ACCEPT, 1);
    writer.push_eap(&[0; 257 * 253]).unwrap();
    assert_eq!(writer.finish(&key(), &[3; 16]), Err(TooLong));
}

#[test]
fn they_take_attributes_of_type_0() {
    let datagram = [&[1, 0, 0, 22][..], &[0; 16], &[0, 2]].concat();
    assert!(Theirs::decode(&datagram, SECRET).is_ok());
    assert!(Packet::parse(&datagram).is_err());
}

#[test]
fn they_read_no_text_with_tag_0_and_we_write_none() {
    assert!(AVP::from_bytes(81, b"\x00120").encode_tagged_string().is_err());
    let mut attributes = Attributes::default();
    attributes.push_vlan("120").unwrap();
    let octets = ours(Code::ACCESS_ACCEPT, [3; 16], &attributes);
    let read = rfc2868::lookup_tunnel_private_group_id(&Theirs::decode(&octets, SECRET).unwrap());
    assert_eq!(read.unwrap().unwrap(), ("120".to_owned(), None));
}

#[test]
fn their_attributes_can_be_asked_for_by_type_only_so_their_order_is_lost() {
    let mut attributes = Attributes::default();
    for (kind, value) in [(33, "a"), (24, "b"), (33, "c")] {
        attributes.push(Type(kind), value.as_bytes()).unwrap();
    }
    let octets = ours(Code::ACCESS_REQUEST, [3; 16], &attributes);
    let theirs = Theirs::decode(&octets, SECRET).unwrap();
    let by_type: Vec<_> =
        (0..=255).flat_map(|kind| theirs.lookup_all(kind)).map(|value| value.encode_bytes()).collect();
    assert_eq!(by_type[..3], [b"b", b"a", b"c"]);
    let walked = attributes_of(&Packet::parse(&octets).unwrap());
    assert_eq!(walked[1..], [(33, b"a".to_vec()), (24, b"b".to_vec()), (33, b"c".to_vec())]);
}

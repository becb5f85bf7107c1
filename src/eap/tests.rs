use proptest::prelude::*;

use super::packet::{FAILURE, FLAG_LENGTH, FLAG_MORE, FLAG_START, RESPONSE, SUCCESS};
use super::*;
use crate::secret::Secret;

const SETTINGS: Settings = Settings { fragment_size: 1200, max_message: 16 * 1024, max_idle_rounds: 50 };

/// An authenticator that has sent EAP-TLS start, with the Identifier that it awaits.
fn started(settings: Settings, mtu: Option<u32>) -> (Authenticator, u8) {
    let mut authenticator = Authenticator::new(settings, mtu);
    assert!(matches!(authenticator.hear(&response(7, &[TYPE_IDENTITY])), Ok(Heard::Identity(Ok(_)))));
    let start = authenticator.start();
    (authenticator, start[1])
}

/// An EAP packet of a supplicant.
fn response(identifier: u8, body: &[u8]) -> Vec<u8> {
    let mut octets = vec![RESPONSE, identifier];
    octets.extend(u16::try_from(body.len() + 4).unwrap().to_be_bytes());
    octets.extend(body);
    octets
}

/// An EAP-TLS response.
fn tls(identifier: u8, flags: u8, length: Option<u32>, data: &[u8]) -> Vec<u8> {
    let length = length.map(|length| length.to_be_bytes().to_vec()).unwrap_or_default();
    response(identifier, &[&[TYPE_TLS, flags], length.as_slice(), data].concat())
}

/// Flags and what follows them, of an EAP-TLS packet of ours.
fn flags_and_rest(packet: &[u8]) -> (u8, &[u8]) {
    assert_eq!(usize::from(u16::from_be_bytes([packet[2], packet[3]])), packet.len());
    assert_eq!(packet[4], TYPE_TLS);
    (packet[5], &packet[6..])
}

fn reply(heard: Result<Heard, Fault>) -> Vec<u8> {
    match heard {
        Ok(Heard::Reply(packet)) => packet,
        other => panic!("no reply but {other:?}"),
    }
}

/// Carries a message from a peer to the authenticator: what arrived, and in how many rounds.
fn carry_up(size: usize, always_length: bool, message: &[u8]) -> (Vec<u8>, u32) {
    let mut authenticator = Authenticator::new(SETTINGS, None);
    let mut peer = Peer::new(Settings { fragment_size: size, ..SETTINGS }, always_length);
    authenticator.hear(&response(0, &[TYPE_IDENTITY])).unwrap();
    assert!(matches!(peer.hear(&authenticator.start()), Ok(Told::Start)));
    let mut packet = peer.send(message.to_vec());
    for rounds in 1.. {
        match authenticator.hear(&packet).unwrap() {
            Heard::Message(arrived) => return (arrived, rounds),
            Heard::Reply(acknowledgement) => match peer.hear(&acknowledgement).unwrap() {
                Told::Reply(next) => packet = next,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
    unreachable!("rounds end")
}

/// Carries a message from the authenticator to a peer: what arrived, and the packets that carried it.
fn carry_down(authenticator: &mut Authenticator, message: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut peer = Peer::new(SETTINGS, false);
    let mut packets = vec![authenticator.send(message.to_vec())];
    loop {
        match peer.hear(packets.last().unwrap()).unwrap() {
            Told::Message(arrived) => return (arrived, packets),
            Told::Reply(acknowledgement) => packets.push(reply(authenticator.hear(&acknowledgement))),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn e01_packets_that_no_supplicant_sends_end_the_conversation() {
    let good = tls(8, 0, None, b"hello");
    let with = |at: usize, octet: u8| {
        let mut packet = good.clone();
        packet[at] = octet;
        packet
    };
    let packets = [
        vec![],
        vec![RESPONSE, 8, 0],
        vec![RESPONSE, 8, 0, 3],
        vec![RESPONSE, 8, 0, 4],
        with(3, 255),
        with(3, 10),
        with(0, 1),
        with(0, SUCCESS),
        with(0, FAILURE),
        with(0, 77),
        with(4, 0),
    ];
    for packet in packets {
        let (mut authenticator, identifier) = started(SETTINGS, None);
        assert_eq!(identifier, 8);
        assert_eq!(authenticator.hear(&packet).unwrap_err(), Fault::Malformed, "{packet:?}");
        assert_eq!(authenticator.failure(), [FAILURE, 8, 0, 4]);
    }
}

#[test]
fn e01_nak_names_the_methods_that_are_wanted_or_none() {
    for (body, wanted) in [(&[3, 25, 21][..], &[25, 21][..]), (&[3, 0], &[]), (&[3], &[])] {
        let (mut authenticator, identifier) = started(SETTINGS, None);
        match authenticator.hear(&response(identifier, body)) {
            Ok(Heard::Nak(methods)) => assert_eq!(methods, wanted),
            other => panic!("{other:?}"),
        }
        assert_eq!(authenticator.failure(), [FAILURE, identifier, 0, 4]);
    }
}

#[test]
fn nak_after_the_method_has_begun_is_discarded() {
    let (mut authenticator, identifier) = started(SETTINGS, None);
    let acknowledgement = reply(authenticator.hear(&tls(identifier, FLAG_MORE, None, &[0; 100])));
    assert!(matches!(authenticator.hear(&response(acknowledgement[1], &[TYPE_NAK, 25])), Ok(Heard::Discard)));
}

#[test]
fn a_conversation_that_begins_with_anything_but_an_identity_is_malformed() {
    for body in [&[TYPE_NAK, 25][..], &[TYPE_TLS, 0], &[4, 1, 2]] {
        let mut authenticator = Authenticator::new(SETTINGS, None);
        assert_eq!(authenticator.hear(&response(200, body)).unwrap_err(), Fault::Malformed);
        assert_eq!(authenticator.failure(), [FAILURE, 200, 0, 4]);
    }
}

#[test]
fn e02_length_below_the_first_fragment_with_more_to_come_fails() {
    for announced in [0, 1, 99, 100] {
        let (mut authenticator, identifier) = started(SETTINGS, None);
        let packet = tls(identifier, FLAG_LENGTH | FLAG_MORE, Some(announced), &[0; 100]);
        assert_eq!(authenticator.hear(&packet).unwrap_err(), Fault::Length, "{announced}");
    }
}

#[test]
fn e02_flag_l_without_the_four_octets_of_a_length_fails() {
    let (mut authenticator, identifier) = started(SETTINGS, None);
    assert_eq!(authenticator.hear(&tls(identifier, FLAG_LENGTH, None, &[0; 3])).unwrap_err(), Fault::Length);
}

#[test]
fn e03_announced_lengths_are_bounded_and_allocate_nothing() {
    for announced in [16 * 1024 + 1, 65_537, u32::MAX] {
        let (mut authenticator, identifier) = started(SETTINGS, None);
        let packet = tls(identifier, FLAG_LENGTH | FLAG_MORE, Some(announced), b"abc");
        assert_eq!(authenticator.hear(&packet).unwrap_err(), Fault::TooLong, "{announced}");
        assert_eq!(authenticator.held(), 0);
    }
    let (mut authenticator, identifier) = started(SETTINGS, None);
    let packet = tls(identifier, FLAG_LENGTH | FLAG_MORE, Some(16 * 1024), &[0; 100]);
    assert!(matches!(authenticator.hear(&packet), Ok(Heard::Reply(_))));
    assert!(authenticator.held() <= 200, "{} octets held for 100", authenticator.held());
}

#[test]
fn e03_a_message_of_exactly_the_longest_length_arrives() {
    let message = vec![42; SETTINGS.max_message];
    assert_eq!(carry_up(1000, false, &message).0, message);
}

#[test]
fn e03_fragments_beyond_the_longest_message_fail_without_an_announced_length() {
    let (mut authenticator, mut identifier) = started(SETTINGS, None);
    for _ in 0..16 {
        identifier = reply(authenticator.hear(&tls(identifier, FLAG_MORE, None, &[0; 1024])))[1];
        assert!(authenticator.held() <= 2 * SETTINGS.max_message);
    }
    assert_eq!(authenticator.hear(&tls(identifier, FLAG_MORE, None, &[0])).unwrap_err(), Fault::TooLong);
}

/// How many fragments of `data` with flag M are taken before the conversation is ended, and why.
fn rounds_of(data: &[u8]) -> (u32, Fault) {
    let (mut authenticator, mut identifier) = started(SETTINGS, None);
    for rounds in 1.. {
        match authenticator.hear(&tls(identifier, FLAG_MORE, None, data)) {
            Ok(Heard::Reply(acknowledgement)) => identifier = acknowledgement[1],
            Err(fault) => return (rounds, fault),
            other => panic!("{other:?}"),
        }
    }
    unreachable!("rounds end")
}

#[test]
fn e05_more_and_more_of_nothing_ends_after_fifty_rounds() {
    assert_eq!(rounds_of(&[]), (50, Fault::TooManyRounds));
    assert_eq!(rounds_of(&[1]), (50, Fault::TooManyRounds));
}

#[test]
fn e05_fragments_of_fifty_octets_end_only_at_the_longest_message() {
    assert_eq!(rounds_of(&[1; 50]), (328, Fault::TooLong));
}

#[test]
fn e05_a_rare_good_fragment_buys_no_more_idle_rounds() {
    let (mut authenticator, mut identifier) = started(SETTINGS, None);
    let mut idle = 0;
    loop {
        identifier = reply(authenticator.hear(&tls(identifier, FLAG_MORE, None, &[1; 50])))[1];
        idle += 1;
        match authenticator.hear(&tls(identifier, FLAG_MORE, None, &[1])) {
            Ok(Heard::Reply(acknowledgement)) => identifier = acknowledgement[1],
            Err(fault) => break assert_eq!((fault, idle), (Fault::TooManyRounds, 50)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn e05_empty_responses_one_after_another_come_to_an_end() {
    let (mut authenticator, mut identifier) = started(SETTINGS, None);
    for _ in 1..50 {
        assert!(matches!(authenticator.hear(&tls(identifier, 0, None, &[])), Ok(Heard::Acknowledged)));
        identifier = authenticator.send(Vec::new())[1];
    }
    assert_eq!(authenticator.hear(&tls(identifier, 0, None, &[])).unwrap_err(), Fault::TooManyRounds);
}

#[test]
fn e05_a_long_flight_in_fragments_of_fifty_octets_passes_both_ways() {
    let message: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    assert_eq!(carry_up(50, true, &message), (message.clone(), 100));
    let (mut authenticator, _) = started(Settings { fragment_size: 50, ..SETTINGS }, None);
    let (arrived, packets) = carry_down(&mut authenticator, &message);
    assert_eq!((arrived, packets.len()), (message, 100));
}

#[test]
fn e06_sums_that_are_not_the_announced_length_fail() {
    for (announced, last) in [(150, 49), (150, 51), (150, 0), (101, 1000)] {
        let (mut authenticator, identifier) = started(SETTINGS, None);
        let first = tls(identifier, FLAG_LENGTH | FLAG_MORE, Some(announced), &[0; 100]);
        let identifier = reply(authenticator.hear(&first))[1];
        let last_fragment = tls(identifier, 0, None, &vec![0; last]);
        assert_eq!(authenticator.hear(&last_fragment).unwrap_err(), Fault::Length, "{announced} {last}");
    }
    for announced in [4, 6] {
        let (mut authenticator, identifier) = started(SETTINGS, None);
        let packet = tls(identifier, FLAG_LENGTH, Some(announced), b"hello");
        assert_eq!(authenticator.hear(&packet).unwrap_err(), Fault::Length);
    }
}

#[test]
fn e06_a_length_that_changes_between_fragments_fails_and_one_that_is_repeated_is_good() {
    for (second, good) in [(150, true), (151, false)] {
        let (mut authenticator, identifier) = started(SETTINGS, None);
        let first = tls(identifier, FLAG_LENGTH | FLAG_MORE, Some(150), &[0; 100]);
        let identifier = reply(authenticator.hear(&first))[1];
        let heard = authenticator.hear(&tls(identifier, FLAG_LENGTH, Some(second), &[0; 50]));
        assert_eq!(matches!(heard, Ok(Heard::Message(message)) if message.len() == 150), good);
    }
}

#[test]
fn e06_data_where_only_an_acknowledgement_may_stand_fails() {
    let (mut authenticator, identifier) = started(SETTINGS, None);
    authenticator.hear(&tls(identifier, 0, None, b"hello")).unwrap();
    let first = authenticator.send(vec![0; 2000]);
    assert_eq!(authenticator.hear(&tls(first[1], 0, None, b"x")).unwrap_err(), Fault::Malformed);
}

#[test]
fn e08_a_length_on_an_unfragmented_message_is_accepted() {
    let (mut authenticator, identifier) = started(SETTINGS, None);
    let heard = authenticator.hear(&tls(identifier, FLAG_LENGTH, Some(5), b"hello"));
    assert!(matches!(heard, Ok(Heard::Message(message)) if message == b"hello"));
    assert_eq!(carry_up(1000, true, b"hello"), (b"hello".to_vec(), 1));
}

#[test]
fn e08_start_and_unfragmented_messages_of_ours_have_no_length() {
    let mut authenticator = Authenticator::new(SETTINGS, None);
    authenticator.hear(&response(1, &[TYPE_IDENTITY])).unwrap();
    assert_eq!(authenticator.start(), [1, 2, 0, 6, TYPE_TLS, FLAG_START]);
    authenticator.hear(&tls(2, 0, None, b"hello")).unwrap();
    assert_eq!(authenticator.send(b"server".to_vec()), [&[1, 3, 0, 12, TYPE_TLS, 0][..], b"server"].concat());
    authenticator.hear(&tls(3, 0, None, &[])).unwrap();
    assert_eq!(authenticator.send(Vec::new()), [1, 4, 0, 6, TYPE_TLS, 0]);
}

#[test]
fn only_the_first_of_several_fragments_has_a_length_and_the_last_no_flag_m() {
    let (mut authenticator, _) = started(Settings { fragment_size: 100, ..SETTINGS }, None);
    let (arrived, packets) = carry_down(&mut authenticator, &[9; 250]);
    assert_eq!(arrived, [9; 250]);
    let flags: Vec<u8> = packets.iter().map(|packet| flags_and_rest(packet).0).collect();
    assert_eq!(flags, [FLAG_LENGTH | FLAG_MORE, FLAG_MORE, 0]);
    assert_eq!(flags_and_rest(&packets[0]).1[..4], 250_u32.to_be_bytes());
    assert_eq!(authenticator.held(), 0, "a flight that is sent is forgotten");
}

#[test]
fn framed_mtu_bounds_the_whole_eap_packet_less_the_header_of_8021x() {
    for (mtu, longest) in [(1400, 1396), (64, 60), (500, 496), (63, 1210), (0, 1210), (u32::MAX, 1210)] {
        let (mut authenticator, _) = started(SETTINGS, Some(mtu));
        let (arrived, packets) = carry_down(&mut authenticator, &[5; 5000]);
        assert_eq!(arrived, [5; 5000]);
        let sent = packets.iter().map(Vec::len).max().unwrap();
        let bound = longest.min(1210);
        assert!(sent <= bound && sent + 4 >= bound, "Framed-MTU {mtu}: {sent} octets");
    }
}

#[test]
fn an_answer_with_another_identifier_is_discarded_and_the_right_one_still_heard() {
    let (mut authenticator, identifier) = started(SETTINGS, None);
    for other in (0..=255).filter(|&other| other != identifier) {
        assert!(matches!(authenticator.hear(&tls(other, 0, None, b"hello")), Ok(Heard::Discard)));
    }
    assert!(matches!(authenticator.hear(&tls(identifier, 0, None, b"hello")), Ok(Heard::Message(_))));
}

#[test]
fn e09_a_repeated_response_is_discarded() {
    let (mut authenticator, identifier) = started(SETTINGS, None);
    let packet = tls(identifier, 0, None, b"hello");
    assert!(matches!(authenticator.hear(&packet), Ok(Heard::Message(_))));
    assert!(matches!(authenticator.hear(&packet), Ok(Heard::Discard)), "before we answered");
    let answer = authenticator.send(b"server".to_vec());
    assert!(matches!(authenticator.hear(&packet), Ok(Heard::Discard)), "after we answered");
    assert!(matches!(authenticator.hear(&tls(answer[1], 0, None, &[])), Ok(Heard::Acknowledged)));
}

#[test]
fn identifiers_go_on_from_the_first_response_and_wrap() {
    let mut authenticator = Authenticator::new(SETTINGS, None);
    assert!(matches!(authenticator.hear(&response(255, &[TYPE_IDENTITY])), Ok(Heard::Identity(Ok(_)))));
    assert_eq!(authenticator.start()[1], 0);
    assert!(matches!(authenticator.hear(&tls(0, 0, None, b"hello")), Ok(Heard::Message(_))));
    assert_eq!(authenticator.success(), [SUCCESS, 0, 0, 4]);
}

#[test]
fn an_identity_that_we_ask_for_ourselves_is_heard() {
    let mut authenticator = Authenticator::new(SETTINGS, None);
    let request = authenticator.ask_identity();
    assert_eq!(request, [1, request[1], 0, 5, TYPE_IDENTITY]);
    match authenticator.hear(&response(request[1], b"\x01@example.ac.jp")) {
        Ok(Heard::Identity(Ok(identity))) => assert_eq!(identity.realm.as_deref(), Some("example.ac.jp")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn e15_acknowledgements_out_of_turn_are_told_apart_from_messages() {
    let (mut authenticator, identifier) = started(SETTINGS, None);
    assert!(matches!(authenticator.hear(&tls(identifier, 0, None, &[])), Ok(Heard::Acknowledged)));
    let identifier = authenticator.send(Vec::new())[1];
    // RFC 5216's packet "with no data" may lack even the flags.
    assert!(matches!(authenticator.hear(&response(identifier, &[TYPE_TLS])), Ok(Heard::Acknowledged)));
}

#[test]
fn e17_anonymous_and_bare_identities_are_good() {
    let cases = [
        ("@Example.AC.jp", Some("example.ac.jp")),
        ("", None),
        ("taro@example.ac.jp", Some("example.ac.jp")),
        ("taro@home@example.org", Some("example.org")),
        ("taro@localhost", Some("localhost")),
        ("太郎@例え.jp", Some("例え.jp")),
        ("host/pc-1.example.ac.jp", None),
        ("EXAMPLE\\taro", None),
        ("EXAMPLE\\taro@example.ac.jp", Some("example.ac.jp")),
        ("Taro Yamada", None),
    ];
    for (text, realm) in cases {
        let identity = Identity::parse(text.as_bytes()).unwrap();
        assert_eq!((identity.text.as_str(), identity.realm.as_deref()), (text, realm));
    }
    assert!(Identity::parse(&[b'a'; 252]).is_ok());
}

#[test]
fn e17_other_identities_are_bad() {
    let cases: [(&[u8], BadIdentity); 15] = [
        (b"taro\0@example.ac.jp", BadIdentity::Text),
        (b"taro@example.ac.jp\0networkid=x", BadIdentity::Text),
        (b"taro\n@example.ac.jp", BadIdentity::Text),
        (b"\x1b[2Jtaro", BadIdentity::Text),
        (b"taro\x7f", BadIdentity::Text),
        ("taro\u{85}".as_bytes(), BadIdentity::Text),
        (b"taro\xff@example.ac.jp", BadIdentity::Text),
        (&[b'a'; 253], BadIdentity::Length),
        (&[b'a'; 1000], BadIdentity::Length),
        (b"taro@", BadIdentity::Realm),
        (b"@", BadIdentity::Realm),
        (b"taro@example..jp", BadIdentity::Realm),
        (b"taro@example.ac.jp.", BadIdentity::Realm),
        (b"taro@exam ple.jp", BadIdentity::Realm),
        (b"taro@-example.jp", BadIdentity::Realm),
    ];
    for (octets, bad) in cases {
        assert_eq!(Identity::parse(octets), Err(bad), "{}", String::from_utf8_lossy(octets));
    }
}

#[test]
fn t08_a_client_hello_one_octet_a_fragment_ends() {
    let (rounds, fault) = rounds_of(b"\x16");
    assert_eq!((rounds, fault), (SETTINGS.max_idle_rounds, Fault::TooManyRounds));
}

#[test]
fn w18_an_eap_length_that_is_not_the_packets_fails() {
    let (mut authenticator, identifier) = started(SETTINGS, None);
    let padded = [tls(identifier, 0, None, b"hello"), vec![0]].concat();
    assert_eq!(authenticator.hear(&padded).unwrap_err(), Fault::Malformed);
}

#[test]
fn keys_are_the_halves_of_the_export_and_the_session_id_begins_with_the_type() {
    let export: Vec<u8> = (0..128).collect();
    let keys = Keys::from_export(&Secret::new(export.clone()), &[1, 2, 3]).unwrap();
    assert_eq!(keys.msk.expose(), &export[..64]);
    assert_eq!(keys.session_id, [0x0d, 1, 2, 3]);
    assert!(Keys::from_export(&Secret::new(vec![0; 127]), &[]).is_none());
    assert!(Keys::from_export(&Secret::new(vec![0; 129]), &[]).is_none());
}

#[test]
fn a_peer_declines_other_methods_and_answers_a_notification() {
    let mut peer = Peer::new(SETTINGS, false);
    assert!(matches!(peer.hear(&[1, 9, 0, 6, 25, 0x20]), Ok(Told::Other(25))));
    assert_eq!(peer.nak(), [2, 9, 0, 6, TYPE_NAK, TYPE_TLS]);
    match peer.hear(&[1, 10, 0, 7, 2, b'h', b'i']) {
        Ok(Told::Reply(answer)) => assert_eq!(answer, [2, 10, 0, 5, 2]),
        other => panic!("{other:?}"),
    }
    assert!(matches!(peer.hear(&[3, 10, 0, 4]), Ok(Told::Success)));
    assert!(matches!(peer.hear(&[4, 10, 0, 4]), Ok(Told::Failure)));
    assert_eq!(peer.hear(&[2, 10, 0, 5, 1]).unwrap_err(), Fault::Malformed);
}

proptest! {
    #[test]
    fn any_message_arrives_whatever_the_fragment_size(
        message in proptest::collection::vec(any::<u8>(), 1..6000),
        size in 50_usize..1500,
        always_length: bool,
    ) {
        prop_assert_eq!(&carry_up(size, always_length, &message).0, &message);
        let (mut authenticator, _) = started(Settings { fragment_size: size, ..SETTINGS }, None);
        prop_assert_eq!(&carry_down(&mut authenticator, &message).0, &message);
    }

    #[test]
    fn no_octets_make_either_side_panic(packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20)) {
        let (mut authenticator, identifier) = started(SETTINGS, None);
        let mut peer = Peer::new(SETTINGS, true);
        for body in packets {
            // Half of them as they are, half with a header that is believed.
            let _ = (authenticator.hear(&body), peer.hear(&body));
            let framed = response(identifier, &body);
            let _ = (authenticator.hear(&framed), peer.hear(&[&[1], &framed[1..]].concat()));
        }
        prop_assert!(authenticator.held() < 20 * 80);
    }
}

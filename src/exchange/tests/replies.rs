use super::{Bench, key, parse, request};
use crate::event::Listener;
use crate::exchange::{Asker, ExchangeId, Keys, Outgoing, Received, Reply};
use crate::radius::{Attributes, Code, Type, hidden, vendor};
use crate::secret::Secret;

const PROXY_STATES: [(Type, &[u8]); 5] = [
    (Type::PROXY_STATE, b"first"),
    (Type::USER_NAME, b"a"),
    (Type::PROXY_STATE, b""),
    (Type::PROXY_STATE, &[0xff; 253]),
    (Type::PROXY_STATE, b"first"),
];

/// The attributes of a packet by type, in order.
fn kinds(outgoing: &Outgoing) -> Vec<u8> {
    parse(outgoing).attributes().map(|attribute| attribute.kind.0).collect()
}

fn answer(bench: &mut Bench, id: ExchangeId, reply: Reply) -> Outgoing {
    bench.table.answer(super::at(1), id, reply).expect("it waits")
}

fn full_reply(code: Code, eap: usize) -> Reply {
    let mut attributes = Attributes::default();
    attributes.push(Type::STATE, &[5; 32]).unwrap();
    attributes.push_vlan("120").unwrap();
    let length = u16::try_from(eap).unwrap().to_be_bytes();
    let eap = [&[1, 1, length[0], length[1]][..], &vec![0; eap - 4]].concat();
    let keys = (code == Code::ACCESS_ACCEPT).then(|| Keys { msk: Secret::new((0..64).collect::<Vec<u8>>()) });
    Reply { code, eap, attributes, keys }
}

#[test]
fn w07_message_authenticator_is_first_and_right_in_every_reply_and_proxy_state_last() {
    for code in [Code::ACCESS_ACCEPT, Code::ACCESS_REJECT, Code::ACCESS_CHALLENGE, Code::PROTOCOL_ERROR] {
        let mut bench = Bench::new();
        let id = bench.begin(0, &request(Code::ACCESS_REQUEST, 1, 1, &PROXY_STATES));
        let outgoing = answer(&mut bench, id, full_reply(code, 600));
        let keys: &[u8] = if code == Code::ACCESS_ACCEPT { &[26, 26] } else { &[] };
        assert_eq!(kinds(&outgoing), [&[80, 79, 79, 79, 24, 64, 65, 81][..], keys, &[33; 4]].concat());
        assert!(key().check_reply(&parse(&outgoing), &[1; 16]).is_ok_and(|found| found.is_some()));
        assert_eq!(parse(&outgoing).identifier(), 1);
        assert_eq!(outgoing.hop, bench.hop);
    }
}

#[test]
fn x02_proxy_state_comes_back_octet_by_octet_in_order() {
    let mut bench = Bench::new();
    let id = bench.begin(0, &request(Code::ACCESS_REQUEST, 1, 1, &PROXY_STATES));
    let outgoing = answer(&mut bench, id, full_reply(Code::ACCESS_REJECT, 4));
    let back: Vec<_> = parse(&outgoing).all(Type::PROXY_STATE).map(<[u8]>::to_vec).collect();
    assert_eq!(back, [&b"first"[..], b"", &[0xff; 253], b"first"]);
}

#[test]
fn the_asker_opens_the_keys_that_the_hop_sealed_and_no_one_else_does() {
    let mut bench = Bench::new();
    let datagram = request(Code::ACCESS_REQUEST, 1, 1, &[]);
    let id = bench.begin(0, &datagram);
    let outgoing = answer(&mut bench, id, full_reply(Code::ACCESS_ACCEPT, 4));
    let asker = Asker::new(Secret::new(super::SECRET));
    let reply = asker.reply(&datagram, &outgoing.octets).unwrap();
    assert_eq!(asker.keys(&datagram, &reply).unwrap().expose(), (0..64).collect::<Vec<u8>>());
    let send = reply.first_vendor(vendor::MICROSOFT, vendor::MS_MPPE_SEND_KEY).unwrap();
    let receive = reply.first_vendor(vendor::MICROSOFT, vendor::MS_MPPE_RECV_KEY).unwrap();
    assert_eq!((send.len(), receive.len()), (50, 50));
    assert!(send[0] & 0x80 != 0 && receive[0] & 0x80 != 0 && send[..2] != receive[..2], "salts");
    assert_eq!(
        hidden::reveal_salted(key().secret(), &[1; 16], receive).unwrap().expose(),
        (0..32).collect::<Vec<u8>>(),
        "Recv-Key is the first half"
    );
    let other = Asker::new(Secret::new("another"));
    assert_ne!(other.keys(&datagram, &reply), asker.keys(&datagram, &reply));
}

#[test]
fn an_answer_that_does_not_fit_becomes_a_bare_reject() {
    let mut bench = Bench::new();
    let id = bench.begin(0, &request(Code::ACCESS_REQUEST, 1, 1, &PROXY_STATES));
    let outgoing = answer(&mut bench, id, full_reply(Code::ACCESS_ACCEPT, 4_000));
    assert_eq!(parse(&outgoing).code(), Code::ACCESS_REJECT);
    assert_eq!(kinds(&outgoing), [80, 33, 33, 33, 33]);
    assert!(key().check_reply(&parse(&outgoing), &[1; 16]).is_ok());
}

#[test]
fn keys_of_a_wrong_length_become_a_bare_reject() {
    for length in [0, 31, 300] {
        let mut bench = Bench::new();
        let id = bench.begin(0, &request(Code::ACCESS_REQUEST, 1, 1, &[]));
        let keys = Some(Keys { msk: Secret::new(vec![1; length]) });
        let outgoing = answer(&mut bench, id, Reply { keys, ..super::reply(Code::ACCESS_ACCEPT) });
        assert_eq!(parse(&outgoing).code(), Code::ACCESS_REJECT, "{length} octets");
    }
}

#[test]
fn accounting_responses_carry_no_message_authenticator() {
    let mut bench = Bench::new();
    bench.hop.listener = Listener::Accounting;
    let datagram = request(Code::ACCOUNTING_REQUEST, 1, 1, &PROXY_STATES);
    let id = bench.begin(0, &datagram);
    let outgoing = answer(&mut bench, id, Reply { eap: Vec::new(), ..super::reply(Code::ACCOUNTING_RESPONSE) });
    assert_eq!(kinds(&outgoing), [33; 4]);
    assert!(Asker::new(Secret::new(super::SECRET)).reply(&datagram, &outgoing.octets).is_ok());
}

#[test]
fn a_password_is_opened_while_its_request_waits() {
    let mut bench = Bench::new();
    let covered = hidden::hide_password(key().secret(), &[1; 16], b"a password of two blocks").unwrap();
    let datagram = request(Code::ACCESS_REQUEST, 1, 1, &[(Type::USER_PASSWORD, &covered)]);
    let Received::Request { id, packet, .. } = bench.receive(0, &datagram) else { panic!("a new request") };
    assert_eq!(bench.table.password(id, &packet).unwrap().expose(), b"a password of two blocks");
    bench.table.abandon(id);
    assert_eq!(bench.table.password(id, &packet), None);
}

#[test]
fn o02_debug_shows_no_octets_of_packets() {
    let mut bench = Bench::new();
    let id = bench.begin(0, &request(Code::ACCESS_REQUEST, 1, 1, &PROXY_STATES));
    let outgoing = answer(&mut bench, id, full_reply(Code::ACCESS_ACCEPT, 4));
    assert_eq!(format!("{outgoing:?}"), format!("Outgoing({} octets to 192.0.2.1:5000)", outgoing.octets.len()));
    assert!(!format!("{:?}", bench.table).contains('['));
}

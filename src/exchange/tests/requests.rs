//! What we ask: identifiers, repeats, replies.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::SECRET;
use crate::exchange::{Asker, BadReply, Due, NotAsked, Repeats, Requests};
use crate::now::Mono;
use crate::radius::{Attributes, Code, Key, MAX_PACKET, Packet, Type, Writer};
use crate::secret::Secret;

const NOW: Mono = Mono(Duration::from_secs(1_000));

fn asker() -> Arc<Asker> {
    Arc::new(Asker::new(Secret::new(SECRET)))
}

fn nas(last: u8) -> SocketAddr {
    format!("192.0.2.{last}:3799").parse().unwrap()
}

fn user(name: &str) -> Attributes {
    let mut attributes = Attributes::default();
    attributes.push(Type::USER_NAME, name.as_bytes()).unwrap();
    attributes
}

fn requests() -> Requests {
    Requests::new(Repeats::STANDARD)
}

/// The answer of somebody who knows the secret.
fn answer(request: &[u8], code: Code, secret: &str) -> Vec<u8> {
    let request = Packet::parse(request).unwrap();
    let mut octets = Vec::new();
    let writer = Writer::without_message_authenticator(&mut octets, code, request.identifier());
    writer.finish(&Key::new(Secret::new(secret)), request.authenticator()).unwrap();
    octets
}

#[test]
fn a_request_carries_message_authenticator_and_a_digest_over_zeros() {
    for code in [Code::DISCONNECT_REQUEST, Code::COA_REQUEST] {
        let (_, datagram) = requests().ask(NOW, nas(1), &asker(), code, &user("a")).unwrap();
        let packet = Packet::parse(&datagram.octets).unwrap();
        assert_eq!(packet.attributes().map(|one| one.kind.0).collect::<Vec<_>>(), [80, 1]);
        assert!(matches!(Key::new(Secret::new(SECRET)).check_request(&packet), Ok(Some(_))));
        assert!(Key::new(Secret::new("another secret")).check_request(&packet).is_err());
    }
}

#[test]
fn the_right_answer_ends_it_and_nothing_else_does() {
    let mut requests = requests();
    let (id, datagram) = requests.ask(NOW, nas(1), &asker(), Code::DISCONNECT_REQUEST, &user("a")).unwrap();
    let ack = answer(&datagram.octets, Code::DISCONNECT_ACK, SECRET);
    let elsewhere = requests.reply(nas(2), &ack).map(|_| ());
    let other_port = requests.reply("192.0.2.1:3800".parse().unwrap(), &ack).map(|_| ());
    assert_eq!((elsewhere, other_port), (Err(BadReply::NotOurs), Err(BadReply::NotOurs)));
    let forged = answer(&datagram.octets, Code::DISCONNECT_ACK, "a guess");
    assert_eq!(requests.reply(nas(1), &forged).map(|_| ()), Err(BadReply::BadAuthenticator));
    let of_coa = answer(&datagram.octets, Code::COA_ACK, SECRET);
    assert_eq!(requests.reply(nas(1), &of_coa).map(|_| ()), Err(BadReply::NotOurs));
    assert_eq!(requests.reply(nas(1), b"x").map(|_| ()), Err(BadReply::Malformed));
    assert_eq!(requests.len(), 1);
    let mapped = "[::ffff:192.0.2.1]:3799".parse().unwrap();
    assert_eq!(requests.reply(mapped, &ack).map(|(id, packet)| (id, packet.code())), Ok((id, Code::DISCONNECT_ACK)));
    assert_eq!(requests.reply(nas(1), &ack).map(|_| ()), Err(BadReply::NotOurs), "once");
    assert!(requests.is_empty() && requests.poll_timeout().is_none());
}

#[test]
fn it_is_sent_again_with_the_same_octets_after_2_4_8_and_16_seconds_and_given_up_at_30() {
    let mut requests = requests();
    let (id, first) = requests.ask(NOW, nas(1), &asker(), Code::DISCONNECT_REQUEST, &user("a")).unwrap();
    let mut sent = Vec::new();
    let gave_up = loop {
        let due = requests.poll_timeout().unwrap();
        assert!(requests.handle_timeout(Mono(due.0 - Duration::from_millis(1))).is_none());
        match requests.handle_timeout(due).unwrap() {
            Due::Again(datagram) => {
                assert_eq!((&datagram.octets, datagram.to), (&first.octets, nas(1)));
                sent.push(due.since(NOW).as_secs_f64());
            }
            Due::Unanswered(other) => {
                assert_eq!(other, id);
                break due.since(NOW);
            }
        }
    };
    // The last pause ends before or after that, by chance.
    assert!((3..=4).contains(&sent.len()), "{sent:?}");
    for (at, right) in sent.iter().zip([2.0, 6.0, 14.0, 30.0]) {
        // A tenth of each pause, of which the next is made.
        assert!((at - right).abs() <= right * 0.25, "{sent:?}");
    }
    assert_eq!((gave_up, requests.len()), (Duration::from_secs(30), 0));
}

#[test]
fn each_destination_has_256_identifiers_and_one_that_is_free_is_used_again_last() {
    let mut requests = requests();
    let ask = |requests: &mut Requests, to| requests.ask(NOW, to, &asker(), Code::DISCONNECT_REQUEST, &user("a"));
    let sent: Vec<_> = (0..256).map(|_| ask(&mut requests, nas(1)).unwrap().1.octets).collect();
    let mut identifiers: Vec<u8> = sent.iter().map(|octets| octets[1]).collect();
    identifiers.sort_unstable();
    assert_eq!(identifiers, (0..=255).collect::<Vec<u8>>());
    assert_eq!(ask(&mut requests, nas(1)).map(|_| ()), Err(NotAsked::Full));
    assert!(ask(&mut requests, nas(2)).is_ok());
    requests.reply(nas(1), &answer(&sent[7], Code::DISCONNECT_NAK, SECRET)).unwrap();
    assert_eq!(ask(&mut requests, nas(1)).unwrap().1.octets[1], 7);

    let (_, one) = ask(&mut requests, nas(3)).unwrap();
    requests.reply(nas(3), &answer(&one.octets, Code::DISCONNECT_ACK, SECRET)).unwrap();
    assert_ne!(ask(&mut requests, nas(3)).unwrap().1.octets[1], one.octets[1]);
}

#[test]
fn what_does_not_fit_is_not_asked_and_takes_no_identifier() {
    let mut requests = requests();
    let mut attributes = Attributes::default();
    for _ in 0..MAX_PACKET / 255 + 1 {
        attributes.push(Type::USER_NAME, &[b'a'; 253]).unwrap();
    }
    let asked = requests.ask(NOW, nas(1), &asker(), Code::DISCONNECT_REQUEST, &attributes);
    assert_eq!(asked.map(|_| ()), Err(NotAsked::TooLong));
    assert!(requests.is_empty() && requests.poll_timeout().is_none());
}

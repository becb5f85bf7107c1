//! EAP framing, both sides: what a stranger says to each, and what one says to the other.

use sekisho::eap::{Authenticator, Heard, Peer, Settings, Told};

use super::input::Input;

const MAX_PACKETS: usize = 200;
const MAX_MESSAGE: usize = 2_048;

// What the first octet of a record asks for.
const RIGHT_IDENTIFIER: u8 = 0x01;
const RIGHT_LENGTH: u8 = 0x02;
const RIGHT_CODE: u8 = 0x04;
const LONG_ANSWER: u8 = 0x08;

/// The first octet is the fragment size, the second chooses a Framed-MTU; then packets, each a record of one octet of flags, two of length and its octets.
pub fn run(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let (Some(size), Some(mtu)) = (input.octet(), input.octet()) else { return false };
    let settings = Settings { fragment_size: size.into(), max_message: MAX_MESSAGE, max_idle_rounds: 50 };
    peer_hears(settings, input);
    one_hears_the_other(settings, data);
    authenticator_hears(Authenticator::new(settings, Some(u32::from(mtu) * 8)), input)
}

fn authenticator_hears(mut authenticator: Authenticator, mut input: Input<'_>) -> bool {
    let mut asked = Vec::new();
    let mut reached = false;
    for _ in 0..MAX_PACKETS {
        let (Some(flags), Some(octets)) = (input.octet(), input.record()) else { break };
        let flight = if flags & LONG_ANSWER == 0 { 0 } else { octets.len() };
        asked = match authenticator.hear(&mended(octets, flags, 2, &asked)) {
            Ok(Heard::Identity(_)) => authenticator.start(),
            Ok(Heard::Nak(methods)) => {
                assert!(!methods.contains(&0));
                break;
            }
            Ok(Heard::Message(message)) => {
                assert!((1..=MAX_MESSAGE).contains(&message.len()));
                reached = true;
                authenticator.send(vec![7; flight])
            }
            Ok(Heard::Acknowledged) => authenticator.send(vec![7; flight]),
            Ok(Heard::Reply(reply)) => reply,
            Ok(Heard::Discard) => asked,
            Err(_) => break,
        };
        assert!(authenticator.held() <= 2 * MAX_MESSAGE + 2 * usize::from(u16::MAX), "{}", authenticator.held());
    }
    assert_eq!((authenticator.success().len(), authenticator.failure().len()), (4, 4));
    reached
}

fn peer_hears(settings: Settings, mut input: Input<'_>) {
    let mut peer = Peer::new(settings, true);
    for _ in 0..MAX_PACKETS {
        let (Some(flags), Some(octets)) = (input.octet(), input.record()) else { break };
        match peer.hear(&mended(octets, flags, 1, &[])) {
            Ok(Told::Message(message)) => {
                assert!(message.len() <= MAX_MESSAGE);
                peer.send(if flags & LONG_ANSWER == 0 { Vec::new() } else { octets.to_vec() });
            }
            Ok(Told::Start) => drop(peer.send(octets.to_vec())),
            Ok(Told::Identity) => drop(peer.identity("@campus.example")),
            Ok(Told::Other(_)) => drop(peer.nak()),
            Ok(Told::Reply(_) | Told::Success | Told::Failure) => {}
            Err(_) => break,
        }
    }
}

/// A packet with those fields of its header made right that the flags name.
fn mended(octets: &[u8], flags: u8, code: u8, asked: &[u8]) -> Vec<u8> {
    let mut packet = octets.to_vec();
    let length = u16::try_from(packet.len()).unwrap_or(u16::MAX).to_be_bytes();
    if let Some([of_code, identifier, of_length @ ..]) = packet.first_chunk_mut::<4>() {
        if flags & RIGHT_CODE != 0 {
            *of_code = code;
        }
        if flags & RIGHT_IDENTIFIER != 0 {
            *identifier = asked.get(1).copied().unwrap_or(*identifier);
        }
        if flags & RIGHT_LENGTH != 0 {
            *of_length = length;
        }
    }
    packet
}

/// What either side sends comes whole to the other, in fragments of any size.
fn one_hears_the_other(settings: Settings, message: &[u8]) {
    let message = message.get(..MAX_MESSAGE).unwrap_or(message).to_vec();
    let settings = Settings { fragment_size: settings.fragment_size.max(16), ..settings };
    let mut authenticator = Authenticator::new(settings, None);
    let mut peer = Peer::new(settings, false);
    let identity = peer.hear(&authenticator.ask_identity()).map(|_| peer.identity("@campus.example"));
    let identity = authenticator.hear(&identity.expect("a request"));
    assert!(matches!(identity, Ok(Heard::Identity(Ok(_)))), "{identity:?}");
    assert!(matches!(peer.hear(&authenticator.start()), Ok(Told::Start)));
    let heard = from_peer(&mut peer, &mut authenticator, message.clone());
    assert_eq!(heard, message);
    let told = from_authenticator(&mut peer, &mut authenticator, message.clone());
    assert_eq!(told, message);
}

fn from_peer(peer: &mut Peer, authenticator: &mut Authenticator, message: Vec<u8>) -> Vec<u8> {
    let mut response = peer.send(message);
    loop {
        match authenticator.hear(&response) {
            Ok(Heard::Message(message)) => return message,
            Ok(Heard::Acknowledged) => return Vec::new(),
            Ok(Heard::Reply(request)) => match peer.hear(&request) {
                Ok(Told::Reply(next)) => response = next,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
}

fn from_authenticator(peer: &mut Peer, authenticator: &mut Authenticator, message: Vec<u8>) -> Vec<u8> {
    let mut request = authenticator.send(message);
    loop {
        match peer.hear(&request) {
            Ok(Told::Message(message)) => return message,
            Ok(Told::Reply(response)) => match authenticator.hear(&response) {
                Ok(Heard::Reply(next)) => request = next,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
}

//! The view of a packet: every reader, and what is read can be written again.

use sekisho::radius::{Key, Packet, Type, Writer, hidden, vendor};
use sekisho::secret::Secret;

use super::campus::SECRET;

/// Reads a datagram.
pub fn run(data: &[u8]) -> bool {
    let Ok(packet) = Packet::parse(data) else { return false };
    assert!(data.starts_with(packet.octets()));
    read_attributes(&packet);
    read_hidden(&packet);
    join(&packet);
    let key = Key::new(Secret::new(SECRET));
    let _ = key.check_request(&packet);
    let _ = key.check_reply(&packet, &[7; 16]);
    write_again(&packet, &key);
    packet.attributes().next().is_some()
}

fn read_attributes(packet: &Packet<'_>) {
    let mut octets = 20;
    for attribute in packet.attributes() {
        octets += 2 + attribute.value.len();
        assert!(packet.first(attribute.kind).is_some());
        let _ = (packet.text(attribute.kind), packet.integer(attribute.kind));
        if let Some((number, [kind, ..])) = attribute.value.split_first_chunk() {
            let all = packet.all_vendor(u32::from_be_bytes(*number), *kind);
            assert!(all.map(<[u8]>::len).sum::<usize>() <= packet.octets().len());
        }
    }
    assert_eq!(octets, packet.octets().len(), "attributes fill the packet");
    let _ = packet.first_vendor(vendor::MICROSOFT, vendor::MS_MPPE_SEND_KEY);
}

/// What is uncovered can be covered again, and then uncovers to the same.
fn read_hidden(packet: &Packet<'_>) {
    let secret = Secret::new(SECRET);
    let authenticator = packet.authenticator();
    for attribute in packet.attributes() {
        if let Some(password) = hidden::reveal_password(&secret, authenticator, attribute.value) {
            let covered = hidden::hide_password(&secret, authenticator, password.expose()).expect("it fitted");
            let again = hidden::reveal_password(&secret, authenticator, &covered).expect("whole blocks");
            assert_eq!(again.expose(), password.expose());
        }
        if let Some(value) = hidden::reveal_salted(&secret, authenticator, attribute.value) {
            let covered = hidden::hide_salted(&secret, authenticator, [0x80, 1], value.expose()).expect("it fitted");
            let again = hidden::reveal_salted(&secret, authenticator, &covered).expect("whole blocks");
            assert_eq!(again.expose(), value.expose());
        }
    }
}

fn join(packet: &Packet<'_>) {
    let mut eap = vec![1];
    let parts: Vec<u8> = packet.all(Type::EAP_MESSAGE).flatten().copied().collect();
    match packet.join_eap(&mut eap) {
        Ok(there_is_one) => {
            assert_eq!(eap, parts);
            assert_eq!(there_is_one, packet.first(Type::EAP_MESSAGE).is_some());
        }
        Err(_) => assert!(packet.first(Type::EAP_MESSAGE).is_some()),
    }
}

fn write_again(packet: &Packet<'_>, key: &Key) {
    let mut octets = Vec::new();
    let mut writer = Writer::without_message_authenticator(&mut octets, packet.code(), packet.identifier());
    for attribute in packet.attributes() {
        writer.push(attribute.kind, attribute.value).expect("it fitted");
    }
    writer.finish(key, packet.authenticator()).expect("it fitted");
    let again = Packet::parse(&octets).expect("a packet of ours");
    assert!(again.attributes().eq(packet.attributes()));
    assert_eq!((again.code(), again.identifier()), (packet.code(), packet.identifier()));
}

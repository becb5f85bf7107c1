//! Texts: lines of an administrator's files, and identities.

use sekisho::eap::Identity;
use sekisho::radius::Key;
use sekisho::radius::{Attributes, Code, Packet, Writer, dictionary};
use sekisho::secret::Secret;
use sekisho::standing::Standing;
use sekisho::tls;

use super::campus::SECRET;

/// Reads octets as an identity and as files of ticket keys, users and attributes.
pub fn run(data: &[u8]) -> bool {
    let identity = Identity::parse(data);
    let Ok(text) = std::str::from_utf8(data) else {
        assert!(identity.is_err());
        return false;
    };
    let _ = tls::ticket_keys(text);
    let standing = Standing::new(&[("group".into(), text.to_owned())]);
    let mut taken = false;
    for line in text.lines() {
        assert!(standing.groups_of(line).len() <= 1);
        taken |= attribute(line);
    }
    taken
}

/// What is taken stands on the wire as an attribute.
fn attribute(line: &str) -> bool {
    let mut attributes = Attributes::default();
    let taken = dictionary::push(line, &mut attributes).is_ok();
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets, Code::ACCESS_ACCEPT, 0);
    writer.extend(&attributes);
    writer.finish(&Key::new(Secret::new(SECRET)), &[0; 16]).expect("one attribute fits");
    let count = Packet::parse(&octets).expect("a packet of ours").attributes().count();
    assert_eq!(count, 1 + usize::from(taken));
    if let Some((name, value)) = line.split_once('=') {
        let number = dictionary::value(name, value);
        let _ = number.map(|number| dictionary::value_name(name, number));
    }
    taken
}

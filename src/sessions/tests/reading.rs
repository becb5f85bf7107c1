use super::*;
use crate::radius::{Code, Key, Malformed, Packet, Type, Writer};
use crate::secret::Secret;
use crate::sessions::SLACK;

fn packet(attributes: &[(Type, &[u8])]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::without_message_authenticator(&mut octets, Code::ACCOUNTING_REQUEST, 1);
    for (kind, value) in attributes {
        writer.push(*kind, value).expect("it fits");
    }
    writer.finish(&Key::new(Secret::new(*b"secret")), &[0; 16]).expect("it fits");
    octets
}

fn read(attributes: &[(Type, &[u8])]) -> Result<Record, Malformed> {
    read_at(Wall(1_000_000), attributes)
}

fn read_at(now: Wall, attributes: &[(Type, &[u8])]) -> Result<Record, Malformed> {
    let octets = packet(attributes);
    let open = |class: &[u8], station: &[u8]| (class == b"ours" && station == b"02-AB-00-00-00-01").then_some([7; 32]);
    let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    Record::read(&Packet::parse(&octets).expect("a packet"), &"ap".into(), peer, now, open)
}

const START: (Type, &[u8]) = (Type::ACCT_STATUS_TYPE, &[0, 0, 0, 1]);
const INTERIM: (Type, &[u8]) = (Type::ACCT_STATUS_TYPE, &[0, 0, 0, 3]);
const ID: (Type, &[u8]) = (Type::ACCT_SESSION_ID, b"5A");

#[test]
fn a_record_says_all_that_a_packet_says() {
    let record = read(&[
        INTERIM,
        ID,
        (Type::ACCT_MULTI_SESSION_ID, b"5A-1"),
        (Type::CLASS, b"another's"),
        (Type::CLASS, b"ours"),
        (Type::CALLING_STATION_ID, b"02-AB-00-00-00-01"),
        (Type::CALLED_STATION_ID, b"0200.0000.0001:JAIST"),
        (Type::USER_NAME, b"hanako"),
        (Type::NAS_IDENTIFIER, b"ap-7"),
        (Type::NAS_IP_ADDRESS, &[192, 0, 2, 7]),
        (Type::NAS_PORT, &[0, 0, 0, 9]),
        (Type::FRAMED_IP_ADDRESS, &[198, 51, 100, 1]),
        (Type::FRAMED_IPV6_PREFIX, &[0, 128, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        (Type::ACCT_INPUT_OCTETS, &[0, 0, 0, 5]),
        (Type::ACCT_INPUT_GIGAWORDS, &[0, 0, 0, 2]),
        (Type::ACCT_OUTPUT_OCTETS, &[0xff; 4]),
        (Type::ACCT_SESSION_TIME, &[0, 0, 1, 0]),
        (Type::ACCT_TERMINATE_CAUSE, &[0, 0, 0, 1]),
        (Type::ACCT_DELAY_TIME, &[0, 0, 0, 30]),
        (Type::EVENT_TIMESTAMP, &[0, 15, 0, 0]),
    ])
    .expect("a record");
    assert_eq!((record.status, record.certificate), (Status::Interim, Some([7; 32])));
    assert_eq!(record.marks.station.as_deref(), Some("02:ab:00:00:00:01"));
    assert_eq!((record.octets_in, record.octets_out), (Some((2 << 32) + 5), Some(0xffff_ffff)));
    assert_eq!((record.session_time, record.terminate_cause, record.nas_port), (Some(256), Some(1), Some(9)));
    assert_eq!((record.happened, record.stamp), (Wall(1_000_000 - 30), Some(Wall(15 << 16))));
    assert_eq!(record.framed_ip, Some(Ipv4Addr::new(198, 51, 100, 1)));
    assert_eq!(record.framed_ipv6, Some("2001:db8::1".parse().expect("an address")));
    assert_eq!(record.user_name.as_deref(), Some("hanako"));
    assert_eq!(record.marks.multi_session.as_deref(), Some("5A-1"));
    let device = Device {
        nas: "ap".into(),
        peer: "192.0.2.1".parse().expect("an address"),
        identifier: Some("ap-7".into()),
        address: Some("192.0.2.7".parse().expect("an address")),
    };
    assert_eq!(record.device, device);
}

#[test]
fn what_does_not_say_what_happened_to_which_session_is_malformed() {
    for attributes in [
        &[][..],
        &[ID],
        &[START],
        &[START, (Type::ACCT_SESSION_ID, b"")],
        &[(Type::ACCT_STATUS_TYPE, &[1]), ID],
        &[(Type::ACCT_STATUS_TYPE, &[0; 5]), ID],
    ] {
        assert_eq!(read(attributes), Err(Malformed::Attribute), "{attributes:?}");
    }
    // A NAS that restarts speaks of no session.
    for status in [7, 8] {
        assert!(read(&[(Type::ACCT_STATUS_TYPE, &[0, 0, 0, status])]).is_ok());
    }
}

#[test]
fn what_has_a_wrong_length_is_as_if_it_were_not_there() {
    let bad: [(Type, &[u8]); 6] = [
        (Type::ACCT_INPUT_OCTETS, &[1]),
        (Type::ACCT_OUTPUT_GIGAWORDS, &[1; 8]),
        (Type::ACCT_DELAY_TIME, &[]),
        (Type::FRAMED_IP_ADDRESS, &[1; 5]),
        (Type::FRAMED_IPV6_PREFIX, &[0, 128, 1]),
        (Type::NAS_IPV6_ADDRESS, &[1; 15]),
    ];
    let plain = read(&[START, ID]).expect("a record");
    assert_eq!(read(&[&[START, ID][..], &bad].concat()), Ok(plain));
}

#[test]
fn any_delay_and_any_moment_is_a_time() {
    let delay = (Type::ACCT_DELAY_TIME, &[0xff; 4][..]);
    assert_eq!(read_at(Wall(0), &[START, ID, delay]).expect("a record").happened, Wall(-i64::from(u32::MAX)));
    assert_eq!(read_at(Wall(i64::MIN), &[START, ID, delay]).expect("a record").happened, Wall(i64::MIN));
}

#[test]
fn a_retry_with_a_new_delay_is_the_same_record() {
    let delay = |seconds: u8, at: i64| {
        let delay = [0, 0, 0, seconds];
        let attributes: [(Type, &[u8]); 3] = [START, ID, (Type::ACCT_DELAY_TIME, &delay)];
        read_at(Wall(1_000 + at), &attributes).expect("a record").key()
    };
    assert_eq!(delay(0, 0), delay(5, 5));
    let late = delay(5, 6);
    assert!(late.at.0 - delay(0, 0).at.0 <= i64::try_from(SLACK.as_secs()).expect("small"));
    // The NAS says when it happened: whenever it comes, it is that.
    let stamp: [(Type, &[u8]); 3] = [START, ID, (Type::EVENT_TIMESTAMP, &[0, 1, 0, 0])];
    let key = |at| read_at(Wall(at), &stamp).expect("a record").key();
    assert_eq!((key(5), key(5).slack), (key(5_000), Duration::ZERO));
}

#[test]
fn two_interim_updates_differ_by_their_counters_and_two_starts_do_not() {
    let key = |status, octets: u8| {
        let octets = [0, 0, 0, octets];
        let attributes: [(Type, &[u8]); 3] = [status, ID, (Type::ACCT_INPUT_OCTETS, &octets)];
        read(&attributes).expect("a record").key()
    };
    assert_ne!(key(INTERIM, 1), key(INTERIM, 2));
    assert_eq!(key(START, 1), key(START, 2));
    assert_ne!(key(START, 1), key(INTERIM, 1));
}

#[test]
fn two_names_that_are_no_text_are_two() {
    let name = |octet| {
        let name = [0xff, octet];
        let attributes: [(Type, &[u8]); 2] = [START, (Type::ACCT_SESSION_ID, &name)];
        read(&attributes).expect("a record").marks.acct_session
    };
    assert_eq!(name(0xfe).as_deref(), Some("0xfffe"));
    assert_ne!(name(0xfe), name(0xfd));
}

use std::collections::HashSet;

use proptest::prelude::*;

use crate::radius::dictionary::{push, value, value_name};
use crate::radius::{Attributes, Packet};

fn octets(text: &str) -> Vec<u8> {
    let mut attributes = Attributes::default();
    push(text, &mut attributes).unwrap_or_else(|sentence| panic!("{text}: {sentence}"));
    attributes.octets().to_vec()
}

fn refusal(text: &str) -> String {
    let mut attributes = Attributes::default();
    let sentence = push(text, &mut attributes).expect_err("must be refused");
    assert!(attributes.octets().is_empty());
    sentence
}

#[test]
fn each_form_is_written_as_its_rfc_says() {
    assert_eq!(octets("Filter-Id=staff"), b"\x0b\x07staff");
    assert_eq!(octets("Service-Type=Framed-User"), [6, 6, 0, 0, 0, 2]);
    assert_eq!(octets("Idle-Timeout=0x10"), [28, 6, 0, 0, 0, 16]);
    assert_eq!(octets("Framed-IP-Address=192.0.2.1"), [8, 6, 192, 0, 2, 1]);
    assert_eq!(octets("Class=OU=members"), b"\x19\x0cOU=members");
    assert_eq!(octets("Class=0x00fF"), [25, 4, 0, 255]);
    assert_eq!(octets("Delegated-IPv6-Prefix=2001:db8:1:2:3::/48"), [123, 10, 0, 48, 0x20, 1, 0x0d, 0xb8, 0, 1]);
    assert_eq!(octets("Framed-IPv6-Prefix=::/0"), [97, 4, 0, 0]);
    assert_eq!(octets("Framed-Interface-Id=1:2:3:4"), [96, 10, 0, 1, 0, 2, 0, 3, 0, 4]);
    assert_eq!(octets("Framed-IPv6-Address=::1")[..3], [168, 18, 0]);
    assert_eq!(octets("Tunnel-Type:1=VLAN"), [64, 6, 1, 0, 0, 13]);
    assert_eq!(octets("Tunnel-Private-Group-ID:1=120"), [81, 6, 1, b'1', b'2', b'0']);
    assert_eq!(octets("Tunnel-Private-Group-ID=120"), [81, 5, b'1', b'2', b'0']);
    assert_eq!(octets("Aruba-User-Role=member"), b"\x1a\x0e\x00\x00\x39\xe7\x01\x08member");
    assert_eq!(octets("Aruba-User-Vlan=120"), [26, 12, 0, 0, 0x39, 0xe7, 2, 6, 0, 0, 0, 120]);
    assert_eq!(octets("Cisco-AVPair=shell:priv-lvl=15"), b"\x1a\x19\x00\x00\x00\x09\x01\x13shell:priv-lvl=15");
    assert_eq!(octets("ASA-Group-Policy=staff"), b"\x1a\x0d\x00\x00\x0c\x04\x19\x07staff");
}

#[test]
fn a_vendor_without_names_is_written_by_numbers() {
    assert_eq!(octets("Attr-26.40808.1=0x00000078"), [26, 12, 0, 0, 0x9f, 0x68, 1, 6, 0, 0, 0, 120]);
    assert_eq!(octets("Attr-26.14823.1=member"), octets("Aruba-User-Role=member"));
    assert!(refusal("Attr-26.311.17=0x00").contains("can't be set here"));
    for wrong in [
        "Attr-26.0.1=x",
        "Attr-26.9=x",
        "Attr-26.9.256=x",
        "Attr-26.9.1.1=x",
        "Attr-26.4294967296.1=x",
        "Attr-80.1.1=x",
    ] {
        assert!(refusal(wrong).starts_with("no attribute is called"), "{wrong}");
    }
}

#[test]
fn case_and_space_around_names_do_not_matter() {
    assert_eq!(octets(" filter-id = staff "), octets("Filter-Id=staff"));
    assert_eq!(octets("service-type=framed-user"), octets("Service-Type=2"));
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    assert_eq!(refusal("Aruba-User-Rol=x"), "no attribute is called \"Aruba-User-Rol\"; did you mean Aruba-User-Role?");
    assert_eq!(
        refusal("Service-Type=Framed-Usr"),
        "Service-Type is \"Framed-Usr\"; it must be a number from 0 to 4294967295 or the name of a value; did you mean Framed-User?"
    );
    assert_eq!(refusal("Zebra=x"), "no attribute is called \"Zebra\"");
    assert!(refusal(&format!("{}=x", "A".repeat(100_000))).starts_with("no attribute is called"));
}

#[test]
fn values_of_the_wrong_form_are_refused_in_words() {
    for (text, words) in [
        ("Filter-Id", "is not of the form Name=value"),
        ("Filter-Id=", "Filter-Id has no value"),
        ("Filter-Id:1=x", "Filter-Id takes no tag"),
        ("Tunnel-Type:32=VLAN", "it must be a number from 0 to 31"),
        ("Tunnel-Type:x=VLAN", "it must be a number from 0 to 31"),
        ("Tunnel-Preference=16777216", "must be below 16777216"),
        ("Idle-Timeout=-1", "must be a number"),
        ("Idle-Timeout=+1", "must be a number"),
        ("Idle-Timeout=4294967296", "must be a number"),
        ("Framed-IP-Address=1.2.3", "must be an IPv4 address"),
        ("Framed-IPv6-Address=1.2.3.4", "must be an IPv6 address"),
        ("Framed-IPv6-Prefix=::/129", "must be an IPv6 prefix"),
        ("Framed-IPv6-Prefix=::", "must be an IPv6 prefix"),
        ("Framed-Interface-Id=1:2:3", "must be an interface identifier"),
        ("Class=0x0", "even number of hexadecimal digits"),
        ("Class=0x0g", "even number of hexadecimal digits"),
        ("Class=0x", "even number of hexadecimal digits"),
    ] {
        let sentence = refusal(text);
        assert!(sentence.contains(words), "{text}: {sentence}");
    }
    assert_eq!(refusal(&format!("Filter-Id={}", "x".repeat(254))), "Filter-Id is longer than 253 octets");
    assert_eq!(refusal(&format!("Cisco-AVPair={}", "x".repeat(248))), "Cisco-AVPair is longer than 247 octets");
}

#[test]
fn what_a_reply_must_not_take_from_the_configuration_is_refused() {
    for name in [
        "User-Name",
        "User-Password",
        "CHAP-Password",
        "CHAP-Challenge",
        "State",
        "Proxy-State",
        "EAP-Message",
        "Message-Authenticator",
        "MS-MPPE-Send-Key",
        "MS-MPPE-Recv-Key",
        "MS-CHAP-MPPE-Keys",
        "MS-MPPE-Encryption-Policy",
        "Tunnel-Password",
        "Vendor-Specific",
        "Session-Timeout",
        "Termination-Action",
        "EAP-Key-Name",
        "Chargeable-User-Identity",
        "NAS-IP-Address",
        "Called-Station-Id",
        "Calling-Station-Id",
        "Acct-Session-Id",
        "Acct-Status-Type",
        "NAS-Port-Type",
        "WLAN-Group-Cipher",
    ] {
        let sentence = refusal(&format!("{name}=1"));
        assert!(sentence.starts_with(&format!("{name} can't be set here: ")), "{sentence}");
    }
    assert!(!octets("Acct-Interim-Interval=600").is_empty());
}

#[test]
fn values_have_numbers_and_numbers_names() {
    assert_eq!(value("NAS-Port-Type", "Virtual"), Ok(5));
    assert_eq!(value("nas-port-type", "wireless-802.11"), Ok(19));
    assert_eq!(value("NAS-Port-Type", "15"), Ok(15));
    assert_eq!(value("NAS-Port-Type", "0x13"), Ok(19));
    assert!(value("NAS-Port-Type", "Wireless-802.1").unwrap_err().ends_with("did you mean Wireless-802.11?"));
    assert_eq!(value("Filter-Id", "x"), Err("the values of Filter-Id have no numbers".to_owned()));
    assert!(value("NAS-Port-Typ", "x").unwrap_err().ends_with("did you mean NAS-Port-Type?"));
    assert_eq!(value_name("NAS-Port-Type", 19), Some("Wireless-802.11"));
    assert_eq!(value_name("NAS-Port-Type", 999), None);
}

#[test]
fn the_table_names_nothing_twice_and_each_list_of_values_is_of_an_integer() {
    let mut names = HashSet::new();
    for known in super::super::dictionary::names() {
        assert!(names.insert(known.to_ascii_lowercase()), "{known} stands there twice");
    }
    for attribute in super::super::dictionary::names_with_values() {
        assert!(value(attribute, "0").is_ok(), "{attribute} isn't an integer of the table");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_what_it_takes_is_well_formed(name in "[A-Z][a-zA-Z0-9-]{0,20}|Class|Tunnel-Type(:[0-9]{1,3})?|Framed-IPv6-Prefix|Framed-Interface-Id|Service-Type|Cisco-AVPair", text in "(0x)?.{0,300}") {
        let mut attributes = Attributes::default();
        if push(&format!("{name}={text}"), &mut attributes).is_ok() {
            let octets = super::packet(2, attributes.octets());
            prop_assert_eq!(Packet::parse(&octets).map(|read| read.attributes().count()), Ok(1));
        }
    }
}

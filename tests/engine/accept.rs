//! What an Accept tells the NAS.

use std::time::Duration;

use sekisho::event::TlsVersion;
use sekisho::policy::ReplyUsername;
use sekisho::radius::{Packet, Type};
use sekisho::supplicant::{Report, Station};

use crate::hand::Walk;
use crate::pki::pki;
use crate::world::{OTHER_NAS, OTHER_NAS_VLAN, World, station, supplicant};

const VERSIONS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

fn accepted(world: &mut World, place: Station) -> Report {
    let report = world.log_in(&supplicant(&pki().member_p256, None), &place, false);
    assert!(report.logged_in, "{report:?}");
    report
}

fn value(report: &Report, kind: Type) -> Option<Vec<u8>> {
    Packet::parse(&report.reply).expect("a packet").first(kind).map(<[u8]>::to_vec)
}

#[test]
fn the_user_is_the_certificates_unless_the_service_wants_the_outer_identity() {
    let mut world = World::new();
    assert_eq!(
        value(&accepted(&mut world, station("JAIST", 1)), Type::USER_NAME).as_deref(),
        Some(&b"taro@jaist.ac.jp"[..])
    );
    world.reload(|options| options.reply_username = ReplyUsername::Outer);
    assert_eq!(
        value(&accepted(&mut world, station("JAIST", 1)), Type::USER_NAME).as_deref(),
        Some(&b"@jaist.ac.jp"[..])
    );
}

#[test]
fn vlan_integers_have_three_octets_after_the_tag() {
    let report = accepted(&mut World::new(), station("JAIST", 1));
    assert_eq!(value(&report, Type::TUNNEL_TYPE).as_deref(), Some(&[0, 0, 0, 13][..]));
    assert_eq!(value(&report, Type::TUNNEL_MEDIUM_TYPE).as_deref(), Some(&[0, 0, 0, 6][..]));
    assert_eq!(value(&report, Type::TUNNEL_PRIVATE_GROUP_ID).as_deref(), Some(&b"120"[..]));
    assert_eq!(value(&report, Type::FILTER_ID), None);
}

#[test]
fn filter_and_session_timeout_are_the_services_and_the_nas_asks_again_at_its_end() {
    let mut world = World::new();
    world.reload(|options| {
        options.filter_id = Some("members");
        options.session_timeout = Some(Duration::from_secs(3_600));
    });
    let report = accepted(&mut world, station("JAIST", 1));
    assert_eq!(value(&report, Type::FILTER_ID).as_deref(), Some(&b"members"[..]));
    assert_eq!(value(&report, Type::SESSION_TIMEOUT), Some(3_600_u32.to_be_bytes().to_vec()));
    assert_eq!(value(&report, Type::TERMINATION_ACTION), Some(1_u32.to_be_bytes().to_vec()));
}

#[test]
fn class_goes_to_the_nas_that_may_have_it_and_opens_for_it_and_the_station_alone() {
    let mut world = World::new();
    let first = value(&accepted(&mut world, station("JAIST", 1)), Type::CLASS).expect("Class");
    let second = value(&accepted(&mut world, station("JAIST", 1)), Type::CLASS).expect("Class");
    assert_ne!(first, second, "sealed anew");
    let event = world.events.iter().rev().find_map(|event| event.authentication.as_ref()).expect("a decision");
    let fingerprint = event.certificate.as_ref().expect("a certificate").fingerprint;
    let handles = &world.handles;
    let mac = station("JAIST", 1).mac;
    assert_eq!(handles.open_class(&first, "ap", mac.as_bytes()), Some(fingerprint));
    assert_eq!(handles.open_class(&first, "other", mac.as_bytes()), None);
    assert_eq!(handles.open_class(&first, "ap", station("JAIST", 2).mac.as_bytes()), None);

    let mut walk = Walk::new(&world, &supplicant(&pki().member_p256, None), station("JAIST", 1), false);
    walk.peer.set_ip(OTHER_NAS);
    let report = walk.finish(&mut world);
    assert!(report.logged_in, "{report:?}");
    assert_eq!(value(&report, Type::CLASS), None);
    assert_eq!(value(&report, Type::TUNNEL_PRIVATE_GROUP_ID).as_deref(), Some(OTHER_NAS_VLAN.as_bytes()));
}

#[test]
fn eap_key_name_and_chargeable_user_identity_are_sent_to_whoever_asks() {
    let mut world = World::new();
    for version in VERSIONS {
        let who = supplicant(&pki().member_p256, Some(version));
        let silent = world.log_in(&who, &station("JAIST", 1), false);
        assert_eq!(value(&silent, Type::CHARGEABLE_USER_IDENTITY), None);
        assert_eq!(silent.key_name_agrees, None);
        let mut cuis = Vec::new();
        for (number, operator) in [(1, &b"1jaist.ac.jp"[..]), (2, b"1jaist.ac.jp"), (1, b"1example.ac.jp")] {
            let mut place = station("JAIST", number);
            place.attributes.push(Type::EAP_KEY_NAME, &[0]).expect("short");
            place.attributes.push(Type::CHARGEABLE_USER_IDENTITY, &[0]).expect("short");
            place.attributes.push(Type::OPERATOR_NAME, operator).expect("short");
            for resume in [false, true] {
                let report = world.log_in(&who, &place, resume);
                assert_eq!((report.resumed, report.key_name_agrees), (resume, Some(true)), "{report:?}");
                cuis.push(value(&report, Type::CHARGEABLE_USER_IDENTITY).expect("CUI"));
            }
        }
        assert!(cuis[..4].iter().all(|cui| *cui == cuis[0]), "the same for a user and an operator");
        assert_ne!(cuis[0], cuis[4]);
        assert!(!String::from_utf8_lossy(&cuis[0]).contains("taro"));
    }
}

#[test]
fn o02_debug_of_the_whole_engine_during_a_login_shows_no_secret_and_no_key() {
    let mut world = World::new();
    let mut walk = Walk::new(&world, &supplicant(&pki().member_p256, None), station("JAIST", 1), false);
    let mut shown = format!("{:?}", world.options);
    let report = loop {
        let sent = world.hand_in_from(walk.peer, &walk.request);
        shown += &format!("{:?}{sent:?}", world.engine);
        let sent = if let Some(step) = world.engine.poll_step() {
            shown += &format!("{step:?}");
            let stepped = step.run(world.now);
            shown += &format!("{stepped:?}");
            world.engine.resume(world.now, stepped, Duration::from_micros(300));
            world.sent()
        } else {
            sent
        };
        shown += &format!("{:?}{sent:?}", world.engine);
        let request = walk.request.clone();
        if let Some(report) = walk.take(&world, &sent[0].octets) {
            let reply = Packet::parse(&report.reply).expect("a packet");
            let msk = crate::world::asker().keys(&request, &reply).expect("keys");
            assert_hidden(&shown, "MSK", msk.expose());
            break report;
        }
    };
    shown += &format!("{:?}{:?}{report:?}", world.engine, world.events);
    assert!(report.logged_in && shown.contains("taro@jaist.ac.jp"));
    assert_hidden(&shown, "shared secret", crate::world::SECRET);
    let key = crate::world::key(&pki().server_p256);
    assert_hidden(&shown, "server's key", &key.expose()[key.expose().len() - 32..]);
}

/// Neither as text, nor as hex, nor as a list of numbers.
fn assert_hidden(shown: &str, what: &str, secret: &[u8]) {
    // Half of it is as bad as all of it.
    for part in secret.chunks(16).filter(|part| part.len() == 16) {
        let hex: String = part.iter().map(|octet| format!("{octet:02x}")).collect();
        let list: Vec<String> = part.iter().map(u8::to_string).collect();
        let text = String::from_utf8_lossy(part).into_owned();
        for form in [hex.clone(), hex.to_uppercase(), list.join(", "), text] {
            assert!(!shown.contains(&form), "{what}");
        }
    }
}

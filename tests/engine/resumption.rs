//! Who may resume what: the catalogue's S rows, seen from outside.

use std::sync::Arc;
use std::time::Duration;

use rcgen::date_time_ymd;
use sekisho::event::{Outcome, Reason, TlsVersion};
use sekisho::radius::{Packet, Type};
use sekisho::standing::{Block, BlockedCertificate, Blocks};
use sekisho::supplicant::{Report, Supplicant};

use crate::certificates::Made;
use crate::eap::{unfragmented, unfragmented_world};
use crate::hand::{Walk, eap_of, tls_of};
use crate::pki::pki;
use crate::world::{OTHER_NAS, OTHER_NAS_VLAN, Options, World, station, supplicant};

const VERSIONS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

fn first_login(world: &mut World, version: TlsVersion) -> Supplicant {
    let who = supplicant(&pki().member_p256, Some(version));
    let report = world.log_in(&who, &station("JAIST", 1), false);
    assert!(report.logged_in && !report.resumed, "{report:?}");
    who
}

fn value(report: &Report, kind: Type) -> Option<Vec<u8>> {
    Packet::parse(&report.reply).expect("a packet").first(kind).map(<[u8]>::to_vec)
}

fn vlan(report: &Report) -> String {
    String::from_utf8(value(report, Type::TUNNEL_PRIVATE_GROUP_ID).expect("a VLAN")).expect("text")
}

#[test]
fn s01_what_never_came_to_an_accept_is_not_resumed_or_judged_anew() {
    for version in VERSIONS {
        // Refused: there is nothing to resume.
        let mut world = unfragmented_world();
        let refused = unfragmented(&pki().revoked, version);
        for resume in [false, true, true] {
            let report = world.log_in(&refused, &station("JAIST", 1), resume);
            assert_eq!((report.accepted, report.resumed, report.alert_received), (false, false, Some(44)));
        }
        // Broken off after the server's first flight.
        let who = unfragmented(&pki().member_p256, version);
        drop(Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 2));
        let report = world.log_in(&who, &station("JAIST", 1), true);
        assert!(report.logged_in && !report.resumed, "{report:?}");
        // Judged, but revoked before the Accept: what it got meanwhile is worth nothing.
        let who = unfragmented(&pki().member_p256, version);
        let mut walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 3);
        world.publish(2, &[&pki().revoked, &pki().member_p256]);
        let report = walk.finish(&mut world);
        assert_eq!(
            (report.accepted, report.keys_agree, world.decided()),
            (false, None, (Outcome::Reject, Reason::Revoked))
        );
        let report = world.log_in(&who, &station("JAIST", 1), true);
        assert_eq!((report.accepted, report.resumed, report.alert_received), (false, false, Some(44)));
    }
}

#[test]
fn s02_a_session_is_refused_with_the_alert_once_its_certificate_is_revoked() {
    for version in VERSIONS {
        let mut world = World::new();
        let who = first_login(&mut world, version);
        assert!(world.log_in(&who, &station("JAIST", 1), true).resumed);
        world.publish(2, &[&pki().revoked, &pki().member_p256]);
        let report = world.log_in(&who, &station("JAIST", 1), true);
        assert_eq!((report.accepted, report.resumed, report.alert_received), (false, false, Some(44)), "{report:?}");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::Revoked));
        // What is no longer on the list is let in again, by the same rule.
        world.publish(3, &[&pki().revoked]);
        assert!(world.log_in(&who, &station("JAIST", 1), true).logged_in);
    }
}

/// What is blocked of the member's: the certificate by its serial, or her.
fn blocks(world: &World, person: bool) -> Arc<Blocks> {
    let block = Block { since: world.now.wall, until: None, reason: "stolen".into(), by: "desk".into() };
    let seen = world.events.iter().rev().find_map(|event| event.authentication.as_ref()).expect("she has been here");
    let user = seen.user.as_deref().expect("she has a name").to_owned();
    let certificate = seen.certificate.clone().expect("she has shown one");
    let name = Some((certificate.authority.expect("it is ours"), certificate.serial));
    Arc::new(match person {
        true => Blocks::new(Vec::new(), vec![(user.to_ascii_uppercase(), block)]),
        false => Blocks::new(vec![BlockedCertificate { fingerprint: None, name, block }], Vec::new()),
    })
}

#[test]
fn s02_a_session_is_refused_with_the_alert_once_its_certificate_or_its_owner_is_blocked_here() {
    for version in VERSIONS {
        for (person, alert, reason) in [(false, 44, Reason::Blocked), (true, 49, Reason::UserBlocked)] {
            let mut world = World::new();
            let who = first_login(&mut world, version);
            let blocked = blocks(&world, person);
            world.reload(|options| options.blocks = blocked);
            for resume in [true, false] {
                let report = world.log_in(&who, &station("JAIST", 1), resume);
                assert_eq!((report.accepted, report.resumed, report.alert_received), (false, false, Some(alert)));
                assert_eq!(world.decided(), (Outcome::Reject, reason));
            }
            world.reload(|options| options.blocks = Arc::default());
            assert!(world.log_in(&who, &station("JAIST", 1), true).logged_in);
        }
    }
}

#[test]
fn s02_a_session_blocked_while_it_resumes_gets_no_accept() {
    for version in VERSIONS {
        let mut world = unfragmented_world();
        let who = unfragmented(&pki().member_p256, version);
        assert!(world.log_in(&who, &station("JAIST", 1), false).logged_in);
        let blocked = blocks(&world, false);
        let mut walk = Walk::new(&world, &who, station("JAIST", 1), true).rounds(&mut world, 2);
        world.reload(|options| options.blocks = blocked);
        let report = walk.finish(&mut world);
        assert_eq!((report.accepted, report.keys_agree), (false, None), "{report:?}");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::Blocked));
    }
}

#[test]
fn s02_a_session_revoked_while_it_resumes_gets_no_accept() {
    for version in VERSIONS {
        let mut world = unfragmented_world();
        let who = unfragmented(&pki().member_p256, version);
        assert!(world.log_in(&who, &station("JAIST", 1), false).logged_in);
        // After the judgment on resumption, before the last acknowledgement.
        let mut walk = Walk::new(&world, &who, station("JAIST", 1), true).rounds(&mut world, 2);
        world.publish(2, &[&pki().revoked, &pki().member_p256]);
        let report = walk.finish(&mut world);
        assert_eq!((report.accepted, report.keys_agree), (false, None), "{report:?}");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::Revoked));
    }
}

#[test]
fn s03_no_session_outlives_its_certificate_and_none_is_resumed_after_its_end() {
    let mut world = World::new();
    // The end of a day at least a day and at most two days away, and the clock an hour before it.
    let day = 86_400;
    let end = (world.now.wall.0 / day + 1) * day;
    let made = Made::member(&pki().ca16, |params| {
        params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(end).expect("after 1970"));
    });
    world.wait(Duration::from_secs(u64::try_from(end - 3_600 - world.now.wall.0).unwrap_or(0)));
    for version in VERSIONS {
        let left = end - world.now.wall.0;
        let who = made.supplicant(version);
        for resume in [false, true] {
            let report = world.log_in(&who, &station("JAIST", 1), resume);
            assert!(report.logged_in && report.resumed == resume, "{report:?} {:?}", world.events.last());
            let timeout = value(&report, Type::SESSION_TIMEOUT).expect("Session-Timeout");
            let timeout = u32::from_be_bytes(timeout.try_into().expect("four octets"));
            assert!(i64::from(timeout) <= left && timeout > 0, "{timeout} of {left}");
        }
    }
    let both = VERSIONS.map(|version| {
        let who = made.supplicant(version);
        assert!(world.log_in(&who, &station("JAIST", 1), false).logged_in);
        who
    });
    world.wait(Duration::from_secs(3_601));
    for who in both {
        let report = world.log_in(&who, &station("JAIST", 1), true);
        assert_eq!((report.accepted, report.resumed, report.alert_received), (false, false, Some(45)), "{report:?}");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::Expired));
    }
}

#[test]
fn s04_a_session_older_than_the_setting_is_a_full_handshake_however_often_it_was_resumed() {
    for version in VERSIONS {
        let mut world = World::with(Options { resumption: Duration::from_secs(3_600), ..Options::default() });
        let who = first_login(&mut world, version);
        for _ in 0..3 {
            world.wait(Duration::from_secs(1_199));
            assert!(world.log_in(&who, &station("JAIST", 1), true).resumed);
        }
        world.wait(Duration::from_secs(5));
        let report = world.log_in(&who, &station("JAIST", 1), true);
        assert!(report.logged_in && !report.resumed, "{report:?}");
        assert!(world.log_in(&who, &station("JAIST", 1), true).resumed, "the new one");
    }
}

#[test]
fn s05_a_session_of_one_service_is_a_full_handshake_at_another() {
    for version in VERSIONS {
        let mut world = World::new();
        let who = supplicant(&pki().member_p256, Some(version));
        assert!(world.log_in(&who, &station("eduroam", 1), false).logged_in);
        let report = world.log_in(&who, &station("JAIST", 1), true);
        assert!(report.logged_in && !report.resumed, "{report:?}");
        assert_eq!(vlan(&report), "120");
        assert!(world.log_in(&who, &station("JAIST", 1), true).resumed);
    }
}

#[test]
fn s06_a_resumed_session_is_decided_by_what_is_in_force_now() {
    for version in VERSIONS {
        let mut world = World::new();
        let who = first_login(&mut world, version);
        world.reload(|options| options.vlan = "777");
        let report = world.log_in(&who, &station("JAIST", 1), true);
        assert!(report.logged_in && report.resumed);
        assert_eq!(vlan(&report), "777", "another VLAN");

        let mut walk = Walk::new(&world, &who, station("JAIST", 1), true);
        walk.peer.set_ip(OTHER_NAS);
        let report = walk.finish(&mut world);
        assert!(report.logged_in && report.resumed);
        assert_eq!(vlan(&report), OTHER_NAS_VLAN, "another NAS");

        world.reload(|options| options.suspended = "taro@jaist.ac.jp");
        let report = world.log_in(&who, &station("JAIST", 1), true);
        assert_eq!((report.accepted, report.resumed, report.alert_received), (false, false, Some(49)), "another group");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::Policy));

        world.reload(|options| {
            options.suspended = "";
            options.realms = Some(vec!["example.ac.jp".to_owned()]);
        });
        assert!(!world.log_in(&who, &station("JAIST", 1), true).accepted, "another realm");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::RealmNotOurs));
    }
}

#[test]
fn a_ticket_takes_few_octets_of_our_last_flight_and_of_the_next_client_hello() {
    for credential in [&pki().member_rsa, &pki().member_p256] {
        let mut world = unfragmented_world();
        let who = unfragmented(credential, TlsVersion::Tls12);
        let mut walk = Walk::new(&world, &who, station("JAIST", 1), false);
        assert!(walk.finish(&mut world).logged_in);
        // NewSessionTicket comes first (RFC 5077 section 3.3): after the record's header, the message's, and the lifetime, the length of the ticket.
        let [.., flight, _] = walk.answers.as_slice() else { panic!("{} answers", walk.answers.len()) };
        let flight = eap_of(flight);
        let [22, _, _, _, _, 4, _, _, _, _, _, _, _, high, low, ..] = tls_of(&flight) else { panic!("{flight:02x?}") };
        let ticket = u16::from_be_bytes([*high, *low]);
        assert!((1..=320).contains(&ticket), "{ticket} octets");
    }
}

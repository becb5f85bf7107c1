//! What was recorded, said again; what was begun, finished after everything has changed.

use sekisho::event::{Outcome, Reason, TlsVersion};
use sekisho::radius::{Code, Packet};
use sekisho::supplicant::{Next, Supplicant};

use crate::hand::{Hand, eap};
use crate::pki::pki;
use crate::world::{NAS, World, asker, station, supplicant};

/// The EAP packets of a login's requests.
fn record(world: &mut World, who: &Supplicant, resume: bool) -> Vec<Vec<u8>> {
    let mut login = who.login(asker(), station("JAIST", 1), resume, world.now.wall);
    let mut request = login.begin();
    let mut recorded = Vec::new();
    loop {
        let mut eap = Vec::new();
        Packet::parse(&request).expect("a packet").join_eap(&mut eap).expect("an EAP packet");
        recorded.push(eap);
        let answers = world.exchange(1_645, &request);
        match login.handle(&answers[0].octets, world.now.wall) {
            Next::Send(next) => request = next,
            Next::Done(report) => {
                assert!(report.logged_in && report.resumed == resume, "{report:?}");
                return recorded;
            }
            Next::Ignored => panic!("an answer that isn't ours"),
        }
    }
}

/// Somebody has heard all of a login, tickets included, and has a NAS' help to say it again; and then only acknowledges.
#[test]
fn s01_a_recorded_login_said_again_lets_nobody_in() {
    let mut world = World::new();
    let mut port = 2_000;
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let who = supplicant(&pki().member_p256, Some(version));
        for resume in [false, true, true] {
            let recorded = record(&mut world, &who, resume);
            // All of it; and only the hello, then acknowledgements.
            for silent_from in [usize::MAX, 2] {
                port += 1;
                let (mut hand, mut identifier) = (Hand::new(NAS, port), 0);
                for round in 0..20 {
                    let response = recorded.get(round).filter(|_| round < silent_from);
                    let response = response.map_or(&[13, 0][..], |eap| &eap[4..]);
                    let answer = hand.ask(&mut world, &eap(2, identifier, response));
                    identifier = answer.next();
                    assert_ne!(answer.code, Code::ACCESS_ACCEPT, "{version}, resume {resume}, round {round}");
                    if answer.code == Code::ACCESS_REJECT {
                        break;
                    }
                }
                assert_eq!(world.decided().0, Outcome::Reject, "{version}, resume {resume}");
                assert_eq!(world.engine.conversations(), 0);
                let event = world.events.iter().rev().find_map(|event| event.authentication.as_ref());
                assert_eq!(event.expect("a decision").user, None, "nobody's name for what nobody has proved");
            }
        }
    }
}

/// Between any two requests of a login its NAS loses the service.
#[test]
fn s06_a_login_is_decided_by_what_its_nas_may_ask_for_at_the_end() {
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        for stage in 1.. {
            let mut world = World::new();
            let who = supplicant(&pki().member_p256, Some(version));
            let mut login = who.login(asker(), station("JAIST", 1), false, world.now.wall);
            let mut request = login.begin();
            let mut ended = false;
            for round in 0.. {
                if round == stage {
                    world.reload(|options| options.nas_services = Some(vec!["eduroam".into()]));
                }
                let answers = world.exchange(1_645, &request);
                match login.handle(&answers[0].octets, world.now.wall) {
                    Next::Send(next) => request = next,
                    Next::Done(_) => {
                        ended = round < stage;
                        break;
                    }
                    Next::Ignored => panic!("an answer that isn't ours"),
                }
            }
            if ended {
                assert!(stage > 3);
                break;
            }
            assert_eq!(world.decided(), (Outcome::Reject, Reason::NoService), "{version}, stage {stage}");
        }
    }
}

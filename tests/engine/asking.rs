//! A responder is asked while the last flight is held back (R21).

mod answers;
mod meanwhile;
mod resumption;

use std::time::Duration;

use sekisho::engine::Arrival;
use sekisho::event::{OcspStatus, Outcome, Reason, TlsVersion};
use sekisho::exchange::Outgoing;
use sekisho::pki::RevocationSource;
use sekisho::supplicant::{Report, Supplicant};

use crate::eap::unfragmented;
use crate::hand::Walk;
use crate::pki::pki;
use crate::world::{Options, Says, World, station};

const VERSIONS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];
const HOUR: Duration = Duration::from_secs(3_600);
/// How long the engine waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

fn says(status: OcspStatus) -> Says {
    Says::Status(status, HOUR)
}

fn options(sources: RevocationSource) -> Options {
    Options { sources, fragment_size: 3_500, ..Options::default() }
}

fn world(sources: RevocationSource) -> World {
    World::with(options(sources))
}

fn member(version: TlsVersion) -> Supplicant {
    unfragmented(&pki().of_silent, version)
}

/// A login, until nothing answers it.
fn held(world: &mut World, who: &Supplicant, number: u16, resume: bool) -> Walk {
    let mut walk = Walk::new(world, who, station("JAIST", number.into()), resume);
    walk.peer.set_port(10_000 + number);
    let asked = world.asked.len();
    loop {
        let sent = world.exchange_from(walk.peer, &walk.request);
        let Some(answer) = sent.first() else { break };
        assert!(walk.take(world, &answer.octets).is_none(), "{:?}", world.events.last());
    }
    assert_eq!(world.asked.len(), asked + 1, "{:?}", world.events.last());
    assert_eq!(world.asked[asked].1.len(), 1);
    walk
}

/// The rest of a login whose answer has come.
fn finish(world: &mut World, walk: &mut Walk, sent: &[Outgoing]) -> Report {
    let [answer] = sent else { panic!("{} answers", sent.len()) };
    walk.take(world, &answer.octets).unwrap_or_else(|| walk.finish(world))
}

/// Says to the engine that what a walk asked last is answered.
fn answer(world: &mut World, says: Says) -> Vec<Outgoing> {
    let (ticket, questions) = world.asked.last().cloned().expect("a question");
    for question in questions {
        world.learn(&question, says);
    }
    world.engine.handle(world.now, Arrival::Answer(ticket));
    world.sent()
}

fn let_in(report: &Report, resumed: bool) {
    assert!(report.logged_in && report.resumed == resumed && report.keys_agree == Some(true), "{report:?}");
}

/// EAP-Failure alone: no alert, no word of TLS that would let the client believe that it is in.
fn refused(world: &World, report: &Report, reason: Reason) {
    assert_eq!((report.accepted, report.keys_agree, report.alert_received), (false, None, None), "{report:?}");
    assert_eq!(report.eap_success, Some(false));
    assert_eq!(world.decided(), (Outcome::Reject, reason));
    let authentication = world.events.iter().rev().find_map(|event| event.authentication.as_ref());
    assert!(authentication.and_then(|it| it.certificate.as_ref()).is_some(), "the log names the certificate");
}

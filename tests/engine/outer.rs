//! What a client calls itself before anybody knows who it is, at a NAS that goes by that name.

use sekisho::event::{Evidence, Outcome, Reason, TlsVersion};
use sekisho::exchange::{DisconnectSettings, Identify};
use sekisho::policy::ReplyUsername;
use sekisho::radius::{Attributes, Packet, Type};
use sekisho::supplicant::{Report, Settings, Station, Supplicant};

use crate::pki::{Credential, pki};
use crate::world::{Options, World, station, supplicant_settings};

const TARO: &str = "taro@jaist.ac.jp";
const HANAKO: &str = "hanako@jaist.ac.jp";
const VERSIONS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

fn world() -> World {
    World::with(Options { reply_username: ReplyUsername::Outer, ..Options::default() })
}

fn calling_himself(name: &str, credential: &Credential, version: TlsVersion) -> Supplicant {
    let settings = supplicant_settings(credential, Some(version));
    Supplicant::new(Settings { identity: name.to_owned(), ..settings }).expect("a good credential")
}

/// At a concentrator: NAS-Port-Type is Virtual.
fn concentrator() -> Station {
    let mut attributes = Attributes::default();
    attributes.push_integer(Type::NAS_PORT_TYPE, 5);
    Station { mac: "198.51.100.7[4500]".to_owned(), attributes, ..station("JAIST", 1) }
}

fn name_of(report: &Report) -> Option<String> {
    Packet::parse(&report.reply).expect("a packet").text(Type::USER_NAME).map(str::to_owned)
}

#[test]
fn a_member_by_another_members_name_is_refused_and_told_why() {
    for version in VERSIONS {
        let mut world = world();
        let report = world.log_in(&calling_himself(HANAKO, &pki().member_p256, version), &concentrator(), false);
        assert_eq!((report.accepted, report.alert_received), (false, Some(49)), "{report:?}");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::BadIdentity));
        let event = world.events.iter().rev().find_map(|event| event.authentication.as_ref()).expect("a decision");
        assert_eq!((event.user.as_deref(), event.outer_identity.as_deref()), (Some(TARO), Some(HANAKO)));
        let said = event.evidence.iter().any(|one| matches!(one, Evidence::Outer(names) if names[0] == TARO));
        assert!(said, "{:?}", event.evidence);
        assert_eq!(world.engine.sessions().len(), 0);
    }
}

#[test]
fn by_a_name_of_his_own_he_is_let_in_and_the_nas_gets_it_as_it_knows_it() {
    for name in [TARO, "TARO@JAIST.ac.jp"] {
        let mut world = world();
        let who = calling_himself(name, &pki().member_p256, TlsVersion::Tls13);
        let report = world.log_in(&who, &concentrator(), false);
        assert!(report.logged_in, "{report:?}");
        assert_eq!(name_of(&report).as_deref(), Some(name));
    }
}

#[test]
fn nobodys_name_is_good_but_where_a_concentrator_is_told_of_sessions_by_names() {
    let told = |identify_by| {
        let disconnect = DisconnectSettings { port: 3_799, secret: None, address: None, identify_by };
        let (disconnect, reply_username) = (Some(disconnect), ReplyUsername::Outer);
        World::with(Options { disconnect, reply_username, ..Options::default() })
    };
    for name in ["@jaist.ac.jp", "anonymous@jaist.ac.jp"] {
        let who = calling_himself(name, &pki().member_p256, TlsVersion::Tls13);
        let report = world().log_in(&who, &station("JAIST", 1), false);
        assert_eq!((report.logged_in, name_of(&report).as_deref()), (true, Some(name)));
        let report = told(vec![Identify::UserName]).log_in(&who, &station("JAIST", 1), false);
        assert!(report.logged_in, "{report:?}");
        for mut world in [world(), told(vec![Identify::AcctSessionId])] {
            assert!(world.log_in(&who, &concentrator(), false).logged_in, "nothing is told by names");
        }
        for identify_by in [vec![Identify::UserName], vec![Identify::AcctSessionId, Identify::UserName]] {
            let mut world = told(identify_by);
            assert!(!world.log_in(&who, &concentrator(), false).accepted);
            assert_eq!(world.decided(), (Outcome::Reject, Reason::BadIdentity));
        }
    }
}

/// The name is asked for anew, and judged anew.
#[test]
fn nobody_resumes_by_another_members_name() {
    for version in VERSIONS {
        let mut world = world();
        let own = calling_himself(TARO, &pki().member_p256, version);
        assert!(world.log_in(&own, &concentrator(), false).logged_in);
        let report = world.log_in(&own, &concentrator(), true);
        assert!(report.logged_in && report.resumed, "{report:?}");
        let another = own.calling_itself(HANAKO);
        let report = world.log_in(&another, &concentrator(), true);
        assert_eq!((report.accepted, report.alert_received), (false, Some(49)), "{report:?}");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::BadIdentity));
    }
}

/// In the middle of a login the service begins to go by the outer identity.
#[test]
fn an_accept_decides_again_by_what_is_in_force_then() {
    let mut world = World::new();
    let who = calling_himself(HANAKO, &pki().member_p256, TlsVersion::Tls13);
    let mut walk = crate::hand::Walk::new(&world, &who, concentrator(), false).rounds(&mut world, 3);
    world.reload(|options| options.reply_username = ReplyUsername::Outer);
    assert!(!walk.finish(&mut world).accepted);
    assert_eq!(world.decided(), (Outcome::Reject, Reason::BadIdentity));
}

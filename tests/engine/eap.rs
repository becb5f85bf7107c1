//! EAP and its fragments as supplicants send them, good and bad: the catalogue's E rows, seen from outside.

use std::time::Duration;

use sekisho::event::{Outcome, Reason, TlsVersion};
use sekisho::radius::{Code, Packet, Type, vendor};
use sekisho::supplicant::{Station, Supplicant};

use crate::hand::{Hand, MORE, START, SUCCESS, Walk, eap, eap_of, identity, tls, tls_of};
use crate::pki::{Credential, pki};
use crate::world::{Options, World, station, supplicant, supplicant_settings};

const VERSIONS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

/// A supplicant whose flights are one fragment each.
pub(crate) fn unfragmented(credential: &Credential, version: TlsVersion) -> Supplicant {
    let settings = supplicant_settings(credential, Some(version));
    Supplicant::new(sekisho::supplicant::Settings { fragment_size: 3_500, ..settings }).expect("a good credential")
}

/// A world whose flights are one fragment each: identity, ClientHello, certificate, acknowledgement are the four rounds of a login.
pub(crate) fn unfragmented_world() -> World {
    World::with(Options { fragment_size: 3_500, ..Options::default() })
}

#[test]
fn an_empty_eap_message_is_answered_with_a_request_for_the_identity() {
    let mut world = World::new();
    let mut hand = Hand::here().with(Type::EAP_MESSAGE, b"");
    let asked = hand.ask(&mut world, &[]);
    assert_eq!((asked.code, asked.eap[0], &asked.eap[4..]), (Code::ACCESS_CHALLENGE, 1, &[1][..]));
    let mut hand = Hand { state: hand.state, ..Hand::here() };
    let start = hand.ask(&mut world, &identity(asked.next(), b"@jaist.ac.jp"));
    assert_eq!(start.eap[4..], [13, START]);
}

#[test]
fn a_request_that_is_no_eap_is_refused_with_its_proxy_state_and_no_eap() {
    let mut world = World::new();
    let mut hand = Hand::here().with(Type::USER_NAME, b"taro").with(Type::PROXY_STATE, b"hop");
    let answer = hand.ask(&mut world, &[]);
    assert_eq!((answer.code, answer.eap.len()), (Code::ACCESS_REJECT, 0));
    assert_eq!(answer.packet().first(Type::EAP_MESSAGE), None);
    assert_eq!(answer.packet().first(Type::PROXY_STATE), Some(&b"hop"[..]));
    assert_eq!((world.decided(), world.engine.conversations()), ((Outcome::Reject, Reason::MethodNotAllowed), 0));
}

#[test]
fn e01_what_no_supplicant_sends_ends_in_eap_failure_and_frees_the_conversation() {
    let bad = |id| [eap(1, id, &[13, 0]), eap(3, id, &[]), eap(4, id, &[]), eap(2, id, &[]), eap(2, id, &[0])];
    let mut world = World::new();
    for number in 0..bad(0).len() {
        let first = Hand::here().ask(&mut world, &bad(7)[number]);
        assert!(first.is_failure(), "{number}");
        let mut hand = Hand::here();
        let start = hand.start(&mut world);
        let later = hand.ask(&mut world, &bad(start.next())[number]);
        assert!(later.is_failure(), "{number}");
        assert_eq!((world.decided(), world.engine.conversations()), ((Outcome::Reject, Reason::Malformed), 0));
        world.wait(Duration::from_secs(30));
    }
    for wanted in [&[3, 0][..], &[3], &[3, 25, 21]] {
        let mut hand = Hand::here();
        let start = hand.start(&mut world);
        assert!(hand.ask(&mut world, &eap(2, start.next(), wanted)).is_failure());
        assert_eq!((world.decided(), world.engine.conversations()), ((Outcome::Reject, Reason::EapNak), 0));
        world.wait(Duration::from_secs(30));
    }
    assert_eq!(world.steps, 0);
}

#[test]
fn e01_w18_an_eap_length_that_lies_is_refused_and_ends_the_conversation() {
    let mut world = World::new();
    for wrong in [&[0, 3, 1][..], &[0, 200, 13, 0], &[]] {
        let mut hand = Hand::here();
        let start = hand.start(&mut world);
        assert_eq!(world.engine.conversations(), 1);
        let lie = [&[2, start.next()], wrong].concat();
        assert!(hand.ask(&mut world, &lie).is_failure(), "{start:?}");
        assert_eq!((world.decided(), world.engine.conversations()), ((Outcome::Reject, Reason::Malformed), 0));
        world.wait(Duration::from_secs(30));
        assert_eq!(Hand::here().ask(&mut world, &lie).code, Code::ACCESS_REJECT);
        assert_eq!((world.decided(), world.engine.conversations()), ((Outcome::Reject, Reason::Malformed), 0));
        world.wait(Duration::from_secs(30));
    }
}

#[test]
fn e02_e03_e06_lengths_that_lie_or_are_too_long_end_the_conversation_without_any_work() {
    let most = 16 * 1_024;
    let cases: [(&str, u8, Option<u32>, usize); 8] = [
        ("below the first fragment, more to come", MORE, Some(10), 100),
        ("zero, with data", 0, Some(0), 100),
        ("one, with data", 0, Some(1), 100),
        ("one, with data, more to come", MORE, Some(1), 100),
        ("above what came", 0, Some(101), 100),
        ("just too long", MORE, Some(most + 1), 100),
        ("65537", MORE, Some(65_537), 100),
        ("the longest there is", MORE, Some(u32::MAX), 100),
    ];
    let mut world = World::new();
    for (what, flags, length, octets) in cases {
        let mut hand = Hand::here();
        let start = hand.start(&mut world);
        let answer = hand.ask(&mut world, &tls(start.next(), flags, length, &vec![22; octets]));
        assert!(answer.is_failure(), "{what}");
        assert_eq!(
            (world.decided(), world.engine.conversations()),
            ((Outcome::Reject, Reason::Malformed), 0),
            "{what}"
        );
        world.wait(Duration::from_secs(30));
    }
    // As long as it may be: the fragment is acknowledged.
    let mut hand = Hand::here();
    let start = hand.start(&mut world);
    let answer = hand.ask(&mut world, &tls(start.next(), MORE, Some(most), &[22; 100]));
    assert_eq!((answer.code, &answer.eap[4..]), (Code::ACCESS_CHALLENGE, &[13, 0][..]));
    assert_eq!(world.steps, 0);
}

#[test]
fn e05_fifty_rounds_that_bring_nothing_are_the_end() {
    for payload in [&[][..], &[22]] {
        let mut world = World::new();
        let mut hand = Hand::here();
        let mut answer = hand.start(&mut world);
        let mut rounds = 0;
        while answer.code == Code::ACCESS_CHALLENGE {
            rounds += 1;
            assert!(rounds <= 50);
            answer = hand.ask(&mut world, &tls(answer.next(), MORE, None, payload));
        }
        assert!(answer.is_failure() && rounds == 50, "{rounds}");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::TooManyRounds));
        assert_eq!((world.steps, world.engine.conversations()), (0, 0));
    }
}

#[test]
fn e05_progress_as_slow_as_it_may_be_ends_with_the_total_time() {
    let mut world = World::new();
    let mut hand = Hand::here();
    let mut answer = hand.start(&mut world);
    let mut rounds = 0;
    while answer.code == Code::ACCESS_CHALLENGE {
        rounds += 1;
        assert!(rounds < 20);
        world.wait(Duration::from_secs(50));
        answer = hand.ask(&mut world, &tls(answer.next(), MORE, None, &[22; 16]));
    }
    assert_eq!(rounds, 12, "ten times a minute in steps of 50 s");
    assert_eq!(world.decided(), (Outcome::Reject, Reason::ConversationExpired));
    assert_eq!(world.engine.conversations(), 0);
}

#[test]
fn e05_fragments_of_fifty_octets_both_ways_log_in() {
    let mut world = World::with(Options { fragment_size: 50, ..Options::default() });
    for version in VERSIONS {
        let settings = supplicant_settings(&pki().member_rsa, Some(version));
        let small = sekisho::supplicant::Settings { fragment_size: 50, ..settings };
        let report = world.log_in(&Supplicant::new(small).expect("good"), &station("JAIST", 1), false);
        assert!(report.logged_in && report.requests > 50, "{report:?}");
    }
}

#[test]
fn our_fragments_are_as_long_as_framed_mtu_allows_and_no_round_trip_is_wasted() {
    // A frame of Framed-MTU octets holds 14 beside the TLS octets: 802.1X's 4, EAP's 4, type, flags, length.
    let sizes = [(1_200, None, 1_200), (1_200, Some(1_500), 1_200), (1_200, Some(1_000), 986)];
    let sizes = sizes.into_iter().chain([1_300, 1_400, 1_500].map(|mtu| (3_500, Some(mtu), mtu as usize - 14)));
    for (fragment_size, framed_mtu, size) in sizes {
        let mut world = World::with(Options { fragment_size, ..Options::default() });
        for (version, resume) in VERSIONS.into_iter().flat_map(|version| [(version, false), (version, true)]) {
            let who = unfragmented(&pki().member_rsa, version);
            let station = || Station { framed_mtu, ..station("JAIST", 1) };
            if resume {
                assert!(world.log_in(&who, &station(), false).logged_in);
            }
            let mut walk = Walk::new(&world, &who, station(), resume);
            let report = walk.finish(&mut world);
            assert_eq!((report.logged_in, report.resumed, report.messages_sent), (true, resume, 2), "{report:?}");
            let sent: Vec<Vec<u8>> = walk.answers.iter().map(|answer| eap_of(answer)).collect();
            let unfinished: Vec<_> =
                sent.iter().filter(|eap| eap.get(5).is_some_and(|flags| flags & MORE != 0)).collect();
            assert!(unfinished.iter().all(|eap| tls_of(eap).len() == size), "{framed_mtu:?} {version}");
            // The identity, the client's two flights, an acknowledgement for each fragment but a flight's last, and one for our last flight, where the client's isn't the last.
            let needed = 1 + 2 + unfinished.len() + usize::from(!(resume && version == TlsVersion::Tls12));
            assert_eq!(walk.answers.len(), needed, "{framed_mtu:?} {version} resumed: {resume}");
        }
    }
}

#[test]
fn e06_a_last_fragment_that_is_short_or_long_and_data_after_the_last_fail() {
    for last in [49, 51] {
        let mut world = World::new();
        let mut hand = Hand::here();
        let start = hand.start(&mut world);
        let more = hand.ask(&mut world, &tls(start.next(), MORE, Some(150), &[22; 100]));
        assert!(hand.ask(&mut world, &tls(more.next(), 0, None, &vec![22; last])).is_failure(), "{last}");
        assert_eq!((world.steps, world.engine.conversations()), (0, 0));
    }
    // Our flight isn't at its end, and the supplicant already speaks.
    let mut world = World::with(Options { fragment_size: 200, ..Options::default() });
    let who = unfragmented(&pki().member_p256, TlsVersion::Tls13);
    let walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 2);
    let mut hand = hand_after(&walk);
    let identifier = eap_of(walk.answers.last().expect("an answer"))[1];
    assert!(hand.ask(&mut world, &tls(identifier, 0, None, &[22; 20])).is_failure());
    assert_eq!((world.decided(), world.engine.conversations()), ((Outcome::Reject, Reason::Malformed), 0));
}

/// Goes on by hand where a login stands.
pub(crate) fn hand_after(walk: &Walk) -> Hand {
    let answer = walk.answers.last().expect("an answer");
    let state = Packet::parse(answer).expect("a packet").first(Type::STATE).map(<[u8]>::to_vec);
    Hand { peer: walk.peer, state, identifier: walk.request[1], ..Hand::here() }
}

#[test]
fn e08_a_length_on_unfragmented_messages_is_taken_and_never_sent() {
    let mut world = unfragmented_world();
    for version in VERSIONS {
        let settings = supplicant_settings(&pki().member_p256, Some(version));
        let wordy = sekisho::supplicant::Settings { always_length: true, fragment_size: 3_500, ..settings };
        let mut walk = Walk::new(&world, &Supplicant::new(wordy).expect("good"), station("JAIST", 1), false);
        assert!(walk.finish(&mut world).logged_in);
        let flags: Vec<u8> =
            walk.answers.iter().map(|answer| eap_of(answer)).filter(|eap| eap.len() > 4).map(|eap| eap[5]).collect();
        assert_eq!(flags, [START, 0, 0]);
    }
}

#[test]
fn e09_old_requests_after_the_round_has_advanced_are_never_read_by_tls_again() {
    for version in VERSIONS {
        let mut world = unfragmented_world();
        let who = unfragmented(&pki().member_p256, version);
        let mut walk = Walk::new(&world, &who, station("JAIST", 1), false);
        let mut earlier: Vec<Vec<u8>> = Vec::new();
        let report = loop {
            earlier.push(walk.request.clone());
            let ended = walk.round(&mut world);
            let hand = hand_after(&walk);
            for (number, old) in earlier.iter().enumerate() {
                // The same packet: its kept answer. The same response with the old State in a new request: the same answer or none.
                let again = world.exchange(1_646, old);
                assert_eq!(&*again[0].octets, walk.answers[number].as_slice());
                let state = Packet::parse(old).expect("a packet").first(Type::STATE).map(<[u8]>::to_vec);
                let Some(state) = state else { continue };
                let mut replayed = Hand { peer: (walk.peer.ip(), 4_000).into(), state: Some(state), ..hand.clone() };
                replayed.identifier = u8::try_from(world.events.len() % 256).expect("below 256");
                let answers = replayed.send(&mut world, &eap_of(old));
                let newest = number + 1 == earlier.len();
                assert!(answers.len() == 1 || (!newest && answers.is_empty()) || ended.is_some());
                for answer in answers {
                    assert!(eap_of(&answer.octets) == eap_of(&walk.answers[number]) || (!newest && ended.is_some()));
                }
            }
            if let Some(report) = ended {
                break report;
            }
        };
        assert!(report.logged_in, "{report:?}");
        assert_eq!(world.steps, 2);
    }
}

#[test]
fn e15_keys_and_success_come_only_with_the_accept_after_the_last_acknowledgement() {
    for version in VERSIONS {
        let mut world = unfragmented_world();
        let who = unfragmented(&pki().member_p256, version);
        let mut walk = Walk::new(&world, &who, station("JAIST", 1), false);
        let report = walk.finish(&mut world);
        assert!(report.logged_in);
        assert_eq!(report.protected_success, (version == TlsVersion::Tls13).then_some(true));
        let (last, challenges) = walk.answers.split_last().expect("answers");
        for answer in challenges {
            let packet = Packet::parse(answer).expect("a packet");
            assert_eq!((packet.code(), packet.first(Type::USER_NAME)), (Code::ACCESS_CHALLENGE, None));
            assert!(packet.first_vendor(vendor::MICROSOFT, vendor::MS_MPPE_RECV_KEY).is_none());
            assert_ne!(eap_of(answer)[0], SUCCESS);
        }
        assert_eq!(eap_of(last)[0], SUCCESS);
    }
}

#[test]
fn e15_an_acknowledgement_before_finished_and_words_after_it_end_without_keys() {
    for version in VERSIONS {
        // Two rounds: our first flight is out. Three: the last one, too.
        for (rounds, words) in [(2, &[][..]), (3, &[22, 3, 3, 0, 1, 0])] {
            let mut world = unfragmented_world();
            let who = unfragmented(&pki().member_p256, version);
            let walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, rounds);
            let mut hand = hand_after(&walk);
            let identifier = eap_of(walk.answers.last().expect("an answer"))[1];
            let answer = hand.ask(&mut world, &tls(identifier, 0, None, words));
            assert!(answer.is_failure(), "{version} {rounds}");
            assert!(answer.packet().first_vendor(vendor::MICROSOFT, vendor::MS_MPPE_RECV_KEY).is_none());
            assert_eq!((world.decided(), world.engine.conversations()), ((Outcome::Reject, Reason::Malformed), 0));
        }
    }
}

#[test]
fn e16_after_the_alert_an_acknowledgement_then_eap_failure_in_the_reject() {
    for version in VERSIONS {
        let mut world = unfragmented_world();
        let who = unfragmented(&pki().revoked, version);
        let mut walk = Walk::new(&world, &who, station("JAIST", 1), false);
        let report = walk.finish(&mut world);
        assert_eq!((report.alert_received, report.eap_success), (Some(44), Some(false)));
        let (last, challenges) = walk.answers.split_last().expect("answers");
        assert_eq!(challenges.len(), 3, "start, first flight, alert");
        assert!(crate::hand::Answer::new(last).is_failure());
    }
}

#[test]
fn e17_anonymous_identities_are_let_in_and_none_names_the_user() {
    let mut world = World::new();
    for identity in ["@jaist.ac.jp", "", "president@jaist.ac.jp", "host/pc", "president"] {
        let settings = supplicant_settings(&pki().member_p256, None);
        let who = sekisho::supplicant::Settings { identity: identity.to_owned(), ..settings };
        let report = world.log_in(&Supplicant::new(who).expect("good"), &station("JAIST", 1), false);
        assert!(report.logged_in, "{identity}: {report:?}");
        let user = Packet::parse(&report.reply).expect("a packet").text(Type::USER_NAME).map(str::to_owned);
        assert_eq!(user.as_deref(), Some("taro@jaist.ac.jp"));
        let event = world.events.iter().rev().find_map(|event| event.authentication.as_ref()).expect("a decision");
        assert_eq!(
            (event.user.as_deref(), event.outer_identity.as_deref()),
            (Some("taro@jaist.ac.jp"), Some(identity))
        );
    }
}

#[test]
fn e17_identities_that_are_none_are_refused() {
    let mut world = World::new();
    let long = [&[b'a'; 240][..], b"@jaist.ac.jp", b"x"].concat();
    assert_eq!(long.len(), 253);
    for bad in [&long[..], b"a\0b@jaist.ac.jp", b"\xff\xfe@jaist.ac.jp", b"user@", b"@-.jp"] {
        let answer = Hand::here().ask(&mut world, &identity(1, bad));
        assert!(answer.is_failure(), "{bad:?}");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::BadIdentity));
        world.wait(Duration::from_secs(30));
    }
    world.reload(|options| options.realms = Some(vec!["jaist.ac.jp".to_owned()]));
    assert!(Hand::here().ask(&mut world, &identity(1, b"taro@example.ac.jp")).is_failure());
    assert_eq!((world.decided(), world.engine.conversations()), ((Outcome::Reject, Reason::RealmNotOurs), 0));
    world.wait(Duration::from_secs(30));
    let elsewhere = Station { ssid: Some("nobody's".to_owned()), ..station("JAIST", 1) };
    assert!(!world.log_in(&supplicant(&pki().member_p256, None), &elsewhere, false).accepted);
    assert_eq!(world.decided(), (Outcome::Reject, Reason::NoService));
}

#[test]
fn a_flight_with_a_stapled_answer_is_fragmented_like_any_other() {
    const STAPLE: usize = 2_500;
    for version in VERSIONS {
        for fragment_size in [400, 1_200] {
            let mut world = World::with(Options { fragment_size, ..Options::default() });
            let who = supplicant(&pki().member_p256, Some(version));
            let plain = world.log_in(&who, &station("JAIST", 1), false);
            assert_eq!((plain.logged_in, plain.stapled), (true, Some(0)));
            world.tls.staple("ecdsa", Some(vec![0x42; STAPLE]));
            let stapled = world.log_in(&who, &station("JAIST", 1), false);
            assert_eq!((stapled.logged_in, stapled.stapled), (true, Some(STAPLE)), "{stapled:?}");
            let more = usize::try_from(stapled.requests - plain.requests).expect("a few");
            assert!((STAPLE / fragment_size..=STAPLE / fragment_size + 1).contains(&more), "{more} more fragments");
            assert_eq!(stapled.messages_received, plain.messages_received);
        }
    }
}

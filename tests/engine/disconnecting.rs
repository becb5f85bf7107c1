//! Live sessions that are told to end: by an operator, by a CRL; a few at once, many after an operator has looked.

use std::net::SocketAddr;
use std::time::Duration;

use sekisho::engine::{Arrival, Automatic, Batch, BatchId, Datagram, Done, Kept, Notice, Order, Past, Told};
use sekisho::exchange::{DisconnectSettings, Identify};
use sekisho::radius::{Code, Key, Packet, Type, Writer};
use sekisho::secret::Secret;
use sekisho::sessions::SessionId;
use sekisho::standing::{Block, Blocks};

use crate::accounting::kept;
use crate::pki::{Credential, pki};
use crate::world::{Options, World, station, supplicant};

const SECRET: &str = "of disconnecting alone";

fn options() -> Options {
    let identify_by = vec![Identify::AcctSessionId, Identify::CallingStationId];
    let disconnect = DisconnectSettings { port: 3799, secret: Some(Secret::new(SECRET)), address: None, identify_by };
    let automatic = Automatic { at_most: 200, ..Automatic::default() };
    Options { disconnect: Some(disconnect), automatic, ..Options::default() }
}

fn log_in(world: &mut World, who: &Credential, number: u32) {
    let report = world.log_in(&supplicant(who, None), &station("JAIST", number), false);
    assert!(report.logged_in, "{report:?}");
}

/// The NAS answers that it has ended it.
fn ack(world: &mut World, datagram: &Datagram) {
    let request = Packet::parse(&datagram.octets).expect("a packet");
    let mut octets = Vec::new();
    let writer = Writer::new(&mut octets, Code::DISCONNECT_ACK, request.identifier());
    writer.finish(&Key::new(Secret::new(SECRET)), request.authenticator()).expect("it fits");
    world.engine.handle(world.now, Arrival::Reply { from: datagram.to, octets: &octets });
    world.sent();
}

/// Answers all that is asked, and does all that is due, until nothing is left; which stations were told of.
fn ack_all(world: &mut World) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        world.wait(Duration::ZERO);
        while world.engine.poll_timeout().is_some_and(|due| due <= world.now.mono) {
            world.wait(Duration::ZERO);
        }
        world.sent();
        let requests = std::mem::take(&mut world.requests);
        if requests.is_empty() {
            return told;
        }
        for datagram in requests {
            let packet = Packet::parse(&datagram.octets).expect("a packet");
            told.push(packet.text(Type::CALLING_STATION_ID).expect("it is named").to_owned());
            ack(world, &datagram);
        }
    }
}

fn held(world: &World) -> Vec<Batch> {
    let held = world.notices.iter().filter_map(|notice| match notice {
        Notice::Held(batch) => Some((**batch).clone()),
        Notice::Disconnected(_) | Notice::Going(..) => None,
    });
    held.collect()
}

#[test]
fn an_operator_ends_a_session_and_is_told_what_its_nas_says() {
    let mut world = World::with(options());
    log_in(&mut world, &pki().member_p256, 1);
    let session = world.engine.sessions().iter().next().expect("a session").clone();
    let ticket = world.order(Order::Disconnect(session.id, "desk".into()));
    world.sent();
    assert!(world.done.is_empty(), "its NAS hasn't answered");
    let [request] = world.requests.as_slice() else { panic!("{:?}", world.requests) };
    assert_eq!(request.to, SocketAddr::new(session.peer(), 3799));
    ack_all(&mut world);
    assert_eq!(world.done, [ticket]);
    let [Done::Disconnected(done)] = world.results.as_slice() else { panic!("{:?}", world.results) };
    assert_eq!((done.told, done.ended.as_slice()), (Told::Ack, &[session.id][..]));
    // Nobody accounts for it, so that nobody will say that it has ended.
    assert!(world.engine.sessions().is_empty());

    world.order(Order::Disconnect(SessionId(1), "desk".into()));
    world.sent();
    let Some(Done::Disconnected(done)) = world.results.last() else { panic!("{:?}", world.results) };
    assert_eq!(done.told.name(), "not-possible");
}

#[test]
fn forged_answers_end_nothing() {
    let mut world = World::with(options());
    log_in(&mut world, &pki().member_p256, 1);
    let id = world.engine.sessions().iter().next().expect("a session").id;
    world.order(Order::Disconnect(id, "desk".into()));
    world.sent();
    let request = world.requests[0].clone();
    let parsed = Packet::parse(&request.octets).expect("a packet");
    let mut octets = Vec::new();
    let writer = Writer::new(&mut octets, Code::DISCONNECT_ACK, parsed.identifier());
    writer.finish(&Key::new(Secret::new("a guess")), parsed.authenticator()).expect("it fits");
    for octets in [octets.as_slice(), &request.octets, &[], &[0xff; 5_000]] {
        world.engine.handle(world.now, Arrival::Reply { from: request.to, octets });
        world.sent();
    }
    assert!(world.done.is_empty() && world.engine.sessions().len() == 1);
}

#[test]
fn a_crl_with_three_of_a_thousand_ends_three_and_one_with_five_hundred_more_waits_whole_until_it_is_released() {
    let mut world = World::with(options());
    for (number, who) in [&pki().member_p256, &pki().member_rsa, &pki().member_pub_ca8].into_iter().enumerate() {
        log_in(&mut world, who, u32::try_from(number).expect("few"));
    }
    let models: Vec<Kept> = world
        .engine
        .sessions()
        .iter()
        .map(|it| Kept { session: it.clone(), until: it.started + Duration::from_secs(3_600) })
        .collect();
    let kept = (0..1_003_u64).map(|number| {
        let mut kept = models[if number < 3 {
            0
        } else if number < 503 {
            1
        } else {
            2
        }]
        .clone();
        kept.session.id = SessionId(number + 1);
        kept.session.calling = Some(number.to_string().into());
        kept.session.station = Some(number.to_string().into());
        kept
    });
    let mut world = World::restarted(options(), kept.collect());
    assert_eq!(ack_all(&mut world), Vec::<String>::new());

    let mut revoked = vec![&pki().revoked, &pki().member_p256];
    world.publish(2, &revoked);
    let mut told = ack_all(&mut world);
    told.sort();
    assert_eq!(told, ["0", "1", "2"]);
    assert_eq!(world.engine.sessions().len(), 1_000);

    revoked.push(&pki().member_rsa);
    for _ in 0..2 {
        // The second time it is the same CRL.
        world.publish(3, &revoked);
        assert_eq!(ack_all(&mut world), Vec::<String>::new(), "not one of them");
    }
    let batches = held(&world);
    assert_eq!(batches.iter().map(|batch| batch.sessions.len()).collect::<Vec<_>>(), [500]);
    world.order(Order::Held);
    world.sent();
    assert_eq!(world.results.last(), Some(&Done::Held(batches.clone())));

    world.order(Order::Release(batches[0].id));
    assert_eq!(ack_all(&mut world).len(), 500);
    assert_eq!(world.engine.sessions().len(), 500);
    world.order(Order::Release(batches[0].id));
    world.sent();
    assert_eq!(world.results.last(), Some(&Done::Batch(None)));
}

#[test]
fn what_an_operator_discards_stays_although_the_same_crl_comes_again() {
    let mut world = World::with(Options { automatic: Automatic { at_most: 0, ..Automatic::default() }, ..options() });
    log_in(&mut world, &pki().member_p256, 1);
    world.publish(2, &[&pki().member_p256]);
    assert_eq!(ack_all(&mut world), Vec::<String>::new());
    let batches = held(&world);
    world.order(Order::Discard(batches[0].id));
    world.sent();
    world.publish(3, &[]);
    ack_all(&mut world);
    world.publish(4, &[&pki().member_p256]);
    assert_eq!(ack_all(&mut world), Vec::<String>::new());
    assert_eq!((held(&world).len(), world.engine.sessions().len()), (1, 1));
}

#[test]
fn what_is_discarded_is_discarded_for_the_certificate_that_was_revoked_alone() {
    let mut world = World::with(Options { automatic: Automatic { at_most: 0, ..Automatic::default() }, ..options() });
    log_in(&mut world, &pki().member_p256, 1);
    world.publish(2, &[&pki().member_p256]);
    ack_all(&mut world);
    let discarded = held(&world)[0].id;
    world.order(Order::Discard(discarded));
    // The same station, with another certificate, which is revoked by the same authority then.
    log_in(&mut world, &pki().member_rsa, 1);
    assert_eq!(world.engine.sessions().len(), 1);
    let both = [&pki().member_p256, &pki().member_rsa];
    let before = past(&world, &[], &[discarded]);
    world.publish(3, &both);
    ack_all(&mut world);
    assert_eq!(held(&world).len(), 2, "it waits for an operator, who has not heard of it");
    let mut next = restarted(&world, before, &both);
    ack_all(&mut next);
    assert_eq!(held(&next).len(), 1, "a restart has not forgotten whose it was");
}

/// What a database would have kept of those that have to go; `discarded`: of what an operator has decided.
fn past(world: &World, released: &[BatchId], discarded: &[BatchId]) -> Past {
    let mut past = Past::default();
    for notice in &world.notices {
        match notice {
            Notice::Held(batch) if released.contains(&batch.id) => {
                past.left.extend(batch.sessions.iter().map(|id| (*id, false)));
            }
            Notice::Held(batch) if discarded.contains(&batch.id) => past.discarded.push((**batch).clone()),
            Notice::Held(batch) => past.held.push((**batch).clone()),
            Notice::Going(_, sessions) => past.left.extend(sessions.iter().map(|id| (*id, false))),
            Notice::Disconnected(done) if matches!(done.told, Told::Ack | Told::Nak(_)) => {
                past.left.insert(done.id, true);
            }
            Notice::Disconnected(_) => {}
        }
    }
    past
}

/// A new process after this one, under the same CRL.
fn restarted(world: &World, past: Past, revoked: &[&Credential]) -> World {
    let mut next = World::restored(world.options.clone(), kept(world), past);
    next.publish(9, revoked);
    next
}

#[test]
fn a_restart_goes_on_with_what_was_decided_and_tells_nobody_twice() {
    let mut world = World::with(Options { automatic: Automatic { at_most: 1, ..Automatic::default() }, ..options() });
    for number in 0..4 {
        log_in(&mut world, [&pki().member_p256, &pki().member_rsa][usize::from(number > 0)], number);
    }
    // A session that its NAS accounts for stays until it says that it has ended.
    let told = ack_all(&mut world);
    assert_eq!(told, Vec::<String>::new());
    let revoked = [&pki().member_p256, &pki().member_rsa];
    world.publish(2, &revoked);
    assert_eq!(ack_all(&mut world), Vec::<String>::new());
    let [batch] = held(&world).try_into().expect("one batch");
    assert_eq!(batch.sessions.len(), 4);

    // Held: the same batch under the same name, and nobody is told.
    let mut next = restarted(&world, past(&world, &[], &[]), &revoked);
    assert_eq!((ack_all(&mut next), held(&next).len()), (Vec::new(), 0), "nothing new is held");
    next.order(Order::Held);
    next.sent();
    assert_eq!(next.results.last(), Some(&Done::Held(vec![batch.clone()])));

    // Discarded: they stay, and nothing waits.
    let mut next = restarted(&world, past(&world, &[], &[batch.id]), &revoked);
    assert_eq!((ack_all(&mut next), held(&next).len(), next.engine.sessions().len()), (Vec::new(), 0, 4));

    // Released, and the process has ended before anybody was told.
    let mut next = restarted(&world, past(&world, &[batch.id], &[]), &revoked);
    assert_eq!(ack_all(&mut next).len(), 4);
    assert!(next.engine.sessions().is_empty());
}

#[test]
fn what_its_nas_has_answered_about_is_not_told_again_by_a_restart() {
    let mut world = World::with(options());
    log_in(&mut world, &pki().member_p256, 1);
    world.publish(2, &[&pki().member_p256]);
    world.wait(Duration::ZERO);
    world.sent();
    let request = world.requests.remove(0);
    let parsed = Packet::parse(&request.octets).expect("a packet");
    let mut octets = Vec::new();
    let writer = Writer::new(&mut octets, Code::DISCONNECT_NAK, parsed.identifier());
    writer.finish(&Key::new(Secret::new(SECRET)), parsed.authenticator()).expect("it fits");

    // Before its answer.
    let mut next = restarted(&world, past(&world, &[], &[]), &[&pki().member_p256]);
    assert_eq!(ack_all(&mut next).len(), 1);
    // After it.
    world.engine.handle(world.now, Arrival::Reply { from: request.to, octets: &octets });
    world.sent();
    let mut next = restarted(&world, past(&world, &[], &[]), &[&pki().member_p256]);
    assert_eq!((ack_all(&mut next), next.engine.sessions().len()), (Vec::new(), 1));
    // A block of the same is news.
    let block = Block { since: next.now.wall, until: None, reason: "left".into(), by: "desk".into() };
    let user = next.engine.sessions().iter().next().and_then(|it| it.user.clone()).expect("it is known");
    next.options.blocks = Blocks::new(Vec::new(), vec![(user.to_string(), block)]).into();
    next.publish(10, &[&pki().member_p256]);
    assert_eq!(ack_all(&mut next).len(), 1);
}

#[test]
fn where_nothing_goes_by_itself_an_order_still_does_and_when_it_may_again_those_who_had_to_go_do() {
    let mut world =
        World::with(Options { automatic: Automatic { enabled: false, ..Automatic::default() }, ..options() });
    log_in(&mut world, &pki().member_p256, 1);
    log_in(&mut world, &pki().member_p256, 2);
    world.publish(2, &[&pki().member_p256]);
    assert_eq!(ack_all(&mut world), Vec::<String>::new());
    let first = world.engine.sessions().iter().next().expect("a session").id;
    world.order(Order::Disconnect(first, "desk".into()));
    world.sent();
    assert_eq!((ack_all(&mut world).len(), world.engine.sessions().len()), (1, 1));
    world.options.automatic.enabled = true;
    world.publish(2, &[&pki().member_p256]);
    assert_eq!((ack_all(&mut world).len(), world.engine.sessions().len()), (1, 0));
}

#[test]
fn somebody_held_for_a_crl_goes_when_an_operator_blocks_him() {
    let mut world = World::with(Options { automatic: Automatic { at_most: 0, ..Automatic::default() }, ..options() });
    log_in(&mut world, &pki().member_p256, 1);
    world.publish(2, &[&pki().member_p256]);
    assert_eq!((ack_all(&mut world), held(&world).len()), (Vec::new(), 1));
    let block = Block { since: world.now.wall, until: None, reason: "left".into(), by: "desk".into() };
    let user = world.engine.sessions().iter().next().and_then(|it| it.user.clone()).expect("it is known");
    world.options.blocks = Blocks::new(Vec::new(), vec![(user.to_string(), block)]).into();
    world.publish(2, &[&pki().member_p256]);
    assert_eq!((ack_all(&mut world).len(), world.engine.sessions().len()), (1, 0));
    world.order(Order::Held);
    world.sent();
    assert_eq!(world.results.last(), Some(&Done::Held(Vec::new())), "its batch is empty");
}

#[test]
fn whoever_is_suspended_has_to_go() {
    let mut world = World::with(options());
    log_in(&mut world, &pki().member_p256, 1);
    let user = world.engine.sessions().iter().next().and_then(|it| it.user.clone()).expect("it is known");
    world.reload(|options| options.suspended = Box::leak(user.to_string().into_boxed_str()));
    assert_eq!((ack_all(&mut world).len(), world.engine.sessions().len()), (1, 0));
}

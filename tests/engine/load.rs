//! More work than can be done: the catalogue's T11 and L01.

use std::sync::Arc;
use std::time::Duration;

use sekisho::event::{Outcome, Reason, TlsVersion};

use crate::eap::unfragmented;
use crate::hand::{Hand, Walk, eap_of, identity, tls, tls_of};
use crate::pki::pki;
use crate::simulation::{Flood, Simulation};
use crate::world::{NAS, Options, World, station, supplicant};

/// Conversations that wait for the first Step of theirs: half a second of work and more.
fn fill(world: &mut World) -> usize {
    let mut hands: Vec<(Hand, u8)> = (0..3_000_u16)
        .map(|number| {
            let mut hand = Hand::new(NAS, 2_000 + number);
            let start = hand.start(world);
            (hand, start.next())
        })
        .collect();
    let mut dropped = 0;
    for (hand, identifier) in &mut hands {
        let request = hand.request(&tls(*identifier, 0, None, &[22; 20]));
        let before = world.engine.waiting_steps();
        assert!(world.hand_in_from(hand.peer, &request).is_empty());
        dropped += usize::from(world.engine.waiting_steps() == before);
    }
    dropped
}

#[test]
fn t11_no_more_work_waits_than_can_be_done_in_time_and_what_has_begun_goes_first() {
    let mut world = World::with(Options { max_conversations: 10_000, fragment_size: 3_500, ..Options::default() });
    let who = unfragmented(&pki().member_p256, TlsVersion::Tls13);
    let mut begun = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 2);
    let mut started = Walk::new(&world, &who, station("JAIST", 2), false);
    started.peer.set_port(1_700);
    let mut started = started.rounds(&mut world, 1);
    let dropped = fill(&mut world);
    let waiting = world.engine.waiting_steps();
    assert_eq!((waiting, dropped), (1_667, 3_000 - 1_667), "half a second of 300 us each");
    assert_eq!(world.count(Outcome::Drop, Reason::Overload), dropped);
    // Nobody new, neither before nor after the identity.
    assert!(world.hand_in_from(started.peer, &started.request).is_empty());
    assert!(world.hand_in_from((NAS, 1_800).into(), &Hand::here().request(&identity(1, b"a"))).is_empty());
    assert_eq!((world.engine.waiting_steps(), world.count(Outcome::Drop, Reason::Overload)), (waiting, dropped + 2));
    // Who has begun is next.
    assert!(world.hand_in_from(begun.peer, &begun.request).is_empty());
    assert_eq!(world.engine.waiting_steps(), waiting + 1);
    let sent = world.step().expect("work");
    assert!(begun.take(&world, &sent[0].octets).is_none());
    while world.step().is_some() {}
    assert!(begun.finish(&mut world).logged_in);
    // And who was dropped is served when the same request comes again.
    assert!(started.finish(&mut world).logged_in);
}

/// How many of these times lie in each whole second before `until`.
fn by_second(times: &[Duration], until: Duration) -> Vec<usize> {
    let mut seconds = vec![0; usize::try_from(until.as_secs()).expect("hours")];
    for time in times {
        if let Some(count) = seconds.get_mut(usize::try_from(time.as_secs()).expect("hours")) {
            *count += 1;
        }
    }
    seconds
}

#[test]
fn l01_after_a_power_cut_all_access_points_at_once_are_served_without_a_collapse() {
    // A tenth and less of the catalogue's 3,000 access points, and a Step that takes so much longer: the same load.
    let (access_points, clients, step) = (150, 10, Duration::from_millis(6));
    let world = World::with(Options { max_conversations: 2_000, ..Options::default() });
    let mut simulation = Simulation::new(world, step);
    let who = Arc::new(supplicant(&pki().member_p256, None));
    for access_point in 0..access_points {
        for client in 0..clients {
            simulation.client(&who, access_point, Duration::from_micros(u64::from(access_point * 37 + client)));
        }
    }
    simulation.run(Duration::from_secs(120));
    let work = step * 2 * u32::from(access_points * clients);
    let ends = simulation.ends();
    assert_eq!(ends.len(), usize::from(access_points * clients), "everybody is in");
    assert_eq!(simulation.stepped.len(), 2 * ends.len(), "no work is done twice or for nobody");
    let last = *ends.last().expect("ends");
    assert!(last <= work * 3 / 2, "{last:?} for {work:?} of work");
    let seconds = by_second(&ends, last);
    let peak = *seconds.iter().max().expect("seconds");
    assert!(seconds.iter().all(|ended| ended * 5 >= peak * 4), "{seconds:?}");
}

#[test]
fn t11_a_flood_of_client_hellos_at_ten_times_the_capacity_costs_no_throughput_and_keeps_nobody_out() {
    let step = Duration::from_millis(6);
    // As many as could be begun in six seconds, as with the default of 20,000 and Steps of 300 us: those who leave fill it again and again.
    let world = World::with(Options { max_conversations: 1_000, ..Options::default() });
    let mut simulation = Simulation::new(world, step);
    let who = Arc::new(supplicant(&pki().member_p256, None));
    let begun = 30;
    for number in 0..begun {
        simulation.client(&who, number, Duration::from_millis(u64::from(number) * 5));
    }
    for number in 0..100 {
        simulation.client(&who, number, Duration::from_millis(1_000 + u64::from(number) * 150));
    }
    let until = Duration::from_secs(20);
    let flood = Flood { hello: client_hello(), every: step / 10, until };
    simulation.flood(flood, Duration::from_millis(200));
    simulation.run(until);
    let seconds = by_second(&simulation.stepped, until);
    let capacity = 1_000 / 6;
    assert!(seconds.iter().all(|steps| steps * 5 >= capacity * 4), "good-put: {seconds:?}");
    let took = simulation.took();
    assert!(
        took[..usize::from(begun)].iter().all(|took| took.is_some_and(|took| took < Duration::from_secs(1))),
        "begun first"
    );
    assert!(took.iter().all(|took| took.is_some_and(|took| took < Duration::from_secs(10))), "{took:?}");
}

fn client_hello() -> Vec<u8> {
    let mut world = World::new();
    let who = supplicant(&pki().member_p256, None);
    let walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 1);
    tls_of(&eap_of(&walk.request)).to_vec()
}

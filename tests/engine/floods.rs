//! More than can be done: the catalogue's E11, E12, T11, L01.

use std::sync::Arc;
use std::time::Duration;

use sekisho::event::{Outcome, Reason};
use sekisho::radius::Code;

use crate::hand::{Hand, Walk, eap_of, identity, tls, tls_of};
use crate::pki::pki;
use crate::simulation::{Flood, Simulation};
use crate::world::{NAS, Options, World, station, supplicant};

#[test]
fn e11_a_flood_of_identities_keeps_nobody_out_and_ends_nothing_that_has_begun() {
    let limit = 500;
    let mut world = World::with(Options { max_conversations: limit, ..Options::default() });
    let who = supplicant(&pki().member_p256, None);
    let mut begun = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 2);
    let mut number = 0;
    let mut flood = |world: &mut World, identities: u16| {
        for _ in 0..identities {
            number += 1;
            let mut hand = Hand::new(NAS, 2_000 + number).of_station(&format!("half-open {number}"));
            assert_eq!(hand.ask(world, &identity(1, b"@jaist.ac.jp")).code, Code::ACCESS_CHALLENGE);
            assert!(world.engine.conversations() <= limit);
        }
    };
    flood(&mut world, 1_000);
    assert_eq!(world.engine.conversations(), limit);
    let mut fresh = Walk::new(&world, &who, station("JAIST", 2), false);
    fresh.peer.set_port(1_700);
    let report = loop {
        if let Some(report) = fresh.round(&mut world) {
            break report;
        }
        flood(&mut world, 100);
    };
    assert!(report.logged_in, "a good client still gets in: {report:?}");
    flood(&mut world, 1_000);
    assert!(begun.finish(&mut world).logged_in, "what has begun goes on");
    world.wait(Duration::from_secs(60));
    assert_eq!(world.engine.conversations(), 0, "recovery");
}

#[test]
fn e11_a_nas_with_a_cap_of_its_own_stays_below_it_and_leaves_room_for_others() {
    let mut world = World::with(Options { nas_max_conversations: 10, ..Options::default() });
    for number in 0..20 {
        Hand::new(NAS, 2_000 + number).send(&mut world, &identity(1, b"@jaist.ac.jp"));
    }
    assert_eq!((world.engine.conversations(), world.count(Outcome::Drop, Reason::Overload)), (10, 10));
    Hand::new(crate::world::OTHER_NAS, 1_645).start(&mut world);
    world.wait(Duration::from_secs(60));
    Hand::here().start(&mut world);
    assert_eq!(world.engine.conversations(), 1);
}

#[test]
fn e12_of_a_thousand_conversations_of_one_station_the_newest_three_live() {
    let mut world = World::with(Options { max_conversations: 10_000, ..Options::default() });
    let mut hands = Vec::new();
    for number in 0..1_000_u16 {
        // One station, however its address is written.
        let mac = if number % 2 == 0 { "02-00-00-AA-BB-CC" } else { "02:00:00:aa:bb:cc" };
        let mut hand = Hand::new(NAS, 2_000 + number).of_station(mac);
        let start = hand.start(&mut world);
        assert!(world.engine.conversations() <= 3);
        hands.push((hand, start.next()));
    }
    let mut elsewhere = Hand::new(crate::world::OTHER_NAS, 1_645).of_station("02-00-00-AA-BB-CC");
    elsewhere.start(&mut world);
    assert_eq!(world.engine.conversations(), 4, "another NAS' station is another");
    let (dead, live) = hands.split_at_mut(997);
    for (hand, identifier) in dead {
        assert!(hand.ask(&mut world, &tls(*identifier, 0, None, &[22; 20])).is_failure());
        assert_eq!(world.decided(), (Outcome::Reject, Reason::ConversationExpired));
    }
    for (hand, identifier) in live {
        assert_eq!(hand.ask(&mut world, &tls(*identifier, 0, None, &[22; 20])).code, Code::ACCESS_CHALLENGE);
    }
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

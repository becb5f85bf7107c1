use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::observe::limiter::Limiter;

fn at(milliseconds: u64) -> Mono {
    Mono(Duration::from_millis(milliseconds))
}

fn v4(n: u32) -> IpAddr {
    IpAddr::from(Ipv4Addr::from_bits(n))
}

#[test]
fn a_source_gets_one_line_a_second_and_its_next_says_how_many_were_kept_back() {
    let mut limiter = Limiter::default();
    assert_eq!(limiter.allow(v4(1), at(0)), Some(0));
    for n in 1..100 {
        assert_eq!(limiter.allow(v4(1), at(n * 10)), None);
    }
    assert_eq!(limiter.allow(v4(2), at(995)), Some(0));
    assert_eq!(limiter.allow(v4(1), at(1_000)), Some(99));
    assert_eq!(limiter.allow(v4(1), at(1_001)), None);
    assert_eq!(limiter.allow(v4(1), at(2_001)), Some(1));
}

#[test]
fn forged_addresses_fill_neither_table_nor_log() {
    let mut limiter = Limiter::default();
    let lines = (0..200_000).filter(|n| limiter.allow(v4(*n), at(u64::from(*n) / 100)).is_some()).count();
    assert_eq!(limiter.len(), 1_024);
    assert!(lines <= 2 * 100, "{lines} lines in two seconds");
    assert!(lines >= 100, "{lines} lines in two seconds");
}

#[test]
fn a_full_table_makes_room_when_sources_grow_quiet() {
    let mut limiter = Limiter::default();
    for n in 0..5_000 {
        limiter.allow(v4(n), at(0));
    }
    assert_eq!(limiter.len(), 1_024);
    assert_eq!(limiter.allow(v4(1 << 20), at(5_000)), Some(0));
    assert_eq!(limiter.len(), 1);
}

#[test]
fn an_ipv6_network_is_one_source_and_a_mapped_address_is_ipv4() {
    let mut limiter = Limiter::default();
    let v6 = |text: &str| text.parse::<IpAddr>().expect("an address");
    assert_eq!(limiter.allow(v6("2001:db8:1:2::1"), at(0)), Some(0));
    assert_eq!(limiter.allow(v6("2001:db8:1:2:ffff::1"), at(0)), None);
    assert_eq!(limiter.allow(v6("2001:db8:1:3::1"), at(0)), Some(0));
    assert_eq!(limiter.allow(v6("::ffff:192.0.2.1"), at(0)), Some(0));
    assert_eq!(limiter.allow(v6("192.0.2.1"), at(0)), None);
    assert_eq!(limiter.allow(v6("192.0.2.2"), at(0)), Some(0));
}

#[test]
fn time_that_goes_back_allows_nothing() {
    let mut limiter = Limiter::default();
    assert_eq!(limiter.allow(v4(1), at(10_000)), Some(0));
    assert_eq!(limiter.allow(v4(1), at(0)), None);
}

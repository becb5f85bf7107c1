//! Addresses that nobody outside may make us connect to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::exchange::Prefix;

/// Whether a connection may go to `address`: it is public, or lies in a network that is allowed.
pub(super) fn may_connect(address: IpAddr, allow: &[Prefix]) -> bool {
    let allowed = |address| {
        let host = Prefix::new(address, if address.is_ipv4() { 32 } else { 128 });
        host.is_some_and(|host| allow.iter().any(|network| network.contains(&host)))
    };
    let inside = unwrapped(address);
    // Who reaches an IPv4 host by way of IPv6 must be allowed one of the two.
    allowed(address) || allowed(inside) || (is_public(inside) && is_public(address))
}

/// The IPv4 address that an IPv6 address stands for, or the address itself: mapped (::ffff:0:0/96), compatible (::/96), NAT64 (64:ff9b::/96), 6to4 (2002::/16).
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let low = |bits: u128| Ipv4Addr::from_bits((bits & u128::from(u32::MAX)) as u32);
    let bits = v6.to_bits();
    match v6.segments() {
        // `::` and `::1` are IPv6's own.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => address,
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => low(bits).into(),
        [0x2002, ..] => low(bits >> 80).into(),
        _ => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Without what RFC 6890 and its registry call local.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let this_network = a == 0;
    let shared = a == 100 && (64..128).contains(&b);
    let protocol_assignments = (a, b, c) == (192, 0, 0);
    let benchmarking = a == 198 && (18..20).contains(&b);
    let reserved = a >= 240;
    !(this_network
        || shared
        || protocol_assignments
        || benchmarking
        || reserved
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, ..] = address.segments();
    let site_local = first & 0xffc0 == 0xfec0;
    // For use behind a translator of one's own (RFC 8215).
    let local_nat64 = (first, second, third) == (0x64, 0xff9b, 1);
    !(address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || site_local
        || local_nat64)
}

//! A name that several people have, as a CN may be: it says nothing of whom the concentrator has seen.

use rcgen::{CertificateParams, DnType, SerialNumber, date_time_ymd};
use sekisho::event::{Evidence, Reason};
use sekisho::policy::UsernameSource;

use super::gateway::{
    Gateway, TARO, accepted, answer, authentication, by_name, certificate_blocked, facts, found, person_blocked,
    refused,
};
use crate::pki::{CAMPUS, Credential, pki};
use crate::support::certificates::{self, Authority, Key};
use crate::world::{Options, World};

/// Her CN is his.
const OTHER: &str = "taro.the.second@jaist.ac.jp";

fn by_cn() -> Options {
    let mut options = by_name();
    options.authorize.as_mut().expect("there").name = UsernameSource::Cn;
    options
}

/// Of another Taro.
fn namesake(issuer: &Authority, organisation: &str, change: impl FnOnce(&mut CertificateParams)) -> Credential {
    let subject = [(DnType::CountryName, "JP"), (DnType::OrganizationName, organisation), (DnType::CommonName, "taro")];
    let mut params = certificates::client(&subject, OTHER);
    params.serial_number = Some(SerialNumber::from(0x77_0001_u64));
    change(&mut params);
    let key = Key::P256.make();
    let certificate = params.signed_by(&key, issuer).expect("a certificate");
    Credential::new(certificate.pem(), key.serialize_pem())
}

/// Taro is asked for by his CN, and the registry knows these beside his.
fn asked_for(world: &mut World, others: &[&Credential]) -> Vec<sekisho::exchange::Outgoing> {
    Gateway::here().look(world, "Taro");
    let all: Vec<&Credential> = [&pki().member_p256].into_iter().chain(others.iter().copied()).collect();
    let found = found(world, &all);
    answer(world, found)
}

#[test]
fn of_two_who_have_the_name_neither_comes_in_as_the_other() {
    let other = namesake(&pki().ca16, CAMPUS, |_| {});
    let mut world = World::with(by_cn());
    let sent = asked_for(&mut world, &[&other]);
    refused(&world, &sent, Reason::IdentityAmbiguous);
    let [Evidence::Names(names)] = &authentication(&world).evidence[..] else { panic!("names") };
    assert!(names.len() == 2 && [TARO, OTHER].iter().all(|name| names.iter().any(|it| it == name)), "{names:?}");
    // Whoever of them is blocked doesn't come in either.
    let blocked = certificate_blocked(&facts(&World::with(by_cn()), &other));
    for blocks in [person_blocked(OTHER), blocked] {
        let mut world = World::with(Options { blocks, ..by_cn() });
        let sent = asked_for(&mut world, &[&other]);
        refused(&world, &sent, Reason::IdentityAmbiguous);
    }
}

#[test]
fn who_is_no_member_or_whose_time_is_over_keeps_nobody_out() {
    let over = namesake(&pki().ca16, CAMPUS, |params| params.not_after = date_time_ymd(2021, 1, 1));
    let elsewhere = namesake(&pki().ca16, "Another Institute of Technology", |_| {});
    for other in [over, elsewhere] {
        let mut world = World::with(by_cn());
        let sent = asked_for(&mut world, &[&other]);
        accepted(&world, &sent);
        assert_eq!(authentication(&world).user.as_deref(), Some(TARO));
    }
}

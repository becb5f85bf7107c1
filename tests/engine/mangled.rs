//! Every request of a login, mangled at every octet and signed again as a NAS would: nothing panics, nobody gets in by it, nothing is left behind.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sekisho::event::{Outcome, TlsVersion};
use sekisho::supplicant::{Login, Next, Supplicant};

use crate::chance::Chance;
use crate::pki::pki;
use crate::world::{Options, SECRET, World, asker, station, supplicant};

const HEADER: usize = 20;
const STATE: u8 = 24;
const EAP_MESSAGE: u8 = 79;
const MESSAGE_AUTHENTICATOR: u8 = 80;
const EAP_TLS: u8 = 13;
/// Code, Identifier, Length, type and flags of an EAP-TLS response.
const EAP_TLS_HEADER: usize = 6;

/// A request taken apart.
#[derive(Clone)]
struct Request {
    header: [u8; HEADER],
    attributes: Vec<(u8, Vec<u8>)>,
}

impl Request {
    fn read(octets: &[u8]) -> Self {
        let (header, mut rest) = octets.split_first_chunk().expect("a header");
        let mut attributes = Vec::new();
        while let [kind, length, ..] = *rest {
            let (attribute, after) = rest.split_at(length.into());
            attributes.push((kind, attribute[2..].to_vec()));
            rest = after;
        }
        Self { header: *header, attributes }
    }

    fn eap(&self) -> Vec<u8> {
        let parts = self.attributes.iter().filter(|(kind, _)| *kind == EAP_MESSAGE);
        parts.flat_map(|(_, value)| value.clone()).collect()
    }

    /// The same with another EAP packet, in the place of the old one.
    fn with_eap(&self, eap: &[u8]) -> Self {
        let at = self.attributes.iter().position(|(kind, _)| *kind == EAP_MESSAGE).expect("an EAP packet");
        let mut attributes = self.attributes.clone();
        attributes.retain(|(kind, _)| *kind != EAP_MESSAGE);
        attributes.splice(at..at, eap.chunks(253).map(|part| (EAP_MESSAGE, part.to_vec())));
        Self { header: self.header, attributes }
    }

    fn write(&self) -> Vec<u8> {
        let mut octets = self.header.to_vec();
        for (kind, value) in &self.attributes {
            octets.extend([*kind, u8::try_from(value.len() + 2).unwrap_or(u8::MAX)]);
            octets.extend(value);
        }
        with_length(octets)
    }
}

fn with_length(mut octets: Vec<u8>) -> Vec<u8> {
    let length = u16::try_from(octets.len()).expect("a short packet").to_be_bytes();
    octets[2..4].copy_from_slice(&length);
    octets
}

/// Makes Message-Authenticator right again, wherever it stands; what has none or is no packet stays as it is.
fn sign(mut octets: Vec<u8>) -> Vec<u8> {
    let declared = octets.get(2..4).map_or(0, |length| usize::from(u16::from_be_bytes([length[0], length[1]])));
    let end = declared.min(octets.len());
    let mut at = HEADER;
    while let Some([kind, length, ..]) =
        octets.get(at..end).filter(|rest| rest.len() >= 2).map(|rest| [rest[0], rest[1], 0])
    {
        if kind == MESSAGE_AUTHENTICATOR && length == 18 && at + 18 <= end {
            octets[at + 2..at + 18].fill(0);
            let mut mac = Hmac::<Md5>::new_from_slice(SECRET).expect("a key of any length");
            mac.update(&octets[..end]);
            octets[at + 2..at + 18].copy_from_slice(&mac.finalize().into_bytes());
            return octets;
        }
        at += usize::from(length).max(2);
    }
    octets
}

/// One change to some octets, by chance.
fn change(octets: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(octets.len() + 1);
    let octet = [0, 1, 0x7f, 0x80, 0xff, chance.octet()][chance.below(6)];
    match chance.below(6) {
        0 => octets.truncate(at),
        1 => octets.insert(at, octet),
        2 if at < octets.len() => drop(octets.remove(at)),
        3 => octets.extend(std::iter::repeat_n(octet, chance.below(600))),
        4 if at < octets.len() => octets[at] ^= 1 << chance.below(8),
        _ if at < octets.len() => octets[at] = octet,
        _ => octets.clear(),
    }
}

/// A mangled request. Its Identifier and Request Authenticator stay, so that the answer is one to the request as it was.
fn mangle(request: &Request, chance: &mut Chance) -> Vec<u8> {
    let mut request = request.clone();
    match chance.below(8) {
        // EAP, and its Length sometimes right.
        0..=3 => {
            let mut eap = request.eap();
            (0..=chance.below(3)).for_each(|_| change(&mut eap, chance));
            eap.truncate(3_000);
            if chance.below(3) > 0 && eap.len() >= 4 {
                let length = u16::try_from(eap.len()).expect("a short packet").to_be_bytes();
                eap[2..4].copy_from_slice(&length);
            }
            sign(request.with_eap(&eap).write())
        }
        // One attribute.
        4 => {
            let at = chance.below(request.attributes.len());
            change(&mut request.attributes[at].1, chance);
            request.attributes[at].1.truncate(253);
            sign(request.write())
        }
        // Attributes twice, gone, elsewhere, of another type.
        5 => {
            let (at, to) = (chance.below(request.attributes.len()), chance.below(request.attributes.len()));
            match chance.below(4) {
                0 => request.attributes.insert(to, request.attributes[at].clone()),
                1 => drop(request.attributes.remove(at)),
                2 => request.attributes.swap(at, to),
                _ => request.attributes[at].0 = chance.octet(),
            }
            sign(request.write())
        }
        // Raw octets after the Request Authenticator.
        _ => {
            let mut octets = request.write();
            let mut rest = octets.split_off(HEADER);
            change(&mut rest, chance);
            rest.truncate(4_000);
            octets.extend(rest);
            sign(if chance.below(4) > 0 { with_length(octets) } else { octets })
        }
    }
}

/// A login up to its request number `stage`, from 0; `None`: it has fewer.
fn up_to(world: &mut World, who: &Supplicant, number: u32, stage: usize) -> Option<(Login, Vec<u8>)> {
    let mut login = who.login(asker(), station("JAIST", number), false, world.now.wall);
    let mut request = login.begin();
    for _ in 0..stage {
        let answers = world.exchange(1_645, &request);
        let Next::Send(next) = login.handle(&answers.first()?.octets, world.now.wall) else { return None };
        request = next;
    }
    Some((login, request))
}

/// What came of a mangled request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// No answer: the conversation is where it was.
    Nothing,
    Refused,
    LetIn,
}

/// Hands in a mangled request and, where that is answered by a challenge, goes on with the login as its supplicant would.
fn hand_in(world: &mut World, login: &mut Login, octets: &[u8]) -> Came {
    let mut octets = octets.to_vec();
    let mut first = true;
    loop {
        let answers = world.exchange(1_645, &octets);
        assert!(answers.len() <= 1, "one request has one answer");
        let Some(answer) = answers.first() else {
            return if first { Came::Nothing } else { Came::Refused };
        };
        first = false;
        match answer.octets.first() {
            Some(2) => return Came::LetIn,
            Some(11) => {}
            _ => return Came::Refused,
        }
        match login.handle(&answer.octets, world.now.wall) {
            Next::Send(next) => octets = next,
            Next::Ignored | Next::Done(_) => return Came::Refused,
        }
    }
}

/// TLS octets without the versions of records, which mean nothing (RFC 8446 section 5.1).
fn without_versions(tls: &[u8]) -> Vec<u8> {
    let mut octets = tls.to_vec();
    let mut at = 0;
    while let Some([_, version @ .., high, low]) = octets.get_mut(at..at + 5) {
        version.fill(0);
        at += 5 + usize::from(u16::from_be_bytes([*high, *low]));
    }
    octets
}

/// Whether a mangled request still says what its original did, as far as a login depends on it: State and TLS. An outer identity is anybody's to choose.
fn says_the_same(original: &Request, octets: &[u8]) -> bool {
    let mangled = Request::read(&octets[..usize::from(u16::from_be_bytes([octets[2], octets[3]]))]);
    let state = |request: &Request| request.attributes.iter().find(|(kind, _)| *kind == STATE).cloned();
    let tls = |request: &Request| {
        let eap = request.eap();
        (eap.get(4) == Some(&EAP_TLS)).then(|| without_versions(eap.get(EAP_TLS_HEADER..).unwrap_or_default()))
    };
    state(original) == state(&mangled) && tls(original) == tls(&mangled)
}

fn after(world: &mut World) {
    world.wait(Duration::from_secs(3_600));
    // Who was let in is online for as long as the service says.
    world.wait(Duration::from_secs(9 * 3_600));
    world.sent();
    assert_eq!((world.engine.conversations(), world.engine.waiting_steps()), (0, 0));
    assert_eq!(world.engine.poll_timeout(), None, "nothing is left to be forgotten");
    world.events.clear();
}

/// Mangles every stage of a login; `mangled` makes the nth variant of a request, `None` when there are no more.
fn every_stage(
    who: &Supplicant,
    may_come_in: bool,
    mangled: impl Fn(&Request, usize, usize) -> Option<Vec<u8>>,
) -> usize {
    let mut world = World::with(Options { fragment_size: 900, ..Options::default() });
    let mut number = 0;
    let mut count = 0;
    for stage in 0.. {
        let mut variant = 0;
        loop {
            number += 1;
            let Some((mut login, request)) = up_to(&mut world, who, number, stage) else {
                assert!(stage > 3, "a login has more stages than {stage}");
                return count;
            };
            let original = Request::read(&request);
            // Those that are dropped leave the conversation as it was, for the next.
            let came = loop {
                let Some(octets) = mangled(&original, stage, variant) else { break None };
                variant += 1;
                count += 1;
                match hand_in(&mut world, &mut login, &octets) {
                    Came::Nothing => {}
                    Came::LetIn => {
                        let same = says_the_same(&original, &octets);
                        assert!(may_come_in && same, "let in: stage {stage}, variant {}: {octets:02x?}", variant - 1);
                        break Some(());
                    }
                    Came::Refused => break Some(()),
                }
            };
            world.events.retain(|event| event.outcome == Outcome::Accept);
            if came.is_none() {
                break;
            }
        }
        after(&mut world);
    }
    count
}

#[test]
fn every_octet_of_every_request_may_be_changed() {
    for (version, bit) in [(TlsVersion::Tls13, 0), (TlsVersion::Tls12, 7)] {
        let who = supplicant(&pki().member_p256, Some(version));
        let count = every_stage(&who, true, |original, stage, variant| {
            let mut octets = original.write();
            // Identifier and Request Authenticator aside: they make it another request.
            *octets.get_mut(HEADER + variant)? ^= 1 << ((bit + stage + variant) % 8);
            Some(sign(octets))
        });
        assert!(count > 1_500, "{count} mangled packets");
    }
}

#[test]
fn random_changes_let_nobody_in() {
    for (version, seed) in [(TlsVersion::Tls13, 1), (TlsVersion::Tls12, 2)] {
        for (credential, may_come_in) in [(&pki().member_p256, true), (&pki().revoked, false)] {
            let who = supplicant(credential, Some(version));
            let count = every_stage(&who, may_come_in, |original, stage, variant| {
                let seed = (seed << 40 | stage << 20 | variant) as u64;
                (variant < 300).then(|| mangle(original, &mut Chance::new(seed)))
            });
            assert!(count >= 1_200, "{count} mangled packets");
        }
    }
}

/// The same without the secret: what is changed on the way is not even looked at.
#[test]
fn w04_every_octet_that_somebody_on_the_way_changes_is_noticed() {
    let who = supplicant(&pki().member_p256, None);
    let mut world = World::new();
    for stage in 0..4 {
        let (_, request) = up_to(&mut world, &who, stage, usize::try_from(stage).expect("small")).expect("a stage");
        for at in 0..request.len() {
            let mut octets = request.clone();
            octets[at] ^= 0x10;
            assert!(world.exchange(1_645, &octets).is_empty(), "stage {stage}, octet {at}");
        }
    }
    after(&mut world);
}

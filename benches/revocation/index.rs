//! The index of a CRL's serials: how long it takes to build, what it holds, how fast something is found.

use std::hint::black_box;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use sekisho::event::Reason;
use sekisho::pki::{self, Crl, Facts, Revocation, Trust};

use crate::campus::{Campus, wall};
use crate::crl::{SERIAL, mix, revoked, stranger};
use crate::world::{NAME, authority};
use crate::{Amount, median_of, shortest_of};

/// Look-ups that are timed together: so few that hardly any other process comes between.
const BATCH: usize = 500;

pub(crate) struct Index {
    /// Milliseconds.
    pub(crate) load: f64,
    /// The same.
    pub(crate) hash: f64,
    /// Octets that a CRL holds.
    pub(crate) settled: i64,
    /// Most octets held while one CRL replaces another.
    pub(crate) peak: u64,
    /// Nanoseconds of a verdict; of a CRL that lists nobody none.
    pub(crate) hit: f64,
    /// The same.
    pub(crate) miss: f64,
}

pub(crate) fn measure(campus: &Campus, entries: u32, amount: &Amount) -> Index {
    let (trust, _) = Trust::new(&[authority(campus)], wall()).expect("a good authority");
    let load = || Crl::load(&campus.crl, &NAME.into(), &"memory".into(), &trust).expect("a good CRL");
    let mut crl = None;
    let settled = allocation_counter::measure(|| crl = Some(load())).bytes_current;
    let crl = crl.expect("it was loaded");
    assert_eq!(crl.summary().entries, entries as usize);
    let case = Case {
        facts: Facts::clone(&trust.facts(&[campus.member(0)]).expect("a member")),
        revocation: Revocation::new(vec![Arc::new(crl)]),
        trust: &trust,
        amount,
    };
    let drawn = |index| revoked((mix(index) % u64::from(entries.max(1))) as u32);
    Index {
        load: shortest_of(amount.repeats, load) / 1e3,
        hash: shortest_of(amount.repeats, || digest(&SHA256, &campus.crl)) / 1e3,
        settled,
        peak: peak(campus, &trust),
        hit: if entries == 0 { 0.0 } else { case.verdicts(drawn, Reason::Revoked) },
        miss: case.verdicts(|index| stranger(1_000_000 + index), Reason::Ok),
    }
}

/// Most octets held while a CRL is swapped for one as long, whose octets are in hand.
fn peak(campus: &Campus, trust: &Trust) -> u64 {
    let counted = allocation_counter::measure(|| {
        let octets = campus.crl.clone();
        let load = || Crl::load(&octets, &NAME.into(), &"memory".into(), trust).expect("a good CRL");
        let in_use = load();
        let next = load();
        black_box((in_use, next));
    });
    counted.bytes_max
}

struct Case<'a> {
    facts: Facts,
    revocation: Revocation,
    trust: &'a Trust,
    amount: &'a Amount,
}

impl Case<'_> {
    /// Nanoseconds of one verdict about a certificate with a serial of these, never the same twice.
    fn verdicts(&self, serial: impl Fn(u64) -> [u8; SERIAL], wanted: Reason) -> f64 {
        let now = wall();
        let mut facts = self.facts.clone();
        let serials: Vec<_> = (0..self.amount.look_ups).map(serial).collect();
        let mut batches = serials.chunks(BATCH);
        let time = median_of(batches.len(), || {
            for serial in batches.next().into_iter().flatten() {
                facts.links[0].serial.copy_from_slice(serial);
                let verdict = pki::verdict(self.trust, &self.revocation, &facts, now);
                assert_eq!(black_box(verdict).finding, wanted);
            }
        });
        time * 1e3 / BATCH as f64
    }
}

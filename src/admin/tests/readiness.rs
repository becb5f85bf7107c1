//! What `/readyz` says.

use std::sync::Arc;

use crate::admin::*;
use crate::event::Reason;
use crate::pki::{Coverage, Gap};

fn gap(authority: &str, finding: Reason, next_update: Option<i64>) -> Gap {
    Gap {
        authority: authority.into(),
        issuer: format!("CN={authority}"),
        finding,
        next_update: next_update.map(Wall),
        wants_crl: true,
        wants_responder: false,
    }
}

fn covered(authority: &str, decides: bool, gaps: Vec<Gap>) -> Coverage {
    Coverage { authority: authority.into(), decides, gaps }
}

fn assessed(services: &[&[&str]], coverage: &[Coverage]) -> Readiness {
    let services: Vec<Vec<Arc<str>>> =
        services.iter().map(|names| names.iter().map(|name| Arc::from(*name)).collect()).collect();
    assess(services.iter().map(Vec::as_slice), coverage, Wall(20_000))
}

#[test]
fn a_service_with_one_authority_that_decides_makes_it_ready() {
    let stale = gap("pub-ca8", Reason::RevocationStale, Some(20_000 - 3 * 3_600));
    let coverage = [covered("ca16", true, Vec::new()), covered("pub-ca8", false, vec![stale])];
    let readiness = assessed(&[&["ca16", "pub-ca8"]], &coverage);
    assert!(readiness.ready);
    assert_eq!(readiness.degraded, ["authority pub-ca8: no fresh CRL for 3h: CN=pub-ca8"]);
}

#[test]
fn without_any_that_decides_it_is_not_ready() {
    let missing = [covered("ca16", false, vec![gap("ca16", Reason::RevocationUnknown, None)])];
    let readiness = assessed(&[&["ca16"]], &missing);
    assert!(!readiness.ready);
    assert_eq!(readiness.degraded, ["authority ca16: no CRL of CN=ca16", "no service can decide anything"]);
    assert!(!assessed(&[], &[covered("ca16", true, Vec::new())]).ready);
    assert!(!assessed(&[&["other"]], &[covered("ca16", true, Vec::new())]).ready);
}

#[test]
fn where_ocsp_is_consulted_it_is_said_that_no_responder_is_known() {
    let gap = |wants_crl, end| Gap { wants_crl, wants_responder: true, ..gap("ca16", Reason::RevocationUnknown, end) };
    let gaps = vec![gap(true, None), gap(true, Some(19_940)), gap(false, None)];
    let readiness = assessed(&[&["ca16"]], &[covered("ca16", false, gaps)]);
    let wanted = [
        "authority ca16: no CRL of CN=ca16, and no OCSP responder is known",
        "authority ca16: no fresh CRL for 1m: CN=ca16, and no OCSP responder is known",
        "authority ca16: no OCSP responder is known for CN=ca16",
        "no service can decide anything",
    ];
    assert_eq!(readiness.degraded, wanted);
}

#[test]
fn grace_lets_it_decide_and_is_said() {
    let readiness = assessed(&[&["ca16"]], &[covered("ca16", true, vec![gap("ca16", Reason::OkGrace, Some(19_940))])]);
    assert!(readiness.ready);
    assert_eq!(readiness.degraded, ["authority ca16: no fresh CRL for 1m (within its grace): CN=ca16"]);
}

//! Logins and refusals, from the first datagram to the last.

use sekisho::event::{Outcome, Reason, TlsVersion};

use crate::pki::{Credential, pki};
use crate::world::{World, station, supplicant};

const VERSIONS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

#[test]
fn members_log_in_and_come_back() {
    let mut world = World::new();
    for version in VERSIONS {
        for credential in [&pki().member_rsa, &pki().member_p256, &pki().member_pub_ca8] {
            let who = supplicant(credential, Some(version));
            for resume in [false, true, true] {
                let report = world.log_in(&who, &station("JAIST", 1), resume);
                assert!(report.logged_in, "{report:?} {:?}", world.events.last());
                assert_eq!((report.version, report.resumed, report.keys_agree), (Some(version), resume, Some(true)));
                assert_eq!(world.decided(), (Outcome::Accept, Reason::Ok));
            }
        }
    }
    assert_eq!(world.engine.conversations(), 0);
}

#[test]
fn every_refusal_has_its_reason_and_its_alert() {
    let mut world = World::new();
    let pki = pki();
    let cases: [(&Credential, Reason, u8); 11] = [
        (&pki.revoked, Reason::Revoked, 44),
        (&pki.expired, Reason::Expired, 45),
        (&pki.not_yet_valid, Reason::NotYetValid, 45),
        (&pki.other_customer, Reason::WrongOrganisation, 49),
        (&pki.other_customer_pub_ca8, Reason::WrongOrganisation, 49),
        (&pki.of_retired, Reason::DistrustedAuthority, 46),
        (&pki.smime, Reason::WrongPurpose, 43),
        (&pki.stranger, Reason::UntrustedIssuer, 48),
        (&pki.of_stale, Reason::UntrustedIssuer, 48),
        (&pki.of_silent, Reason::RevocationUnknown, 46),
        (&pki.ambiguous, Reason::IdentityAmbiguous, 46),
    ];
    for version in VERSIONS {
        for (credential, reason, alert) in cases {
            let report = world.log_in(&supplicant(credential, Some(version)), &station("JAIST", 1), false);
            assert_eq!(world.decided(), (Outcome::Reject, reason), "{version}");
            assert_eq!(
                (report.accepted, report.alert_received, report.eap_success),
                (false, Some(alert), Some(false)),
                "{reason} {version}"
            );
            assert_eq!(report.keys_agree, None, "no keys with a refusal");
        }
    }
    assert_eq!(world.engine.conversations(), 0);
}

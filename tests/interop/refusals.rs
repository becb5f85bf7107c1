//! Logins that are refused: each with the alert that tells the supplicant why, then EAP-Failure; the metrics name the
//! reason, which one alert may share with others.

use crate::eapol::{Alert, BOTH, Login};
use crate::pki::{Credential, pki};
use crate::server::Server;

fn refused(credentials: &[&Credential], alert: Alert, reason: &str) {
    let server = Server::start();
    for credential in credentials {
        for tls in BOTH {
            Login::new(credential, tls).run(server.port).assert_refused(alert);
        }
    }
    server.assert_rejections(reason, credentials.len() * BOTH.len());
    // It was the certificate, and nothing else.
    Login::new(&pki().member_p256, BOTH[1]).run(server.port).assert_accepted(1);
}

#[test]
fn revoked_is_refused_by_certificate_revoked() {
    refused(&[&pki().revoked, &pki().revoked_pub_ca8], Alert::CertificateRevoked, "revoked");
}

#[test]
fn expired_is_refused_by_certificate_expired() {
    refused(&[&pki().expired], Alert::CertificateExpired, "expired");
}

#[test]
fn not_yet_valid_is_refused_by_certificate_expired() {
    refused(&[&pki().not_yet_valid], Alert::CertificateExpired, "not-yet-valid");
}

#[test]
fn other_customer_of_a_shared_ca_is_refused_by_access_denied() {
    refused(&[&pki().other_customer, &pki().other_customer_pub_ca8], Alert::AccessDenied, "wrong-organisation");
}

#[test]
fn distrusted_authority_is_refused_by_certificate_unknown() {
    refused(&[&pki().of_retired], Alert::CertificateUnknown, "distrusted-authority");
}

#[test]
fn smime_certificate_is_refused_by_unsupported_certificate() {
    refused(&[&pki().smime], Alert::UnsupportedCertificate, "wrong-purpose");
}

#[test]
fn stranger_is_refused_by_unknown_ca() {
    refused(&[&pki().stranger], Alert::UnknownCa, "untrusted-issuer");
}

#[test]
fn stale_crl_is_refused_by_certificate_unknown() {
    refused(&[&pki().of_stale], Alert::CertificateUnknown, "revocation-stale");
}

#[test]
fn absent_crl_is_refused_by_certificate_unknown() {
    refused(&[&pki().of_silent], Alert::CertificateUnknown, "revocation-unknown");
}

#[test]
fn ambiguous_identity_is_refused_by_certificate_unknown() {
    refused(&[&pki().ambiguous], Alert::CertificateUnknown, "identity-ambiguous");
}

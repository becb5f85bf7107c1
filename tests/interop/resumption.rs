//! What a resumed session may still do: no more than its certificate.

use std::time::{Duration, Instant};

use crate::eapol::{Alert, Login, Tls};
use crate::pki::pki;
use crate::scratch::Scratch;
use crate::server::Server;

/// One device resumes ten times a second; its certificate is revoked meanwhile, in the CRL's file.
fn refused_soon_after_revocation(tls: Tls) {
    /// The contract says 2 s; the rest is for a machine that runs other tests beside.
    const SOON: Duration = Duration::from_secs(3);
    let server = Server::start();
    let scratch = Scratch::new();
    let member = &pki().member_p256;

    let mut supplicant = Login::new(member, tls).again(200).begin(server.port, &scratch);
    supplicant.wait_for_logins(3);
    server.publish_ca16(2, &[&pki().revoked, member]);
    let published = Instant::now();
    let outcome = supplicant.finish();
    let elapsed = published.elapsed();

    outcome.assert_refused_from_some_time_on(Alert::CertificateRevoked);
    let (_refused, before) = outcome.attempts.split_last().expect("attempts");
    let resumed = before.iter().skip(1).all(|login| login.accepted && login.resumed);
    assert!(resumed, "until then every login after the first resumed: {outcome}");
    assert!(elapsed < SOON, "refused only {elapsed:?} after the CRL was replaced: {outcome}");
}

#[test]
fn s02_tls12_session_is_refused_soon_after_its_certificate_is_revoked() {
    refused_soon_after_revocation(Tls::V12);
}

#[test]
fn s02_tls13_session_is_refused_soon_after_its_certificate_is_revoked() {
    refused_soon_after_revocation(Tls::V13);
}

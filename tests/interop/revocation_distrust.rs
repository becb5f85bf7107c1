//! An authority that ends at a date, and an intermediate that is revoked: every certificate below is refused.

use crate::eapol::{Alert, Login, Tls};
use crate::openssl::{Authority, Ca, Responder, Signer, campus};
use crate::pki::{Credential, now};
use crate::scratch::Scratch;
use crate::server::Server;

#[test]
fn s02_a_distrusted_authority_is_accepted_and_counted_before_the_date_and_refused_from_then_on() {
    /// Enough for a login on a machine that runs other tests beside.
    const AHEAD: i64 = 6;
    let ca = Ca::root("Public CA");
    let (member, crl) = (ca.member("hanako"), Scratch::new());
    let file = crl.write("home.crl", ca.crl());
    let from = now() + AHEAD;
    let date = jiff::Timestamp::from_second(from).expect("this century");
    let lines = format!("revocation = \"crl\"\ncrl = [\"{}\"]\ndistrust = {{ from = {date} }}", file.display());
    let server = campus(&[Authority { name: "home", root: &ca, issuer: None, lines }]);
    let counted = |outcome: &str| {
        server.count(&format!("sekisho_distrust_authentications_total{{authority=\"home\",outcome=\"{outcome}\"}}"))
    };

    let scratch = Scratch::new();
    let mut resuming = Login::new(&member, Tls::V13).again(400).begin(server.port, &scratch);
    resuming.wait_for_logins(2);
    assert!(now() < from, "the machine is too slow to log in within {AHEAD} s");
    assert!(counted("accept") >= 1 && counted("reject") == 0);
    assert_eq!(server.count(r#"sekisho_distrust_certificates{authority="home"}"#), 1);
    assert_eq!(i64::try_from(server.count(r#"sekisho_distrust_from_seconds{authority="home"}"#)), Ok(from));

    let outcome = resuming.finish();
    assert!(now() >= from, "nobody is refused before the date: {outcome}");
    outcome.assert_refused_from_some_time_on(Alert::CertificateUnknown);
    Login::new(&member, Tls::V12).run(server.port).assert_refused(Alert::CertificateUnknown);
    server.assert_rejections("distrusted-authority", 2);
    assert_eq!(counted("reject"), 2);
    assert_eq!(server.count(r#"sekisho_distrust_certificates{authority="home"}"#), 1);
}

/// A member's session resumes ten times a second until it is refused.
fn refused_in_the_middle(server: &Server, member: &Credential, revoke: impl FnOnce()) {
    let scratch = Scratch::new();
    let mut resuming = Login::new(member, Tls::V13).again(300).begin(server.port, &scratch);
    resuming.wait_for_logins(2);
    revoke();
    let outcome = resuming.finish();
    outcome.assert_refused_from_some_time_on(Alert::CertificateRevoked);
    Login::new(member, Tls::V12).run(server.port).assert_refused(Alert::CertificateRevoked);
    let told = server.decisions("hanako@jaist.ac.jp", outcome.attempts.len() + 1);
    let told = told.last().expect("decisions");
    let revoked = told["revocation"].as_array().into_iter().flatten().find(|one| one["kind"] == "revoked");
    assert_eq!(revoked.map(|one| &one["intermediate"]), Some(&true.into()), "{told}");
}

#[test]
fn r02_an_intermediate_on_the_roots_crl_ends_everybody_below_it() {
    let root = Ca::root("Public Root");
    let issuer = root.below("Public Issuing CA", None);
    let crls = Scratch::new();
    let publish = |ca: &Ca, name: &str| crls.write(name, ca.crl()).display().to_string();
    let (above, below) = (publish(&root, "root.crl"), publish(&issuer, "issuer.crl"));
    let lines = format!("revocation = \"crl\"\ncrl = [\"{above}\", \"{below}\"]");
    let server = campus(&[Authority { name: "home", root: &root, issuer: Some(&issuer), lines }]);
    refused_in_the_middle(&server, &issuer.member("hanako"), || {
        root.revoke(&issuer.pem(), "CACompromise");
        crls.replace("root.crl", root.crl());
    });
}

#[test]
fn r02_an_intermediate_that_the_roots_responder_revokes_ends_everybody_below_it() {
    let root = Ca::root("Public Root");
    // Each certificate names the responder of its own issuer.
    let ports = [crate::scratch::free_port(), crate::scratch::free_port()];
    let url = |port: u16| format!("http://127.0.0.1:{port}/");
    let issuer = root.below("Public Issuing CA", Some(&url(ports[0])));
    let member = issuer.member_asking("hanako", Some(&url(ports[1])));
    let mut above = root.responder_at(ports[0], Signer::Delegate);
    let _below: Responder = issuer.responder_at(ports[1], Signer::Issuer);
    let sample = Scratch::new();
    let file = sample.write("member.pem", &member.chain);
    let lines = format!("revocation = \"ocsp\"\nsample = \"{}\"", file.display());
    let server = campus(&[Authority { name: "home", root: &root, issuer: Some(&issuer), lines }]);
    root.wait_for_status(&mut above, &issuer.pem(), "good");
    refused_in_the_middle(&server, &member, || {
        root.revoke(&issuer.pem(), "CACompromise");
        root.wait_for_status(&mut above, &issuer.pem(), "revoked");
    });
}

//! OCSP answers of OpenSSL's responder, and what is decided without it.

use std::time::{Duration, Instant};

use crate::eapol::{Alert, BOTH, Login, Tls};
use crate::host::{Answer, Host};
use crate::openssl::{Authority, Ca, Responder, SIGNERS, Signer, campus};
use crate::pki::Credential;
use crate::scratch::Scratch;
use crate::server::Server;

/// A refresh takes 1 s, a login that waits 2 s; the rest is for a machine that runs other tests beside.
const SOON: Duration = Duration::from_secs(6);

fn authority<'a>(name: &'a str, ca: &'a Ca, source: &str, ocsp: &Responder, crl: &str) -> Authority<'a> {
    let lines = format!("revocation = \"{source}\"\nocsp = [\"{}\"]\ncrl = [{crl}]", ocsp.url());
    Authority { name, root: ca, issuer: None, lines }
}

/// Logs in once; how long it took, the supplicant's start included.
fn timed(server: &Server, member: &Credential, tls: Tls) -> (crate::eapol::Outcome, Duration) {
    let begun = Instant::now();
    let outcome = Login::new(member, tls).run(server.port);
    (outcome, begun.elapsed())
}

/// How often a responder of this authority was asked, whatever came of it.
fn asked(server: &Server, authority: &str) -> usize {
    let begin = format!("sekisho_revocation_fetches_total{{authority=\"{authority}\",kind=\"ocsp\",");
    let metrics = server.get("/metrics", "");
    let samples = metrics.lines().filter(|line| line.starts_with(&begin));
    samples.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
}

#[test]
fn r16_s02_good_revoked_and_unknown_by_whoever_signs_and_a_resumed_session_ends_with_its_certificate() {
    for (signer, tls) in SIGNERS.into_iter().zip(BOTH) {
        let ca = Ca::root("Public CA");
        let mut responder = ca.responder(signer);
        let server = campus(&[authority("home", &ca, "ocsp", &responder, "")]);
        let (member, neighbour, unbooked) = (ca.member("hanako"), ca.member("neighbour"), ca.unbooked("nobody"));
        ca.wait_for_status(&mut responder, &neighbour.chain, "good");
        ca.wait_for_status(&mut responder, &unbooked.chain, "unknown");

        let scratch = Scratch::new();
        let mut resuming = Login::new(&member, tls).again(300).begin(server.port, &scratch);
        resuming.wait_for_logins(2);
        Login::new(&unbooked, tls).run(server.port).assert_refused_without_alert();
        server.assert_rejections("revocation-unknown", 1);
        let told = &server.decisions("nobody@jaist.ac.jp", 1)[0];
        assert!(told["revocation"].to_string().contains(r#""status":"unknown""#), "{told}");

        ca.revoke(&member.chain, "keyCompromise");
        ca.wait_for_status(&mut responder, &member.chain, "revoked");
        let published = Instant::now();
        let outcome = resuming.finish();
        let elapsed = published.elapsed();
        outcome.assert_refused_from_some_time_on(Alert::CertificateRevoked);
        let (_refused, before) = outcome.attempts.split_last().expect("attempts");
        assert!(before.iter().skip(1).all(|login| login.accepted && login.resumed), "{outcome}");
        assert!(elapsed < SOON, "{elapsed:?}: {outcome}");
        eprintln!("{tls:?}, {signer:?}: a resuming session refused {elapsed:?} after the responder said so");
        Login::new(&member, tls).run(server.port).assert_refused(Alert::CertificateRevoked);
        Login::new(&neighbour, tls).run(server.port).assert_accepted(1);

        // Nobody has seen this one before: what is asked during its first login refuses it.
        let stolen = ca.member("stolen");
        ca.revoke(&stolen.chain, "keyCompromise");
        ca.wait_for_status(&mut responder, &stolen.chain, "revoked");
        Login::new(&stolen, tls).run(server.port).assert_refused_without_alert();
    }
}

#[test]
fn r21_s01_a_responder_that_stops_refuses_within_two_seconds_and_leaves_nothing_to_resume() {
    let ca = Ca::root("Public CA");
    let early = ca.member("early");
    let responder = ca.responder(Signer::Issuer);
    let server = campus(&[authority("home", &ca, "ocsp", &responder, "")]);
    for tls in BOTH {
        let outcome = Login::new(&early, tls).run(server.port);
        let first = &outcome.assert_accepted(1).attempts[0];
        // In TLS 1.2 this supplicant resumes by session id.
        let resumable = first.finished && (tls == Tls::V12 || first.tickets > 0);
        assert!(resumable, "what a session is resumed with came: {outcome}");
    }
    responder.fall_silent();
    for tls in BOTH {
        let (outcome, elapsed) = timed(&server, &ca.member("late"), tls);
        outcome.assert_refused_without_alert();
        // In TLS 1.3 the server's Finished comes before the client's certificate.
        assert_eq!(outcome.attempts[0].finished, tls == Tls::V13, "{outcome}");
        assert!(elapsed < SOON, "{elapsed:?}: {outcome}");
        eprintln!("{tls:?}: refused after {elapsed:?} as unknown");
    }
    server.assert_rejections("revocation-unknown", 2);
}

#[test]
fn r21_where_the_responder_stops_the_crl_decides_and_a_fresh_crl_that_comes_first_asks_nobody() {
    let [first, second, bare] = ["OCSP first", "CRL first", "CRL missing"].map(Ca::root);
    let host = Host::new(Answer::Error);
    let mut responders = [&first, &second, &bare].map(|ca| ca.responder(Signer::Delegate));
    let crls = Scratch::new();
    let [revoked_first, revoked_second, revoked_bare] = [&first, &second, &bare].map(|ca| {
        let revoked = ca.member("revoked");
        ca.revoke(&revoked.chain, "keyCompromise");
        revoked
    });
    let publish = |name: &str, ca: &Ca| format!("{:?}", crls.write(name, ca.crl()).display().to_string());
    let missing = format!("{:?}", host.url());
    let server = campus(&[
        authority("first", &first, "ocsp-then-crl", &responders[0], &publish("first.crl", &first)),
        authority("second", &second, "crl-then-ocsp", &responders[1], &publish("second.crl", &second)),
        authority("bare", &bare, "crl-then-ocsp", &responders[2], &missing),
    ]);

    // With everything there.
    let good = first.member("by-ocsp");
    first.wait_for_status(&mut responders[0], &good.chain, "good");
    Login::new(&good, Tls::V13).run(server.port).assert_accepted(1);
    assert_eq!(server.count(r#"sekisho_revocation_fetches_total{authority="first",kind="ocsp",result="ok"}"#), 1);
    let good = bare.member("by-ocsp");
    bare.wait_for_status(&mut responders[2], &good.chain, "good");
    Login::new(&good, Tls::V12).run(server.port).assert_accepted(1);
    Login::new(&revoked_bare, Tls::V13).run(server.port).assert_refused_without_alert();
    server.assert_rejections("revoked", 1);

    responders.iter().for_each(Responder::fall_silent);
    for tls in BOTH {
        let (outcome, elapsed) = timed(&server, &first.member("by-crl"), tls);
        outcome.assert_accepted(1);
        assert!(elapsed < SOON, "{elapsed:?}: {outcome}");
        eprintln!("{tls:?}: the CRL has decided after {elapsed:?}");
        // What the CRL lists is refused at once, whoever comes first.
        Login::new(&revoked_first, tls).run(server.port).assert_refused(Alert::CertificateRevoked);
        Login::new(&second.member("by-crl"), tls).run(server.port).assert_accepted(1);
        Login::new(&revoked_second, tls).run(server.port).assert_refused(Alert::CertificateRevoked);
    }
    assert_eq!(asked(&server, "second"), 0);
    Login::new(&bare.member("by-nobody"), Tls::V13).run(server.port).assert_refused_without_alert();
    server.assert_rejections("revocation-unknown", 1);
}

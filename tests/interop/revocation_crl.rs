//! CRLs of `openssl ca`: published, and heeded within a refresh, while nobody else notices anything.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::eapol::{Alert, BOTH, Login, Outcome, Tls};
use crate::host::{Answer, Host};
use crate::openssl::{Authority, Ca, campus};
use crate::pki::Credential;
use crate::scratch::Scratch;
use crate::server::Server;

/// Of an address a refresh (1 s), of a file 2 s; the rest is for a machine that runs other tests beside.
const SOON: Duration = Duration::from_secs(6);

/// From publication to the refusal of a full login and of one that resumes.
#[derive(Debug)]
struct Delays {
    full: Duration,
    resumed: Duration,
}

/// Revokes a member who logs in without a pause, twice at once: anew each time, and resuming. All that time a
/// neighbour logs in, and always gets in.
fn revoke_among_logins(server: &Server, tls: Tls, [member, neighbour]: [&Credential; 2], publish: impl Fn()) -> Delays {
    let scratch = Scratch::new();
    let mut resuming = Login::new(member, tls).again(300).begin(server.port, &scratch);
    resuming.wait_for_logins(3);
    let is_over = AtomicBool::new(false);
    let begun = Instant::now();
    thread::scope(|scope| {
        let neighbour = scope.spawn(|| {
            let mut logins = 0;
            while !is_over.load(Ordering::Relaxed) && begun.elapsed() < 2 * SOON {
                Login::new(neighbour, tls).run(server.port).assert_accepted(1);
                logins += 1;
            }
            logins
        });
        Login::new(member, tls).run(server.port).assert_accepted(1);
        publish();
        let published = Instant::now();
        let full = scope.spawn(move || {
            let outcome = until_refused(server, member, tls);
            (outcome, published.elapsed())
        });
        while !resuming.is_over() && published.elapsed() < 2 * SOON {
            thread::sleep(Duration::from_millis(5));
        }
        let resumed = published.elapsed();
        let (last, full) = full.join().expect("a login at least");
        is_over.store(true, Ordering::Relaxed);
        let logins = neighbour.join().expect("the neighbour gets in");
        last.assert_refused_from_some_time_on(Alert::CertificateRevoked);
        let outcome = resuming.finish();
        outcome.assert_refused_from_some_time_on(Alert::CertificateRevoked);
        Login::new(member, tls).run(server.port).assert_refused(Alert::CertificateRevoked);
        let (_refused, before) = outcome.attempts.split_last().expect("attempts");
        assert!(before.iter().skip(1).all(|login| login.accepted && login.resumed), "{outcome}");
        assert!(logins > 1, "the neighbour has logged in before and after");
        eprintln!("{tls:?}: refused after {full:?}, resuming after {resumed:?}; {logins} logins beside it");
        Delays { full, resumed }
    })
}

/// Logs in until it isn't let in any more.
fn until_refused(server: &Server, member: &Credential, tls: Tls) -> Outcome {
    let begun = Instant::now();
    loop {
        let outcome = Login::new(member, tls).run(server.port);
        if !outcome.success || begun.elapsed() > 2 * SOON {
            return outcome;
        }
    }
}

#[test]
fn r01_s02_what_openssl_ca_publishes_over_http_is_refused_within_a_refresh_and_nobody_else_notices() {
    let ca = Ca::root("Public CA");
    let host = Host::new(Answer::Crl(ca.crl(), "\"1\""));
    let lines = format!("revocation = \"crl\"\ncrl = [\"{}\"]", host.url());
    let server = campus(&[Authority { name: "home", root: &ca, issuer: None, lines }]);
    let neighbour = ca.member("neighbour");
    for (tls, tag) in BOTH.into_iter().zip(["\"2\"", "\"3\""]) {
        let member = ca.member("hanako");
        let delays = revoke_among_logins(&server, tls, [&member, &neighbour], || {
            ca.revoke(&member.chain, "keyCompromise");
            host.answers(Answer::Crl(ca.crl(), tag));
        });
        assert!(delays.full < SOON && delays.resumed < SOON, "{delays:?}");
    }
    let neighbours = server.decisions("neighbour@jaist.ac.jp", 1);
    assert!(neighbours.iter().all(|decision| decision["outcome"] == "accept"), "{neighbours:?}");
    for decision in server.decisions("hanako@jaist.ac.jp", 1).iter().filter(|one| one["outcome"] == "reject") {
        assert_eq!(decision["reason"], "revoked", "{decision}");
        let told = decision["revocation"].as_array().expect("what it rests on");
        assert!(told.iter().any(|one| one["kind"] == "crl" && one["source"] == host.url()), "{decision}");
        assert!(told.iter().any(|one| one["reason"] == "keyCompromise"), "{decision}");
    }
}

#[test]
fn r01_s02_what_openssl_ca_writes_into_a_file_is_refused_within_two_seconds_and_nobody_else_notices() {
    let ca = Ca::root("Public CA");
    let crl = Scratch::new();
    let file = crl.write("home.crl", ca.crl());
    let lines = format!("revocation = \"crl\"\ncrl = [\"{}\"]", file.display());
    let server = campus(&[Authority { name: "home", root: &ca, issuer: None, lines }]);
    let (member, neighbour) = (ca.member("hanako"), ca.member("neighbour"));
    let delays = revoke_among_logins(&server, Tls::V13, [&member, &neighbour], || {
        ca.revoke(&member.chain, "affiliationChanged");
        crl.replace("home.crl", ca.crl());
    });
    assert!(delays.full < SOON && delays.resumed < SOON, "{delays:?}");
}

#[test]
fn r09_openssls_delta_crl_and_its_scopes_are_heeded() {
    let [delta, users, cas] = ["Delta CA", "Users CA", "Authorities CA"].map(Ca::root);
    let crls = Scratch::new();
    let publish = |name: &str, octets: Vec<u8>| format!("{:?}", crls.write(name, octets).display().to_string());
    let authority = |name, root, crl: String| Authority {
        name,
        root,
        issuer: None,
        lines: format!("revocation = \"crl\"\ncrl = [{crl}]"),
    };
    let both = publish("base.crl", delta.crl()) + ", " + &publish("delta.crl", delta.crl_with("delta"));
    let server = campus(&[
        authority("delta", &delta, both),
        authority("users", &users, publish("users.crl", users.crl_with("users_only"))),
        authority("cas", &cas, publish("cas.crl", cas.crl_with("authorities_only"))),
    ]);

    let members = [delta.member("by-delta"), users.member("by-users")];
    for member in &members {
        Login::new(member, Tls::V13).run(server.port).assert_accepted(1);
    }
    let outcome = Login::new(&cas.member("by-nothing"), Tls::V13).run(server.port);
    outcome.assert_refused(Alert::CertificateUnknown);
    server.assert_rejections("revocation-unknown", 1);

    delta.revoke(&members[0].chain, "superseded");
    users.revoke(&members[1].chain, "cessationOfOperation");
    crls.replace("delta.crl", delta.crl_with("delta"));
    crls.replace("users.crl", users.crl_with("users_only"));
    for member in &members {
        until_refused(&server, member, Tls::V12).assert_refused_from_some_time_on(Alert::CertificateRevoked);
        Login::new(member, Tls::V12).run(server.port).assert_refused(Alert::CertificateRevoked);
    }
}

//! Hosts of CRLs and OCSP answers that are slow, silent, endless, in circles or liars, all at once: whom they concern
//! is judged by what is known, and nobody else notices.

use std::thread;
use std::time::Instant;

use crate::eapol::{Alert, Login, Tls};
use crate::host::{Answer, Host};
use crate::openssl::{Authority, Ca, campus, campus_within};
use crate::pki::{Credential, pki};
use crate::server::Server;

/// A CA, and what its hosts do.
struct Nasty {
    name: &'static str,
    /// What the fetch of a CRL comes to.
    result: &'static str,
    ca: Ca,
    crl: Host,
    ocsp: Host,
    /// What they are to answer in the end.
    answers: [Answer; 2],
    member: Credential,
    revoked: Credential,
}

/// What is answered in place of a CRL or an OCSP answer, by what is good and what was before.
fn nasty(name: &str, good: &[u8], before: &[u8]) -> Answer {
    let http = |head: &str, body: &[u8]| Answer::Raw([format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), body].concat());
    let found = |location: &str| http(&format!("302 Found\r\nContent-Length: 0\r\nLocation: {location}"), &[]);
    let length = good.len();
    let sound = |more: &str| format!("200 OK\r\nContent-Length: {length}{more}");
    match name {
        "slow" => Answer::Slow(good.to_vec()),
        "mute" => Answer::Silence,
        "endless" => Answer::Endless,
        "in-circles" => Answer::Elsewhere,
        "to-a-file" => found("file:///etc/passwd"),
        "to-the-cloud" => found("http://169.254.169.254/latest/meta-data/"),
        "says-more" => http(&format!("200 OK\r\nContent-Length: {}", length + 100), good),
        "says-less" => http(&format!("200 OK\r\nContent-Length: {}", length - 100), good),
        "older" => http(&format!("200 OK\r\nContent-Length: {}", before.len()), before),
        "html" => http("200 OK\r\nContent-Type: text/html\r\nContent-Length: 15", b"<html>OK</html>"),
        "gzip" => http(&sound("\r\nContent-Encoding: gzip"), &[&[0x1f, 0x8b, 8, 0][..], &good[4..]].concat()),
        "gzip-unsaid" => http(&sound(""), &[&[0x1f, 0x8b, 8, 0][..], &good[4..]].concat()),
        other => panic!("nobody is {other}"),
    }
}

const NASTIES: [(&str, &str); 12] = [
    ("slow", "timeout"),
    ("mute", "timeout"),
    ("endless", "too-long"),
    ("in-circles", "redirect"),
    ("to-a-file", "redirect"),
    ("to-the-cloud", "forbidden-address"),
    ("says-more", "protocol"),
    ("says-less", "rejected"),
    ("older", "rejected"),
    ("html", "rejected"),
    ("gzip", "protocol"),
    ("gzip-unsaid", "rejected"),
];

impl Nasty {
    /// The hosts are good ones as yet. The CA's second CRL has what its first had not.
    fn new((name, result): (&'static str, &'static str)) -> Self {
        let ca = Ca::root(name);
        let (member, revoked) = (ca.member("hanako"), ca.member("revoked"));
        let first = ca.crl();
        ca.revoke(&revoked.chain, "keyCompromise");
        let (second, said) = (ca.crl(), ca.recorded(&member.chain));
        let answers = [nasty(name, &second, &first), nasty(name, &said, &said)];
        let crl = Host::new(Answer::Crl(second, "\"2\""));
        Self { name, result, ca, crl, ocsp: Host::new(Answer::Error), answers, member, revoked }
    }

    /// What is said once counts for good, but where that is the trick.
    fn authority(&self) -> Authority<'_> {
        let (crl, ocsp, nonce) = (self.crl.url(), self.ocsp.url(), self.name == "older");
        let sources = format!("crl = [\"{crl}\"]\nocsp = [\"{ocsp}\"]\nocsp-nonce = {nonce}");
        Authority {
            name: self.name,
            root: &self.ca,
            issuer: None,
            lines: format!("revocation = \"ocsp-then-crl\"\n{sources}"),
        }
    }

    fn turn_nasty(&self) {
        let [crl, ocsp] = self.answers.clone();
        self.crl.answers(crl);
        self.ocsp.answers(ocsp);
    }
}

/// Requests and milliseconds of each of so many logins at each of two servers, by turns.
fn side_by_side(servers: [&Server; 2], pairs: usize) -> [Vec<(usize, u64)>; 2] {
    let member = &pki().member_p256;
    let mut seen = [Vec::new(), Vec::new()];
    for number in 1..=pairs {
        for (server, seen) in servers.iter().zip(&mut seen) {
            let outcome = Login::new(member, Tls::V13).run(server.port);
            let requests = outcome.assert_accepted(1).attempts[0].requests;
            let decision = server.decisions("taro@jaist.ac.jp", number).pop().unwrap_or_default();
            seen.push((requests, decision["duration_ms"].as_u64().expect("how long it took")));
        }
    }
    seen
}

fn median(seen: &[(usize, u64)]) -> u64 {
    let mut times: Vec<_> = seen.iter().map(|(_, time)| *time).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn r07_r11_r12_r13_r20_r21_twelve_hosts_that_misbehave_at_once_cost_nobody_else_anything() {
    let hosts: Vec<_> = NASTIES.into_iter().map(Nasty::new).collect();
    let authorities: Vec<_> = hosts.iter().map(Nasty::authority).collect();
    let mut beset = campus_within("1s", &authorities);
    let calm = campus(&[]);
    for host in &hosts {
        let (name, url) = (host.name, host.crl.url());
        beset.wait_for_metric(&format!(r#"sekisho_crl_entries{{authority="{name}",crl="{url}"}} 1"#));
        host.turn_nasty();
    }

    let begun = Instant::now();
    let [among, apart] = thread::scope(|scope| {
        // Those who are concerned wait for their responders meanwhile, and are judged by the CRLs of before.
        let concerned = scope.spawn(|| {
            for host in &hosts {
                Login::new(&host.member, Tls::V12).run(beset.port).assert_accepted(1);
                Login::new(&host.revoked, Tls::V12).run(beset.port).assert_refused(Alert::CertificateRevoked);
            }
        });
        let seen = side_by_side([&beset, &calm], 24);
        concerned.join().expect("each is judged by its CRL");
        seen
    });
    for Nasty { name, result, .. } in &hosts {
        let series =
            format!("sekisho_revocation_fetches_total{{authority=\"{name}\",kind=\"crl\",result=\"{result}\"}}");
        beset.wait_for_metric(&series);
        let asked = format!("sekisho_revocation_fetches_total{{authority=\"{name}\",kind=\"ocsp\",result=");
        let metrics = beset.get("/metrics", "");
        let came: Vec<_> = metrics.lines().filter_map(|line| line.strip_prefix(&asked)).collect();
        assert!(!came.is_empty() && came.iter().all(|result| !result.starts_with("\"ok\"")), "{name}: {came:?}");
        eprintln!("{name}: CRL {result:?}, OCSP {came:?}");
        let entries = format!("sekisho_crl_entries{{authority=\"{name}\"");
        assert!(metrics.lines().any(|line| line.starts_with(&entries) && line.ends_with(" 1")), "{name}");
    }

    let requests = |seen: &[(usize, u64)]| seen.iter().map(|(requests, _)| *requests).collect::<Vec<_>>();
    assert_eq!(requests(&among), requests(&apart));
    let (with, without) = (median(&among), median(&apart));
    eprintln!(
        "{} logins each, by turns, in {:?}: median {with} ms beside twelve bad hosts, {without} ms without them, ratio {:.2}",
        among.len(),
        begun.elapsed(),
        with as f64 / without.max(1) as f64,
    );
    assert!(with < 3 * without.max(5), "{among:?} {apart:?}");
}

//! A restart with every host of revocation data silent, and what `explain` and `check` see of what was kept.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::eapol::{Alert, Login, Tls};
use crate::host::{Answer, Host};
use crate::openssl::{Authority, Ca, Signer, campus};
use crate::pki::Credential;
use crate::process::run;
use crate::scratch::Scratch;
use crate::server::Server;

/// What a login waits for a responder at most: within this time nobody has waited.
const PATIENCE: Duration = Duration::from_secs(2);

/// What `explain` says the decision rests on.
fn explained(server: &Server, credential: &Credential) -> Value {
    let scratch = Scratch::new();
    let file = scratch.write("explained.pem", &credential.chain);
    let answer = json(server, "explain", &["--service", "JAIST", "--cert", &file.display().to_string()]);
    assert_eq!(answer["questions"], Value::Array(Vec::new()), "{answer}");
    answer["decisions"][0]["revocation"].clone()
}

fn json(server: &Server, command: &str, options: &[&str]) -> Value {
    let output = run(server.ask(command).args(options), Duration::from_secs(30));
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

/// The same evidence, without what tells how old it is: that goes on.
#[track_caller]
fn assert_same(explained: &Value, used: &Value) {
    let ageless = |evidence: &Value| {
        let mut evidence = evidence.clone();
        for one in evidence.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            one.remove("age");
            one.remove("ends_in");
        }
        evidence
    };
    assert_eq!(ageless(explained), ageless(used));
    assert!(used.as_array().is_some_and(|evidence| !evidence.is_empty()), "{used}");
}

#[test]
fn r12_r21_a_restart_with_all_hosts_silent_is_ready_and_lets_everybody_in_at_once() {
    let [by_crl, by_ocsp] = ["CA with CRL", "CA with OCSP"].map(Ca::root);
    let [anna, bert, gone] = [by_crl.member("anna"), by_ocsp.member("bert"), by_crl.member("gone")];
    by_crl.revoke(&gone.chain, "keyCompromise");
    let host = Host::new(Answer::Crl(by_crl.crl(), "\"1\""));
    let responder = by_ocsp.responder(Signer::Delegate);
    let authority = |name, root, lines| Authority { name, root, issuer: None, lines };
    let mut server = campus(&[
        authority("by-crl", &by_crl, format!("revocation = \"crl\"\ncrl = [\"{}\"]", host.url())),
        authority("by-ocsp", &by_ocsp, format!("revocation = \"ocsp\"\nocsp = [\"{}\"]", responder.url())),
    ]);
    server.wait_for_metric(&format!(r#"sekisho_crl_entries{{authority="by-crl",crl="{}"}} 1"#, host.url()));
    for member in [&anna, &bert] {
        Login::new(member, Tls::V13).run(server.port).assert_accepted(1);
    }

    host.answers(Answer::Silence);
    responder.fall_silent();
    server.restart();
    let begun = Instant::now();
    let ready = server.get("/readyz", "");
    assert!(ready.starts_with("HTTP/1.1 200") && !ready.contains("by-crl") && !ready.contains("by-ocsp"), "{ready}");
    for (member, user) in [(&anna, "anna@jaist.ac.jp"), (&bert, "bert@jaist.ac.jp")] {
        Login::new(member, Tls::V12).again(1).run(server.port).assert_accepted(2);
        let decision = &server.decisions(user, 1)[0];
        let waited = decision["duration_ms"].as_u64().map(Duration::from_millis).expect("how long it took");
        assert!(waited < PATIENCE, "{decision}");
        assert_same(&explained(&server, member), &decision["revocation"]);
    }
    Login::new(&gone, Tls::V13).run(server.port).assert_refused(Alert::CertificateRevoked);
    assert_same(&explained(&server, &gone), &server.decisions("gone@jaist.ac.jp", 1)[0]["revocation"]);
    eprintln!("two ways to be judged, five logins and their explanations: {:?} after the restart", begun.elapsed());

    let checked = json(&server, "check", &[]);
    let of = |name: &str| {
        let mut authorities = checked["authorities"].as_array().into_iter().flatten();
        authorities.find(|one| one["name"] == name).unwrap_or_else(|| panic!("{checked}")).clone()
    };
    let (crl, ocsp) = (of("by-crl"), of("by-ocsp"));
    let seen = &crl["crls"][0];
    assert_eq!((&seen["source"], &seen["state"]), (&host.url().into(), &"fresh".into()), "{crl}");
    assert_eq!((&seen["number"], &seen["entries"]), (&by_crl.crl_number().to_string().into(), &1.into()), "{crl}");
    assert_eq!(ocsp["responders"][0], responder.url(), "{ocsp}");
    assert!(crl["decides"] == true && ocsp["decides"] == true, "{crl} {ocsp}");
}

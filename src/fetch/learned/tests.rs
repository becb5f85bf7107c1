//! What certificates tell, what of it is kept, and what isn't believed.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{Certificate, DnType};

use super::super::http::Url;
use super::super::remote;
use super::super::{ocsp, tests as files};
use super::{AuthoritySettings, Learned, Place, Settings, places};
use crate::pki::{Facts, Locations, Trust};
use crate::support::certificates::{Authority, Key, authority, client};
use crate::support::scratch::Scratch;

const CRL: &str = "http://crl.example/ca16.crl";
const OCSP: &str = "http://ocsp.example/";

struct Campus {
    ca: Authority,
    trust: Trust,
    scratch: Scratch,
}

impl Campus {
    fn new() -> Self {
        let ca = authority("CA16", None);
        let trust = files::trust(&[("ca16", &ca)]);
        Self { ca, trust, scratch: Scratch::new() }
    }

    fn settings(&self) -> super::super::Settings {
        let remote = remote::Settings { state_dir: self.scratch.path().to_owned(), ..remote::tests::nothing() };
        let learned = Settings { authorities: vec![looked_for("ca16")], samples: Vec::new() };
        let asked = vec![asked("ca16", &[])];
        let ocsp = ocsp::Settings { authorities: asked, ..Default::default() };
        super::super::Settings { remote, learned, ocsp, ..remote::tests::empty() }
    }

    fn learned(&self, previous: Option<&Learned>) -> Learned {
        Learned::new(&self.settings(), &self.trust, previous)
    }

    /// A member's, that says so.
    fn facts(&self, crls: &[&str], ocsp: &[&str]) -> Arc<Facts> {
        facts(&self.ca, &self.trust, crls, ocsp)
    }

    fn page(&self) -> PathBuf {
        self.scratch.path().join("learned.json")
    }
}

fn facts(ca: &Authority, trust: &Trust, crls: &[&str], ocsp: &[&str]) -> Arc<Facts> {
    let certificate: Certificate = client(&[(DnType::CommonName, "Hanako")], "hanako@example.ac.jp")
        .signed_by(&Key::P256.make(), ca)
        .expect("a certificate");
    let facts = trust.facts(&[certificate.der()]).expect("it is one of this CA's");
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Arc::new(Facts { locations: Arc::new(Locations { crls: owned(crls), ocsp: owned(ocsp) }), ..(*facts).clone() })
}

fn looked_for(authority: &str) -> AuthoritySettings {
    let (refresh, alarm_after) = (Duration::from_secs(300), Duration::from_secs(3 * 3_600));
    AuthoritySettings { authority: authority.into(), refresh, alarm_after }
}

fn asked(authority: &str, responders: &[&str]) -> ocsp::AuthoritySettings {
    ocsp::AuthoritySettings {
        authority: authority.into(),
        responders: responders.iter().map(|url| Url::parse(url).expect("a URL")).collect(),
        nonce: true,
        refresh: Duration::from_secs(300),
        alarm_after: Duration::from_secs(3 * 3_600),
    }
}

/// The CRLs that are fetched from afar.
fn sources(learned: &Learned) -> Vec<String> {
    learned.added_to(&remote::tests::nothing()).crls.iter().map(|source| source.url.to_string()).collect()
}

fn responders(learned: &Learned) -> Vec<String> {
    learned.responders().map(|place| place.url.to_string()).collect()
}

/// Writes down what isn't.
fn write(learned: &mut Learned) {
    let written = learned.unwritten().expect("there is something to write").write();
    learned.wrote(written);
}

#[test]
fn what_a_member_tells_is_new_once_and_known_after_a_restart() {
    let campus = Campus::new();
    let mut learned = campus.learned(None);
    assert!(learned.unwritten().is_none() && sources(&learned).is_empty());
    let found = learned.see(&campus.facts(&[CRL], &[OCSP]), &campus.trust);
    assert_eq!((found.crls.len(), found.responders.len()), (1, 1));
    let Place { authority, url, .. } = &found.responders[0];
    assert_eq!((&**authority, url.to_string()), ("ca16", OCSP.to_owned()));
    assert_eq!(found.crls[0].refresh, Duration::from_secs(300));
    assert!(learned.see(&campus.facts(&[CRL], &[OCSP]), &campus.trust).is_empty());
    write(&mut learned);
    assert!(learned.unwritten().is_none() && learned.problems().is_empty());
    let again = campus.learned(None);
    assert_eq!((sources(&again), responders(&again)), (vec![CRL.to_owned()], vec![OCSP.to_owned()]));
    assert!(again.unwritten().is_none());
}

#[test]
fn what_a_sample_tells_counts_at_once_and_is_not_written_down() {
    let campus = Campus::new();
    let mut settings = campus.settings();
    settings.learned.samples = vec![campus.facts(&[CRL], &[OCSP])];
    let mut learned = Learned::new(&settings, &campus.trust, None);
    assert_eq!((sources(&learned), responders(&learned)), (vec![CRL.to_owned()], vec![OCSP.to_owned()]));
    assert!(learned.unwritten().is_none());
    let other = "http://crl.example/second.crl";
    learned.see(&campus.facts(&[CRL, other], &[]), &campus.trust);
    write(&mut learned);
    assert_eq!(sources(&campus.learned(None)), [other], "without the sample only what members told is known");
}

#[test]
fn what_the_configuration_names_itself_is_not_looked_for() {
    let campus = Campus::new();
    let mut settings = campus.settings();
    settings.learned = Settings::default();
    settings.ocsp.authorities = vec![asked("ca16", &[OCSP])];
    let mut learned = Learned::new(&settings, &campus.trust, None);
    let found = learned.see(&campus.facts(&[CRL], &["http://other.example/"]), &campus.trust);
    assert!(found.is_empty() && learned.unwritten().is_none());
}

#[test]
fn r13_what_is_no_url_of_http_is_nothing() {
    let campus = Campus::new();
    let mut learned = campus.learned(None);
    let bad = [
        "file:///etc/passwd",
        "ldap://ldap.example/",
        "http://user@host/",
        "http:///x",
        "gopher://h/",
        "http://h/\r\nX: y",
    ];
    assert!(learned.see(&campus.facts(&bad, &bad), &campus.trust).is_empty());
}

#[test]
fn an_authority_has_no_more_places_than_it_may_and_that_is_said() {
    let campus = Campus::new();
    let mut learned = campus.learned(None);
    for number in 0..100 {
        let url = format!("http://crl.example/{number}");
        learned.see(&campus.facts(&[&url], &[]), &campus.trust);
    }
    assert_eq!(sources(&learned).len(), places::MOST);
    let problems = learned.problems();
    assert!(problems.len() == 1 && problems[0].text.contains("more than 64"), "{problems:?}");
    write(&mut learned);
    assert_eq!(sources(&campus.learned(None)).len(), places::MOST);
}

#[test]
fn what_the_configuration_no_longer_has_is_left_out_when_it_is_read() {
    let campus = Campus::new();
    let mut learned = campus.learned(None);
    learned.see(&campus.facts(&[CRL], &[OCSP]), &campus.trust);
    write(&mut learned);
    let renamed = files::trust(&[("other", &campus.ca)]);
    let mut settings = campus.settings();
    settings.learned.authorities.push(looked_for("other"));
    assert_eq!(sources(&Learned::new(&settings, &renamed, None)), [""; 0], "the authority is gone");
    let rolled = files::trust(&[("ca16", &authority("CA16", None))]);
    assert_eq!(sources(&Learned::new(&settings, &rolled, None)), [""; 0], "the CA is gone");
    assert!(learned.see(&campus.facts(&["http://crl.example/new"], &[]), &rolled).is_empty(), "facts of yesterday's");
    assert_eq!(sources(&campus.learned(None)), [CRL]);
}

#[test]
fn urls_on_disk_are_read_as_strictly_as_those_of_certificates() {
    let campus = Campus::new();
    let mut learned = campus.learned(None);
    learned.see(&campus.facts(&[CRL], &[]), &campus.trust);
    write(&mut learned);
    let text = fs::read_to_string(campus.page()).expect("it was written");
    fs::write(campus.page(), text.replace(CRL, "file:///etc/passwd")).expect("it can be written");
    assert_eq!(sources(&campus.learned(None)), [""; 0]);
}

#[test]
fn a_damaged_page_is_a_problem_until_it_is_written_anew() {
    let campus = Campus::new();
    for text in ["", "{", "[]", "{\"crls\":[{}],\"responders\":[]}", "\u{0}"] {
        fs::write(campus.page(), text).expect("it can be written");
        let mut learned = campus.learned(None);
        assert!(learned.problems()[0].text.contains("cannot be read"), "{text}");
        assert!(learned.problems().iter().all(|problem| !problem.fatal));
        learned.see(&campus.facts(&[CRL], &[]), &campus.trust);
        write(&mut learned);
        assert_eq!((sources(&campus.learned(None)), learned.problems()), (vec![CRL.to_owned()], Vec::new()));
    }
}

#[test]
fn what_could_not_be_written_counts_on_over_a_reload_and_is_said() {
    let campus = Campus::new();
    let mut learned = campus.learned(None);
    learned.see(&campus.facts(&[CRL], &[]), &campus.trust);
    // A folder stands in its way.
    fs::create_dir_all(campus.page()).expect("a folder");
    write(&mut learned);
    assert!(learned.problems()[0].text.contains("cannot be written"), "{:?}", learned.problems());
    let reloaded = campus.learned(Some(&learned));
    assert_eq!(sources(&reloaded), [CRL]);
    assert!(reloaded.unwritten().is_some(), "it is tried again");
}

#[test]
fn what_an_operator_took_out_of_the_page_is_forgotten_by_a_reload() {
    let campus = Campus::new();
    let mut learned = campus.learned(None);
    learned.see(&campus.facts(&[CRL], &[]), &campus.trust);
    write(&mut learned);
    fs::remove_file(campus.page()).expect("it was there");
    assert_eq!(sources(&campus.learned(Some(&learned))), [""; 0]);
}

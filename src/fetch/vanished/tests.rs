//! Entries that disappear, and what operators do about them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::super::{Settings, remote, tests as files};
use super::Ledger;
use crate::now::Wall;
use crate::pki::{Crl, Revocation, Trust};
use crate::support::certificates::{self, Authority, authority, day};
use crate::support::scratch::Scratch;

const SOURCE: &str = "http://crl.example/ca16.crl";

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

    fn settings(&self) -> Settings {
        let remote = remote::Settings { state_dir: self.scratch.path().to_owned(), ..remote::tests::nothing() };
        Settings { remote, ..remote::tests::empty() }
    }

    fn ledger(&self) -> Ledger {
        Ledger::new(&self.settings())
    }

    fn crl(&self, number: u64, serials: &[u64]) -> Arc<Crl> {
        let good = day(2026, 6, 30)..day(2026, 7, 7);
        let crl = certificates::crl(&self.ca, number, serials.iter().copied(), good);
        Arc::new(Crl::load(crl.der(), &"ca16".into(), &SOURCE.into(), &self.trust).expect("a good CRL"))
    }

    fn page(&self) -> PathBuf {
        self.scratch.path().join("revoked-and-gone")
    }

    /// Serials on the page, in hex.
    fn written(&self) -> Vec<String> {
        let text = fs::read_to_string(self.page()).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split('\t').nth(2).map(str::to_owned)).collect()
    }

    /// Takes the line of a serial off the page.
    fn delete(&self, serial: &str) {
        let text = fs::read_to_string(self.page()).expect("it was written");
        let field = format!("\t{serial}\t");
        let lines: Vec<_> = text.lines().filter(|line| !line.contains(&field)).collect();
        fs::write(self.page(), lines.join("\n") + "\n").expect("it can be written");
    }
}

fn serials(ledger: &Ledger) -> Vec<String> {
    ledger.vanished().entries().map(|entry| super::hex(&entry.serial)).collect()
}

fn later(hours: u64) -> Wall {
    files::NOW + Duration::from_secs(hours * 3_600)
}

/// A CRL in the place of another.
fn exchange(ledger: &Ledger, old: &Arc<Crl>, new: &Arc<Crl>) -> Result<(), String> {
    ledger.exchange(std::slice::from_ref(old), std::slice::from_ref(new), later(1))
}

#[test]
fn an_entry_that_disappears_is_on_disk_when_that_is_told_and_is_said_once() {
    let campus = Campus::new();
    let ledger = campus.ledger();
    let (old, new) = (campus.crl(1, &[5, 6, 7]), campus.crl(2, &[6]));
    assert_eq!(exchange(&ledger, &old, &new), Ok(()));
    assert_eq!((campus.written(), serials(&ledger)), (vec!["05".into(), "07".into()], vec!["05".into(), "07".into()]));
    let news = ledger.news();
    assert!(
        news.len() == 1 && news[0].contains("2 entries have disappeared") && news[0].contains("05, 07"),
        "{news:?}"
    );
    assert_eq!((ledger.news(), ledger.counts()), (Vec::new(), [("ca16".into(), 2)].into()));
    let problems = ledger.problems();
    assert!(problems.len() == 1 && !problems[0].fatal && &*problems[0].source == SOURCE, "{problems:?}");
    let way_out = format!("delete their lines in {} and reload", campus.page().display());
    assert!(problems[0].text.starts_with("authority ca16: 2 entries") && problems[0].text.contains(&way_out));
    assert_eq!(exchange(&ledger, &new, &campus.crl(3, &[6, 8])), Ok(()));
    assert_eq!((ledger.news(), campus.written().len()), (Vec::new(), 2));
}

#[test]
fn what_disappeared_counts_after_a_restart_and_no_more_once_it_is_listed_again() {
    let campus = Campus::new();
    let (old, new) = (campus.crl(1, &[5, 6]), campus.crl(2, &[6]));
    exchange(&campus.ledger(), &old, &new).expect("it is written");
    let again = campus.ledger();
    assert_eq!(serials(&again), ["05"]);
    exchange(&again, &new, &campus.crl(3, &[5, 6])).expect("it is written");
    assert_eq!((serials(&again), campus.written()), (Vec::new(), Vec::new()));
    assert_eq!((again.problems(), again.counts()), (Vec::new(), [].into()));
}

#[test]
fn a_line_that_an_operator_deletes_counts_no_more_after_a_reload() {
    let campus = Campus::new();
    let ledger = campus.ledger();
    let (old, new) = (campus.crl(1, &[5, 6, 7]), campus.crl(2, &[7]));
    exchange(&ledger, &old, &new).expect("it is written");
    campus.delete("05");
    assert_eq!(serials(&ledger), ["05", "06"], "nothing has been reloaded yet");
    ledger.read_again(&campus.settings()).expect("it can be read");
    ledger.follow_all(&Revocation::new(vec![new]), later(2));
    assert_eq!(serials(&ledger), ["06"]);
    ledger.follow_all(&Revocation::new(vec![campus.crl(3, &[7])]), later(3));
    assert_eq!((serials(&ledger), campus.written()), (vec!["06".into()], vec!["06".into()]), "it doesn't come back");
}

#[test]
fn what_is_written_between_an_edit_and_the_reload_does_not_undo_the_edit() {
    let campus = Campus::new();
    let ledger = campus.ledger();
    let (old, new) = (campus.crl(1, &[5, 6, 7]), campus.crl(2, &[7]));
    exchange(&ledger, &old, &new).expect("it is written");
    campus.delete("05");
    exchange(&ledger, &new, &campus.crl(3, &[])).expect("it is written");
    assert_eq!(campus.written(), ["06", "07"]);
    assert_eq!(serials(&ledger), ["05", "06", "07"]);
    fs::remove_file(campus.page()).expect("it is there");
    exchange(&ledger, &campus.crl(4, &[9]), &campus.crl(5, &[])).expect("it is written");
    assert_eq!(campus.written(), ["09"]);
    ledger.read_again(&campus.settings()).expect("it can be read");
    assert_eq!(serials(&ledger), ["09"]);
}

#[test]
fn what_cannot_be_written_stays_revoked_is_said_and_is_written_when_it_can_be() {
    let campus = Campus::new();
    let ledger = campus.ledger();
    fs::create_dir(campus.page()).expect("a folder in its way");
    let (old, new) = (campus.crl(1, &[5]), campus.crl(2, &[]));
    let error = exchange(&ledger, &old, &new).expect_err("it can't be written");
    assert_eq!(ledger.settle(), Err(error));
    ledger.read_again(&campus.settings()).expect("it can be read");
    assert_eq!(serials(&ledger), ["05"]);
    assert!(ledger.problems().iter().any(|problem| problem.text.contains("cannot be written")));
    assert!(ledger.news().iter().any(|line| line.contains("cannot be written")));
    fs::remove_dir(campus.page()).expect("it is empty");
    assert_eq!((ledger.settle(), campus.written()), (Ok(()), vec!["05".into()]));
    assert_eq!(ledger.problems().len(), 1);
}

#[test]
fn with_a_page_or_a_line_that_cannot_be_read_nothing_begins_and_what_was_known_counts_on() {
    let campus = Campus::new();
    let (old, new) = (campus.crl(1, &[5, 6]), campus.crl(2, &[]));
    let running = campus.ledger();
    exchange(&running, &old, &new).expect("it is written");
    let good = fs::read_to_string(campus.page()).expect("it was written");
    let damaged = good.replace("\t05\t", "\t0\t");
    for text in [damaged.as_bytes(), &good.as_bytes()[..good.len() - 9], b"\xff\n", b"\0\0\0\0"] {
        fs::write(campus.page(), text).expect("it can be written");
        let problems = campus.ledger().problems();
        assert!(problems.iter().any(|problem| problem.fatal && problem.text.contains("line ")), "{problems:?}");
        assert!(running.read_again(&campus.settings()).is_err());
        assert_eq!(serials(&running), ["05", "06"]);
    }
    fs::remove_file(campus.page()).expect("it is there");
    fs::create_dir(campus.page()).expect("a folder in its way");
    assert!(campus.ledger().problems().iter().any(|problem| problem.fatal && problem.text.contains("cannot be read")));
    assert!(running.read_again(&campus.settings()).is_err());
    assert_eq!(serials(&running), ["05", "06"]);
    fs::remove_dir(campus.page()).expect("it is empty");
    fs::write(campus.page(), &good).expect("it can be written");
    assert_eq!((running.read_again(&campus.settings()), campus.ledger().problems().len()), (Ok(()), 1));
}

#[test]
fn a_damaged_line_stays_on_the_page_when_something_is_noted() {
    let campus = Campus::new();
    let ledger = campus.ledger();
    exchange(&ledger, &campus.crl(1, &[5, 6]), &campus.crl(2, &[])).expect("it is written");
    let text = fs::read_to_string(campus.page()).expect("it was written").replace("\t05\t", "\t0\t");
    fs::write(campus.page(), text).expect("it can be written");
    exchange(&ledger, &campus.crl(3, &[9]), &campus.crl(4, &[])).expect("it is written");
    assert_eq!(
        (campus.written(), serials(&ledger)),
        (["0", "06", "09"].map(String::from).to_vec(), ["05", "06", "09"].map(String::from).to_vec())
    );
}

#[test]
fn a_crl_that_was_never_told_of_is_compared_all_the_same() {
    let campus = Campus::new();
    let ledger = campus.ledger();
    ledger.follow_all(&Revocation::new(vec![campus.crl(1, &[5])]), files::NOW);
    let before = Revocation::new(vec![campus.crl(2, &[5, 6])]);
    ledger.follow(&before, &Revocation::new(vec![campus.crl(3, &[5])]), later(1));
    assert_eq!(serials(&ledger), ["06"]);
}

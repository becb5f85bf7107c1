//! Files that change under the watcher.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{Loaded, Settings, Watcher, load, remote};
use crate::now::Wall;
use crate::pki::{AuthoritySettings, Purpose, RevocationSource, Trust};
use crate::support::certificates::{self, Authority, authority, day};
use crate::support::scratch::Scratch;

/// 2026-07-01
pub(super) const NOW: Wall = Wall(1_782_864_000);

pub(super) fn trust(cas: &[(&str, &Authority)]) -> Trust {
    let authority = |(name, ca): &(&str, &Authority)| AuthoritySettings {
        name: (*name).into(),
        anchor: ca.der().to_vec(),
        fingerprint_sha1: None,
        fingerprint_sha256: None,
        intermediates: Vec::new(),
        subject: Vec::new(),
        purpose: Purpose { require: Vec::new(), policies: Vec::new(), refuse_policies: Vec::new() },
        revocation: RevocationSource::Crl,
        grace: Duration::ZERO,
        distrust: None,
    };
    let settings: Vec<_> = cas.iter().map(authority).collect();
    Trust::new(&settings, NOW).expect("good authorities").0
}

/// A CRL with so many entries.
pub(super) fn crl(ca: &Authority, number: u64, entries: u64) -> Vec<u8> {
    certificates::crl(ca, number, 1..=entries, day(2026, 6, 30)..day(2026, 7, 7)).der().to_vec()
}

fn settings(crls: &[(&str, &Path)], groups: &[(&str, &Path)]) -> Settings {
    let owned = |files: &[(&str, &Path)]| -> Vec<(Arc<str>, PathBuf)> {
        files.iter().map(|(name, path)| (Arc::from(*name), path.to_path_buf())).collect()
    };
    Settings {
        crls: owned(crls),
        groups: owned(groups),
        remote: remote::tests::nothing(),
        learned: Default::default(),
        ocsp: Default::default(),
        staple: Default::default(),
        vanished: 1_000,
    }
}

/// Looks until nothing is pending any more; what the files hold then, if it is another.
fn look(watcher: &mut Watcher, trust: &Trust) -> Option<Loaded> {
    let mut changed = false;
    for _ in 0..4 {
        changed |= watcher.look(trust, NOW);
    }
    changed.then(|| watcher.loaded())
}

fn entries(loaded: &Loaded) -> Vec<usize> {
    loaded.crls.iter().map(|crl| crl.entries).collect()
}

#[test]
fn r05_a_crl_that_does_not_load_is_a_problem_and_the_others_count() {
    let (folder, ca16, other) = (Scratch::new(), authority("CA16", None), authority("Other", None));
    let good = folder.write("good.crl", crl(&ca16, 1, 3));
    let foreign = folder.write("foreign.crl", crl(&other, 1, 5));
    let mut forged = crl(&ca16, 9, 0);
    *forged.last_mut().expect("it isn't empty") ^= 1;
    let forged = folder.write("forged.crl", forged);
    let garbage = folder.write("garbage.crl", "not a CRL");
    let missing = folder.path().join("missing.crl");
    let files = [&garbage, &forged, &good, &foreign, &missing].map(|path| ("ca16", path.as_path()));
    let loaded = load(&settings(&files, &[]), &trust(&[("ca16", &ca16)]), NOW);
    assert_eq!(entries(&loaded), [3]);
    assert_eq!(loaded.revocation.crls().count(), 1);
    let bad: Vec<_> = loaded.problems.iter().map(|problem| Path::new(&*problem.source)).collect();
    assert_eq!(bad, [&garbage, &forged, &foreign, &missing]);
    assert!(loaded.problems.iter().all(|problem| !problem.fatal && problem.text.contains("nothing of it counts")));
    let successes: Vec<_> = loaded.last_success.iter().map(|source| source.at).collect();
    assert_eq!(successes, [None, None, Some(NOW), None, None]);
}

#[test]
fn a_crl_that_changes_counts_after_two_looks() {
    let (folder, ca) = (Scratch::new(), authority("CA16", None));
    let trust = trust(&[("ca16", &ca)]);
    let path = folder.write("ca16.crl", crl(&ca, 1, 1));
    let mut watcher = Watcher::new(&settings(&[("ca16", &path)], &[]), &trust, NOW, None);
    assert!(!watcher.look(&trust, NOW), "nothing has changed");
    folder.write("ca16.crl", crl(&ca, 2, 2));
    assert!(!watcher.look(&trust, NOW), "it may be half written");
    assert!(watcher.look(&trust, NOW), "it stands still");
    assert_eq!(entries(&watcher.loaded()), [2]);
    assert!(!watcher.look(&trust, NOW));
}

#[test]
fn a_crl_that_is_replaced_by_renaming_counts() {
    let (folder, ca) = (Scratch::new(), authority("CA16", None));
    let trust = trust(&[("ca16", &ca)]);
    let path = folder.write("ca16.crl", crl(&ca, 1, 1));
    let mut watcher = Watcher::new(&settings(&[("ca16", &path)], &[]), &trust, NOW, None);
    let new = folder.write("new", crl(&ca, 2, 4));
    fs::rename(new, &path).expect("it can be renamed");
    assert_eq!(entries(&look(&mut watcher, &trust).expect("it changed")), [4]);
}

#[test]
fn a_half_written_crl_keeps_the_last_good_one_until_it_is_whole() {
    let (folder, ca) = (Scratch::new(), authority("CA16", None));
    let trust = trust(&[("ca16", &ca)]);
    let path = folder.write("ca16.crl", crl(&ca, 1, 1));
    let mut watcher = Watcher::new(&settings(&[("ca16", &path)], &[]), &trust, NOW, None);
    let whole = crl(&ca, 2, 50);
    folder.write("ca16.crl", &whole[..whole.len() / 2]);
    let half = look(&mut watcher, &trust).expect("a problem is a change");
    assert_eq!(entries(&half), [1]);
    assert!(half.problems[0].text.contains("goes on counting"), "{half:?}");
    assert!(look(&mut watcher, &trust).is_none(), "the same problem is told once");
    folder.write("ca16.crl", whole);
    let loaded = look(&mut watcher, &trust).expect("it changed");
    assert_eq!((entries(&loaded), loaded.problems.len()), (vec![50], 0));
}

#[test]
fn a_file_that_never_stands_still_is_read_all_the_same() {
    let folder = Scratch::new();
    let trust = trust(&[]);
    let path = folder.write("guests", "alice\n");
    let mut watcher = Watcher::new(&settings(&[], &[("guests", &path)]), &trust, NOW, None);
    let mut text = String::from("bob\n");
    let looks = (0..10).position(|n| {
        text.push_str(&format!("guest{n}\n"));
        folder.write("guests", &text);
        watcher.look(&trust, NOW)
    });
    assert!(looks.is_some_and(|looks| looks <= 2), "{looks:?}");
    assert_eq!(watcher.loaded().standing.groups_of("bob").len(), 1);
}

#[test]
fn r07_an_older_crl_does_not_replace_a_newer_one() {
    let (folder, ca) = (Scratch::new(), authority("CA16", None));
    let trust = trust(&[("ca16", &ca)]);
    let path = folder.write("ca16.crl", crl(&ca, 7, 7));
    let watched = settings(&[("ca16", &path)], &[]);
    let mut watcher = Watcher::new(&watched, &trust, NOW, None);
    folder.write("ca16.crl", crl(&ca, 6, 6));
    let loaded = look(&mut watcher, &trust).expect("a problem is a change");
    assert_eq!(entries(&loaded), [7]);
    assert!(loaded.problems[0].text.contains("older"), "{loaded:?}");
    let after_reload = Watcher::new(&watched, &trust, NOW, Some(&watcher)).loaded();
    assert_eq!((entries(&after_reload), after_reload.problems.len()), (vec![7], 1));
}

#[test]
fn a_deleted_file_keeps_what_it_held_and_is_a_problem() {
    let (folder, ca) = (Scratch::new(), authority("CA16", None));
    let trust = trust(&[("ca16", &ca)]);
    let list = folder.write("ca16.crl", crl(&ca, 1, 3));
    let group = folder.write("guests", "alice\n");
    let mut watcher = Watcher::new(&settings(&[("ca16", &list)], &[("guests", &group)]), &trust, NOW, None);
    fs::remove_file(&list).expect("it was there");
    fs::remove_file(&group).expect("it was there");
    let loaded = look(&mut watcher, &trust).expect("a problem is a change");
    assert_eq!(entries(&loaded), [3]);
    assert_eq!(loaded.standing.groups_of("alice").len(), 1);
    assert_eq!(loaded.problems.len(), 2);
    assert!(loaded.problems.iter().all(|problem| !problem.fatal));
}

#[test]
fn the_time_of_success_grows_while_the_file_is_good() {
    let (folder, ca) = (Scratch::new(), authority("CA16", None));
    let trust = trust(&[("ca16", &ca)]);
    let path = folder.write("ca16.crl", crl(&ca, 1, 1));
    let mut watcher = Watcher::new(&settings(&[("ca16", &path)], &[]), &trust, NOW, None);
    let later = NOW + Duration::from_secs(60);
    watcher.look(&trust, later);
    assert_eq!(watcher.last_success()[0].at, Some(later));
    fs::remove_file(&path).expect("it was there");
    look(&mut watcher, &trust);
    watcher.look(&trust, later + Duration::from_secs(60));
    assert_eq!(watcher.last_success()[0].at, Some(later));
}

#[test]
fn a_group_that_cannot_be_read_at_the_start_is_fatal() {
    let folder = Scratch::new();
    for path in [folder.path().join("missing"), folder.path().to_path_buf(), folder.write("latin1", b"M\xfcller\n")] {
        let loaded = load(&settings(&[], &[("suspended", &path)]), &trust(&[]), NOW);
        assert!(loaded.problems.len() == 1 && loaded.problems[0].fatal, "{loaded:?}");
    }
}

#[test]
fn r11_a_file_over_its_bound_is_refused_unread() {
    let (folder, ca) = (Scratch::new(), authority("CA16", None));
    let sparse = |name: &str, length: u64| {
        let path = folder.path().join(name);
        fs::File::create(&path).and_then(|file| file.set_len(length)).expect("a sparse file");
        path
    };
    let list = sparse("big.crl", (128 << 20) + 1);
    let group = sparse("big", (16 << 20) + 1);
    let watched = settings(&[("ca16", &list)], &[("guests", &group)]);
    let loaded = load(&watched, &trust(&[("ca16", &ca)]), NOW);
    let texts: Vec<_> = loaded.problems.iter().map(|problem| problem.text.as_str()).collect();
    assert!(texts[0].contains("longer than 128 MiB") && texts[1].contains("longer than 16 MiB"), "{texts:?}");
}

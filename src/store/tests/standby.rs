use super::*;
use crate::now::Wall;
use crate::store::{Audited, BLOCKS, Blocked, Id, Inherited, Known, Person, Record, Request, Standby};

fn certificate(serial: &str, since: Option<i64>) -> Record {
    let request = since.map(|since| Request {
        since: Wall(since),
        by: "operator1".into(),
        reason: "keyCompromise".into(),
        note: "a \"note\"\nof two lines".into(),
        block: true,
    });
    let listed = since.is_none().then(|| "revocation-requested".to_owned());
    let known = Known { authority: Some("ca".into()), serial: Some(serial.into()), listed, ..Known::default() };
    let (revoked, first_seen, last_seen) = (None, None, None);
    Record { row: 0, known, request, revoked, registered: Wall(5), first_seen, last_seen }
}

fn person(name: &str, since: i64) -> Person {
    Person { name: name.into(), since: Wall(since), until: Some(Wall(9_000)), reason: "left".into(), by: "x".into() }
}

fn some() -> Blocked {
    let fingerprint = Record {
        known: Known { fingerprint: Some([7; 32]), not_after: Some(Wall(8)), ..Known::default() },
        ..certificate("", Some(3))
    };
    Blocked {
        certificates: vec![certificate("0a", Some(1)), certificate("0b", None), fingerprint],
        people: vec![person("hanako@example.ac.jp", 4)],
    }
}

/// Opens the registry with what the file beside it holds.
fn resumed(here: &mut Here, blocked: Blocked) {
    here.close();
    let inherited = Inherited { blocked, by_list: "a list" };
    let (store, thread) = Store::resume(here.scratch.path(), Some(inherited)).expect("a thread");
    (here.store, here.thread) = (Some(store), Some(thread));
}

fn blocked(here: &Here) -> Vec<String> {
    let Blocked { certificates, people } = run(here.store().blocked(true)).expect("a look");
    let certificates = certificates.into_iter().map(|record| record.known.serial.unwrap_or_default());
    let people = people.into_iter().map(|person| format!("{} since {}", person.name, person.since.0));
    let mut all: Vec<_> = certificates.chain(people).collect();
    all.sort();
    all
}

#[test]
fn what_is_kept_is_read_again_and_damage_is_seen() {
    let here = Here::new();
    let folder = here.scratch.path();
    assert_eq!(Standby::read(folder), Standby::Absent);
    run(here.store().keep_blocked(some())).expect("written");
    assert_eq!(Standby::read(folder), Standby::Good(some()));
    let octets = std::fs::read(folder.join(BLOCKS)).expect("it was written");
    for at in 0..octets.len() {
        let mut damaged = octets.clone();
        damaged[at] ^= 1;
        std::fs::write(folder.join(BLOCKS), damaged).expect("ours");
        assert!(matches!(Standby::read(folder), Standby::Bad(_)), "octet {at}");
        std::fs::write(folder.join(BLOCKS), &octets[..at]).expect("ours");
        assert!(matches!(Standby::read(folder), Standby::Bad(_)), "cut off at {at}");
    }
    run(here.store().keep_blocked(Blocked::default())).expect("written");
    assert_eq!(Standby::read(folder), Standby::Good(Blocked::default()));
}

#[test]
fn what_cannot_be_kept_is_a_failure_until_it_can() {
    let here = Here::new();
    std::fs::create_dir(here.scratch.path().join("blocks.new")).expect("a folder");
    assert!(run(here.store().keep_blocked(some())).is_err());
    assert!(here.store().health().unkept.is_some_and(|why| why.contains(BLOCKS)));
    std::fs::remove_dir(here.scratch.path().join("blocks.new")).expect("ours");
    run(here.store().keep_blocked(some())).expect("written");
    assert_eq!(here.store().health().unkept, None);
}

#[test]
fn what_is_inherited_is_blocked_in_the_database_and_what_is_newer_there_stays() {
    let mut here = Here::new();
    resumed(&mut here, some());
    assert_eq!(blocked(&here), ["", "0a", "0b", "hanako@example.ac.jp since 4"]);
    let line = Audited {
        row: 0,
        at: Wall(6),
        caller: String::new(),
        role: String::new(),
        action: String::new(),
        target: String::new(),
        detail: String::new(),
    };
    // It lasts, and a lifting lasts where the file knows of it.
    let store = here.store();
    let lifted = store.lift(Id::Name("ca".into(), "0a".into()), Box::new(|_| true), line.clone());
    run(lifted).expect("lifted");
    run(store.unblock_person("hanako@example.ac.jp", Box::new(|_| true), line.clone())).expect("unblocked");
    run(store.block_person(person("hanako@example.ac.jp", 7), Box::new(|_| true), line)).expect("blocked");
    drop(store);
    here.again();
    assert_eq!(blocked(&here), ["", "0b", "hanako@example.ac.jp since 7"]);
    // The file is older: what it says is blocked is blocked again, for nobody was told that it isn't.
    resumed(&mut here, some());
    assert_eq!(blocked(&here), ["", "0a", "0b", "hanako@example.ac.jp since 7"]);
    let audit = run(here.store().audited(None, 10)).expect("a look");
    let adopted = audit.iter().filter(|line| line.action == "adopt-blocks").map(|line| line.detail.as_str());
    assert_eq!(adopted.collect::<Vec<_>>(), ["{\"certificates\":1,\"people\":0}", "{\"certificates\":3,\"people\":1}"]);
}

//! Entries that disappear from CRLs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::campus::*;
use super::make::*;
use super::verdicts::listing;
use crate::event::{Evidence, Reason};
use crate::now::Wall;
use crate::pki::serials::{Entry, Serials};
use crate::pki::{Crl, Disappeared, Revocation, Trust, Vanished, VanishedEntry, Verdict, verdict};
use proptest::prelude::*;

/// CA16's trust, and CRLs of it one set after another.
struct Case {
    campus: Campus,
    trust: Trust,
    now: Revocation,
}

impl Case {
    fn new(crls: &[CrlDraft]) -> Self {
        let campus = Campus::new();
        let trust = campus.trust();
        let mut case = Self { campus, trust, now: Revocation::default() };
        assert_eq!(case.then(crls), Disappeared::default());
        case
    }

    fn load(&self, draft: &CrlDraft, source: &str) -> Arc<Crl> {
        let der = self.campus.ca16.crl(draft);
        Arc::new(Crl::load(&der, &Arc::from("ca16"), &Arc::from(source), &self.trust).expect("a sound CRL"))
    }

    /// What disappears when these follow, each from a source of its own.
    fn then(&mut self, crls: &[CrlDraft]) -> Disappeared {
        let crls = crls.iter().zip(1..).map(|(draft, number)| self.load(draft, &format!("{number}.crl"))).collect();
        self.follow(Revocation::new(crls))
    }

    fn follow(&mut self, next: Revocation) -> Disappeared {
        let (now, disappeared) = next.succeed(&self.now, days(3));
        self.now = now;
        disappeared
    }

    fn verdict(&self, serial: &[u8]) -> Verdict {
        judge(&self.trust, &self.now, &self.campus.ca16.issue(&member(serial)))
    }

    fn finding(&self, serial: &[u8]) -> Reason {
        self.verdict(serial).finding
    }
}

fn delta(number: u8, base: u8) -> CrlDraft {
    fresh(number).with(extension("2.5.29.27", true, &der(0x02, &[&[base]])))
}

fn partition(draft: CrlDraft, place: &str) -> CrlDraft {
    draft.with(issuing_distribution_point(&[&point(place)]))
}

fn serials(disappeared: &Disappeared) -> Vec<&[u8]> {
    disappeared.entries.iter().map(|entry| &entry.serial[..]).collect()
}

#[test]
fn r01_an_entry_that_disappears_is_told_and_stays_revoked() {
    let mut case = Case::new(&[listing(1).revoke(&[8], days(-4), None)]);
    let disappeared = case.then(&[fresh(2).revoke(&[8], days(-4), None)]);
    let [entry] = disappeared.entries.as_slice() else { panic!("{disappeared:?}") };
    assert_eq!((&entry.serial[..], entry.at, entry.since), (&[7][..], days(-2), days(3)));
    assert_eq!((&*entry.authority, &*entry.source, entry.reason_name()), ("ca16", "1.crl", Some("keyCompromise")));
    assert_eq!((disappeared.count, disappeared.returned, disappeared.changed()), (1, 0, true));
    let verdict = case.verdict(&[7]);
    let source: Arc<str> = Arc::from("1.crl");
    assert_eq!(verdict.finding, Reason::Revoked);
    assert_eq!(
        verdict.evidence,
        [
            Evidence::Revoked { at: days(-2), reason: Some("keyCompromise"), intermediate: false },
            Evidence::Vanished { source, since: days(3) }
        ]
    );
    assert_eq!((case.finding(&[8]), case.finding(&[9])), (Reason::Revoked, Reason::Ok));
    for number in 3..5 {
        assert!(!case.then(&[fresh(number)]).entries.iter().any(|entry| entry.serial == [7]), "told once");
        assert_eq!(case.finding(&[7]), Reason::Revoked);
    }
    assert_eq!(case.now.vanished().len(), 2);
}

#[test]
fn an_entry_that_is_listed_again_has_not_disappeared() {
    let mut case = Case::new(&[listing(1)]);
    case.then(&[fresh(2)]);
    let held = fresh(3).revoke(&[7], days(-2), Some(6));
    assert_eq!(case.then(&[held]), Disappeared::default(), "a hold could end");
    let disappeared = case.then(&[listing(4)]);
    assert_eq!((disappeared.count, disappeared.returned, disappeared.changed()), (0, 1, true));
    assert!(case.now.vanished().is_empty());
    assert!(matches!(&case.verdict(&[7]).evidence[..], [Evidence::Revoked { .. }, Evidence::Crl(_)]));
}

#[test]
fn a_hold_ends_and_nothing_has_disappeared_but_what_was_revoked_for_good_is_no_hold_again() {
    let mut case = Case::new(&[fresh(1).revoke(&[7], days(-2), Some(6)).revoke(&[8], days(-2), Some(8))]);
    assert_eq!(serials(&case.then(&[fresh(2)])), [&[8]], "removeFromCRL in a complete CRL revokes");
    assert_eq!(case.finding(&[7]), Reason::Ok);
    case.then(&[listing(3)]);
    assert_eq!(serials(&case.then(&[fresh(4).revoke(&[7], days(-2), Some(6))])), [&[7]]);
    case.then(&[fresh(5)]);
    assert_eq!(case.finding(&[7]), Reason::Revoked);
}

#[test]
fn without_a_successor_nothing_has_disappeared() {
    let mut case = Case::new(&[listing(1), partition(listing(1), "http://crl.example/1")]);
    assert_eq!(case.then(&[]), Disappeared::default());
    assert_eq!(case.finding(&[7]), Reason::RevocationUnknown);
    // The line that is left has it.
    let mut case = Case::new(&[listing(1), partition(listing(1), "http://crl.example/1")]);
    assert_eq!(case.then(&[listing(2)]), Disappeared::default());
}

#[test]
fn the_same_again_costs_nothing_and_an_older_one_takes_nothing_away() {
    let mut case = Case::new(&[listing(5)]);
    let same: Vec<_> = case.now.crls().cloned().collect();
    assert_eq!(case.follow(Revocation::new(same)), Disappeared::default());
    assert_eq!(case.then(&[fresh(4)]).count, 1, "another source, as a reload may bring");
    assert_eq!(case.finding(&[7]), Reason::Revoked);
}

#[test]
fn an_entry_that_moves_to_another_crl_of_the_issuer_has_not_disappeared() {
    let (one, two) = ("http://crl.example/1", "http://crl.example/2");
    let mut case = Case::new(&[partition(listing(1), one), partition(fresh(1), two)]);
    assert_eq!(case.then(&[partition(fresh(2), one), partition(listing(2), two)]), Disappeared::default());
    // From one list to partitions, of which the first comes from the same place.
    let mut case = Case::new(&[listing(1).revoke(&[8], days(-2), None)]);
    assert_eq!(serials(&case.then(&[partition(fresh(2), one), partition(listing(2), two)])), [&[8]]);
}

#[test]
fn the_list_of_another_ca_with_the_same_serial_holds_nothing() {
    let mut case = Case::new(&[]);
    let mut tables = case.campus.settings();
    let rolled = TestCa::root(case.campus.ca16.name.clone(), days(-10), days(1000));
    tables.push(settings("ca16-new", &rolled, &[]));
    case.trust = trust(&tables);
    let of = |ca: &TestCa, draft: &CrlDraft, source: &str| {
        Arc::new(Crl::load(&ca.crl(draft), &Arc::from("x"), &Arc::from(source), &case.trust).expect("a CRL"))
    };
    let old = |draft: &CrlDraft| of(&case.campus.ca16, draft, "old.crl");
    let new = of(&rolled, &listing(1), "new.crl");
    let first = Revocation::new(vec![old(&listing(1)), Arc::clone(&new)]);
    let (_, disappeared) = Revocation::new(vec![old(&fresh(2)), Arc::clone(&new)]).succeed(&first, NOW);
    assert_eq!(disappeared.count, 1);
    // In the same place: a new key's list follows that of the old one.
    let next = of(&rolled, &fresh(2), "old.crl");
    assert_eq!(Revocation::new(vec![next]).succeed(&first, NOW).1.count, 2, "of the old key and of the new");
    let elsewhere = of(&rolled, &fresh(2), "new.crl");
    assert_eq!(serials(&Revocation::new(vec![elsewhere]).succeed(&first, NOW).1), [&[7]], "only the new key's own");
}

#[test]
fn r09_what_a_delta_crl_added_must_be_in_the_next_complete_one() {
    let revoked = |draft: CrlDraft| draft.revoke(&[7], days(-2), Some(1)).revoke(&[8], days(-2), Some(6));
    let mut case = Case::new(&[fresh(5), revoked(delta(6, 5))]);
    assert_eq!(case.then(&[fresh(5), revoked(delta(7, 5))]), Disappeared::default());
    let disappeared = case.then(&[fresh(8), revoked(delta(7, 5))]);
    assert_eq!(serials(&disappeared), [&[7]], "the delta CRL is overtaken");
    assert_eq!((case.finding(&[7]), case.finding(&[8])), (Reason::Revoked, Reason::Ok));

    let mut case = Case::new(&[fresh(5), revoked(delta(6, 5))]);
    assert_eq!(case.then(&[listing(7)]), Disappeared::default(), "its changes are in the complete one");
    let mut case = Case::new(&[fresh(5), revoked(delta(6, 5))]);
    assert_eq!(serials(&case.then(&[fresh(7)])), [&[7]]);
    let mut case = Case::new(&[fresh(5), revoked(delta(6, 5))]);
    assert_eq!(serials(&case.then(&[fresh(5), delta(7, 5)])), [&[7]]);
    let mut case = Case::new(&[fresh(5), revoked(delta(6, 5))]);
    assert_eq!(case.then(&[fresh(5)]), Disappeared::default(), "the source of the delta CRL is gone");
}

#[test]
fn r09_a_delta_crl_takes_off_a_hold_and_nothing_else() {
    let removed = |draft: CrlDraft| draft.revoke(&[7], days(-1), Some(8)).revoke(&[8], days(-1), Some(8));
    let held = |number| listing(number).revoke(&[8], days(-2), Some(6));
    let mut case = Case::new(&[held(5)]);
    assert_eq!(case.then(&[held(5), removed(delta(6, 5))]), Disappeared::default());
    assert_eq!((case.finding(&[7]), case.finding(&[8])), (Reason::Revoked, Reason::Ok));
    assert_eq!(serials(&case.then(&[fresh(7), removed(delta(6, 5))])), [&[7]]);
    assert_eq!((case.finding(&[7]), case.finding(&[8])), (Reason::Revoked, Reason::Ok));
    // Told twice, by both kinds, it is one.
    let mut case = Case::new(&[listing(5), delta(6, 5).revoke(&[7], days(-2), Some(1))]);
    assert_eq!(case.then(&[fresh(7)]).count, 1);
}

#[test]
fn r09_the_entry_of_an_indirect_crl_that_disappears_stays_revoked() {
    let campus = Campus::new();
    let (subject, key) = (name(&[("CN", "CRL signer")]), Key::p256());
    let draft = Draft::new(subject.clone(), &[77], key.spki(), days(-100), days(100)).with(key_usage(CRL_SIGN));
    let signer = TestCa { der: campus.root_ca2.issue(&draft), name: subject.clone(), key };
    let trust = trust(&[settings("one", &campus.root_ca2, &[&campus.pub_ca8, &signer])]);
    let issuer = der(0x30, &[&der(0xa4, &[&campus.pub_ca8.name])]);
    let of = entry(&[7], days(-2), Some(extension("2.5.29.29", true, &issuer)));
    let indirect = |number, entries: &[Vec<u8>]| {
        let draft = fresh(number).with(issuing_distribution_point(&[&der(0x84, &[&[0xff]])]));
        load(&signer.crl(&CrlDraft { entries: entries.to_vec(), ..draft }), &trust)
    };
    let root = load(&campus.root_ca2.crl(&fresh(1)), &trust);
    let first = Revocation::new(vec![Arc::clone(&root), indirect(1, &[of])]);
    let (next, disappeared) = Revocation::new(vec![root, indirect(2, &[])]).succeed(&first, NOW);
    assert_eq!(disappeared.count, 1);
    let named = der(0x30, &[&der(0xa2, &[&der(0xa4, &[&subject])])]);
    let named = extension("2.5.29.31", false, &der(0x30, &[&named]));
    let finding = |draft: &Draft| judge(&trust, &next, &campus.pub_ca8.issue(draft)).finding;
    assert_eq!(finding(&member(&[7]).with(named.clone())), Reason::Revoked);
    assert_eq!(finding(&member(&[8]).with(named)), Reason::Ok);
    assert_eq!(
        finding(&member(&[7])),
        Reason::RevocationUnknown,
        "that CRL says nothing of who doesn't name its signer"
    );
}

#[test]
fn r02_an_intermediate_whose_entry_disappears_stays_revoked() {
    let campus = Campus::new();
    let trust = campus.trust();
    let of = |draft: &CrlDraft| {
        vec![load(&campus.root_ca2.crl(draft), &trust), load(&campus.pub_ca8.crl(&fresh(1)), &trust)]
    };
    let first = Revocation::new(of(&fresh(1).revoke(&[8], days(-2), None)));
    let (next, _) = Revocation::new(of(&fresh(2))).succeed(&first, NOW);
    let verdict = judge(&trust, &next, &campus.pub_ca8.issue(&member(&[7])));
    assert_eq!(verdict.finding, Reason::Revoked);
    assert!(matches!(verdict.evidence[..], [Evidence::Revoked { intermediate: true, .. }, Evidence::Vanished { .. }]));
}

#[test]
fn a_certificate_that_had_expired_when_its_entry_disappeared_shows_its_dates() {
    let mut case = Case::new(&[listing(1)]);
    case.then(&[fresh(2)]);
    let expired = Draft { validity: validity(days(-100), days(2)), ..member(&[7]) };
    let facts = facts(&case.trust, &case.campus.ca16.issue(&expired));
    let verdict = verdict(&case.trust, &case.now, &facts, days(4));
    assert_eq!(verdict.finding, Reason::Revoked);
    assert!(matches!(verdict.evidence.last(), Some(Evidence::Validity { not_after, .. }) if *not_after == days(2)));
}

/// Every entry of a CRL with these serials, gone.
fn gone(count: u32, most: usize) -> (Case, Disappeared) {
    let mut case = Case::new(&[]);
    case.now = Revocation::default().with_vanished(Arc::new(Vanished::new(most)));
    let draft = (0..count).fold(fresh(1), |draft, number| {
        draft.revoke(&[&[1][..], &number.to_be_bytes()].concat(), Wall(days(-50).0 + i64::from(number)), None)
    });
    case.then(&[draft]);
    let disappeared = case.then(&[fresh(2)]);
    (case, disappeared)
}

#[test]
fn the_oldest_go_where_there_is_no_room_and_are_counted() {
    let (case, disappeared) = gone(2_000, 300);
    assert_eq!((disappeared.count, disappeared.entries.len(), disappeared.left_out), (2_000, 100, 1_700));
    let vanished = case.now.vanished();
    assert_eq!((vanished.len(), vanished.left_out()), (300, 1_700));
    assert!(vanished.entries().all(|entry| entry.at.0 >= days(-50).0 + 1_700));
    let (case, disappeared) = gone(20, 0);
    assert_eq!((disappeared.left_out, case.now.vanished().len()), (20, 0));
}

#[test]
fn vanished_entries_are_compact() {
    let mut serials: Vec<Vec<u8>> = Vec::new();
    let mut draft = fresh(1);
    for number in 1..3_000_u128 {
        let serial = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) >> 1 | 1 << 126).to_be_bytes();
        draft = draft.revoke(&serial, days(-2), None);
        serials.push(serial.to_vec());
    }
    let mut case = Case::new(&[draft]);
    case.then(&[fresh(2)]);
    let vanished = case.now.vanished();
    assert_eq!(vanished.len(), 2_999);
    assert!(vanished.octets() <= 34 * 2_999, "{} octets", vanished.octets());
    let signer = vanished.entries().next().expect("an entry").signer;
    let own = crate::pki::name::id(&case.campus.ca16.name).expect("a name");
    assert!(serials.iter().all(|serial| vanished.find(&signer, own, serial).is_some()));
}

#[test]
fn a_page_brings_them_back_in_the_same_order_and_whoever_deletes_a_line_takes_it_off() {
    let (case, _) = gone(50, 1_000);
    let page = case.now.vanished().page();
    let (back, faults) = Vanished::read(&page, 1_000);
    assert_eq!((back.len(), &faults[..]), (50, &[][..]));
    assert!(back.entries().eq(case.now.vanished().entries()));
    assert_eq!(back.page(), page);
    let serials: Vec<_> = back.entries().map(|entry| entry.serial).collect();
    assert!(serials.is_sorted());
    let mut lines: Vec<&str> = page.lines().collect();
    assert_eq!(lines.len(), 52);
    lines.swap(3, 40);
    let deleted = lines.remove(10);
    let (less, faults) = Vanished::read(&lines.join("\r\n"), 1_000);
    assert_eq!((less.len(), &faults[..]), (49, &[][..]), "however lines end");
    assert!(!less.page().contains(deleted) && page.contains(deleted));
    let next = Revocation::new(case.now.crls().cloned().collect()).with_vanished(Arc::new(back));
    let leaf = case.campus.ca16.issue(&member(&[1, 0, 0, 0, 9]));
    assert_eq!(judge(&case.trust, &next, &leaf).finding, Reason::Revoked);
}

#[test]
fn a_damaged_line_is_left_out_and_told() {
    let (case, _) = gone(3, 1_000);
    let page = case.now.vanished().page();
    let damaged = page.replacen("0100000001", "0100000009", 1);
    let (back, faults) = Vanished::read(&damaged, 1_000);
    assert_eq!((back.len(), faults), (2, vec!["line 4: it is damaged or no line of such a page".to_owned()]));
    let (back, faults) = Vanished::read(&page[..page.len() - 20], 1_000);
    assert_eq!((back.len(), faults.len()), (2, 1), "cut short");
    let (back, faults) = Vanished::read(&"what is this\n".repeat(50), 1_000);
    assert!(back.is_empty());
    assert_eq!((faults.len(), &faults[20][..]), (21, "30 more lines cannot be read"));
    assert_eq!(Vanished::read("", 5).1, Vec::<String>::new());
    let (few, faults) = Vanished::read(&page, 2);
    assert_eq!((few.len(), few.left_out(), faults.len()), (2, 1, 0));
}

#[test]
fn names_of_any_kind_come_back_from_a_page() {
    let mut case = Case::new(&[]);
    let odd = "部局\t\\n\\\r\n";
    let of = |draft: &CrlDraft| {
        let der = case.campus.ca16.crl(draft);
        Arc::new(Crl::load(&der, &Arc::from(odd), &Arc::from(odd), &case.trust).expect("a CRL"))
    };
    let (first, next) = (Revocation::new(vec![of(&listing(1))]), Revocation::new(vec![of(&fresh(2))]));
    case.now = first;
    case.follow(next);
    let (back, faults) = Vanished::read(&case.now.vanished().page(), 5);
    assert_eq!(faults, Vec::<String>::new());
    let entries: Vec<VanishedEntry> = back.entries().collect();
    assert_eq!((&*entries[0].authority, &*entries[0].source), (odd, odd));
}

type Map = BTreeMap<Vec<u8>, Option<u8>>;

fn map() -> impl Strategy<Value = Map> {
    proptest::collection::btree_map(proptest::collection::vec(0_u8..4, 1..4), proptest::option::of(5_u8..8), 0..60)
}

fn index(map: &Map) -> Serials {
    let mut serials = Serials::new();
    for (serial, reason) in map {
        serials.push(serial, Entry { at: NOW, reason: *reason });
    }
    serials.settle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_walk_finds_what_maps_find(before in map(), after in proptest::collection::vec(map(), 0..4)) {
        let (first, others): (_, Vec<_>) = (index(&before), after.iter().map(index).collect());
        let lasts = |reason: Option<u8>| reason != Some(6);
        let mut found = Vec::new();
        first.missing_from(&others.iter().collect::<Vec<_>>(), |entry| lasts(entry.reason), |serial, entry| found.push((serial.to_vec(), entry.reason)));
        let has = |serial: &Vec<u8>| after.iter().any(|map| map.get(serial).is_some_and(|reason| lasts(*reason)));
        let mut wanted: Vec<_> = before.into_iter().filter(|(serial, _)| !has(serial)).collect();
        wanted.sort_by(|one, other| (one.0.len(), &one.0).cmp(&(other.0.len(), &other.0)));
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn any_text_is_read_without_a_panic(page in "\\PC{0,80}", place in any::<prop::sample::Index>()) {
        thread_local! { static PAGE: String = gone(3, 10).0.now.vanished().page(); }
        PAGE.with(|good| {
            let mut changed = good.clone();
            let place = place.index(good.len());
            changed.replace_range(place..place, &page);
            let (back, _) = Vanished::read(&changed, 10);
            prop_assert!(back.len() >= 2 && back.len() <= 3);
            Ok(())
        })?;
    }
}

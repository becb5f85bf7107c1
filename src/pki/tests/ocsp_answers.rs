//! All answers in use: which replaces which, and how many there may be.

use std::sync::Arc;

use super::campus::*;
use super::ocsp_make::*;
use super::ocsp_responses::Asked;
use crate::event::OcspStatus;
use crate::now::Wall;
use crate::pki::{Answers, Inserted, OcspAnswer, Origin};

/// What an answer about the certificate says, in these tests' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Good,
    Unknown,
    Hold,
    Revoked,
}

use Says::{Good, Hold, Revoked, Unknown};

impl Asked {
    /// Of so many minutes ago.
    fn answer(&self, says: Says, minutes: i64) -> Arc<OcspAnswer> {
        self.about(&[7], says, minutes)
    }

    fn about(&self, serial: &[u8], says: Says, minutes: i64) -> Arc<OcspAnswer> {
        let status = match says {
            Good => good(),
            Unknown => unknown(),
            Hold => revoked(days(-2), Some(6)),
            Revoked => revoked(days(-2), Some(1)),
        };
        let single = Single::new(cert_id(&self.campus.ca16, serial), status);
        let draft = OcspDraft::new(&[single.dated(Wall(NOW.0 - minutes * 60), days(1))]);
        let mut question = self.question.clone();
        question.serial = serial.to_vec();
        let octets = draft.sign(&self.campus.ca16);
        Arc::new(load_answer(&octets, &question, Origin::Kept, &self.trust, NOW).unwrap())
    }

    fn get(&self, answers: &Answers) -> Option<Arc<OcspAnswer>> {
        answers.get(&self.question.issuer, &self.question.serial)
    }
}

#[test]
fn r20_a_newer_answer_is_never_replaced_by_an_older_one() {
    let asked = Asked::new();
    for (first, second) in [(Good, Good), (Good, Unknown), (Unknown, Good), (Unknown, Unknown)] {
        let answers = Answers::default();
        assert!(asked.get(&answers).is_none());
        let newer = asked.answer(first, 10);
        assert_eq!(answers.insert(Arc::clone(&newer)), Inserted::Alike);
        assert_eq!(answers.insert(asked.answer(second, 20)), Inserted::Older);
        assert!(Arc::ptr_eq(&asked.get(&answers).unwrap(), &newer));
        assert_eq!(answers.insert(asked.answer(second, 10)), Inserted::Alike, "it may come twice");
        let newest = asked.answer(second, 5);
        assert_eq!(answers.insert(Arc::clone(&newest)), Inserted::Alike);
        assert!(Arc::ptr_eq(&asked.get(&answers).unwrap(), &newest));
    }
}

#[test]
fn r16_revoked_counts_at_once_and_is_reported_once() {
    let asked = Asked::new();
    for says in [Hold, Revoked] {
        let answers = Answers::default();
        answers.insert(asked.answer(Good, 30));
        assert_eq!(answers.insert(asked.answer(says, 20)), Inserted::NewlyRevoked);
        assert!(asked.get(&answers).unwrap().revokes());
        assert_eq!(answers.insert(asked.answer(says, 20)), Inserted::Alike);
        assert_eq!(answers.insert(asked.answer(says, 10)), Inserted::Alike);
        assert_eq!(answers.insert(asked.answer(says, 15)), Inserted::Older);
        assert_eq!(answers.insert(asked.answer(Good, 10)), Inserted::Older, "of the same moment the worse counts");
        assert!(asked.get(&answers).unwrap().revokes());
        assert_eq!(answers.count(), 1);
    }
}

#[test]
fn r16_a_revocation_that_vanishes_stays_and_is_reported_once() {
    let asked = Asked::new();
    for later in [Good, Unknown] {
        let answers = Answers::default();
        answers.insert(asked.answer(Revoked, 30));
        assert_eq!(answers.insert(asked.answer(later, 40)), Inserted::Older);
        assert_eq!(answers.insert(asked.answer(later, 20)), Inserted::Vanished);
        assert_eq!(answers.insert(asked.answer(later, 10)), Inserted::Older);
        assert_eq!(answers.insert(asked.answer(Hold, 5)), Inserted::Older, "only a hold could be taken back");
        assert!(asked.get(&answers).unwrap().revokes());
        assert_eq!(answers.iter().map(|answer| answer.revokes()).collect::<Vec<_>>(), [true]);
        assert_eq!(answers.insert(asked.answer(Revoked, 4)), Inserted::Alike);
        assert_eq!(answers.insert(asked.answer(later, 3)), Inserted::Vanished, "again");
    }
}

#[test]
fn r16_a_hold_ends_with_a_newer_good_and_with_nothing_else() {
    let asked = Asked::new();
    let answers = Answers::default();
    answers.insert(asked.answer(Hold, 30));
    assert_eq!(answers.insert(asked.answer(Unknown, 20)), Inserted::Older);
    assert!(asked.get(&answers).unwrap().revokes());
    assert_eq!(answers.insert(asked.answer(Good, 10)), Inserted::Alike);
    assert_eq!(asked.get(&answers).unwrap().name().status, OcspStatus::Good);
    assert_eq!(answers.insert(asked.answer(Hold, 30)), Inserted::Older, "replayed");
    assert_eq!(answers.insert(asked.answer(Hold, 5)), Inserted::NewlyRevoked);
    assert_eq!(answers.insert(asked.answer(Revoked, 7)), Inserted::Alike, "for good, although it is older");
    assert_eq!(answers.insert(asked.answer(Good, 1)), Inserted::Vanished);
}

#[test]
fn r16_whatever_comes_first_what_revokes_for_good_is_what_stays() {
    let asked = Asked::new();
    let all = [Good, Unknown, Hold, Revoked].map(|says| [10, 20, 30].map(|age| asked.answer(says, age)));
    let others =
        || all.iter().flatten().filter(|answer| !answer.revokes() || answer.entry() == Some((days(-2), Some(6))));
    for revoked in &all[3] {
        for one in others() {
            for two in others() {
                for order in [[one, two, revoked], [one, revoked, two], [revoked, one, two]] {
                    let answers = Answers::default();
                    order.into_iter().for_each(|answer| {
                        answers.insert(Arc::clone(answer));
                    });
                    assert!(Arc::ptr_eq(&asked.get(&answers).unwrap(), revoked));
                }
            }
        }
    }
}

#[test]
fn p10_answers_are_bounded_and_many_never_crowd_out_the_revoked() {
    let asked = Asked::new();
    let answers = Answers::new(8);
    answers.insert(asked.answer(Revoked, 30));
    for serial in 1..=40 {
        answers.insert(asked.about(&[serial, 1], Good, 30));
    }
    assert_eq!(answers.count(), 9);
    assert!(asked.get(&answers).unwrap().revokes());
    let newest = asked.about(&[40, 1], Good, 30);
    assert!(answers.get(&newest.question.issuer, &[40, 1]).is_some(), "the last to come has room");
    let serials: std::collections::HashSet<_> = answers.iter().map(|answer| answer.question.serial.clone()).collect();
    assert_eq!(serials.len(), 9);
}

#[test]
fn answers_of_like_serials_and_issuers_are_kept_apart() {
    let asked = Asked::new();
    let answers = Answers::default();
    answers.insert(asked.about(&[7], Revoked, 30));
    answers.insert(asked.about(&[7, 0], Good, 30));
    let issuer = asked.question.issuer;
    assert!(answers.get(&issuer, &[7]).unwrap().revokes());
    assert!(!answers.get(&issuer, &[7, 0]).unwrap().revokes());
    assert!(answers.get(&issuer, &[7, 0, 0]).is_none());
    assert!(answers.get(&[0; 32], &[7]).is_none());
    assert!(answers.get(&issuer, &[7; 300]).is_none());
}

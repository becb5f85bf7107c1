//! An OCSP response: as it is, and as the campus' root would have signed it.

use std::sync::{Arc, LazyLock};

use sekisho::event::Reason;
use sekisho::now::Wall;
use sekisho::pki::{
    Answers, AuthoritySettings, BadOcsp, Facts, OcspAnswer, Origin, Question, Revocation, RevocationSource, Trust,
    questions, verdict,
};

use super::campus::{MEMBER, NOW, REVOKED, ROOT, authority, campus};

/// Those who ask nothing but responders about two certificates of the root, which one CRL that there is doesn't revoke.
struct Asking {
    trust: Trust,
    members: Vec<(Arc<Facts>, Question)>,
}

impl Asking {
    fn new() -> Self {
        let settings = AuthoritySettings { revocation: RevocationSource::Ocsp, ..authority("root", ROOT, &[]) };
        let (trust, _) = Trust::new(&[settings], NOW.wall).expect("a good authority");
        let ask = |leaf| {
            let facts = trust.facts(&[leaf]).expect("a good certificate");
            let asked = questions(&trust, &Revocation::default(), &facts, NOW.wall);
            let question = asked.into_iter().next().expect("nobody has answered yet");
            assert!(question.request(&trust, Some(&[7; 32])).is_some(), "its issuer is configured");
            (facts, question)
        };
        let members = [MEMBER, REVOKED].map(ask).to_vec();
        Self { trust, members }
    }
}

/// Loads an OCSPResponse (DER), and judges certificates by it.
pub fn run(data: &[u8]) -> bool {
    static ASKING: LazyLock<Asking> = LazyLock::new(Asking::new);
    let adopted = campus().adopt_answer(data);
    let found = [Some(data), adopted.as_deref()].map(|octets| octets.is_some_and(|octets| ASKING.judge(octets)));
    found.contains(&true)
}

impl Asking {
    fn judge(&self, octets: &[u8]) -> bool {
        let mut reached = false;
        for (facts, question) in &self.members {
            let fetched = self.load(octets, question, Origin::Fetched { nonce: None });
            let _ = self.load(octets, question, Origin::Fetched { nonce: Some(&[7; 32]) });
            let kept = self.load(octets, question, Origin::Kept);
            assert!(fetched.is_none() || kept.is_some(), "what is fetched can be kept");
            reached |= kept.is_some();
            for answer in [fetched, kept].into_iter().flatten() {
                self.consult(answer, facts);
            }
        }
        reached
    }

    fn load(&self, octets: &[u8], question: &Question, origin: Origin<'_>) -> Option<Arc<OcspAnswer>> {
        match OcspAnswer::load(octets, question, &"fuzzer".into(), origin, &self.trust, NOW.wall) {
            Ok(answer) => {
                assert_eq!(answer.question, *question);
                assert!(answer.name().this_update <= answer.name().next_update, "{answer:?}");
                Some(Arc::new(answer))
            }
            Err(bad) => {
                assert!(BadOcsp::LABELS.contains(&bad.label), "{bad:?}");
                None
            }
        }
    }

    fn consult(&self, answer: Arc<OcspAnswer>, facts: &Facts) {
        let answers = Arc::new(Answers::default());
        answers.insert(Arc::clone(&answer));
        assert_eq!(answers.count(), 1);
        let revocation = Revocation::default().with_answers(answers);
        let name = answer.name();
        for now in [NOW.wall, name.this_update, name.next_update, Wall(i64::MIN), Wall(i64::MAX)] {
            let found = verdict(&self.trust, &revocation, facts, now);
            let asked = questions(&self.trust, &revocation, facts, now);
            assert_eq!(found.finding == Reason::Revoked, answer.revokes(), "{found:?}");
            assert!(found.finding != Reason::Ok || asked.is_empty(), "what was let in is asked about");
        }
    }
}

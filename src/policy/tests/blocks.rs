use super::*;
use crate::standing::{Block, BlockedCertificate, Blocks};

fn block(until: Option<Wall>) -> Block {
    Block { since: NOW, until, reason: "keyCompromise".into(), by: "desk".into() }
}

fn blocked(fingerprint: Option<[u8; 32]>, name: Option<(&str, &[u8])>, people: &[(&str, Option<Wall>)]) -> Standing {
    let name = name.map(|(authority, serial)| (authority.into(), serial.to_vec()));
    let certificate = BlockedCertificate { fingerprint, name, block: block(None) };
    let people = people.iter().map(|(name, until)| ((*name).to_owned(), block(*until))).collect();
    Standing::default().with_blocks(Arc::new(Blocks::new(vec![certificate], people)))
}

fn reason(verdict: Reason, standing: &Standing) -> Reason {
    let verdict = Verdict { finding: verdict, evidence: Vec::new() };
    let policy = policy(vec![service("JAIST")]);
    policy.decide(ServiceIndex(0), &facts(), &verdict, standing, &Hints::default(), NOW).reason()
}

#[test]
fn a_certificate_is_blocked_by_either_of_its_names() {
    for standing in [blocked(Some([7; 32]), None, &[]), blocked(None, Some(("ca16", &[0x4a])), &[])] {
        assert_eq!(reason(Reason::Ok, &standing), Reason::Blocked);
    }
    let others = [
        blocked(Some([8; 32]), None, &[]),
        blocked(None, Some(("pub-ca8", &[0x4a])), &[]),
        blocked(None, Some(("ca16", &[0x4b])), &[]),
    ];
    for standing in others {
        assert_eq!(reason(Reason::Ok, &standing), Reason::Ok);
    }
}

#[test]
fn a_person_is_blocked_whatever_the_case_and_until_the_end() {
    for name in ["hanako@jaist.ac.jp", "Hanako@JAIST.ac.jp"] {
        assert_eq!(reason(Reason::Ok, &blocked(None, None, &[(name, None)])), Reason::UserBlocked);
    }
    assert_eq!(reason(Reason::Ok, &blocked(None, None, &[("hanako", None)])), Reason::Ok);
    let until = |at| reason(Reason::Ok, &blocked(None, None, &[("hanako@jaist.ac.jp", Some(at))]));
    assert_eq!(until(Wall(NOW.0 + 1)), Reason::UserBlocked);
    assert_eq!(until(NOW), Reason::Ok, "it has ended");
}

#[test]
fn revoked_comes_before_blocked_and_blocked_before_the_rest() {
    let standing = blocked(Some([7; 32]), None, &[("hanako@jaist.ac.jp", None)]);
    for finding in [Reason::Revoked, Reason::WrongOrganisation, Reason::WrongPurpose, Reason::UntrustedIssuer] {
        assert_eq!(reason(finding, &standing), finding);
    }
    let rest = [
        Reason::Ok,
        Reason::OkGrace,
        Reason::Expired,
        Reason::NotYetValid,
        Reason::DistrustedAuthority,
        Reason::RevocationUnknown,
        Reason::RevocationStale,
    ];
    let person = blocked(None, None, &[("hanako@jaist.ac.jp", None)]);
    for finding in rest {
        assert_eq!(reason(finding, &standing), Reason::Blocked);
        assert_eq!(reason(finding, &person), Reason::UserBlocked);
    }
}

#[test]
fn the_evidence_says_since_when_why_and_by_whom() {
    let decision =
        decide(&policy(vec![service("JAIST")]), &facts(), &blocked(Some([7; 32]), None, &[]), &Hints::default());
    let (reason, by) = ("keyCompromise".into(), "desk".into());
    assert_eq!(decision.evidence(), [Evidence::Blocked { since: NOW, until: None, reason, by }]);
    assert_eq!(decision.user().map(|user| &**user), Some("hanako@jaist.ac.jp"));
}

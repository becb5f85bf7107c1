//! One user by every way in which a NAS may call him.

use super::*;

fn decided(strip_realm: bool, realms: Option<&[&str]>, name: &str, blocks: &[&str]) -> Result<String, Reason> {
    let rule = UsernameRule { strip_realm, ..UsernameRule::new("ca16".into()) };
    let realms = realms.map(texts);
    let otp = Some(OtpAfter::NasPassword);
    let service = ServiceSettings { realms, otp, authorities: names(&["ca16"]), ..service("ssl-vpn") };
    let policy = Policy::new(vec![service], vec![rule]);
    let block = |name: &&str| {
        let block = Block { since: NOW, until: None, reason: "".into(), by: "desk".into() };
        ((*name).to_owned(), block)
    };
    let blocks = Blocks::new(Vec::new(), blocks.iter().map(block).collect());
    let standing = Standing::default().with_blocks(Arc::new(blocks));
    let decision = policy.decide_person(ServiceIndex(0), name, &standing, &Hints::default(), NOW);
    decision.grant().map(|grant| grant.user.to_string()).ok_or(decision.reason())
}

const TARO: &str = "taro@jaist.ac.jp";

#[test]
fn a_name_without_a_realm_is_of_the_one_that_the_service_is_for_or_nobodys() {
    let listed: Option<&[&str]> = Some(&["jaist.ac.jp", ""]);
    for name in ["taro", "Taro", TARO, "TARO@JAIST.ac.jp"] {
        assert_eq!(decided(false, listed, name, &[]), Ok(TARO.to_owned()), "{name}");
        assert_eq!(decided(false, listed, name, &[TARO]), Err(Reason::UserBlocked), "{name}");
    }
    for realms in [None, Some(&[""][..])] {
        assert_eq!(decided(false, realms, "Taro", &[]), Ok("taro".to_owned()), "{realms:?}");
        assert_eq!(decided(false, realms, "taro", &[TARO]), Err(Reason::UserBlocked), "{realms:?}");
        assert_eq!(decided(false, realms, "tar", &[TARO]), Ok("tar".to_owned()), "{realms:?}");
    }
    for realms in [Some(&["a.jp", "b.jp", ""][..]), Some(&[".jaist.ac.jp", ""]), Some(&["a.jp", ".b.jp", ""])] {
        assert_eq!(decided(false, realms, "taro", &[]), Err(Reason::BadIdentity), "{realms:?}");
        assert_eq!(decided(false, realms, TARO, &[]), Ok(TARO.to_owned()), "{realms:?}");
    }
    assert_eq!(
        decided(false, listed, "taro@elsewhere.jp", &[TARO]),
        Ok("taro@elsewhere.jp".to_owned()),
        "another user"
    );
}

#[test]
fn where_certificates_name_users_without_a_realm_nobody_has_one() {
    let listed: Option<&[&str]> = Some(&["jaist.ac.jp", ""]);
    for name in ["taro", "TARO", TARO] {
        assert_eq!(decided(true, listed, name, &[]), Ok("taro".to_owned()), "{name}");
        assert_eq!(decided(true, listed, name, &["taro"]), Err(Reason::UserBlocked), "{name}");
    }
    for realms in [None, Some(&[""][..]), Some(&["jaist.ac.jp", "b.jp"])] {
        assert_eq!(decided(true, realms, TARO, &[]), Err(Reason::BadIdentity), "{realms:?}");
    }
    assert_eq!(decided(true, None, "taro", &[]), Ok("taro".to_owned()));
}

#[test]
fn half_a_name_is_nobodys() {
    for name in ["@jaist.ac.jp", "taro@", "@", "", " taro", "taro\u{200b}"] {
        assert!(decided(false, Some(&["jaist.ac.jp", ""]), name, &[]).is_err(), "{name:?}");
    }
}

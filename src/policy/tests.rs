mod blocks;
mod decide;
mod outer;
mod person;
mod route;
mod rules;
mod username;

use super::*;
use crate::event::Method;
use crate::pki::{AltName, NoPath};
use crate::radius::Attributes;

const NOW: Wall = Wall(1_800_000_000);
const DAY: Duration = Duration::from_secs(86_400);

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn names(list: &[&str]) -> Vec<Arc<str>> {
    list.iter().map(|name| Arc::from(*name)).collect()
}

fn facts() -> Facts {
    Facts {
        fingerprint: [7; 32],
        authority: "ca16".into(),
        serial: vec![0x4a],
        subject: vec![
            ("C".into(), "JP".into()),
            ("OU".into(), "Staff".into()),
            ("CN".into(), "Hokuriku Hanako".into()),
        ],
        alt_names: vec![AltName::Email("hanako@jaist.ac.jp".into())],
        not_before: Wall(NOW.0 - 1_000),
        not_after: NOW + DAY * 30,
        path_not_after: NOW + DAY * 30,
        purposes: None,
        policies: vec!["1.2.392.1".into()],
        locations: Arc::default(),
        links: Vec::new(),
    }
}

fn good() -> Verdict {
    Verdict { finding: Reason::Ok, evidence: Vec::new() }
}

fn service(name: &str) -> ServiceSettings {
    ServiceSettings {
        name: name.into(),
        matches: vec![Match { ssid: Some(texts(&[name])), ..Match::default() }],
        authorities: names(&["ca16", "pub-ca8"]),
        identities: Vec::new(),
        realms: None,
        reply_username: ReplyUsername::Certificate,
        grants: Grants::default(),
        rules: Vec::new(),
        authorize: None,
        otp: None,
    }
}

fn policy(services: Vec<ServiceSettings>) -> Policy {
    Policy::new(services, Vec::new())
}

fn rule(when: When, grants: Grants) -> Rule {
    Rule { when, grants, deny: false, otp: false }
}

fn vlan(vlan: &str) -> Grants {
    Grants { vlan: Some(vlan.into()), ..Grants::default() }
}

/// Decides for the first service.
fn decide(policy: &Policy, facts: &Facts, standing: &Standing, hints: &Hints) -> Decision {
    policy.decide(ServiceIndex(0), facts, &good(), standing, hints, NOW)
}

fn granted(settings: ServiceSettings, facts: &Facts) -> Grant {
    let decision = decide(&policy(vec![settings]), facts, &Standing::default(), &Hints::default());
    decision.grant().expect("let in").clone()
}

fn with_rules(rules: Vec<Rule>) -> ServiceSettings {
    ServiceSettings { rules, ..service("JAIST") }
}

fn routed(policy: &Policy, hints: &Hints) -> Option<String> {
    policy.route(hints).and_then(|index| policy.service(index)).map(|service| service.name.to_string())
}

fn ssid(ssid: &str) -> Hints {
    Hints { ssid: Some(ssid.into()), ..Hints::default() }
}

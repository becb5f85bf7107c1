//! What is kept of a certificate whose chain has been verified.

use crate::pki::{AltName, Facts};
use crate::policy::Policy;
use crate::store::{Known, serial_text};

/// What is kept of it; the DER is whose who has it.
#[must_use]
pub fn known(facts: &Facts, policy: &Policy) -> Known {
    let of_subject = |wanted: &str| facts.subject.iter().find(|(kind, _)| kind == wanted).map(|(_, text)| text.clone());
    let mail = facts.alt_names.iter().find_map(|name| match name {
        AltName::Email(mail) => Some(mail.clone()),
        _ => None,
    });
    Known {
        fingerprint: Some(facts.fingerprint),
        der: None,
        facts: Some(facts.encode()),
        authority: Some(facts.authority.to_string()),
        serial: Some(serial_text(&facts.serial)),
        issuer: facts.links.first().map(|link| link.issuer),
        application: None,
        subject: facts.name().subject,
        cn: of_subject("CN"),
        mail: mail.or_else(|| of_subject("emailAddress")),
        user: policy.user(facts).map(|user| user.to_string()),
        not_before: Some(facts.not_before),
        not_after: Some(facts.not_after),
        listed: None,
    }
}

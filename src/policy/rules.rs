//! The rules of a service: every one whose `when` holds applies, in order.

use std::sync::Arc;

use super::route::any_of;
use super::{Grants, Hints, ServiceSettings, When, glob};
use crate::pki::{AltName, Facts};

/// What rules may look at.
pub(super) struct Asked<'a> {
    /// The certificate; `None`: there is none, and no rule holds that looks at one.
    pub(super) facts: Option<&'a Facts>,
    /// The groups of its user.
    pub(super) groups: &'a [Arc<str>],
    /// The request.
    pub(super) hints: &'a Hints,
}

/// What the service and its rules grant, and the number, from 1, of the first rule that wants a one-time password; else the number of the rule that refuses.
pub(super) fn apply(service: &ServiceSettings, asked: &Asked<'_>) -> Result<(Grants, Option<usize>), usize> {
    let (mut granted, mut otp) = (service.grants.clone(), None);
    for (index, rule) in service.rules.iter().enumerate() {
        if !rule.when.holds(asked) {
            continue;
        }
        if rule.deny {
            return Err(index.saturating_add(1));
        }
        if rule.otp {
            otp.get_or_insert(index.saturating_add(1));
        }
        granted.overlay(&rule.grants);
    }
    Ok((granted, otp))
}

impl Grants {
    /// Takes over what `later` sets; attributes are added.
    fn overlay(&mut self, later: &Self) {
        if later.vlan.is_some() {
            self.vlan.clone_from(&later.vlan);
        }
        if later.filter_id.is_some() {
            self.filter_id.clone_from(&later.filter_id);
        }
        self.session_timeout = later.session_timeout.or(self.session_timeout);
        self.attributes.extend(&later.attributes);
    }
}

impl When {
    /// Whether every key that is set holds.
    fn holds(&self, asked: &Asked<'_>) -> bool {
        let Asked { facts, groups, hints } = asked;
        self.subject.iter().all(|(attribute, values)| facts.is_some_and(|facts| subject_has(facts, attribute, values)))
            && any_of(self.san.as_deref(), |pattern| {
                facts
                    .is_some_and(|facts| facts.alt_names.iter().any(|name| glob::matches(pattern, alt_name_text(name))))
            })
            && any_of(self.authority.as_deref(), |authority| facts.is_some_and(|facts| facts.authority == *authority))
            && any_of(self.group.as_deref(), |group| groups.contains(group))
            && any_of(self.nas.as_deref(), |nas| hints.nas == *nas)
            && any_of(self.nas_port_type.as_deref(), |kind| hints.nas_port_type == Some(*kind))
            && any_of(self.policy_oid.as_deref(), |oid| facts.is_some_and(|facts| facts.policies.contains(oid)))
            && any_of(self.method.as_deref(), |method| hints.method == Some(*method))
    }
}

fn alt_name_text(name: &AltName) -> &str {
    let (AltName::Email(text) | AltName::Upn(text) | AltName::Dns(text) | AltName::Uri(text)) = name;
    text
}

fn subject_has(facts: &Facts, attribute: &str, values: &[String]) -> bool {
    facts.subject.iter().any(|(found, value)| {
        found.eq_ignore_ascii_case(attribute) && values.iter().any(|wanted| same_text(wanted, value))
    })
}

/// caseIgnoreMatch as administrators expect it (RFC 4518 sections 2.2 and 2.6.1, for ASCII): case, outer blanks and the number of inner ones do not count.
fn same_text(a: &str, b: &str) -> bool {
    let mut words = b.split_ascii_whitespace();
    a.split_ascii_whitespace().all(|word| words.next().is_some_and(|other| other.eq_ignore_ascii_case(word)))
        && words.next().is_none()
}

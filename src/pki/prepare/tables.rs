//! What one table says on its own, and of the CAs that issue for it.

use super::Findings;
use crate::pki::certificate::Certificate;
use crate::pki::{AuthoritySettings, Purpose, name, purpose};

/// Who issues for more than one organisation, as their certificates say: words of the subject, lower case.
const SHARED: [&str; 14] = [
    "secom",
    "security communication",
    "nii open domain",
    "upki",
    "geant",
    "sectigo",
    "digicert",
    "globalsign",
    "cybertrust",
    "quovadis",
    "harica",
    "entrust",
    "usertrust",
    "telesec",
];

pub(super) fn check_subject_rules(table: &AuthoritySettings, findings: &mut Findings<'_>) {
    for (attribute, value) in &table.subject {
        if !name::is_attribute_name(attribute) {
            let known = name::short_names().collect::<Vec<_>>().join(", ");
            findings.error(
                "subject",
                format!("{attribute:?} is neither one of {known} nor a dotted OID without such a name"),
            );
        }
        if value.is_empty() {
            findings.error("subject", format!("{attribute} is empty: no certificate could match"));
        }
    }
}

/// With `require` as dotted OIDs.
pub(super) fn check_purpose(wanted: &Purpose, findings: &mut Findings<'_>) -> Purpose {
    let mut checked = Purpose { require: Vec::new(), ..wanted.clone() };
    for usage in &wanted.require {
        match purpose::oid(usage) {
            Some(oid) => checked.require.push(oid),
            None => {
                let known = purpose::all_names();
                findings.error("purpose", format!("require: {usage:?} is neither one of {known} nor a dotted OID"));
            }
        }
    }
    for (list, oids) in [("policies", &wanted.policies), ("refuse-policies", &wanted.refuse_policies)] {
        for oid in oids.iter().filter(|oid| !name::is_dotted_oid(oid)) {
            findings.error("purpose", format!("{list}: {oid:?} isn't a dotted OID"));
        }
    }
    checked
}

pub(super) fn check_distrust(table: &AuthoritySettings, findings: &mut Findings<'_>) {
    let Some(distrust) = table.distrust else { return };
    if let (Some(before), Some(after)) = (distrust.issued_before, distrust.issued_after)
        && before <= after
    {
        findings.error("distrust", "no certificate is issued both before issued-before and after issued-after");
    }
}

pub(super) fn warn_shared(
    table: &AuthoritySettings,
    anchor: &Certificate<'_>,
    paths: &[Vec<&Certificate<'_>>],
    findings: &mut Findings<'_>,
) {
    if !table.subject.is_empty() {
        return;
    }
    for path in paths {
        let text = name::shown(&path.first().unwrap_or(&anchor).subject);
        if SHARED.iter().any(|word| text.to_lowercase().contains(word)) {
            findings.warning(
                "subject",
                format!("{text} issues for many organisations: without `subject` all of their members are let in"),
            );
        }
    }
}

/// A CA that may not issue for a purpose that is required can't be meant.
pub(super) fn check_purpose_of_path(wanted: &Purpose, paths: &[Vec<&Certificate<'_>>], findings: &mut Findings<'_>) {
    for ca in paths.iter().flatten() {
        let Some(purposes) = &ca.purposes else { continue };
        let allows =
            |wanted: &String| purposes.contains(wanted) || purposes.iter().any(|purpose| purpose == purpose::ANY);
        if let Some(missing) = wanted.require.iter().find(|wanted| !allows(wanted)) {
            let (text, missing) = (name::shown(&ca.subject), purpose::name(missing));
            findings.error(
                "purpose",
                format!("{text} may not issue certificates for {missing}: no certificate could match"),
            );
        }
    }
}

//! Who it is that a NAS calls by a name: the same user as by his certificate, so that one block, one key for codes and one line of a group's file are about all of him.

use std::sync::Arc;

use super::ServiceSettings;

/// The user of a name whose password the NAS has checked, in ASCII lower case. `strips`: users have no realm by their certificates.
///
/// # Errors
/// Nobody can say which user that is; why.
pub(super) fn user(service: &ServiceSettings, strips: bool, name: &str) -> Result<Arc<str>, &'static str> {
    let name = name.to_ascii_lowercase();
    let (only, named) = (only_realm(service), name.rsplit_once('@'));
    match (named, only) {
        (Some((local, realm)), _) if local.is_empty() || realm.is_empty() => Err("a name that is only half there"),
        (Some(_), _) if !strips => Ok(name.into()),
        (Some((local, realm)), Some(only)) if realm.eq_ignore_ascii_case(only) => Ok(local.into()),
        (Some(_), _) => Err(
            "users have no realm here (`strip-realm`), and the name's isn't the one that `realms` of the service lists",
        ),
        (None, _) if strips => Ok(name.into()),
        (None, Some(only)) => Ok(format!("{name}@{only}").into()),
        (None, None) if has_no_realm(service) => Ok(name.into()),
        (None, None) => Err("a name without a realm, and `realms` of the service lists several that it could be of"),
    }
}

/// Nothing says of which realm names are that have none: they are users of their own.
fn has_no_realm(service: &ServiceSettings) -> bool {
    service.realms.iter().flatten().all(String::is_empty)
}

/// The one realm whose users the service is for, where there is just one; beside it, names without any.
fn only_realm(service: &ServiceSettings) -> Option<&str> {
    let mut named = service.realms.iter().flatten().filter(|realm| !realm.is_empty());
    let only = named.next().filter(|realm| !realm.starts_with('.'))?;
    named.next().is_none().then_some(only)
}

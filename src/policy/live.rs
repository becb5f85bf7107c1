//! The rules again, for somebody who is online, of whom no certificate is at hand.

use std::sync::Arc;

use super::{Policy, When};
use crate::event::Method;
use crate::standing::Standing;

/// Somebody who is online, as far as he is remembered.
#[derive(Clone, Copy, Debug)]
pub struct Online<'a> {
    /// Name of the service that he was let into.
    pub service: &'a str,
    /// The user by his certificate.
    pub user: &'a str,
    /// The authority of his certificate; `None`: he has none.
    pub authority: Option<&'a str>,
    /// Name of the NAS where he is.
    pub nas: &'a str,
    /// How he was let in.
    pub method: Method,
}

impl Policy {
    /// The number, from 1, of the rule that would refuse him now, and the groups that he is in. A rule that looks at more of the certificate or the request than is remembered refuses nobody here: only the next login can say.
    #[must_use]
    pub fn refuses(&self, online: &Online<'_>, standing: &Standing) -> Option<(usize, Vec<Arc<str>>)> {
        let service = self.services.iter().find(|service| *service.name == *online.service)?;
        let mut denying = service.rules.iter().enumerate().filter(|(_, rule)| rule.deny).peekable();
        denying.peek()?;
        let groups = standing.groups_of(online.user);
        let (index, _) = denying.find(|(_, rule)| rule.when.holds_of(online, &groups))?;
        Some((index.saturating_add(1), groups))
    }
}

impl When {
    /// Whether every key that is set holds, all of which look at what is remembered.
    fn holds_of(&self, online: &Online<'_>, groups: &[Arc<str>]) -> bool {
        let Self { subject, san, authority, group, nas, nas_port_type, policy_oid, method } = self;
        let is_one = |list: &Option<Vec<Arc<str>>>, is: &dyn Fn(&Arc<str>) -> bool| {
            list.as_deref().is_none_or(|list| list.iter().any(is))
        };
        subject.is_empty()
            && san.is_none()
            && nas_port_type.is_none()
            && policy_oid.is_none()
            && is_one(authority, &|name| Some(&**name) == online.authority)
            && is_one(group, &|name| groups.contains(name))
            && is_one(nas, &|name| **name == *online.nas)
            && method.as_deref().is_none_or(|methods| methods.contains(&online.method))
    }
}

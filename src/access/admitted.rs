//! Who was let in, and as what, for the table of sessions.

use std::time::Duration;

use super::{Asked, Facts, Snapshot};
use crate::event::Method;
use crate::pki::Imprint;
use crate::policy::{Grant, ServiceIndex};
use crate::radius::Type;
use crate::sessions::Admitted;

/// `facts`: of the certificate, where there is one; `user_name`: of the Accept.
pub(super) fn admitted(
    by: &Snapshot,
    asked: &Asked,
    service: Option<ServiceIndex>,
    facts: Option<&Facts>,
    grant: &Grant,
    user_name: &str,
) -> Admitted {
    let service = service.and_then(|service| by.policy.service(service));
    let interim = grant.attributes.integer(Type::ACCT_INTERIM_INTERVAL);
    Admitted {
        marks: asked.marks.clone(),
        imprint: facts.map(Imprint::from),
        method: asked.hints.method.unwrap_or(Method::None),
        user: grant.user.clone(),
        user_name: user_name.into(),
        service: service.map(|service| service.name.clone()),
        timeout: grant.session_timeout,
        interim: interim.map(|seconds| Duration::from_secs(seconds.into())),
    }
}

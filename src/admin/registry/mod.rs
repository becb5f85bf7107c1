//! Certificates, people, decisions and reports, as the API has them. What is kept is `store`'s; what it means now is judged by `view`.

mod audited;
mod authentications;
mod blocks;
mod certificates;
mod columns;
pub(super) mod id;
mod known;
mod otp;
mod people;
mod register;
mod reports;
mod revocation;
mod shown;
mod view;

use std::sync::Arc;

use axum::http::StatusCode;

use super::audit::{Audit, Caller, Entry, Later, Unwritten};
use super::problem::Problem;
use super::route::Route;
use super::shared::Shared;
use crate::observe::Explainer;
use crate::pki::{Revocation, Trust};
use crate::policy::Policy;
use crate::standing::Blocks;
use crate::store::{Audited, Columns, Failure, Store};

pub use blocks::blocks;
pub use known::known;

/// The running server's registry.
pub trait Registry: Send + Sync + 'static {
    /// What is kept.
    fn store(&self) -> &Store;

    /// What decides now.
    fn view(&self) -> View;

    /// Where the columns of the CA's lists are.
    fn columns(&self) -> Columns;

    /// Waits until what has been decided so far can be looked up: whoever has just seen somebody log in finds him.
    fn catch_up(&self) -> Later<'_, ()>;

    /// Puts what is blocked in force. Done: no login that is decided from now on rests on anything older.
    fn enforce(&self) -> Later<'_, Result<(), Failure>>;
}

/// What decides at a moment.
#[derive(Clone, Debug)]
pub struct View {
    /// `[[authority]]`
    pub trust: Arc<Trust>,
    /// CRLs and OCSP answers.
    pub revocation: Arc<Revocation>,
    /// `[[service]]`, and how users are named.
    pub policy: Arc<Policy>,
    /// What is blocked.
    pub blocks: Arc<Blocks>,
    /// `[disconnect].automatic`: the live sessions of whoever is blocked go by themselves.
    pub disconnects: bool,
    /// `[log]`
    pub explainer: Explainer,
}

/// The routes.
pub(super) fn table() -> Vec<Route> {
    [
        certificates::table(),
        register::table(),
        revocation::table(),
        people::table(),
        otp::table(),
        authentications::table(),
        audited::table(),
        reports::table(),
        columns::table(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Shared {
    /// The registry; where there is none, the problem that says so.
    pub(super) fn registry(&self) -> Result<&dyn Registry, Problem> {
        let registry = self.registry.as_deref();
        registry.ok_or_else(|| Problem::unavailable("no registry is kept here: [registry] says database = \"none\""))
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Busy | Failure::Unusable(_) => Self::unavailable(failure.to_string()),
            Failure::Conflict(_) => Self::new(StatusCode::CONFLICT, failure.to_string()),
            Failure::Refused(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, failure.to_string()),
        }
    }
}

/// The audit in the registry.
#[derive(Clone, Debug)]
pub struct StoreAudit(pub Store);

impl Audit for StoreAudit {
    fn record(&self, entry: Entry) -> Later<'_, Result<(), Unwritten>> {
        Box::pin(async move { self.0.audit(audited(&entry)).await.map_err(|_| Unwritten) })
    }
}

/// A line as it is kept.
fn audited(entry: &Entry) -> Audited {
    let Entry { at, caller, action, target, detail } = entry;
    let name = match &caller.certificate {
        Some(certificate) => format!("{} ({certificate})", caller.name),
        None => caller.name.to_string(),
    };
    let (role, action, detail) = (caller.role.name().to_owned(), (*action).to_owned(), detail.to_string());
    Audited { row: 0, at: *at, caller: name, role, action, target: target.clone(), detail }
}

/// The line of a change, which is kept with it.
pub(super) fn line(
    shared: &Shared,
    caller: &Caller,
    action: &'static str,
    target: &str,
    detail: serde_json::Value,
) -> Audited {
    audited(&Entry { at: shared.status.now(), caller: caller.clone(), action, target: target.to_owned(), detail })
}

/// What becomes of the live sessions of whoever is blocked, for the audit.
fn sessions(registry: &dyn Registry) -> &'static str {
    if registry.view().disconnects { "go" } else { "stay: [disconnect].automatic is off" }
}

/// One more than the page holds, by which it is seen that the list goes on.
pub(super) fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

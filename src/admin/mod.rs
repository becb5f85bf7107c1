//! HTTP on `[listen].admin`: `/healthz`, `/readyz`, `/metrics`, `/openapi.json`, `/`; everything else wants a token.
//!
//! [`Door::bind`] opens the sockets; [`Door::spawn`] starts a thread with a runtime of its own. A request passes `guard` (host, origin, size), `auth` (token, role) and then `routes`.

mod auth;
mod door;
mod guard;
mod problem;
mod readiness;
mod routes;
mod shared;
mod throttle;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::now::Wall;

pub use auth::{hash_token, make_token};
pub use door::{BindError, Door, Running};
pub use readiness::{Readiness, assess};
pub(crate) use readiness::{complaint, consequence, span};
pub use shared::Shared;

/// `role` of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// One certificate's status.
    Status,
    /// Looks.
    Viewer,
    /// Registers, requests revocation.
    Registrar,
    /// Everything.
    Operator,
}

/// One `[[admin.token]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// `name`
    pub name: Arc<str>,
    /// `sha256` of the token.
    pub sha256: [u8; 32],
    /// `role`
    pub role: Role,
    /// `expires`
    pub expires: Option<Wall>,
}

/// `[admin]` and `[listen].admin`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `[listen].admin`
    pub listen: Vec<SocketAddr>,
    /// `open-metrics`
    pub open_metrics: bool,
    /// `[[admin.token]]`
    pub tokens: Vec<Token>,
}

/// What the server is like at the moment, as HTTP tells it.
pub trait Status: Send + Sync + 'static {
    /// For `/readyz`.
    fn readiness(&self) -> Readiness;

    /// For `/metrics`, in Prometheus' text format.
    fn metrics(&self) -> String;

    /// The time, by which tokens expire.
    fn now(&self) -> Wall;
}

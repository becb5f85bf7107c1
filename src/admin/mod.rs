//! HTTP on `[listen].admin`: `/healthz`, `/readyz`, `/metrics`, `/openapi.json`, `/`; everything else wants a token.
//!
//! [`Door::bind`] opens the sockets; [`Door::spawn`] starts a thread with a runtime of its own. A request passes `guard` (host, origin, size), `auth` (token, role) and then its handler.
//!
//! # A new route
//! Its area's file has a table, a `Vec<Route>` that stands in `routes::table`, with a line for each: method, path, role, handler, summary, and the types that the handler reads and gives
//! (`query`, `lists`, `takes`, `gives`). A handler takes `State<Shared>`, `Caller`, `Path`, `Query` or `Listing`, `IfMatch`, `Body` (all of them refuse with a `Problem`) and gives `Result<_, Problem>`.
//! Lists: `Listing::after` says where to begin, `Listing::page` makes the page of at most `limit + 1` items that were found. Bodies deny unknown fields. Times are `Time`.
//! What changes something, or looks into somebody's history, awaits `Shared::audit` before it answers. Tables for spreadsheets: `csv`, where `csv::is_wanted`. Versions: `etag`.

mod audit;
mod auth;
mod csv;
mod cursor;
mod door;
mod etag;
mod guard;
mod input;
mod openapi;
mod page;
mod problem;
mod readiness;
mod registry;
mod route;
mod routes;
mod shared;
mod throttle;
mod time;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::now::Wall;

pub use audit::{Audit, Caller, Entry, Later, LogAudit, Unwritten};
pub use auth::{hash_token, make_token};
pub use door::{BindError, Door, Running};
pub use problem::{FieldError, Problem};
pub use readiness::{Readiness, assess};
pub(crate) use readiness::{complaint, consequence, span};
pub use registry::{Registry, StoreAudit, View, known};
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

impl Role {
    /// As in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Viewer => "viewer",
            Self::Registrar => "registrar",
            Self::Operator => "operator",
        }
    }
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

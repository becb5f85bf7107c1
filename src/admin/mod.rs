//! HTTP on `[listen].admin`: `/healthz`, `/readyz`, `/metrics`, `/openapi.json`, `/`; everything else wants a token.
//!
//! [`Door::bind`] opens the sockets; [`Door::spawn`] starts a thread with a runtime of its own. A request passes `guard` (host, origin, size), `auth` (client certificate, token, role) and then its handler.
//!
//! # A new route
//! Its area's file has a table, a `Vec<Route>` that stands in `routes::table`, with a line for each: method, path, role, handler, summary, and the types that the handler reads and gives
//! (`lists`, `takes`, `gives`). A handler takes `State<Shared>`, `Caller`, `Path`, `Listing`, `IfMatch`, `Body` (all of them refuse with a `Problem`) and gives `Result<_, Problem>`.
//! Lists: `Listing::after` says where to begin, `Listing::page` makes the page of at most `limit + 1` items that were found. Bodies deny unknown fields. Times are `Time`.
//! What changes something, or looks into somebody's history, awaits `Shared::audit` before it answers. Tables for spreadsheets: `csv`, where `csv::is_wanted`. Versions: `etag`.

mod audit;
mod auth;
pub mod authorities;
mod csv;
mod cursor;
mod door;
mod etag;
mod explain;
mod guard;
mod input;
mod openapi;
mod page;
mod problem;
mod readiness;
mod registry;
mod route;
mod routes;
mod seats;
mod secure;
mod sessions;
mod shared;
mod throttle;
mod time;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::event::Reason;
use crate::now::Wall;
use crate::pki::Facts;

pub use audit::{Audit, Caller, Entry, Later, LogAudit, Unwritten};
pub use auth::{hash_token, make_token};
pub use door::{BindError, Door, Running};
pub use explain::{Lang, Question, Unexplained};
pub use problem::{FieldError, Problem};
pub use readiness::{Readiness, assess};
pub(crate) use readiness::{complaint, consequence, span};
pub use registry::{Registry, StoreAudit, View, blocks, known};
pub use secure::{BadTls, Tls};
pub use sessions::Online;
pub use shared::Shared;
pub use time::Time;

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
    /// `chain` and `key`; `None`: on loopback only.
    pub tls: Option<Arc<Tls>>,
    /// `client-authorities`; empty: no client certificate is wanted.
    pub client_authorities: Vec<Arc<str>>,
}

/// Who showed a client certificate, and was judged.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The user by the certificate.
    pub user: Arc<str>,
    /// By which he is judged again.
    pub facts: Arc<Facts>,
}

/// Why somebody was turned away; a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No token, or several.
    NoToken,
    /// One that nobody has.
    UnknownToken,
    /// One that has expired.
    ExpiredToken,
    /// One whose role is not enough.
    Role,
    /// A client certificate that isn't good.
    Certificate,
    /// TLS did not come about.
    Handshake,
}

impl Refusal {
    /// For the label `why`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoToken => "no-token",
            Self::UnknownToken => "unknown-token",
            Self::ExpiredToken => "expired-token",
            Self::Role => "role",
            Self::Certificate => "certificate",
            Self::Handshake => "handshake",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::NoToken => "an Authorization header with a bearer token is required",
            Self::UnknownToken => "this token is not known",
            Self::ExpiredToken => "this token has expired",
            Self::Role => "this token's role is not enough",
            Self::Certificate => "this connection's client certificate is not good",
            Self::Handshake => "TLS is required",
        }
    }
}

/// What the server is like at the moment, as HTTP tells it.
pub trait Status: Send + Sync + 'static {
    /// For `/readyz`.
    fn readiness(&self) -> Readiness;

    /// For `/metrics`, in Prometheus' text format.
    fn metrics(&self) -> String;

    /// The time, by which tokens expire.
    fn now(&self) -> Wall;

    /// Counts somebody who was turned away.
    fn refused(&self, why: Refusal);

    /// For `/api/v1/authorities`, in the configuration's order.
    fn authorities(&self) -> Vec<authorities::Authority>;

    /// What would be decided for a certificate, and why.
    fn explain(&self, question: Question) -> Later<'static, Result<serde_json::Value, Unexplained>>;

    /// Judges a client's chain (DER, leaf first), whose key it has proved to hold, by what is known now; nobody is asked. `authorities`: of whom it must be.
    ///
    /// # Errors
    /// Why it isn't good.
    fn peer(&self, chain: &[&[u8]], authorities: &[Arc<str>]) -> Result<Peer, Reason>;

    /// Judges a peer of a connection again.
    ///
    /// # Errors
    /// Why he isn't good any more.
    fn peer_again(&self, peer: &Peer, authorities: &[Arc<str>]) -> Result<(), Reason>;
}

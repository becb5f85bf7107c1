//! HTTP: `/healthz`, `/readyz`, `/metrics`; everything else wants a token.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::now::Wall;

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

//! Where the API is.

use std::fmt;
use std::net::IpAddr;

use hyper::Uri;

use crate::otp::escaped;

/// What certificates are posted to.
const CERTIFICATES: &str = "/api/v1/certificates";

/// Where the columns of lists are told.
const COLUMNS: &str = "/api/v1/import-columns";

/// An http or https URL of the server: scheme, host, port, and the path before `/api` if it is behind a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Target {
    pub(super) is_secure: bool,
    /// A name or an address, this without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Path before `/api`.
    base: String,
}

impl Target {
    /// The error doesn't repeat the URL: it may hold what nobody should see.
    pub(in super::super) fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| "it is no URL")?;
        let is_secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err("it must begin with http:// or https://"),
        };
        let authority = uri.authority().ok_or("it has no host")?;
        if authority.as_str().contains('@') {
            return Err("it names a user; the token's file is named by --token-file");
        }
        if uri.query().is_some() || text.contains('#') {
            return Err("it has more than a host, a port and a path");
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err("it has no host");
        }
        let default = if is_secure { 443 } else { 80 };
        let port = match authority.as_str().strip_prefix(authority.host()).unwrap_or_default() {
            "" | ":" => default,
            _ => authority.port_u16().filter(|port| *port != 0).ok_or("its port is none")?,
        };
        let base = uri.path().trim_end_matches('/');
        let base = base.strip_suffix(CERTIFICATES).or_else(|| base.strip_suffix("/api/v1")).unwrap_or(base);
        Ok(Self { is_secure, host: host.to_owned(), port, base: base.to_owned() })
    }

    /// The path that certificates are posted to.
    pub(super) fn certificates(&self) -> String {
        format!("{}{CERTIFICATES}", self.base)
    }

    /// Where it stands where columns are.
    pub(super) fn columns(&self) -> String {
        format!("{}{COLUMNS}", self.base)
    }

    /// Where it stands whether a user has one-time passwords.
    pub(super) fn otp(&self, user: &str) -> String {
        format!("{}/api/v1/users/{}/otp", self.base, escaped(user))
    }

    /// What `Host` says.
    pub(super) fn authority(&self) -> String {
        let host = match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.host.clone(),
        };
        match (self.is_secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.is_secure { "https" } else { "http" }, self.authority())
    }
}

//! HTTP from a stranger: GET within a deadline, a size and the addresses that may be fetched from.
//!
//! One request, one connection. [`Client::get`] follows redirects; [`connect`] finds the way to a host, directly to an [`address`] that was checked,
//! or through a proxy, and under TLS where the URL says so; [`request`] is the request and its answer.

mod address;
mod connect;
mod error;
mod request;
mod url;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::exchange::Prefix;
use connect::Connector;
use request::Answer;

pub(crate) use error::FetchError;
pub(crate) use url::{Proxy, Url};

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 3;

/// `[fetch]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// For the whole of one fetch: names, connections, redirects, body.
    pub(crate) timeout: Duration,
    /// Longest body in octets.
    pub(crate) max_size: u64,
    /// Who is asked instead of the hosts themselves.
    pub(crate) proxy: Option<Proxy>,
    /// Networks that may be fetched from although they are loopback, link-local, private or the like.
    pub(crate) allow: Vec<Prefix>,
}

/// What of a resource is here already, as [`Fetched::Body`] told it. It is asked for only if it is another (RFC 9110 section 13.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// Its `ETag`, as it came.
    pub(crate) etag: Option<String>,
    /// Its `Last-Modified`, as it came.
    pub(crate) last_modified: Option<String>,
}

/// What a server had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// What the conditions tell of; only when there were any.
    NotModified,
    /// Something whole. The tags go into the next [`Conditions`].
    Body { octets: Vec<u8>, etag: Option<String>, last_modified: Option<String> },
}

/// Fetches. It keeps no connections: what it costs between two fetches is its settings.
pub(crate) struct Client {
    timeout: Duration,
    max_size: u64,
    connector: Connector,
}

impl Client {
    /// Reads the system's roots; without any, http works and https is [`FetchError::NoRoots`].
    ///
    /// # Errors
    ///
    /// TLS can't be set up.
    pub(crate) fn new(settings: Settings) -> Result<Self, String> {
        Self::with_roots(settings, connect::system_roots())
    }

    fn with_roots(settings: Settings, roots: rustls::RootCertStore) -> Result<Self, String> {
        let Settings { timeout, max_size, proxy, allow } = settings;
        let connector = Connector::new(timeout, proxy, allow, roots)?;
        Ok(Self { timeout, max_size, connector })
    }

    /// GET, and at most [`MAX_REDIRECTS`] redirects, all within the settings' timeout.
    pub(crate) async fn get(&self, url: &Url, conditions: &Conditions) -> Result<Fetched, FetchError> {
        let within = tokio::time::timeout(self.timeout, self.follow(url, conditions));
        within.await.unwrap_or(Err(FetchError::Timeout))
    }

    async fn follow(&self, url: &Url, conditions: &Conditions) -> Result<Fetched, FetchError> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            match self.ask(&url, conditions).await? {
                Answer::Fetched(fetched) => return Ok(fetched),
                Answer::Redirect(location) => url = url.redirected(&location)?,
            }
        }
        Err(FetchError::TooManyRedirects)
    }

    async fn ask(&self, url: &Url, conditions: &Conditions) -> Result<Answer, FetchError> {
        let way = self.connector.connect(url).await?;
        request::ask(way, url, conditions, self.max_size).await
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("timeout", &self.timeout)
            .field("max_size", &self.max_size)
            .finish_non_exhaustive()
    }
}

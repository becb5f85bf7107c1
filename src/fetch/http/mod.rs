//! HTTP from a stranger: GET and POST within a deadline, a size and the addresses that may be fetched from.
//!
//! One request, one connection. [`Client::get`] follows redirects, and so does [`Client::ocsp`], which is [`ocsp`]; [`connect`] finds the way to a host, directly to an [`address`] that was checked,
//! or through a proxy, and under TLS where the URL says so; [`request`] is the request and its answer.

mod address;
mod connect;
mod error;
mod ocsp;
mod request;
mod url;

#[cfg(test)]
pub(super) mod tests;

use std::time::Duration;

use hyper::body::Bytes;

use crate::exchange::Prefix;
use connect::Connector;
use request::Answer;

pub(crate) use error::FetchError;
pub(crate) use ocsp::{MAX_OCSP, Method};
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

/// What is asked of a server.
struct Asking {
    conditions: Conditions,
    /// `None`: GET.
    posted: Option<Posted>,
    /// The one media type that is any good; `None`: any.
    accept: Option<&'static str>,
    /// Longest body in octets.
    max_size: u64,
}

/// The body of a POST.
struct Posted {
    octets: Bytes,
    media_type: &'static str,
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
        let connector = Connector::new(proxy, allow, roots)?;
        Ok(Self { timeout, max_size, connector })
    }

    /// GET, and at most [`MAX_REDIRECTS`] redirects, all within the settings' timeout.
    pub(crate) async fn get(&self, url: &Url, conditions: &Conditions) -> Result<Fetched, FetchError> {
        let asking = Asking { conditions: conditions.clone(), posted: None, accept: None, max_size: self.max_size };
        self.within(self.timeout, url, asking).await
    }

    async fn within(&self, time: Duration, url: &Url, asking: Asking) -> Result<Fetched, FetchError> {
        let within = tokio::time::timeout(time, self.follow(url, asking, time));
        within.await.unwrap_or(Err(FetchError::Timeout))
    }

    async fn follow(&self, url: &Url, mut asking: Asking, time: Duration) -> Result<Fetched, FetchError> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let way = self.connector.connect(&url, time).await?;
            match request::ask(way, &url, &asking).await? {
                Answer::Fetched(fetched) => return Ok(fetched),
                Answer::Redirect { location, see_other } => {
                    url = url.redirected(&location)?;
                    // Else a POST stays one: what was asked isn't in the URL (RFC 9110 section 15.4 lets 301 and 302 be either).
                    if see_other {
                        asking.posted = None;
                    }
                }
            }
        }
        Err(FetchError::TooManyRedirects)
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

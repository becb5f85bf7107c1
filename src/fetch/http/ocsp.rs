//! OCSP over HTTP (RFC 6960 appendix A).

use std::time::Duration;

use data_encoding::BASE64;
use hyper::body::Bytes;

use super::{Asking, Client, Conditions, FetchError, Fetched, Posted, Url};

/// Longest answer of a responder in octets; one with its delegate's certificate takes about two thousand.
pub(crate) const MAX_OCSP: u64 = 64 << 10;

/// Longest URL that a request is put into of our own will: caches on the way need not take longer ones (RFC 5019 section 5).
const LONGEST_GET: usize = 255;

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// In the URL, which a cache may answer.
    Get,
    /// In the body.
    Post,
}

impl Client {
    /// How long somebody who has so much time is given.
    pub(crate) fn limit(&self, within: Duration) -> Duration {
        within.min(self.timeout)
    }

    /// The octets of a responder's answer to a request (DER), and at most three redirects, all within the settings' timeout or `within`, whichever is less. It takes no body longer than [`MAX_OCSP`].
    ///
    /// # Errors
    ///
    /// None has come. [`FetchError::BadUrl`] where the URL can't take the request.
    pub(crate) async fn ocsp(
        &self,
        url: &Url,
        method: Method,
        request: &[u8],
        within: Duration,
    ) -> Result<Vec<u8>, FetchError> {
        let (url, posted) = match method {
            Method::Get => (url.with_ocsp(request).ok_or(FetchError::BadUrl("it takes no request at its end"))?, None),
            Method::Post => {
                let octets = Bytes::copy_from_slice(request);
                (url.clone(), Some(Posted { octets, media_type: "application/ocsp-request" }))
            }
        };
        let asking = Asking {
            conditions: Conditions::default(),
            posted,
            accept: Some("application/ocsp-response"),
            max_size: MAX_OCSP,
        };
        match self.within(self.limit(within), &url, asking).await? {
            Fetched::Body { octets, .. } => Ok(octets),
            Fetched::NotModified => Err(FetchError::Protocol),
        }
    }
}

impl Url {
    /// Whether a request fits into it so that every cache takes it.
    pub(crate) fn takes_ocsp(&self, request: &[u8]) -> bool {
        self.with_ocsp(request).is_some_and(|url| url.to_string().len() <= LONGEST_GET)
    }

    /// With the request at its end: percent-encoded Base64 (RFC 6960 appendix A.1).
    fn with_ocsp(&self, request: &[u8]) -> Option<Self> {
        let mut step = String::new();
        for character in BASE64.encode(request).chars() {
            match character {
                '+' => step.push_str("%2B"),
                '/' => step.push_str("%2F"),
                '=' => step.push_str("%3D"),
                other => step.push(other),
            }
        }
        self.joined(&step)
    }
}

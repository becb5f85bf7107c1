//! One request and its answer.

use std::convert::Infallible;
use std::future::{Future, pending};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AsHeaderName, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HOST, HeaderMap,
    HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION, USER_AGENT,
};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Asking, Conditions, FetchError, Fetched, Url};

/// What we call ourselves.
pub(super) const OUR_NAME: &str = concat!("sekisho/", env!("CARGO_PKG_VERSION"));

/// Longest head of an answer in octets.
const MAX_HEAD: usize = 64 << 10;

/// Longest tag that is kept for the next conditions, in octets.
const LONGEST_TAG: usize = 1024;

/// Octets both ways.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection, and how the request is to name what it asks for.
pub(super) struct Way {
    pub(super) stream: Box<dyn Stream>,
    pub(super) form: Form,
}

/// Forms of a request's target (RFC 9112 section 3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Path and query: this is the server itself, or a tunnel to it.
    Origin,
    /// The whole URL: this is a proxy.
    Absolute,
}

/// What an answer says.
pub(super) enum Answer {
    Fetched(Fetched),
    /// What one wants is elsewhere.
    Redirect {
        /// Its `Location`.
        location: String,
        /// Whether it is to be got there, whatever was posted here (303 See Other).
        see_other: bool,
    },
}

/// Asks for `url` and takes a body within the bound.
pub(super) async fn ask(way: Way, url: &Url, asking: &Asking) -> Result<Answer, FetchError> {
    let request = request(url, way.form, asking)?;
    let (mut sender, connection) = settings().handshake(TokioIo::new(way.stream)).await.map_err(broken)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        judge(response, asking).await
    };
    driven(exchange, connection).await
}

/// Bounds on what a stranger may send before the body.
pub(super) fn settings() -> http1::Builder {
    let mut settings = http1::Builder::new();
    settings.max_buf_size(MAX_HEAD).max_header_size(MAX_HEAD);
    settings
}

/// Runs an exchange and the connection that it is on, in one task: who gives up the one gives up both.
pub(super) async fn driven<T>(exchange: impl Future<Output = T>, connection: impl Future) -> T {
    // The connection may end before the last of the body is taken from it; what went wrong with it, the exchange is told.
    let connection = async {
        connection.await;
        pending::<Infallible>().await
    };
    tokio::select! {
        done = exchange => done,
        never = connection => match never {},
    }
}

pub(super) fn broken(_: hyper::Error) -> FetchError {
    FetchError::Protocol
}

fn request(url: &Url, form: Form, asking: &Asking) -> Result<Request<Full<Bytes>>, FetchError> {
    let target = match form {
        Form::Origin => url.target.clone(),
        Form::Absolute => url.to_string(),
    };
    let method = if asking.posted.is_some() { Method::POST } else { Method::GET };
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(HOST, url.authority())
        .header(USER_AGENT, OUR_NAME)
        .header(ACCEPT_ENCODING, "identity")
        .header(CONNECTION, "close");
    if let Some(accept) = asking.accept {
        request = request.header(ACCEPT, accept);
    }
    if let Some(posted) = &asking.posted {
        request = request.header(CONTENT_TYPE, posted.media_type);
    }
    let body = asking.posted.as_ref().map(|posted| posted.octets.clone()).unwrap_or_default();
    let mut request = request.body(Full::new(body)).map_err(|_| FetchError::BadUrl("it is not well-formed"))?;
    let mut condition = |name: HeaderName, tag: &Option<String>| {
        // A tag that is none any more asks for nothing: the whole body comes.
        if let Some(Ok(value)) = tag.as_deref().map(HeaderValue::from_str) {
            request.headers_mut().insert(name, value);
        }
    };
    condition(IF_NONE_MATCH, &asking.conditions.etag);
    condition(IF_MODIFIED_SINCE, &asking.conditions.last_modified);
    Ok(request)
}

async fn judge(response: Response<Incoming>, asking: &Asking) -> Result<Answer, FetchError> {
    let headers = response.headers();
    match response.status() {
        StatusCode::OK => body(response, asking.max_size).await.map(Answer::Fetched),
        StatusCode::NOT_MODIFIED if asking.conditions != Conditions::default() => {
            Ok(Answer::Fetched(Fetched::NotModified))
        }
        status @ (StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT) => match text(headers, LOCATION) {
            Some(location) => Ok(Answer::Redirect { location, see_other: status == StatusCode::SEE_OTHER }),
            None => Err(FetchError::ForbiddenRedirect("it doesn't say where to")),
        },
        other => Err(FetchError::Status(other.as_u16())),
    }
}

async fn body(response: Response<Incoming>, max_size: u64) -> Result<Fetched, FetchError> {
    let (head, mut body) = response.into_parts();
    let plain = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"identity");
    if !head.headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        return Err(FetchError::Encoded);
    }
    // A length that is too long saves the transfer; one that isn't is believed by nobody.
    if body.size_hint().lower() > max_size {
        return Err(FetchError::TooLong);
    }
    let mut octets = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        if (octets.len() as u64).saturating_add(data.len() as u64) > max_size {
            return Err(FetchError::TooLong);
        }
        octets.extend_from_slice(&data);
    }
    let tag = |name| text(&head.headers, name).filter(|tag| tag.len() <= LONGEST_TAG);
    Ok(Fetched::Body { octets, etag: tag(ETAG), last_modified: tag(LAST_MODIFIED) })
}

fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

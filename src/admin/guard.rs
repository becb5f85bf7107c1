//! What no request may be, whoever asks.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::input::{MAX_BODY, too_long};
use super::problem::{Problem, normalised};
use super::route::Times;
use super::shared::Shared;
use crate::observe::escape_in_json;
use crate::policy::is_hidden;

/// How long a request may take.
const TIME: Duration = Duration::from_secs(10);

/// Headers of every answer. The pages hold no scripts, and nothing may be kept by caches.
const HEADERS: [(header::HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Around everything else.
pub(super) async fn guard(
    State((shared, times)): State<(Shared, Arc<Times>)>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let time = route.and_then(|route| times.get(route.as_str())).unwrap_or(TIME);
    let response = match check(&shared, &request) {
        Ok(()) => tokio::time::timeout(time, next.run(request))
            .await
            .unwrap_or_else(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the request took too long").into_response()),
        Err(problem) => problem.into_response(),
    };
    let mut response = plain(normalised(response, &path)).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// JSON without a character that doesn't show, or moves others: whoever looks at an answer in a terminal sees what is there. It reads back the same.
async fn plain(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if !kind.is_some_and(|kind| kind.ends_with(b"json")) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(octets) = to_bytes(body, usize::MAX).await else {
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a fault of ours").into_response();
    };
    match std::str::from_utf8(&octets) {
        Ok(text) if text.contains(is_hidden) => {
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, escape_in_json(text).into())
        }
        _ => Response::from_parts(parts, octets.into()),
    }
}

fn check(shared: &Shared, request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let host = host(headers).ok_or(Problem::new(StatusCode::BAD_REQUEST, "exactly one Host header is required"))?;
    // A target with a name of its own counts more than Host (RFC 9112 section 3.2.2).
    let names = std::iter::once(host).chain(request.uri().authority().map(Authority::as_str));
    if !names.into_iter().all(|name| is_ours(name, shared)) {
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "this server is not known by that Host"));
    }
    if !same_origin(headers, host) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "requests from other origins are refused"));
    }
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "Transfer-Encoding and Content-Length contradict each other",
        ));
    }
    if length(headers).is_some_and(|length| length > MAX_BODY as u64) {
        return Err(too_long());
    }
    if !is_json(headers) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "only application/json is taken"));
    }
    Ok(())
}

fn host(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::HOST).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// A page of another site whose name has been made to resolve to here (DNS rebinding) sends that name. An address can't be made to resolve.
fn is_ours(host: &str, shared: &Shared) -> bool {
    // The colons of an IPv6 address stand in brackets.
    let end = host.find(']').map_or_else(|| host.find(':').unwrap_or(host.len()), |bracket| bracket + 1);
    let (name, port) = host.split_at(end);
    let port = port.strip_prefix(':').unwrap_or(port);
    if !port.bytes().all(|digit| digit.is_ascii_digit()) {
        return false;
    }
    let v6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    v6.unwrap_or(name).parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || name.eq_ignore_ascii_case(&shared.node)
        || shared.settings().tls.as_ref().is_some_and(|tls| tls.is_named(name))
}

/// Browsers say where a page came from. What isn't a browser says nothing.
fn same_origin(headers: &HeaderMap, host: &str) -> bool {
    let origins_match = headers.get_all(header::ORIGIN).iter().all(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host))
    });
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    origins_match && !matches!(site, Some(b"cross-site" | b"same-site"))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether a body, if there is one, says that it is JSON: what a page of another site can send without asking doesn't.
fn is_json(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let Some(kind) = kinds.next() else {
        return length(headers).unwrap_or(0) == 0 && !headers.contains_key(header::TRANSFER_ENCODING);
    };
    let essence = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json") && kinds.next().is_none()
}

//! Problems as RFC 9457 has them.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// `application/problem+json`
pub(super) const MEDIA_TYPE: &str = "application/problem+json";
/// Longest sentence about a field: it may quote what was sent.
const LONGEST: usize = 300;

/// A problem: its status, and what is wrong with this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
}

/// What is wrong with one field of a body, or one key of a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Which: a path with dots, as in `items[3].serial`.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

/// A problem as it is sent (RFC 9457 section 3.1).
#[derive(Serialize)]
struct Sent<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    /// Which fields are wrong, where it is known.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem with this request, in a sentence for whoever made it.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new() }
    }

    /// 400: it can't be read.
    pub(super) fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404: there is no such thing.
    pub(super) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 422: it can be read, and makes no sense.
    pub(super) fn unprocessable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 503: not at the moment.
    pub(super) fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// Names a field that is wrong.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if let Some((end, _)) = detail.char_indices().nth(LONGEST) {
            detail.truncate(end);
            detail.push('…');
        }
        self.errors.push(FieldError { field: field.into(), detail });
        self
    }

    /// As it is sent; `instance`: the path that was asked for.
    pub(super) fn response(&self, instance: Option<&str>) -> Response {
        let Self { status, detail, errors } = self;
        let title = status.canonical_reason().unwrap_or("Error");
        let sent = Sent { r#type: "about:blank", title, status: status.as_u16(), detail, instance, errors };
        let body = serde_json::to_vec(&sent).unwrap_or_default();
        let mut response = (*status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        let more = match *status {
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, "Bearer")),
            StatusCode::TOO_MANY_REQUESTS => Some((header::RETRY_AFTER, "1")),
            _ => None,
        };
        if let Some((name, value)) = more {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.response(None);
        // Who knows the path writes it again.
        response.extensions_mut().insert(self);
        response
    }
}

/// Whatever says that a request failed says it as a problem: `response` as it came from the handlers or from axum, to a request for `path`.
pub(super) fn normalised(mut response: Response, path: &str) -> Response {
    let status = response.status();
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return rewritten(&problem, &response, path);
    }
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().ends_with(b"json"));
    match (status.is_client_error() || status.is_server_error()) && !is_json {
        true => rewritten(&Problem::new(status, "this request can't be answered"), &response, path),
        false => response,
    }
}

/// The problem, with the other headers of the response that it stands for.
fn rewritten(problem: &Problem, response: &Response, path: &str) -> Response {
    let mut written = problem.response(Some(path));
    for (name, value) in response.headers() {
        if !written.headers().contains_key(name) && name != header::CONTENT_LENGTH {
            written.headers_mut().append(name, value.clone());
        }
    }
    written
}

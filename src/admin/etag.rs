//! Versions of what is shown (RFC 9110 section 8.8.3), and requests that count for one version only.

use aws_lc_rs::digest;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use serde::Serialize;

use super::problem::Problem;

/// A strong validator: the version of what callers change, and after a point that of what is shown, which time and logins change too.
/// A change is for the former; who looks again asks for both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ETag(String);

impl ETag {
    /// Of whatever changes only when somebody changes it: equal octets, equal version.
    pub(super) fn of(kept: &[u8]) -> Self {
        Self(short(kept))
    }

    /// As it is sent with a value of this version.
    pub(super) fn header(&self, shown: &impl Serialize) -> [(HeaderName, HeaderValue); 1] {
        let body = serde_json::to_vec(shown).unwrap_or_default();
        [(header::ETAG, HeaderValue::from_str(&self.with(&body)).unwrap_or(HeaderValue::from_static("\"\"")))]
    }

    fn with(&self, shown: &[u8]) -> String {
        format!("\"{}.{}\"", self.0, short(shown))
    }
}

fn short(octets: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, octets);
    HEXLOWER.encode(hash.as_ref().get(..16).unwrap_or_default())
}

/// 412: somebody was quicker.
pub(super) fn changed() -> Problem {
    let gone = "this has been changed since it was looked at; look again, and decide again";
    Problem::new(StatusCode::PRECONDITION_FAILED, gone)
}

/// What `If-Match` wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IfMatch(Wanted);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Whatever,
    /// `*`: any version, if there is one.
    Something,
    OneOf(Vec<String>),
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let wanted = wanted(&parts.headers, header::IF_MATCH);
        Ok(Self(wanted.ok_or_else(|| Problem::bad_request("If-Match can't be read"))?))
    }
}

impl IfMatch {
    /// Whether a change may count that was made for another version; `current`: what there is, if anything. 412 otherwise.
    ///
    /// Whoever changes checks it where nobody else changes at the same time: in the one that writes.
    pub(super) fn check(&self, current: Option<&ETag>) -> Result<(), Problem> {
        let holds = match (&self.0, current) {
            (Wanted::Whatever, _) | (Wanted::Something, Some(_)) => true,
            (Wanted::OneOf(tags), Some(current)) => tags.iter().any(|tag| version(tag) == Some(&*current.0)),
            (_, None) => false,
        };
        if holds { Ok(()) } else { Err(changed()) }
    }
}

/// A value with its version; 304 where the one who asks has it already (`If-None-Match`).
pub(super) fn shown(headers: &HeaderMap, value: &impl Serialize) -> Result<Response, Problem> {
    let body = serde_json::to_vec(value)
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "this can't be shown: a fault of ours"))?;
    let tag = ETag::of(&body);
    answered(headers, body, &tag)
}

/// As [`shown`], with a version that isn't that of every octet: of a value that changes by itself as time goes by.
pub(super) fn shown_as(headers: &HeaderMap, value: &impl Serialize, tag: &ETag) -> Result<Response, Problem> {
    let body = serde_json::to_vec(value)
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "this can't be shown: a fault of ours"))?;
    answered(headers, body, tag)
}

/// The version of a strong tag.
fn version(tag: &str) -> Option<&str> {
    tag.strip_prefix('"')?.strip_suffix('"')?.split('.').next()
}

fn answered(headers: &HeaderMap, body: Vec<u8>, tag: &ETag) -> Result<Response, Problem> {
    let sent = tag.with(&body);
    let version = HeaderValue::from_str(&sent).unwrap_or(HeaderValue::from_static("\"\""));
    let is_known = match wanted(headers, header::IF_NONE_MATCH) {
        Some(Wanted::Something) => true,
        // A weak comparison (RFC 9110 section 13.1.2).
        Some(Wanted::OneOf(tags)) => tags.iter().any(|known| known.strip_prefix("W/").unwrap_or(known) == sent),
        Some(Wanted::Whatever) | None => false,
    };
    let version = [(header::ETAG, version)];
    Ok(match is_known {
        true => (StatusCode::NOT_MODIFIED, version).into_response(),
        false => (version, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
    })
}

/// `None`: it can't be read.
fn wanted(headers: &HeaderMap, name: HeaderName) -> Option<Wanted> {
    let mut tags = Vec::new();
    for value in headers.get_all(name) {
        let value = value.to_str().ok()?.trim();
        if value == "*" {
            return Some(Wanted::Something);
        }
        tags.extend(value.split(',').map(|tag| tag.trim().to_owned()));
    }
    let is_tag = |tag: &String| {
        let opaque = tag.strip_prefix("W/").unwrap_or(tag);
        opaque.len() >= 2 && opaque.starts_with('"') && opaque.ends_with('"')
    };
    match tags.as_slice() {
        [] => Some(Wanted::Whatever),
        tags if tags.iter().all(is_tag) => Some(Wanted::OneOf(tags.to_vec())),
        _ => None,
    }
}

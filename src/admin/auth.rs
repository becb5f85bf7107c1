//! Who asks: bearer tokens, of which only the hash is known here.

use aws_lc_rs::digest;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use data_encoding::HEXLOWER;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::problem::Problem;
use super::shared::Shared;
use super::{Role, Settings, Token};
use crate::now::Wall;
use crate::secret::{Secret, random};

/// Paths that anybody may look at; `/metrics` has a switch of its own.
pub(super) const OPEN: [&str; 4] = ["/", "/healthz", "/readyz", "/openapi.json"];

/// A new token of 256 random bits, URL-safe. `None`: the system has no randomness.
#[must_use]
pub fn make_token() -> Option<Secret> {
    let octets = zeroize::Zeroizing::new(random::<32>().ok()?);
    Some(Secret::new(HEXLOWER.encode(octets.as_slice())))
}

/// What the configuration keeps of a token.
#[must_use]
pub fn hash_token(token: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token).as_ref());
    hash
}

/// Lets only those through who may: what isn't named as open wants a token, a path that doesn't exist included.
pub(super) async fn require_token(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let settings = shared.settings();
    let Some(needed) = needed_role(&settings, request.method(), request.uri().path()) else {
        return Ok(next.run(request).await);
    };
    let token = match authenticate(&settings, request.headers(), shared.status.now()) {
        Ok(token) => token,
        Err(detail) => return Err(shared.throttle.refuse(detail).await),
    };
    if token.role < needed {
        tracing::warn!("admin: token {:?} lacks the role for {}", token.name, request.uri().path().escape_debug());
        return Err(Problem(StatusCode::FORBIDDEN, "this token's role is not enough"));
    }
    Ok(next.run(request).await)
}

/// The role that a request wants; `None`: open to all.
fn needed_role(settings: &Settings, method: &Method, path: &str) -> Option<Role> {
    let looks = matches!(*method, Method::GET | Method::HEAD);
    match path {
        "/metrics" if looks && settings.open_metrics => None,
        "/metrics" => Some(Role::Viewer),
        path if looks && OPEN.contains(&path) => None,
        _ => Some(Role::Status),
    }
}

fn authenticate<'a>(settings: &'a Settings, headers: &HeaderMap, now: Wall) -> Result<&'a Token, &'static str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err("an Authorization header with a bearer token is required");
    };
    let (scheme, presented) = value.as_bytes().split_at_checked(7).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case(b"bearer ") {
        return Err("an Authorization header with a bearer token is required");
    }
    let token = find(&settings.tokens, &hash_token(presented)).ok_or("this token is not known")?;
    match token.expires {
        Some(end) if end <= now => Err("this token has expired"),
        _ => Ok(token),
    }
}

/// Looks at every token, whichever is the right one.
fn find<'a>(tokens: &'a [Token], hash: &[u8; 32]) -> Option<&'a Token> {
    let mut found = u64::MAX;
    for (index, token) in (0..).zip(tokens) {
        let same: Choice = token.sha256.ct_eq(hash);
        found.conditional_assign(&index, same);
    }
    tokens.get(usize::try_from(found).ok()?)
}

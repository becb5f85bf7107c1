//! Who asks: bearer tokens, of which only the hash is known here.

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use data_encoding::HEXLOWER;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::audit::Caller;
use super::problem::Problem;
use super::route::Accesses;
use super::shared::Shared;
use super::{Settings, Token};
use crate::now::Wall;
use crate::secret::{Secret, random};

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

/// What a request must pass.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) shared: Shared,
    pub(super) accesses: Arc<Accesses>,
}

/// Lets only those through who may: what isn't open wants a token, a path that doesn't exist included. Handlers find a [`Caller`].
pub(super) async fn require_token(
    State(gate): State<Gate>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Gate { shared, accesses } = gate;
    let settings = shared.settings();
    let access = accesses.find(path.as_ref().map(MatchedPath::as_str), request.method());
    let Some(needed) = access.role(&settings) else {
        return Ok(next.run(request).await);
    };
    let token = match authenticate(&settings, request.headers(), shared.status.now()) {
        Ok(token) => token,
        Err(detail) => return Err(shared.throttle.refuse(detail).await),
    };
    if token.role < needed {
        tracing::warn!("admin: token {:?} lacks the role for {}", token.name, request.uri().path().escape_debug());
        let detail = format!("this wants the role {}, and this token has {}", needed.name(), token.role.name());
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    let caller = Caller { name: Arc::clone(&token.name), role: token.role, certificate: None };
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get().cloned();
        caller.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "this wants a token"))
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

//! What a request brings: its body, its query, names in its path. What can't be read is a problem that names the field.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::cursor::{self, List};
use super::page::{self, Page};
use super::problem::Problem;

/// Longest body in octets.
pub(super) const MAX_BODY: usize = 1 << 20;

/// A JSON body; none is an empty object. Its type denies unknown fields.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let octets = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_long(),
            _ => Problem::bad_request("the body ended before its time"),
        })?;
        // What isn't there says as much as an object without a field.
        read_json(if octets.is_empty() { b"{}" } else { &octets }).map(Self)
    }
}

/// More than anybody needs.
pub(super) fn too_long() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {} KiB are taken", MAX_BODY >> 10))
}

fn read_json<T: DeserializeOwned>(octets: &[u8]) -> Result<T, Problem> {
    // serde would read fields by their place, of which the contract says nothing.
    if octets.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::unprocessable("the body isn't what is wanted here").field(".", "is a list, not an object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(octets);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let (field, error) = (error.path().to_string(), error.into_inner());
        match error.classify() {
            serde_json::error::Category::Data => {
                Problem::unprocessable("the body isn't what is wanted here").field(field, error.to_string())
            }
            _ => Problem::bad_request(format!("the body is no JSON: {error}")),
        }
    })?;
    reader.end().map_err(|_| Problem::bad_request("the body goes on after its end"))?;
    Ok(value)
}

/// A list is asked for: which of it, how much, and from where on.
#[derive(Debug)]
pub(super) struct Listing<T> {
    /// Which.
    pub(super) filter: T,
    /// At most so many.
    pub(super) limit: usize,
    cursor: Option<String>,
    list: List,
}

impl<T: DeserializeOwned + IntoParams, S: Send + Sync> FromRequestParts<S> for Listing<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (paging, filters): (Vec<_>, Vec<_>) = pairs(parts).into_iter().partition(|(key, _)| is_paging(key));
        refuse_unknown::<T>(&filters)?;
        let page::Asked { limit, cursor } = read_query(&paging)?;
        let limit = page::limit(limit.as_deref())?;
        let list = List::new(parts.uri.path(), &filters);
        Ok(Self { filter: read_query(&filters)?, limit, cursor, list })
    }
}

impl<T> Listing<T> {
    /// After which position the page begins; `None`: at the beginning.
    pub(super) fn after<P: Serialize + DeserializeOwned>(&self) -> Result<Option<P>, Problem> {
        self.cursor.as_deref().map(|cursor| cursor::open(self.list, cursor)).transpose()
    }

    /// The page. `found`: at most one more than `limit`, which tells that the list goes on; `position`: where an item stands.
    pub(super) fn page<I, P: Serialize>(&self, mut found: Vec<I>, position: impl Fn(&I) -> P) -> Page<I> {
        let goes_on = found.len() > self.limit;
        found.truncate(self.limit);
        let last = found.last().filter(|_| goes_on);
        let next = last.and_then(|last| cursor::seal(self.list, &position(last)));
        Page { items: found, next }
    }
}

fn is_paging(key: &str) -> bool {
    page::KEYS.contains(&key)
}

fn pairs(parts: &Parts) -> Vec<(String, String)> {
    let query = parts.uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Every parameter that a type knows.
pub(super) fn parameters<T: IntoParams>() -> Vec<Parameter> {
    T::into_params(|| Some(ParameterIn::Query))
}

fn refuse_unknown<T: IntoParams>(pairs: &[(String, String)]) -> Result<(), Problem> {
    let known = parameters::<T>();
    let known: BTreeSet<&str> = known.iter().map(|one| one.name.as_str()).chain(page::KEYS).collect();
    let unknown: BTreeSet<&str> =
        pairs.iter().map(|(key, _)| key.as_str()).filter(|key| !known.contains(key)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let known = format!("is not known here; known are: {}", known.into_iter().collect::<Vec<_>>().join(", "));
    let problem = Problem::bad_request("the query can't be read");
    Err(unknown.into_iter().take(8).fold(problem, |problem, key| problem.field(key, known.clone())))
}

fn read_query<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, Problem> {
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let field = error.path().to_string();
        Problem::bad_request("the query can't be read").field(field, error.into_inner().to_string())
    })
}

/// What stands in the path's braces.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(found)| Self(found)).map_err(|rejection: PathRejection| {
            match rejection.status().is_server_error() {
                true => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a fault of ours"),
                false => Problem::bad_request("the path can't be read"),
            }
        })
    }
}

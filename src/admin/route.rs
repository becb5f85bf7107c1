//! The table of routes: path, method, role, handler and description of each stand in one place. The router, the check of tokens and `/openapi.json` are made from it, so that none can forget one.

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use serde_json::{Value, json};
use utoipa::openapi::path::Parameter;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, ToSchema};

use super::input;
use super::page;
use super::shared::Shared;
use super::{Role, Settings};

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Anybody.
    Open,
    /// Anybody, or only viewers, as `open-metrics` says.
    Metrics,
    /// Whoever has a token of this role, or of a higher one.
    Role(Role),
}

impl From<Role> for Access {
    fn from(role: Role) -> Self {
        Self::Role(role)
    }
}

impl Access {
    /// The role that is wanted; `None`: open to all.
    pub(super) fn role(self, settings: &Settings) -> Option<Role> {
        match self {
            Self::Open => None,
            Self::Metrics => (!settings.open_metrics).then_some(Role::Viewer),
            Self::Role(role) => Some(role),
        }
    }
}

/// Methods that the API has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    /// Looks; HEAD too.
    Get,
    /// Makes or does.
    Post,
    /// Undoes.
    Delete,
}

impl Verb {
    /// As HTTP has it.
    pub(super) fn of(method: &Method) -> Option<Self> {
        match *method {
            Method::GET | Method::HEAD => Some(Self::Get),
            Method::POST => Some(Self::Post),
            Method::DELETE => Some(Self::Delete),
            _ => None,
        }
    }

    /// As OpenAPI has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Delete => "delete",
        }
    }

    fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// One answer of a route.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) media_type: &'static str,
    pub(super) schema: Option<Value>,
}

/// One path with one method.
pub(super) struct Route {
    pub(super) verb: Verb,
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) summary: &'static str,
    pub(super) parameters: Vec<Parameter>,
    pub(super) is_list: bool,
    pub(super) body: Option<Value>,
    /// Whether the body may be left out.
    pub(super) body_is_optional: bool,
    /// Whether answers say which version it is, and whether a request may ask for one with this header.
    pub(super) has_etag: bool,
    pub(super) condition: Option<&'static str>,
    pub(super) answers: Vec<Answer>,
    /// What the schemas above refer to.
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
    handler: MethodRouter<Shared>,
    /// How long an answer may take, where that is long.
    pub(super) time: Option<Duration>,
}

impl Route {
    /// Looks: GET, and HEAD with it. `summary`: what it is for, in a sentence.
    pub(super) fn get<H, T>(path: &'static str, access: impl Into<Access>, handler: H, summary: &'static str) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        Self::new(Verb::Get, path, access.into(), handler, summary)
    }

    /// Makes or does something.
    pub(super) fn post<H, T>(path: &'static str, access: impl Into<Access>, handler: H, summary: &'static str) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        Self::new(Verb::Post, path, access.into(), handler, summary)
    }

    /// Undoes something.
    pub(super) fn delete<H, T>(path: &'static str, access: impl Into<Access>, handler: H, summary: &'static str) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        Self::new(Verb::Delete, path, access.into(), handler, summary)
    }

    fn new<H, T>(verb: Verb, path: &'static str, access: Access, handler: H, summary: &'static str) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        let handler = on(verb.filter(), handler);
        let (parameters, answers, schemas) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            verb,
            path,
            access,
            summary,
            parameters,
            is_list: false,
            body: None,
            body_is_optional: false,
            has_etag: false,
            condition: None,
            answers,
            schemas,
            handler,
            time: None,
        }
    }

    /// A list, as [`input::Listing`] reads what is asked for, answered with a page.
    pub(super) fn lists<Q: IntoParams, I: ToSchema>(mut self) -> Self {
        self.is_list = true;
        let item = self.refer::<I>();
        let schema = json!({
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": { "type": "array", "items": item, "maxItems": page::MOST },
                "next": { "type": ["string", "null"], "description": "The `cursor` of what follows; null at the end." },
            },
        });
        self.answers.push(Answer { status: 200, media_type: "application/json", schema: Some(schema) });
        self.parameters.extend(input::parameters::<Q>());
        self
    }

    /// The body, as [`input::Body`] reads it.
    pub(super) fn takes<B: ToSchema>(mut self) -> Self {
        self.body = Some(self.refer::<B>());
        self
    }

    /// As [`Self::takes`], of a body that may be left out: each of its fields has a default.
    pub(super) fn may_take<B: ToSchema>(mut self) -> Self {
        self.body_is_optional = true;
        self.takes::<B>()
    }

    /// Its answers say which version they are of, as [`super::etag`] has it.
    pub(super) fn states_version(mut self) -> Self {
        self.has_etag = true;
        self
    }

    /// [`Self::states_version`], and who has it already isn't sent it again.
    pub(super) fn versioned(mut self) -> Self {
        self.condition = Some("If-None-Match");
        self.states_version().answers(304, "")
    }

    /// [`Self::states_version`], and a change may be for one version only, as [`super::etag::IfMatch`] reads it.
    pub(super) fn for_a_version(mut self) -> Self {
        self.condition = Some("If-Match");
        self.states_version()
    }

    /// An answer in JSON.
    pub(super) fn gives<A: ToSchema>(mut self, status: u16) -> Self {
        let schema = Some(self.refer::<A>());
        self.answers.push(Answer { status, media_type: "application/json", schema });
        self
    }

    /// An answer in something else; an empty `media_type`: without any content.
    pub(super) fn answers(mut self, status: u16, media_type: &'static str) -> Self {
        self.answers.push(Answer { status, media_type, schema: None });
        self
    }

    /// Somebody else is waited for, so long.
    pub(super) fn may_last(self, time: Duration) -> Self {
        Self { time: Some(time), ..self }
    }

    /// A reference to a schema, which comes into the document.
    fn refer<A: ToSchema>(&mut self) -> Value {
        let name = A::name();
        self.schemas.push((name.to_string(), A::schema()));
        A::schemas(&mut self.schemas);
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }
}

/// Every route by its path, for whoever has to know who may ask.
#[derive(Debug)]
pub(super) struct Accesses(HashMap<&'static str, Vec<(Verb, Access)>>);

impl Accesses {
    /// Of a table.
    pub(super) fn of(table: &[Route]) -> Self {
        let mut accesses = HashMap::<_, Vec<_>>::new();
        for route in table {
            accesses.entry(route.path).or_default().push((route.verb, route.access));
        }
        Self(accesses)
    }

    /// Of the route that a request found. What stands in no table wants a token, like what doesn't exist.
    pub(super) fn find(&self, path: Option<&str>, method: &Method) -> Access {
        let verb = Verb::of(method);
        let known = path.and_then(|path| self.0.get(path)).into_iter().flatten();
        let mut found = known.filter(|(known, _)| Some(*known) == verb).map(|(_, access)| *access);
        found.next().unwrap_or(Access::Role(Role::Status))
    }
}

/// How long answers may take, by path, where that is long.
#[derive(Debug)]
pub(super) struct Times(HashMap<&'static str, Duration>);

impl Times {
    /// Of a table.
    pub(super) fn of(table: &[Route]) -> Self {
        Self(table.iter().filter_map(|route| Some((route.path, route.time?))).collect())
    }

    /// Of the route that a request found.
    pub(super) fn get(&self, path: &str) -> Option<Duration> {
        self.0.get(path).copied()
    }
}

/// The routes of a table.
pub(super) fn mount(table: Vec<Route>) -> Router<Shared> {
    table.into_iter().fold(Router::new(), |router, route| router.route(route.path, route.handler))
}

//! The description of the API in OpenAPI 3.1, made from the table of routes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::page;
use super::problem;
use super::route::{Access, Answer, Route};

/// The document.
pub(super) fn document(table: &[Route]) -> Value {
    let mut paths = BTreeMap::<&str, Map<String, Value>>::new();
    let mut schemas = BTreeMap::from([("Problem".to_owned(), problem_schema())]);
    for route in table {
        paths.entry(route.path).or_default().insert(route.verb.name().into(), operation(route));
        for (name, schema) in &route.schemas {
            schemas.insert(name.clone(), serde_json::to_value(schema).unwrap_or_default());
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Sekisho",
            "version": "1",
            "description": "What the admin door of a Sekisho server answers. Whatever is not open wants a bearer token, whose role is at least the one that `x-role` names: status, viewer, registrar, operator. Problems are RFC 9457 JSON.",
        },
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas,
            "responses": {
                "Problem": {
                    "description": "A problem.",
                    "content": { problem::MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } },
                },
            },
        },
        "paths": paths,
    })
}

fn problem_schema() -> Value {
    let field = json!({
        "type": "object",
        "required": ["field", "detail"],
        "properties": { "field": { "type": "string" }, "detail": { "type": "string" } },
    });
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "instance": { "type": "string", "description": "The path that was asked for." },
            "errors": { "type": "array", "description": "Which fields are wrong.", "items": field },
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "summary": route.summary,
        "operationId": operation_id(route),
        "security": security(route.access),
        "responses": responses(route),
    });
    let parameters = parameters(route);
    let mut add = |key: &str, value: Value| {
        if let Some(operation) = operation.as_object_mut() {
            operation.insert(key.into(), value);
        }
    };
    if let Access::Role(role) = route.access {
        add("x-role", role.name().into());
    }
    if !parameters.is_empty() {
        add("parameters", parameters.into());
    }
    if let Some(body) = &route.body {
        add(
            "requestBody",
            json!({ "required": !route.body_is_optional, "content": { "application/json": { "schema": body } } }),
        );
    }
    operation
}

/// `get-api-v1-authorities`
fn operation_id(route: &Route) -> String {
    let words = route.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(route.verb.name()).chain(words).collect::<Vec<_>>().join("-")
}

fn security(access: Access) -> Value {
    match access {
        Access::Open => json!([]),
        Access::Metrics => json!([{}, { "token": [] }]),
        Access::Role(_) => json!([{ "token": [] }]),
    }
}

fn parameters(route: &Route) -> Vec<Value> {
    let braces = route.path.split('{').skip(1).filter_map(|part| part.split('}').next());
    let in_path = braces.map(
        |name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }),
    );
    let in_query = route.parameters.iter().map(|one| serde_json::to_value(one).unwrap_or_default());
    let paging = [
        json!({
            "name": "limit",
            "in": "query",
            "description": "Most items of a page.",
            "schema": { "type": "integer", "minimum": 1, "maximum": page::MOST, "default": page::LIMIT },
        }),
        json!({
            "name": "cursor",
            "in": "query",
            "description": "What `next` of the page before said.",
            "schema": { "type": "string" },
        }),
    ];
    let paging = paging.into_iter().filter(|_| route.is_list);
    let condition = route.condition.map(|header| {
        let description = match header {
            "If-Match" => "An `ETag` that was given before: 412 where somebody has changed it since. `*`: wherever there is anything.",
            _ => "An `ETag` that was given before: 304 where it is the same still.",
        };
        json!({ "name": header, "in": "header", "description": description, "schema": { "type": "string" } })
    });
    in_path.chain(in_query).chain(paging).chain(condition).collect()
}

fn responses(route: &Route) -> Value {
    let mut by_status = BTreeMap::<String, (String, Map<String, Value>)>::new();
    for Answer { status, media_type, schema } in &route.answers {
        let (_, content) = by_status.entry(status.to_string()).or_insert_with(|| (says(*status), Map::new()));
        if !media_type.is_empty() {
            let schema = schema.clone().map_or_else(|| json!({}), |schema| json!({ "schema": schema }));
            content.insert((*media_type).to_owned(), schema);
        }
    }
    let describe = |(status, (description, content)): (String, (String, Map<String, Value>))| {
        let mut response = json!({ "description": description });
        if let Some(response) = response.as_object_mut() {
            if !content.is_empty() {
                response.insert("content".into(), content.into());
            }
            if route.has_etag {
                let tag = json!({ "description": "Its version.", "schema": { "type": "string" } });
                response.insert("headers".into(), json!({ "ETag": tag }));
            }
        }
        (status, response)
    };
    let mut responses: Map<String, Value> = by_status.into_iter().map(describe).collect();
    if route.condition == Some("If-Match") {
        responses.insert("412".into(), json!({ "$ref": "#/components/responses/Problem" }));
    }
    responses.insert("default".into(), json!({ "$ref": "#/components/responses/Problem" }));
    responses.into()
}

fn says(status: u16) -> String {
    let phrase = axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    format!("{}.", phrase.unwrap_or("An answer"))
}

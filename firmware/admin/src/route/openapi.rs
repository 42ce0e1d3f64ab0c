//! The OpenAPI document, made from the routes: what is served is what is written down.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::list::LIMIT_MAX;
use super::{Answer, Method, Paged, Route};
use crate::problem::Problem;

/// What each refusal means.
const REFUSALS: [(u16, &str); 12] = [
    (400, "The request cannot be read"),
    (401, "No session, or one that is over"),
    (403, "Not with this role"),
    (404, "There is no such thing, or it belongs to somebody else"),
    (408, "The body took too long"),
    (409, "It exists, or was changed"),
    (412, "It is not any more as If-Match says"),
    (413, "The body is too long"),
    (415, "The body is not sent as application/json"),
    (422, "A field holds what it cannot hold"),
    (429, "Too often; Retry-After says when again"),
    (503, "Not possible now"),
];

/// The document of these routes (OpenAPI 3.1).
#[must_use]
pub fn document(routes: &[Route]) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut schemas = settings.into_generator();
    let problem = schemas.subschema_for::<Problem>();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let entry = operation(route, &mut schemas, problem.as_value());
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = entry;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Picket",
            "version": "1",
            "description": "The admin API of this box. Errors are application/problem+json; times are RFC 3339, UTC.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "source": {"type": "http", "scheme": "bearer", "description": "The token of an enrolled source"},
            },
        },
    })
}

fn operation(route: &Route, schemas: &mut SchemaGenerator, problem: &Value) -> Value {
    let name = format!("{} {}", route.method.as_str().to_lowercase(), route.path.trim_start_matches("/api/v1/"));
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut entry = json!({
        "operationId": words.collect::<Vec<_>>().join("_"),
        "summary": route.summary,
        "tags": [route.path.trim_start_matches("/api/v1/").split('/').find(|part| !part.is_empty()).unwrap_or("box")],
        "parameters": parameters(route),
        "responses": responses(route, schemas, problem),
    });
    if route.enrolled {
        entry["security"] = json!([{"source": []}]);
    } else if !route.public() {
        entry["x-role"] = json!(route.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>());
        entry["x-scope"] = json!(route.scope.as_str());
        entry["security"] = json!([{"bearer": []}]);
    } else {
        entry["security"] = json!([]);
    }
    if let Some(body) = route.body {
        let schema = body(schemas);
        entry["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
        entry["x-body-max"] = json!(route.body_max);
    }
    entry
}

fn parameters(route: &Route) -> Vec<Value> {
    let text = |name: &str, place: &str, required: bool, schema: Value, about: &str| json!({"name": name, "in": place, "required": required, "schema": schema, "description": about});
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> =
        in_path.map(|name| text(name, "path", true, json!({"type": "string", "minLength": 1}), "Which one")).collect();
    if let Answer::List(_, fields, paged) = &route.answer {
        let limit = json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX});
        all.push(text("limit", "query", false, limit, "The most rows of the page"));
        let cursor = if *paged == Paged::Here { "after" } else { "before" };
        all.push(text(cursor, "query", false, json!({"type": "string", "maxLength": 512}), "As next has it"));
        if *paged == Paged::Here {
            let sorted: Vec<String> =
                fields.iter().flat_map(|field| [(*field).to_owned(), format!("-{field}")]).collect();
            if !sorted.is_empty() {
                let about = "By which field; with - the largest first";
                all.push(text("sort", "query", false, json!({"type": "string", "enum": sorted}), about));
            }
            all.push(text(
                "q",
                "query",
                false,
                json!({"type": "string", "maxLength": 512}),
                "Only rows that hold this text",
            ));
        }
        for field in *fields {
            all.push(text(
                field,
                "query",
                false,
                json!({"type": "string", "maxLength": 512}),
                "Only rows with this value",
            ));
        }
    }
    if matches!(route.method, Method::Patch | Method::Delete) {
        all.push(text("If-Match", "header", false, json!({"type": "string"}), "The ETag of what is to be changed"));
    }
    if let (Method::Post, Answer::One(201, _)) = (route.method, &route.answer) {
        let schema = json!({"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]+$"});
        all.push(text("Idempotency-Key", "header", false, schema, "The same key gives the same answer, once done"));
    }
    all
}

fn responses(route: &Route, schemas: &mut SchemaGenerator, problem: &Value) -> Value {
    let mut all = Map::new();
    let content = |kind: &str, schema: Value| json!({"description": "Done", "content": {kind: {"schema": schema}}});
    let (status, good) = match &route.answer {
        Answer::One(status, schema) => (*status, content("application/json", json!(schema(schemas)))),
        Answer::List(schema, ..) => {
            let page = json!({
                "type": "object",
                "required": ["items", "next"],
                "properties": {
                    "items": {"type": "array", "maxItems": LIMIT_MAX, "items": schema(schemas)},
                    "next": {"type": ["string", "null"], "description": "Path and query of the next page"},
                },
            });
            let mut good = content("application/json", page);
            good["content"]["text/csv"] = json!({"schema": {"type": "string"}});
            (200, good)
        }
        Answer::Empty => (204, json!({"description": "Done"})),
        Answer::Text(kind) => (200, content(kind.split(';').next().unwrap_or(kind), json!({"type": "string"}))),
        Answer::Stream => (200, content("text/event-stream", json!({"type": "string"}))),
    };
    all.insert(status.to_string(), good);
    for (status, meaning) in REFUSALS {
        let refusal = json!({"description": meaning, "content": {"application/problem+json": {"schema": problem}}});
        all.insert(status.to_string(), refusal);
    }
    // Refused before any route is known, by the reader of heads, which writes no body.
    all.insert("431".into(), json!({"description": "The head of the request, its address included, is too long"}));
    Value::Object(all)
}

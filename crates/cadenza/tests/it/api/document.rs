//! The OpenAPI document: that it is whole, that every reference in it leads somewhere, that every change has an example.
//! Also the list of all operations, for tests that try each.

use serde_json::Value;
use std::collections::BTreeSet;

/// One operation of the API.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: String,
    /// Below `/api/v1`.
    pub path: String,
    /// An example of its JSON body, where it takes one.
    pub body: Option<Value>,
    /// The content type of its body, where that is not JSON.
    pub other_body: Option<String>,
}

impl Operation {
    /// As people say it.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
    pub fn names_something(&self) -> bool {
        self.path.contains('{')
    }
}

pub fn document() -> Value {
    serde_json::to_value(cadenza::http::api::document()).unwrap()
}

/// All operations, in the order of the document.
pub fn operations() -> Vec<Operation> {
    let document = document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/api/v1").unwrap_or_else(|| panic!("{path} is not below /api/v1"));
        for (method, operation) in item.as_object().unwrap() {
            let content = &operation["requestBody"]["content"];
            let json = &content["application/json"];
            let other_body = content.as_object().and_then(|c| c.keys().find(|k| *k != "application/json").cloned());
            let body = json.is_object().then(|| example(&document, &json["schema"], path));
            // What can be said in JSON is tried in JSON.
            let other_body = other_body.filter(|_| body.is_none());
            found.push(Operation { method: method.to_uppercase(), path: path.to_owned(), body, other_body });
        }
    }
    assert!(found.len() > 20, "{}", found.len());
    found
}

/// The example that a schema carries, through its references.
fn example(document: &Value, schema: &Value, path: &str) -> Value {
    if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)) {
        return example.clone();
    }
    if let Some(to) = schema["$ref"].as_str() {
        return example(document, resolved(document, to), path);
    }
    let parts = ["oneOf", "anyOf", "allOf"].iter().filter_map(|of| schema[*of].as_array()).flatten();
    let some = parts.filter(|s| s["type"] != "null").map(|s| example(document, s, path)).next();
    some.unwrap_or_else(|| panic!("{path}: give the body's type an example, such as #[schema(example = json!(…))]"))
}

#[track_caller]
fn resolved<'d>(document: &'d Value, to: &str) -> &'d Value {
    let pointer = to.strip_prefix('#').unwrap_or_else(|| panic!("{to} leads out of the document"));
    document.pointer(pointer).unwrap_or_else(|| panic!("{to} leads nowhere"))
}

#[test]
fn the_document_is_whole() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(!document["info"]["title"].as_str().unwrap().is_empty());
    fn walk(document: &Value, here: &Value) {
        match here {
            Value::Object(fields) => {
                if let Some(to) = fields.get("$ref").and_then(Value::as_str) {
                    resolved(document, to);
                }
                fields.values().for_each(|v| walk(document, v));
            }
            Value::Array(items) => items.iter().for_each(|v| walk(document, v)),
            _ => {}
        }
    }
    walk(&document, &document);
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            let said: BTreeSet<&str> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|p| p["in"] == "path")
                .map(|p| p["name"].as_str().unwrap())
                .collect();
            let named: BTreeSet<&str> = path.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0).collect();
            assert_eq!(said, named, "{name}: the parameters of the path");
            assert!(operation["summary"].as_str().is_some_and(|s| !s.is_empty()), "{name} has no summary");
            assert!(operation["tags"][0].is_string(), "{name} has no tag");
            assert!(operation["responses"]["default"].is_object(), "{name} does not say how it fails");
            let good = operation["responses"].as_object().unwrap().keys().any(|s| s.starts_with('2'));
            assert!(good, "{name} does not say how it succeeds");
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            assert!(ids.insert((operation["tags"][0].clone().to_string(), id.clone())), "{name}: {id} stands twice");
        }
    }
}

#[test]
fn every_route_is_in_the_document() {
    // Routes come in by `routes!`, which documents them; what is added past it would be missing.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/api");
    let mut files = vec![folder];
    let mut seen = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
            continue;
        }
        seen += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        let allowed = match path.file_name().unwrap().to_str().unwrap() {
            // The document itself, and the pages that show it.
            "docs.rs" => 3,
            "mod.rs" if text.contains("openapi.json") => 1,
            _ => 0,
        };
        assert_eq!(text.matches(".route(").count(), allowed, "{}: use routes!", path.display());
    }
    assert!(seen > 8);
}

//! The page's types come from the API's document: what it keeps of that is what the API serves.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

/// What the page needs of the document: what each operation takes and gives. Refusals and parameters are the same everywhere.
fn kept(document: &Value) -> Value {
    let operation = |entry: &Value| {
        let good =
            entry["responses"].as_object().and_then(|all| all.iter().find(|(status, _)| status.starts_with('2')));
        let mut kept =
            json!({"responses": good.map(|(status, answer)| Map::from_iter([(status.clone(), answer.clone())]))});
        if let Some(body) = entry.get("requestBody") {
            kept["requestBody"] = body.clone();
        }
        kept
    };
    let paths = document["paths"].as_object().expect("paths").iter().map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").iter();
        (path.clone(), methods.map(|(method, entry)| (method.clone(), operation(entry))).collect::<Map<_, _>>().into())
    });
    json!({"paths": paths.collect::<Map<_, _>>(), "components": {"schemas": document["components"]["schemas"]}})
}

#[test]
fn the_page_is_built_from_the_document_that_the_api_serves() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../webui/openapi.json");
    let served = serde_json::to_string_pretty(&kept(&admin::openapi())).expect("JSON") + "\n";
    if std::env::var_os("PICKET_WRITE").is_some() {
        fs::write(&file, &served).expect("the tree can be written");
    }
    let had = fs::read_to_string(&file).expect("the page's document");
    assert!(
        had == served,
        "the routes changed and webui/openapi.json did not; write it anew: PICKET_WRITE=1 cargo test -p admin --test page"
    );
}

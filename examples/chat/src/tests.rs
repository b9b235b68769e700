//! Keeps the generated client up to date.

use switchboard_codegen::{AsyncApi, TypeScript};

use crate::contract;

#[test]
fn the_client_is_up_to_date() {
    let generator = TypeScript::new().route("chat", &contract()).javascript().standalone();
    for (generated, path) in [
        (generator.generate(), "static/client/chat.js"),
        (generator.validators("./chat.js"), "static/client/validators.js"),
    ] {
        let generated = generated.unwrap_or_else(|error| panic!("{error}"));
        generated.check(path).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// The npm package reads the document with a parser of other authors.
#[test]
fn the_asyncapi_document_is_up_to_date() {
    let document = AsyncApi::new("chat", "1.0.0").route("chat", &contract()).generate();
    let path = "../../crates/switchboard-codegen/typescript/test/asyncapi/chat.json";
    document.check(path).unwrap_or_else(|error| panic!("{error}"));
}

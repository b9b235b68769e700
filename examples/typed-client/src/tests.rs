//! Keeps the generated client up to date.

use switchboard_codegen::{AsyncApi, TypeScript};

use crate::contract;

#[test]
fn the_client_is_up_to_date() {
    let client = TypeScript::new().route("poll", &contract()).generate().unwrap_or_else(|error| panic!("{error}"));
    client.check("web/src/poll.gen.ts").unwrap_or_else(|error| panic!("{error}"));
}

/// The npm package reads the document with a parser of other authors.
#[test]
fn the_asyncapi_document_is_up_to_date() {
    let document = AsyncApi::new("poll", "1.0.0").route("poll", &contract()).generate();
    let path = "../../crates/switchboard-codegen/typescript/test/asyncapi/poll.json";
    document.check(path).unwrap_or_else(|error| panic!("{error}"));
}

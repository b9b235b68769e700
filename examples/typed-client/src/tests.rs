//! Keeps the generated client up to date.

use switchboard_codegen::TypeScript;

use crate::contract;

#[test]
fn the_client_is_up_to_date() {
    let client = TypeScript::new().route("poll", &contract()).generate().unwrap_or_else(|error| panic!("{error}"));
    client.check("web/src/poll.gen.ts").unwrap_or_else(|error| panic!("{error}"));
}

//! Keeps the generated client up to date.

use switchboard_codegen::TypeScript;

use multi_node::contract;

#[test]
fn the_client_is_up_to_date() {
    let generator = TypeScript::new().route("rooms", &contract()).javascript().standalone();
    for (generated, path) in [
        (generator.generate(), "static/client/rooms.js"),
        (generator.validators("./rooms.js"), "static/client/validators.js"),
    ] {
        let generated = generated.unwrap_or_else(|error| panic!("{error}"));
        generated.check(path).unwrap_or_else(|error| panic!("{error}"));
    }
}

//! The file of TypeScript.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod torture;

use switchboard_codegen::{TypeScript, typescript};
use torture::{admin, torture};

#[test]
fn all_shapes() {
    insta::assert_snapshot!(TypeScript::new().route("chat", &torture()).generate().unwrap());
}

#[test]
fn several_routes() {
    let file = TypeScript::new().route("chat", &torture()).route("admin", &admin()).generate().unwrap();
    insta::assert_snapshot!(file);
}

#[test]
fn a_route_is_named_by_its_path() {
    let file = typescript(&admin()).unwrap();
    assert!(file.as_str().contains("export const admin: Route<AdminApi> = {"), "{file}");
}

#[test]
fn validators() {
    insta::assert_snapshot!(TypeScript::new().route("admin", &admin()).validators("./admin.js").unwrap());
}

//! Kinds of types that attacks found, seen on the wire.

use std::collections::BTreeMap;

use axum::Router;
use serde_json::{Value, json};
use switchboard::{Message as _, WsRouter, validator::ValidationError, ws_message, ws_payload};
use switchboard_tests::{
    client::{Client, Server},
    serve::ws_route,
};

#[ws_message("CONDITIONAL")]
struct Conditional {
    #[cfg_attr(not(target_os = "none"), validate(length(min = 1)))]
    name: String,
    #[cfg_attr(not(target_os = "none"), validate(nested))]
    item: Item,
}

#[ws_payload]
struct Item {
    #[serde(rename = "type")]
    #[validate(length(min = 1))]
    kind: String,
}

#[ws_message("BIG")]
struct Big {
    #[validate(range(max = 10))]
    n: u128,
    #[serde(default)]
    #[validate(range(min = -10))]
    signed: i128,
    #[serde(default)]
    #[validate(custom(function = small))]
    checked: u128,
}

fn small(big: u128) -> Result<(), ValidationError> {
    if big <= 10 {
        return Ok(());
    }
    let mut error = ValidationError::new("big");
    // This panics beyond 64 bits.
    error.add_param("given".into(), &big);
    Err(error)
}

#[ws_payload]
struct Address {
    #[serde(rename = "postal")]
    #[validate(length(min = 3))]
    zip_code: String,
}

#[ws_message("PLACES")]
struct Places {
    #[validate(nested)]
    address: Address,
    #[validate(nested)]
    by_name: BTreeMap<String, Item>,
    #[validate(nested)]
    rows: Vec<Vec<Item>>,
}

fn serve() -> Server {
    async fn conditional(message: Conditional) {
        drop((message.name, message.item.kind));
    }
    async fn big(_: Big) {}
    async fn places(message: Places) {
        drop((message.address.zip_code, message.by_name, message.rows));
    }
    let router = WsRouter::new().on(conditional).on(big).on(places);
    Server::start(Router::new().route("/ws", ws_route(router)))
}

async fn issues(client: &mut Client, text: impl Into<String>) -> Vec<(String, String)> {
    client.text(text).await;
    let error = client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    let issues = error["details"]["issues"].as_array().unwrap().clone();
    let text = |issue: &Value, key: &str| issue[key].as_str().unwrap().to_owned();
    issues.iter().map(|issue| (text(issue, "path"), text(issue, "code"))).collect()
}

fn expected(issues: &[(&str, &str)]) -> Vec<(String, String)> {
    issues.iter().map(|(path, code)| ((*path).to_owned(), (*code).to_owned())).collect()
}

#[tokio::test]
async fn kind_f1_rules_in_cfg_attr_are_enforced() {
    let server = serve();
    let mut client = server.connect("/ws").await;
    let message = json!({ "type": "CONDITIONAL", "payload": { "name": "", "item": { "type": "" } } });
    let found = issues(&mut client, message.to_string()).await;
    assert_eq!(found, expected(&[("item.type", "length"), ("name", "length")]));
}

/// A form shows all that is wrong with it at once.
#[tokio::test]
async fn wrong_types_and_broken_rules_are_told_together() {
    let server = serve();
    let mut client = server.connect("/ws").await;
    let payload = json!({
        "address": { "postal": "ab", "unknown": 1 },
        "byName": { "bob": { "type": "" }, "eve": { "type": 5 } },
        "rows": [[{ "type": "x" }], [{}, { "type": "" }]],
    });
    let found = issues(&mut client, json!({ "type": "PLACES", "payload": payload }).to_string()).await;
    let all = [
        ("address.postal", "length"),
        ("address.unknown", "unknown_field"),
        ("byName.bob.type", "length"),
        ("byName.eve.type", "type"),
        ("rows[1][0].type", "missing_field"),
        ("rows[1][1].type", "length"),
    ];
    assert_eq!(found, expected(&all));
}

#[tokio::test]
async fn kind_f5_a_number_beyond_64_bits_breaks_its_rule() {
    let server = serve();
    let mut client = server.connect("/ws").await;
    for number in ["11", "18446744073709551616", "340282366920938463463374607431768211455"] {
        let found = issues(&mut client, format!(r#"{{"type":"BIG","payload":{{"n":{number}}}}}"#)).await;
        assert_eq!(found, expected(&[("n", "range")]), "{number}");
    }
    let low = r#"{"type":"BIG","payload":{"n":1,"signed":-170141183460469231731687303715884105728}}"#;
    assert_eq!(issues(&mut client, low).await, expected(&[("signed", "range")]));
    for (number, code) in [("11", "big"), ("18446744073709551616", "custom")] {
        let found = issues(&mut client, format!(r#"{{"type":"BIG","payload":{{"n":1,"checked":{number}}}}}"#)).await;
        assert_eq!(found, expected(&[("checked", code)]), "{number}");
    }
}

#[tokio::test]
async fn kind_f6_nested_rules_have_wire_paths() {
    let server = serve();
    let mut client = server.connect("/ws").await;
    let message = json!({ "type": "PLACES", "payload": {
        "address": { "postal": "1" },
        "byName": { "ann": { "type": "a" }, "bob": { "type": "" } },
        "rows": [[], [{ "type": "a" }, { "type": "" }]],
    }});
    let found = issues(&mut client, message.to_string()).await;
    assert_eq!(
        found,
        expected(&[("address.postal", "length"), ("byName.bob.type", "length"), ("rows[1][1].type", "length")])
    );
}

#[ws_message("FLOATS")]
struct Floats {
    #[validate(range(max = 10.0))]
    a: f32,
    #[validate(range(max = 10.0))]
    b: f64,
    #[validate(range(max = 10.0))]
    c: Option<f32>,
    #[validate(range(max = 10.0))]
    d: Option<f64>,
}

/// Neither below nor above a bound. Clients cannot send it; the application's own messages may have it.
#[test]
fn nan_is_in_no_range_of_any_type() {
    let of = |a, b, c, d| {
        let issues = Floats { a, b, c, d }.validate().err();
        issues.iter().flatten().map(|issue| format!("{} {}", issue.path(), issue.code())).collect::<Vec<_>>()
    };
    assert!(of(1.0, 1.0, Some(1.0), Some(1.0)).is_empty());
    assert!(of(1.0, 1.0, None, None).is_empty());
    let nan = of(f32::NAN, f64::NAN, Some(f32::NAN), Some(f64::NAN));
    assert_eq!(nan, ["a range", "b range", "c range", "d range"]);
    assert_eq!(of(11.0, 11.0, Some(11.0), Some(11.0)), nan);
}

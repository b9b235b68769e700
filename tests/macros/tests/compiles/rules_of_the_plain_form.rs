//! The plain form has rules with and without a derive of `Validate`, and nests what has one.
#![deny(warnings)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use switchboard::{Message, WsMessage, ws_payload};
use validator::Validate;

#[derive(Serialize, Deserialize, WsMessage)]
#[ws(type = "POST")]
struct Post {
    #[validate(length(min = 1))]
    text: String,
    #[validate(nested)]
    address: Address,
    #[validate(nested)]
    boxed: Box<Address>,
    #[validate(nested)]
    by_name: BTreeMap<String, Address>,
    #[validate(nested)]
    rows: Vec<Vec<Address>>,
}

/// Knows `validator` alone, and holds a type that knows its names.
#[derive(Serialize, Deserialize, Validate, Clone)]
struct Address {
    street: String,
    #[serde(rename = "postal")]
    #[validate(length(min = 3))]
    zip_code: String,
    #[validate(nested)]
    item: Item,
}

#[ws_payload]
#[derive(Clone)]
struct Item {
    #[serde(rename = "type")]
    #[validate(length(min = 1))]
    kind: String,
}

#[test]
fn broken_rules_of_the_plain_form_are_named() {
    let bad = Address { street: "a street".into(), zip_code: "1".into(), item: Item { kind: String::new() } };
    let post = Post {
        text: String::new(),
        address: bad.clone(),
        boxed: Box::new(bad.clone()),
        by_name: [("bob".to_owned(), bad.clone())].into(),
        rows: vec![vec![], vec![bad.clone()]],
    };
    let issues = Message::validate(&post).unwrap_err();
    let paths: Vec<_> = issues.iter().map(|issue| issue.path()).collect();
    assert_eq!(
        paths,
        [
            "address.item.type",
            "address.postal",
            "boxed.item.type",
            "boxed.postal",
            "by_name.bob.item.type",
            "by_name.bob.postal",
            "rows[1][0].item.type",
            "rows[1][0].postal",
            "text",
        ]
    );
    assert!(!bad.street.is_empty());
}

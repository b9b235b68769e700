use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

use super::*;
use crate::Issue;

fn even(n: u32) -> Result<(), ValidationError> {
    if n.is_multiple_of(2) { Ok(()) } else { Err(ValidationError::new("even")) }
}

fn not_both(post: &Post) -> Result<(), ValidationError> {
    if post.room_id == "both" { Err(ValidationError::new("both").with_message("pick one".into())) } else { Ok(()) }
}

#[derive(Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
#[validate(schema(function = "not_both"))]
struct Post {
    #[validate(length(min = 1, max = 5))]
    room_id: String,
    #[serde(rename = "type")]
    #[validate(length(min = 1))]
    kind: String,
    #[validate(nested)]
    attachment: Option<Attachment>,
    #[validate(nested)]
    list_items: Vec<Item>,
    #[validate(range(min = 1, max = 9), custom(function = "even"))]
    count: u32,
    #[validate(required)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    must_be_there: Option<u8>,
    #[validate(email(message = "we need your address"))]
    mail: String,
}

#[derive(Serialize, Deserialize, Validate)]
#[serde(rename_all = "kebab-case")]
struct Attachment {
    #[validate(url)]
    file_url: String,
    #[validate(nested)]
    inner: Box<Item>,
}

#[derive(Serialize, Deserialize, Validate)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Item {
    #[validate(length(min = 1))]
    item_name: String,
}

fn item(name: &str) -> Item {
    Item { item_name: name.into() }
}

fn good() -> Post {
    Post {
        room_id: "r".into(),
        kind: "k".into(),
        attachment: None,
        list_items: vec![],
        count: 2,
        must_be_there: Some(1),
        mail: "a@example.com".into(),
    }
}

fn issues(post: &Post) -> Vec<(String, String, String)> {
    let Err(issues) = validate(post) else { return vec![] };
    issues.iter().map(|i| (i.path().into(), i.code().into(), i.message().into())).collect()
}

#[test]
fn nested_and_renamed_fields_have_their_wire_names() {
    let bad = Post {
        room_id: "too long".into(),
        kind: String::new(),
        attachment: Some(Attachment { file_url: "secret value".into(), inner: Box::new(item("")) }),
        list_items: vec![item("a"), item("")],
        count: 11,
        must_be_there: None,
        mail: "x".into(),
    };
    let found = issues(&bad);
    let found: Vec<_> = found.iter().map(|(p, c, m)| (p.as_str(), c.as_str(), m.as_str())).collect();
    assert_eq!(
        found,
        [
            ("attachment.file-url", "url", "must be a URL"),
            ("attachment.inner.ITEM_NAME", "length", "must have a length of at least 1"),
            ("count", "even", "is not valid"),
            ("count", "range", "must be 1 to 9"),
            ("listItems[1].ITEM_NAME", "length", "must have a length of at least 1"),
            ("mail", "email", "we need your address"),
            ("mustBeThere", "required", "is required"),
            ("roomId", "length", "must have a length of 1 to 5"),
            ("type", "length", "must have a length of at least 1"),
        ]
    );
}

#[test]
fn names_that_differ_in_an_underscore_are_kept_apart() {
    #[derive(Serialize, Deserialize, Validate)]
    #[serde(rename_all = "camelCase")]
    struct Names {
        username: String,
        #[validate(length(min = 1))]
        user_name: String,
    }
    let issues = validate(&Names { username: "x".into(), user_name: String::new() }).unwrap_err();
    assert_eq!(issues.iter().next().map(Issue::path), Some("userName"));
}

#[test]
fn rules_of_the_whole_struct_have_the_empty_path() {
    assert_eq!(issues(&good()), []);
    let both = Post { room_id: "both".into(), ..good() };
    assert_eq!(issues(&both), [(String::new(), "both".into(), "pick one".into())]);
}

fn at_most_ten(big: u128) -> Result<(), ValidationError> {
    if big <= 10 {
        return Ok(());
    }
    let mut error = ValidationError::new("big");
    error.add_param("given".into(), &big);
    Err(error)
}

#[derive(Serialize, Deserialize, Validate, Default)]
#[serde(rename_all = "camelCase")]
struct Big {
    #[validate(range(max = 10))]
    unsigned: u128,
    #[validate(range(min = -10))]
    signed: i128,
    #[validate(custom(function = "at_most_ten"))]
    checked: u128,
    #[validate(length(max = 18446744073709551615u64))]
    list: Vec<u8>,
    #[validate(length(max = 1))]
    by_pair: std::collections::BTreeMap<(u8, u8), u8>,
}

fn found(result: Result<(), Issues>) -> Vec<(String, String, String)> {
    let issues = result.err().into_iter().flat_map(|issues| issues.iter().cloned().collect::<Vec<_>>());
    issues.map(|i| (i.path().into(), i.code().into(), i.message().into())).collect()
}

/// With its feature `arbitrary_precision`, serde_json's `Value` holds them, and `validator` does
/// not panic.
fn holds_big_numbers() -> bool {
    serde_json::to_value(u128::MAX).is_ok()
}

/// `validator` panics for each of these.
#[test]
fn an_error_that_validator_cannot_build_is_an_issue() {
    let whole = [(String::new(), "custom".to_owned(), "is not valid".to_owned())];
    assert_eq!(found(validate(&Big::default())), []);
    for big in [
        Big { unsigned: u128::from(u64::MAX) + 1, ..Big::default() },
        Big { unsigned: u128::MAX, ..Big::default() },
        Big { signed: i128::MIN, ..Big::default() },
        Big { checked: u128::MAX, ..Big::default() },
        Big { by_pair: [((1, 1), 1), ((1, 2), 1)].into(), ..Big::default() },
    ] {
        if big.by_pair.is_empty() && holds_big_numbers() {
            assert_eq!(found(validate(&big)).len(), 1);
            continue;
        }
        assert_eq!(found(validate(&big)), whole);
        let mut report = Report::default();
        At::ROOT.field("inner", |at| {
            (&&&&Nested(&big)).__switchboard_check(at, &mut report);
        });
        assert_eq!(found(report.into_result()), [("inner".to_owned(), "custom".to_owned(), "is not valid".to_owned())]);
    }
    let near = Big { unsigned: u128::from(u64::MAX), ..Big::default() };
    assert_eq!(found(validate(&near)), [("unsigned".into(), "range".into(), "must be at most 10".into())]);
}

#[test]
fn an_error_that_a_function_cannot_build_is_an_issue() {
    assert_eq!(custom(|| at_most_ten(10)), Ok(()));
    assert_eq!(custom(|| at_most_ten(11)).unwrap_err().code, "big");
    assert_eq!(custom(|| at_most_ten(u128::MAX)).unwrap_err().code, if holds_big_numbers() { "big" } else { "custom" });
}

#[test]
fn other_panics_are_propagated() {
    let other = |check: fn() -> Result<(), ValidationError>| std::panic::catch_unwind(|| custom(check)).is_err();
    assert!(other(|| panic!("a fault of the application")));
    assert!(other(|| {
        serde_json::from_str::<()>("x").unwrap();
        Ok(())
    }));
    assert!(!other(|| Ok(())));
}

//! What the torture types look like on the wire, and where their broken rules are.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use serde_json::{Value, json};
use switchboard::{Message, MessageMeta};

include!(concat!(env!("CARGO_MANIFEST_DIR"), "/uses.rs"));

use torture::{
    conditional, deprecated, foreign, generic, hostile, macro_rules, names, numbers, serde_attributes as attributes,
    serde_conversions as conversions,
};

/// Decodes, validates, and says where rules are broken.
fn paths<M: Message>(payload: Value) -> Vec<String> {
    let message: M = serde_json::from_value(payload).unwrap();
    match message.validate() {
        Ok(()) => Vec::new(),
        Err(issues) => issues.iter().map(|issue| format!("{} {}", issue.path(), issue.code())).collect(),
    }
}

#[test]
fn kind_f10_what_stands_in_cfg_attr_is_enforced() {
    let found = paths::<conditional::Conditional>(json!({
        "name": "", "type": "long", "inner": { "SOME_NUMBER": 10 }, "here": { "SOME_NUMBER": 10 }, "free": "",
    }));
    assert_eq!(found, ["here.SOME_NUMBER range", "inner.SOME_NUMBER range", "name length", "type length"]);
    let meta = conditional::Meta { lang: String::new() };
    assert_eq!(MessageMeta::validate(&meta).unwrap_err().iter().next().unwrap().path(), "lang");
    let first = conditional::Choice::First { size: 1 };
    assert_eq!(serde_json::to_value(first).unwrap(), json!({ "kind": "the-first", "size": 1 }));
}

#[test]
fn big_numbers_break_a_rule() {
    let all = |big: u128| {
        let json = format!(
            r#"{{"text":"a","count":2,"big":{big},"needed":1,"again":"a","shape":{{"circle":{{"outerRadius":1}}}}}}"#
        );
        serde_json::from_str::<hostile::All>(&json).unwrap()
    };
    assert!(all(10).validate().is_ok());
    for big in [11, u128::from(u64::MAX) + 1, u128::MAX] {
        let issues = all(big).validate().unwrap_err();
        let found: Vec<_> = issues.iter().map(|issue| (issue.path(), issue.code(), issue.message())).collect();
        assert_eq!(found, [("big", "range", "must be at most 10")], "{big}");
    }
}

#[test]
fn numbers_that_no_error_of_validator_can_hold_break_a_rule() {
    let (big, low) = (u128::MAX, i128::MIN);
    // An error of a function of one's own is lost if serde_json cannot hold what it says of the number.
    let code = if serde_json::to_value(big).is_ok() { "big" } else { "custom" };
    let [checked, of_both] = ["checked", ""].map(|path| format!("{path} {code} is not valid"));
    for (json, expected) in [
        ("{}".to_owned(), &[][..]),
        (r#"{"longest":"x"}"#.to_owned(), &[]),
        (format!(r#"{{"signed":{low}}}"#), &["signed range must be -10 to 10"]),
        (
            format!(r#"{{"unsigned":{big}}}"#),
            &["unsigned range must be less than 340282366920938463463374607431768211455"],
        ),
        (
            format!(r#"{{"wide":{}}}"#, i128::MAX),
            &["wide range must be -170141183460469231731687303715884105728 to 170141183460469231731687303715884105726"],
        ),
        (format!(r#"{{"maybe":{big}}}"#), &["maybe range must be at most 10"]),
        (r#"{"tooLong":"x"}"#.to_owned(), &["tooLong length must have a length of at least 18446744073709551615"]),
        (r#"{"checked":11}"#.to_owned(), &["checked big is not valid"]),
        (format!(r#"{{"checked":{big}}}"#), &[&checked]),
        (format!(r#"{{"named":{big}}}"#), &["named size is too big"]),
        (format!(r#"{{"inner":{{"n":{big}}}}}"#), &["inner.n range must be at most 10"]),
        (r#"{"literal":-5000000001}"#.to_owned(), &["literal range must be -5000000000 to 5000000000"]),
        (format!(r#"{{"largest":{big}}}"#), &["largest range must be at most 340282366920938463463374607431768211454"]),
        (r#"{"ofBoth":11}"#.to_owned(), &[" big is not valid"]),
        (format!(r#"{{"ofBoth":{big}}}"#), &[&of_both]),
    ] {
        let numbers: numbers::Numbers = serde_json::from_str(&json).unwrap();
        let found: Vec<_> = numbers.validate().err().map_or_else(Vec::new, |issues| {
            issues.iter().map(|issue| format!("{} {} {}", issue.path(), issue.code(), issue.message())).collect()
        });
        assert_eq!(found, expected, "{json}");
    }
}

#[test]
fn bounds_beyond_32_bits_stand_in_the_schema() {
    use switchboard::__private::schemars;
    let schema = schemars::schema_for!(numbers::Numbers);
    let properties = &schema.as_value()["properties"];
    for (name, minimum, maximum) in [
        ("signed", json!(-10), json!(10)),
        ("literal", json!(-5_000_000_000_i64), json!(5_000_000_000_i64)),
        ("wide", json!(-1.701_411_834_604_692_3e38), json!(1.701_411_834_604_692_3e38)),
        ("largest", json!(0), json!(3.402_823_669_209_385e38)),
    ] {
        let property = &properties[name];
        assert_eq!((&property["minimum"], &property["maximum"]), (&minimum, &maximum), "{name}: {property}");
    }
    assert_eq!(properties["longest"]["maxLength"], json!(u64::MAX));
}

#[test]
fn nan_is_in_no_range() {
    let mut all: hostile::All = serde_json::from_value(json!({
        "text": "a", "count": 2, "needed": 1, "again": "a", "shape": "point",
    }))
    .unwrap();
    assert!(all.validate().is_ok());
    all.shape = hostile::Shape::Circle { outer_radius: f64::NAN };
    assert_eq!(all.validate().unwrap_err().iter().next().unwrap().path(), "shape.circle.outerRadius");
}

#[test]
fn kind_f6_every_rule_is_at_its_wire_path() {
    let bad = || json!({ "type": "" });
    let good = json!({ "type": "a" });
    let cases = [
        (json!({ "rows": [[], [good, bad()]] }), vec!["rows[1][1].type length"]),
        (json!({ "byName": { "ann": good, "bob": bad() } }), vec!["byName.bob.type length"]),
        (json!({ "byNumber": { "7": [good, bad()] } }), vec!["byNumber.7[1].type length"]),
        (json!({ "boxed": bad() }), vec!["boxed.type length"]),
        (json!({ "pair": [1, bad()] }), vec!["pair[1].type length"]),
        (json!({ "list": [null, bad()] }), vec!["list[1].type length"]),
        (json!({ "external": ["unit", { "new_type": bad() }] }), vec!["external[1].new_type.type length"]),
        (json!({ "external": [{ "tuple": [1, 10] }] }), vec!["external[0].tuple[1] range"]),
        (
            json!({ "external": [{ "struct_like": { "one-size": 10 } }] }),
            vec!["external[0].struct_like.one-size range"],
        ),
        (json!({ "external": [{ "renamed": { "oneSize": 10 } }] }), vec!["external[0].renamed.oneSize range"]),
        (json!({ "external": [{ "bare": 10 }] }), vec!["external[0].bare range"]),
        (json!({ "internal": [{ "kind": "newType", "type": "" }] }), vec!["internal[0].type length"]),
        (json!({ "internal": [{ "kind": "structLike", "oneSize": 10 }] }), vec!["internal[0].oneSize range"]),
        (json!({ "adjacent": [{ "t": "newType", "c": bad() }] }), vec!["adjacent[0].c.type length"]),
        (json!({ "adjacent": [{ "t": "tuple", "c": [10, 1] }] }), vec!["adjacent[0].c[0] range"]),
        (json!({ "adjacent": [{ "t": "structLike", "c": { "oneSize": 10 } }] }), vec!["adjacent[0].c.oneSize range"]),
        (
            json!({ "untagged": [{ "oneSize": 10 }, [1, 10]] }),
            vec!["untagged[0].oneSize range", "untagged[1][1] range"],
        ),
        (json!({ "transparent": "long" }), vec!["transparent length"]),
        (json!({ "newtype": "long" }), vec!["newtype length"]),
        (json!({ "tuple": [1, 10] }), vec!["tuple[1] range"]),
        (json!({ "twoCases": { "one-size": 10 } }), vec!["twoCases.one-size range"]),
        (json!({ "loud": { "ONE-SIZE": 10 } }), vec!["loud.ONE-SIZE range"]),
        (json!({ "generic": { "all": [good, bad()] } }), vec!["generic.all[1].type length"]),
        (json!({ "tryFrom": "long" }), vec!["tryFrom length"]),
        (json!({ "levels": [0, 1] }), vec![]),
        (json!({ "rows": [[good]], "byName": { "bob": good }, "external": ["unit"] }), vec![]),
    ];
    for (payload, expected) in cases {
        assert_eq!(paths::<attributes::Shapes>(payload.clone()), expected, "{payload}");
    }
    let fields = json!({
        "postal": 10, "in": 10, "withDefault": 10, "withFunction": 10, "every": 100, "after": 100, "text": "long",
    });
    assert_eq!(
        paths::<attributes::Fields>(fields),
        [
            "after long",
            "every long",
            "in range",
            "postal range",
            "text length",
            "withDefault range",
            "withFunction range",
        ]
    );
    let flat = json!({ "pageNumber": 10, "kind": "structLike", "oneSize": 10 });
    assert_eq!(paths::<attributes::Flat>(flat), ["oneSize range", "pageNumber range"]);
}

#[test]
fn types_that_are_converted_have_the_rules_of_what_they_become() {
    assert_eq!(paths::<conversions::Tried>(json!({ "digits": "9", "level": 1 })), [""; 0]);
    assert_eq!(paths::<conversions::Tried>(json!({ "digits": "10", "level": 1 })), ["number range"]);
    for refused in
        [json!({ "digits": "x", "level": 1 }), json!({ "digits": "9", "level": 2 }), json!({ "number": 9, "level": 1 })]
    {
        assert!(serde_json::from_value::<conversions::Tried>(refused.clone()).is_err(), "{refused}");
    }
    assert!(serde_json::from_value::<attributes::Shapes>(json!({ "tryFrom": "" })).is_err());
    let tried = conversions::Tried { number: 7, level: conversions::Level::High };
    assert_eq!(serde_json::to_value(tried).unwrap(), json!({ "digits": "7", "level": 1 }));
}

#[test]
fn types_of_others_by_remote() {
    use conversions::{Remote, elsewhere};
    let wire = json!({ "span": { "seconds": 1, "nanos": 2 }, "side": { "right": { "by": 3 } }, "distance": 4 });
    let remote: Remote = serde_json::from_value(wire.clone()).unwrap();
    assert_eq!(remote.span, elsewhere::Span::new(1, 2));
    assert_eq!(remote.side, elsewhere::Side::Right { by: 3 });
    assert_eq!(remote.distance, elsewhere::Meters(4));
    assert_eq!(serde_json::to_value(remote).unwrap(), wire);
    let long = json!({ "span": { "seconds": 100, "nanos": 2 }, "side": "left", "distance": 4 });
    assert_eq!(paths::<Remote>(long), ["span long"]);
}

#[test]
fn borrowed_values_have_rules_and_messages_own_theirs() {
    let text = r#"{"text":"long","plain":"long","inner":[{"named":{"name":"long"}},{"text":"x"}]}"#;
    let borrowed: conversions::Borrowed<'_> = serde_json::from_str(text).unwrap();
    assert!(matches!(borrowed.text, std::borrow::Cow::Borrowed("long")));
    let issues = switchboard::__private::rules::check(&borrowed).unwrap_err();
    let found: Vec<_> = issues.iter().map(|issue| issue.path().to_owned()).collect();
    assert_eq!(found, ["inner[0].named.name", "plain", "text"]);
    let own: conversions::OwnText = serde_json::from_value(json!({ "text": "x" })).unwrap();
    assert_eq!((own.skipped, own.not_read, &*own.text), ("", "", "x"));
}

#[test]
fn kind_f11_a_message_inside_a_message() {
    let found = paths::<hostile::HoldsItems>(json!({
        "first": { "name": "" }, "maybe": { "name": "" }, "rows": [[{ "name": "" }]],
    }));
    assert_eq!(found, ["first.name length", "maybe.name length", "rows[0][0].name length"]);
}

#[test]
fn kind_f12_types_of_other_crates() {
    let seen = serde_json::to_value(time::OffsetDateTime::UNIX_EPOCH).unwrap();
    let message = |id: &str| {
        json!({
            "id": id, "at": "2026-01-02T03:04:05Z", "day": "2026-01-02", "price": "1.50", "link": "https://example.com/",
            "data": [[1, 2]], "net": "127.0.0.1", "shared": "text", "seen": seen, "sent": "2026-01-02T03:04:05Z",
        })
    };
    assert_eq!(paths::<foreign::Foreign>(message("00000000-0000-0000-0000-000000000000")), ["id nil"]);
    let good = message("67e55044-10b1-426f-9247-bb680e5fe0c8");
    let read: foreign::Foreign = serde_json::from_value(good.clone()).unwrap();
    assert!(read.validate().is_ok());
    assert_eq!(serde_json::to_value(&read).unwrap(), good);
}

#[test]
fn kind_f14_odd_names_have_wire_names() {
    let found = paths::<names::Names>(json!({
        "über": 10, "größeInCm": 10, "type": 10, "finalWord": 10, "x": 10, "1": 10, "a1b": 10, "__": 10,
        "wahl": { "über": { "ölStand": 10 } },
    }));
    assert_eq!(
        found,
        [
            "1 range",
            "__ range",
            "a1b range",
            "finalWord range",
            "größeInCm range",
            "type range",
            "wahl.über.ölStand range",
            "x range",
            "über range",
        ]
    );
    assert_eq!(
        paths::<names::Names>(json!({
            "über": 1, "größeInCm": 1, "type": 1, "finalWord": 1, "x": 1, "1": 1, "a1b": 1, "__": 1,
            "wahl": { "plain": { "some_size": 10 } },
        })),
        ["wahl.plain.some_size range"]
    );
}

#[test]
fn kind_f15_deprecated_fields_have_rules() {
    assert_eq!(paths::<deprecated::OldField>(json!({ "text": "" })), ["text length"]);
}

#[test]
fn kind_f22_every_rule_is_checked_beside_hostile_names() {
    let found = paths::<hostile::All>(json!({
        "text": "a text that is too long", "count": 3, "mail": "x", "site": "y", "address": "127.0.0", "again": "b\u{1}",
        "shape": { "line": [1.0] },
    }));
    assert_eq!(
        found,
        [
            "address does_not_contain",
            "address ip",
            "again non_control_character",
            "again same",
            "count even",
            "mail email",
            "needed required",
            "shape.line length",
            "site contains",
            "site url",
            "text short",
        ]
    );
    let found = paths::<hostile::All>(json!({
        "text": "a", "count": 404, "needed": 1, "again": "a", "shape": "point",
    }));
    assert_eq!(found, [" whole"]);
    let (sum, router) = (hostile::Sum { result: 1.0 }, hostile::Chat.router());
    assert_eq!(serde_json::to_value(sum).unwrap(), json!({ "result": 1.0 }));
    drop(router);
}

#[test]
fn rules_that_a_macro_passes_on_are_enforced() {
    let found = paths::<macro_rules::Passed>(json!({
        "text": "", "number": 10, "maybe": 10, "odd": 1, "mail": "x", "again": "y",
        "inner": { "number": 0, "needed": null, "site": "" },
    }));
    assert_eq!(
        found,
        [
            "again must_match",
            "inner.needed required",
            "inner.number range",
            "inner.site url",
            "mail contains",
            "maybe range",
            "number range",
            "odd even",
            "text length",
        ]
    );
}

#[test]
fn rules_of_type_parameters_and_of_types_that_hold_themselves() {
    let bad = json!({ "a": 10 });
    let found = paths::<generic::Generic>(json!({
        "maybe": { "inner": bad, "twice": [bad] },
        "branch": { "value": bad, "kids": [{ "value": bad, "kids": [] }] },
    }));
    assert_eq!(
        found,
        ["branch.kids[0].value.a range", "branch.value.a range", "maybe.inner.a range", "maybe.twice[0].a range"]
    );
}

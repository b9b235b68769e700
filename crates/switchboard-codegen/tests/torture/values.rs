//! Values of its types, at random.

#![expect(deprecated, reason = "deprecated fields have values, too")]

use std::num::NonZeroU32;

use chrono::DateTime;
use proptest::{
    collection::{btree_map, btree_set, vec},
    option,
    prelude::*,
};
use rust_decimal::Decimal;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::types::*;

/// The largest integer that a number of JavaScript holds with all below it.
const MAX_SAFE: u64 = (1 << 53) - 1;

pub(crate) fn scalars() -> impl Strategy<Value = Scalars> {
    let numbers = (any::<bool>(), any::<u8>(), any::<i32>(), any::<u32>(), 0..=MAX_SAFE, 0..=MAX_SAFE, any::<u64>());
    let more =
        (option::of(any::<u64>()), vec(0..=MAX_SAFE, 0..3), 1..=u32::MAX, -1e9..1e9, -1e9_f32..1e9, any::<char>());
    (numbers, more, ".{1,50}", ".*").prop_map(|(numbers, more, name, title)| {
        let (on, byte, signed, word, bounded, declared, text) = numbers;
        let (maybe_text, list, positive, float, small, letter) = more;
        Scalars {
            on,
            byte,
            signed,
            word,
            bounded,
            declared: usize::try_from(declared).unwrap(),
            text,
            maybe_text,
            list,
            positive: NonZeroU32::new(positive).unwrap(),
            float,
            small,
            letter,
            name,
            unit: (),
            title,
        }
    })
}

pub(crate) fn options() -> impl Strategy<Value = Options> {
    let maybe = (option::of(".*"), option::of(any::<u8>()), option::of(profile()), any::<u32>(), option::of(".*"));
    let skipped = (option::of(profile()), option::of(any::<u64>()), option::of(option::of(any::<u8>())));
    (maybe, skipped, vec(any::<u8>(), 0..3)).prop_map(|((maybe, nested, object, defaulted, skipped), others, list)| {
        Options {
            maybe,
            // `Some(None)` and `None` are the same on the wire.
            nested: nested.map(Some),
            object,
            defaulted,
            skipped,
            list,
            skipped_object: others.0,
            skipped_number: others.1,
            // What is `null` on the wire is read as `None`.
            skipped_nested: others.2.filter(Option::is_some),
            hidden: 0,
        }
    })
}

fn profile() -> impl Strategy<Value = Profile> {
    (".*", any::<u8>()).prop_map(|(user_name, age)| Profile { user_name, age })
}

pub(crate) fn containers() -> impl Strategy<Value = Containers> {
    let lists = (vec(profile(), 0..3), any::<[u8; 3]>(), (".*", any::<u8>()), btree_set(".*", 0..3));
    let maps = (
        btree_map(".*", profile(), 0..3),
        btree_map(any::<u32>(), ".*", 0..3),
        btree_map(color(), any::<u8>(), 0..3),
        vec(option::of(btree_map(".*", vec(any::<u8>(), 0..2), 0..2)), 0..3),
    );
    let rest =
        (vec(profile(), 0..2), option::of(".*"), prop_oneof![any::<u8>().prop_map(Ok), ".*".prop_map(Err)], profile());
    (lists, maps, rest).prop_map(|(lists, maps, rest)| {
        let (list, fixed, pair, set) = lists;
        let (by_name, by_number, by_color, deep) = maps;
        let (items, next, result, boxed) = rest;
        Containers {
            list,
            fixed,
            pair,
            set,
            by_name,
            by_number,
            by_color,
            deep,
            page: Page { items, next },
            result,
            boxed: Box::new(boxed),
        }
    })
}

fn color() -> impl Strategy<Value = Color> {
    prop_oneof![Just(Color::Red), Just(Color::LightBlue)]
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        (-1e9..1e9).prop_map(|outer_radius| Shape::Circle { outer_radius }),
        (-1e9..1e9).prop_map(|side| Shape::Square { side }),
        profile().prop_map(Shape::Person),
        Just(Shape::Empty),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".*".prop_map(Value::from)
    ]
}

pub(crate) fn attributes() -> impl Strategy<Value = Attributes> {
    // Without an age: it and the others are keys of one object.
    let flat = shape().prop_filter("its keys are the profile's", |shape| !matches!(shape, Shape::Person(_)));
    (".*", color(), profile(), flat, btree_map("x_[a-z]{1,8}", json(), 0..3)).prop_map(
        |(content_type, color, profile, shape, rest)| Attributes { content_type, color, profile, shape, rest },
    )
}

pub(crate) fn enums() -> impl Strategy<Value = Enums> {
    let adjacent = prop_oneof![
        Just(Adjacent::None),
        any::<u8>().prop_map(Adjacent::One),
        (any::<u8>(), ".*").prop_map(|(number, text)| Adjacent::Two(number, text)),
        any::<bool>().prop_map(|value| Adjacent::Named { value }),
    ];
    let untagged = prop_oneof![
        any::<u32>().prop_map(Untagged::Number),
        ".*".prop_map(Untagged::Text),
        any::<bool>().prop_map(|value| Untagged::Object { value }),
    ];
    let external = prop_oneof![
        Just(External::Unit),
        any::<u8>().prop_map(External::One),
        (any::<u8>(), ".*").prop_map(|(number, text)| External::Two(number, text)),
        any::<bool>().prop_map(|some_value| External::Named { some_value }),
        profile().prop_map(External::Nested),
    ];
    let documented = prop_oneof![Just(Documented::First), Just(Documented::Second)];
    let point = (-1e9..1e9, -1e9..1e9).prop_map(|(x, y)| Point(x, y));
    let all = (color(), shape(), adjacent, untagged, external, documented, ".*".prop_map(Id), point);
    all.prop_map(|(color, shape, adjacent, untagged, external, documented, id, point)| Enums {
        color,
        shape,
        adjacent,
        untagged,
        external,
        documented,
        id,
        point,
    })
}

pub(crate) fn foreign() -> impl Strategy<Value = Foreign> {
    let seconds = 0..4_000_000_000_i64;
    let all = (any::<u128>(), seconds, any::<i32>(), 0..9_u32, vec(any::<u8>(), 0..5), json(), any::<bool>());
    all.prop_map(|(id, seconds, price, scale, data, any, anything)| {
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        Foreign {
            id: Uuid::from_u128(id),
            at,
            day: at.date_naive(),
            until: OffsetDateTime::from_unix_timestamp(seconds).unwrap(),
            price: Decimal::new(price.into(), scale),
            data: data.into(),
            any,
            anything,
        }
    })
}

pub(crate) fn tree() -> impl Strategy<Value = Tree> {
    let leaf = ".*".prop_map(|label| Tree { label, children: Vec::new() });
    leaf.prop_recursive(3, 12, 3, |inner| {
        (".*", vec(inner, 0..3)).prop_map(|(label, children)| Tree { label, children })
    })
}

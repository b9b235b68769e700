//! Compares the diagnosis with serde_json, over generated types and values.

mod buffered;
mod types;

use proptest::prelude::*;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use self::types::{FIELDS, Key, Number, Type, fields, two};
use super::super::{decode, findings::Findings, repair::Repairs, run_seed};

fn numbers() -> impl Strategy<Value = Number> {
    use Number::{F32, F64, I8, I64, I128, U8, U64, U128};
    prop::sample::select(vec![I8, I64, I128, U8, U64, U128, F32, F64])
}

fn types() -> impl Strategy<Value = Type> {
    let key =
        prop_oneof![Just(Key::Text), Just(Key::Bool), Just(Key::New), Just(Key::Enum), numbers().prop_map(Key::Number)];
    let leaf = prop_oneof![
        4 => numbers().prop_map(Type::Number),
        1 => prop::sample::select(vec![Type::Bool, Type::Char, Type::Text, Type::Unit, Type::Any, Type::Bytes]),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let boxed = inner.clone().prop_map(Box::new).boxed();
        prop_oneof![
            boxed.clone().prop_map(Type::Option),
            boxed.clone().prop_map(Type::New),
            boxed.clone().prop_map(Type::List),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Type::Tuple),
            (key.clone(), boxed.clone()).prop_map(|(key, inner)| Type::Map(key, inner)),
            prop::collection::vec(inner, 1..5).prop_map(Type::Struct),
            boxed.prop_map(Type::Enum),
        ]
    })
}

/// Decisions about a text, from a list of numbers that proptest can shrink.
struct Choices<'c> {
    list: &'c [u32],
    at: usize,
}

impl Choices<'_> {
    fn below(&mut self, n: u32) -> u32 {
        let choice = self.list.get(self.at).copied().unwrap_or(1);
        self.at += 1;
        choice % n
    }

    fn of(&mut self, texts: &[&str]) -> String {
        texts[self.below(texts.len() as u32) as usize].to_owned()
    }

    /// Returns `true` once in `n` times.
    fn rarely(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }
}

const ANYTHING: [&str; 22] = [
    "null",
    "true",
    "0",
    "-0",
    "-1",
    "1",
    "127",
    "128",
    "255",
    "256",
    "1.0",
    "1.5",
    "1e2",
    "18446744073709551616",
    "\"a\"",
    "\"\\u00e9\"",
    "\"\\ud800\"",
    "[]",
    "[1]",
    "{}",
    r#"{"a":1}"#,
    "1e999",
];

/// The text of a value that mostly fits the type.
fn text(ty: &Type, choices: &mut Choices<'_>) -> String {
    // An array for a struct is refused by this crate, not by serde_json.
    if choices.rarely(12) && !matches!(ty, Type::Struct(_) | Type::Enum(_)) {
        return choices.of(&ANYTHING);
    }
    match ty {
        Type::Bool => choices.of(&["true", "false"]),
        Type::Char => choices.of(&["\"a\"", "\"\\n\"", "\"é\"", "\"ab\"", "\"\""]),
        Type::Text => choices.of(&["\"\"", "\"text\"", "\"\\\"\\\\\"", "\"\\ud83d\\ude00\""]),
        Type::Unit => "null".into(),
        Type::Any => choices.of(&ANYTHING),
        Type::Bytes => choices.of(&["\"a\\n\"", "[1,2]", "[256]", "\"\\ud800\""]),
        Type::Number(_) => {
            choices.of(&["1", "7", "1", "100", "-1", "0", "255", "2.5", "-0", "1E1", "18446744073709551615"])
        }
        Type::Option(inner) if choices.rarely(3) => text(inner, choices),
        Type::Option(_) => "null".into(),
        Type::New(inner) => text(inner, choices),
        Type::List(inner) => array(&(0..choices.below(4)).map(|_| text(inner, choices)).collect::<Vec<_>>()),
        Type::Tuple(types) => {
            let mut all: Vec<_> = types.iter().map(|ty| text(ty, choices)).collect();
            if choices.rarely(8) {
                all.pop();
            } else if choices.rarely(8) {
                all.push("1".into());
            }
            array(&all)
        }
        Type::Map(key, inner) => {
            let keys: &[&str] = match key {
                Key::Text => &["x", "\\u0061", "y", "1"],
                Key::Bool => &["true", "false", "true", "True"],
                Key::Number(_) | Key::New => &["1", "-1", "300", "0", "1 ", "01", "\\u0031", "x"],
                Key::Enum => &["Unit", "Uni\\u0074", "One", "x"],
            };
            let members = (0..choices.below(3)).map(|_| (choices.of(keys), text(inner, choices))).collect();
            object(members)
        }
        Type::Struct(types) => {
            let mut members: Vec<_> =
                types.iter().enumerate().map(|(i, ty)| (FIELDS[i].to_owned(), text(ty, choices))).collect();
            if choices.rarely(8) {
                members.remove(choices.below(members.len() as u32) as usize);
            }
            if choices.rarely(6) {
                members.push(("unknown".into(), choices.of(&ANYTHING)));
            }
            if choices.rarely(12) && !members.is_empty() {
                members.push(members[0].clone());
            }
            if choices.rarely(2) {
                members.reverse();
            }
            object(members)
        }
        Type::Enum(inner) => match choices.below(7) {
            0 => choices.of(&["\"Unit\"", "\"One\"", "\"x\"", "1", "{}", "[]", r#"{"Unit":null,"One":1}"#]),
            1 => r#"{"Unit":null}"#.into(),
            2 => format!(r#"{{"Two":{}}}"#, text(&two(inner), choices)),
            3 => format!(r#"{{"Fields":{}}}"#, text(&fields(inner), choices)),
            4 => format!(r#"{{"x":{}}}"#, text(inner, choices)),
            _ => format!(r#"{{"One":{}}}"#, text(inner, choices)),
        },
    }
}

fn array(all: &[String]) -> String {
    format!("[{}]", all.join(", "))
}

fn object(members: Vec<(String, String)>) -> String {
    let members: Vec<_> = members.into_iter().map(|(key, value)| format!("\"{key}\" : {value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn by_serde_json(ty: &Type, json: &str) -> Option<String> {
    let mut de = serde_json::Deserializer::from_str(json);
    let value = ty.deserialize(&mut de).ok()?;
    de.end().ok()?;
    Some(value)
}

/// Whether the value at the path is not what its type expects.
fn is_wrong(ty: &Type, json: &str, path: &str) -> bool {
    let rest = path.trim_start_matches('.');
    if rest.is_empty() {
        return by_serde_json(ty, json).is_none();
    }
    let mut members: Vec<(String, String, &RawValue)> = Vec::new();
    let (step, rest) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (index, rest) = rest.split_once(']').unwrap();
            // If a key occurs twice, its other value may have another shape.
            let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json) else { return false };
            members.extend(items.into_iter().enumerate().map(|(i, value)| (i.to_string(), String::new(), value)));
            (index, rest)
        }
        None => {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let Ok(all) = serde_json::from_str::<Members<'_>>(json) else { return false };
            members.extend(all.0);
            rest.split_at(end)
        }
    };
    let found: Vec<_> = members.iter().filter(|(name, ..)| name == step).collect();
    // A key may occur twice.
    let at = |ty: &Type| found.iter().any(|(.., value)| is_wrong(ty, value.get(), rest));
    match ty {
        Type::Option(inner) | Type::New(inner) => is_wrong(inner, json, path),
        Type::List(inner) => at(inner),
        Type::Any => at(ty),
        Type::Bytes => at(&Type::Number(Number::U8)),
        Type::Tuple(types) => at(&types[step.parse::<usize>().unwrap()]),
        Type::Map(key, inner) => {
            let keys = Type::Map(*key, Box::new(Type::Any));
            let is_wrong_key = |key: &String| by_serde_json(&keys, &format!("{{{key}:null}}")).is_none();
            at(inner) || rest.is_empty() && found.iter().any(|(_, key, _)| is_wrong_key(key))
        }
        Type::Struct(types) => match FIELDS[..types.len()].iter().position(|field| *field == step) {
            Some(_) if found.is_empty() => rest.is_empty(),
            Some(i) => at(&types[i]),
            None => false,
        },
        Type::Enum(inner) => match step {
            "One" => at(inner),
            "Two" => at(&two(inner)),
            "Fields" => at(&fields(inner)),
            "Unit" => at(&Type::Unit),
            _ => false,
        },
        _ => false,
    }
}

/// Names, keys as they are written, and values.
struct Members<'a>(Vec<(String, String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, _>()? {
                    let name = serde_json::from_str(key.get()).map_err(A::Error::custom)?;
                    all.push((name, key.get().to_owned(), value));
                }
                Ok(Members(all))
            }
        }
        de.deserialize_map(All)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn kind_f4_the_diagnosis_agrees_with_serde_json(
        ty in types(),
        list in prop::collection::vec(any::<u32>(), 0..60),
    ) {
        let json = text(&ty, &mut Choices { list: &list, at: 0 });
        // With serde_json's `arbitrary_precision`, this number is valid but fits no known type.
        if json.contains("1e999") && serde_json::from_str::<serde_json::Value>("1e999").is_ok() {
            return Ok(());
        }
        let explained = run_seed(&json, &Findings::of_payload(false), &ty);
        match (by_serde_json(&ty, &json), explained) {
            // A number in range then has a type of serde_json's own.
            (Some(value), _) if value.contains("$serde_json::private::Number") => return Ok(()),
            (Some(value), Ok(explained)) => prop_assert_eq!(value, explained, "{}", json),
            (None, Err(issues)) => for issue in &issues {
                prop_assert!(is_wrong(&ty, &json, issue.path()), "{} {}: {json}", issue.path(), issue.code());
            },
            (value, explained) => prop_assert!(false, "{value:?} and {explained:?}: {json}"),
        }
        // Placeholders change nothing in a valid value, and each replaces an invalid one.
        let mut findings =
            Findings::of_payload(false).with_placeholders(Repairs::default(), |_, _, field| vec![field]);
        findings.placeholders.as_mut().expect("they were just added").is_trusted = |_| true;
        let decoded = decode(&json, &findings, &ty);
        let (replaced, ..) = findings.placeholders.expect("they are kept").into_parts();
        match (by_serde_json(&ty, &json), decoded) {
            (Some(value), Ok(decoded)) => {
                prop_assert_eq!(value, decoded, "{}", json);
                prop_assert!(replaced.is_empty(), "{}", json);
            }
            (Some(value), Err(_)) => prop_assert!(false, "{value} is refused: {json}"),
            (None, _) => for one in replaced {
                let path = one.issue.path();
                prop_assert!(is_wrong(&ty, &json, path), "{} {}: {json}", path, one.issue.code());
            },
        }
        // Unknown keys change nothing else: no other field is found.
        let all = run_seed(&json, &Findings::of_payload(true), &ty);
        for issue in all.as_ref().err().into_iter().flatten() {
            let unknown = issue.code() == "unknown_field";
            prop_assert_eq!(unknown, issue.path().ends_with("unknown"), "{}", json);
        }
    }
}

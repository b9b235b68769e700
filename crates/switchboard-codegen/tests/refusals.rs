//! What cannot be generated is refused, with the type, the field and the way out.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::time::Duration;

use switchboard_codegen::{GenerateError, Generated, TypeScript, typescript};
use switchboard_core::{Contract, Message, contract::ContractBuilder, envelope::EnvelopeStyle, ws_message, ws_payload};

fn contract<M: Message>() -> Contract {
    let mut builder = ContractBuilder::new();
    builder.receives::<M>(M::TYPE);
    builder.build("/ws", EnvelopeStyle::Standard, Vec::new())
}

fn problems(result: Result<Generated, GenerateError>) -> Vec<String> {
    result.expect_err("it is refused").problems().collect()
}

#[ws_payload]
struct Inner {
    ids: Vec<i64>,
}

#[ws_message("NUMBERS")]
struct Numbers {
    unsigned: u64,
    size: Option<usize>,
    #[validate(range(min = 0))]
    half: i64,
    wide: u128,
    inner: Inner,
    after: Duration,
    #[validate(range(max = 9007199254740992))]
    almost: u64,
    fits: u32,
}

#[test]
fn integers_beyond_those_of_javascript() {
    let found = problems(typescript(&contract::<Numbers>()));
    let fields: Vec<&str> = found.iter().map(|line| line.split('`').nth(1).unwrap()).collect();
    let expected = [
        "Duration.secs",
        "Inner.ids[]",
        "Numbers.almost",
        "Numbers.half",
        "Numbers.size",
        "Numbers.unsigned",
        "Numbers.wide",
    ];
    assert_eq!(fields, expected, "{found:#?}");
    insta::assert_snapshot!(found.join("\n"));
}

#[ws_message("FIXED")]
struct Fixed {
    #[validate(range(max = 9007199254740991))]
    bounded: u64,
    #[validate(range(min = -5, max = 5))]
    both: i64,
    #[ws(safe)]
    size: Option<usize>,
    #[ws(safe)]
    list: Vec<u64>,
    #[ws(string)]
    text: u64,
    #[ws(string)]
    maybe: Option<i128>,
}

#[test]
fn the_ways_out_work() {
    let file = typescript(&contract::<Fixed>()).unwrap().to_string();
    for line in ["bounded: number;", "both: number;", "size?: number | null;", "list: number[];", "text: string;"] {
        assert!(file.contains(line), "{line}\n{file}");
    }
    assert!(file.contains("maybe?: string | null;"), "{file}");
    let json = r#"{"bounded":1,"both":2,"size":null,"list":[1],"text":"18446744073709551615"}"#;
    let value: Fixed = serde_json::from_str(json).unwrap();
    assert_eq!((value.text, value.maybe), (u64::MAX, None));
    let written = serde_json::to_string(&Fixed { maybe: Some(-1), ..value }).unwrap();
    assert!(written.contains(r#""text":"18446744073709551615","maybe":"-1""#), "{written}");
}

#[ws_message("PLAIN")]
struct Plain {
    text: String,
}

#[test]
fn other_envelopes_and_names_that_stand_twice() {
    let mut builder = ContractBuilder::new();
    builder.receives::<Plain>(Plain::TYPE);
    let flat = builder.build("/ws", EnvelopeStyle::Flat, Vec::new());
    assert!(problems(typescript(&flat))[0].contains("standard envelope"));
    let twice = TypeScript::new().route("chat", &contract::<Plain>()).route("chat", &contract::<Plain>());
    assert!(problems(twice.generate())[0].contains("give each its own"));
}

#[test]
fn text_of_a_contract_stays_text_in_the_output() {
    let mut plain = serde_json::to_value(contract::<Plain>()).unwrap();
    // A contract from elsewhere, with names that end strings and comments.
    plain["inbound"]["messages"][0]["type"] = "A\"; alert(1) //".into();
    plain["inbound"]["$defs"]["Plain"]["description"] = "*/ alert(1) /*".into();
    plain["path"] = "/a\"\n".into();
    let contract: Contract = serde_json::from_value(plain).unwrap();
    let file = TypeScript::new().route("chat", &contract).generate().unwrap().to_string();
    assert!(file.contains(r#""A\"; alert(1) //": Plain;"#), "{file}");
    assert!(!file.contains("*/ alert"), "{file}");
}

#[test]
fn strange_contracts_end_nothing() {
    let side = |definition: serde_json::Value| {
        serde_json::json!({
            "messages": [{ "type": "X", "payload": { "$ref": "#/inbound/$defs/A" } }],
            "rpcs": [],
            "$defs": { "A": definition },
        })
    };
    let own = || serde_json::json!({ "$ref": "#/inbound/$defs/A" });
    let definitions = [
        own(),
        serde_json::json!({ "anyOf": [own(), { "type": "string" }] }),
        serde_json::json!({ "allOf": [own(), own()] }),
        serde_json::json!({ "type": "object", "properties": { "a": own(), "b": own() }, "required": ["a", "b"] }),
        serde_json::json!({ "type": "array", "items": own(), "minItems": 2 }),
        serde_json::json!({ "$ref": "#/nowhere" }),
        serde_json::json!({ "type": 5, "properties": [], "required": {}, "enum": 1, "oneOf": {} }),
        serde_json::json!({ "type": "string" }),
        serde_json::json!(5),
    ];
    let contracts: Vec<Contract> = definitions
        .into_iter()
        .map(|definition| {
            let json = serde_json::json!({
                "path": "{", "envelope": "standard", "protocols": [], "errors": [],
                "inbound": side(definition), "outbound": side(serde_json::json!(true)),
            });
            serde_json::from_value(json).unwrap()
        })
        .collect();
    for old in &contracts {
        _ = typescript(old);
        _ = TypeScript::new().route("chat", old).validators("./chat.js");
        _ = switchboard_codegen::asyncapi(old);
        _ = switchboard_codegen::json_schema(old);
        for new in &contracts {
            _ = switchboard_codegen::diff(old, new);
        }
    }
}

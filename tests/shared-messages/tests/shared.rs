//! Messages that are declared with `switchboard-core` alone are encoded and decoded, and nothing of a server comes
//! with them.

use std::process::Command;

use shared_messages::{Add, Closed, Device, JoinRoom, RoomMeta, ServerMessage, SignUp, Sum, TAGS, Text};
use switchboard_core::{
    AnyMessage, MemberOf, Message, Request,
    decode::{Mode, decode, decode_with},
    envelope::{Head, Inbound, extended_meta_from_json},
};

fn written<M: Message>(message: &M) -> String {
    let mut out = Vec::new();
    Head { correlation_id: None, timestamp_ms: 5 }.write(&mut out, message).expect("it serialises");
    String::from_utf8(out).expect("JSON is text")
}

fn read<M: Message>(frame: &str, mode: Mode) -> Result<M, String> {
    let inbound = Inbound::from_json(frame).expect("an envelope");
    assert_eq!(inbound.message_type(), M::TYPE);
    decode_with(inbound.payload(), mode).map_err(|issues| issues.to_string())
}

fn join(room: &str, device: &str) -> JoinRoom {
    JoinRoom {
        room_id: room.into(),
        #[cfg(feature = "since")]
        since_ms: None,
        device: Device { display_name: device.into() },
    }
}

#[test]
fn messages_are_encoded_and_decoded() {
    let frame = written(&join("lobby", "phone"));
    assert!(frame.starts_with(r#"{"type":"JOIN_ROOM","meta":{"timestamp":5},"payload":{"roomId":"lobby","#), "{frame}");
    assert_eq!(read(&frame, Mode::Strict), Ok(join("lobby", "phone")));
    let add = Add { values: vec![1.0, 2.5] };
    assert_eq!(read(&written(&add), Mode::Lenient), Ok(add));
    let text = Text { body: "hi".into() };
    assert_eq!(read(&written(&text), Mode::Strict), Ok(text));
    assert_eq!(read(&written(&Closed), Mode::Strict), Ok(Closed));
    assert_eq!(TAGS, ["JOIN_ROOM", "ADD", "SUM", "CLOSED", "TEXT"]);
}

#[test]
fn rules_are_checked_at_both_ends() {
    assert_eq!(
        join("", "").validate().unwrap_err().to_string(),
        concat!("device.displayName must have a length of at least 1; ", "roomId must have a length of 1 to 50",)
    );
    for mode in [Mode::Strict, Mode::Lenient] {
        let broken = read::<Text>(r#"{"type":"TEXT","payload":{"body":""}}"#, mode);
        assert_eq!(broken, Err("body must not be empty".to_owned()));
    }
}

/// What is wrong with a payload of `SIGN_UP`.
fn sign_up(payload: &str) -> String {
    let frame = format!(r#"{{"type":"SIGN_UP","payload":{payload}}}"#);
    read::<SignUp>(&frame, Mode::Strict).err().unwrap_or_default()
}

#[test]
fn broken_rules_come_with_unknown_keys() {
    // Nothing is missing, so all of them are checked.
    assert_eq!(
        sign_up(r#"{"password":"short","repeated":"other","age":7,"devices":[],"extra":1}"#),
        "extra is not a known field; password must have a length of at least 8; \
         repeated does not match the other field"
    );
    let young = r#"{"password":"12345678","repeated":"12345678","age":7,"devices":[],"extra":1}"#;
    assert_eq!(sign_up(young), "payload is not valid; extra is not a known field");
}

#[test]
fn broken_rules_of_single_values_come_with_missing_fields_and_wrong_types() {
    assert_eq!(
        sign_up(r#"{"password":"short","age":200,"devices":[],"extra":1}"#),
        "\
        age must be at most 150; extra is not a known field; password must have a length of at least 8; \
        repeated is required"
    );
    // The passwords are not compared, and the age is not checked, because one of the values is missing.
    assert_eq!(
        sign_up(r#"{"password":5,"repeated":"x","devices":[{"displayName":""},{}]}"#),
        "age is required; devices[0].displayName must have a length of at least 1; \
         devices[1].displayName is required; password must be a string"
    );
    // How many there are of something is not said where one of them was not read.
    assert_eq!(
        sign_up(r#"{"password":"12345678","repeated":"12345678","age":20,"devices":[1,2,3,4]}"#),
        "devices[0] must be an object; devices[1] must be an object; devices[2] must be an object; \
         devices[3] must be an object"
    );
}

#[test]
fn clients_ignore_what_a_newer_server_adds() {
    for (frame, refused) in [
        (r#"{"type":"SUM","payload":{"result":3.5,"unit":"m"}}"#, "unit is not a known field"),
        (r#"{"type":"SUM","payload":{"unit":{"a":[]},"result":3.5}}"#, "unit is not a known field"),
    ] {
        assert_eq!(read::<Sum>(frame, Mode::Strict), Err(refused.to_owned()));
        assert_eq!(read(frame, Mode::Lenient), Ok(Sum { result: 3.5 }));
    }
    let frame = r#"{"type":"CLOSED","meta":{"roomId":"r"},"payload":{"why":"late"}}"#;
    assert_eq!(read::<Closed>(frame, Mode::Strict), Err("payload this message has no payload".to_owned()));
    assert_eq!(read(frame, Mode::Lenient), Ok(Closed));
    assert_eq!(extended_meta_from_json::<RoomMeta>(frame).unwrap(), RoomMeta { room_id: "r".into() });
    // What is wrong with the keys that it does know is said, and only that.
    let frame = r#"{"type":"SUM","payload":{"result":"3","unit":"m"}}"#;
    assert_eq!(read::<Sum>(frame, Mode::Lenient), Err("result must be a number".to_owned()));
}

#[test]
fn requests_and_sets_have_their_traits() {
    fn response<R: Request<Response = Sum, Progress = shared_messages::Step>>() {}
    fn member<M: MemberOf<ServerMessage> + MemberOf<AnyMessage>>() {}
    response::<Add>();
    member::<Sum>();
    assert!(decode::<Sum>(None).is_err());
}

/// The names of the crates that a package depends on.
fn dependencies(package: &str, features: &str) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = Command::new(cargo)
        .args(["tree", "--offline", "--package", package, "--features", features])
        .args(["--edges", "normal,build", "--target", "all", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).expect("names of crates are UTF-8");
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// The reason for all this: a client, also one in a browser, does not compile a server.
#[test]
fn nothing_of_a_server_is_compiled() {
    let crates = dependencies("shared-messages", "");
    let has = |name: &str| crates.iter().any(|other| other == name);
    assert!(has("switchboard-core") && has("serde_json"), "{crates:?}");
    for server in ["axum", "tokio", "hyper", "tower", "http", "schemars", "rmp-serde", "sha1", "switchboard"] {
        assert!(!has(server), "{server} is among {crates:?}");
    }
}

/// Also with the traits of brokers: the simulator of clusters has no runtime either.
#[test]
fn only_one_feature_of_core_brings_tokio() {
    let has_tokio = |features: &str| {
        let crates = dependencies("switchboard-core", features);
        assert!(crates.iter().any(|name| name == "bytes"), "{crates:?}");
        crates.iter().any(|name| name == "tokio")
    };
    assert!(!has_tokio("broker,conformance,contract,msgpack,schema,validator"));
    assert!(has_tokio("adapter"));
}

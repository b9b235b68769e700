//! The program, as it is run.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::{Command, Output},
    thread,
};

const CONTRACT: &str = r##"{
    "path": "/ws/chat", "envelope": "standard", "protocols": [], "errors": [],
    "inbound": {
        "messages": [{ "type": "JOIN", "payload": { "$ref": "#/inbound/$defs/Join" } }], "rpcs": [],
        "$defs": { "Join": { "type": "object", "properties": { "room": { "type": "string", "minLength": 1 } }, "required": ["room"] } }
    },
    "outbound": { "messages": [], "rpcs": [], "$defs": {} }
}"##;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command.current_dir(folder).env_remove("UPDATE_CLIENTS").args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("contract.json"), CONTRACT).unwrap();
    folder
}

#[test]
fn files_are_generated_and_checked() {
    let folder = folder();
    for (kind, part) in [
        ("typescript", "export const chat: Route<ChatApi>"),
        ("validators", "export const JoinValidator: Validator<types.Join>"),
        ("asyncapi", "\"asyncapi\": \"3.0.0\""),
        ("json-schema", "\"ClientMessage\""),
    ] {
        let out = format!("out/{kind}.txt");
        let arguments = |command| [command, kind, "--from", "contract.json", "--out", out.as_str()];
        let stale = run(folder.path(), &arguments("check"));
        assert_eq!(stale.status.code(), Some(1), "{}", text(&stale));
        assert!(text(&stale).contains("does not exist"), "{}", text(&stale));
        let made = run(folder.path(), &arguments("gen"));
        assert!(made.status.success(), "{}", text(&made));
        let file = fs::read_to_string(folder.path().join(&out)).unwrap();
        assert!(file.contains(part), "{file}");
        assert!(run(folder.path(), &arguments("check")).status.success());
        fs::write(folder.path().join(&out), file.replacen("oin", "ion", 1)).unwrap();
        let stale = run(folder.path(), &arguments("check"));
        assert_eq!(stale.status.code(), Some(1));
        assert!(text(&stale).contains("is not up to date"), "{}", text(&stale));
    }
}

#[test]
fn the_client_is_written_beside_the_file() {
    let folder = folder();
    let arguments =
        |command| [command, "javascript", "--from", "contract.json", "--out", "web/chat.js", "--standalone"];
    assert!(run(folder.path(), &arguments("gen")).status.success());
    let read = |name: &str| fs::read_to_string(folder.path().join("web").join(name)).unwrap();
    assert!(read("chat.js").contains("export const chat = {"), "{}", read("chat.js"));
    let types = read("chat.d.ts");
    assert!(types.contains("from \"./switchboard-client.js\"") && types.contains("export interface Join"), "{types}");
    assert!(run(folder.path(), &arguments("check")).status.success());
    let validators = ["gen", "validators", "--from", "contract.json", "--out", "web/validators.js"];
    assert!(run(folder.path(), &validators).status.success());
    assert!(read("validators.js").contains("export function validateChat(type, payload, direction) {"));
    assert!(read("validators.d.ts").contains("export declare const JoinValidator: Validator<types.Join>;"));
    for name in ["chat.js", "chat.d.ts", "switchboard-client.js", "switchboard-client.d.ts"] {
        let path = folder.path().join("web").join(name);
        let text = read(name);
        fs::write(&path, text.replacen("export", "exports", 1)).unwrap();
        let stale = run(folder.path(), &arguments("check"));
        assert_eq!(stale.status.code(), Some(1), "{name}");
        assert!(self::text(&stale).contains(name), "{}", self::text(&stale));
        fs::write(&path, text).unwrap();
    }
}

#[test]
fn changes_are_listed() {
    let folder = folder();
    let changed = CONTRACT.replace("\"minLength\": 1", "\"minLength\": 2");
    fs::write(folder.path().join("new.json"), changed).unwrap();
    let breaking = run(folder.path(), &["diff", "contract.json", "new.json"]);
    assert_eq!(breaking.status.code(), Some(1));
    assert!(text(&breaking).contains("breaks: client sends JOIN.room: minLength was 1, is 2"), "{}", text(&breaking));
    assert!(run(folder.path(), &["diff", "new.json", "contract.json"]).status.success());
}

#[test]
fn a_contract_comes_from_a_server() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let answer = thread::spawn(move || {
        let (mut socket, _) = server.accept().unwrap();
        let mut request = [0; 1024];
        let _ = socket.read(&mut request).unwrap();
        let length = CONTRACT.len();
        write!(socket, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{CONTRACT}").unwrap();
    });
    let url = format!("http://{address}/contract");
    let output = run(Path::new("."), &["gen", "typescript", "--from", &url, "--out", "-", "--name", "talk"]);
    answer.join().unwrap();
    assert!(text(&output).contains("export const talk: Route<TalkApi>"), "{}", text(&output));
}

#[test]
fn errors_name_the_way_out() {
    let folder = folder();
    fs::write(folder.path().join("other.json"), "{}").unwrap();
    fs::write(folder.path().join("flat.json"), CONTRACT.replace("\"standard\"", "\"flat\"")).unwrap();
    for (from, part) in [
        ("missing.json", "give a file with a contract as JSON, or an http:// address"),
        ("other.json", "router.contract"),
        ("https://example.com/contract", "curl --fail --output contract.json"),
        ("flat.json", "standard envelope"),
    ] {
        let output = run(folder.path(), &["gen", "typescript", "--from", from, "--out", "-"]);
        assert_eq!(output.status.code(), Some(2), "{from}");
        assert!(text(&output).contains(part), "{from}: {}", text(&output));
    }
    let help = run(folder.path(), &["--help"]);
    assert!(help.status.success() && text(&help).contains("switchboard diff OLD NEW"));
}

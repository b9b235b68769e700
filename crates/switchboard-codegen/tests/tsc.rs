//! The compiler of TypeScript takes the generated files, and values of all types in them.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod torture;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use proptest::{
    strategy::{Strategy, ValueTree as _},
    test_runner::TestRunner,
};
use serde::Serialize;
use switchboard_codegen::TypeScript;
use torture::{admin, torture, values};

/// Values of each type that are compiled.
const SAMPLES: usize = 20;

/// The client takes a file that does not know it.
const WITH_CLIENT: &str = "\
import { connect } from \"switchboard-client\";
import { type ChatApi, chat } from \"./alone.js\";
import { validateChat } from \"./validators.js\";
connect<ChatApi>(\"wss://example.com/ws\", chat, { validate: validateChat }).send(\"PING\");
";

/// The folder of the client.
fn client() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("typescript")
}

/// A folder with a project of these files, beside the client's sources.
fn project(name: &str, files: &[(&str, String)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    let config = serde_json::json!({
        "compilerOptions": {
            "target": "ES2022", "module": "NodeNext", "moduleResolution": "NodeNext", "lib": ["ES2022", "DOM"],
            "types": [], "noEmit": true, "strict": true, "exactOptionalPropertyTypes": true,
            "noUncheckedIndexedAccess": true, "noPropertyAccessFromIndexSignature": true, "skipLibCheck": true,
            "isolatedModules": true, "verbatimModuleSyntax": true,
            "paths": { "switchboard-client": [client().join("src/index.ts")] },
        },
        "files": files.iter().map(|(name, _)| name).collect::<Vec<_>>(),
    });
    fs::write(folder.join("tsconfig.json"), config.to_string()).unwrap();
    fs::write(folder.join("package.json"), r#"{ "type": "module" }"#).unwrap();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

fn compile(compiler: &str, project: &Path, options: &[&str]) {
    let program = client().join("node_modules").join(compiler);
    assert!(
        program.exists(),
        "{} is not there: run `npm ci --prefix crates/switchboard-codegen/typescript --ignore-scripts`",
        program.display()
    );
    let output = Command::new("node")
        .arg(&program)
        .arg("-p")
        .arg(project)
        .args(options)
        .current_dir(project)
        .output()
        .expect("node is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{compiler} in {}:\n{text}", project.display());
}

/// The newest and the oldest version that is supported.
fn compile_with_all(project: &Path) {
    compile("typescript/bin/tsc", project, &[]);
    compile("typescript-5/bin/tsc", project, &[]);
}

/// Constants of this type with what serde writes.
fn samples<T: Serialize>(name: &str, strategy: impl Strategy<Value = T>) -> String {
    let mut runner = TestRunner::deterministic();
    let sample = |index| {
        let value = strategy.new_tree(&mut runner).unwrap().current();
        format!("export const {name}{index}: {name} = {};\n", serde_json::to_string(&value).unwrap())
    };
    format!("import type {{ {name} }} from \"./chat.js\";\n") + &(0..SAMPLES).map(sample).collect::<String>()
}

/// Values of what clients send.
fn inputs() -> String {
    [
        samples("ScalarsInput", values::scalars()),
        samples("OptionsInput", values::options()),
        samples("ContainersInput", values::containers()),
        samples("AttributesInput", values::attributes()),
        samples("EnumsInput", values::enums()),
        samples("ForeignInput", values::foreign()),
    ]
    .concat()
}

#[test]
fn types_fit_what_serde_writes() {
    let chat = TypeScript::new().route("chat", &torture()).generate().unwrap().to_string();
    let both = TypeScript::new().route("chat", &torture()).route("admin", &admin()).generate().unwrap().to_string();
    let alone = TypeScript::new().route("chat", &torture()).without_client().generate().unwrap().to_string();
    let values = [
        samples("Scalars", values::scalars()),
        samples("Options", values::options()),
        samples("Containers", values::containers()),
        samples("Attributes", values::attributes()),
        samples("Enums", values::enums()),
        samples("Foreign", values::foreign()),
        samples("Tree", values::tree()),
        inputs(),
    ];
    let usage = include_str!("usage.ts").to_owned();
    let validators = TypeScript::new().route("chat", &torture()).validators("./chat.js").unwrap().to_string();
    let project = project(
        "types",
        &[
            ("chat.ts", chat),
            ("both.ts", both),
            ("values.ts", values.concat()),
            ("usage.ts", usage),
            ("validators.ts", validators),
            ("alone.ts", alone),
            ("with-client.ts", WITH_CLIENT.to_owned()),
        ],
    );
    compile_with_all(&project);
}

/// Checks all of a file's values with their validators, then others that break a rule.
const CHECK: &str = r#"
import * as values from "./values.js";
import * as validators from "./validators.js";
const validate = (name, value) => validators[name + "Validator"]["~standard"].validate(value);
let count = 0;
for (const [name, value] of Object.entries(values)) {
  const result = validate(name.replace(/\d+$/, ""), value);
  if (result.issues) throw new Error(name + JSON.stringify(value) + JSON.stringify(result.issues));
  count += 1;
}
if (count < 100) throw new Error("only " + count);
const refused = (name, value, path, message) => {
  const { issues } = validate(name, value);
  const found = issues && issues.some((issue) => issue.path.join(".") === path && issue.message === message);
  if (!found) throw new Error(name + JSON.stringify(value) + JSON.stringify(issues));
};
const { ScalarsInput0: scalars, ContainersInput0: containers, EnumsInput0: enums } = values;
refused("ScalarsInput", { ...scalars, name: "" }, "name", "must have at least 1 characters");
refused("ScalarsInput", { ...scalars, name: "x".repeat(51) }, "name", "must have at most 50 characters");
refused("ScalarsInput", { ...scalars, byte: 256 }, "byte", "must be at most 255");
refused("ScalarsInput", { ...scalars, word: 1.5 }, "word", "must be of type integer");
refused("ScalarsInput", { ...scalars, on: undefined }, "on", "is required");
refused("ContainersInput", { ...containers, fixed: [1, 2] }, "fixed", "must have at least 3 items");
refused("ContainersInput", { ...containers, list: [{}] }, "list.0.userName", "is required");
refused("ContainersInput", { ...containers, byColor: { green: 1 } }, "byColor.green", "is not known");
refused("EnumsInput", { ...enums, color: "green" }, "color", 'must be one of "red", "lightBlue"');
refused("EnumsInput", { ...enums, shape: { kind: "circle" } }, "shape.outerRadius", "is required");
const { validateChat } = validators;
const reports = (type, payload, direction, expected) => {
  const found = JSON.stringify(validateChat(type, payload, direction));
  if (found !== JSON.stringify(expected)) throw new Error(type + found);
};
const issue = (path, message) => [{ path, code: "schema", message }];
reports("TREE", { label: "", children: [] }, "send", undefined);
reports("TREE", { label: "", children: [{ label: 1, children: [] }] }, "receive", issue("children[0].label", "must be of type string"));
reports("BUY", { profile: {} }, "send", issue("profile.userName", "is required"));
reports("BOUGHT", { profile: { userName: "a" } }, "receive", issue("profile.age", "is required"));
reports("CONFIRM", {}, "receive", issue("question", "is required"));
reports("CONFIRMED", {}, "send", issue("yes", "is required"));
// What the contract does not have is not checked, and fields that the server adds later are no mistake.
for (const type of ["NEW", "constructor"]) reports(type, 1, "receive", undefined);
reports("TREE", { label: "", children: [], added: 1 }, "receive", undefined);
refused("Tree", { label: "", children: [{ label: 1, children: [] }] }, "children.0.label", "must be of type string");
"#;

#[test]
fn validators_take_what_serde_writes() {
    let generator = TypeScript::new().route("chat", &torture());
    let values = [inputs(), samples("Tree", values::tree())];
    let files = [
        ("chat.ts", generator.clone().without_client().generate().unwrap().to_string()),
        ("values.ts", values.concat()),
        ("validators.ts", generator.validators("./chat.js").unwrap().to_string()),
    ];
    let project = project("validators", &files);
    compile("typescript/bin/tsc", &project, &["--noEmit", "false", "--outDir", "."]);
    fs::write(project.join("check.mjs"), CHECK).unwrap();
    let output = Command::new("node").arg(project.join("check.mjs")).output().expect("node is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A page that no program builds: its types are checked by its comments, and it runs as it is.
const PAGE: &str = r#"// @ts-check
import { ServerError, connect } from "./switchboard-client.js";
import { chat } from "./chat.js";
import { TreeValidator, validateChat } from "./validators.js";

/** @param {import("./chat.js").Tree} tree */
function labels({ label, children }) {
  return [label, ...children.map((child) => child.label)];
}

const client = connect("ws://127.0.0.1/ws", chat, { autoConnect: false, validate: validateChat, onError: () => {} });
client.on("TREE", (tree) => void labels(tree));
client.send("TREE", { label: "a", children: [] });
// @ts-expect-error a field is missing
client.send("TREE", { label: "a" });
// @ts-expect-error there is no such message
client.on("TREES", () => {});
if (chat.path !== "/ws/{room}" || chat.requests.BUY !== "BOUGHT" || client.pending.queued !== 1) throw new Error("no route");
if (TreeValidator["~standard"].validate({}).issues?.length !== 2) throw new Error("no validator");
if (!(new ServerError("NOT_FOUND", "text") instanceof Error)) throw new Error("no error");
"#;

#[test]
fn a_page_needs_no_build_and_no_package() {
    let project = project("page", &[("page.js", PAGE.to_owned()), ("typed.ts", TYPED.to_owned())]);
    let generator = TypeScript::new().route("chat", &torture()).standalone();
    generator.generate().unwrap().write(project.join("other.ts")).unwrap();
    let generator = generator.javascript();
    generator.generate().unwrap().write(project.join("chat.js")).unwrap();
    generator.validators("./chat.js").unwrap().write(project.join("validators.js")).unwrap();
    let options = ["--checkJs", "--allowJs", "--paths", "null"];
    compile("typescript/bin/tsc", &project, &options);
    compile("typescript-5/bin/tsc", &project, &options);
    let output = Command::new("node").arg(project.join("page.js")).output().expect("node is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The same client with a file of TypeScript.
const TYPED: &str = "\
import { connect } from \"./switchboard-client.js\";
import { chat } from \"./other.js\";
export const age = connect(\"/ws\", chat).request(\"BUY\", { profile: { userName: \"a\" } }).then(({ profile }) => profile.age);
";

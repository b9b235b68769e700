//! The compiler of TypeScript takes the generated files, and values of all types in them.

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

fn compile(compiler: &str, project: &Path) {
    let program = client().join("node_modules").join(compiler);
    assert!(
        program.exists(),
        "{} is not there: run `npm ci --prefix crates/switchboard-codegen/typescript --ignore-scripts`",
        program.display()
    );
    let output = Command::new("node").arg(&program).arg("-p").arg(project).output().expect("node is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{compiler} in {}:\n{text}", project.display());
}

/// The newest and the oldest version that is supported.
fn compile_with_all(project: &Path) {
    compile("typescript/bin/tsc", project);
    compile("typescript-5/bin/tsc", project);
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

#[test]
fn types_fit_what_serde_writes() {
    let chat = TypeScript::new().route("chat", &torture()).generate().unwrap().to_string();
    let both = TypeScript::new().route("chat", &torture()).route("admin", &admin()).generate().unwrap().to_string();
    let values = [
        samples("Scalars", values::scalars()),
        samples("Options", values::options()),
        samples("Containers", values::containers()),
        samples("Attributes", values::attributes()),
        samples("Enums", values::enums()),
        samples("Foreign", values::foreign()),
        samples("Tree", values::tree()),
        samples("ScalarsInput", values::scalars()),
        samples("OptionsInput", values::options()),
        samples("ContainersInput", values::containers()),
        samples("AttributesInput", values::attributes()),
        samples("EnumsInput", values::enums()),
        samples("ForeignInput", values::foreign()),
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
        ],
    );
    compile_with_all(&project);
}

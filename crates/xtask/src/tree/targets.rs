//! Checks that only targets with tests are built as test programs, because each links the whole
//! server.

use std::{fs, path::Path};

use devkit::CommandLine;
use serde_json::Value;

#[test]
fn targets_without_tests_are_no_test_programs() {
    let metadata = CommandLine::cargo("metadata --no-deps --offline --format-version 1").output().unwrap();
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let mut programs = 0;
    let mut idle = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        // A program and its library share the folder; if there is a library, the tests belong to
        // it.
        let targets = package["targets"].as_array().unwrap();
        let has_library = targets.iter().any(|target| is_of(target, &["lib", "proc-macro"]));
        for target in targets.iter().filter(|target| target["test"] == true) {
            let source = Path::new(target["src_path"].as_str().unwrap());
            let tested = match is_of(target, &["bin"]) {
                true => !has_library && has_tests(source.parent().unwrap()),
                // A target in `tests` has tests by definition.
                false => is_of(target, &["test"]) || has_tests(source.parent().unwrap()),
            };
            programs += 1;
            if !tested {
                idle.push(source.display().to_string());
            }
        }
    }
    assert!(programs >= 20, "{programs} test programs");
    assert!(idle.is_empty(), "set `test = false` in the manifest for {idle:#?}");
}

fn is_of(target: &Value, kinds: &[&str]) -> bool {
    kinds.iter().any(|kind| target["kind"][0] == *kind)
}

fn has_tests(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        (path.is_dir() && has_tests(&path)) || (is_rust && fs::read_to_string(&path).unwrap().contains("#[cfg(test)]"))
    })
}

//! The documents say what the code says.

use std::{fs, path::Path};

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_readme_shows_the_quick_start_and_both_are_short() {
    let (readme, program) = (read("README.md"), read("examples/quick-start/src/main.rs"));
    assert!(readme.contains(&format!("```rust\n{program}```\n")), "README.md does not show the program");
    assert!(readme.lines().count() <= 150);
    assert!(program.lines().count() < 80);
}

#[test]
fn the_readme_and_the_examples_serve_with_a_header_timeout() {
    let mut programs = vec![("README.md".to_owned(), read("README.md"))];
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for example in fs::read_dir(examples).unwrap().map(Result::unwrap) {
        let main = format!("examples/{}/src/main.rs", example.file_name().display());
        programs.push((main.clone(), read(&main)));
    }
    assert!(programs.len() > 10);
    for (path, program) in programs {
        assert!(program.contains("switchboard::serve(listener, ") && !program.contains("axum::serve("), "{path}");
    }
}

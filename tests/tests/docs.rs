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

/// Returns the text of all files in a folder: an example may serve anywhere.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let text = |path| fs::read_to_string(path).expect("a text");
    entries.map(|path| if path.is_dir() { sources(&path) } else { text(path) }).collect()
}

#[test]
fn the_readme_and_the_examples_serve_with_a_header_timeout() {
    let mut programs = vec![("README.md".to_owned(), read("README.md"))];
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for example in fs::read_dir(examples).unwrap().map(Result::unwrap) {
        let folder = example.path().join("src");
        programs.push((folder.display().to_string(), sources(&folder)));
    }
    assert!(programs.len() > 10);
    for (path, program) in programs {
        assert!(program.contains("switchboard::serve(listener, ") && !program.contains("axum::serve("), "{path}");
    }
}

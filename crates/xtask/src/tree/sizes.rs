//! Checks that files and folders stay small enough to read.

use std::fs;

use devkit::workspace;

use super::files::{files, folders, name_of};

/// The most lines of a source file.
const MAX_LINES: usize = 450;

/// The most files in a folder, not counting subfolders.
const MAX_FILES: usize = 14;

/// The extensions of source files.
const SOURCES: [&str; 8] = ["css", "html", "js", "mjs", "py", "rs", "ts", "tsx"];

#[test]
fn files_are_short() {
    let root = workspace::root();
    let mut long = Vec::new();
    let mut seen = 0;
    for folder in folders(&root) {
        for file in files(&folder) {
            if file.extension().is_some_and(|extension| SOURCES.iter().any(|source| extension == *source)) {
                seen += 1;
                let text = fs::read_to_string(&file).unwrap();
                let lines = text.lines().count();
                if lines > MAX_LINES && !is_generated(&text) {
                    long.push(format!("{} has {lines} lines", name_of(&root, &file)));
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} files were found");
    assert!(long.is_empty(), "more than {MAX_LINES} lines; split them by what their parts do: {long:#?}");
}

/// Whether the first line says that a program wrote the file. A test of that program compares it.
fn is_generated(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line.starts_with("// ") && line.ends_with("Do not edit."))
}

#[test]
fn folders_have_few_files() {
    let root = workspace::root();
    let counted = folders(&root).into_iter().map(|folder| (name_of(&root, &folder), files(&folder).len()));
    let full: Vec<_> = counted
        .filter(|(_, count)| *count > MAX_FILES)
        .map(|(name, count)| format!("{name} has {count} files"))
        .collect();
    assert!(full.is_empty(), "more than {MAX_FILES} files; make folders by topic: {full:#?}");
}

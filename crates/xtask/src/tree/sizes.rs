//! Checks that files and folders stay small enough to be looked through.

use std::{fs, path::Path};

use devkit::workspace;

use super::files::{files, folders, name_of};

/// Lines of a source file.
const MAX_LINES: usize = 450;

/// Files in a folder, folders in it not counted.
const MAX_FILES: usize = 14;

/// What has lines to count.
const SOURCES: [&str; 6] = ["css", "html", "js", "mjs", "py", "rs"];

/// Folders that are still to be split.
const TO_BE_SPLIT: [&str; 3] = ["crates/switchboard", "crates/switchboard-core", "crates/switchboard-macros"];

#[test]
fn files_are_short() {
    let root = workspace::root();
    let mut long = Vec::new();
    let mut seen = 0;
    for folder in folders(&root).iter().filter(|folder| is_checked(&name_of(&root, folder))) {
        for file in files(folder) {
            if file.extension().is_some_and(|extension| SOURCES.iter().any(|source| extension == *source)) {
                seen += 1;
                let lines = fs::read_to_string(&file).unwrap().lines().count();
                if lines > MAX_LINES {
                    long.push(format!("{} has {lines} lines", name_of(&root, &file)));
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} files were found");
    assert!(long.is_empty(), "more than {MAX_LINES} lines; split them by what their parts do: {long:#?}");
}

#[test]
fn folders_have_few_files() {
    let root = workspace::root();
    let counted = folders(&root).into_iter().map(|folder| (name_of(&root, &folder), files(&folder).len()));
    let full: Vec<_> = counted
        .filter(|(name, count)| *count > MAX_FILES && is_checked(name))
        .map(|(name, count)| format!("{name} has {count} files"))
        .collect();
    assert!(full.is_empty(), "more than {MAX_FILES} files; make folders by topic: {full:#?}");
}

/// A name in the list that is gone would hide what comes to be called so.
#[test]
fn what_is_to_be_split_is_there() {
    let root = workspace::root();
    TO_BE_SPLIT.iter().for_each(|folder| assert!(root.join(folder).is_dir(), "there is no {folder}"));
}

fn is_checked(name: &str) -> bool {
    !TO_BE_SPLIT.iter().any(|folder| Path::new(name).starts_with(folder))
}

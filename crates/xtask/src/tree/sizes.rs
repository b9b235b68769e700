//! Checks that files and folders stay small enough to be looked through.

use std::{
    fs,
    path::{Path, PathBuf},
};

use devkit::workspace;

/// Lines of a source file.
const MAX_LINES: usize = 450;

/// Files in a folder, folders in it not counted.
const MAX_FILES: usize = 14;

/// What has lines to count.
const SOURCES: [&str; 6] = ["css", "html", "js", "mjs", "py", "rs"];

/// What cargo and npm write.
const GENERATED: [&str; 2] = ["target", "node_modules"];

/// Folders that are still to be split.
const TO_BE_SPLIT: [&str; 3] = ["crates/switchboard", "crates/switchboard-core", "crates/switchboard-macros"];

#[test]
fn files_are_short() {
    let root = workspace::root();
    let mut long = Vec::new();
    let mut seen = 0;
    for folder in folders(&root) {
        for file in files(&folder) {
            if file.extension().is_some_and(|extension| SOURCES.iter().any(|source| extension == *source)) {
                seen += 1;
                let lines = fs::read_to_string(&file).unwrap().lines().count();
                if lines > MAX_LINES {
                    long.push(format!("{} has {lines} lines", file.strip_prefix(&root).unwrap().display()));
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
    let counted = folders(&root).into_iter().map(|folder| (files(&folder).len(), folder));
    let full: Vec<_> = counted
        .filter(|(count, _)| *count > MAX_FILES)
        .map(|(count, folder)| format!("{} has {count} files", folder.strip_prefix(&root).unwrap().display()))
        .collect();
    assert!(full.is_empty(), "more than {MAX_FILES} files; make folders by topic: {full:#?}");
}

/// A name in the list that is gone would hide what comes to be called so.
#[test]
fn what_is_to_be_split_is_there() {
    let root = workspace::root();
    TO_BE_SPLIT.iter().for_each(|folder| assert!(root.join(folder).is_dir(), "there is no {folder}"));
}

/// All folders that are written by hand, the root included.
fn folders(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    let mut at = 0;
    while let Some(folder) = found.get(at).cloned() {
        at += 1;
        let inside = entries(&folder).into_iter().filter(|path| path.is_dir() && is_ours(root, path));
        found.extend(inside);
    }
    found
}

fn is_ours(root: &Path, path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    let relative = path.strip_prefix(root).unwrap();
    let to_be_split = TO_BE_SPLIT.iter().any(|folder| relative == Path::new(folder));
    !(name.starts_with('.') || GENERATED.contains(&&*name) || to_be_split)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_file()).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

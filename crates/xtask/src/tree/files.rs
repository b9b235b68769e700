//! What is in the workspace.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What cargo and npm write.
const GENERATED: [&str; 3] = ["dist", "node_modules", "target"];

/// All folders that are written by hand, the root included, but for hidden ones.
pub(super) fn folders(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    let mut at = 0;
    while let Some(folder) = found.get(at).cloned() {
        at += 1;
        found.extend(entries(&folder).into_iter().filter(|path| path.is_dir() && is_by_hand(path)));
    }
    found
}

fn is_by_hand(folder: &Path) -> bool {
    let name = folder.file_name().unwrap().to_string_lossy();
    !(name.starts_with('.') || GENERATED.contains(&&*name))
}

/// The files right in a folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_file()).collect()
}

pub(super) fn rust_files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    files(folder).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
}

/// Relative to the root, with `/` on every platform.
pub(super) fn name_of(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

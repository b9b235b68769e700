//! The manifests of the workspace, for the checks of lists in this crate.

use std::{fs, path::PathBuf};

use devkit::workspace::root;

/// A manifest, read by lines: tables begin with a heading, and keys with their line.
#[derive(Debug)]
pub(crate) struct Manifest {
    path: PathBuf,
    text: String,
}

impl Manifest {
    pub(crate) fn name(&self) -> &str {
        let line = self.table("package").find(|line| key(line) == Some("name"));
        line.and_then(|line| line.split('"').nth(1)).expect("a package has a name")
    }

    pub(crate) fn is_published(&self) -> bool {
        !self.table("package").any(|line| line.replace(' ', "") == "publish=false")
    }

    /// Returns the features, without `default`.
    pub(crate) fn features(&self) -> Vec<&str> {
        self.table("features").filter_map(key).filter(|name| *name != "default").collect()
    }

    /// Returns the names in `[dependencies]` or `[dev-dependencies]`, including those for some
    /// targets only.
    pub(crate) fn dependencies(&self, table: &str) -> Vec<&str> {
        self.tables().filter(|(heading, _)| is_dependencies(heading, table)).filter_map(|(_, line)| key(line)).collect()
    }

    /// Returns the lines of a table.
    pub(crate) fn table<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.tables().filter(move |(heading, _)| *heading == name).map(|(_, line)| line)
    }

    /// Returns every line with its heading.
    fn tables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.text.lines().scan("", |heading, line| {
            if let Some(name) = line.strip_prefix('[') {
                *heading = name.trim_end_matches(']');
            }
            Some((*heading, line))
        })
    }
}

fn is_dependencies(heading: &str, table: &str) -> bool {
    heading == table || (heading.starts_with("target.") && heading.ends_with(&format!(".{table}")))
}

/// Returns the key of a line: `a = 1`, `a.workspace = true`.
fn key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim_end().split('.').next()?;
    let named = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!key.is_empty() && key.chars().all(named)).then_some(key)
}

/// Reads the manifests of all members.
pub(crate) fn members() -> Vec<Manifest> {
    let root = root();
    let folders = ["crates", "examples", "tests"].into_iter().flat_map(|folder| {
        fs::read_dir(root.join(folder)).expect("the folder exists").map(|entry| entry.expect("it is readable").path())
    });
    let mut paths: Vec<PathBuf> = folders.chain([root.join("tests")]).map(|path| path.join("Cargo.toml")).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    let read = |path: PathBuf| Manifest { text: fs::read_to_string(&path).expect("it is readable"), path };
    let manifests: Vec<_> = paths.into_iter().map(read).collect();
    assert!(manifests.iter().all(|manifest| !manifest.name().is_empty()), "{manifests:?}");
    manifests
}

#[test]
fn a_manifest_is_read() {
    let text = "[package]\nname = \"a\"\npublish = false\n\n[features]\ndefault = [\"b\"]\n# c = []\nb = [\n  \"d\",\n]\n\n\
        [dependencies]\nbytes.workspace = true\n\n[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n\n\
        [dev-dependencies]\ninsta = { workspace = true }\n";
    let manifest = Manifest { path: PathBuf::new(), text: text.to_owned() };
    assert_eq!(manifest.name(), "a");
    assert!(!manifest.is_published());
    assert_eq!(manifest.features(), ["b"]);
    assert_eq!(manifest.dependencies("dependencies"), ["bytes", "libc"]);
    assert_eq!(manifest.dependencies("dev-dependencies"), ["insta"]);
    assert!(manifest.path.as_os_str().is_empty());
}

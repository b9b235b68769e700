//! Checks that the modules which `docs/architecture.md` names exist.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use devkit::workspace;

use super::{
    files::{folders, name_of, rust_files},
    manifest::{Manifest, members},
};

/// The paragraphs about one crate each begin with its name in bold.
const PARAGRAPH: &str = "**`switchboard";

/// From this heading on, the section is about the crate `switchboard`.
const FLOORS: &str = "### Floors of `crates/switchboard`";

/// A crate of another project that an example in the text names.
const FOREIGN: [&str; 1] = ["axum"];

#[test]
fn the_modules_that_the_document_names_exist() {
    let document = fs::read_to_string(workspace::root().join("docs/architecture.md")).unwrap();
    let section = document.split("\n## ").find(|section| section.starts_with("Crates and modules\n")).unwrap();
    let manifests = members();
    let mut unknown = Vec::new();
    let mut seen = 0;
    let mut krate: Option<Krate> = None;
    for line in section.lines() {
        if line.starts_with(PARAGRAPH) {
            krate = line.split('`').nth(1).map(|name| Krate::find(&manifests, name));
        } else if line == FLOORS {
            krate = Some(Krate::find(&manifests, "switchboard"));
        }
        let Some(krate) = &krate else { continue };
        for path in paths(line).filter(|path| !krate.mentions(path)) {
            seen += 1;
            if !krate.has_module(path) {
                unknown.push(format!("`{path}` in the text about {}", krate.name));
            }
        }
    }
    assert!(seen > 150, "only {seen} names were found");
    assert!(unknown.is_empty(), "docs/architecture.md names modules that do not exist: {unknown:#?}");
}

/// The texts in backticks that could be the path of a module.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let is_path = |text: &&str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == ':')
    };
    line.split('`').skip(1).step_by(2).filter(is_path)
}

/// A crate with its modules, and the other names that a text about it may contain.
struct Krate {
    name: String,
    modules: BTreeSet<String>,
    others: BTreeSet<String>,
}

impl Krate {
    fn find(manifests: &[Manifest], name: &str) -> Self {
        let manifest = manifests.iter().find(|manifest| manifest.name() == name).unwrap();
        let packages = manifests.iter().map(Manifest::name);
        let others = packages.chain(manifest.features()).chain(manifest.dependencies("dependencies")).chain(FOREIGN);
        let source = workspace::root().join("crates").join(name).join("src");
        Self { name: name.to_owned(), modules: modules(&source), others: others.map(str::to_owned).collect() }
    }

    /// Whether the path begins with a package, a dependency or a feature, and names no module.
    fn mentions(&self, path: &str) -> bool {
        path.split("::").next().is_some_and(|first| self.others.contains(first)) && !self.has_module(path)
    }

    /// Whether a module has this path, or one that ends with it.
    fn has_module(&self, path: &str) -> bool {
        let end = format!("::{path}");
        self.modules.iter().any(|module| module == path || module.ends_with(&end))
    }
}

/// The paths of all modules that are files.
fn modules(source: &Path) -> BTreeSet<String> {
    let files = folders(source).into_iter().flat_map(|folder| rust_files(&folder).collect::<Vec<_>>());
    let path = |file: PathBuf| {
        let name = name_of(source, &file);
        let name = name.strip_suffix(".rs").unwrap();
        name.strip_suffix("/mod").unwrap_or(name).replace('/', "::")
    };
    files.map(path).collect()
}

#[test]
fn paths_are_distinguished_from_other_code() {
    let line = "`Hub` has `hub::topics`, `wheel` and `axum-ws`; `fuzz/` is no module, nor is `poll()`, but `utf8` is.";
    assert_eq!(paths(line).collect::<Vec<_>>(), ["hub::topics", "wheel", "utf8"]);
}

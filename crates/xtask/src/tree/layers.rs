//! Checks that the rooms of `crates/switchboard` import only from those below them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use devkit::workspace;
use proc_macro2::{TokenStream, TokenTree};
use syn::{Item, UseTree, visit::Visit};

/// From the bottom up. Rooms of one floor may import each other.
const FLOORS: &[&[&str]] = &[
    &["clock", "config", "guard", "log_limit", "metrics", "shrink", "sync"],
    &["wire"],
    &["outbox"],
    &["fanout"],
    &["transport"],
    &["conn", "hub"],
    &["extract", "request", "handler"],
    &["middleware", "dispatch"],
    &["engine"],
    &["upgrade"],
    &["router"],
    &["serve", "test", "guide"],
];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

/// One import of a name from another room.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Tie {
    file: String,
    room: String,
    name: String,
}

#[test]
fn rooms_import_from_below_only() {
    let source = workspace::root().join("crates/switchboard/src");
    let exports = exports(&fs::read_to_string(source.join("lib.rs")).unwrap());
    let mut upwards = BTreeSet::new();
    for (path, module) in files(&source) {
        let own = module[0].clone();
        let Some(at) = floor(&own) else { panic!("{own} has no floor: add it to FLOORS") };
        let file = syn::parse_file(&fs::read_to_string(source.join(&path)).unwrap()).unwrap();
        for (room, name) in imports(&file, &module, &exports) {
            let to = floor(&room).unwrap_or_else(|| panic!("{path} imports from {room}, which has no floor"));
            if to > at {
                upwards.insert(Tie { file: path.clone(), room, name });
            }
        }
    }
    let list: String = upwards.iter().map(|Tie { file, room, name }| format!("  {file} → {room}::{name}\n")).collect();
    assert!(upwards.is_empty(), "{} imports from above:\n{list}", upwards.len());
}

#[test]
fn the_picture_shows_the_floors() {
    let document = fs::read_to_string(workspace::root().join("docs/architecture.md")).unwrap();
    for (index, rooms) in FLOORS.iter().enumerate() {
        let line = document.lines().find_map(|line| line.trim_start().strip_prefix(&format!("{}  ", index + 1)));
        let line = line.unwrap_or_else(|| panic!("docs/architecture.md has no line for floor {}", index + 1));
        assert!(line.starts_with(&rooms.join("  ")), "floor {} is {rooms:?}, not {line}", index + 1);
    }
}

/// A file that no module declares is never compiled, and its tests never run.
#[test]
fn each_file_is_a_module() {
    let root = workspace::root();
    for name in ["switchboard", "switchboard-cluster", "switchboard-core", "switchboard-frame"] {
        let source = format!("crates/{name}/src");
        let source = root.join(source);
        for path in rust_files(&source) {
            let module = module(&path);
            let Some((name, parent)) = module.split_last() else { continue };
            let parent =
                if parent.is_empty() { source.join("lib.rs") } else { source.join(parent.join("/")).join("mod.rs") };
            let parent_text = fs::read_to_string(&parent).unwrap();
            assert!(parent_text.contains(&format!("mod {name};")), "{} does not declare `{name}`", parent.display());
        }
    }
}

/// Returns the files except `lib.rs` and tests, each with its module path.
fn files(source: &Path) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for path in rust_files(source) {
        let module = module(&path);
        if !module.is_empty() && !module.iter().any(|part| part.ends_with("tests") || part == "testing") {
            found.push((path.clone(), module));
        }
    }
    found
}

/// Returns the module path of a file; empty for `lib.rs`.
fn module(path: &str) -> Vec<String> {
    let stem = path.strip_suffix(".rs").unwrap();
    let stem = if stem == "lib" || stem == "mod" { "" } else { stem.strip_suffix("/mod").unwrap_or(stem) };
    stem.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Returns the Rust files, relative to the folder.
fn rust_files(source: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(source).unwrap().to_str().unwrap().replace('\\', "/");
            if path.is_dir() {
                folders.push(path);
            } else if relative.ends_with(".rs") {
                found.push(relative);
            }
        }
    }
    found.sort();
    found
}

/// Returns the room of each name at the root of the crate.
fn exports(lib: &str) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for item in syn::parse_file(lib).unwrap().items {
        if let Item::Use(item) = item {
            let mut paths = Vec::new();
            flatten(&item.tree, &mut Vec::new(), &mut paths);
            for path in paths {
                if let [own, room, .., name] = &path[..]
                    && own == "self"
                {
                    exports.insert(name.clone(), room.clone());
                }
            }
        }
    }
    exports
}

/// Collects all paths of a `use`.
fn flatten(tree: &UseTree, prefix: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            flatten(&path.tree, prefix, paths);
            prefix.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, prefix, paths)),
        UseTree::Name(name) => paths.push([&prefix[..], &[name.ident.to_string()]].concat()),
        UseTree::Rename(name) => paths.push([&prefix[..], &[name.ident.to_string()]].concat()),
        UseTree::Glob(_) => paths.push([&prefix[..], &["*".to_owned()]].concat()),
    }
}

/// Returns the names of other rooms that a file uses.
fn imports(file: &syn::File, module: &[String], exports: &BTreeMap<String, String>) -> BTreeSet<(String, String)> {
    let mut mentions = Mentions { module: module.to_vec(), paths: Vec::new() };
    mentions.visit_file(file);
    let own = &module[0];
    let of_crate = mentions.paths.into_iter().filter_map(|path| {
        let first = path.first()?;
        let room = exports.get(first).cloned().unwrap_or_else(|| first.clone());
        (room != *own).then(|| (room, path.last().cloned().unwrap_or_default()))
    });
    of_crate.filter(|(room, _)| !room.starts_with("__")).collect()
}

/// Collects paths from the root of the crate.
struct Mentions {
    module: Vec<String>,
    paths: Vec<Vec<String>>,
}

impl Mentions {
    fn add(&mut self, path: &[String]) {
        let mut base = self.module.clone();
        let mut rest = path;
        match rest.first().map(String::as_str) {
            Some("crate") => {
                base.clear();
                rest = &rest[1..];
            }
            Some("self") => rest = &rest[1..],
            Some("super") => {}
            _ => return,
        }
        while rest.first().is_some_and(|segment| segment == "super") {
            base.pop();
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        self.paths.push(base);
    }

    /// Collects the paths in the tokens of a macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.add(&path);
                        path.clear();
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.tokens(group.stream());
                    colons = 0;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => colons = 0,
            }
        }
        self.add(&path);
    }
}

impl<'ast> Visit<'ast> for Mentions {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let is_test = item.attrs.iter().any(|attr| {
            attr.path().is_ident("cfg") && attr.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
        });
        if !is_test {
            self.module.push(item.ident.to_string());
            syn::visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut paths);
        paths.iter().for_each(|path| self.add(path));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>());
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.tokens(item.tokens.clone());
    }
}

#[test]
fn imports_are_found_however_they_are_written() {
    let exports = exports("pub use self::{hub::{Hub, typed::Topic}, router::WsRouter};");
    let source = r#"
        use super::{Sibling, inner};
        use crate::{Hub, conn::{self, ConnInner}};
        mod inner { use super::super::super::engine::Driver; }
        #[cfg(test)]
        mod tests { use crate::test::TestApp; }
        fn f() -> crate::Topic<u8> { format!("{}", crate::router::NAME); super::super::serve::run() }
    "#;
    let found = imports(&syn::parse_file(source).unwrap(), &["outbox".into(), "state".into()], &exports);
    let found: Vec<String> = found.into_iter().map(|(room, name)| format!("{room}::{name}")).collect();
    let expected =
        ["conn::ConnInner", "conn::self", "engine::Driver", "hub::Hub", "hub::Topic", "router::NAME", "serve::run"];
    assert_eq!(found, expected);
}

//! `cargo xtask public-api`: checks which foreign types are in the public signatures of the
//! published crates.
//!
//! A type of another crate in a signature ties our versions to its versions. So each such crate or
//! type is listed here. Items that rustdoc omits (private ones, `#[doc(hidden)]`) are not part of
//! the API.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context as _, Result, bail};
use devkit::{CommandLine, workspace};
use serde_json::Value;

/// The published crates, each with the foreign crates, or paths of types, that it may show.
const SHOWN: [(&str, &[&str]); 8] = [
    ("switchboard-frame", &["bytes", "http"]),
    (
        "switchboard-core",
        // axum's with the feature `axum`, for `WsError` as a response. `bytes` with the feature
        // `broker`. `validator` is re-exported for rules that applications write.
        &["axum_core::response", "bytes", "schemars::JsonSchema", "serde_core", "validator"],
    ),
    ("switchboard-cluster", &["bytes"]),
    ("switchboard-macros", &["proc_macro"]),
    ("switchboard-codegen", &[]),
    ("switchboard-redis", &["bytes"]),
    ("switchboard-nats", &["bytes"]),
    (
        "switchboard",
        &[
            "axum",
            "axum_core",
            "bytes",
            "http",
            // Bounds of generated code.
            "pin_project_lite",
            "serde_core",
            // The listeners of `serve`, and a clock that tests can pause.
            "tokio::net::tcp::listener::TcpListener",
            "tokio::time::instant::Instant",
            "tower_layer",
            "tower_service",
            // The crate itself, for rules that applications write.
            "validator",
        ],
    ),
];

/// The standard library, and the crates of this workspace.
const ALWAYS: [&str; 11] = [
    "alloc",
    "core",
    "std",
    "switchboard",
    "switchboard_cluster",
    "switchboard_codegen",
    "switchboard_core",
    "switchboard_frame",
    "switchboard_macros",
    "switchboard_nats",
    "switchboard_redis",
];

pub(crate) fn run() -> Result<()> {
    let target = workspace::target()?.join("public-api");
    let docs = CommandLine::cargo("doc --offline --no-deps --lib --all-features")
        .args(SHOWN.iter().flat_map(|(name, _)| ["--package", name]))
        .arg("--target-dir")
        .arg(target.to_string_lossy())
        // The format is unstable, so rustdoc is made to treat this compiler as a nightly one. In a
        // target directory of its own, because build scripts read this variable, too.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTDOCFLAGS", "-Z unstable-options --output-format json");
    println!("    $ {docs}");
    docs.run()?;
    let mut strange = Vec::new();
    for (name, shown) in SHOWN {
        let path = target.join("doc").join(format!("{}.json", name.replace('-', "_")));
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let api = foreign(&serde_json::from_str(&text).context("rustdoc wrote no JSON")?)?;
        println!("    {name}: types of {}", crates(&api).join(", "));
        strange.extend(api.into_iter().filter(|(path, _)| !is_shown(path, shown)).map(|(path, items)| {
            let items = items.into_iter().collect::<Vec<_>>().join(", ");
            format!("{name} shows {path} in {items}")
        }));
    }
    if !strange.is_empty() {
        bail!("types of other crates in public signatures:\n    {}", strange.join("\n    "));
    }
    Ok(())
}

/// Paths of types and traits of other crates, each with the items that use it.
type Foreign = BTreeMap<String, BTreeSet<String>>;

fn foreign(docs: &Value) -> Result<Foreign> {
    let index = docs["index"].as_object().context("rustdoc's JSON has no index")?;
    let mut mentions = Foreign::new();
    for item in index.values().filter(|item| item["crate_id"] == 0 && !is_of_the_compiler(item)) {
        let kind = item["inner"].as_object().and_then(|inner| inner.keys().next());
        let name = item["name"].as_str().or(kind.map(String::as_str)).unwrap_or_default();
        let mut found = BTreeSet::new();
        collect(&item["inner"], docs, &mut found);
        found.into_iter().for_each(|path| _ = mentions.entry(path).or_default().insert(name.to_owned()));
    }
    Ok(mentions)
}

/// Blanket implementations for traits of other crates, and auto traits. No source file here
/// contains them.
fn is_of_the_compiler(item: &Value) -> bool {
    let implementation = &item["inner"]["impl"];
    !implementation["blanket_impl"].is_null() || implementation["is_synthetic"] == true
}

/// A path in a signature is an object with an id; a table has its target.
fn collect(value: &Value, docs: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(id) = object.get("id").filter(|_| object.contains_key("path") || object.contains_key("source"))
            {
                let target = &docs["paths"][id.to_string()];
                if target["crate_id"].as_u64().is_some_and(|from| from != 0) {
                    let segments = target["path"].as_array().into_iter().flatten().filter_map(Value::as_str);
                    found.insert(segments.collect::<Vec<_>>().join("::"));
                }
            }
            object.values().for_each(|value| collect(value, docs, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, docs, found)),
        _ => {}
    }
}

fn is_shown(path: &str, shown: &[&str]) -> bool {
    let is_below =
        |allowed: &&str| path == *allowed || path.strip_prefix(*allowed).is_some_and(|rest| rest.starts_with("::"));
    ALWAYS.iter().chain(shown).any(is_below)
}

fn crates(api: &Foreign) -> Vec<&str> {
    let names: BTreeSet<&str> = api.keys().filter_map(|path| path.split("::").next()).collect();
    names.into_iter().filter(|name| !ALWAYS.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test::features::PUBLISHED;

    fn docs() -> Value {
        let path = |id: u32| json!({ "resolved_path": { "path": "X", "id": id, "args": null } });
        json!({
            "paths": {
                "1": { "crate_id": 0, "path": ["own", "Own"] },
                "2": { "crate_id": 7, "path": ["bytes", "bytes", "Bytes"] },
                "3": { "crate_id": 8, "path": ["tungstenite", "Error"] },
                "4": { "crate_id": 9, "path": ["serde_json", "Value"] },
            },
            "index": {
                "10": { "crate_id": 0, "name": "send", "inner": { "function": { "sig": { "inputs": [["a", path(1)], ["b", path(2)]] } } } },
                "11": { "crate_id": 0, "name": null, "inner": { "impl": { "trait": { "path": "From", "args": path(3), "id": 1 } } } },
                "12": { "crate_id": 0, "name": null, "inner": { "impl": { "blanket_impl": path(3), "for": path(4) } } },
                "13": { "crate_id": 7, "name": "theirs", "inner": { "function": path(4) } },
                "14": { "crate_id": 0, "name": "again", "inner": { "use": { "source": "serde_json::Value", "id": 4 } } },
            },
        })
    }

    #[test]
    fn foreign_types_are_found_with_the_items_that_use_them() {
        let api = foreign(&docs()).unwrap();
        let found: Vec<_> =
            api.iter().map(|(path, items)| (path.as_str(), items.iter().next().unwrap().as_str())).collect();
        assert_eq!(
            found,
            [("bytes::bytes::Bytes", "send"), ("serde_json::Value", "again"), ("tungstenite::Error", "impl")]
        );
        assert_eq!(crates(&api), ["bytes", "serde_json", "tungstenite"]);
    }

    #[test]
    fn all_published_crates_are_checked() {
        let mut checked: Vec<_> = SHOWN.iter().map(|(name, _)| *name).collect();
        // A program has no API.
        let mut published: Vec<_> =
            PUBLISHED.iter().map(|krate| krate.name).filter(|name| *name != "switchboard-cli").collect();
        checked.sort_unstable();
        published.sort_unstable();
        assert_eq!(checked, published);
    }

    #[test]
    fn a_crate_or_a_type_may_be_shown() {
        let shown = ["bytes", "tokio::time::Instant"];
        for path in ["bytes::Bytes", "core::fmt::Debug", "switchboard_core::WsError", "tokio::time::Instant"] {
            assert!(is_shown(path, &shown), "{path}");
        }
        for path in ["bytes_utils::Str", "tokio::time::Interval", "serde_json::Value"] {
            assert!(!is_shown(path, &shown), "{path}");
        }
    }
}

//! Checks that the published crates compile with each of their features alone.

use devkit::CommandLine;

/// A published crate, in the order of publishing, with its features.
pub(crate) struct Crate {
    pub(crate) name: &'static str,
    /// Each alone, but for those that only enable a feature of another crate: together, separated by commas, because
    /// that crate is checked with each.
    features: &'static [&'static str],
}

/// A test compares this list to the manifests.
pub(crate) const PUBLISHED: [Crate; 9] = [
    Crate { name: "switchboard-macros", features: &["contract", "schema", "validator"] },
    Crate {
        name: "switchboard-core",
        features: &[
            "adapter",
            "axum",
            "broker",
            "bytes",
            "chrono",
            "conformance",
            "contract",
            "macros",
            "msgpack",
            "rust_decimal",
            "schema",
            "time",
            "url",
            "uuid",
            "validator",
        ],
    },
    Crate { name: "switchboard-cluster", features: &["simulate"] },
    Crate { name: "switchboard-frame", features: &[] },
    Crate {
        name: "switchboard",
        features: &[
            "axum-ws",
            "bytes,chrono,rust_decimal,time,url,uuid",
            "cluster",
            "http2",
            "metrics",
            "schema",
            "test",
        ],
    },
    Crate { name: "switchboard-codegen", features: &[] },
    Crate { name: "switchboard-cli", features: &[] },
    Crate { name: "switchboard-redis", features: &["tls"] },
    Crate { name: "switchboard-nats", features: &["nkeys", "tls"] },
];

/// Returns one check without features and one for each entry of its features, crate by crate.
///
/// Clippy instead of `cargo check`: it makes warnings errors without rebuilding all dependencies.
/// Not all crates at once, because then cargo would enable for each the features that another
/// requests.
pub(crate) fn checks() -> Vec<CommandLine> {
    let mut checks: Vec<_> = PUBLISHED.iter().flat_map(Crate::checks).collect();
    // Messages without a server: the code that the macros generate, with the features that such a
    // crate enables.
    checks.push(CommandLine::cargo("clippy --package shared-messages --all-targets").args(["--", "-D", "warnings"]));
    checks
}

impl Crate {
    fn checks(&self) -> Vec<CommandLine> {
        let features = [""].iter().chain(self.features);
        let check = |feature: &&str| {
            let command = CommandLine::cargo("clippy --package").arg(self.name).arg("--no-default-features");
            let command = if feature.is_empty() { command } else { command.args(["--features", feature]) };
            command.args(["--", "-D", "warnings"])
        };
        features.map(check).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::manifest::members;

    #[test]
    fn the_list_agrees_with_the_manifests() {
        let members = members();
        let mut said: Vec<_> = members.iter().filter(|m| m.is_published()).map(|m| (m.name(), m.features())).collect();
        let listed = |krate: &Crate| krate.features.iter().flat_map(|features| features.split(',')).collect();
        let mut listed: Vec<(_, Vec<_>)> = PUBLISHED.iter().map(|krate| (krate.name, listed(krate))).collect();
        for (_, features) in said.iter_mut().chain(&mut listed) {
            features.sort_unstable();
        }
        said.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, said, "PUBLISHED in crates/xtask/src/test/features.rs differs from the manifests");
    }

    #[test]
    fn features_that_are_checked_together_enable_another_crates() {
        let members = members();
        for krate in &PUBLISHED {
            let manifest = members.iter().find(|manifest| manifest.name() == krate.name).unwrap();
            for feature in krate.features.iter().filter(|features| features.contains(',')).flat_map(|f| f.split(',')) {
                let line = format!("{feature} = [\"switchboard-core/{feature}\"]");
                assert!(manifest.table("features").any(|found| found == line), "{}: no {line}", krate.name);
            }
        }
    }

    #[test]
    fn each_feature_is_checked_alone() {
        let checks = Crate { name: "a", features: &["b", "c,d"] }.checks();
        let checks: Vec<_> = checks.iter().map(CommandLine::to_string).collect();
        assert_eq!(
            checks,
            [
                "cargo clippy --package a --no-default-features -- -D warnings",
                "cargo clippy --package a --no-default-features --features b -- -D warnings",
                "cargo clippy --package a --no-default-features --features c,d -- -D warnings",
            ]
        );
    }
}

//! Checks that the published crates compile with each of their features alone.

use devkit::CommandLine;

/// A published crate, in the order of publishing, with its features.
pub(crate) struct Crate {
    pub(crate) name: &'static str,
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
            "bytes",
            "chrono",
            "cluster",
            "http2",
            "metrics",
            "rust_decimal",
            "schema",
            "test",
            "time",
            "url",
            "uuid",
        ],
    },
    Crate { name: "switchboard-codegen", features: &[] },
    Crate { name: "switchboard-cli", features: &[] },
    Crate { name: "switchboard-redis", features: &["tls"] },
    Crate { name: "switchboard-nats", features: &["nkeys", "tls"] },
];

/// Returns one check without features and one with each feature alone, crate by crate.
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
        let mut listed: Vec<_> = PUBLISHED.iter().map(|krate| (krate.name, krate.features.to_vec())).collect();
        for (_, features) in said.iter_mut().chain(&mut listed) {
            features.sort_unstable();
        }
        said.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, said, "PUBLISHED in crates/xtask/src/test/features.rs differs from the manifests");
    }

    #[test]
    fn each_feature_is_checked_alone() {
        let checks = Crate { name: "a", features: &["b"] }.checks();
        let checks: Vec<_> = checks.iter().map(CommandLine::to_string).collect();
        assert_eq!(
            checks,
            [
                "cargo clippy --package a --no-default-features -- -D warnings",
                "cargo clippy --package a --no-default-features --features b -- -D warnings",
            ]
        );
    }
}

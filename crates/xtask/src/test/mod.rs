//! `cargo xtask test`: everything that must pass, in order, up to the first failure.

mod dependencies;
pub(crate) mod features;
mod readme;

use anyhow::Result;
use devkit::{CommandLine, workspace};

use crate::{autobahn, cluster_test, loom, msrv, package, public_api, setup, simulate, step::Steps};

/// How much to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All steps.
    Full,
    /// The steps that an edit usually breaks.
    Quick,
}

/// The tests of `--quick`: all but the programs that start a compiler, a browser or other clients.
const FAST: &str = "not binary(/^(ui|chat_browser|rpc_browser|multi_node|faults|interop)$/)";

/// The test programs whose servers read `SWITCHBOARD_TRANSPORT`. Those of the examples run the
/// examples' own apps, which choose their transport; those of `native` test only that transport.
const ON_BOTH_TRANSPORTS: [&str; 8] =
    ["checklist", "hub", "lifecycle", "middleware", "protocol", "router", "streams", "topics"];

pub(crate) fn run(extent: Extent) -> Result<()> {
    let mut steps = Steps::new();
    let result = match extent {
        Extent::Full => full(&mut steps),
        Extent::Quick => quick(&mut steps),
    };
    println!("\n{steps}");
    if result.is_ok() {
        println!("\nall steps passed");
    }
    result
}

fn full(steps: &mut Steps) -> Result<()> {
    steps.call("setup", "cargo xtask setup", setup::run)?;
    steps.commands("format", &[format()])?;
    steps.commands("spelling", &[spelling()?])?;
    steps.commands("dependencies", &dependencies::checks())?;
    steps.call("oldest compiler", "cargo xtask msrv", msrv::run)?;
    steps.commands("lints", &[lints(Extent::Full)])?;
    steps.commands("tests", &[tests(Extent::Full, setup::has_nextest())])?;
    steps.commands("tests on axum's transport", &[tests_on_axum(setup::has_nextest())])?;
    steps.commands("TypeScript client", &typescript()?)?;
    steps.commands("page of the example typed-client", &[page()])?;
    steps.commands("serde_json's features", &[tests_with_serde_json_features(setup::has_nextest())])?;
    steps.call("loom", "cargo xtask loom", loom::run)?;
    steps.call("simulator", "cargo xtask simulate --seeds 2000", simulate::in_all_tests)?;
    // Most of the time, it waits; and it needs nothing that the steps beside it build.
    let nodes =
        steps.start("nodes on brokers", "cargo xtask cluster-test --short", || cluster_test::built(&["--short"]))?;
    let result = beside_the_nodes(steps);
    // Both are told, if both fail.
    steps.wait(nodes).and(result)
}

fn beside_the_nodes(steps: &mut Steps) -> Result<()> {
    steps.call("autobahn", "cargo xtask autobahn", autobahn::run)?;
    steps.commands("doc tests", &[CommandLine::cargo("test --workspace --all-features --doc")])?;
    steps.commands("docs", &[docs()])?;
    steps.call("public API", "cargo xtask public-api", public_api::run)?;
    steps.commands("readme", &[readme::check()?])?;
    steps.commands("features", &features::checks())?;
    steps.call("packages", "cargo xtask package", package::run)
}

fn quick(steps: &mut Steps) -> Result<()> {
    let nextest = setup::has_nextest();
    if !nextest {
        println!("!!!! cargo-nextest IS NOT INSTALLED: only the tests inside the crates run. Run `cargo xtask setup`.");
    }
    steps.commands("format", &[format()])?;
    steps.commands("lints", &[lints(Extent::Quick)])?;
    steps.commands("tests", &[tests(Extent::Quick, nextest)])
}

fn format() -> CommandLine {
    CommandLine::cargo("fmt --all --check")
}

/// `typos.toml` lists the exceptions.
fn spelling() -> Result<CommandLine> {
    Ok(CommandLine::new(&workspace::target()?.join("python/bin/typos").to_string_lossy()))
}

fn lints(extent: Extent) -> CommandLine {
    let targets = match extent {
        Extent::Full => "--all-targets",
        Extent::Quick => "--lib",
    };
    CommandLine::cargo("clippy --workspace --all-features").arg(targets).args(["--", "-D", "warnings"])
}

/// How many tests run at once. Many wait for a deadline, a broker or a browser, so a quarter of the processors would
/// be idle with one test for each.
fn test_threads() -> String {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    (2 * processors).to_string()
}

/// Runs all tests but doc tests, which nextest does not run.
fn tests(extent: Extent, nextest: bool) -> CommandLine {
    if nextest {
        let command = CommandLine::cargo("nextest run --workspace --all-features --no-fail-fast")
            .env("NEXTEST_TEST_THREADS", test_threads());
        return match extent {
            Extent::Full => command,
            Extent::Quick => command.args(["--filterset", FAST]),
        };
    }
    let targets = match extent {
        Extent::Full => "--all-targets",
        // `cargo test` can select test programs, but not exclude them.
        Extent::Quick => "--lib --bins",
    };
    CommandLine::cargo("test --workspace --all-features --no-fail-fast").args(targets.split(' '))
}

/// Runs the tests over sockets once more, on the other transport.
///
/// With `--workspace`, as the tests before: with `--package`, cargo chooses other features for the
/// dependencies and builds everything a second time.
fn tests_on_axum(nextest: bool) -> CommandLine {
    let names = ON_BOTH_TRANSPORTS.iter().flat_map(|name| ["--test", name]);
    let command = if nextest { "nextest run" } else { "test" };
    CommandLine::cargo(command)
        .args(["--workspace", "--all-features", "--no-fail-fast"])
        .args(names)
        .env("NEXTEST_TEST_THREADS", test_threads())
        .env("SWITCHBOARD_TRANSPORT", "axum")
}

/// Runs the tests of the code that reads and writes JSON, those of the macros and one over sockets, with
/// features of serde_json that an application may enable and that change how it passes numbers, keys
/// and raw text.
fn tests_with_serde_json_features(nextest: bool) -> CommandLine {
    let features = ["arbitrary_precision", "preserve_order", "float_roundtrip", "raw_value"];
    let features = features.map(|feature| format!("serde_json/{feature}")).join(",");
    CommandLine::cargo(if nextest { "nextest run" } else { "test" })
        .args(
            ["switchboard-core", "switchboard", "torture-2021", "torture-2024"]
                .iter()
                .flat_map(|name| ["--package", name]),
        )
        .args(["--lib", "--test", "numbers", "--test", "wire"])
        .args(["--all-features", "--no-fail-fast", "--features", &features])
}

/// The tests of the TypeScript client, some of them against the conformance server.
///
/// `cargo test --no-run` finds the server built with the tests; `cargo build` would build it, and
/// half of its dependencies, with other features.
fn typescript() -> Result<[CommandLine; 2]> {
    let server = workspace::target()?.join("debug/conformance-server");
    Ok([
        CommandLine::cargo("test --no-run --workspace --all-features --test interop"),
        CommandLine::new("npm")
            .args(["--prefix", "crates/switchboard-codegen/typescript", "test"])
            .env("SWITCHBOARD_CONFORMANCE", server.to_string_lossy()),
    ])
}

/// Compiles and bundles the page, against the sources of the TypeScript client.
fn page() -> CommandLine {
    CommandLine::new("npm").args(["--prefix", "examples/typed-client/web", "run", "build"])
}

fn docs() -> CommandLine {
    CommandLine::cargo("doc --workspace --no-deps --all-features").env("RUSTDOCFLAGS", "-D warnings")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_without_nextest() {
        assert_eq!(
            tests(Extent::Full, false).to_string(),
            "cargo test --workspace --all-features --no-fail-fast --all-targets"
        );
        assert_eq!(
            tests(Extent::Quick, false).to_string(),
            "cargo test --workspace --all-features --no-fail-fast --lib --bins"
        );
    }

    #[test]
    fn the_second_transport_uses_what_is_built() {
        let (all, second) = (tests(Extent::Full, true).to_string(), tests_on_axum(true).to_string());
        let threads = format!("NEXTEST_TEST_THREADS={}", test_threads());
        let same = "cargo nextest run --workspace --all-features --no-fail-fast";
        assert_eq!(all, format!("{threads} {same}"));
        assert!(
            second.starts_with(&format!("{threads} SWITCHBOARD_TRANSPORT=axum {same} --test checklist --test hub ")),
            "{second}"
        );
    }

    #[test]
    fn quick_tests_leave_out_the_slow_ones() {
        let command = tests(Extent::Quick, true).to_string();
        let (_, command) = command.split_once(' ').unwrap();
        assert_eq!(
            command,
            "cargo nextest run --workspace --all-features --no-fail-fast --filterset \
             'not binary(/^(ui|chat_browser|rpc_browser|multi_node|faults|interop)$/)'"
        );
    }
}

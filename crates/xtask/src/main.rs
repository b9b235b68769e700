//! Developer commands of the workspace: `cargo xtask help`.

#![expect(clippy::print_stdout, reason = "a command line tool prints to stdout")]

mod autobahn;
mod bench;
mod cluster_test;
mod compile_cost;
mod loom;
mod msrv;
mod package;
mod public_api;
mod setup;
mod simulate;
mod soak;
mod step;
mod test;
#[cfg(test)]
mod tree;

use std::{env, process::ExitCode};

use crate::test::Extent;

const USAGE: &str = "\
Usage: cargo xtask <command>

Commands:
  setup           Install what the tests need (idempotent)
  test            Run everything that must pass: setup, format, spelling, dependencies, lints, tests, Autobahn, docs, packages
  test --quick    Format, lints of the libraries, tests without other clients and UI tests
  autobahn        Run the Autobahn test suite against echo-server, on each transport
  bench           Measure against a server written by hand on axum, and write docs/performance.md
  bench --quick   The same in a short run, written to target/bench; names select, as in `bench --quick rpc-1 idle`
  loom            Check the models of queues and topics in all thread interleavings
  simulate        Run simulated clusters with faults: --seeds N, one again with --seed S, --nodes N; --traffic for the table
  cluster-test    Run nodes on real brokers with faults, and check what clients saw: --broker B, --fault F, --short, --help
  soak            Connect 10 000 clients repeatedly, let one join and leave a million times, and check the memory
  msrv            Check that no dependency needs a newer compiler than the workspace
  public-api      Check that public signatures use only types of allowed crates
  package         Package the crates that are published, and build them from their packages: the dry run of a release
  compile-cost    Count crates and processor time of a small program with Switchboard, socketioxide and plain axum
  help            Print this text
";

/// The exit code for an invalid command line.
const INVALID_USAGE: u8 = 2;

fn main() -> ExitCode {
    let args: Vec<String> = env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        ["setup"] => setup::run(),
        ["test"] => test::run(Extent::Full),
        ["test", "--quick"] => test::run(Extent::Quick),
        ["autobahn"] => autobahn::run(),
        ["loom"] => loom::run(),
        ["simulate", options @ ..] => simulate::run(options),
        ["cluster-test", options @ ..] => cluster_test::run(options),
        ["soak"] => soak::run(),
        ["msrv"] => msrv::run(),
        ["public-api"] => public_api::run(),
        ["package"] => package::run(),
        ["compile-cost"] => compile_cost::run(),
        ["bench", options @ ..] => bench::run(options),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        unknown => {
            eprint!("error: unknown command `{}`\n\n{USAGE}", unknown.join(" "));
            return ExitCode::from(INVALID_USAGE);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

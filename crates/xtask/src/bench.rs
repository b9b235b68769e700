//! `cargo xtask bench`: the measurements of `crates/bench`.

use anyhow::Result;
use devkit::CommandLine;

pub(crate) fn run(options: &[&str]) -> Result<()> {
    CommandLine::cargo("run --quiet --package switchboard-bench --").args(options.iter().copied()).run()
}

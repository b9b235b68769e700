//! What the compiler says about mistakes.
//!
//! The texts are those of one compiler; on another one nothing is compared. To write them anew:
//! `TRYBUILD=overwrite cargo test -p macro-tests --test ui`.

use std::{env, io::Write, process::Command};

/// The compiler that the `.stderr` files are written for.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn ui() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("there is a compiler");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    if version.starts_with(COMPILER) {
        // No case that must compile: with one, all dependencies are built instead of checked.
        trybuild::TestCases::new().compile_fail("tests/ui/*/*.rs");
    } else {
        // Not through `eprintln!`, which the test harness hides when a test passes.
        let line = format!("\n!!!! NOT COMPARED: the texts in tests/ui are for {COMPILER}x, this is {version}!!!!\n\n");
        std::io::stderr().write_all(line.as_bytes()).expect("stderr is open");
    }
}

//! The load generator of the measurements. Prints one line of JSON.

#![expect(clippy::print_stdout, reason = "the result")]

use std::{io::ErrorKind, process::ExitCode};

use switchboard_tests::load;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match load::run(&args) {
        Ok(result) => {
            println!("{result}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            if error.kind() == ErrorKind::InvalidInput {
                eprint!("\n{}", load::USAGE);
            }
            ExitCode::FAILURE
        }
    }
}

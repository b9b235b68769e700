//! Checks the licences, versions and sources of dependencies.

use devkit::CommandLine;

/// The checks of `deny.toml` except advisories, whose database would have to be fetched.
pub(super) fn checks() -> [CommandLine; 2] {
    [
        // Those for other platforms, too, which no build here has fetched.
        CommandLine::cargo("fetch --locked"),
        CommandLine::cargo("deny --offline check licenses bans sources"),
    ]
}

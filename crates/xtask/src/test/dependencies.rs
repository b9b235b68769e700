//! The dependencies' licences, versions and sources.

use devkit::CommandLine;

/// What `deny.toml` says, but for advisories: their database is fetched from elsewhere.
pub(super) fn checks() -> [CommandLine; 2] {
    [
        // Those of other platforms, too, which no build here has fetched.
        CommandLine::cargo("fetch --locked"),
        CommandLine::cargo("deny --offline check licenses bans sources"),
    ]
}

//! Servers behind what `docs/deployment.md` recommends, and whether its files fit the library.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod dashboard;
mod manifest;
mod nginx;

/// Returns the code block of `docs/deployment.md` in this language.
fn block(language: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/deployment.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

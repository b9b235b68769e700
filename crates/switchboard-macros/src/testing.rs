//! Shared by the tests of expansions.

use proc_macro2::TokenStream;
use syn::{File, Item, LitStr};

/// Formats an expansion.
pub(crate) fn pretty(tokens: &TokenStream) -> String {
    prettyplease::unparse(&parse(tokens))
}

/// Returns the texts of the errors in an expansion, one per line.
pub(crate) fn errors(tokens: &TokenStream) -> String {
    let macros = parse(tokens).items.into_iter().filter_map(|item| match item {
        Item::Macro(item) => Some(item.mac),
        _ => None,
    });
    macros.map(|error| error.parse_body::<LitStr>().expect("an error has a text").value() + "\n").collect()
}

fn parse(tokens: &TokenStream) -> File {
    syn::parse2(tokens.clone()).expect("the expansion is Rust")
}

//! What the tests of the expansions share.

use proc_macro2::TokenStream;
use syn::{File, Item, LitStr};

/// An expansion as rustfmt would have it.
pub(crate) fn pretty(tokens: &TokenStream) -> String {
    prettyplease::unparse(&parse(tokens))
}

/// The texts of the errors in an expansion, one a line.
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

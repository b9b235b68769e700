//! The type that has an attribute.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

/// Parses a struct, enum or union. Otherwise returns the unchanged item with an error beside it.
pub(crate) fn parse(owner: &str, kind: &str, item: TokenStream) -> Result<DeriveInput, TokenStream> {
    let unchanged = item.clone();
    syn::parse2::<DeriveInput>(item).map_err(|error| {
        let error = syn::Error::new(error.span(), format!("`{owner}` goes on {kind}")).into_compile_error();
        quote!(#unchanged #error)
    })
}

//! Checks that the types of fields can be part of a message, for one error that names the fix. The
//! derives report the same with several errors, in terms of other crates.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{DeriveInput, Field, GenericArgument, PathArguments, Type, spanned::Spanned};

use crate::{attributes::serde_attrs::holds, krate::Krate, types::derives, types::schemas};

/// Types that can be part of a message if their content can. Not pointers, which may hold a `str`.
const CONTAINERS: [&str; 8] = ["Option", "Vec", "VecDeque", "HashMap", "BTreeMap", "HashSet", "BTreeSet", "Result"];

/// With these attributes, a function of the application reads or writes the value.
const FUNCTIONS: [&str; 6] =
    ["with", "serialize_with", "deserialize_with", "skip", "skip_serializing", "skip_deserializing"];

/// Generates one check for each field. Empty if serde converts the type from another one.
pub(crate) fn check(input: &DeriveInput, krate: &Krate) -> Option<TokenStream> {
    if holds(&input.attrs, "serde", &["from", "try_from", "into", "remote"]) {
        return None;
    }
    let private = krate.private();
    let asked = |field: &&Field| {
        !holds(&field.attrs, "serde", &FUNCTIONS)
            && !schemas::is_plain(field)
            && !schemas::depends_on_parameters(field, input)
    };
    let mut checks = derives::fields(&input.data)
        .filter(asked)
        .flat_map(|field| contents(&field.ty))
        .map(|ty| {
            let tokens = schemas::without_self(ty.to_token_stream(), &input.ident);
            quote_spanned!(ty.span()=> #private::field_type::<#tokens>();)
        })
        .peekable();
    checks.peek()?;
    Some(quote! {
        #[allow(deprecated)]
        const _: fn() = || { #(#checks)* };
    })
}

/// Returns the types inside of containers.
fn contents(ty: &Type) -> Vec<&Type> {
    match ty {
        Type::Array(array) => contents(&array.elem),
        Type::Group(group) => contents(&group.elem),
        Type::Paren(paren) => contents(&paren.elem),
        // Reported by the check that messages own their data.
        Type::Reference(_) => Vec::new(),
        Type::Tuple(tuple) => tuple.elems.iter().flat_map(contents).collect(),
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else { return vec![ty] };
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return vec![ty] };
            if !CONTAINERS.iter().any(|container| last.ident == container) {
                return vec![ty];
            }
            let types = arguments.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            types.flat_map(contents).collect()
        }
        ty => vec![ty],
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn containers_are_looked_into() {
        let inside = |ty: Type| {
            contents(&ty).into_iter().map(|ty| ty.to_token_stream().to_string().replace(' ', "")).collect::<Vec<_>>()
        };
        assert_eq!(inside(parse_quote!(Vec<Option<Item>>)), ["Item"]);
        assert_eq!(inside(parse_quote!(std::collections::HashMap<Key, [Item; 3]>)), ["Key", "Item"]);
        assert_eq!(inside(parse_quote!((u8, Item))), ["u8", "Item"]);
        assert_eq!(inside(parse_quote!(Page<Item>)), ["Page<Item>"]);
        assert_eq!(inside(parse_quote!(my::Item)), ["my::Item"]);
        assert_eq!(inside(parse_quote!(Option<Arc<str>>)), ["Arc<str>"]);
    }
}

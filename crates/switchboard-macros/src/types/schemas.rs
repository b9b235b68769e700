//! Prepares fields for the derive of `JsonSchema`.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{Attribute, Data, DeriveInput, Field, Fields, GenericParam, Meta, Visibility, parse_quote, spanned::Spanned};

use crate::{
    attributes::cfg, attributes::serde_attrs::holds, handlers::signature::has_word, krate::Krate, types::bounds,
    types::derives,
};

/// Attributes of serde with which a function of the application decides the form on the wire.
const FUNCTIONS: [&str; 3] = ["with", "serialize_with", "deserialize_with"];

/// Lets a field that a function reads or writes be any JSON, unless its attributes say otherwise.
pub(crate) fn allow_anything(input: &mut DeriveInput, krate: &Krate) {
    let any = krate.text("AnyJson");
    let allow = |attrs: &mut Vec<Attribute>| {
        if holds(attrs, "serde", &FUNCTIONS) && !has_own_schema(attrs) {
            attrs.push(parse_quote!(#[schemars(with = #any)]));
        }
    };
    match &mut input.data {
        Data::Struct(data) => data.fields.iter_mut().for_each(|field| allow(&mut field.attrs)),
        Data::Enum(data) => {
            for variant in &mut data.variants {
                allow(&mut variant.attrs);
                variant.fields.iter_mut().for_each(|field| allow(&mut field.attrs));
            }
        }
        Data::Union(_) => {}
    }
}

/// Converts the bounds of all rules.
pub(crate) fn convert_bounds(input: &mut DeriveInput, krate: &Krate) {
    let convert = |fields: &mut Fields| fields.iter_mut().for_each(|field| bounds::convert(&mut field.attrs, krate));
    match &mut input.data {
        Data::Struct(data) => convert(&mut data.fields),
        Data::Enum(data) => data.variants.iter_mut().for_each(|variant| convert(&mut variant.fields)),
        Data::Union(_) => {}
    }
}

/// Checks that each field's type has a schema, for an error that names the attribute to add.
pub(crate) fn check(input: &DeriveInput, krate: &Krate) -> Option<TokenStream> {
    // The whole type may use the schema of another type.
    if holds(&input.attrs, "serde", &["from", "try_from", "into", "remote"]) || has_own_schema(&input.attrs) {
        return None;
    }
    let private = krate.private();
    let bound = |field: &&Field| {
        !has_own_schema(&field.attrs)
            && !holds(&field.attrs, "serde", &["skip"])
            && !holds(&field.attrs, "schemars", &["skip"])
            && !is_plain(field)
            && !depends_on_parameters(field, input)
    };
    let mut checks = derives::fields(&input.data)
        .filter(bound)
        .map(|field| {
            let ty = without_self(field.ty.to_token_stream(), &input.ident);
            quote_spanned!(field.ty.span()=> #private::has_schema::<#ty>();)
        })
        .peekable();
    checks.peek()?;
    Some(quote! {
        #[allow(deprecated)]
        const _: fn() = || { #(#checks)* };
    })
}

/// Whether the type of a field contains a parameter of its struct.
pub(crate) fn depends_on_parameters(field: &Field, input: &DeriveInput) -> bool {
    let names = |word: &str| has_word(&field.ty, word);
    !input.generics.params.is_empty() && names("Self")
        || input.generics.params.iter().any(|parameter| match parameter {
            GenericParam::Type(parameter) => names(&parameter.ident.to_string()),
            GenericParam::Lifetime(lifetime) => names(&lifetime.lifetime.ident.to_string()),
            GenericParam::Const(parameter) => names(&parameter.ident.to_string()),
        })
}

/// Replaces `Self`, which is only known inside impls, by the name of the type.
pub(crate) fn without_self(tokens: TokenStream, name: &Ident) -> TokenStream {
    let replace = |token| match token {
        TokenTree::Ident(word) if word == "Self" => {
            let mut name = name.clone();
            name.set_span(word.span());
            TokenTree::Ident(name)
        }
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), without_self(group.stream(), name));
            inner.set_span(group.span());
            TokenTree::Group(inner)
        }
        token => token,
    };
    tokens.into_iter().map(replace).collect()
}

/// Whether the derive would warn about deprecated items: the type itself, or items that its
/// attributes allow it to use.
pub(crate) fn mentions_deprecated(input: &DeriveInput) -> bool {
    let allowed = |attr: &Attribute| match &attr.meta {
        Meta::List(list) => {
            (list.path.is_ident("allow") || list.path.is_ident("expect")) && has_word(&list.tokens, "deprecated")
        }
        _ => false,
    };
    input.attrs.iter().any(|attr| attr.path().is_ident("deprecated"))
        || input.attrs.iter().chain(cfg::attributes(&input.data)).any(allowed)
}

/// Generates the derive for such a type on a copy of it, which allows deprecated items and is
/// discarded.
pub(crate) fn apart(input: &DeriveInput, krate: &Krate) -> TokenStream {
    let mut copy = input.clone();
    copy.vis = Visibility::Inherited;
    copy.attrs.retain(|attr| {
        ["serde", "schemars", "validate", "doc", "deprecated"].iter().any(|name| attr.path().is_ident(name))
    });
    let private = krate.private();
    let discard = quote::format_ident!("{}", cfg::DISCARD);
    quote! {
        #[allow(deprecated)]
        const _: () = {
            #[derive(#private::schemars::JsonSchema)]
            #[#krate::ws_payload(#discard)]
            #copy
        };
    }
}

fn has_own_schema(attrs: &[Attribute]) -> bool {
    holds(attrs, "schemars", &["with", "schema_with", "transparent"])
}

/// Whether this is one of the most common types, which need no check. For another type of the same
/// name, the derive reports a missing schema.
pub(crate) fn is_plain(field: &Field) -> bool {
    let ty = &field.ty;
    let text = quote!(#ty).to_string();
    const PLAIN: [&str; 12] =
        ["String", "bool", "u8", "u16", "u32", "u64", "usize", "i32", "i64", "f32", "f64", "Option < String >"];
    PLAIN.contains(&text.as_str())
}

#[cfg(test)]
mod tests {
    use syn::LitStr;

    use super::*;

    #[test]
    fn functions_of_serde_allow_anything() {
        let mut input: DeriveInput = parse_quote! {
            struct Timer {
                #[serde(with = "secs")]
                every: Duration,
                #[serde(serialize_with = "secs")]
                #[schemars(with = "u64")]
                after: Duration,
                #[serde(default)]
                name: String,
            }
        };
        allow_anything(&mut input, &Krate::default());
        let with: Vec<Option<LitStr>> = derives::fields(&input.data)
            .map(|field| {
                let attr = field.attrs.iter().find(|attr| attr.path().is_ident("schemars"))?;
                let value: syn::MetaNameValue = attr.parse_args().ok()?;
                syn::parse2(quote::ToTokens::to_token_stream(&value.value)).ok()
            })
            .collect();
        let with: Vec<_> = with.into_iter().map(|with| with.map(|with| with.value())).collect();
        let any = "::switchboard::__private::AnyJson".to_owned();
        assert_eq!(with, [Some(any), Some("u64".to_owned()), None]);
    }
}

//! `#[cfg]` and `#[cfg_attr]` on fields and variants.
//!
//! rustc evaluates those of the item itself before it calls an attribute macro, but not those inside.
//! A derive sees all of them evaluated. So an item with any is first given to a derive, which starts
//! over with what is left, and disappears behind it.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Data, DeriveInput, Meta, Path, Token, parse::Parser, punctuated::Punctuated};

use crate::{krate::Krate, message, meta, payload};

/// The argument with which `#[ws_payload]` removes the item that it stands on.
pub(crate) const DISCARD: &str = "__discard";

/// The helper attribute that holds the name and the arguments of the macro to start over with.
const AGAIN: &str = "__switchboard";

/// Whether this is the item that has been given to the derive.
pub(crate) fn is_discarded(attr: &TokenStream) -> bool {
    attr.to_string() == DISCARD
}

/// What a macro expands to instead, where something inside the item is conditional.
pub(crate) fn deferred(name: &str, attr: &TokenStream, input: &DeriveInput) -> Option<TokenStream> {
    if !attributes(&input.data).any(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr")) {
        return None;
    }
    let stacked = input.attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::List(list)
            if attr.path().segments.last().is_some_and(|last| last.ident == "ws_rpc" || last.ident == "ws_message") =>
        {
            Some(list.tokens.clone())
        }
        _ => None,
    });
    let krate = Krate::new(std::iter::once(attr.clone()).chain(stacked).find_map(named));
    let private = krate.private();
    let (name, again, discard) = (format_ident!("{name}"), format_ident!("{AGAIN}"), format_ident!("{DISCARD}"));
    Some(quote! {
        #[derive(#private::Evaluate)]
        #[#krate::ws_payload(#discard)]
        #[#again(#name, #attr)]
        #input
    })
}

/// The derive: starts over.
pub(crate) fn expand_evaluate(item: TokenStream) -> TokenStream {
    let Ok(mut input) = syn::parse2::<DeriveInput>(item) else { return TokenStream::new() };
    let Some(position) = input.attrs.iter().position(|attr| attr.path().is_ident(AGAIN)) else {
        return TokenStream::new();
    };
    let again = input.attrs.remove(position);
    // The one that removes the item stands in front of it.
    input.attrs.remove(position.saturating_sub(1));
    let Ok(list) = again.meta.require_list() else { return TokenStream::new() };
    let mut tokens = list.tokens.clone().into_iter();
    let name = tokens.next().map(|name| name.to_string()).unwrap_or_default();
    let attr: TokenStream = tokens.skip(1).collect();
    forget_conditions(&mut input.data);
    let item = input.into_token_stream();
    match name.as_str() {
        "ws_message" => message::expand_ws_message(attr, item),
        "ws_rpc" => message::expand_ws_rpc(attr, item),
        "ws_meta" => meta::expand_ws_meta(attr, item),
        _ => payload::expand_ws_payload(attr, item),
    }
}

/// rustc leaves the conditions that hold, as `#[cfg]`.
fn forget_conditions(data: &mut Data) {
    let forget = |attrs: &mut Vec<Attribute>| attrs.retain(|attr| !attr.path().is_ident("cfg"));
    match data {
        Data::Struct(data) => data.fields.iter_mut().for_each(|field| forget(&mut field.attrs)),
        Data::Enum(data) => {
            for variant in &mut data.variants {
                forget(&mut variant.attrs);
                variant.fields.iter_mut().for_each(|field| forget(&mut field.attrs));
            }
        }
        Data::Union(data) => data.fields.named.iter_mut().for_each(|field| forget(&mut field.attrs)),
    }
}

/// The attributes of variants and fields.
fn attributes(data: &Data) -> Box<dyn Iterator<Item = &Attribute> + '_> {
    match data {
        Data::Struct(data) => Box::new(data.fields.iter().flat_map(|field| &field.attrs)),
        Data::Enum(data) => Box::new(
            data.variants
                .iter()
                .flat_map(|variant| variant.attrs.iter().chain(variant.fields.iter().flat_map(|field| &field.attrs))),
        ),
        Data::Union(data) => Box::new(data.fields.named.iter().flat_map(|field| &field.attrs)),
    }
}

/// The path in `crate = path` among the arguments of a macro.
fn named(tokens: TokenStream) -> Option<Path> {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let TokenTree::Ident(name) = &token else { continue };
        if name == "crate" && matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '=') {
            tokens.next();
            let path: TokenStream = tokens
                .by_ref()
                .take_while(|token| !matches!(token, TokenTree::Punct(punct) if punct.as_char() == ','))
                .collect();
            let paths = Punctuated::<Path, Token![,]>::parse_terminated.parse2(path).ok()?;
            return paths.into_iter().next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;
    use crate::testing::pretty;

    #[test]
    fn conditional_fields_are_evaluated_first() {
        let item = quote! {
            struct Join {
                #[cfg_attr(not(feature = "x"), validate(length(min = 1)))]
                name: String,
            }
        };
        let input: DeriveInput = syn::parse2(item).expect("a struct");
        let attr = quote!("JOIN", crate = crate::ws);
        let deferred = deferred("ws_message", &attr, &input).expect("it is conditional");
        insta::assert_snapshot!(pretty(&deferred));
        // As the derive gets it, with the condition evaluated.
        let evaluated: DeriveInput = parse_quote! {
            #[crate::ws::ws_payload(__discard)]
            #[__switchboard(ws_message, "JOIN", crate = crate::ws)]
            struct Join {
                #[validate(length(min = 1))]
                name: String,
            }
        };
        let plain = quote! {
            struct Join {
                #[validate(length(min = 1))]
                name: String,
            }
        };
        assert_eq!(
            expand_evaluate(evaluated.into_token_stream()).to_string(),
            message::expand_ws_message(attr, plain).to_string()
        );
    }

    #[test]
    fn everything_else_is_expanded_at_once() {
        let input: DeriveInput = parse_quote! {
            #[cfg(unix)]
            enum Kind {
                A { #[serde(default)] a: u8 },
            }
        };
        assert!(deferred("ws_payload", &quote!(), &input).is_none());
    }
}

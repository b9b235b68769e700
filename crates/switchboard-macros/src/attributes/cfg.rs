//! `#[cfg]` and `#[cfg_attr]` on fields and variants, methods and arguments.
//!
//! rustc evaluates the attributes of the item before it calls an attribute macro, but not those
//! inside the item. A derive sees all of them evaluated. So an item with conditions inside is first
//! given to a derive, which runs the macro on the evaluated item and discards the original. For
//! that, functions and impl blocks are put into an enum, as the first statement of a block that is
//! the value of its variant.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, Data, DeriveInput, Expr, FnArg, ImplItem, Item, Meta, Path, Signature, Token, parse::Parser,
    punctuated::Punctuated,
};

use crate::{handlers, handlers::function, krate::Krate, message, types::meta, types::payload};

/// The argument with which `#[ws_payload]` removes its item.
pub(crate) const DISCARD: &str = "__discard";

/// The helper attribute with the name and the arguments of the macro to run.
const AGAIN: &str = "__switchboard";

/// The prefix of the macros that `switchboard-core` re-exports.
const CORE: &str = "core_";

/// Whether this is the item that was given to the derive.
pub(crate) fn is_discarded(attr: &TokenStream) -> bool {
    attr.to_string() == DISCARD
}

/// Returns the expansion that defers to the derive, if something inside the item is conditional.
pub(crate) fn deferred(name: &str, krate: &Krate, attr: &TokenStream, input: &DeriveInput) -> Option<TokenStream> {
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
    let named = std::iter::once(attr.clone()).chain(stacked).find_map(named);
    // The macro that runs then has the same default crate.
    let name = if matches!(krate, Krate::Core) { format!("{CORE}{name}") } else { name.to_owned() };
    let krate = named.map_or_else(|| krate.clone(), Krate::Path);
    Some(evaluated(&name, attr, &krate, &input.to_token_stream()))
}

/// The same for a handler or a block of handlers.
pub(crate) fn deferred_handlers(name: &str, attr: &TokenStream, item: &TokenStream) -> Option<TokenStream> {
    let is_conditional = match syn::parse2::<Item>(item.clone()).ok()? {
        Item::Fn(function) => has_conditions(&function.sig),
        Item::Impl(block) => block.items.iter().any(|item| match item {
            ImplItem::Fn(method) => {
                has_conditions(&method.sig) || method.attrs.iter().any(|attr| attr.path().is_ident("cfg_attr"))
            }
            _ => false,
        }),
        _ => false,
    };
    if !is_conditional {
        return None;
    }
    let item = quote!(enum __Handlers { __Item = { #item 0 } });
    let krate = named(attr.clone()).map_or_else(Krate::default, Krate::Path);
    Some(evaluated(name, attr, &krate, &item))
}

fn has_conditions(signature: &Signature) -> bool {
    let attrs = signature.inputs.iter().flat_map(|argument| match argument {
        FnArg::Receiver(receiver) => &receiver.attrs,
        FnArg::Typed(argument) => &argument.attrs,
    });
    attrs.into_iter().any(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr"))
}

fn evaluated(name: &str, attr: &TokenStream, krate: &Krate, item: &TokenStream) -> TokenStream {
    let private = krate.private();
    let (name, again, discard) = (format_ident!("{name}"), format_ident!("{AGAIN}"), format_ident!("{DISCARD}"));
    quote! {
        #[derive(#private::Evaluate)]
        #[#krate::ws_payload(#discard)]
        #[#again(#name, #attr)]
        #item
    }
}

/// The derive: runs the macro on the evaluated item.
pub(crate) fn expand_evaluate(item: TokenStream) -> TokenStream {
    let mut input = match syn::parse2::<DeriveInput>(without_stray_commas(item)) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let Some(position) = input.attrs.iter().position(|attr| attr.path().is_ident(AGAIN)) else {
        return TokenStream::new();
    };
    let again = input.attrs.remove(position);
    // The attribute that removes the item is in front of it.
    input.attrs.remove(position.saturating_sub(1));
    let Ok(list) = again.meta.require_list() else { return TokenStream::new() };
    let mut tokens = list.tokens.clone().into_iter();
    let name = tokens.next().map(|name| name.to_string()).unwrap_or_default();
    let attr: TokenStream = tokens.skip(1).collect();
    if let "ws_handler" | "ws_handlers" = name.as_str() {
        let item = item_within(input.data).unwrap_or_default();
        return if name == "ws_handler" {
            function::expand_evaluated(attr, item)
        } else {
            handlers::expand_evaluated(attr, item)
        };
    }
    forget_conditions(&mut input.data);
    let item = input.into_token_stream();
    let (krate, name) = match name.strip_prefix(CORE) {
        Some(name) => (Krate::Core, name),
        None => (Krate::Switchboard, name.as_str()),
    };
    match name {
        "ws_message" => message::expand_ws_message(krate, attr, item),
        "ws_rpc" => message::expand_ws_rpc(krate, attr, item),
        "ws_meta" => meta::expand_ws_meta(krate, attr, item),
        _ => payload::expand_ws_payload(krate, attr, item),
    }
}

/// rustc removes an argument, but not the comma behind it.
fn without_stray_commas(tokens: TokenStream) -> TokenStream {
    let mut of_function = false;
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let mut inner = without_stray_commas(group.stream());
            if group.delimiter() == Delimiter::Parenthesis && std::mem::take(&mut of_function) {
                let mut behind_comma = true;
                let kept = |token: &TokenTree| {
                    let comma = matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
                    !(std::mem::replace(&mut behind_comma, comma) && comma)
                };
                inner = inner.into_iter().filter(kept).collect();
            }
            let mut changed = Group::new(group.delimiter(), inner);
            changed.set_span(group.span());
            TokenTree::Group(changed)
        }
        TokenTree::Ident(name) => {
            of_function |= name == "fn";
            TokenTree::Ident(name)
        }
        token => token,
    });
    tokens.collect()
}

/// Returns the function or impl block that was put into an enum.
fn item_within(data: Data) -> Option<TokenStream> {
    let Data::Enum(data) = data else { return None };
    match data.variants.into_iter().next()?.discriminant? {
        (_, Expr::Block(block)) => block.block.stmts.into_iter().next().map(ToTokens::into_token_stream),
        _ => None,
    }
}

/// rustc keeps conditions that hold as `#[cfg]`.
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

/// Returns the attributes of variants and fields.
pub(crate) fn attributes(data: &Data) -> Box<dyn Iterator<Item = &Attribute> + '_> {
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

/// Returns the path of `crate = path` among the arguments of a macro.
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
        let deferred = deferred("ws_message", &Krate::Switchboard, &attr, &input).expect("it is conditional");
        insta::assert_snapshot!(pretty(&deferred));
        // The item as the derive gets it, with the condition evaluated.
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
            message::expand_ws_message(Krate::Switchboard, attr, plain).to_string()
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
        assert!(deferred("ws_payload", &Krate::Switchboard, &quote!(), &input).is_none());
    }
}

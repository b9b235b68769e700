//! `#[ws_message]`, `#[ws_rpc]` and `#[derive(WsMessage)]`.

mod check;
pub(crate) mod generate;
mod parse;
pub(crate) mod tag;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Meta};

use self::parse::{Args, Form};
use crate::{
    attributes::cfg,
    attributes::target,
    errors::Errors,
    krate::Krate,
    rules,
    types::derives::{self, Derives},
    types::integers,
};

/// `#[ws_message("TYPE", …)]`
pub(crate) fn expand_ws_message(krate: Krate, attr: TokenStream, item: TokenStream) -> TokenStream {
    expand_attribute(Form::Message, krate, attr, item)
}

/// `#[ws_rpc("TYPE", response = …)]`
pub(crate) fn expand_ws_rpc(krate: Krate, attr: TokenStream, item: TokenStream) -> TokenStream {
    expand_attribute(Form::Rpc, krate, attr, item)
}

fn expand_attribute(form: Form, krate: Krate, attr: TokenStream, item: TokenStream) -> TokenStream {
    let owner = if form == Form::Rpc { "#[ws_rpc]" } else { "#[ws_message]" };
    let mut input = match target::parse(owner, "a struct", item) {
        Ok(input) => input,
        Err(unchanged) => return unchanged,
    };
    let name = if form == Form::Rpc { "ws_rpc" } else { "ws_message" };
    if let Some(deferred) = cfg::deferred(name, &krate, &attr, &input) {
        return deferred;
    }
    let mut errors = Errors::default();
    let example = tag::suggestion(&input.ident);
    let mut args = Args::within(krate);
    args.read(form, attr, &example, &mut errors);
    let form = stacked(form, &mut input, &mut args, &mut errors);

    let shape = check::shape(&input, owner, &mut errors);
    check::args(&mut args, &input, form, &mut errors);
    // From the type as the user wrote it: the derives may move its rules.
    let impls = generate::impls(&args, &input, shape);
    let derives = Derives { krate: &args.krate, rename_all: args.rename_all.as_ref(), schema: derives::SCHEMA };
    let rules = derives.add_to(&mut input, &mut errors);
    let errors = errors.into_tokens();
    quote!(#rules #input #impls #errors)
}

/// Merges the other attribute of a pair, and reports attributes that are not allowed beside this
/// one.
///
/// The first attribute is expanded first and sees the other one.
fn stacked(form: Form, input: &mut DeriveInput, args: &mut Args, errors: &mut Errors) -> Form {
    let example = tag::suggestion(&input.ident);
    let mut forms = vec![form];
    for attr in std::mem::take(&mut input.attrs) {
        let name = attr.path().segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let other = match name.as_str() {
            "ws_message" => Form::Message,
            "ws_rpc" => Form::Rpc,
            "ws_payload" | "ws_meta" => {
                errors.at(&attr.meta, format!("`#[{name}]` is for other types: remove it from the message"));
                continue;
            }
            _ => {
                input.attrs.push(attr);
                continue;
            }
        };
        if forms.contains(&other) {
            let message = format!("this struct has another `#[{name}]`: remove one, a message has one type tag");
            errors.at(&attr.meta, message);
            continue;
        }
        forms.push(other);
        args.imported = attr.path().get_ident().cloned();
        if other == Form::Rpc {
            args.beside = Some(attr.path().clone());
        }
        match &attr.meta {
            Meta::List(list) => args.read(other, list.tokens.clone(), &example, errors),
            // Without arguments: missing ones are reported for both attributes together.
            Meta::Path(_) => {}
            Meta::NameValue(value) => {
                errors.at(value, format!("write the arguments in parentheses: `#[{name}(…)]`"));
            }
        }
    }
    if forms.contains(&Form::Rpc) { Form::Rpc } else { form }
}

/// `#[derive(WsMessage)]` with `#[ws(…)]`
pub(crate) fn expand_derive_ws_message(krate: Krate, item: TokenStream) -> TokenStream {
    // rustc accepts a derive only on types.
    let Ok(input) = target::parse("#[derive(WsMessage)]", "a struct", item) else { return TokenStream::new() };
    let mut errors = Errors::default();
    let example = tag::suggestion(&input.ident);
    let mut args = Args::within(krate);
    for attr in input.attrs.iter().filter(|attr| attr.path().is_ident("ws")) {
        match attr.meta.require_list() {
            Ok(list) => args.read(Form::Derive, list.tokens.clone(), &example, &mut errors),
            Err(_) => {
                errors.at(&attr.meta, format!("write the arguments in parentheses: `#[ws(type = \"{example}\")]`"));
            }
        }
    }
    integers::check_derive(&input, &mut errors);
    let shape = check::shape(&input, "#[derive(WsMessage)]", &mut errors);
    check::args(&mut args, &input, Form::Derive, &mut errors);
    let mut impls = generate::impls(&args, &input, shape);
    if shape != check::Shape::Wrong {
        let rules = match &args.validate_with {
            // `validator` checks the whole message, also where it is nested.
            Some(_) => TokenStream::new(),
            None => rules::impls(&input, &args.krate, &mut errors),
        };
        impls.extend(rules);
    }
    let errors = errors.into_tokens();
    quote!(#impls #errors)
}

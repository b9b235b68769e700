//! `#[derive(WsMessages)]`: the set of messages that may be sent to a connection.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Attribute, Data, DeriveInput, Fields, Ident, Type, spanned::Spanned};

use crate::{
    attributes::options::{self, Known, Seen},
    attributes::target,
    errors::{Errors, located},
    krate::Krate,
    types::derives,
};

const KNOWN: Known = Known { owner: "#[ws]", options: &["crate"], text: "a set has no type tag", elsewhere: &[] };

pub(crate) fn expand_derive_ws_messages(krate: Krate, item: TokenStream) -> TokenStream {
    // rustc accepts a derive only on types.
    let Ok(input) = target::parse("#[derive(WsMessages)]", "an enum", item) else { return TokenStream::new() };
    let mut errors = Errors::default();
    let krate = named(&input.attrs, &mut errors).unwrap_or(krate);
    let variants = check(&input, &mut errors);
    let impls = variants.map(|variants| impls(&krate, &input.ident, &variants));
    let errors = errors.into_tokens();
    quote!(#impls #errors)
}

/// Returns the crate that an option names.
fn named(attrs: &[Attribute], errors: &mut Errors) -> Option<Krate> {
    let mut krate = None;
    let mut seen = Seen::default();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("ws")) {
        let Some(list) = errors.take(attr.meta.require_list()) else { continue };
        options::read(
            list.tokens.clone(),
            &KNOWN,
            &mut seen,
            errors,
            |_| Ok(false),
            |_, option, _| {
                krate = Some(option.krate()?);
                Ok(())
            },
        );
    }
    krate
}

/// The variants of a set.
struct Variants<'a> {
    /// The names and messages of the variants that hold one message.
    holding: Vec<(&'a Ident, &'a Type)>,
    /// Whether all variants are valid.
    complete: bool,
}

/// Returns the variants, or `None` if this is not an enum.
fn check<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Option<Variants<'a>> {
    let Data::Enum(data) = &input.data else {
        errors.at(&input.ident, "a set of messages is an enum whose variants hold one message each");
        return None;
    };
    if !input.generics.params.is_empty() {
        errors.at(&input.generics, "a set of messages cannot be generic: name the messages themselves");
        return None;
    }
    let mut holding = Vec::new();
    for variant in &data.variants {
        match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                holding.push((&variant.ident, &fields.unnamed[0].ty));
            }
            _ => {
                let name = &variant.ident;
                errors.at(variant, format!("a variant holds one message: `{name}(Message)`"));
            }
        }
    }
    Some(Variants { complete: holding.len() == data.variants.len(), holding })
}

fn impls(krate: &Krate, name: &Ident, variants: &Variants<'_>) -> TokenStream {
    let private = krate.private();
    let (build, messages): (Vec<_>, Vec<_>) = variants.holding.iter().copied().unzip();
    let rest = (!variants.complete).then(|| quote!(_ => {}));
    let described = if derives::CONTRACT {
        let sends =
            messages.iter().map(|message| quote_spanned!(located(message.span())=> is_message::<#message>(contract);));
        quote! {
            fn is_message<M: #private::Message>(contract: &mut #private::ContractBuilder) {
                contract.sends::<M>();
            }
            #[automatically_derived]
            impl #private::MessageSet for #name {
                fn describe(contract: &mut #private::ContractBuilder) {
                    #(#sends)*
                }
            }
        }
    } else {
        let checks = messages.iter().map(|message| quote_spanned!(located(message.span())=> is_message::<#message>();));
        quote! {
            fn is_message<M: #private::Message>() {}
            #[automatically_derived]
            impl #private::MessageSet for #name {}
            const _: fn() = || { #(#checks)* };
        }
    };
    quote! {
        #[allow(deprecated)]
        const _: () = {
            #described
            #(
                #[automatically_derived]
                impl #private::MemberOf<#name> for #messages {}
            )*
            // The variants are never constructed, so rustc would warn of them without these
            // functions.
            const _: fn(&#name) = |set| match *set {
                #(#name::#build(ref message) => { _ = message; })*
                #rest
            };
            #(const _: fn(#messages) -> #name = #name::#build;)*
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{errors, pretty};

    fn expand_derive_ws_messages(item: TokenStream) -> TokenStream {
        super::expand_derive_ws_messages(Krate::Switchboard, item)
    }

    #[test]
    fn set() {
        insta::assert_snapshot!(pretty(&expand_derive_ws_messages(quote! {
            #[ws(crate = my::switchboard)]
            pub enum ServerMessage {
                UserJoined(UserJoined),
                Sum(math::Sum),
            }
        })));
    }

    #[test]
    fn mistakes() {
        let inputs = [
            quote!(
                struct Set {
                    a: A,
                }
            ),
            quote!(
                enum Set<T> {
                    A(T),
                }
            ),
            quote!(
                #[ws(krate = x)]
                enum Set {
                    A(A, B),
                    C,
                    D { d: D },
                }
            ),
        ];
        let expanded = inputs.map(expand_derive_ws_messages);
        insta::assert_snapshot!(expanded.map(|one| errors(&one)).concat());
    }
}

//! `#[validate(…)]`: generates `impl Rules` from the attributes.

mod generate;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput};

use crate::{errors::Errors, krate::Krate, types::derives, types::owned};

/// Whether a type or its fields have rules that can be checked.
pub(crate) fn can_be_checked(input: &DeriveInput) -> bool {
    derives::VALIDATOR && exist(input)
}

/// Whether a type or its fields have rules.
fn exist(input: &DeriveInput) -> bool {
    let attrs = input.attrs.iter().chain(derives::fields(&input.data).flat_map(|field| &field.attrs));
    attrs.into_iter().any(is_rule)
}

pub(crate) fn is_rule(attr: &Attribute) -> bool {
    attr.path().is_ident("validate")
}

/// Generates `impl Rules` with the wire paths of the type's serde attributes. Empty without rules.
pub(crate) fn impls(input: &DeriveInput, krate: &Krate, errors: &mut Errors) -> TokenStream {
    if let Data::Enum(data) = &input.data {
        for rule in data.variants.iter().flat_map(|variant| &variant.attrs).filter(|attr| is_rule(attr)) {
            errors.at(&rule.meta, "a rule belongs to a field of the variant, or to the whole type");
        }
    }
    if !exist(input) {
        return TokenStream::new();
    }
    if !derives::VALIDATOR {
        let attrs = input.attrs.iter().chain(derives::fields(&input.data).flat_map(|field| &field.attrs));
        for rule in attrs.filter(|attr| is_rule(attr)) {
            errors
                .at(&rule.meta, "rules need the feature `validator` of `switchboard-core`: turn it on in `Cargo.toml`");
        }
        return TokenStream::new();
    }
    if input.attrs.iter().any(owned::is_remote) {
        let attrs = input.attrs.iter().chain(derives::fields(&input.data).flat_map(|field| &field.attrs));
        for rule in attrs.filter(|attr| is_rule(attr)) {
            errors.at(
                &rule.meta,
                "no value of this type is ever checked, serde makes the other one of it: put \
                 `#[validate(custom(function = …))]` on the fields that hold that",
            );
        }
        return TokenStream::new();
    }
    generate::impls(input, krate, errors)
}

/// Generates `impl validator::Validate` from these rules, for types that nest this one and derive
/// `Validate`.
pub(crate) fn for_validator(input: &DeriveInput, krate: &Krate) -> TokenStream {
    let private = krate.private();
    let name = &input.ident;
    let bounded = generate::bounded(input, krate);
    let (generics, arguments, bounds) = bounded.split_for_impl();
    quote! {
        #[allow(deprecated)]
        const _: () = {
            #[automatically_derived]
            impl #generics #private::validator::Validate for #name #arguments #bounds {
                fn validate(&self) -> ::core::result::Result<(), #private::validator::ValidationErrors> {
                    #private::rules::check_for_validator(self)
                }
            }
        };
    }
}

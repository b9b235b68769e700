//! `#[validate(…)]` attributes, and the derive that reads them.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields, Visibility, parse_quote};

use crate::{derives, krate::Krate, serde_attrs::holds};

/// The argument with which `#[ws_payload]` removes the item that it stands on.
pub(crate) const DISCARD: &str = "__discard";

/// The first `#[validate(…)]` of a type or its fields.
pub(crate) fn first(input: &DeriveInput) -> Option<&Attribute> {
    let attrs = input.attrs.iter().chain(derives::fields(&input.data).flat_map(|field| &field.attrs));
    attrs.into_iter().find(|attr| attr.path().is_ident("validate"))
}

/// Whether there is anything that a rule can be derived for.
pub(crate) fn are_possible(input: &DeriveInput) -> bool {
    matches!(&input.data, Data::Struct(data) if matches!(data.fields, Fields::Named(_)))
}

/// Whether the rules of a field's own type are checked, too.
pub(crate) fn are_nested(input: &DeriveInput) -> bool {
    derives::fields(&input.data).any(|field| holds(&field.attrs, "validate", &["nested"]))
        || holds(&input.attrs, "validate", &["nest_all_fields"])
}

/// `#[validate(crate = "…")]`, unless the type has it.
pub(crate) fn krate(input: &DeriveInput, krate: &Krate) -> Option<Attribute> {
    let path = krate.text("validator");
    (!holds(&input.attrs, "validate", &["crate"])).then(|| parse_quote!(#[validate(crate = #path)]))
}

/// The derive of `Validate` for a type with nested rules, in a scope of its own.
///
/// What it derives calls `validate` on the fields as a method, so the trait must be in scope. In
/// the scope of the type, it would make `message.validate()` ambiguous, which `Message` has, too.
/// So a copy of the type is derived in a scope where the trait is imported. The copy disappears
/// after the derive, whose impl is then that of the type itself.
pub(crate) fn beside(input: &DeriveInput, krate: &Krate) -> TokenStream {
    let mut copy = input.clone();
    let is_rule = |attr: &Attribute| attr.path().is_ident("validate");
    copy.vis = Visibility::Inherited;
    copy.attrs.retain(is_rule);
    copy.attrs.extend(self::krate(input, krate));
    if let Data::Struct(data) = &mut copy.data {
        data.fields.iter_mut().for_each(|field| field.attrs.retain(is_rule));
    }
    let private = krate.private();
    let discard = quote::format_ident!("{DISCARD}");
    quote! {
        const _: () = {
            use #private::validator::Validate as _;
            #[derive(#private::validator::Validate)]
            #[#krate::ws_payload(#discard)]
            #copy
        };
    }
}

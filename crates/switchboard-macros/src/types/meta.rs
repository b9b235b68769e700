//! `#[ws_meta]`

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, LitStr};

use crate::{
    attributes::cfg,
    attributes::serde_attrs::{Container, Names},
    attributes::target,
    errors::Errors,
    krate::Krate,
    message::generate,
    rules,
    types::case,
    types::derives::{self, Derives},
    types::payload::TypeArgs,
};

/// The keys of `meta` that a type cannot declare, and what reserves them.
const RESERVED: [(&str, &str); 6] = [
    ("clientId", "the server, which sets it"),
    ("receivedAt", "the server, which sets it"),
    ("timestamp", "the protocol"),
    ("correlationId", "the protocol"),
    ("timeoutMs", "the protocol"),
    ("idempotencyKey", "the protocol"),
];

pub(crate) fn expand_ws_meta(krate: Krate, attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut input = match target::parse("#[ws_meta]", "a struct", item) {
        Ok(input) => input,
        Err(unchanged) => return unchanged,
    };
    if let Some(deferred) = cfg::deferred("ws_meta", &krate, &attr, &input) {
        return deferred;
    }
    let mut errors = Errors::default();
    let args = TypeArgs::read("#[ws_meta]", krate, attr, &mut errors);
    let fits = check_shape(&input, &mut errors) && crate::types::owned::check(&input, "`meta`", &mut errors);
    check_keys(&input, args.rename_all.as_ref(), &mut errors);
    // From the type as the user wrote it: the derives may move its rules.
    let meta = fits.then(|| {
        let private = args.krate.private();
        let name = &input.ident;
        let validate = rules::can_be_checked(&input).then(|| generate::check_rules(&private));
        let schema = derives::SCHEMA.then(|| generate::schema_method(&private));
        quote! {
            #[allow(deprecated)]
            const _: () = {
                #[automatically_derived]
                impl #private::MessageMeta for #name {
                    #validate
                    #schema
                }
            };
        }
    });
    let derives = Derives { krate: &args.krate, rename_all: args.rename_all.as_ref(), schema: derives::SCHEMA };
    let rules = derives.add_to(&mut input, &mut errors);
    let errors = errors.into_tokens();
    quote!(#rules #input #meta #errors)
}

fn check_shape(input: &DeriveInput, errors: &mut Errors) -> bool {
    let name = &input.ident;
    let named = matches!(&input.data, Data::Struct(data) if matches!(data.fields, Fields::Named(_)));
    if !named {
        errors.at(
            name,
            format!("`meta` is an object on the wire: use a struct with named fields, `struct {name} {{ … }}`"),
        );
    }
    let generic = !input.generics.params.is_empty();
    if generic {
        errors.at(&input.generics, "a type of `meta` cannot be generic: write the field types out");
    }
    named && !generic
}

/// Reports fields whose wire name is reserved.
fn check_keys(input: &DeriveInput, rename_all: Option<&LitStr>, errors: &mut Errors) {
    let own = Container::of(&input.attrs).rename_all;
    let rules: Vec<String> = match (own, rename_all) {
        (Some(rule), _) => [rule.serialize, rule.deserialize].into_iter().flatten().map(|rule| rule.value()).collect(),
        (None, Some(rule)) => vec![rule.value()],
        (None, None) => vec![case::DEFAULT.to_owned()],
    };
    for field in derives::fields(&input.data) {
        let names = Names::of(field);
        let Some(rust) = field.ident.as_ref().filter(|_| !names.skip) else { continue };
        let rust = rust.to_string();
        let rust = rust.strip_prefix("r#").unwrap_or(&rust);
        let renamed = names.rename.into_iter().flat_map(|rename| [rename.serialize, rename.deserialize]).flatten();
        let mut wire: Vec<String> = renamed.map(|name| name.value()).collect();
        if wire.is_empty() {
            wire = rules.iter().map(|rule| case::field(rust, rule)).collect();
        }
        wire.extend(names.aliases.iter().map(LitStr::value));
        if let Some((key, owner)) = RESERVED.iter().find(|(key, _)| wire.iter().any(|name| name == key)) {
            errors.at(&field.ident, format!("`{key}` belongs to {owner}: choose another name"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{errors, pretty};

    fn expand_ws_meta(attr: TokenStream, item: TokenStream) -> TokenStream {
        super::expand_ws_meta(Krate::Switchboard, attr, item)
    }

    #[test]
    fn the_keys_are_those_of_core() {
        assert_eq!(RESERVED.map(|(key, _)| key), switchboard_core::RESERVED_META_KEYS);
    }

    #[test]
    fn with_rules() {
        insta::assert_snapshot!(pretty(&expand_ws_meta(
            quote!(),
            quote! {
                pub struct RoomMeta {
                    #[validate(length(max = 50))]
                    #[serde(rename = "room")]
                    room_id: String,
                }
            }
        )));
    }

    #[test]
    fn without_rules() {
        insta::assert_snapshot!(pretty(&expand_ws_meta(
            quote!(rename_all = "snake_case"),
            quote! {
                struct RoomMeta {
                    client_id: String,
                }
            }
        )));
    }

    #[test]
    fn reserved_keys() {
        insta::assert_snapshot!(errors(&expand_ws_meta(
            quote!(),
            quote! {
                struct RoomMeta {
                    client_id: String,
                    #[serde(rename = "timestamp")]
                    at: u64,
                    #[serde(alias = "timeoutMs")]
                    limit: u64,
                    #[serde(skip)]
                    received_at: u64,
                    #[serde(rename = "key")]
                    idempotency_key: String,
                }
            }
        )));
    }
}

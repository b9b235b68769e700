//! `#[ws_payload]`

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, LitStr};

use crate::{
    attributes::cfg,
    attributes::options::{self, Known, Seen},
    attributes::target,
    errors::Errors,
    krate::Krate,
    types::derives::{self, Derives},
};

/// The arguments of `#[ws_payload]` and `#[ws_meta]`.
pub(crate) struct TypeArgs {
    pub(crate) rename_all: Option<LitStr>,
    pub(crate) krate: Krate,
}

impl TypeArgs {
    pub(crate) fn read(owner: &'static str, krate: Krate, tokens: TokenStream, errors: &mut Errors) -> Self {
        let known = Known {
            owner,
            options: &["rename_all", "crate"],
            text: "only a message has a type tag: remove it, or write `#[ws_message(…)]`",
            elsewhere: &[("allow_unknown", "it belongs to the message, `#[ws_message(\"TYPE\", allow_unknown)]`")],
        };
        let mut args = Self { rename_all: None, krate };
        options::read(
            tokens,
            &known,
            &mut Seen::default(),
            errors,
            |_| Ok(false),
            |name, option, _| {
                match name {
                    "rename_all" => args.rename_all = Some(option.text("\"snake_case\"")?),
                    _ => args.krate = option.krate_as_text()?,
                }
                Ok(())
            },
        );
        args
    }
}

pub(crate) fn expand_ws_payload(krate: Krate, attr: TokenStream, item: TokenStream) -> TokenStream {
    if cfg::is_discarded(&attr) {
        return TokenStream::new();
    }
    let mut input = match target::parse("#[ws_payload]", "a struct or an enum", item) {
        Ok(input) => input,
        Err(unchanged) => return unchanged,
    };
    if let Some(deferred) = cfg::deferred("ws_payload", &krate, &attr, &input) {
        return deferred;
    }
    let mut errors = Errors::default();
    let args = TypeArgs::read("#[ws_payload]", krate, attr, &mut errors);
    if let Data::Union(data) = &input.data {
        errors.at(data.union_token, "a union cannot be sent: use a struct or an enum");
    }
    let derives = Derives { krate: &args.krate, rename_all: args.rename_all.as_ref(), schema: derives::SCHEMA };
    let rules = derives.add_to(&mut input, &mut errors);
    let errors = errors.into_tokens();
    quote!(#rules #input #errors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{errors, pretty};

    fn expand_ws_payload(attr: TokenStream, item: TokenStream) -> TokenStream {
        super::expand_ws_payload(Krate::Switchboard, attr, item)
    }

    #[test]
    fn nested_struct() {
        insta::assert_snapshot!(pretty(&expand_ws_payload(
            quote!(crate = crate::ws),
            quote! {
                /// A file.
                #[derive(Debug, Clone)]
                pub struct Attachment {
                    #[validate(url)]
                    pub url: String,
                    #[validate(nested)]
                    pub size: Size,
                }
            }
        )));
    }

    #[test]
    fn enums() {
        insta::assert_snapshot!(pretty(&expand_ws_payload(
            quote!(),
            quote! {
                pub enum Shape {
                    Unit,
                    Circle { outer_radius: f64 },
                }
            }
        )));
    }

    #[test]
    fn mistakes() {
        insta::assert_snapshot!(errors(&expand_ws_payload(
            quote!(rename_al = "x", allow_unknown, rename_all = "camelcase"),
            quote! {
                enum Shape {
                    Circle { #[validate(range(min = 0))] radius: f64 },
                }
            }
        )));
    }

    #[test]
    fn not_a_type() {
        insta::assert_snapshot!(pretty(&expand_ws_payload(
            quote!(),
            quote!(
                fn main() {}
            )
        )));
    }
}

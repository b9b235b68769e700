//! Generates `impl Message` and `impl Request`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{DeriveInput, LitStr, Type, spanned::Spanned};

use super::{check::Shape, parse::Args};
use crate::{errors::located, rules, types::derives};

/// Returns the impls in an anonymous constant, or nothing for a type that cannot be a message.
pub(super) fn impls(args: &Args, input: &DeriveInput, shape: Shape) -> TokenStream {
    if shape == Shape::Wrong {
        return TokenStream::new();
    }
    let private = args.krate.private();
    let name = &input.ident;
    // A missing tag was reported. With any tag, the type is a message for the code around it.
    let tag = args.tag.clone().unwrap_or_else(|| LitStr::new("?", Span::call_site()));
    let kind = match &args.response {
        Some(response) => quote!(#private::Rpc<#response>),
        None => quote!(#private::Event),
    };
    let meta = args.meta.as_ref().map_or_else(|| quote!(()), |meta| quote!(#meta));
    let has_payload = (shape == Shape::Unit).then(|| {
        quote!(
            const HAS_PAYLOAD: bool = false;
        )
    });
    let empty_payload = (shape == Shape::Empty).then(|| {
        quote!(
            const EMPTY_PAYLOAD: bool = true;
        )
    });
    let allow_unknown = args.allow_unknown.then(|| {
        quote!(
            const ALLOW_UNKNOWN: bool = true;
        )
    });
    let validate = validate(args, input);
    let response = args.response.as_ref().filter(|_| derives::CONTRACT).map(|_| {
        quote! {
            fn response_contract(
                answering: #private::Answering<'_>,
            ) -> ::core::option::Option<#private::MessageContract> {
                ::core::option::Option::Some(answering.to::<Self>())
            }
        }
    });
    let schema = derives::SCHEMA.then(|| schema(&private, args.progress.as_ref()));
    let request = args.response.as_ref().map(|response| {
        let progress = args.progress.as_ref().map_or_else(|| quote!(()), |progress| quote!(#progress));
        quote! {
            #[automatically_derived]
            impl #private::Request for #name {
                type Response = #response;
                type Progress = #progress;
            }
        }
    });
    // The attribute beside this one is never expanded by itself, so its import would be unused
    // otherwise.
    let beside = args.imported.as_ref().map(|name| {
        quote!(
            #[allow(unused_imports)]
            use #name as _;
        )
    });
    quote! {
        #[allow(deprecated)]
        const _: () = {
            #beside
            #[automatically_derived]
            impl #private::Message for #name {
                type Kind = #kind;
                type Meta = #meta;
                const TYPE: &'static str = #tag;
                #has_payload
                #empty_payload
                #allow_unknown
                #validate
                #response
                #schema
            }
            #request
        };
    }
}

/// Generates `fn schema`, and `fn progress_schema` for a request with progress.
fn schema(private: &TokenStream, progress: Option<&Type>) -> TokenStream {
    let own = schema_method(private);
    let progress = progress.map(|progress| {
        let of_progress = schema_of(private, &quote!(#progress));
        quote! {
            fn progress_schema(
                schemas: &mut #private::Schemas,
            ) -> ::core::option::Option<#private::Schema> {
                ::core::option::Option::Some(#of_progress)
            }
        }
    });
    quote!(#own #progress)
}

/// Generates `fn schema` of `Message` and of `MessageMeta`.
pub(crate) fn schema_method(private: &TokenStream) -> TokenStream {
    let own = schema_of(private, &quote!(Self));
    quote! {
        fn schema(schemas: &mut #private::Schemas) -> #private::Schema {
            #own
        }
    }
}

/// Generates the schema of a type that need not derive one.
fn schema_of(private: &TokenStream, ty: &TokenStream) -> TokenStream {
    quote! {{
        #[allow(unused_imports, reason = "one of them, as the type is")]
        use #private::{AnySchema as _, KnownSchema as _};
        (&#private::TypeProbe::<#ty>::NEW).__switchboard_schema(schemas)
    }}
}

/// Generates `fn validate`, if there is anything to check.
fn validate(args: &Args, input: &DeriveInput) -> Option<TokenStream> {
    let private = args.krate.private();
    if let Some(path) = &args.validate_with {
        return Some(method(&private, &quote_spanned!(located(path.span())=> #path(self))));
    }
    rules::can_be_checked(input).then(|| {
        let all = check_rules(&private);
        quote! {
            #all
            fn validate_decoded(
                &self,
                substituted: &#private::Substituted,
            ) -> ::core::result::Result<(), #private::Issues> {
                #private::rules::check_decoded(self, substituted)
            }
        }
    })
}

/// Generates `fn validate` from the rules of the type.
pub(crate) fn check_rules(private: &TokenStream) -> TokenStream {
    method(private, &quote!(#private::rules::check(self)))
}

/// Generates `fn validate` of `Message` and of `MessageMeta`.
fn method(private: &TokenStream, check: &TokenStream) -> TokenStream {
    quote! {
        fn validate(&self) -> ::core::result::Result<(), #private::Issues> {
            #check
        }
    }
}

//! `#[ws_handler]`: the checks of the router, with errors that point at the argument.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{ItemFn, ReturnType, Signature, spanned::Spanned};

use crate::{
    attributes::cfg,
    errors::Errors,
    handlers::signature::{self, Role, RouterArgs},
};

pub(crate) fn expand_ws_handler(attr: TokenStream, item: TokenStream) -> TokenStream {
    cfg::deferred_handlers("ws_handler", &attr, &item).unwrap_or_else(|| expand_evaluated(attr, item))
}

/// Expands a function with evaluated conditions.
pub(crate) fn expand_evaluated(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = RouterArgs::read("#[ws_handler]", attr, &mut errors);
    // The function is passed on token by token, whatever its body contains.
    let function = item.clone();
    let checks = match syn::parse2::<ItemFn>(item) {
        Ok(function) => {
            let mut fits = signature::check_signature(&function.sig, Role::Handler, &mut errors);
            if let Some(receiver) = signature::receiver(&function.sig) {
                fits = false;
                let message = "`#[ws_handler]` is for functions: put `#[ws_handlers]` on the impl block instead";
                errors.at(receiver, message);
            }
            fits.then(|| checks(&args, &function)).flatten()
        }
        Err(error) => {
            errors.at_span(error.span(), "`#[ws_handler]` goes on an `async fn`");
            None
        }
    };
    let errors = errors.into_tokens();
    quote!(#function #checks #errors)
}

/// The names of items that the checks declare are unlikely to be those of the types they check.
fn checks(args: &RouterArgs, function: &ItemFn) -> Option<TokenStream> {
    let signature = &function.sig;
    let cfgs = function.attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    let message = message(args, signature)?;
    let arguments = arguments(args, signature);
    let send = send(signature);
    Some(quote! {
        #(#cfgs)*
        #[allow(deprecated)]
        const _: () = {
            #message
            #arguments
            #send
        };
    })
}

/// Checks that the last argument is a message, and the return value a reply to it.
fn message(args: &RouterArgs, signature: &Signature) -> Option<TokenStream> {
    let private = args.krate.private();
    let message = &signature::typed(signature).last()?.ty;
    // The type behind `impl …` has no name that a check could use.
    if signature::has_word(&signature.output, "impl") {
        let check = quote_spanned!(message.span()=> __is_message::<#message>());
        return Some(quote! {
            fn __is_message<__Message: #private::Message>() {}
            const _: fn() = || #check;
        });
    }
    // No bound on the message: its kind already requires a message, so there is one error.
    let kind = quote_spanned!(message.span()=> <#message as #private::Message>::Kind);
    let check = match &signature.output {
        ReturnType::Type(_, output) => quote_spanned!(output.span()=> __is_reply::<#message, #kind, #output>()),
        ReturnType::Default => quote_spanned!(signature.ident.span()=> __is_reply::<#message, #kind, ()>()),
    };
    let out = args.out();
    Some(quote! {
        fn __is_reply<__Message, __Kind, __Reply: #private::Reply<__Message, __Kind, #out>>() {}
        const _: fn() = || #check;
    })
}

/// Checks that the other arguments are extractors, if the router is known.
fn arguments(args: &RouterArgs, signature: &Signature) -> Option<TokenStream> {
    if args.state.is_none() && args.data.is_none() {
        return None;
    }
    let private = args.krate.private();
    let (state, data, out) = (args.state(), args.data(), args.out());
    let types: Vec<_> = signature::typed(signature).map(|arg| &*arg.ty).collect();
    let (message, extractors) = types.split_last()?;
    let checks = extractors.iter().map(|ty| quote_spanned!(ty.span()=> __is_argument::<#ty, _>();));
    Some(quote! {
        fn __is_argument<__Argument, __Via>()
        where
            __Argument: #private::Argument<#state, #data, #out, #message, __Via>,
        {}
        const _: fn() = || { #(#checks)* };
    })
}

/// Checks that the future is `Send`. Otherwise the error points into the function, at the value
/// that is not.
fn send(signature: &Signature) -> TokenStream {
    let name = &signature.ident;
    let arguments = signature::typed(signature).map(|_| quote!(loop {}));
    let call = quote_spanned!(name.span()=> __is_send(#name(#(#arguments),*)));
    quote! {
        fn __is_send<__Future: ::core::marker::Send>(_: __Future) {}
        #[allow(unreachable_code, clippy::all, reason = "never called")]
        const _: fn() = || #call;
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::testing::{errors, pretty};

    fn handler(attr: TokenStream, item: TokenStream) -> String {
        pretty(&expand_ws_handler(attr, item))
    }

    #[test]
    fn with_a_router() {
        assert_snapshot!(handler(
            quote!(state = App, data = User, out = ServerMessage),
            quote! {
                #[cfg(unix)]
                pub async fn join(conn: Conn<User>, State(app): State<App>, msg: JoinRoom) -> Result<(), WsError> {
                    Ok(())
                }
            }
        ));
    }

    #[test]
    fn without_a_router() {
        assert_snapshot!(handler(
            quote!(crate = my::switchboard),
            quote! {
                async fn join(conn: Conn, msg: JoinRoom) {}
            }
        ));
    }

    #[test]
    fn mistakes() {
        let cases = [
            expand_ws_handler(
                quote!(),
                quote!(
                    fn join(msg: Join) {}
                ),
            ),
            expand_ws_handler(
                quote!(),
                quote!(
                    async fn join(&self, msg: Join) {}
                ),
            ),
            expand_ws_handler(
                quote!(),
                quote!(
                    async fn join<M: Message>(msg: M) {}
                ),
            ),
            expand_ws_handler(
                quote!(),
                quote!(
                    async fn join() {}
                ),
            ),
            expand_ws_handler(
                quote!(),
                quote!(
                    async fn join(a: A, b: A, c: A, d: A, e: A, f: A, g: A, h: A, i: A, msg: Join) {}
                ),
            ),
            expand_ws_handler(
                quote!(dta = User, error = E),
                quote!(
                    async fn join(msg: impl Message) {}
                ),
            ),
            expand_ws_handler(
                quote!(),
                quote!(
                    struct Join;
                ),
            ),
        ];
        assert_snapshot!(cases.map(|case| errors(&case)).concat());
    }
}

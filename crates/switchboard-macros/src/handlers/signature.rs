//! The arguments `state = …`, `data = …` and `out = …` of the handler macros, and the requirements
//! on functions that they share.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{FnArg, PatType, Receiver, Signature, Type};

use crate::{
    attributes::options::{self, Known, Seen},
    errors::Errors,
    krate::Krate,
};

/// The most extractors of a handler.
const MAX_EXTRACTORS: usize = 8;

/// The router that handlers are written for.
#[derive(Default)]
pub(crate) struct RouterArgs {
    pub(crate) state: Option<Type>,
    pub(crate) data: Option<Type>,
    pub(crate) out: Option<Type>,
    pub(crate) krate: Krate,
}

impl RouterArgs {
    pub(crate) fn read(owner: &'static str, tokens: TokenStream, errors: &mut Errors) -> Self {
        let known = Known {
            owner,
            options: &["state", "data", "out", "crate"],
            text: "the type tag stands at the message: `#[ws_message(\"TYPE\")]`",
            elsewhere: &[("error", "a handler returns any error that converts into `WsError`")],
        };
        let mut args = Self::default();
        options::read(
            tokens,
            &known,
            &mut Seen::default(),
            errors,
            |_| Ok(false),
            |name, option, _| {
                match name {
                    "state" => args.state = Some(option.ty("App")?),
                    "data" => args.data = Some(option.ty("User")?),
                    "out" => args.out = Some(option.ty("ServerMessage")?),
                    _ => args.krate = option.krate()?,
                }
                Ok(())
            },
        );
        args
    }

    pub(crate) fn state(&self) -> TokenStream {
        self.state.as_ref().map_or_else(|| quote!(()), |state| quote!(#state))
    }

    pub(crate) fn data(&self) -> TokenStream {
        self.data.as_ref().map_or_else(|| quote!(()), |data| quote!(#data))
    }

    pub(crate) fn out(&self) -> TokenStream {
        let private = self.krate.private();
        self.out.as_ref().map_or_else(|| quote!(#private::AnyMessage), |out| quote!(#out))
    }
}

/// The role of a function.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    Handler,
    Hook,
}

/// Reports what neither handlers nor hooks may have. Returns `false` if there was an error.
pub(crate) fn check_signature(signature: &Signature, role: Role, errors: &mut Errors) -> bool {
    let what = if role == Role::Handler { "handler" } else { "hook" };
    let name = &signature.ident;
    let mut fits = true;
    let mut wrong = |at: &dyn ToTokens, message: String| {
        fits = false;
        errors.at(at.to_token_stream(), message);
    };
    if signature.asyncness.is_none() {
        wrong(&signature.fn_token, format!("a {what} must be async: write `async fn {name}`"));
    }
    if !signature.generics.params.is_empty() {
        wrong(
            &signature.generics,
            format!("a {what} cannot be generic: write the types out, as the router is given one function"),
        );
    }
    for arg in typed(signature) {
        if has_word(&arg.ty, "impl") {
            wrong(&arg.ty, format!("a {what} cannot be generic: name the type instead of `impl …`"));
        }
    }
    let args = typed(signature).count();
    if role == Role::Handler && args == 0 {
        wrong(
            &name,
            format!(
                "a handler needs the message that it handles as its last argument: `async fn {name}(msg: Message)`"
            ),
        );
    }
    let limit = MAX_EXTRACTORS + 1;
    if let Some(arg) = typed(signature).nth(limit) {
        let message = format!(
            "a {what} has at most {limit} arguments, {MAX_EXTRACTORS} extractors and the message, and this one has {args}: \
             put some into a struct that implements `FromConnParts`"
        );
        wrong(&arg, message);
    }
    fits
}

/// Returns the arguments except `self`.
pub(crate) fn typed(signature: &Signature) -> impl Iterator<Item = &PatType> {
    signature.inputs.iter().filter_map(|arg| match arg {
        FnArg::Typed(arg) => Some(arg),
        FnArg::Receiver(_) => None,
    })
}

/// Returns `self` in any form.
pub(crate) fn receiver(signature: &Signature) -> Option<&Receiver> {
    signature.inputs.iter().find_map(|arg| match arg {
        FnArg::Receiver(receiver) => Some(receiver),
        FnArg::Typed(_) => None,
    })
}

/// Whether a type contains a word, at any depth.
pub(crate) fn has_word(ty: &impl ToTokens, word: &str) -> bool {
    fn search(tokens: TokenStream, word: &str) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == word,
            TokenTree::Group(group) => search(group.stream(), word),
            _ => false,
        })
    }
    search(ty.to_token_stream(), word)
}

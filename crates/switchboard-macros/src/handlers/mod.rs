//! `#[ws_handlers]` on an impl block.

mod check;
pub(crate) mod function;
mod generate;
mod marker;
pub(crate) mod signature;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ImplItem, ImplItemFn, ItemImpl, Signature};

use self::marker::Marker;
use crate::{
    attributes::cfg,
    errors::Errors,
    handlers::signature::{Role, RouterArgs},
};

/// A method that is registered with the router.
struct Registered {
    signature: Signature,
    /// `#[cfg(…)]`: a method that is configured out must not be registered.
    cfgs: Vec<syn::Attribute>,
    /// `on_open` and the like, `None` for a handler.
    hook: Option<syn::Ident>,
}

pub(crate) fn expand_ws_handlers(attr: TokenStream, item: TokenStream) -> TokenStream {
    cfg::deferred_handlers("ws_handlers", &attr, &item).unwrap_or_else(|| expand_evaluated(attr, item))
}

/// Expands a block with evaluated conditions.
pub(crate) fn expand_evaluated(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = RouterArgs::read("#[ws_handlers]", attr, &mut errors);
    let unchanged = item.clone();
    let mut block = match syn::parse2::<ItemImpl>(item) {
        Ok(block) => block,
        Err(error) => {
            errors.at_span(error.span(), "`#[ws_handlers]` goes on an impl block: `impl Chat { … }`");
            let errors = errors.into_tokens();
            return quote!(#unchanged #errors);
        }
    };
    let fits = check::block(&block, &mut errors);
    let mut found = false;
    let mut registered = Vec::new();
    for item in &mut block.items {
        if let ImplItem::Fn(method) = item {
            let marker = marker::take(&mut method.attrs, &mut errors);
            let role = role(marker.as_ref(), method);
            found |= role.is_some() || matches!(marker, Some(Marker::Unclear));
            let Some(role) = role else { continue };
            if check::method(&method.sig, role, &mut errors) {
                registered.push(Registered {
                    signature: method.sig.clone(),
                    cfgs: method.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect(),
                    hook: marker.and_then(Marker::hook),
                });
            }
        }
    }
    if fits && !found {
        let message = "there is no handler in this block: a handler is an `async fn` whose last argument is a message";
        errors.at(&block.self_ty, message);
    }
    let router = fits.then(|| generate::router(&args, &block, &registered));
    let errors = errors.into_tokens();
    quote!(#block #router #errors)
}

/// Returns the role of a method, or `None` if it is neither a handler nor a hook.
fn role(marker: Option<&Marker>, method: &ImplItemFn) -> Option<Role> {
    match marker {
        Some(Marker::Skip | Marker::Unclear) => None,
        Some(Marker::On) => Some(Role::Handler),
        Some(Marker::Hook(_)) => Some(Role::Hook),
        None => {
            let handler = method.sig.asyncness.is_some() && signature::typed(&method.sig).next().is_some();
            handler.then_some(Role::Handler)
        }
    }
}

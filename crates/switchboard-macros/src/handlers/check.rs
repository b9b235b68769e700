//! Checks the form of an impl block of handlers.

use syn::{ImplItem, ItemImpl, ReceiverKind, Signature};

use crate::{
    errors::Errors,
    handlers::signature::{self, Role},
};

/// Reports mistakes in the block itself. Returns `false` if no router can be generated for it.
pub(super) fn block(block: &ItemImpl, errors: &mut Errors) -> bool {
    let mut fits = true;
    if !block.generics.params.is_empty() {
        fits = false;
        let message = "the block cannot be generic: write it for one type, or put the generic part behind `Arc<dyn …>`";
        errors.at(&block.generics, message);
    }
    if let Some((path, _)) = &block.trait_ {
        fits = false;
        errors.at(
            path,
            "the router is a method of the type: put the handlers into a block without a trait, `impl Chat { … }`",
        );
    }
    for item in &block.items {
        if let ImplItem::Fn(method) = item
            && method.sig.ident == "router"
        {
            fits = false;
            errors.at(&method.sig.ident, "`#[ws_handlers]` writes a method of this name: rename this one");
        }
    }
    fits
}

/// Reports mistakes in a method. Returns `false` if it cannot be registered.
pub(super) fn method(signature: &Signature, role: Role, errors: &mut Errors) -> bool {
    let fits = signature::check_signature(signature, role, errors);
    let Some(receiver) = signature::receiver(signature) else { return fits };
    let message = match receiver.kind {
        ReceiverKind::Value => "a message cannot consume the value that all messages share: take `&self`",
        ReceiverKind::Reference(_, _, Some(_)) => {
            "handlers run at the same time: take `&self`, and put what changes behind a `Mutex` or an atomic"
        }
        ReceiverKind::Reference(_, _, None) => return fits,
        _ => "messages share one value: take `&self`",
    };
    errors.at(receiver, message);
    false
}

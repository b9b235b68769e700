//! Generates the method `router`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Ident, ItemImpl, LitStr, PatType, spanned::Spanned as _};

use super::Registered;
use crate::{
    errors::located,
    handlers::signature::{self, RouterArgs},
};

/// `impl Chat { pub fn router(self) -> WsRouter<…> { … } }`
pub(super) fn router(args: &RouterArgs, block: &ItemImpl, registered: &[Registered]) -> TokenStream {
    let private = args.krate.private();
    let name = &block.self_ty;
    let cfgs = block.attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    let (state, data, out) = (args.state(), args.data(), args.out());
    let new = match &args.out {
        Some(out) => quote!(sending::<#out>()),
        None => quote!(new()),
    };
    let this = this();
    let shared = registered.iter().any(|method| signature::receiver(&method.signature).is_some());
    let share = shared.then(|| quote!(let #this = ::std::sync::Arc::new(self);));
    let steps = registered.iter().map(|method| step(method, &type_name(name)));
    let doc = format!(" The router with the handlers of `{}`.", type_name(name));
    let checks = checks(&private, registered).map(|checks| quote!(#(#cfgs)* #checks));
    let cfgs = block.attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    quote! {
        #checks
        #(#cfgs)*
        #[allow(deprecated)]
        impl #name {
            #[doc = #doc]
            pub fn router(self) -> #private::WsRouter<#state, #data, #out> {
                #share
                let router = #private::WsRouter::<#state, #data>::#new;
                #(#steps)*
                router
            }
        }
    }
}

/// Checks that the last argument of each handler is a message. Empty if the block's types are not
/// known outside of it.
fn checks(private: &TokenStream, registered: &[Registered]) -> Option<TokenStream> {
    let mut checks = registered
        .iter()
        .filter(|method| method.hook.is_none())
        .filter_map(|method| {
            let ty = &signature::typed(&method.signature).last()?.ty;
            let cfgs = &method.cfgs;
            let check = quote_spanned!(located(ty.span())=> #private::handled_message::<#ty>());
            (!signature::has_word(ty, "Self")).then(|| quote!(#(#cfgs)* { #check; }))
        })
        .peekable();
    checks.peek()?;
    Some(quote! {
        #[allow(deprecated)]
        const _: fn() = || { #(#checks)* };
    })
}

/// Registers one method.
fn step(method: &Registered, type_name: &str) -> TokenStream {
    let cfgs = &method.cfgs;
    let name = &method.signature.ident;
    // Errors about the router's bounds should point at the method.
    let span = name.span();
    let add = if signature::receiver(&method.signature).is_some() {
        let closure = closure(method);
        match &method.hook {
            Some(hook) => quote_spanned!(span=> #hook(#closure)),
            None => {
                let full = LitStr::new(&format!("{type_name}::{name}"), span);
                quote_spanned!(span=> on_named(#full, #closure))
            }
        }
    } else {
        match &method.hook {
            Some(hook) => quote_spanned!(span=> #hook(Self::#name)),
            None => quote_spanned!(span=> on(Self::#name)),
        }
    };
    quote!(#(#cfgs)* let router = router.#add;)
}

/// Generates a closure that calls the method on a clone of the shared value.
fn closure(method: &Registered) -> TokenStream {
    let name = &method.signature.ident;
    let span = name.span();
    let this = this();
    let (args, types): (Vec<_>, Vec<_>) = signature::typed(&method.signature)
        .enumerate()
        .map(|(i, PatType { ty, .. })| (format_ident!("arg{i}", span = span), ty))
        .unzip();
    quote_spanned! {span=> {
        let #this = ::core::clone::Clone::clone(&#this);
        async move |#(#args: #types),*| Self::#name(&#this, #(#args),*).await
    }}
}

/// Returns the name of the shared value, which does not depend on the span of tokens around it.
fn this() -> Ident {
    Ident::new("this", Span::call_site())
}

/// Returns the type as written, without the spaces between tokens.
fn type_name(name: &impl ToTokens) -> String {
    name.to_token_stream().to_string().replace(' ', "")
}

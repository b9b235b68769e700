//! `#[ws(…)]` on a method.

use proc_macro2::TokenStream;
use syn::{Attribute, Ident};

use crate::{
    attributes::options::{self, Known, Seen},
    errors::Errors,
};

/// The marker of a method.
pub(super) enum Marker {
    /// `#[ws(skip)]`: not a handler.
    Skip,
    /// `#[ws(on)]`: a handler, whatever its form.
    On,
    /// `#[ws(on_open)]` and the like.
    Hook(Ident),
    /// None of these, which was reported as an error.
    Unclear,
}

impl Marker {
    pub(super) fn hook(self) -> Option<Ident> {
        match self {
            Self::Hook(name) => Some(name),
            Self::Skip | Self::On | Self::Unclear => None,
        }
    }
}

const KNOWN: Known = Known {
    owner: "#[ws]",
    options: &["on", "skip", "on_open", "on_close", "on_error"],
    text: "the type tag stands at the message: `#[ws_message(\"TYPE\")]`",
    elsewhere: &[("type", "the type tag stands at the message: `#[ws_message(\"TYPE\")]`")],
};

/// Removes the markers of a method and returns their meaning.
pub(super) fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Option<Marker> {
    let mut marker = None;
    let mut marked = false;
    let mut seen = Seen::default();
    attrs.retain(|attr| {
        let own = attr.path().is_ident("ws");
        if own {
            marked = true;
            match attr.meta.require_list() {
                Ok(list) => read(list.tokens.clone(), &mut seen, &mut marker, errors),
                Err(_) => errors.at(&attr.meta, "say what the method is: `#[ws(skip)]`, `#[ws(on_open)]`, …"),
            }
        }
        !own
    });
    if marked { marker.or(Some(Marker::Unclear)) } else { None }
}

fn read(tokens: TokenStream, seen: &mut Seen, marker: &mut Option<Marker>, errors: &mut Errors) {
    options::read(
        tokens,
        &KNOWN,
        seen,
        errors,
        |_| Ok(false),
        |name, option, errors| {
            option.flag()?;
            if marker.is_some() {
                errors.at(option.name, "a method has one role: remove one of the markers");
                return Ok(());
            }
            *marker = Some(match name {
                "skip" => Marker::Skip,
                "on" => Marker::On,
                _ => Marker::Hook(option.name.clone()),
            });
            Ok(())
        },
    );
}

//! The serde attributes that decide about names on the wire.
//!
//! Only what is needed is looked at; serde itself reports what is wrong with the rest.

use syn::{Attribute, Field, LitStr, Token, meta::ParseNestedMeta};

/// What `#[serde(…)]` says about a struct or an enum.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) rename_all: Option<Rename>,
    pub(crate) rename_all_fields: bool,
    pub(crate) has_crate: bool,
}

/// What `#[serde(…)]` says about a field.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) rename: Option<Rename>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) skip: bool,
}

/// `= "…"` or `(serialize = "…", deserialize = "…")`.
#[derive(Default, Clone)]
pub(crate) struct Rename {
    pub(crate) serialize: Option<LitStr>,
    pub(crate) deserialize: Option<LitStr>,
}

impl Container {
    pub(crate) fn of(attrs: &[Attribute]) -> Self {
        let mut found = Self::default();
        each(attrs, "serde", |meta| {
            if meta.path.is_ident("rename_all") {
                found.rename_all = Some(Rename::parse(meta)?);
            } else {
                found.rename_all_fields |= meta.path.is_ident("rename_all_fields");
                found.has_crate |= meta.path.is_ident("crate");
                skip_value(meta)?;
            }
            Ok(())
        });
        found
    }
}

impl Names {
    pub(crate) fn of(field: &Field) -> Self {
        let mut found = Self::default();
        each(&field.attrs, "serde", |meta| {
            if meta.path.is_ident("rename") {
                found.rename = Some(Rename::parse(meta)?);
            } else if meta.path.is_ident("alias") {
                found.aliases.push(meta.value()?.parse()?);
            } else {
                found.skip |= meta.path.is_ident("skip");
                skip_value(meta)?;
            }
            Ok(())
        });
        found
    }
}

impl Rename {
    fn parse(meta: &ParseNestedMeta<'_>) -> syn::Result<Self> {
        if meta.input.peek(Token![=]) {
            let name: LitStr = meta.value()?.parse()?;
            return Ok(Self { serialize: Some(name.clone()), deserialize: Some(name) });
        }
        let mut rename = Self::default();
        meta.parse_nested_meta(|side| {
            let name = side.value()?.parse()?;
            if side.path.is_ident("serialize") {
                rename.serialize = Some(name);
            } else {
                rename.deserialize = Some(name);
            }
            Ok(())
        })?;
        Ok(rename)
    }
}

/// Whether one of the attributes called `name` holds one of `keys`, as `#[validate(nested)]` does.
pub(crate) fn holds(attrs: &[Attribute], name: &str, keys: &[&str]) -> bool {
    let mut held = false;
    each(attrs, name, |meta| {
        held |= keys.iter().any(|key| meta.path.is_ident(key));
        skip_value(meta)
    });
    held
}

fn each(attrs: &[Attribute], name: &str, mut look: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        // What does not parse is for the derive to report.
        _ = attr.parse_nested_meta(|meta| look(&meta));
    }
}

/// Skips `= value` and `(…)`.
fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        meta.input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

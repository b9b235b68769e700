//! The serde attributes that determine names on the wire.
//!
//! Only the needed ones are read; serde reports mistakes in the others.

use syn::{Attribute, Field, LitStr, Token, Variant, meta::ParseNestedMeta, parse_quote};

use crate::types::case;

/// The `#[serde(…)]` attributes of a struct or an enum.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) rename_all: Option<Rename>,
    pub(crate) rename_all_fields: Option<Rename>,
    pub(crate) tag: bool,
    pub(crate) content: Option<LitStr>,
    pub(crate) untagged: bool,
    pub(crate) transparent: bool,
    pub(crate) has_crate: bool,
}

/// The `#[serde(…)]` attributes of a field or a variant.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) rename: Option<Rename>,
    /// For the fields of a variant.
    pub(crate) rename_all: Option<Rename>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) flatten: bool,
    pub(crate) untagged: bool,
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
            } else if meta.path.is_ident("rename_all_fields") {
                found.rename_all_fields = Some(Rename::parse(meta)?);
            } else if meta.path.is_ident("content") {
                found.content = Some(meta.value()?.parse()?);
            } else {
                found.tag |= meta.path.is_ident("tag");
                found.untagged |= meta.path.is_ident("untagged");
                found.transparent |= meta.path.is_ident("transparent");
                found.has_crate |= meta.path.is_ident("crate");
                skip_value(meta)?;
            }
            Ok(())
        });
        found
    }

    /// Returns the rule for the fields of a variant, unless it has one of its own.
    pub(crate) fn of_variant_fields(&self, variant: &Names) -> Option<Rename> {
        variant.rename_all.clone().or_else(|| self.rename_all_fields.clone())
    }
}

impl Names {
    pub(crate) fn of(field: &Field) -> Self {
        Self::of_attrs(&field.attrs)
    }

    pub(crate) fn of_variant(variant: &Variant) -> Self {
        Self::of_attrs(&variant.attrs)
    }

    fn of_attrs(attrs: &[Attribute]) -> Self {
        let mut found = Self::default();
        each(attrs, "serde", |meta| {
            if meta.path.is_ident("rename") {
                found.rename = Some(found.rename.take().unwrap_or_default().or(Rename::parse(meta)?));
            } else if meta.path.is_ident("rename_all") {
                found.rename_all = Some(Rename::parse(meta)?);
            } else if meta.path.is_ident("alias") {
                found.aliases.push(meta.value()?.parse()?);
            } else {
                found.flatten |= meta.path.is_ident("flatten");
                found.untagged |= meta.path.is_ident("untagged");
                found.skip |= meta.path.is_ident("skip");
                skip_value(meta)?;
            }
            Ok(())
        });
        found
    }

    /// Returns the name that is deserialised, which issues of the field use.
    pub(crate) fn wire(&self, rust: &str, rule: Option<&Rename>, convert: fn(&str, &str) -> String) -> String {
        if let Some(name) = self.rename.as_ref().and_then(|rename| rename.deserialize.as_ref()) {
            return name.value();
        }
        match rule.and_then(|rule| rule.deserialize.as_ref()) {
            Some(rule) => convert(rust, &rule.value()),
            None => rust.to_owned(),
        }
    }

    /// Returns a `rename(…)` for a name that serde cannot convert: serde takes the first byte of a
    /// name for its first letter.
    pub(crate) fn spelled_out(&self, rust: &str, rule: Option<&Rename>, convert: fn(&str, &str) -> String) -> Rename {
        let own = self.rename.clone().unwrap_or_default();
        let spell = |own: Option<LitStr>, rule: Option<&LitStr>| {
            let rule = rule.filter(|rule| own.is_none() && case::beyond_serde(rust, &rule.value()))?;
            Some(LitStr::new(&convert(rust, &rule.value()), rule.span()))
        };
        Rename {
            serialize: spell(own.serialize, rule.and_then(|rule| rule.serialize.as_ref())),
            deserialize: spell(own.deserialize, rule.and_then(|rule| rule.deserialize.as_ref())),
        }
    }
}

impl Rename {
    /// Uses the same name for both.
    pub(crate) fn both(name: &LitStr) -> Self {
        Self { serialize: Some(name.clone()), deserialize: Some(name.clone()) }
    }

    /// Returns `#[serde(rename(…))]` if there is anything to rename.
    pub(crate) fn into_attribute(self) -> Option<Attribute> {
        match (self.serialize, self.deserialize) {
            (None, None) => None,
            (Some(name), None) => Some(parse_quote!(#[serde(rename(serialize = #name))])),
            (None, Some(name)) => Some(parse_quote!(#[serde(rename(deserialize = #name))])),
            (Some(to), Some(from)) => Some(parse_quote!(#[serde(rename(serialize = #to, deserialize = #from))])),
        }
    }

    fn or(self, other: Self) -> Self {
        Self { serialize: self.serialize.or(other.serialize), deserialize: self.deserialize.or(other.deserialize) }
    }

    fn parse(meta: &ParseNestedMeta<'_>) -> syn::Result<Self> {
        if meta.input.peek(Token![=]) {
            let name: LitStr = meta.value()?.parse()?;
            return Ok(Self::both(&name));
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

/// Whether one of the attributes named `name` has one of `keys`, as `#[validate(nested)]` does.
pub(crate) fn holds(attrs: &[Attribute], name: &str, keys: &[&str]) -> bool {
    let mut held = false;
    each(attrs, name, |meta| {
        held |= keys.iter().any(|key| meta.path.is_ident(key));
        skip_value(meta)
    });
    held
}

/// Returns the function that `#[serde(skip_serializing_if = "…")]` names.
pub(crate) fn skip_serializing_if(attrs: &[Attribute]) -> Option<LitStr> {
    let mut function = None;
    each(attrs, "serde", |meta| {
        if meta.path.is_ident("skip_serializing_if") {
            function = Some(meta.value()?.parse()?);
            return Ok(());
        }
        skip_value(meta)
    });
    function
}

fn each(attrs: &[Attribute], name: &str, mut look: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        // The derive reports attributes that do not parse.
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

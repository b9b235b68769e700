//! Messages and `meta` must own their data: the bytes that they are read from are gone when a
//! handler runs.

use syn::{Attribute, DeriveInput, Field, Type};

use crate::{attributes::serde_attrs::holds, errors::Errors, types::derives};

/// With these attributes, serde does not read the value directly from the input.
const NOT_READ: [&str; 4] = ["skip", "skip_deserializing", "with", "deserialize_with"];

/// Reports a type that serde cannot read into an owned value. Returns `false` in this case.
pub(crate) fn check(input: &DeriveInput, what: &str, errors: &mut Errors) -> bool {
    let mut fits = true;
    if let Some(attr) = input.attrs.iter().find(|attr| is_remote(attr)) {
        fits = false;
        let name = &input.ident;
        errors.at(
            &attr.meta,
            format!(
                "with `remote`, serde reads and writes the other type only: put `#[ws_payload]` on this one, and \
                 `#[serde(with = \"{name}\")]` on a field of {what}"
            ),
        );
    }
    // serde reads the type that it is converted from.
    if holds(&input.attrs, "serde", &["from", "try_from"]) {
        return fits;
    }
    for field in derives::fields(&input.data) {
        fits &= check_field(field, what, errors);
    }
    fits
}

fn check_field(field: &Field, what: &str, errors: &mut Errors) -> bool {
    if holds(&field.attrs, "serde", &NOT_READ) {
        return true;
    }
    let borrow = field
        .attrs
        .iter()
        .find(|attr| attr.path().is_ident("serde") && holds(std::slice::from_ref(attr), "serde", &["borrow"]));
    if let Some(attr) = borrow {
        let message = format!("{what} owns what it holds: remove `borrow`, and use `Cow<'static, _>` or an owned type");
        errors.at(&attr.meta, message);
        return false;
    }
    if let Type::Reference(reference) = &field.ty {
        let message = match &*reference.elem {
            Type::Path(path) if path.path.is_ident("str") => format!("{what} owns what it holds: use `String`"),
            Type::Slice(_) => format!("{what} owns what it holds: use `Vec<_>`"),
            _ => format!("{what} owns what it holds: use the type without `&`"),
        };
        errors.at(&field.ty, message);
        return false;
    }
    true
}

/// Whether it is `#[serde(remote = "…")]`.
pub(crate) fn is_remote(attr: &Attribute) -> bool {
    holds(std::slice::from_ref(attr), "serde", &["remote"])
}

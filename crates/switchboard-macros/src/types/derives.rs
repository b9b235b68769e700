//! The derives and helper attributes that the attribute macros add to a type.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, LitStr, Path, Token, Variant, ext::IdentExt, parse_quote,
    punctuated::Punctuated,
};

use crate::{
    attributes::serde_attrs::{self, Container, Names, Rename},
    errors::Errors,
    krate::Krate,
    rules,
    types::case,
    types::field_types,
    types::integers,
    types::optional,
    types::schemas,
};

/// Whether types derive `JsonSchema`. The tests of this crate use all features.
pub(crate) const SCHEMA: bool = cfg!(any(test, feature = "schema"));

/// Whether messages describe themselves for contracts.
pub(crate) const CONTRACT: bool = cfg!(any(test, feature = "contract"));

/// Whether `#[validate(…)]` can be checked.
pub(crate) const VALIDATOR: bool = cfg!(any(test, feature = "validator"));

/// The derives to add.
pub(crate) struct Derives<'a> {
    pub(crate) krate: &'a Krate,
    /// The option of the macro, if given.
    pub(crate) rename_all: Option<&'a LitStr>,
    pub(crate) schema: bool,
}

impl Derives<'_> {
    /// Adds the derives that the type does not have.
    ///
    /// New derives are put before the attributes of the type and new helper attributes behind them:
    /// a helper attribute in front of its derive triggers a lint.
    ///
    /// Returns items to put in front of the type: its rules, and checks whose errors should precede
    /// those of the derives.
    #[must_use]
    pub(crate) fn add_to(&self, input: &mut DeriveInput, errors: &mut Errors) -> TokenStream {
        // The derives would only repeat the caller's error about a union.
        if matches!(input.data, syn::Data::Union(_)) {
            return TokenStream::new();
        }
        // Before `integers`, which adds `#[serde(with = …)]`.
        optional::mark(input);
        integers::expand(input, self.krate, errors);
        let own = Own::of(&input.attrs);
        let serde = Container::of(&input.attrs);
        let private = self.krate.private();
        let mut derives: Vec<TokenStream> = Vec::new();
        let mut helpers: Vec<Attribute> = Vec::new();

        for name in ["Serialize", "Deserialize"] {
            if !own.has(name) {
                let name = quote::format_ident!("{name}");
                derives.push(quote!(#private::serde::#name));
            }
        }
        if !derives.is_empty() && !serde.has_crate {
            let path = self.krate.text("serde");
            helpers.push(parse_quote!(#[serde(crate = #path)]));
        }
        helpers.extend(self.renames(input, &serde, errors));
        let schema = self.schema && !own.has("JsonSchema");
        let apart = schema && schemas::mentions_deprecated(input);
        if schema {
            if !apart {
                derives.push(quote!(#private::schemars::JsonSchema));
            }
            if !serde_attrs::holds(&input.attrs, "schemars", &["crate"]) {
                let path = self.krate.text("schemars");
                helpers.push(parse_quote!(#[schemars(crate = #path)]));
            }
        } else if !own.has("JsonSchema") {
            remove(input, "schemars");
        }
        if !derives.is_empty() {
            input.attrs.insert(0, parse_quote!(#[derive(#(#derives),*)]));
        }
        input.attrs.append(&mut helpers);
        spell_out(input);
        let mut beside = TokenStream::new();
        if !own.has("Serialize") && !own.has("Deserialize") {
            beside.extend(field_types::check(input, self.krate));
        }
        if schema {
            schemas::allow_anything(input, self.krate);
            beside.extend(schemas::check(input, self.krate));
        }

        let rules = rules::impls(input, self.krate, errors);
        if !rules.is_empty() && !own.has("Validate") {
            beside.extend(rules::for_validator(input, self.krate));
        }
        beside.extend(rules);
        if schema && !own.has("Validate") {
            schemas::convert_bounds(input, self.krate);
        }
        if apart {
            beside.extend(schemas::apart(input, self.krate));
            remove(input, "schemars");
        }
        if !own.has("Validate") && (!schema || apart) && !own.has("JsonSchema") {
            // No remaining derive knows them.
            remove(input, "validate");
        }
        beside
    }

    fn renames(&self, input: &DeriveInput, serde: &Container, errors: &mut Errors) -> Vec<Attribute> {
        let mut helpers = Vec::new();
        let default = LitStr::new(case::DEFAULT, proc_macro2::Span::call_site());
        let rule = self.rename_all.filter(|rule| case::check(rule, errors)).unwrap_or(&default);
        if serde.rename_all.is_none() {
            helpers.push(parse_quote!(#[serde(rename_all = #rule)]));
        } else if let Some(option) = self.rename_all {
            errors.at(option, "`rename_all` is given twice: remove this one or that of `#[serde(…)]`");
        }
        if let Data::Enum(data) = &input.data
            && serde.rename_all_fields.is_none()
            && data.variants.iter().any(|variant| matches!(variant.fields, Fields::Named(_)))
        {
            helpers.push(parse_quote!(#[serde(rename_all_fields = #rule)]));
        }
        helpers
    }
}

/// All fields, of all variants.
pub(crate) fn fields(data: &Data) -> Box<dyn Iterator<Item = &Field> + '_> {
    match data {
        Data::Struct(data) => Box::new(data.fields.iter()),
        Data::Enum(data) => Box::new(data.variants.iter().flat_map(|variant| variant.fields.iter())),
        Data::Union(data) => Box::new(data.fields.named.iter()),
    }
}

/// Writes out the names that serde's derive cannot convert.
fn spell_out(input: &mut DeriveInput) {
    let serde = Container::of(&input.attrs);
    match &mut input.data {
        Data::Struct(data) => {
            data.fields.iter_mut().for_each(|field| spell_out_field(field, serde.rename_all.as_ref()))
        }
        Data::Enum(data) => {
            for variant in &mut data.variants {
                let names = Names::of_variant(variant);
                let of_fields = serde.of_variant_fields(&names);
                variant.fields.iter_mut().for_each(|field| spell_out_field(field, of_fields.as_ref()));
                let rust = variant.ident.unraw().to_string();
                let rename = names.spelled_out(&rust, serde.rename_all.as_ref(), case::variant);
                variant.attrs.extend(rename.into_attribute());
            }
        }
        Data::Union(_) => {}
    }
}

fn spell_out_field(field: &mut Field, rule: Option<&Rename>) {
    let Some(rust) = field.ident.as_ref().map(|name| name.unraw().to_string()) else { return };
    let rename = Names::of(field).spelled_out(&rust, rule, case::field);
    field.attrs.extend(rename.into_attribute());
}

/// Removes all attributes of this name.
fn remove(input: &mut DeriveInput, name: &str) {
    let clean = |attrs: &mut Vec<Attribute>| attrs.retain(|attr| !attr.path().is_ident(name));
    clean(&mut input.attrs);
    match &mut input.data {
        Data::Struct(data) => data.fields.iter_mut().for_each(|field| clean(&mut field.attrs)),
        Data::Enum(data) => {
            for Variant { attrs, fields, .. } in &mut data.variants {
                clean(attrs);
                fields.iter_mut().for_each(|field| clean(&mut field.attrs));
            }
        }
        Data::Union(data) => data.fields.named.iter_mut().for_each(|field| clean(&mut field.attrs)),
    }
}

/// The derives that a type already has.
struct Own(Vec<Path>);

impl Own {
    fn of(attrs: &[Attribute]) -> Self {
        let lists = attrs.iter().filter(|attr| attr.path().is_ident("derive"));
        // rustc reports attributes that do not parse.
        let paths = lists
            .filter_map(|attr| attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok())
            .flatten();
        Self(paths.collect())
    }

    /// Compares the last segment: `serde::Serialize` is `Serialize`.
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|path| path.segments.last().is_some_and(|segment| segment.ident == name))
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn added(schema: bool, mut input: DeriveInput) -> String {
        let krate = Krate::default();
        let derives = Derives { krate: &krate, rename_all: None, schema };
        let mut errors = Errors::default();
        let rules = derives.add_to(&mut input, &mut errors);
        assert!(errors.into_tokens().is_empty());
        prettyplease::unparse(&parse_quote!(#input #rules))
    }

    #[test]
    fn a_type_keeps_its_own_derives() {
        insta::assert_snapshot!(added(
            true,
            parse_quote! {
                #[derive(Debug, serde::Serialize)]
                #[derive(Validate, schemars::JsonSchema)]
                #[serde(rename_all = "snake_case", crate = "my_serde")]
                struct Join {
                    #[validate(length(min = 1))]
                    room: String,
                }
            }
        ));
    }

    #[test]
    fn without_schema_its_attributes_go_too() {
        let text = added(
            false,
            parse_quote! {
                #[schemars(title = "Join")]
                struct Join {
                    #[schemars(range(min = 1))]
                    room: u8,
                }
            },
        );
        assert!(!text.contains("schemars"), "{text}");
    }

    #[test]
    fn a_type_that_derives_everything_is_only_renamed() {
        let mut input: DeriveInput = parse_quote! {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Join;
        };
        let krate = Krate::default();
        let derives = Derives { krate: &krate, rename_all: None, schema: true };
        assert!(derives.add_to(&mut input, &mut Errors::default()).is_empty());
        assert_eq!(
            input.to_token_stream().to_string(),
            quote! {
                #[derive(Serialize, Deserialize, JsonSchema)]
                #[serde(rename_all = "camelCase")]
                struct Join;
            }
            .to_string()
        );
    }
}

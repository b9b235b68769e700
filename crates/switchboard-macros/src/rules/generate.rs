//! Generates `impl Rules`: it visits each field with its wire name.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    Data, DeriveInput, Expr, Field, Fields, GenericParam, Generics, Ident, Index, Member, PathArguments, Type, Variant,
    ext::IdentExt, parse_quote, spanned::Spanned,
};

use super::parse::{FieldRules, Kind, Rule, Texts, TypeRules};
use crate::{
    attributes::serde_attrs::{Container, Names, Rename, holds},
    errors::{Errors, located},
    handlers::signature::has_word,
    krate::Krate,
    types::case,
};

/// The types that a function of the application gets by value, as with `validator`.
const NUMBERS: [&str; 14] =
    ["usize", "u8", "u16", "u32", "u64", "u128", "isize", "i8", "i16", "i32", "i64", "i128", "f32", "f64"];

pub(super) fn impls(input: &DeriveInput, krate: &Krate, errors: &mut Errors) -> TokenStream {
    let private = krate.private();
    let rules = quote!(#private::rules);
    let container = Container::of(&input.attrs);
    let of_type = TypeRules::of(&input.attrs, errors);
    let mut writer = Writer { rules: &rules, all: of_type.nest_all_fields, errors };
    let fields = match &input.data {
        Data::Struct(data) => writer.fields_of_struct(&data.fields, &container),
        Data::Enum(data) => writer.variants(data.variants.iter(), &container),
        // Reported with the union.
        Data::Union(_) => return TokenStream::new(),
    };
    let schemas = of_type.schemas.iter().map(|schema| {
        let function = &schema.function;
        let report = report_custom(&rules, &schema.texts);
        let condition = schema.after_fields.then(|| quote!(&&__fields_hold));
        quote_spanned! {located(function.span())=>
            if !#rules::Report::is_partial(__report) #condition {
                if let ::core::result::Result::Err(__error) = #rules::custom(|| #function(self)) {
                    #report
                }
            }
        }
    });
    let (before, after) = of_type
        .schemas
        .iter()
        .any(|schema| schema.after_fields)
        .then(|| {
            (
                quote!(let __before = #rules::Report::count(__report);),
                quote!(let __fields_hold = #rules::Report::count(__report) == __before;),
            )
        })
        .unzip();
    // A value of the type may come from several of the deserialised values.
    let converted = holds(&input.attrs, "serde", &["from", "try_from"]).then(|| {
        quote! {
            if #rules::Report::is_partial(__report) {
                return;
            }
        }
    });
    let name = &input.ident;
    let bounded = bounded(input, krate);
    let (generics, arguments, bounds) = bounded.split_for_impl();
    quote! {
        #[allow(deprecated)]
        const _: () = {
            #[automatically_derived]
            impl #generics #rules::Rules for #name #arguments #bounds {
                fn check(&self, __at: #rules::At<'_>, __report: &mut #rules::Report) {
                    #[allow(unused_imports)]
                    use #rules::{
                        ByDeref as _, ByMessage as _, ByNothing as _, ByRules as _, ByValidator as _,
                        ByValidatorOnly as _, ContainsRule as _, DoesNotContainRule as _, EmailRule as _,
                        FloatValue as _, IpRule as _, Ipv4Rule as _, Ipv6Rule as _, LengthRule as _, NoFloatValue as _,
                        NonControlCharacterRule as _, OptionValue as _, OtherValue as _, RangeRule as _, RegexRule as _,
                        RequiredRule as _, UrlRule as _,
                    };
                    #converted
                    #before
                    #fields
                    #after
                    #(#schemas)*
                }
            }
        };
    }
}

/// Returns the generics of the type, with bounds for parameters that are nested fields with rules.
pub(super) fn bounded(input: &DeriveInput, krate: &Krate) -> Generics {
    let mut generics = input.generics.clone();
    let private = krate.private();
    let parameters: Vec<String> = input
        .generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(parameter.ident.to_string()),
            GenericParam::Lifetime(_) | GenericParam::Const(_) => None,
        })
        .collect();
    if parameters.is_empty() {
        return generics;
    }
    let all = holds(&input.attrs, "validate", &["nest_all_fields"]);
    for field in crate::types::derives::fields(&input.data) {
        // The content of an `Option` is checked.
        let ty = options(&field.ty).1;
        let nested = all || holds(&field.attrs, "validate", &["nested"]);
        if nested && parameters.iter().any(|parameter| has_word(ty, parameter)) {
            generics.make_where_clause().predicates.push(parse_quote!(#ty: #private::rules::Rules));
        }
    }
    generics
}

struct Writer<'a> {
    rules: &'a TokenStream,
    /// `nest_all_fields`
    all: bool,
    errors: &'a mut Errors,
}

/// How generated code accesses a field.
enum Access {
    /// `self.field`
    SelfField,
    /// A variable that a pattern binds.
    Bound,
}

impl Access {
    fn reference(&self, member: &Member) -> TokenStream {
        match self {
            Self::SelfField => quote!(&self.#member),
            Self::Bound => {
                let name = bound(member);
                quote!(#name)
            }
        }
    }
}

/// Returns the variable for a field of a variant.
fn bound(member: &Member) -> Ident {
    match member {
        Member::Named(name) => format_ident!("__field_{}", name.unraw(), span = Span::call_site()),
        Member::Unnamed(index) => format_ident!("__field_{}", index.index, span = Span::call_site()),
    }
}

/// The wire layout between a container and its fields.
struct Layout<'a> {
    rename_all: Option<&'a Rename>,
    /// The fields have no names of their own.
    transparent: bool,
}

impl Writer<'_> {
    fn fields_of_struct(&mut self, fields: &Fields, container: &Container) -> TokenStream {
        let layout = Layout { rename_all: container.rename_all.as_ref(), transparent: container.transparent };
        self.fields(fields, &layout, &Access::SelfField)
    }

    fn variants<'v>(&mut self, variants: impl Iterator<Item = &'v Variant>, container: &Container) -> TokenStream {
        let arms: Vec<_> = variants.map(|variant| self.variant(variant, container)).collect();
        quote! {
            match self {
                #(#arms)*
                #[allow(unreachable_patterns)]
                _ => {}
            }
        }
    }

    fn variant(&mut self, variant: &Variant, container: &Container) -> TokenStream {
        let names = Names::of_variant(variant);
        let own = container.of_variant_fields(&names);
        let layout = Layout { rename_all: own.as_ref(), transparent: false };
        let checks = self.fields(&variant.fields, &layout, &Access::Bound);
        if checks.is_empty() {
            return checks;
        }
        let checks = if names.untagged || container.untagged {
            checks
        } else if let Some(content) = &container.content {
            below(self.rules, &content.value(), &checks)
        } else if container.tag {
            checks
        } else {
            let rust = variant.ident.unraw().to_string();
            below(self.rules, &names.wire(&rust, container.rename_all.as_ref(), case::variant), &checks)
        };
        let name = &variant.ident;
        let bindings = members(&variant.fields).map(|(member, _)| {
            let variable = bound(&member);
            quote!(#member: #variable)
        });
        quote! {
            #[allow(unused_variables, non_snake_case)]
            Self::#name { #(#bindings),* } => { #checks }
        }
    }

    fn fields(&mut self, fields: &Fields, layout: &Layout<'_>, access: &Access) -> TokenStream {
        let rules = self.rules;
        let newtype = matches!(fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1);
        let mut position = 0_usize;
        let mut all = TokenStream::new();
        for (member, field) in members(fields) {
            let names = Names::of(field);
            let checks = self.field(&member, field, access);
            let here = layout.transparent || newtype || names.flatten;
            let index = position;
            if !names.skip {
                position += 1;
            }
            if checks.is_empty() {
                continue;
            }
            all.extend(match &member {
                _ if here => quote!({ #checks }),
                Member::Named(name) => {
                    below(self.rules, &names.wire(&name.unraw().to_string(), layout.rename_all, case::field), &checks)
                }
                Member::Unnamed(_) => quote!(#rules::At::item(__at, #index, |__at| { #checks });),
            });
        }
        all
    }

    /// Generates the rules of one field, at `__at`.
    fn field(&mut self, member: &Member, field: &Field, access: &Access) -> TokenStream {
        let found = FieldRules::of(&field.attrs, self.errors);
        if found.skip {
            return TokenStream::new();
        }
        let nested = found.nested.or(self.all.then(Span::call_site));
        if found.rules.is_empty() && nested.is_none() {
            return TokenStream::new();
        }
        let (of_field, of_content): (Vec<&Rule>, Vec<&Rule>) = found
            .rules
            .iter()
            .partition(|rule| matches!(rule.kind, Kind::MustMatch(_) | Kind::Plain("__switchboard_required")));
        let of_field: Vec<_> = of_field.into_iter().map(|rule| self.rule(rule, field, access)).collect();
        let mut content: Vec<_> = of_content.into_iter().map(|rule| self.rule(rule, field, access)).collect();
        if let Some(span) = nested {
            content.push(self.nested(span, field));
        }
        let mut content = quote!(#(#content)*);
        let rules = self.rules;
        for _ in 0..options(&field.ty).0 {
            content = quote! {
                if let ::core::option::Option::Some(__value) = (&&#rules::Value(__value)).__switchboard_inner() {
                    #content
                }
            };
        }
        let value = access.reference(member);
        quote! {
            let __value = #value;
            #(#of_field)*
            #content
        }
    }

    fn nested(&self, span: Span, field: &Field) -> TokenStream {
        let rules = self.rules;
        // Errors should point at the type.
        let span = located(if self.all { span } else { field.ty.span() });
        quote_spanned!(span=> (&&&&&&#rules::Nested(__value)).__switchboard_check(__at, __report);)
    }

    /// Generates one rule of `__value`.
    fn rule(&mut self, rule: &Rule, field: &Field, access: &Access) -> TokenStream {
        let span = located(rule.name.span());
        let name = rule.name.to_string();
        match &rule.kind {
            Kind::Length(bounds) => {
                let bounds = bounds.iter().map(closure);
                self.bounded_rule(rule, &quote_spanned!(span=> __value.__switchboard_length(#(#bounds),*)))
            }
            Kind::Range(bounds) => {
                let bounds = bounds.iter().map(closure);
                let checked =
                    self.bounded_rule(rule, &quote_spanned!(span=> __value.__switchboard_range(#(#bounds),*)));
                let broken = self.broken(&name, &rule.texts, &quote!(&()));
                let rules = self.rules;
                quote! {
                    if (&&#rules::Value(__value)).__switchboard_is_nan() {
                        #broken
                    } else #checked
                }
            }
            Kind::Plain(method) => {
                let method = Ident::new(method, span);
                self.plain_rule(rule, &quote_spanned!(span=> __value.#method()))
            }
            Kind::CreditCard => {
                let rules = self.rules;
                // Only with the feature `card` of `validator`, which the application enables.
                let check = quote_spanned!(span=> #rules::validator::ValidateCreditCard::validate_credit_card(__value));
                self.plain_rule(rule, &check)
            }
            Kind::Pattern(method, pattern) => {
                let method = Ident::new(method, span);
                self.plain_rule(rule, &quote_spanned!(span=> __value.#method(#pattern)))
            }
            Kind::Regex(regex) => self.plain_rule(rule, &quote_spanned!(span=> __value.__switchboard_regex(&#regex))),
            Kind::MustMatch(other) => {
                let other = access.reference(&Member::Named(other.clone()));
                let rules = self.rules;
                let check = quote_spanned!(span=> ::core::cmp::PartialEq::eq(__value, #other));
                self.plain_rule(rule, &quote!((#rules::Report::is_partial(__report) || #check)))
            }
            Kind::Custom(function) => {
                let value = argument(&field.ty);
                let rules = self.rules;
                let report = report_custom(rules, &rule.texts);
                quote_spanned! {located(function.span())=>
                    if let ::core::result::Result::Err(__error) = #rules::custom(|| #function(#value)) {
                        #report
                    }
                }
            }
        }
    }

    fn bounded_rule(&self, rule: &Rule, check: &TokenStream) -> TokenStream {
        let broken = self.broken(&rule.name.to_string(), &rule.texts, &quote!(&__bounds));
        quote! {
            if let ::core::result::Result::Err(__bounds) = #check {
                #broken
            }
        }
    }

    fn plain_rule(&self, rule: &Rule, check: &TokenStream) -> TokenStream {
        let broken = self.broken(&rule.name.to_string(), &rule.texts, &quote!(&()));
        quote!(if !#check { #broken })
    }

    fn broken(&self, rule: &str, texts: &Texts, bounds: &TokenStream) -> TokenStream {
        let rules = self.rules;
        let code = texts.code.as_ref().map_or_else(|| quote!(#rule), ToTokens::to_token_stream);
        let message = option(texts.message.as_ref());
        quote! {
            #rules::Report::broken(__report, __at, #rule, #rules::Broken { code: #code, message: #message }, #bounds);
        }
    }
}

fn members(fields: &Fields) -> impl Iterator<Item = (Member, &Field)> {
    fields.iter().enumerate().map(|(index, field)| {
        let member = match &field.ident {
            Some(name) => Member::Named(name.clone()),
            None => Member::Unnamed(Index::from(index)),
        };
        (member, field)
    })
}

/// Generates the same checks below a key.
fn below(rules: &TokenStream, key: &str, checks: &TokenStream) -> TokenStream {
    quote!(#rules::At::field(__at, #key, |__at| { #checks });)
}

fn report_custom(rules: &TokenStream, texts: &Texts) -> TokenStream {
    let (code, message) = (option(texts.code.as_ref()), option(texts.message.as_ref()));
    quote!(#rules::Report::custom(__report, __at, &__error, #code, #message);)
}

fn option(value: Option<&impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// Evaluates a bound once where its type is known, and again for the text of a broken rule.
fn closure(bound: &Option<Expr>) -> TokenStream {
    let value = option(bound.as_ref());
    quote!(|| #value)
}

/// Returns the argument of a function of the application, as with `validator`.
fn argument(ty: &Type) -> TokenStream {
    let text = ty.to_token_stream().to_string().replace(' ', "");
    let inner = text.strip_prefix("Option<").and_then(|text| text.strip_suffix('>')).unwrap_or(&text);
    let inner = inner.strip_prefix("Option<").and_then(|text| text.strip_suffix('>')).unwrap_or(inner);
    if text.contains("Cow<") {
        quote!(::core::convert::AsRef::as_ref(__value))
    } else if NUMBERS.contains(&inner) {
        quote!(*__value)
    } else {
        quote!(__value)
    }
}

/// Returns how many `Option<…>` a type has around its content, and the content.
fn options(ty: &Type) -> (usize, &Type) {
    let mut count = 0;
    let mut inner = ty;
    while let Some(content) = option_content(inner) {
        count += 1;
        inner = content;
    }
    (count, inner)
}

fn option_content(ty: &Type) -> Option<&Type> {
    let ty = match ty {
        Type::Group(group) => &*group.elem,
        Type::Paren(paren) => &*paren.elem,
        ty => ty,
    };
    let Type::Path(path) = ty else { return None };
    let names: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if !matches!(names[..], ["Option"] | ["std" | "core", "option", "Option"]) {
        return None;
    }
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    match arguments.args.first()? {
        syn::GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

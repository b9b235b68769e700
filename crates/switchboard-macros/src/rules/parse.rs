//! Parses `#[validate(…)]`, with the syntax of `validator`.

use proc_macro2::{Span, TokenTree};
use syn::{Attribute, Expr, Ident, LitBool, LitStr, Path, Token, meta::ParseNestedMeta, spanned::Spanned};

use crate::{attributes::suggest, errors::Errors, rules::is_rule};

/// The rules of a type.
#[derive(Default)]
pub(super) struct TypeRules {
    pub(super) schemas: Vec<Schema>,
    pub(super) nest_all_fields: bool,
}

/// A function that checks the whole value.
pub(super) struct Schema {
    pub(super) function: Path,
    /// Whether it is skipped once a field has broken a rule.
    pub(super) after_fields: bool,
    pub(super) texts: Texts,
}

/// The rules of a field.
#[derive(Default)]
pub(super) struct FieldRules {
    pub(super) rules: Vec<Rule>,
    /// The span of `nested`.
    pub(super) nested: Option<Span>,
    pub(super) skip: bool,
}

pub(super) struct Rule {
    /// The name of the rule as written.
    pub(super) name: Ident,
    pub(super) kind: Kind,
    pub(super) texts: Texts,
}

/// The application's own code and message.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) code: Option<LitStr>,
    pub(super) message: Option<LitStr>,
}

pub(super) enum Kind {
    /// `min`, `max`, `equal`
    Length([Option<Expr>; 3]),
    /// `min`, `max`, `exclusive_min`, `exclusive_max`
    Range([Option<Expr>; 4]),
    /// A rule without arguments: the method that checks it.
    Plain(&'static str),
    CreditCard,
    /// The method, and the pattern.
    Pattern(&'static str, Expr),
    Regex(Expr),
    MustMatch(Ident),
    Custom(Path),
}

const RULES: [&str; 15] = [
    "length",
    "range",
    "email",
    "url",
    "ip",
    "regex",
    "contains",
    "does_not_contain",
    "must_match",
    "required",
    "custom",
    "nested",
    "credit_card",
    "non_control_character",
    "skip",
];

const TYPE_RULES: [&str; 3] = ["schema", "nest_all_fields", "crate"];

impl TypeRules {
    pub(super) fn of(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut found = Self::default();
        each(attrs, errors, |meta, errors| {
            let name = name(meta)?;
            match name.to_string().as_str() {
                "schema" => {
                    let mut options =
                        Options::read(meta, &["function", "skip_on_field_errors", "message", "code"], errors)?;
                    let function = options.path("function");
                    let after_fields = options.flag("skip_on_field_errors", true, errors);
                    match function {
                        Some(Ok(function)) => {
                            found.schemas.push(Schema { function, after_fields, texts: options.texts(errors) });
                        }
                        Some(Err(error)) => return Err(error),
                        None => {
                            let message = "`schema` needs a function of the whole value: `schema(function = check)`";
                            return Err(syn::Error::new(name.span(), message));
                        }
                    }
                }
                "nest_all_fields" => found.nest_all_fields = flag(meta)?,
                // An option of `validator`'s derive.
                "crate" => skip_value(meta)?,
                "context" | "mutable" => {
                    skip_value(meta)?;
                    let message = "a message is checked without a context: check what needs one in the handler";
                    errors.at(&name, message);
                }
                other => {
                    skip_value(meta)?;
                    let message = if RULES.contains(&other) {
                        format!("`{other}` belongs on a field")
                    } else {
                        unknown("rule", other, &TYPE_RULES)
                    };
                    errors.at(&name, message);
                }
            }
            Ok(())
        });
        found
    }
}

impl FieldRules {
    pub(super) fn of(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut found = Self::default();
        each(attrs, errors, |meta, errors| {
            let name = name(meta)?;
            let text = name.to_string();
            let (kind, mut options) = match text.as_str() {
                "length" => {
                    let mut options = Options::read(meta, &["min", "max", "equal", "message", "code"], errors)?;
                    let bounds = [options.expr("min"), options.expr("max"), options.expr("equal")];
                    if bounds.iter().all(Option::is_none) {
                        errors.at(&name, "`length` needs `min`, `max` or `equal`: `length(min = 1)`");
                    } else if bounds[2].is_some() && (bounds[0].is_some() || bounds[1].is_some()) {
                        errors.at(&bounds[2], "`equal` says it all: remove `min` and `max`, or this one");
                    }
                    (Kind::Length(bounds), options)
                }
                "range" => {
                    let known = ["min", "max", "exclusive_min", "exclusive_max", "message", "code"];
                    let mut options = Options::read(meta, &known, errors)?;
                    let bounds = ["min", "max", "exclusive_min", "exclusive_max"].map(|name| options.expr(name));
                    if bounds.iter().all(Option::is_none) {
                        errors
                            .at(&name, "`range` needs a bound, such as `range(min = 1)` or `range(exclusive_max = 1)`");
                    }
                    (Kind::Range(bounds), options)
                }
                "email" => (Kind::Plain("__switchboard_email"), Options::read(meta, TEXTS, errors)?),
                "url" => (Kind::Plain("__switchboard_url"), Options::read(meta, TEXTS, errors)?),
                "ip" => {
                    let mut options = Options::read(meta, &["v4", "v6", "message", "code"], errors)?;
                    let version = (options.flag("v4", false, errors), options.flag("v6", false, errors));
                    let method = match version {
                        (true, false) => "__switchboard_ipv4",
                        (false, true) => "__switchboard_ipv6",
                        _ => "__switchboard_ip",
                    };
                    (Kind::Plain(method), options)
                }
                "non_control_character" => {
                    (Kind::Plain("__switchboard_non_control_character"), Options::read(meta, TEXTS, errors)?)
                }
                "required" => (Kind::Plain("__switchboard_required"), Options::read(meta, TEXTS, errors)?),
                "credit_card" => (Kind::CreditCard, Options::read(meta, TEXTS, errors)?),
                "contains" | "does_not_contain" => {
                    let mut options = Options::read(meta, &["pattern", "message", "code"], errors)?;
                    let Some(pattern) = options.text("pattern") else {
                        let message = format!("`{text}` needs what it looks for: `{text}(pattern = \"…\")`");
                        return Err(syn::Error::new(name.span(), message));
                    };
                    let method =
                        if text == "contains" { "__switchboard_contains" } else { "__switchboard_does_not_contain" };
                    (Kind::Pattern(method, pattern), options)
                }
                "regex" => {
                    let mut options = Options::read(meta, &["path", "message", "code"], errors)?;
                    let Some(path) = options.expr("path") else {
                        let message = "`regex` needs the expression: `regex(path = *EXPRESSION)`";
                        return Err(syn::Error::new(name.span(), message));
                    };
                    (Kind::Regex(path), options)
                }
                "must_match" => {
                    let mut options = Options::read(meta, &["other", "message", "code"], errors)?;
                    let other = options.path("other").transpose()?;
                    let Some(other) = other.as_ref().and_then(Path::get_ident) else {
                        let message = "`must_match` needs the other field: `must_match(other = field)`";
                        return Err(syn::Error::new(name.span(), message));
                    };
                    (Kind::MustMatch(other.clone()), options)
                }
                "custom" => {
                    let mut options = Options::read(meta, &["function", "message", "code"], errors)?;
                    match options.path("function") {
                        Some(function) => (Kind::Custom(function?), options),
                        None => {
                            let message = "`custom` needs a function of the value: `custom(function = check)`";
                            return Err(syn::Error::new(name.span(), message));
                        }
                    }
                }
                "nested" => {
                    found.nested = flag(meta)?.then(|| name.span());
                    return Ok(());
                }
                "skip" => {
                    found.skip = flag(meta)?;
                    return Ok(());
                }
                other => {
                    skip_value(meta)?;
                    let message = if TYPE_RULES.contains(&other) {
                        format!("`{other}` belongs on the type")
                    } else {
                        unknown("rule", other, &RULES)
                    };
                    errors.at(&name, message);
                    return Ok(());
                }
            };
            let texts = options.texts(errors);
            found.rules.push(Rule { name, kind, texts });
            Ok(())
        });
        found
    }
}

const TEXTS: &[&str] = &["message", "code"];

/// The `name = value` pairs in the parentheses of a rule.
struct Options(Vec<(Ident, Option<Expr>)>);

impl Options {
    fn read(meta: &ParseNestedMeta<'_>, known: &[&str], errors: &mut Errors) -> syn::Result<Self> {
        let mut options: Vec<(Ident, Option<Expr>)> = Vec::new();
        if !meta.input.peek(syn::token::Paren) {
            if meta.input.peek(Token![=]) {
                let name = name(meta)?;
                skip_value(meta)?;
                return Err(syn::Error::new(name.span(), format!("write the arguments in parentheses: `{name}(…)`")));
            }
            return Ok(Self(options));
        }
        meta.parse_nested_meta(|option| {
            let name = name(&option)?;
            let value = option.input.peek(Token![=]).then(|| option.value()?.parse()).transpose()?;
            if name == "use_context" {
                errors.at(&name, "a message is checked without a context: check what needs one in the handler");
            } else if !known.contains(&name.to_string().as_str()) {
                errors.at(&name, unknown("argument", &name.to_string(), known));
            } else if options.iter().any(|(other, _)| *other == name) {
                errors.at(&name, format!("`{name}` is given twice: remove one of the two"));
            } else {
                options.push((name, value));
            }
            Ok(())
        })?;
        Ok(Self(options))
    }

    fn take(&mut self, name: &str) -> Option<(Ident, Option<Expr>)> {
        let index = self.0.iter().position(|(option, _)| option == name)?;
        Some(self.0.remove(index))
    }

    /// An expression, or a string that contains one.
    fn expr(&mut self, name: &str) -> Option<Expr> {
        let value = self.take(name)?.1?;
        match text(&value) {
            Some(text) => Some(text.parse().unwrap_or(value)),
            None => Some(value),
        }
    }

    /// A string, or an expression for one.
    fn text(&mut self, name: &str) -> Option<Expr> {
        self.take(name)?.1
    }

    /// A path, or a string that contains one.
    fn path(&mut self, name: &str) -> Option<syn::Result<Path>> {
        let (option, value) = self.take(name)?;
        let wrong = |span| Err(syn::Error::new(span, format!("`{name}` must be a path: `{name} = path::to::it`")));
        Some(match value {
            Some(Expr::Path(path)) if path.qself.is_none() => Ok(path.path),
            Some(value) => match text(&value) {
                Some(text) => text.parse().or_else(|_| wrong(text.span())),
                None => wrong(value.span()),
            },
            None => wrong(option.span()),
        })
    }

    fn flag(&mut self, name: &str, absent: bool, errors: &mut Errors) -> bool {
        match self.take(name) {
            None => absent,
            Some((_, None)) => true,
            Some((_, Some(value))) => {
                let text = match &value {
                    Expr::Lit(literal) => match &literal.lit {
                        syn::Lit::Bool(value) => Some(value.value()),
                        syn::Lit::Str(value) => value.value().parse().ok(),
                        _ => None,
                    },
                    _ => None,
                };
                text.unwrap_or_else(|| {
                    errors.at(&value, format!("`{name}` is `true` or `false`"));
                    absent
                })
            }
        }
    }

    fn texts(&mut self, errors: &mut Errors) -> Texts {
        let mut literal = |name: &str| {
            let (option, value) = self.take(name)?;
            let literal = value.as_ref().and_then(text);
            if literal.is_none() {
                errors.at(&option, format!("`{name}` must be a string literal: `{name} = \"…\"`"));
            }
            literal
        };
        Texts { code: literal("code"), message: literal("message") }
    }
}

fn each(
    attrs: &[Attribute],
    errors: &mut Errors,
    mut look: impl FnMut(&ParseNestedMeta<'_>, &mut Errors) -> syn::Result<()>,
) {
    for attr in attrs.iter().filter(|attr| is_rule(attr)) {
        let list = match attr.meta.require_list() {
            Ok(list) if !list.tokens.is_empty() => list,
            _ => {
                errors.at(&attr.meta, "say which rule: `#[validate(length(min = 1))]`, `#[validate(nested)]`, …");
                continue;
            }
        };
        let result = list.parse_nested_meta(|meta| look(&meta, errors));
        errors.take(result);
    }
}

fn name(meta: &ParseNestedMeta<'_>) -> syn::Result<Ident> {
    meta.path.get_ident().cloned().ok_or_else(|| meta.error("expected the name of a rule"))
}

fn text(value: &Expr) -> Option<LitStr> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Str(text) => Some(text.clone()),
            _ => None,
        },
        Expr::Group(group) => text(&group.expr),
        _ => None,
    }
}

/// `nested`, or `nested = true`.
fn flag(meta: &ParseNestedMeta<'_>) -> syn::Result<bool> {
    if meta.input.peek(Token![=]) {
        return meta.value()?.parse::<LitBool>().map(|value| value.value());
    }
    Ok(true)
}

/// Skips `= value` and `(…)`.
fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        meta.input.parse::<TokenTree>()?;
    }
    Ok(())
}

fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    match suggest::closest(name, known) {
        Some(near) => format!("unknown {what} `{name}`: did you mean `{near}`?"),
        None => format!("unknown {what} `{name}`: use one of {}", suggest::list(known)),
    }
}

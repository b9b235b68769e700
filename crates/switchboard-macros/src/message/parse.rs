//! Parses the arguments of the attributes for messages.

use proc_macro2::TokenStream;
use syn::{Ident, LitStr, Path, Type};

use crate::{
    attributes::options::{self, Known, Seen},
    errors::Errors,
    krate::Krate,
    message::tag,
};

/// The arguments of one or two attributes.
#[derive(Default)]
pub(super) struct Args {
    pub(super) tag: Option<LitStr>,
    pub(super) response: Option<Type>,
    pub(super) progress: Option<Type>,
    pub(super) meta: Option<Type>,
    pub(super) rename_all: Option<LitStr>,
    pub(super) allow_unknown: bool,
    pub(super) validate_with: Option<Path>,
    pub(super) krate: Krate,
    /// `#[ws_rpc]` beside the attribute that is being expanded.
    pub(super) beside: Option<Path>,
    /// The name of the attribute beside it, of either kind.
    pub(super) imported: Option<Ident>,
    /// An error about the tag was reported, so that a missing tag is not reported, too.
    tag_reported: bool,
    pub(super) seen: Seen,
}

/// The attribute that the arguments belong to.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Form {
    Message,
    Rpc,
    Derive,
}

const TAG_FIRST: &str = "a message has one type tag, and it is the first argument";

const MESSAGE: Known = Known {
    owner: "#[ws_message]",
    options: &["rename_all", "allow_unknown", "meta", "crate"],
    text: TAG_FIRST,
    elsewhere: &[
        ("response", "it makes a request, write it in `#[ws_rpc(response = …)]`"),
        ("progress", "it belongs to a request, write it in `#[ws_rpc(response = …, progress = …)]`"),
        ("type", "the type tag is the first argument, without a name"),
        ("validate_with", "it belongs to `#[derive(WsMessage)]`, whose `#[ws(…)]` knows it"),
    ],
};

const RPC: Known = Known {
    owner: "#[ws_rpc]",
    options: &["response", "progress", "rename_all", "allow_unknown", "meta", "crate"],
    text: TAG_FIRST,
    elsewhere: &[
        ("type", "the type tag is the first argument, without a name"),
        ("validate_with", "it belongs to `#[derive(WsMessage)]`, whose `#[ws(…)]` knows it"),
    ],
};

const DERIVE: Known = Known {
    owner: "#[ws]",
    options: &["type", "response", "progress", "meta", "allow_unknown", "validate_with", "crate"],
    text: "the type tag has a name here: `type = \"…\"`",
    elsewhere: &[("rename_all", "the wire names are those of the struct's own `#[serde(rename_all = …)]`")],
};

impl Args {
    /// Creates empty arguments; the generated code refers to this crate.
    pub(super) fn within(krate: Krate) -> Self {
        Self { krate, ..Self::default() }
    }

    /// Adds the arguments of one attribute. `example` is a tag for error messages.
    pub(super) fn read(&mut self, form: Form, tokens: TokenStream, example: &str, errors: &mut Errors) {
        let known = match form {
            Form::Message => &MESSAGE,
            Form::Rpc => &RPC,
            Form::Derive => &DERIVE,
        };
        let mut first = None;
        let mut tag_failed = false;
        // Moved out, so that the closure can borrow the rest.
        let mut seen = std::mem::take(&mut self.seen);
        options::read(
            tokens,
            known,
            &mut seen,
            errors,
            |input| {
                if form == Form::Derive {
                    return Ok(false);
                }
                first = tag::first_argument(input, example).inspect_err(|_| tag_failed = true)?;
                Ok(first.is_some())
            },
            |name, option, _| {
                match name {
                    "type" => match option.text(&format!("\"{example}\"")) {
                        Ok(tag) => self.tag = Some(tag),
                        Err(error) => {
                            self.tag_reported = true;
                            return Err(error);
                        }
                    },
                    "response" => self.response = Some(option.ty("Sum")?),
                    "progress" => self.progress = Some(option.ty("Step")?),
                    "meta" => self.meta = Some(option.ty("RoomMeta")?),
                    "rename_all" => self.rename_all = Some(option.text("\"snake_case\"")?),
                    "allow_unknown" => {
                        option.flag()?;
                        self.allow_unknown = true;
                    }
                    "validate_with" => self.validate_with = Some(option.path("check")?),
                    _ if form == Form::Derive => self.krate = option.krate()?,
                    _ => self.krate = option.krate_as_text()?,
                }
                Ok(())
            },
        );
        self.seen = seen;
        self.tag_reported |= tag_failed;
        match (first, &self.tag) {
            (Some(second), Some(_)) => {
                errors.at(second, "the type tag is given twice: remove it from one of the two attributes");
            }
            (Some(tag), None) => self.tag = Some(tag),
            (None, _) => {}
        }
    }

    /// Whether there is neither a tag nor an error about one.
    pub(super) fn lacks_tag(&self) -> bool {
        self.tag.is_none() && !self.tag_reported
    }
}

//! A client's types in TypeScript.

mod api;
mod topics;
mod types;
mod validators;

use std::collections::BTreeSet;

use switchboard_core::{Contract, envelope::EnvelopeStyle};

use self::{
    api::{Api, Names},
    types::Types,
};
use crate::{
    GenerateError, Generated,
    error::Problem,
    model::{Group, Source},
};

/// The package that a generated file imports from.
const MODULE: &str = "switchboard-client";

/// The types of that package that the file names.
const STANDALONE: &str = include_str!("standalone.ts");

/// Generates a file of TypeScript for one or more routes: types of all messages, an interface for each route, and
/// the value that `connect` takes.
///
/// Generated from the same contract, the file is the same. A type that several routes have stands in it once; types
/// that only share their name get that of their route in front.
///
/// ```
/// # use switchboard_core::Contract;
/// use switchboard_codegen::TypeScript;
///
/// # fn contracts() -> [Contract; 2] {
/// #     let side = r#"{ "messages": [], "rpcs": [], "$defs": {} }"#;
/// #     ["/chat", "/admin"].map(|path| serde_json::from_str(&format!(
/// #         r#"{{ "path": "{path}", "envelope": "standard", "protocols": [], "inbound": {side}, "outbound": {side}, "errors": [] }}"#
/// #     )).unwrap())
/// # }
/// let [chat, admin] = contracts();
/// let file = TypeScript::new().route("chat", &chat).route("admin", &admin).generate()?;
/// assert!(file.as_str().contains("export const admin: Route<AdminApi>"));
/// # Ok::<_, switchboard_codegen::GenerateError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct TypeScript {
    sources: Vec<Source>,
    /// `None` without a client.
    module: Option<String>,
}

impl TypeScript {
    /// Creates a generator without routes.
    pub fn new() -> Self {
        Self { sources: Vec::new(), module: Some(MODULE.to_owned()) }
    }

    /// Adds a route. Its interface and its value are named by it: `chat` gives `ChatApi` and `chat`.
    pub fn route(mut self, name: &str, contract: &Contract) -> Self {
        self.sources.push(Source::new(name, contract));
        self
    }

    /// Sets the module that the file imports its types from, such as `./switchboard/index.js` where the client's
    /// sources are part of the project. Default: `switchboard-client`.
    pub fn module(mut self, specifier: &str) -> Self {
        self.module = Some(specifier.to_owned());
        self
    }

    /// Writes the few types that the file would import into it, so that it needs no module at all: for a project
    /// with a client of its own. The client `switchboard-client` takes such a file, too.
    pub fn standalone(mut self) -> Self {
        self.module = None;
        self
    }

    /// Generates the file.
    ///
    /// # Errors
    ///
    /// If a route cannot be described to a client, with all reasons: a 64-bit integer whose range does not fit a
    /// number of JavaScript, an envelope other than the standard one, two routes of one name.
    pub fn generate(&self) -> Result<Generated, GenerateError> {
        let mut problems = Vec::new();
        let (names, group) = self.read(&mut problems);
        let mut file = header(self.module.as_deref());
        for class in group.classes() {
            let name_of = |name: &str| group.name_of(class.unit, name).to_owned();
            file += &Types::new(&name_of).declaration(&class.name, &class.shape, &class.doc);
            file.push('\n');
        }
        let routes: Vec<String> = self
            .sources
            .iter()
            .zip(&names)
            .enumerate()
            .map(|(index, (source, names))| {
                Api { index, source, group: &group, names, problems: &mut problems }.write()
            })
            .collect();
        file += &routes.join("\n");
        GenerateError::unless_empty(problems)?;
        Ok(Generated::new(file))
    }
    /// Generates a file of validators for the types that clients send, by their limits. It needs no package; each
    /// validator implements [Standard Schema](https://standardschema.dev), which form libraries know, and a bundler
    /// leaves out those that are not used.
    ///
    /// `types` is the module of the file of [`generate`](Self::generate), such as `./chat.js`. The server checks more,
    /// such as rules that are functions.
    ///
    /// # Errors
    ///
    /// As [`generate`](Self::generate).
    pub fn validators(&self, types: &str) -> Result<Generated, GenerateError> {
        let mut problems = Vec::new();
        let (_, group) = self.read(&mut problems);
        GenerateError::unless_empty(problems)?;
        Ok(Generated::new(validators::file(&group, types)))
    }

    /// The names of the routes, and the types.
    fn read(&self, problems: &mut Vec<Problem>) -> (Vec<Names>, Group) {
        let alone = self.sources.len() == 1;
        let names: Vec<Names> = self.sources.iter().map(|source| Names::new(&source.name, alone)).collect();
        let mut reserved = BTreeSet::from(["Meta".to_owned(), "Route".to_owned()]);
        for (source, names) in self.sources.iter().zip(&names) {
            if source.contract.envelope != EnvelopeStyle::Standard {
                let reason = "the TypeScript client knows the standard envelope only: remove `.envelope(…)` from the \
                              router, or generate `asyncapi`";
                problems.push(Problem::new(&source.name, "", reason));
            }
            if !reserved.insert(names.api.clone()) {
                problems.push(Problem::new(&source.name, "", "two routes have this name: give each its own"));
            }
            reserved.extend([names.server.clone(), names.client.clone()]);
        }
        let group = Group::new(&self.sources, &reserved, problems);
        (names, group)
    }
}

impl Default for TypeScript {
    fn default() -> Self {
        Self::new()
    }
}

/// Generates the file of one route, which is named by the last word of its path: see [`TypeScript`].
///
/// # Errors
///
/// As [`TypeScript::generate`].
pub fn typescript(contract: &Contract) -> Result<Generated, GenerateError> {
    TypeScript::new().route(route_name(&contract.path), contract).generate()
}

/// Returns the last word of a path that is no parameter, by which a route is named: `chat` of `/ws/chat/{room}`.
#[must_use]
pub fn route_name(path: &str) -> &str {
    let mut words = path.rsplit('/').filter(|word| !word.is_empty() && !word.contains(['{', '*', ':']));
    words.find(|word| word.starts_with(|c: char| c.is_ascii_alphabetic())).unwrap_or("route")
}

fn header(module: Option<&str>) -> String {
    let start = "// Generated by switchboard from the contract of the server. Do not edit.\n/* eslint-disable */\n\n";
    match module {
        Some(module) => format!("{start}import type {{ Meta, Route }} from {};\n\n", types::text(module)),
        None => format!("{start}{STANDALONE}\n"),
    }
}

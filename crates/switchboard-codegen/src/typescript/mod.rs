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
const WITHOUT_CLIENT: &str = include_str!("without_client.ts");

/// The client as one ES module, and its types. Built from `typescript/src` by `typescript/scripts/standalone.mjs`.
const CLIENT: [(&str, &str); 2] = [
    ("switchboard-client.js", include_str!("standalone/switchboard-client.js")),
    ("switchboard-client.d.ts", include_str!("standalone/switchboard-client.d.ts")),
];

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
    client: Client,
    language: Language,
}

/// Where the types come from that each generated file uses.
#[derive(Debug, Clone)]
enum Client {
    /// A module.
    Module(String),
    /// The client's files, written beside the generated one.
    Beside,
    /// The generated file itself.
    None,
}

/// What is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    TypeScript,
    /// With a file of declarations beside it.
    JavaScript,
}

impl TypeScript {
    /// Creates a generator without routes.
    pub fn new() -> Self {
        Self { sources: Vec::new(), client: Client::Module(MODULE.to_owned()), language: Language::TypeScript }
    }

    /// Adds a route. Its interface and its value are named by it: `chat` gives `ChatApi` and `chat`.
    pub fn route(mut self, name: &str, contract: &Contract) -> Self {
        self.sources.push(Source::new(name, contract));
        self
    }

    /// Sets the module that the file imports its types from, such as `./switchboard/index.js` where the client's
    /// sources are part of the project. Default: `switchboard-client`.
    pub fn module(mut self, specifier: &str) -> Self {
        self.client = Client::Module(specifier.to_owned());
        self
    }

    /// Writes the client beside the file, as `switchboard-client.js` with its types in `switchboard-client.d.ts`, so
    /// that the project needs no package of npm. [`Generated::write`] and [`Generated::check`] include both files.
    ///
    /// It is the entry `switchboard-client` of the package, without those for React and MessagePack.
    pub fn standalone(mut self) -> Self {
        self.client = Client::Beside;
        self
    }

    /// Writes the few types that the file would import into it, so that it needs no module at all: for a project
    /// with a client of its own. The client `switchboard-client` takes such a file, too.
    pub fn without_client(mut self) -> Self {
        self.client = Client::None;
        self
    }

    /// Generates an ES module of JavaScript, for pages that no program builds. Its types are written beside it:
    /// `chat.d.ts` for `chat.js`, which editors read.
    ///
    /// With [`standalone`](Self::standalone), a page needs these files and nothing else:
    ///
    /// ```no_run
    /// # use switchboard_core::Contract;
    /// # use switchboard_codegen::TypeScript;
    /// # fn contract() -> Contract { serde_json::from_str("…").unwrap() }
    /// // import { connect } from "./switchboard-client.js";
    /// // import { chat } from "./chat.js";
    /// TypeScript::new().route("chat", &contract()).javascript().standalone().generate()?.check("static/client/chat.js")?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn javascript(mut self) -> Self {
        self.language = Language::JavaScript;
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
        let mut types = header(&self.client);
        for class in group.classes() {
            let name_of = |name: &str| group.name_of(class.unit, name).to_owned();
            types += &Types::new(&name_of).declaration(&class.name, &class.shape, &class.doc);
            types.push('\n');
        }
        let routes: Vec<String> = self
            .sources
            .iter()
            .zip(&names)
            .enumerate()
            .map(|(index, (source, names))| {
                let mut api = Api { index, source, group: &group, names, problems: &mut problems };
                api.types() + &self.value(source, names)
            })
            .collect();
        types += &routes.join("\n");
        GenerateError::unless_empty(problems)?;
        let beside = if let Client::Beside = self.client { &CLIENT[..] } else { &[] };
        Ok(match self.language {
            Language::TypeScript => Generated::new(types),
            Language::JavaScript => {
                let values = self.sources.iter().zip(&names).map(|(source, names)| {
                    format!("\nexport const {} = {};\n", names.value, api::value(&source.contract))
                });
                Generated::new(format!("{START}{}", values.collect::<String>())).with_declarations(types)
            }
        }
        .with_files(beside))
    }

    /// What the file with the types says about the value of a route.
    fn value(&self, source: &Source, names: &Names) -> String {
        let Names { api, value, .. } = names;
        match self.language {
            Language::TypeScript => {
                format!("export const {value}: Route<{api}> = {};\n", api::value(&source.contract))
            }
            Language::JavaScript => format!("export declare const {value}: Route<{api}>;\n"),
        }
    }

    /// Generates a file of validators by the limits in the contract: one for each type, and a function for each route,
    /// such as `validateChat`, which checks all of its messages. It needs no package; each validator implements
    /// [Standard Schema](https://standardschema.dev), which form libraries know, the function is for the client's
    /// option `validate`, and a bundler leaves out what is not used.
    ///
    /// `types` is the module of the file of [`generate`](Self::generate), such as `./chat.js`. The server checks more,
    /// such as rules that are functions.
    ///
    /// # Errors
    ///
    /// As [`generate`](Self::generate).
    pub fn validators(&self, types: &str) -> Result<Generated, GenerateError> {
        let mut problems = Vec::new();
        let (names, group) = self.read(&mut problems);
        GenerateError::unless_empty(problems)?;
        let routes: Vec<_> = self.sources.iter().zip(&names).collect();
        Ok(validators::file(&group, &routes, types, self.language))
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

const START: &str = "// Generated by switchboard from the contract of the server. Do not edit.\n/* eslint-disable */\n";

fn header(client: &Client) -> String {
    let import = |module: &str| format!("{START}\nimport type {{ Meta, Route }} from {};\n\n", types::text(module));
    match client {
        Client::Module(module) => import(module),
        Client::Beside => import("./switchboard-client.js"),
        Client::None => format!("{START}\n{WITHOUT_CLIENT}\n"),
    }
}

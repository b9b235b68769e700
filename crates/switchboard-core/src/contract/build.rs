//! Collecting a contract.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    Contract, ErrorContract, MessageContract, RpcContract, Side, TopicContract,
    schemas::{Direction, Schemas},
};
use crate::{ErrorCode, Kind, Message, MessageMeta, Request, envelope::EnvelopeStyle};

/// Collects what a router takes and sends. Each type counts once.
#[doc(hidden)]
#[derive(Debug)]
pub struct ContractBuilder {
    inbound: Half,
    outbound: Half,
    topics: BTreeMap<String, BTreeSet<String>>,
    limits: BTreeMap<String, u64>,
}

/// One side, and the schemas of all that goes its way.
struct Half {
    direction: Direction,
    schemas: Schemas,
    messages: BTreeMap<&'static str, MessageContract>,
    rpcs: BTreeMap<&'static str, RpcContract>,
}

impl Half {
    fn new(direction: Direction) -> Self {
        Self { direction, schemas: Schemas::new(direction), messages: BTreeMap::new(), rpcs: BTreeMap::new() }
    }

    fn message<M: Message>(&mut self, message_type: &str) -> MessageContract {
        let mut message = MessageContract {
            message_type: message_type.to_owned(),
            description: None,
            deprecated: false,
            payload: M::HAS_PAYLOAD.then(|| M::schema(&mut self.schemas)),
            meta: M::Meta::DECLARED.then(|| M::Meta::schema(&mut self.schemas)),
            allow_unknown: M::ALLOW_UNKNOWN,
        };
        // The others are described by their payload, once all schemas are made.
        if message.payload.is_none() {
            let mut schemas = Schemas::new(self.direction);
            let schema = M::schema(&mut schemas);
            let named = schemas.into_definitions().into_values().next();
            message.annotate(&named.unwrap_or(schema).0);
        }
        message
    }

    /// `back`: the other side.
    fn add<M: Message>(&mut self, message_type: &'static str, back: &mut Self) {
        if self.messages.contains_key(message_type) || self.rpcs.contains_key(message_type) {
            return;
        }
        let message = self.message::<M>(message_type);
        if M::Kind::IS_RPC {
            let response = M::response_contract(Answering { back });
            let progress = M::progress_schema(&mut back.schemas);
            self.rpcs.insert(message_type, RpcContract { request: message, response, progress, errors: Vec::new() });
        } else {
            self.messages.insert(message_type, message);
        }
    }

    fn into_side(self) -> Side {
        Side {
            messages: self.messages.into_values().collect(),
            rpcs: self.rpcs.into_values().collect(),
            definitions: self.schemas.into_definitions(),
        }
    }
}

/// The side that a response is sent by: see [`Message::response_contract`].
#[derive(Debug)]
pub struct Answering<'a> {
    back: &'a mut Half,
}

impl Answering<'_> {
    /// The response of this request.
    #[must_use]
    pub fn to<Q: Request>(self) -> MessageContract {
        self.back.message::<Q::Response>(Q::Response::TYPE)
    }
}

impl ContractBuilder {
    /// With nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self {
            inbound: Half::new(Direction::Inbound),
            outbound: Half::new(Direction::Outbound),
            topics: BTreeMap::new(),
            limits: BTreeMap::new(),
        }
    }

    /// The server handles this, under this type tag.
    pub fn receives<M: Message>(&mut self, message_type: &'static str) {
        self.inbound.add::<M>(message_type, &mut self.outbound);
    }

    /// The server sends this of its own accord.
    pub fn sends<M: Message>(&mut self) {
        self.outbound.add::<M>(M::TYPE, &mut self.inbound);
    }

    /// A request that the server handles may fail with these codes of the application. Codes of the protocol are
    /// skipped, and so is the type tag of an event.
    pub fn fails_with<'a>(&mut self, message_type: &str, codes: impl IntoIterator<Item = &'a str>) {
        let Some(rpc) = self.inbound.rpcs.get_mut(message_type) else { return };
        let known = |code: &str| ErrorCode::ALL.iter().any(|known| known.as_str() == code);
        rpc.errors.extend(codes.into_iter().filter(|code| !known(code)).map(str::to_owned));
        rpc.errors.sort_unstable();
        rpc.errors.dedup();
    }

    /// Clients may subscribe to topics of this pattern, which have messages of these types. The same pattern again
    /// adds to its types.
    pub fn topic<'a>(&mut self, pattern: &str, message_types: impl IntoIterator<Item = &'a str>) {
        let types = self.topics.entry(pattern.to_owned()).or_default();
        types.extend(message_types.into_iter().map(str::to_owned));
    }

    /// A limit of the server, for documentation.
    pub fn limit(&mut self, name: &str, value: u64) {
        self.limits.insert(name.to_owned(), value);
    }

    /// The whole.
    #[must_use]
    pub fn build(self, path: &str, envelope: EnvelopeStyle, protocols: Vec<String>) -> Contract {
        let topics = self
            .topics
            .into_iter()
            .map(|(pattern, messages)| TopicContract { pattern, messages: messages.into_iter().collect() });
        let mut inbound = self.inbound.into_side();
        let mut outbound = self.outbound.into_side();
        // A response is sent by the other side.
        let definitions = [inbound.definitions.clone(), outbound.definitions.clone()];
        for (side, [own, back]) in [(&mut inbound, [0, 1]), (&mut outbound, [1, 0])] {
            side.messages.iter_mut().for_each(|message| message.annotate_from(&definitions[own]));
            for rpc in &mut side.rpcs {
                rpc.request.annotate_from(&definitions[own]);
                rpc.response.iter_mut().for_each(|response| response.annotate_from(&definitions[back]));
            }
        }
        Contract {
            path: path.to_owned(),
            envelope,
            protocols,
            inbound,
            outbound,
            topics: topics.collect(),
            errors: ErrorCode::ALL.iter().map(ErrorContract::of).collect(),
            limits: self.limits,
        }
    }
}

impl Default for ContractBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Half {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Half").field("messages", &self.messages).field("rpcs", &self.rpcs).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;
    use crate::{Event, Rpc};

    #[derive(Serialize, Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    /// Their sum.
    struct Sum {
        result: f64,
    }

    #[derive(Serialize, Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    /// Two numbers.
    struct Add {
        a: f64,
        /// The second.
        #[serde(default)]
        b: f64,
    }

    #[derive(Serialize, Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    /// Of no use.
    #[cfg_attr(feature = "schema", schemars(extend("deprecated" = true)))]
    struct Nothing;

    macro_rules! messages {
        ($($name:ident $tag:literal $kind:ty;)*) => {$(
            impl Message for $name {
                type Kind = $kind;
                type Meta = ();
                const TYPE: &'static str = $tag;
                const HAS_PAYLOAD: bool = size_of::<Self>() > 0;

                fn response_contract(answering: Answering<'_>) -> Option<MessageContract> {
                    Self::Kind::IS_RPC.then(|| answering.to::<Add>())
                }

                #[cfg(feature = "schema")]
                fn schema(schemas: &mut Schemas) -> super::super::Schema {
                    schemas.of::<Self>()
                }
            }
        )*};
    }

    messages! {
        Sum "SUM" Event;
        Add "ADD" Rpc<Sum>;
        Nothing "NOTHING" Event;
    }

    impl Request for Add {
        type Response = Sum;
        type Progress = ();
    }

    fn contract() -> Contract {
        let mut builder = ContractBuilder::new();
        builder.receives::<Nothing>("NOTHING");
        builder.receives::<Add>("ADD");
        builder.receives::<Add>("ADD");
        builder.sends::<Sum>();
        builder.build("/ws", EnvelopeStyle::Standard, Vec::new())
    }

    #[test]
    fn each_type_stands_once_and_responses_refer_to_the_other_side() {
        let Contract { inbound, outbound, .. } = contract();
        let tags = |side: &Side| -> Vec<String> { side.messages.iter().map(|one| one.message_type.clone()).collect() };
        assert_eq!((tags(&inbound), tags(&outbound)), (vec!["NOTHING".to_owned()], vec!["SUM".to_owned()]));
        assert_eq!(inbound.messages[0].payload, None);
        assert_eq!(inbound.rpcs.len(), 1);
        assert_eq!(inbound.rpcs[0].response.as_ref().unwrap().message_type, "SUM");
    }

    #[cfg(feature = "schema")]
    #[test]
    fn schemas_are_found_where_they_are_referred_to() {
        let json = serde_json::to_value(contract()).unwrap();
        let add = &json["inbound"]["rpcs"][0];
        assert_eq!(add["payload"], json!({ "$ref": "#/inbound/$defs/Add" }));
        assert_eq!(add["response"]["payload"], json!({ "$ref": "#/outbound/$defs/Sum" }));
        // What may be left out when it is read is always there when it is written.
        assert_eq!(json["inbound"]["$defs"]["Add"]["required"], json!(["a"]));
        assert_eq!(json["outbound"]["$defs"]["Sum"]["required"], json!(["result"]));
        assert_eq!(serde_json::from_value::<Contract>(json).unwrap(), contract());
    }

    #[cfg(not(feature = "schema"))]
    #[test]
    fn without_schemas_anything_is_allowed() {
        assert_eq!(contract().inbound.rpcs[0].request.payload, Some(json!(true)));
    }

    #[test]
    fn codes_and_topics_are_sorted_and_stand_once() {
        let mut builder = ContractBuilder::new();
        builder.receives::<Add>("ADD");
        builder.sends::<Sum>();
        builder.fails_with("ADD", ["SOLD_OUT", "NOT_FOUND", "CLOSED"]);
        builder.fails_with("ADD", ["CLOSED"]);
        builder.fails_with("SUM", ["CLOSED"]);
        builder.topic("room:{id}", ["SUM"]);
        builder.topic("lobby", ["SUM"]);
        builder.topic("room:{id}", ["SUM", "ANY"]);
        let contract = builder.build("/ws", EnvelopeStyle::Standard, Vec::new());
        assert_eq!(contract.inbound.rpcs[0].errors, ["CLOSED", "SOLD_OUT"]);
        let topics: Vec<_> = contract.topics.iter().map(|topic| (&*topic.pattern, topic.messages.join(","))).collect();
        assert_eq!(topics, [("lobby", "SUM".to_owned()), ("room:{id}", "ANY,SUM".to_owned())]);
    }

    #[cfg(feature = "schema")]
    #[test]
    fn doc_comments_and_deprecations_reach_messages_and_not_the_hash() {
        let mut documented = contract();
        let nothing = &documented.inbound.messages[0];
        assert_eq!((nothing.description.as_deref(), nothing.deprecated), (Some("Of no use."), true));
        let add = &documented.inbound.rpcs[0];
        assert_eq!(add.request.description.as_deref(), Some("Two numbers."));
        assert_eq!(add.response.as_ref().unwrap().description.as_deref(), Some("Their sum."));
        let json = serde_json::to_value(&documented).unwrap();
        assert_eq!(json["inbound"]["$defs"]["Add"]["properties"]["b"]["description"], "The second.");
        documented.inbound.messages[0].description = None;
        documented.limits.insert("maxMessageBytes".into(), 1);
        assert_eq!(documented.hash(), contract().hash());
    }

    #[test]
    fn the_hash_is_that_of_the_contract_and_not_of_its_place() {
        let mut other = contract();
        other.path = "/elsewhere".into();
        assert_eq!(other.hash(), contract().hash());
        assert_eq!(other.hash().len(), 16);
        // The same in every build, whatever features serde_json has.
        #[cfg(feature = "schema")]
        assert_eq!(other.hash(), "b75ae2a2b203a147");
        other.inbound.messages.clear();
        assert_ne!(other.hash(), contract().hash());
    }
}

//! Collecting a contract.

use std::{collections::BTreeMap, fmt};

use super::{
    Contract, ErrorContract, MessageContract, RpcContract, Side,
    schemas::{Direction, Schemas},
};
use crate::{ErrorCode, Kind, Message, MessageMeta, Request, envelope::EnvelopeStyle};

/// Collects what a router takes and sends. Each type counts once.
#[doc(hidden)]
#[derive(Debug)]
pub struct ContractBuilder {
    inbound: Half,
    outbound: Half,
}

/// One side, and the schemas of all that goes its way.
struct Half {
    schemas: Schemas,
    messages: BTreeMap<&'static str, MessageContract>,
    rpcs: BTreeMap<&'static str, RpcContract>,
}

impl Half {
    fn new(direction: Direction) -> Self {
        Self { schemas: Schemas::new(direction), messages: BTreeMap::new(), rpcs: BTreeMap::new() }
    }

    fn message<M: Message>(&mut self, message_type: &str) -> MessageContract {
        MessageContract {
            message_type: message_type.to_owned(),
            payload: M::HAS_PAYLOAD.then(|| M::schema(&mut self.schemas)),
            meta: M::Meta::DECLARED.then(|| M::Meta::schema(&mut self.schemas)),
            allow_unknown: M::ALLOW_UNKNOWN,
        }
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
            self.rpcs.insert(message_type, RpcContract { request: message, response, progress });
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
        Self { inbound: Half::new(Direction::Inbound), outbound: Half::new(Direction::Outbound) }
    }

    /// The server handles this, under this type tag.
    pub fn receives<M: Message>(&mut self, message_type: &'static str) {
        self.inbound.add::<M>(message_type, &mut self.outbound);
    }

    /// The server sends this of its own accord.
    pub fn sends<M: Message>(&mut self) {
        self.outbound.add::<M>(M::TYPE, &mut self.inbound);
    }

    /// The whole.
    #[must_use]
    pub fn build(self, path: &str, envelope: EnvelopeStyle, protocols: Vec<String>) -> Contract {
        Contract {
            path: path.to_owned(),
            envelope,
            protocols,
            inbound: self.inbound.into_side(),
            outbound: self.outbound.into_side(),
            errors: ErrorCode::ALL.iter().map(ErrorContract::of).collect(),
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
    struct Sum {
        result: f64,
    }

    #[derive(Serialize, Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    struct Add {
        a: f64,
        #[serde(default)]
        b: f64,
    }

    #[derive(Serialize, Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    fn the_hash_is_that_of_the_contract_and_not_of_its_place() {
        let mut other = contract();
        other.path = "/elsewhere".into();
        assert_eq!(other.hash(), contract().hash());
        assert_eq!(other.hash().len(), 16);
        other.inbound.messages.clear();
        assert_ne!(other.hash(), contract().hash());
    }
}

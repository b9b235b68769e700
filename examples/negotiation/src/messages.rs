//! The messages between client and server.

use switchboard::{ws_message, ws_payload, ws_rpc};

/// A feature of either side.
#[ws_payload(rename_all = "snake_case")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    Compression,
    Encryption,
    Batching,
    BinaryMessages,
}

/// The client's capabilities.
#[ws_message("CLIENT_CAPABILITIES")]
pub(crate) struct ClientCapabilities {
    #[validate(length(min = 1, max = 32))]
    pub(crate) protocol_version: String,
    #[validate(length(max = 16))]
    pub(crate) features: Vec<Feature>,
    #[validate(length(max = 16))]
    pub(crate) compression_formats: Option<Vec<String>>,
}

/// The answer: the server's capabilities, and the features that both will use.
#[ws_message("SERVER_CAPABILITIES")]
pub(crate) struct ServerCapabilities {
    pub(crate) protocol_version: String,
    pub(crate) supported_features: Vec<Feature>,
    pub(crate) enabled_features: Vec<Feature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) compression_format: Option<String>,
}

/// Asks for the negotiated settings.
#[ws_rpc("GET_NEGOTIATED", response = Negotiated)]
pub(crate) struct GetNegotiated;

/// The negotiated settings.
#[ws_message("NEGOTIATED")]
#[derive(Debug, Clone)]
pub(crate) struct Negotiated {
    pub(crate) enabled_features: Vec<Feature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) compression_format: Option<String>,
}

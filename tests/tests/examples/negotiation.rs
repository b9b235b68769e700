//! `examples/negotiation` over real sockets, one test per row of the checklist.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use switchboard_tests::client::{Client, Server};

async fn connect() -> (Server, Client) {
    let server = Server::start(negotiation::app());
    let client = server.connect("/ws").await;
    (server, client)
}

fn capabilities(version: &str, features: &[&str], formats: &[&str]) -> Value {
    json!({ "protocolVersion": version, "features": features, "compressionFormats": formats })
}

async fn negotiated(client: &mut Client) -> Value {
    client.text(r#"{"type":"GET_NEGOTIATED","meta":{"correlationId":"g"}}"#).await;
    client.expect("NEGOTIATED").await
}

#[tokio::test]
async fn features_of_both_sides_are_enabled() {
    let (_server, mut client) = connect().await;
    client.text(r#"{"type":"GET_NEGOTIATED","meta":{"correlationId":"g"}}"#).await;
    client.expect_error("RPC_ERROR", "FAILED_PRECONDITION").await;

    let all = ["binary_messages", "batching", "encryption", "compression"];
    for (version, features, formats, enabled, format) in [
        ("1.0", &all[..], &["br", "deflate", "gzip"][..], json!(["compression", "batching"]), Some("gzip")),
        ("1.12", &all[3..], &["deflate"], json!(["compression"]), Some("deflate")),
        ("1.0.3", &all[3..], &["br"], json!(["compression"]), None),
        ("1.0", &all[3..], &[], json!(["compression"]), None),
        // Without compression, there is no format.
        ("1.0", &all[..2], &["gzip"], json!(["batching"]), None),
        ("1.0", &[], &[], json!([]), None),
    ] {
        client.send("CLIENT_CAPABILITIES", capabilities(version, features, formats)).await;
        let mut expected = json!({
            "protocolVersion": "1.0",
            "supportedFeatures": ["compression", "batching"],
            "enabledFeatures": enabled,
        });
        let mut kept = json!({ "enabledFeatures": enabled });
        if let Some(format) = format {
            expected["compressionFormat"] = json!(format);
            kept["compressionFormat"] = json!(format);
        }
        assert_eq!(client.expect("SERVER_CAPABILITIES").await, expected);
        assert_eq!(negotiated(&mut client).await, kept);
    }

    client.send("CLIENT_CAPABILITIES", json!({ "protocolVersion": "1.0", "features": ["batching"] })).await;
    assert_eq!(client.expect("SERVER_CAPABILITIES").await["enabledFeatures"], json!(["batching"]));
    client.send("CLIENT_CAPABILITIES", capabilities("1.0", &["telepathy"], &[])).await;
    client.expect_error("ERROR", "INVALID_ARGUMENT").await;
}

#[tokio::test]
async fn another_major_version_is_refused_and_closed() {
    for version in ["2.0", "0.9", "1", "1.", "1.x", "10.0", "11"] {
        let (_server, mut client) = connect().await;
        let begin = Instant::now();
        client.send("CLIENT_CAPABILITIES", capabilities(version, &["compression"], &["gzip"])).await;
        let error = client.expect_error("ERROR", "INVALID_ARGUMENT").await;
        let text = format!("Unsupported protocol version: {version}. Server requires 1.x");
        assert_eq!(error["message"], text);
        assert_eq!(client.expect_close().await, (1002, "Incompatible protocol version".to_owned()));
        assert!(begin.elapsed() >= Duration::from_millis(100), "{:?}", begin.elapsed());
    }
}

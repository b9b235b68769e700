//! TLS, with a certificate made for the test.

use std::fs;

use broker_servers::{Program, Server};
use switchboard_core::broker::BrokerErrorKind;
use switchboard_nats::NatsBroker;

/// A server that wants TLS, and its certificate in PEM.
fn start_server() -> (Server, String) {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let server = Server::start(Program::Nats, &["--tls", "--tlscert", certificate, "--tlskey", key]);
    (server, made.cert.pem())
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn messages_travel_over_tls_and_certificates_are_checked() {
    use broker_servers::topic;
    use switchboard_core::broker::Broker;

    use crate::setup::start;

    let (server, pem) = start_server();
    let port = server.port();
    // Also if the URL does not ask for it, because the server does.
    for scheme in ["tls", "nats"] {
        let builder = NatsBroker::builder(format!("{scheme}://localhost:{port}"));
        let node = start(builder.clone().root_certificates(pem.clone())).await;
        let room = topic("room");
        node.broker.subscribe(&room).await.unwrap();
        node.broker.publish(&room, "hello".into()).await.unwrap();
        node.hears(&room, "hello").await;
        let stranger = builder.connect().await.unwrap_err();
        assert_eq!(stranger.kind(), BrokerErrorKind::Unavailable, "the system does not know it: {stranger}");
    }
    let other_name = NatsBroker::builder(format!("tls://127.0.0.1:{port}")).root_certificates(pem);
    assert_eq!(other_name.connect().await.unwrap_err().kind(), BrokerErrorKind::Unavailable);
}

#[cfg(feature = "tls")]
#[test]
fn certificates_that_cannot_be_read_are_refused() {
    let builder = NatsBroker::builder("tls://localhost").root_certificates("no certificate");
    assert!(builder.build().unwrap_err().to_string().contains("root_certificates"));
}

/// Without the feature, the client would panic.
#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn a_server_that_wants_tls_is_refused_with_the_name_of_the_feature() {
    let (server, _) = start_server();
    let error = NatsBroker::connect(format!("nats://localhost:{}", server.port())).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Rejected);
    assert!(error.to_string().contains("feature `tls`"), "{error}");
}

/// A server that wants certificates, which are checked by the one that is given, and what the client needs.
#[cfg(feature = "tls")]
#[tokio::test]
async fn a_node_shows_its_certificate() {
    use crate::setup::start;

    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (certificate, key_file) = (write("cert.pem", &pem), write("key.pem", &key));
    let tls = ["--tlsverify", "--tlscert", &certificate, "--tlskey", &key_file, "--tlscacert", &certificate];
    let server = Server::start(Program::Nats, &tls);
    let builder = NatsBroker::builder(format!("tls://localhost:{}", server.port())).root_certificates(pem.clone());
    let error = builder.clone().connect().await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Unavailable, "{error}");
    start(builder.clone().client_certificate(pem.clone(), key.clone())).await;
    for (certificate, key) in [("none", key.as_str()), (pem.as_str(), "none")] {
        let error = builder.clone().client_certificate(certificate, key).build().unwrap_err();
        assert!(error.to_string().contains("client_certificate"), "{error}");
    }
}

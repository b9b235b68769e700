//! TLS, with a certificate made for the test.

use std::fs;

use broker_servers::{Program, Server, topic};
use switchboard_core::broker::{Broker, BrokerErrorKind};
use switchboard_redis::RedisBroker;

use crate::setup::start;

#[tokio::test]
async fn messages_travel_over_tls_and_certificates_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let pem = made.cert.pem();
    fs::write(&certificate, &pem).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let tls = ["--tls-port", "{other_port}", "--tls-cert-file", certificate, "--tls-key-file", key];
    let files = ["--tls-ca-cert-file", certificate, "--tls-auth-clients", "no"];
    let server = Server::start(Program::Redis, &[tls.as_slice(), &files].concat());
    let port = server.other_port();

    let builder = RedisBroker::builder(format!("rediss://localhost:{port}"));
    let node = start(builder.clone().root_certificates(pem.clone())).await;
    let room = topic("room");
    node.broker.subscribe(&room).await.unwrap();
    node.broker.publish(&room, "hello".into()).await.unwrap();
    node.hears(&room, "hello").await;

    let stranger = builder.connect().await.unwrap_err();
    assert_eq!(stranger.kind(), BrokerErrorKind::Unavailable, "the system does not know this certificate: {stranger}");
    let other_name = RedisBroker::builder(format!("rediss://127.0.0.1:{port}")).root_certificates(pem);
    assert_eq!(other_name.connect().await.unwrap_err().kind(), BrokerErrorKind::Unavailable);
    let plain = RedisBroker::connect(format!("redis://localhost:{port}")).await.unwrap_err();
    assert!(plain.to_string().contains("rediss://"), "{plain}");
}

#[test]
fn certificates_that_cannot_be_read_are_refused() {
    let builder = RedisBroker::builder("rediss://localhost").root_certificates("no certificate");
    assert!(builder.build().unwrap_err().to_string().contains("root_certificates"));
}

#[tokio::test]
async fn a_node_shows_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (certificate, key_file) = (write("cert.pem", &pem), write("key.pem", &key));
    let tls = ["--tls-port", "{other_port}", "--tls-cert-file", &certificate, "--tls-key-file", &key_file];
    let server = Server::start(Program::Redis, &[&tls[..], &["--tls-ca-cert-file", &certificate]].concat());
    let builder =
        RedisBroker::builder(format!("rediss://localhost:{}", server.other_port())).root_certificates(pem.clone());
    let error = builder.clone().connect().await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Unavailable, "{error}");
    start(builder.clone().client_certificate(pem.clone(), key.clone())).await;
    let limits = builder.clone().client_certificate(pem.clone(), key.clone()).rate_limit().connect().await;
    limits.unwrap();
    for (certificate, key) in [("none", key.as_str()), (pem.as_str(), "none")] {
        let error = builder.clone().client_certificate(certificate, key).build().unwrap_err();
        assert!(error.to_string().contains("client_certificate"), "{error}");
    }
}

//! A WebSocket client for tests. Waits with a timeout, never by sleeping.

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    },
};

use crate::serve::{listen, serve_on};

/// The timeout of everything that is waited for.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A server on a free port, stopped when dropped.
#[derive(Debug)]
pub struct Server {
    /// The address it listens on.
    pub addr: SocketAddr,
    /// The server's task; aborting it ends the server.
    pub task: JoinHandle<()>,
}

impl Server {
    /// Serves an application on any free port.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    #[must_use]
    pub fn start(app: Router) -> Self {
        let listener = listen(0).expect("a free port");
        let addr = listener.local_addr().expect("a bound listener");
        let task = tokio::spawn(async move {
            serve_on(listener, app).await.expect("a server");
        });
        Self { addr, task }
    }

    /// Connects to a path.
    ///
    /// # Panics
    ///
    /// If the upgrade is refused.
    pub async fn connect(&self, path: &str) -> Client {
        connect(self.addr, path).await
    }

    /// Tries to connect with additional headers.
    ///
    /// # Errors
    ///
    /// The HTTP response of a refusal.
    ///
    /// # Panics
    ///
    /// If there is no server, or it does not speak HTTP.
    pub async fn upgrade(&self, path: &str, headers: &[(&str, &str)]) -> Result<Client, Refusal> {
        upgrade(self.addr, path, headers).await
    }

    /// Sends an HTTP request. Returns the status, and the body if it is JSON.
    ///
    /// # Panics
    ///
    /// If there is no server, or it does not speak HTTP.
    pub async fn http(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        http(self.addr, method, path, body).await
    }

    /// Waits until a JSON page has an expected value.
    ///
    /// # Panics
    ///
    /// If that takes too long.
    pub async fn wait_for(&self, path: &str, key: &str, expected: &Value) {
        let wait = async {
            loop {
                let (_, page) = self.http("GET", path, None).await;
                if page[key] == *expected {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if timeout(PATIENCE, wait).await.is_err() {
            let (_, page) = self.http("GET", path, None).await;
            panic!("{key} of {path} is not {expected}: {page}");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Connects to a path of any server.
///
/// # Panics
///
/// If the upgrade is refused.
pub async fn connect(addr: SocketAddr, path: &str) -> Client {
    match upgrade(addr, path, &[]).await {
        Ok(client) => client,
        Err(refusal) => panic!("refused: {refusal:?}"),
    }
}

async fn upgrade(addr: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Client, Refusal> {
    let stream = TcpStream::connect(addr).await.expect("a server");
    let mut request = format!("ws://{addr}{path}").into_client_request().expect("a request");
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect("a header name");
        request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a header value"));
    }
    match timeout(PATIENCE, client_async(request, stream)).await.expect("an answer in time") {
        Ok((ws, response)) => Ok(Client { ws, headers: response.headers().clone() }),
        Err(Error::Http(response)) => Err(Refusal {
            status: response.status(),
            headers: response.headers().clone(),
            body: String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned(),
        }),
        Err(error) => panic!("no answer: {error}"),
    }
}

/// Sends an HTTP request to any server. Returns the status, and the body if it is JSON.
///
/// # Panics
///
/// If there is no server, or it does not speak HTTP.
pub async fn http(addr: SocketAddr, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let url = format!("http://{addr}{path}");
    let mut request = reqwest::Client::new().request(method.parse().expect("a method"), url);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = timeout(PATIENCE, request.send()).await.expect("an answer in time").expect("a response");
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Value::Null))
}

/// A refused upgrade.
#[derive(Debug)]
pub struct Refusal {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its text.
    pub body: String,
}

/// A connected client, over any stream.
#[derive(Debug)]
pub struct Client<S = TcpStream> {
    /// The connection.
    pub ws: WebSocketStream<S>,
    /// The headers of the upgrade's response.
    pub headers: HeaderMap,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Sends a text frame.
    ///
    /// # Panics
    ///
    /// If the connection is closed.
    pub async fn text(&mut self, text: impl Into<String>) {
        self.ws.send(Message::text(text.into())).await.expect("an open connection");
    }

    /// Sends a message without meta.
    pub async fn send(&mut self, message_type: &str, payload: Value) {
        self.text(json!({ "type": message_type, "payload": payload }).to_string()).await;
    }

    /// Sends a message with a correlation id.
    pub async fn send_request(&mut self, message_type: &str, id: &str, payload: Value) {
        let message = json!({ "type": message_type, "meta": { "correlationId": id }, "payload": payload });
        self.text(message.to_string()).await;
    }

    /// Sends a request and waits for the next message.
    pub async fn request(&mut self, message_type: &str, id: &str, payload: Value) -> Value {
        self.send_request(message_type, id, payload).await;
        self.recv().await
    }

    /// Returns the next frame that is not a ping or pong.
    ///
    /// # Panics
    ///
    /// If none arrives, or the connection ends without a close frame.
    pub async fn frame(&mut self) -> Message {
        loop {
            let next = timeout(PATIENCE, self.ws.next()).await.expect("a frame in time");
            match next.expect("an open connection").expect("a frame") {
                Message::Ping(_) | Message::Pong(_) => {}
                frame => return frame,
            }
        }
    }

    /// Returns the next message.
    ///
    /// # Panics
    ///
    /// If the next frame is not JSON text.
    pub async fn recv(&mut self) -> Value {
        match self.frame().await {
            Message::Text(text) => serde_json::from_str(&text).expect("JSON"),
            frame => panic!("not text: {frame:?}"),
        }
    }

    /// Returns the payload of the next message, which must be of this type.
    ///
    /// # Panics
    ///
    /// If it is of another type.
    pub async fn expect(&mut self, message_type: &str) -> Value {
        let mut message = self.recv().await;
        assert_eq!(message["type"], message_type, "{message}");
        message["payload"].take()
    }

    /// Returns the payload of the next message, which must be an `ERROR` or `RPC_ERROR` with this
    /// code.
    ///
    /// # Panics
    ///
    /// If it is anything else.
    pub async fn expect_error(&mut self, message_type: &str, code: &str) -> Value {
        let payload = self.expect(message_type).await;
        assert_eq!(payload["code"], code, "{payload}");
        payload
    }

    /// Returns the code (1005 for none) and reason of the close frame, which must be the next
    /// frame.
    ///
    /// # Panics
    ///
    /// If another frame arrives.
    pub async fn expect_close(&mut self) -> (u16, String) {
        match self.frame().await {
            Message::Close(Some(frame)) => (frame.code.into(), frame.reason.as_str().to_owned()),
            Message::Close(None) => (1005, String::new()),
            frame => panic!("not a close frame: {frame:?}"),
        }
    }

    /// Reads messages until the close frame and returns its code.
    ///
    /// # Panics
    ///
    /// If it does not arrive.
    pub async fn skip_to_close(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.frame().await {
                return frame.map_or(1005, |frame| frame.code.into());
            }
        }
    }

    /// Asserts that the connection is open: a request is answered, and no message arrives before.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub async fn assert_alive(&mut self) {
        let reply = self.request("ADD", "alive?", json!({ "a": 1, "b": 2 })).await;
        assert_eq!((&reply["type"], &reply["payload"]), (&json!("SUM"), &json!({ "result": 3.0 })), "{reply}");
    }

    /// Writes raw bytes to the socket.
    ///
    /// # Panics
    ///
    /// If the connection is closed.
    pub async fn raw(&mut self, bytes: &[u8]) {
        let stream = self.ws.get_mut();
        stream.write_all(bytes).await.expect("an open connection");
        // The server may have closed the connection.
        _ = stream.flush().await;
    }

    /// Closes with a code and returns the code of the answer.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub async fn close(&mut self, code: u16) -> u16 {
        let frame = masked(0x88, &code.to_be_bytes());
        self.raw(&frame).await;
        self.skip_to_close().await
    }
}

/// A client's frame with the mask 0, which leaves the payload unchanged.
#[must_use]
pub fn masked(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first_byte];
    match u8::try_from(payload.len()) {
        Ok(len) if len < 126 => frame.push(0x80 | len),
        _ => {
            frame.push(0x80 | 126);
            let len = u16::try_from(payload.len()).expect("a short payload");
            frame.extend_from_slice(&len.to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// Reads a message in MessagePack.
///
/// # Panics
///
/// If the frame is not binary, or not MessagePack.
#[must_use]
pub fn from_messagepack(frame: &Message) -> Value {
    let Message::Binary(bytes) = frame else { panic!("not binary: {frame:?}") };
    rmp_serde::from_slice(bytes).expect("MessagePack")
}

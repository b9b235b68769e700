//! A chat that can be stopped and started again on the same port, like a process.

use std::{
    net::{Ipv4Addr, SocketAddr},
    process,
    time::Duration,
};

use switchboard_tests::serve::{listen, serve_on};
use tokio::runtime::{Builder, Runtime};

/// Below the ports that connections are given, so that none takes it while the server is down.
const FIRST_PORT: u16 = 15_000;
const PORTS: u16 = 10_000;

pub(super) struct Server {
    port: u16,
    /// Of its own: all that the server is ends with it.
    runtime: Option<Runtime>,
}

impl Server {
    pub(super) fn start() -> Self {
        let first = u16::try_from(process::id() % u32::from(PORTS)).expect("less than PORTS");
        let ports = (0..PORTS).map(|n| FIRST_PORT + (first + n) % PORTS);
        ports
            .map(|port| Self { port, runtime: run(port) })
            .find(|server| server.runtime.is_some())
            .expect("a free port")
    }

    pub(super) fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub(super) async fn stop(&mut self) {
        let runtime = self.runtime.take().expect("a running server");
        let stop = move || runtime.shutdown_timeout(Duration::from_secs(10));
        tokio::task::spawn_blocking(stop).await.expect("the server stops");
    }

    pub(super) fn start_again(&mut self) {
        self.runtime = run(self.port);
        assert!(self.runtime.is_some(), "port {} is taken", self.port);
    }
}

fn run(port: u16) -> Option<Runtime> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let listener = {
        let _inside = runtime.enter();
        listen(port)
    };
    match listener {
        Ok(listener) => {
            runtime.spawn(serve_on(listener, chat::app()));
            Some(runtime)
        }
        Err(_) => {
            runtime.shutdown_background();
            None
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A runtime must not be waited for in another one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

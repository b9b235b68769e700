//! chromedriver, and the browser that it starts. Both end with the test, however it ends.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a program may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy)]
pub(super) struct Screen {
    pub(super) name: &'static str,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) phone: bool,
}

pub(super) struct Driver {
    process: Child,
    port: u16,
    chromium: PathBuf,
    profile: TempDir,
}

impl Driver {
    pub(super) fn start() -> Self {
        let chromium = program("chromium");
        let mut command = Command::new(program("chromedriver"));
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("chromedriver starts");
        let output = process.stdout.take().expect("a piped output");
        // In place before anything else can fail: dropped, it ends the process.
        let mut driver = Self { process, port: 0, chromium, profile: tempfile::tempdir().expect("a folder") };

        let (sender, port) = mpsc::channel();
        // Reads to the end, so that chromedriver never waits for a reader.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let port = line.split_once("started successfully on port ").map(|(_, port)| port.trim_end_matches('.'));
                if let Some(port) = port.and_then(|port| port.parse().ok()) {
                    _ = sender.send(port);
                }
            }
        });
        driver.port = port.recv_timeout(PATIENCE).expect("chromedriver says on which port it listens");
        driver
    }

    pub(super) async fn open_browser(&self, screen: Screen) -> Client {
        let Screen { name, width, height, phone } = screen;
        let args = [
            "--headless=new".into(),
            "--no-sandbox".into(),
            "--disable-gpu".into(),
            "--disable-quic".into(),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            "--disable-dev-shm-usage".into(),
            "--lang=en".into(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", self.profile.path().join(name).display()),
        ];
        // Without it a window is never as narrow as a phone.
        let metrics = json!({"width": width, "height": height, "pixelRatio": 1, "mobile": phone, "touch": phone});
        let options = json!({"binary": self.chromium, "args": args, "mobileEmulation": {"deviceMetrics": metrics}});
        let Value::Object(capabilities) =
            json!({"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}})
        else {
            unreachable!("an object")
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        builder.connect(&format!("http://127.0.0.1:{}", self.port)).await.expect("a browser")
    }

    /// The warnings and errors of the console since the last time, those of the content security
    /// policy included.
    pub(super) async fn console(&self, browser: &Client) -> Vec<String> {
        let session = browser.session_id().await.expect("a browser").expect("a session");
        let url = format!("http://127.0.0.1:{}/session/{session}/se/log", self.port);
        let request = reqwest::Client::new().post(url).json(&json!({"type": "browser"}));
        let log: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        let entries = log["value"].as_array().unwrap_or_else(|| panic!("no log: {log}"));
        let bad = entries.iter().filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        bad.map(|entry| entry["message"].to_string()).collect()
    }

    /// chromedriver closes its browsers before it ends.
    fn ask_to_end(&self) -> std::io::Result<()> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        socket.read_to_end(&mut Vec::new())?;
        Ok(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let asked = self.port != 0 && self.ask_to_end().is_ok();
        let deadline = Instant::now() + PATIENCE;
        while asked && Instant::now() < deadline && matches!(self.process.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(20));
        }
        _ = self.process.kill();
        _ = self.process.wait();
        for process in processes_with(self.profile.path()) {
            _ = Command::new("kill").args(["-KILL", &process]).status();
        }
    }
}

/// The ids of the processes with a path in their command line: a browser that was left behind.
fn processes_with(path: &Path) -> Vec<String> {
    let path = path.display().to_string();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = processes.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let ids = ids.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    ids.filter(|id| {
        let command = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(&path)
    })
    .collect()
}

/// A program in `PATH`.
pub(super) fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed; run: cargo xtask setup"))
}
